"""The card of a trained model: what it is, what it was trained on, how good it is, what it must not
do.

A trained model is a folder with ``weights.safetensors`` and ``card.json``. Reading cards needs no
torch.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from ecgcore.labels import ASSETS, Label, LabelSetName
from ecgcore.models.input_spec import InputSpec

Output = Literal["sigmoid", "softmax"]

SHIPPED = ASSETS / "models"
WEIGHTS, CARD = "weights.safetensors", "card.json"


class CardError(ValueError):
    """A model folder that cannot be used: what is wrong and what is expected."""


@dataclass(frozen=True)
class LabelCard:
    """One output of a model: its label, positives in training and validation, and the threshold.

    A label with a ``reason`` is not answered, and that is why; it still has a threshold where there
    were positives enough to score it. ``shift`` is added to its logit, see ``ModelCard``.
    """

    code: str
    description: str
    set: LabelSetName
    n_train: int
    n_validation: int
    threshold: float | None
    reason: str | None = None
    shift: float = 0.0

    def __post_init__(self) -> None:
        texts = (self.code, self.description, "" if self.reason is None else self.reason)
        if self.set not in get_args(LabelSetName) or not all(isinstance(t, str) for t in texts):
            raise ValueError(f"label {self.code!r} of the set {self.set!r}")
        if not (isinstance(self.n_train, int) and isinstance(self.n_validation, int)):
            raise ValueError(f"counts of {self.code} that are no whole numbers")
        if self.threshold is not None and not 0 <= self.threshold <= 1:
            raise ValueError(f"threshold {self.threshold} of {self.code}; must lie in 0..1")
        if not isinstance(self.shift, int | float) or not math.isfinite(self.shift):
            raise ValueError(f"shift {self.shift!r} of {self.code}; must be a number")

    @property
    def answered(self) -> bool:
        """Whether the model speaks on this label."""
        return self.threshold is not None and self.reason is None

    @property
    def label(self) -> Label:
        """The label itself."""
        return Label(self.code, self.description, self.set)


@dataclass(frozen=True)
class ModelCard:
    """Everything a reader must know of a trained model; ``metrics`` is what ``evaluate`` prints.

    A probability is the sigmoid of logit / ``temperature`` + the label's shift; ``calibration``
    says where they come from and what they are worth; it is empty where none was tried.
    """

    name: str
    network: str
    network_options: dict[str, Any]
    output: Output
    spec: InputSpec
    labels: tuple[LabelCard, ...]
    threshold_origin: str
    data: dict[str, Any]
    training: dict[str, Any]
    metrics: dict[str, Any]
    cost: dict[str, Any]
    paper: str
    limits: tuple[str, ...]
    command: str
    weights_sha256: str
    temperature: float = 1.0
    calibration: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.output not in get_args(Output):
            raise ValueError(f"output {self.output!r}; allowed: {', '.join(get_args(Output))}")
        named = {(label.set, label.code) for label in self.labels}
        if not self.labels or len(named) != len(self.labels):
            raise ValueError("no labels, or one of them twice")
        objects = (
            self.network_options, self.data, self.training, self.metrics, self.cost,
            self.calibration,
        )  # fmt: skip
        texts = (self.name, self.network, self.threshold_origin, self.paper, self.command)
        if not all(isinstance(v, dict) for v in objects):
            raise ValueError(
                "network_options, data, training, metrics, cost and calibration: objects"
            )
        if not isinstance(self.temperature, int | float) or not 0 < self.temperature < math.inf:
            raise ValueError(f"temperature {self.temperature!r}; must be above 0")
        shifted = self.temperature != 1 or any(label.shift for label in self.labels)
        if self.output == "softmax" and shifted:
            raise ValueError("a temperature or shifts for softmax; they are for sigmoid outputs")
        if not all(isinstance(v, str) for v in (*texts, *self.limits, self.weights_sha256)):
            raise ValueError("names, paper, limits, command and hash must be texts")

    def to_json(self) -> dict[str, Any]:
        """A JSON object that ``card_from_json`` reads."""
        return {**asdict(self), "spec": self.spec.to_json()}


def card_from_json(value: dict[str, Any]) -> ModelCard:
    """Read a card. Raises CardError when a field is missing or has the wrong form."""
    try:
        fields = dict(value)
        fields["spec"] = InputSpec.from_json(value["spec"])
        fields["labels"] = tuple(LabelCard(**label) for label in value["labels"])
        fields["limits"] = tuple(value["limits"])
        return ModelCard(**fields)
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise CardError(f"not a model card: {error}") from error


def model_folders() -> dict[str, Path]:
    """Every trained model that can be chosen, by name."""
    return {card.parent.name: card.parent for card in sorted(SHIPPED.glob(f"*/{CARD}"))}


def trained_models() -> tuple[str, ...]:
    """Names of the trained models, sorted."""
    return tuple(model_folders())


def load_card(name: str) -> ModelCard:
    """The card of a trained model. Raises CardError that lists the known names."""
    folders = model_folders()
    if name not in folders:
        raise CardError(f"no trained model {name!r}; known: {', '.join(folders) or 'none'}")
    return read_card(folders[name])


def read_card(folder: Path) -> ModelCard:
    """The card in a model folder. Raises CardError."""
    try:
        value = json.loads((folder / CARD).read_text(encoding="utf-8"))
        return card_from_json(value)
    except (OSError, ValueError, RecursionError) as error:
        raise CardError(f"{folder.name}/{CARD} cannot be read: {error}") from error
