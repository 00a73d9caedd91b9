"""Curves of a label and its threshold: moved here, its consequence is seen before it is set."""

from __future__ import annotations

from html import escape

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from ecgcore.evaluation.operating_point import OperatingPoint, Share, operating_point
from ecgcore.model_shelf import ShelfModel
from ecgcore.models.card import CardError, LabelCard, ModelCard
from ecgcore.models.chosen_thresholds import ChosenThreshold
from ecgcore.models.validation_answers import ValidationAnswers
from ecgcore.ui import model_services
from ecgcore.ui.model_charts import show_charts
from ecgcore.ui.model_services import Visitor
from ecgcore.ui.model_setting import offer_setting

_PEOPLE = 1000


def show_scores(model: ShelfModel, card: ModelCard, visitor: Visitor) -> None:
    """The label, its threshold with what follows from it, and four charts."""
    try:
        told, chosen = model_services.answers(model), model_services.chosen(model)
    except CardError as error:
        st.error(str(error))
        return
    labels = model_services.answered_labels(card)
    if told is None or not labels:
        st.info(
            "This model answers no label."
            if not labels
            else "This model came without its answers to the validation records (an older one), so "
            "there are no curves; the card has its numbers. Train it again with this version to "
            "have them."
        )
        return
    controls, left, right = st.columns([4, 5, 5], gap="medium")
    with controls:
        column, label = _choose_label(model, labels)
        own = next((one for one in chosen if one.label == (label.set, label.code)), None)
        now = _judge(model, told, column, label, own)
        offer_setting(model, label, own, now.threshold, visitor)
    found = model_services.curves(model, column)
    if found is None:
        with left:
            st.info(f"The validation records all have, or all lack, {label.code}: no curves.")
        return
    target, said = told.targets[:, column], told.probabilities[:, column]
    show_charts(found, _marks(target, said, label, now.threshold), label.code, (left, right))


def _marks(
    target: NDArray[np.uint8], said: NDArray[np.float32], label: LabelCard, threshold: float
) -> dict[str, OperatingPoint]:
    """The slider's threshold, and the card's where that is another, at the records' own
    prevalence."""
    found = {f"threshold {threshold:.3f}": operating_point(target, said, threshold)}
    if label.threshold is not None and label.threshold != threshold:
        name = f"the card’s, {label.threshold:.3f}"
        found[name] = operating_point(target, said, label.threshold)
    return found


def _choose_label(model: ShelfModel, labels: list[tuple[int, LabelCard]]) -> tuple[int, LabelCard]:
    place: int = st.selectbox(
        "Label",
        range(len(labels)),
        format_func=lambda one: _label_words(labels[one][1]),
        key=f"scores-label-{model.key}",
        persist_state="session",
    )
    return labels[place]


def _label_words(label: LabelCard) -> str:
    kind = " (superclass)" if label.set == "superclasses" else ""
    return f"{label.code}{kind}: {label.description}"


def _judge(
    model: ShelfModel,
    told: ValidationAnswers,
    column: int,
    label: LabelCard,
    own: ChosenThreshold | None,
) -> OperatingPoint:
    """Prevalence and threshold, and what they lead to beside what holds now."""
    target, said = told.targets[:, column], told.probabilities[:, column]
    here = f"{model.key}-{label.set}-{label.code}"
    holds = own.value if own is not None else (label.threshold or 0.0)
    threshold = _moved(holds, here, own)
    prevalence = st.number_input(
        "Prevalence where the model is used, %",
        min_value=0.0,
        max_value=100.0,
        value=round(100 * float(target.mean()), 1),
        step=0.5,
        format="%.1f",
        key=f"scores-prevalence-{here}",
        persist_state="session",
        help="The share of recordings with this label. It starts at that of the validation "
        "records; what an answer is worth depends on it.",
    )
    now = operating_point(target, said, threshold, prevalence / 100)
    before = operating_point(target, said, holds, prevalence / 100)
    st.html(_consequence(now, before) + _in_people(now, label))
    return now


def _moved(holds: float, here: str, own: ChosenThreshold | None) -> float:
    """The threshold on the slider; untouched it is exactly the one that holds."""
    version = "card" if own is None else own.at
    shown = round(holds, 3)
    moved = st.slider(
        "Threshold (probability from which the answer is yes)",
        min_value=0.0,
        max_value=1.0,
        value=shown,
        step=0.001,
        format="%.3f",
        key=f"scores-threshold-{here}-{version}",
        persist_state="session",
    )
    return holds if abs(moved - shown) < 1e-9 else float(moved)


def _consequence(now: OperatingPoint, before: OperatingPoint) -> str:
    """A table of what the slider's threshold leads to, and the one that holds."""
    at = f"{100 * now.prevalence:.1f} %"
    shares = [
        ("Sensitivity", now.sensitivity, before.sensitivity),
        ("Specificity", now.specificity, before.specificity),
        (f"PPV at {at}", now.ppv, before.ppv),
        (f"NPV at {at}", now.npv, before.npv),
    ]
    counts = [
        ("Found (TP)", now.true_positive, before.true_positive),
        ("Missed (FN)", now.false_negative, before.false_negative),
        ("False alarm (FP)", now.false_positive, before.false_positive),
        ("Rightly no (TN)", now.true_negative, before.true_negative),
    ]
    rows = [(name, _share(one), _share(other)) for name, one, other in shares]
    rows += [(name, str(one), str(other)) for name, one, other in counts]
    body = "".join(
        f"<tr><th scope='row'>{escape(name)}</th><td>{one}</td><td>{other}</td></tr>"
        for name, one, other in rows
    )
    return (
        "<div class='lightbox-matrix model-matrix'><table><thead><tr>"
        f"<th>On {now.records} validation recordings</th><th scope='col'>at {now.threshold:.3f}"
        f"</th><th scope='col'>now in use: {before.threshold:.3f}</th></tr></thead>"
        f"<tbody>{body}</tbody></table></div>"
    )


def _share(share: Share) -> str:
    if share.value is None or share.interval is None:
        return "none"
    low, high = share.interval
    return f"{share.value:.2f} <span>({low:.2f}–{high:.2f})</span>"


def _in_people(now: OperatingPoint, label: LabelCard) -> str:
    """The same as counts of people, which are read rightly more often than shares."""
    if now.sensitivity.value is None or now.specificity.value is None:
        return ""
    have = _PEOPLE * now.prevalence
    found = have * now.sensitivity.value
    alarms = (_PEOPLE - have) * (1 - now.specificity.value)
    return (
        f"<p class='lightbox-small'>Of {_PEOPLE:,} people {have:.0f} have {escape(label.code)}: "
        f"{found:.0f} are found, {have - found:.0f} missed, and {alarms:.0f} others are flagged. "
        "In brackets 95 % intervals (Wilson; logit for PPV and NPV). Thresholds were chosen on "
        "these same recordings, so elsewhere it is worse.</p>"
    )
