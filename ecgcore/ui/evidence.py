"""Why a model says what it says: the clicked label's heat map, and a network's lead weights."""

from __future__ import annotations

from html import escape

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from ecgcore.explain.explanation import Explanation
from ecgcore.explain.measured_effects import GroupEffect, MeasuredEffects
from ecgcore.recording import Recording
from ecgcore.ui import services
from ecgcore.ui.findings import overlaid
from ecgcore.ui.paper_view import finish_pandas
from ecgcore.ui.style import of

Evidence = Explanation | services.Declined | None

_HINT = "Click a finding to see its evidence on the trace."


def is_waited_for(model: str | None, recording: Recording, method: str) -> bool:
    """Whether a label is clicked whose evidence must still be computed."""
    label = overlaid(model, recording) if model else None
    return bool(model and label and not services.has_explanation(model, recording, label, method))


def chosen_evidence(
    model: str | None, recording: Recording, method: str, status: DeltaGenerator
) -> Evidence:
    """The evidence for the label that the reader clicked; None where none is clicked.

    ``status`` is a place of fixed height for the waiting sign and for what is on the trace.
    """
    label = overlaid(model, recording) if model else None
    if model is None or label is None:
        _say(status, _HINT if model else "")
        return None
    if is_waited_for(model, recording, method):
        with status, st.spinner(f"{method} for {label[1]} …"):
            found = services.explanation(model, recording, label, method)
    else:
        found = services.explanation(model, recording, label, method)
    shown = isinstance(found, Explanation) and found.peak > 0
    place = "on the trace; click again to hide it" if shown else "no map; see below the paper"
    _say(status, f"{label[1]} by {method}: {place}")
    return found


def say_nothing(status: DeltaGenerator) -> None:
    """Leave the status line empty: there is no finding to click."""
    _say(status, "")


def show_reading(recording: Recording, evidence: Evidence) -> None:
    """How to read the map, or why there is none; a line that is always there."""
    sentence = ""
    if isinstance(evidence, Explanation):
        sentence = f"{evidence.method}: {evidence.note}"
    elif isinstance(evidence, services.Declined):
        sentence = evidence.sentence
    st.html(f'<div class="lightbox-reading {of(recording)}">{escape(sentence)}</div>')


_MOST_GROUPS = 5
_LEAST_SHOWN = 0.005
"""A change of probability that two decimals show."""


def show_measured(model: str, recording: Recording) -> None:
    """Which measured values moved the clicked label's answer; nothing for a model without them."""
    label = overlaid(model, recording)
    found = services.effects(model, recording, label) if label else None
    if isinstance(found, services.Declined):
        st.html(f'<div class="lightbox-small {of(recording)}">{escape(found.sentence)}</div>')
    elif isinstance(found, MeasuredEffects):
        told = [one for one in found.groups if abs(one.probability) >= _LEAST_SHOWN]
        rows = "".join(_effect_row(one) for one in told[:_MOST_GROUPS])
        none = "No group of values moves it by 0.01 or more when it is replaced by usual values."
        st.html(
            f'<div class="{of(recording)}"><div class="lightbox-title">Measured values that moved '
            f"the answer for {escape(found.label)} ({found.probability:.2f})</div>"
            f'<dl class="lightbox-moved">{rows}</dl>'
            f'<div class="lightbox-small">{escape(found.note if told else none)}</div></div>'
        )


def _effect_row(one: GroupEffect) -> str:
    values = "; ".join(value.words for value in one.values)
    sign = "+" if one.probability > 0 else "\N{MINUS SIGN}"
    return (
        f"<dt>{sign}{abs(one.probability):.2f}</dt>"
        f"<dd><b>{escape(one.group)}</b><br>{escape(values)}</dd>"
    )


def _say(status: DeltaGenerator, sentence: str) -> None:
    status.html(f'<div class="lightbox-status">{escape(sentence)}</div>')


def show_topography(model: str, dark: bool) -> None:
    """The torso of a network that mixes leads into augmented ones; nothing for the others."""
    if not services.mixes_leads(model):
        return
    if not st.toggle(
        "Lead topography: how strongly the network listens to each lead",
        key="topography",
        persist_state="session",
    ):
        return
    from ecgcore.drawing.topography import draw_topography

    finish_pandas()
    value = services.topography(model)
    chosen: int = st.segmented_control(
        "Augmented lead of the network (the same for every recording)",
        range(value.weights.shape[0]),
        default=0,
        required=True,
        format_func=lambda lead: str(lead + 1),
        key=f"augmented-{model}",
        persist_state="session",
    )
    st.plotly_chart(
        draw_topography(value, chosen, dark),
        theme=None,
        width="content",
        key="topography-figure",
        config={"displayModeBar": False},
        alt=f"Weights of the leads in augmented lead {chosen + 1} on a torso",
    )
