"""What the models page asks for: the shelf, each model's validation answers, curves and exports."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from ecgcore.evaluation.label_curves import LabelCurves, label_curves
from ecgcore.evaluation.side_by_side import NotComparableError, SetComparison, compare_answers
from ecgcore.explain.explanation import FilterResponses, LeadTopography
from ecgcore.model_shelf import ShelfModel, shelf
from ecgcore.models.card import CardError, LabelCard, ModelCard, card_digest
from ecgcore.models.chosen_thresholds import ChosenThreshold, chosen_for
from ecgcore.models.validation_answers import ValidationAnswers, read_validation
from ecgcore.review.connection import StoreError
from ecgcore.review.people import Deed, Role, may
from ecgcore.ui import label_services
from ecgcore.ui.memory import Memory

if TYPE_CHECKING:
    from ecgcore.models.onnx_export import Exported
    from ecgcore.models.predictor import Predictor


@dataclass(frozen=True)
class Visitor:
    """Who looks at the models, and what their role allows; a reader where no store can be asked,
    and ``trouble`` then says why."""

    person: str
    role: Role
    trouble: str = ""

    def may(self, deed: Deed) -> bool:
        """Whether the role allows it."""
        return may(self.role, deed)


@cache
def _answers() -> Memory[ValidationAnswers | None]:
    return Memory(16)


@cache
def _curves() -> Memory[LabelCurves | None]:
    return Memory(64)


@cache
def _comparisons() -> Memory[tuple[SetComparison, ...]]:
    return Memory(16)


@cache
def _predictors() -> Memory[Predictor]:
    return Memory(2)


@cache
def _exports() -> Memory[Exported]:
    return Memory(2)


def visitor(person: str) -> Visitor:
    """The role that the review store knows for a name."""
    try:
        return Visitor(person, label_services.store().role_of(person))
    except StoreError as error:
        return Visitor(person, "reader", str(error))


def models() -> tuple[ShelfModel, ...]:
    """Shipped and published models, that which answers for most labels first; then finished runs.

    Raises CardError.
    """
    return tuple(sorted(shelf(), key=lambda one: (one.origin == "run", -_answered(one), one.name)))


def _answered(model: ShelfModel) -> int:
    return 0 if model.card is None else sum(label.answered for label in model.card.labels)


def chosen(model: ShelfModel) -> tuple[ChosenThreshold, ...]:
    """Thresholds that people have set for a model of the shelf. Raises CardError."""
    if model.card is None or model.origin == "run":
        return ()
    return chosen_for(model.name, model.card)


def answers(model: ShelfModel) -> ValidationAnswers | None:
    """What a model said of its validation records; None for one that came without them.

    Raises CardError for a damaged file.
    """
    card = model.card
    if card is None:
        return None
    return _answers().get(_identity(model), lambda: read_validation(model.folder, card.labels))


def curves(model: ShelfModel, column: int) -> LabelCurves | None:
    """The curves of a label, by its place in the card; None where there are none."""
    told = answers(model)
    if told is None:
        return None
    return _curves().get(
        (*_identity(model), column),
        lambda: label_curves(told.targets[:, column], told.probabilities[:, column]),
    )


def compared(first: ShelfModel, second: ShelfModel) -> tuple[SetComparison, ...]:
    """The second model's scores against the first's, paired.

    Raises NotComparableError, CardError.
    """
    if first.card is None or second.card is None:
        raise NotComparableError("a model whose card cannot be read cannot be compared")
    pair = ((first.card, answers(first)), (second.card, answers(second)))
    key = (*_identity(first), *_identity(second))
    return _comparisons().get(key, lambda: compare_answers(*pair))


def filters(model: ShelfModel) -> FilterResponses:
    """Frequency responses of an ECGencode network. Raises CardError, ExplanationError."""
    from ecgcore.explain.temporal_filters import filter_responses

    return filter_responses(_predictor(model))


def topography(model: ShelfModel) -> LeadTopography:
    """Lead weights of an ECGencode network. Raises CardError, ExplanationError."""
    from ecgcore.explain.topography import lead_topography

    return lead_topography(_predictor(model))


def exported(model: ShelfModel) -> Exported:
    """The model as ONNX, checked on simulated records. Raises CardError."""
    from ecgcore.models.onnx_export import RECORDS, export_onnx
    from ecgcore.models.onnx_records import simulated_records
    from ecgcore.models.predictor import Predictor

    def compute() -> Exported:
        own = _predictor(model)
        told = Predictor(own.card, own.network, own.device, chosen(model))
        return export_onnx(told, *simulated_records(own.card.spec, RECORDS))

    return _exports().get((*_identity(model), chosen(model)), compute)


def is_exported(model: ShelfModel) -> bool:
    """Whether the ONNX file is there without computing."""
    return (*_identity(model), chosen(model)) in _exports()


def answered_labels(card: ModelCard) -> list[tuple[int, LabelCard]]:
    """The labels that a model answers with their places, superclasses first, then by code."""
    found = [(place, one) for place, one in enumerate(card.labels) if one.answered]
    return sorted(found, key=lambda one: (one[1].set != "superclasses", one[1].set, one[1].code))


def _predictor(model: ShelfModel) -> Predictor:
    from ecgcore.models.predictor import read_predictor

    if model.card is None:
        raise CardError(model.trouble)
    return _predictors().get(_identity(model), lambda: read_predictor(model.folder))


def _identity(model: ShelfModel) -> tuple[str, str]:
    return (str(model.folder), card_digest(model.folder))
