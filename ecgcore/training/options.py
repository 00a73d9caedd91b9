"""What a training run is told, as one value that reads and writes as JSON."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, Literal, get_args

from ecgcore.labels import label_set_names
from ecgcore.models.registry import network_entry
from ecgcore.training.augmentation import Augmentation
from ecgcore.training.objective_of import check_objective
from ecgcore.training.option_checks import (
    plain,
    read_fields,
    refuse_wrong_input,
    refuse_wrong_members,
    refuse_wrong_types,
)
from ecgcore.training.sampling import Sampling
from ecgcore.training.schedules import Schedule

Optimiser = Literal["adam", "adamw"]
Keep = Literal["best", "last"]
BestBy = Literal["auroc", "sensitivity"]
Precision = Literal["float32", "bfloat16"]

CHOICES: dict[str, tuple[str, ...]] = {
    "sampling": get_args(Sampling),
    "schedule": get_args(Schedule),
    "optimiser": get_args(Optimiser),
    "keep": get_args(Keep),
    "best_by": get_args(BestBy),
    "precision": get_args(Precision),
}

WEIGHT = "weight"
"""In a member: that of its answer."""

_OF_ALL_MEMBERS = {
    "label_set", "train_folds", "validation_folds", "leads", "sampling_rate", "members",
    "fewest_positives", "fewest_validation_positives", "attribution",
}  # fmt: skip

CLECG = "clecg"
"""The value of ``start`` that stands for weights of CLECG's pre-training, which each run names."""


@dataclass(frozen=True)
class TrainOptions:
    """A recipe.

    ``network_options`` are the network's own; "by_label" for ``rules`` of the network hrnn gives
    each label the rule that is known for it (see ``records.network_options``).
    ``label_set`` is one of them, or several joined by "+".
    ``leads`` are those that the network sees, in their order, and ``sampling_rate`` (Hz) is what
    it sees them at (None: those of its paper). Packed data pass through 100 Hz: at a higher rate
    samples are interpolated, and nothing is added to what 100 Hz hold.
    ``teacher`` is the folder of a trained model that the objective learns from; its leads are
    loaded too. ``start`` is the folder of weights that the network begins from (its head stays
    random): those of ``pretraining``, or a trained model; the same network, options, leads and
    rate. ``objective`` and ``objective_options`` are those of ``objective_of``;
    ``alpha_balanced`` weighs a label's positives by its share of negatives (focal losses only).
    ``sampling``: see its module. ``schedule``: "constant"; "one_cycle" (Smith 2018);
    "warm_restarts" (SGDR 2017): the first fall lasts ``restart_epochs``, each next one
    ``restart_factor`` times the one before; "warmup_cosine": a line up over ``warmup_epochs``, then
    a cosine to 0 (Bian et al. 2022); "plateau": a tenth whenever the validation loss did not
    improve, with a cool-down of two epochs (Singstad et al. 2022). ``patience`` epochs
    without a better validation macro AUROC end the run (0: never); ``keep`` chooses the weights of
    the best epoch or of the last, ``best_by`` what is best: the validation macro AUROC, or the
    macro sensitivity where a label is positive from a probability of 0.5 on (Bontinck et al.
    2024; ``patience`` then waits for that).
    ``average`` is the decay a step of an exponential moving average of the weights, which is then
    what is validated and kept (0: none). ``members`` runs, each of its own seed, make one
    model, see ``models.ensemble``; instead of their number each one's changes of these options
    (never of labels, folds, leads or rate), and the "weight" of its answer where it is not 1.
    ``precision`` is that of the network's pass in training ("bfloat16": torch's autocast; weights,
    loss and validation stay in float32).
    ``fewest_positives`` in training and ``fewest_validation_positives`` are what a label needs to
    be answered at all.
    ``attribution`` is what the data's licence asks a card to say.
    """

    network: str
    label_set: str
    network_options: dict[str, Any] = field(default_factory=dict)
    train_folds: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 7, 8)
    validation_folds: tuple[int, ...] = (9,)
    leads: tuple[str, ...] | None = None
    sampling_rate: float | None = None
    teacher: str | None = None
    start: str | None = None
    objective: str = "bce"
    objective_options: dict[str, float] = field(default_factory=dict)
    alpha_balanced: bool = False
    optimiser: Optimiser = "adamw"
    learning_rate: float = 1e-3
    weight_decay: float = 0.0
    sampling: Sampling = "uniform"
    schedule: Schedule = "constant"
    restart_epochs: int = 10
    restart_factor: int = 1
    warmup_epochs: int = 2
    batch: int = 32
    epochs: int = 30
    patience: int = 0
    keep: Keep = "best"
    best_by: BestBy = "auroc"
    average: float = 0.0
    members: int | tuple[dict[str, Any], ...] = 1
    precision: Precision = "float32"
    augmentation: Augmentation = field(default_factory=Augmentation)
    fewest_positives: int = 20
    fewest_validation_positives: int = 3
    seed: int = 0
    attribution: str = ""

    def __post_init__(self) -> None:
        refuse_wrong_types(self)
        for name, allowed in CHOICES.items():
            if getattr(self, name) not in allowed:
                raise ValueError(f"{name} {getattr(self, name)!r}; allowed: {', '.join(allowed)}")
        label_set_names(self.label_set)
        check_objective(self.objective, self.objective_options)
        if self.alpha_balanced and "alpha" in self.objective_options:
            raise ValueError("alpha_balanced and an alpha in objective_options; give one of them")
        self._refuse_wrong_mixup()
        refuse_wrong_members(self.members, {one.name for one in fields(self)} - _OF_ALL_MEMBERS)
        refuse_wrong_input(self.leads, self.sampling_rate)
        if set(self.train_folds) & set(self.validation_folds):
            raise ValueError("a fold is both trained and validated on; choose disjoint folds")
        for name in ("batch", "epochs", "learning_rate"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} {getattr(self, name)}; must be above 0")
        for name in ("weight_decay", "patience", "seed", "warmup_epochs"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name} {getattr(self, name)}; must not be below 0")
        for name in (
            "fewest_positives", "fewest_validation_positives", "restart_epochs", "restart_factor",
        ):  # fmt: skip
            if not getattr(self, name) >= 1:
                raise ValueError(f"{name} {getattr(self, name)}; must be 1 or more")
        if not 0 <= self.average < 1:
            raise ValueError(f"average {self.average}; must lie in 0..1 (1 excluded)")

    def _refuse_wrong_mixup(self) -> None:
        told_more = self.augmentation.mixup and network_entry(self.network).spec.aside
        if told_more or (self.augmentation.mixup and self.teacher is not None):
            raise ValueError(
                "mixup with a teacher, or for a network that is told more than the signal: what is "
                "known of one record cannot be mixed with another's; set mixup to 0"
            )

    def to_json(self) -> dict[str, Any]:
        """A JSON object that ``options_from_json`` reads."""
        return plain(self)


def options_from_json(value: dict[str, Any]) -> TrainOptions:
    """Read options. Raises ValueError for an unknown field, listing the known ones."""
    given = read_fields(TrainOptions, value, ("train_folds", "validation_folds"))
    if isinstance(given.get("augmentation"), dict):
        given["augmentation"] = Augmentation(**given["augmentation"])
    if isinstance(given.get("members"), list):
        given["members"] = tuple(given["members"])
    return TrainOptions(**given)
