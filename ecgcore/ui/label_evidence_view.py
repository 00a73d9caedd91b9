"""The evidence for and against the labels on file: reasons, then what each source says."""

from __future__ import annotations

from html import escape

import numpy as np
import streamlit as st

from ecgcore.drawing.paper import PaperOptions
from ecgcore.explain.explanation import Explanation
from ecgcore.label_evidence import RULES
from ecgcore.label_queue import QueueItem
from ecgcore.labels import statements
from ecgcore.models.card import CardError, load_card
from ecgcore.recording import Recording
from ecgcore.review.suspicion import LabelSuspicion
from ecgcore.review.values import Evidence
from ecgcore.signal.delineation import DEFAULT_METHOD
from ecgcore.ui import label_place, label_services, readings, services
from ecgcore.ui.label_picker import toggle, words
from ecgcore.ui.markdown import plain
from ecgcore.ui.paper_view import Marked
from ecgcore.ui.places import highlights

_SHOWN = "label-shown"
_MOST = 3
_UNSEEN = ("other labels", "how often")
"""Kinds of reasons that have no place on the trace."""
_LEAST_PROBABILITY = 0.02


def evidence_of(item: QueueItem) -> tuple[Evidence, ...]:
    """What is on screen about a recording, as it is kept with the decision."""
    told, found = label_services.book(), []
    codes = [label.code for label in statements()]
    for name, row in told.probabilities([item.recording]).items():
        says = {
            code: float(value)
            for code, value in zip(codes, row[0], strict=True)
            if value >= _LEAST_PROBABILITY
        }
        version = load_card(name).weights_sha256[:12]
        found.append(Evidence("model", f"{name}@{version}", says))
    rules = zip(codes, told.rules([item.recording])[0], strict=True)
    found.append(Evidence("rule", RULES, {code: float(v > 0) for code, v in rules if v}))
    if item.suspicion is not None:
        says = {one.code: one.score for one in item.suspicion.labels if one.reasons}
        found.append(Evidence("suspicion", f"score {item.suspicion.score:.3f}", says))
    if item.imported is not None:
        found.append(Evidence("imported", item.imported.sentence, {}))
    return tuple(found)


def show_reasons(item: QueueItem) -> None:
    """Why the labels are suspicious; a click lays the place over the trace."""
    suspicion = item.suspicion
    if item.imported is not None:
        st.html(f'<div class="label-reason">{escape(item.imported.sentence)}</div>')
    if suspicion is None:
        text = "No labels on file to doubt." if item.filed is None else "Not looked at yet."
        st.html(f'<div class="lightbox-none">{text}</div>')
        return
    st.html(
        f'<div class="lightbox-title">Suspicion {suspicion.score:.2f}: chance that a label on '
        "file is wrong or missing</div>"
    )
    likeliest: dict[tuple[str, ...], LabelSuspicion] = {}
    for one in sorted((one for one in suspicion.labels if one.reasons), key=lambda one: -one.score):
        likeliest.setdefault(one.instead, one)
    if not likeliest:
        st.html('<div class="lightbox-none">Nothing speaks against the labels on file.</div>')
    for number, one in enumerate(list(likeliest.values())[:_MOST]):
        _show_alteration(one, item.filed or (), number)


def _show_alteration(one: LabelSuspicion, filed: tuple[str, ...], number: int) -> None:
    """One alteration of the labels on file and what speaks for and against it."""
    added = [code for code in one.instead if code not in filed]
    gone = [f"without {code}" for code in filed if code not in one.instead]
    changed = ", ".join([f"with {code}" for code in added] + gone)
    base = ", ".join(
        f"{reason.kind} {reason.weight:+.1f}" for reason in one.reasons if reason.kind in _UNSEEN
    )
    total = sum(reason.weight for reason in one.reasons)
    st.html(
        f'<div class="label-instead"><b>{escape(changed)}?</b> '
        f"<span>log-odds {total:+.1f} = {escape(base)}, and:</span></div>"
    )
    for reason in one.reasons:
        if reason.kind in _UNSEEN:
            continue
        text = f"{reason.weight:+.1f} {reason.text}"
        code = one.code if reason.kind == "rule" else next(iter(added), "")
        if reason.others:
            st.button(
                plain(text), key=f"label-reason-{number}-{reason.kind}", width="stretch",
                on_click=label_place.visit, args=(reason.others[0],),
                help="Open the other recording", icon=":material/content_copy:",
            )  # fmt: skip
        elif code and reason.kind != "duplicate":
            st.button(
                plain(text), key=f"label-reason-{number}-{reason.kind}", on_click=_toggle_shown,
                args=((code, reason.kind),), width="stretch", help="Show where on the trace",
            )  # fmt: skip
        else:
            st.html(f'<div class="label-reason">{escape(text)}</div>')


def _toggle_shown(shown: tuple[str, str]) -> None:
    if st.session_state.get(_SHOWN) == shown:
        del st.session_state[_SHOWN]
    else:
        st.session_state[_SHOWN] = shown


def marked(recording: Recording, options: PaperOptions) -> Marked:
    """The place of the reason that was clicked: a rule's stretch, or a model's heat."""
    code, kind = st.session_state.get(_SHOWN, ("", ""))
    if not code:
        return Marked()
    if kind == "rule":
        for finding in readings.rule_findings(recording, DEFAULT_METHOD, "clinical"):
            if finding.label == code and finding.where:
                beats = readings.beats(recording, DEFAULT_METHOD)
                return Marked(highlights=highlights(finding, recording, beats, options))
        return Marked()
    models = label_services.evidence_models()
    if not models:
        return Marked()
    found = services.explanation(
        models[0], recording, ("statements", code), services.first_method(models[0])
    )
    if isinstance(found, Explanation):
        return Marked(explanation=found)
    st.session_state["label-note"] = found.sentence
    return Marked()


def show_sources(item: QueueItem, picker: str) -> None:
    """A row for each label that anybody names: on file, each model, the criteria; a click on its
    code adds it to the labels that hold, or takes it away."""
    told = label_services.book()
    codes = [label.code for label in statements()]
    probabilities = told.probabilities([item.recording])
    rules = dict(zip(codes, told.rules([item.recording])[0], strict=True))
    thresholds = {name: _thresholds(name) for name in probabilities}
    named = set(item.filed or ()) | {code for code, value in rules.items() if value > 0}
    for name, row in probabilities.items():
        for code, value in zip(codes, row[0], strict=True):
            if value >= thresholds[name].get(code, 2.0):
                named.add(code)
    if not named:
        return
    st.html('<div class="lightbox-title">What is said; a click adds or removes a label</div>')
    for code in [code for code in codes if code in named]:
        at = codes.index(code)
        parts = ["on file" if code in (item.filed or ()) else "not on file"]
        for name, row in probabilities.items():
            value = row[0, at]
            parts.append(f"{name} {value:.2f}" if np.isfinite(value) else f"{name} –")
        if rules[code]:
            parts.append("criteria met" if rules[code] > 0 else "criteria not met")
        st.button(
            f"**{plain(code)}** {plain(words(code))}: {plain(', '.join(parts))}",
            key=f"label-say-{code}",
            on_click=toggle,
            args=(picker, code),
            width="stretch",
            help=told.rule_sentence(item.recording, code),
        )
    for name in probabilities:
        refusal = told.refusal(item.recording, name)
        if refusal:
            st.html(f'<div class="lightbox-doubt">{escape(f"{name}: {refusal}")}</div>')


def _thresholds(name: str) -> dict[str, float]:
    try:
        labels = load_card(name).labels
    except CardError:
        return {}
    return {
        one.code: one.threshold
        for one in labels
        if one.set == "statements" and one.threshold is not None
    }
