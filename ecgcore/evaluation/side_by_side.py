"""Two trained models beside each other: the facts in which their cards differ, and whose answers to
the same records are better.

Answers can be compared where both were judged on the same validation records: the same folds and
targets of the labels that both have, record by record. Then the difference is the paired bootstrap
of ``comparison``; else it is said that there is none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

from ecgcore.evaluation.comparison import Comparison, compare_models
from ecgcore.labels import LabelSetName
from ecgcore.models.card import LabelCard, ModelCard
from ecgcore.models.card_facts import card_facts
from ecgcore.models.validation_answers import ValidationAnswers

Judged = tuple[ModelCard, ValidationAnswers | None]


@dataclass(frozen=True)
class SetComparison:
    """The labels of one set that both models answer, and the paired differences (second minus
    first) in their order."""

    set: LabelSetName
    labels: tuple[LabelCard, ...]
    result: Comparison


class NotComparableError(ValueError):
    """Two models whose answers cannot be compared, and why."""


def differing_facts(first: ModelCard, second: ModelCard) -> list[tuple[str, str, str]]:
    """Name of the fact, the first model's, the second's; only what differs."""
    one, other = card_facts(first), card_facts(second)
    return [
        (name, one.get(name, "none"), other.get(name, "none"))
        for name in dict.fromkeys((*one, *other))
        if one.get(name) != other.get(name)
    ]


def compare_answers(first: Judged, second: Judged) -> tuple[SetComparison, ...]:
    """The paired differences of each label set. Raises NotComparableError with the reason."""
    (card, answers), (other_card, other_answers) = first, second
    for of, told in ((card, answers), (other_card, other_answers)):
        if told is None:
            raise NotComparableError(
                f"{of.name} came without its answers to the validation records; train it again "
                "with this version to compare it"
            )
    assert answers is not None and other_answers is not None
    mine, others = _places(card), _places(other_card)
    shared = [label for label in mine if label in others]
    if not shared:
        raise NotComparableError(f"{card.name} and {other_card.name} answer for no label in common")
    one = answers.columns([mine[label] for label in shared])
    two = other_answers.columns([others[label] for label in shared])
    if one.records_digest() != two.records_digest():
        raise NotComparableError(
            f"{card.name} and {other_card.name} were judged on different validation records "
            f"({len(one)} and {len(two)}), so their numbers cannot be set against each other; "
            "evaluate both on the same data with python -m ecgcore evaluate"
        )
    found = []
    for name in get_args(LabelSetName):
        chosen = [place for place, label in enumerate(shared) if label[0] == name]
        if not chosen:
            continue
        labels = tuple(card.labels[mine[shared[place]]] for place in chosen)
        left, right = one.columns(chosen), two.columns(chosen)
        result = compare_models(left.targets, left.probabilities, right.probabilities)
        found.append(SetComparison(name, labels, result))
    return tuple(found)


def _places(card: ModelCard) -> dict[tuple[LabelSetName, str], int]:
    """Columns of the labels that a model answers."""
    return {(one.set, one.code): i for i, one in enumerate(card.labels) if one.answered}
