"""Which output of a model a label is, or why it cannot be explained."""

from __future__ import annotations

from ecgcore.labels import LabelSetName
from ecgcore.models.card import LabelCard, ModelCard


class ExplanationError(ValueError):
    """A question that a method cannot answer: what was asked, what is allowed."""


def label_target(card: ModelCard, code: str, label_set: LabelSetName | None = None) -> int:
    """The index of a label among a model's outputs.

    ``label_set`` is needed only where a code stands in two sets (NORM does). Raises
    ExplanationError for an unknown or ambiguous label, and for one that the model does not answer
    for: what was never learned has no evidence.
    """
    offered = [
        (index, label)
        for index, label in enumerate(card.labels)
        if label_set is None or label.set == label_set
    ]
    found = [(index, label) for index, label in offered if label.code == code]
    if not found:
        where = f" among its {label_set}" if label_set else ""
        known = ", ".join(label.code for _, label in offered) or "none"
        raise ExplanationError(f"model {card.name!r} has no label {code!r}{where}; known: {known}")
    if len(found) > 1:
        sets = " and ".join(label.set for _, label in found)
        raise ExplanationError(f"label {code!r} of model {card.name!r} is in {sets}; say which set")
    index, label = found[0]
    _refuse_unanswered(card, label)
    return index


def _refuse_unanswered(card: ModelCard, label: LabelCard) -> None:
    if not label.answered:
        raise ExplanationError(
            f"model {card.name!r} does not answer for {label.code} "
            f"({label.reason or 'it has no threshold'}), so that there is nothing to explain"
        )
