"""The findings beside the paper: what a model says, each with its probability and threshold.

A row is a button: the fill is the probability, the tick the threshold, a click lays the evidence
over the trace, a second click takes it away. Positives come first.
"""

from __future__ import annotations

from html import escape

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from ecgcore.models.prediction import LabelPrediction, Prediction
from ecgcore.recording import Recording
from ecgcore.ui import services
from ecgcore.ui.controls import Extent, show_from
from ecgcore.ui.folded import show_folded
from ecgcore.ui.markdown import plain
from ecgcore.ui.style import of

_SHOWN_NEGATIVES = 3
_REMEMBERED_OVERLAYS = 200
_MODEL_WIDTH = 190
"""In pixels: a model's name is read whole."""

# A model that saw all but this much saw the whole recording.
_UNSEEN_SECONDS = 0.5

Sorted = tuple[list[LabelPrediction], list[LabelPrediction], list[LabelPrediction]]


def sort_findings(prediction: Prediction) -> Sorted:
    """(positive, negative, without an answer); the first two by falling probability."""
    answered = sorted(
        (label for label in prediction.labels if label.probability is not None),
        key=lambda label: -(label.probability or 0.0),
    )
    return (
        [label for label in answered if label.positive],
        [label for label in answered if not label.positive],
        [label for label in prediction.labels if label.probability is None],
    )


def overlaid(model: str, recording: Recording) -> services.Label | None:
    """The label whose evidence lies over this recording's trace, if any."""
    return _overlays().get((model, recording.source.sha256))


def _overlays() -> dict[tuple[str, str], services.Label]:
    overlays: dict[tuple[str, str], services.Label] = st.session_state.setdefault("overlays", {})
    return overlays


def _toggle(model: str, sha256: str, label: services.Label) -> None:
    overlays = _overlays()
    if overlays.pop((model, sha256), None) != label:
        overlays[(model, sha256)] = label
        while len(overlays) > _REMEMBERED_OVERLAYS:
            del overlays[next(iter(overlays))]


def forget_overlay(model: str, recording: Recording) -> None:
    """Show no evidence over this recording's trace until a finding is clicked again."""
    _overlays().pop((model, recording.source.sha256), None)


def choices(names: tuple[str, ...]) -> tuple[str | None, str]:
    """The model and the explaining method that the reader chose; None without any model."""
    if not names:
        st.info(f"{services.why_no_model()} There are no findings; the paper needs none.")
        return None, next(iter(services.METHODS))
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key="choices"):
        model = st.selectbox(
            "Model",
            names,
            key="model",
            persist_state="session",
            label_visibility="collapsed",
            width=_MODEL_WIDTH,
        )
        method = st.segmented_control(
            "Evidence by",
            list(services.METHODS),
            default=services.first_method(model),
            required=True,
            key=f"method-{model}",
            persist_state="session",
            label_visibility="collapsed",
        )
    return model, method


def show_findings(prediction: Prediction, recording: Recording) -> None:
    """All findings of one model, the positives first, those without an answer folded away."""
    positive, negative, silent = sort_findings(prediction)
    # The rows' style stands in this element: one of its own would blink at every rerun.
    st.html(
        f"<style>{_rows_style(prediction, recording)}</style>"
        f'<div class="lightbox-title {of(recording)}">{len(positive)} positive of '
        f"{len(positive) + len(negative)} {_kind(prediction)}</div>"
    )
    _part_seen(prediction, recording)
    _doubted(prediction, recording)
    if not positive:
        st.html('<div class="lightbox-none">No statement reaches its threshold.</div>')
    _rows(positive, prediction, recording)
    st.html('<div class="lightbox-title">Below threshold</div>')
    _rows(negative[:_SHOWN_NEGATIVES], prediction, recording)
    hidden = len(negative) - _SHOWN_NEGATIVES
    # A switch, not an expander: rows that nobody looks at are not sent to the browser.
    if hidden > 0 and st.toggle(
        f"Show {hidden} more below threshold", key="all-negatives", persist_state="session"
    ):
        _rows(negative[_SHOWN_NEGATIVES:], prediction, recording)
    if silent:
        show_folded(
            f"{len(silent)} without an answer: not enough data",
            [(label.code, label.description, label.reason) for label in silent],
            recording,
        )
    st.html(f'<div class="lightbox-small">{escape(_origin(prediction))}</div>')


def _part_seen(prediction: Prediction, recording: Recording) -> None:
    """Of a long recording, which part the findings speak of, and the way to it."""
    if recording.seconds - prediction.seconds <= _UNSEEN_SECONDS:
        return
    stop = prediction.start + prediction.seconds
    st.button(
        f"From {prediction.start:.1f}–{stop:.1f} s only: show that part",
        key="part-seen",
        type="tertiary",
        icon=":material/visibility:",
        on_click=show_from,
        args=(Extent.of(recording), prediction.start),
    )


def _doubted(prediction: Prediction, recording: Recording) -> None:
    """Why not to rely on what follows."""
    for doubt in prediction.doubts:
        st.html(f'<div class="lightbox-doubt {of(recording)}">{escape(doubt)}</div>')


def place(model: str | None, recording: Recording) -> DeltaGenerator:
    """Where the findings go. Until a model has answered, nothing of another recording stays there.

    An answer that is known replaces the last one in place, without a moment of emptiness.
    """
    if model is None or services.has_prediction(model, recording):
        return st.container(gap=None)
    waiting = st.empty()
    waiting.html(
        f'<div class="lightbox-wait" role="status">{escape(model)} reads this recording …</div>'
    )
    return waiting


def _kind(prediction: Prediction) -> str:
    """What the labels are, "statements" or "superclasses"."""
    return " and ".join(dict.fromkeys(label.set for label in prediction.labels))


def show_declined(model: str, declined: services.Declined) -> None:
    """Why a model does not answer, as a sentence."""
    st.warning(f"**{model}** does not answer: {declined.sentence}", icon=":material/block:")


def _origin(prediction: Prediction) -> str:
    remarks = " ".join((prediction.by_shape_words, *prediction.warnings))
    return (
        f"{prediction.milliseconds:.0f} ms on {prediction.device}. "
        f"Tick: threshold, {prediction.threshold_origin}. {remarks}"
    )


def _row_key(prediction: Prediction, label: LabelPrediction, recording: Recording) -> str:
    return f"finding-{prediction.labels.index(label)}-{of(recording)}"


def _rows(labels: list[LabelPrediction], prediction: Prediction, recording: Recording) -> None:
    several = len({label.set for label in prediction.labels}) > 1
    for label in labels:
        st.button(
            _row_text(label, several and label.set == "superclasses"),
            key=_row_key(prediction, label, recording),
            on_click=_toggle,
            args=(prediction.model, recording.source.sha256, (label.set, label.code)),
            width="stretch",
        )


def _row_text(label: LabelPrediction, superclass: bool = False) -> str:
    """One row in Markdown; the style sheet puts each element in its place.

    A ``superclass`` among statements is named so: NORM is both.
    """
    number = "–" if label.probability is None else _share(label.probability)
    threshold = "" if label.threshold is None else f" ~~threshold {_share(label.threshold)}~~"
    mark = "● " if label.positive else ""
    name, description = (plain(text) for text in (label.code, label.description or label.code))
    description += " (superclass)" if superclass else ""
    return f"**{mark}{name}** *{description}* `{number}`{threshold}"


def _share(value: float) -> str:
    """A number of 0 to 1 in two decimals, but never as a bare 0 or 1 unless it is that."""
    if 0.0 < value < 0.01:
        return f"{value:.3f}" if value >= 0.0005 else "<0.001"
    return ">0.99" if 0.995 <= value < 1.0 else f"{value:.2f}"


def _rows_style(prediction: Prediction, recording: Recording) -> str:
    shown = overlaid(prediction.model, recording)
    rules = []
    for label in prediction.labels:
        if label.probability is None:
            continue
        own = f".st-key-findings .st-key-{_row_key(prediction, label, recording)} button"
        threshold = "" if label.threshold is None else f"--t:{100 * label.threshold:.1f}%;"
        fill = "--bar:var(--bar-on);" if label.positive else ""
        rules.append(f"{own}{{--p:{100 * label.probability:.1f}%;{threshold}{fill}}}")
        if (label.set, label.code) == shown:
            rules.append(f"{own}{{outline:2px solid var(--mark);outline-offset:-1px}}")
    return "".join(rules)
