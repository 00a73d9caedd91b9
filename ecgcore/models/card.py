"""The card of a trained model: what it is, what it was trained on, how good it is, what it must not
do.

A trained model is a folder with ``weights.safetensors`` and ``card.json``. Those that can be chosen
by name are the shipped ones and those published to ``models/`` of the workspace, without the ones
that somebody has withdrawn. Reading cards needs no torch.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from ecgcore.labels import ASSETS, Label, LabelSetName
from ecgcore.models.input_spec import InputSpec
from ecgcore.storage import workspace_root

Output = Literal["sigmoid", "softmax"]

SHIPPED = ASSETS / "models"
WEIGHTS, CARD = "weights.safetensors", "card.json"
WITHDRAWN = "withdrawn.json"
MODEL_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,59}")
"""Names that models are published under: they are folders, and words of a command."""


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


def published_folder() -> Path:
    """Where the workspace keeps the models that were published to it."""
    return workspace_root() / "models"


def known_folders() -> dict[str, Path]:
    """Every shipped and published model by name, the withdrawn ones too; shipped names win."""
    shipped = sorted(SHIPPED.glob(f"*/{CARD}"))
    published = [
        card
        for card in sorted(published_folder().glob(f"*/{CARD}"))
        if MODEL_NAME.fullmatch(card.parent.name) and not card.parent.is_symlink()
    ]
    return {card.parent.name: card.parent for card in (*published, *shipped)}


def is_shipped(folder: Path) -> bool:
    """Whether a model's folder came with the program."""
    return folder.parent == SHIPPED


def withdrawn_models() -> dict[str, dict[str, str]]:
    """Names of the withdrawn models, with ``by`` whom and ``at`` what time.

    Raises CardError where the list is damaged: a withdrawn model must not come back by that.
    """
    path = published_folder() / WITHDRAWN
    try:
        held = json.loads(path.read_bytes())
        return {str(name): {"by": str(one["by"]), "at": str(one["at"])}
                for name, one in held.items()}  # fmt: skip
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise CardError(
            f"the list of withdrawn models, {path}, cannot be read ({error}); put back a copy of "
            "it, or remove it to offer every model again"
        ) from error


def model_folders() -> dict[str, Path]:
    """Every trained model that can be chosen, by name. Raises CardError as ``withdrawn_models``."""
    withdrawn = withdrawn_models()
    known = known_folders()
    return {name: known[name] for name in sorted(known) if name not in withdrawn}


def trained_models() -> tuple[str, ...]:
    """Names of the trained models that can be chosen, sorted."""
    return tuple(model_folders())


def model_folder(name: str) -> Path:
    """The folder of a model that can be chosen. Raises CardError that lists the known names."""
    folders = model_folders()
    if name in folders:
        return folders[name]
    known = known_folders()
    if name in known:
        raise CardError(
            f"the model {name!r} is withdrawn; publish it again, or give its folder, {known[name]}"
        )
    raise CardError(f"no trained model {name!r}; known: {', '.join(folders) or 'none'}")


def load_card(name: str) -> ModelCard:
    """The card of a trained model. Raises CardError."""
    return read_card(model_folder(name))


def card_digest(folder: Path) -> str:
    """SHA-256 of a folder's card, which holds that of its weights; "" where there is none.

    A model published anew under an old name has another.
    """
    try:
        return hashlib.sha256((folder / CARD).read_bytes()).hexdigest()
    except OSError:
        return ""


def read_card(folder: Path) -> ModelCard:
    """The card in a model folder. Raises CardError."""
    try:
        value = json.loads((folder / CARD).read_text(encoding="utf-8"))
        return card_from_json(value)
    except (OSError, ValueError, RecursionError) as error:
        raise CardError(f"{folder.name}/{CARD} cannot be read: {error}") from error
