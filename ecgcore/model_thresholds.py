"""Setting a threshold of one label of a model for this workspace, and going back to the card's.

For an administrator only, as the review store knows them. What was set, by whom and when, is kept
by ``models.chosen_thresholds``, which also joins it with the card.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ecgcore.labels import LabelSetName
from ecgcore.model_shelf import ShelfError, require_deed
from ecgcore.models.card import load_card, published_folder
from ecgcore.models.chosen_thresholds import (
    ChosenThreshold,
    all_chosen,
    thresholds_path,
    to_json,
)
from ecgcore.storage import alone, write_json

if TYPE_CHECKING:
    from ecgcore.review.store import ReviewStore

Label = tuple[LabelSetName, str]


def set_threshold(
    store: ReviewStore, by: str, model: str, label: Label, value: float
) -> ChosenThreshold:
    """From now on this model says yes to the label from ``value`` on, wherever the workspace asks.

    Raises Forbidden, CardError for an unknown model, ShelfError for a label that it does not answer
    or a value that is no probability.
    """
    require_deed(store, by, "set thresholds")
    card = load_card(model)
    answered = {(one.set, one.code) for one in card.labels if one.answered}
    if label not in answered:
        raise ShelfError(
            f"{model} gives no answer for {label[1]} ({label[0]}); set the threshold of a label "
            "that it answers"
        )
    if not 0 <= value <= 1:
        raise ShelfError(f"a threshold of {value}; it is a probability, 0 to 1")
    at = datetime.now(UTC).isoformat(timespec="seconds")
    chosen = ChosenThreshold(model, card.weights_sha256, label[0], label[1], float(value), by, at)
    with alone(published_folder()):
        others = [one for one in all_chosen() if (one.model, one.label) != (model, label)]
        write_json(thresholds_path(), to_json([*others, chosen]))
    return chosen


def back_to_card(store: ReviewStore, by: str, model: str, label: Label) -> None:
    """Judge by the card's threshold again. Raises Forbidden, CardError."""
    require_deed(store, by, "set thresholds")
    with alone(published_folder()):
        kept = [one for one in all_chosen() if (one.model, one.label) != (model, label)]
        write_json(thresholds_path(), to_json(kept))
