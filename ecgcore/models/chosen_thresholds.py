"""Thresholds that people have set in place of a card's: the one place where both are joined.

``models/thresholds.json`` of the workspace holds them, each for one model with one hash of its
weights: another network published under the same name is never answered with them. Who may set one
is for ``model_thresholds``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from ecgcore.labels import LabelSetName
from ecgcore.models.card import (
    CardError,
    ModelCard,
    card_digest,
    model_folder,
    published_folder,
)
from ecgcore.models.prediction import Prediction

THRESHOLDS = "thresholds.json"


@dataclass(frozen=True)
class ChosenThreshold:
    """A threshold of one label of one model: by whom, and when (UTC, ISO 8601)."""

    model: str
    weights_sha256: str
    set: LabelSetName
    code: str
    value: float
    by: str
    at: str

    def __post_init__(self) -> None:
        texts = (self.model, self.weights_sha256, self.set, self.code, self.by, self.at)
        if not all(isinstance(text, str) for text in texts):
            raise ValueError("a threshold without the names of model, label and person")
        if not isinstance(self.value, int | float) or not 0 <= self.value <= 1:
            raise ValueError(f"threshold {self.value!r} of {self.code}; must lie in 0..1")

    @property
    def label(self) -> tuple[LabelSetName, str]:
        """The label it is of."""
        return (self.set, self.code)


def thresholds_path() -> Path:
    """Where the workspace keeps them."""
    return published_folder() / THRESHOLDS


def all_chosen() -> tuple[ChosenThreshold, ...]:
    """Every threshold that was set, of every model.

    Raises CardError where the file is damaged: no model then answers with a threshold that nobody
    meant.
    """
    path = thresholds_path()
    try:
        return tuple(ChosenThreshold(**one) for one in json.loads(path.read_bytes()))
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise CardError(
            f"the thresholds that were set, {path}, cannot be read ({error}); put back a copy of "
            "the file, or remove it to go back to the cards' thresholds"
        ) from error


def model_version(name: str) -> str:
    """What a model's answers depend on beside the recording: its card, which holds the weights'
    hash, and the thresholds that were set. Raises CardError for an unknown model."""
    try:
        thresholds = thresholds_path().read_bytes()
    except OSError:
        thresholds = b""
    return f"{card_digest(model_folder(name))}-{hashlib.sha256(thresholds).hexdigest()}"


def chosen_for(name: str, card: ModelCard) -> tuple[ChosenThreshold, ...]:
    """Those of one model with these weights, of labels that it answers. Raises CardError."""
    answered = {(one.set, one.code) for one in card.labels if one.answered}
    return tuple(
        one
        for one in all_chosen()
        if (one.model, one.weights_sha256) == (name, card.weights_sha256) and one.label in answered
    )


def to_json(chosen: Iterable[ChosenThreshold]) -> list[dict[str, object]]:
    """What ``all_chosen`` reads."""
    return [asdict(one) for one in chosen]


def origin_of(chosen: ChosenThreshold, card_value: float | None) -> str:
    """Where a threshold comes from, in words."""
    was = "" if card_value is None else f"; the card's is {card_value:.3f}"
    return f"{chosen.value:.3f} set by {chosen.by} on {chosen.at[:10]}{was}"


def with_chosen(prediction: Prediction, chosen: Iterable[ChosenThreshold]) -> Prediction:
    """An answer judged by the thresholds that were set; each says so, and so does the whole."""
    by_label = {one.label: one for one in chosen}
    labels, said = [], []
    for label in prediction.labels:
        mine = by_label.get((label.set, label.code))
        if mine is None or label.threshold is None:
            labels.append(label)
            continue
        origin = origin_of(mine, label.threshold)
        labels.append(replace(label, threshold=float(mine.value), threshold_origin=origin))
        kind = " (superclass)" if label.set == "superclasses" else ""  # NORM is a statement too
        said.append(f"{label.code}{kind} {origin}")
    if not said:
        return prediction
    origin = f"{prediction.threshold_origin}, but for these: {'. '.join(said)}"
    return replace(prediction, labels=tuple(labels), threshold_origin=origin)
