"""What a training run is told, as one value that reads and writes as JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, get_args

from ecgcore.labels import LabelSetName
from ecgcore.training.augmentation import Augmentation

Schedule = Literal["constant", "one_cycle", "plateau"]
Optimiser = Literal["adam", "adamw"]
Keep = Literal["best", "last"]

_CHOICES: dict[str, tuple[str, ...]] = {
    "label_set": get_args(LabelSetName),
    "schedule": get_args(Schedule),
    "optimiser": get_args(Optimiser),
    "keep": get_args(Keep),
    "objective": ("bce", "focal", "categorical_focal", "double_soft_f1"),
}

_TYPES: dict[str, tuple[type, ...]] = {
    "int": (int,), "float": (int, float), "bool": (bool,), "str": (str,), "dict[str, Any]": (dict,),
    "Augmentation": (Augmentation,),
}  # fmt: skip


@dataclass(frozen=True)
class TrainOptions:
    """A recipe.

    ``alpha_balanced`` weighs a label's positives by its share of negatives (focal losses only).
    ``schedule``: "constant"; "one_cycle" (Smith 2018); "plateau": a tenth whenever the validation
    loss did not improve, with a cool-down of two epochs (Singstad et al. 2022). ``patience`` epochs
    without a better validation macro AUROC end the run (0: never); ``keep`` chooses the weights of
    the best epoch or of the last. ``average`` is the decay a step of an exponential moving average
    of the weights, which is then what is validated and kept (0: none). ``fewest_positives`` in
    training and ``fewest_validation_positives`` are what a label needs to be answered at all.
    ``attribution`` is what the data's licence asks a card to say.
    """

    network: str
    label_set: LabelSetName
    network_options: dict[str, Any] = field(default_factory=dict)
    train_folds: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 7, 8)
    validation_folds: tuple[int, ...] = (9,)
    objective: str = "bce"
    alpha_balanced: bool = False
    optimiser: Optimiser = "adamw"
    learning_rate: float = 1e-3
    weight_decay: float = 0.0
    schedule: Schedule = "constant"
    batch: int = 32
    epochs: int = 30
    patience: int = 0
    keep: Keep = "best"
    average: float = 0.0
    augmentation: Augmentation = field(default_factory=Augmentation)
    fewest_positives: int = 20
    fewest_validation_positives: int = 3
    seed: int = 0
    attribution: str = ""

    def __post_init__(self) -> None:
        self._refuse_wrong_types()
        for name, allowed in _CHOICES.items():
            if getattr(self, name) not in allowed:
                raise ValueError(f"{name} {getattr(self, name)!r}; allowed: {', '.join(allowed)}")
        if set(self.train_folds) & set(self.validation_folds):
            raise ValueError("a fold is both trained and validated on; choose disjoint folds")
        for name in ("batch", "epochs", "learning_rate"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} {getattr(self, name)}; must be above 0")
        for name in ("weight_decay", "patience", "seed"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name} {getattr(self, name)}; must not be below 0")
        for name in ("fewest_positives", "fewest_validation_positives"):
            if not getattr(self, name) >= 1:
                raise ValueError(f"{name} {getattr(self, name)}; must be 1 or more")
        if not 0 <= self.average < 1:
            raise ValueError(f"average {self.average}; must lie in 0..1 (1 excluded)")

    def _refuse_wrong_types(self) -> None:
        for option in fields(self):
            value = getattr(self, option.name)
            allowed = _TYPES.get(str(option.type))
            is_true = isinstance(value, bool) and option.type != "bool"  # Python counts it as int
            if allowed and (is_true or not isinstance(value, allowed)):
                raise ValueError(f"{option.name} {value!r}; must be of the type {option.type}")

    def to_json(self) -> dict[str, Any]:
        """A JSON object that ``options_from_json`` reads."""
        plain = asdict(self)
        return {k: list(v) if isinstance(v, tuple) else v for k, v in plain.items()}


def options_from_json(value: dict[str, Any]) -> TrainOptions:
    """Read options. Raises ValueError for an unknown field, listing the known ones."""
    known = {field.name for field in fields(TrainOptions)}
    unknown = sorted(set(value) - known)
    if unknown:
        raise ValueError(f"no option {', '.join(unknown)}; known: {', '.join(sorted(known))}")
    given = dict(value)
    for name in ("train_folds", "validation_folds"):
        if name in given:
            given[name] = tuple(int(fold) for fold in given[name])
    if isinstance(given.get("augmentation"), dict):
        given["augmentation"] = Augmentation(**given["augmentation"])
    return TrainOptions(**given)
