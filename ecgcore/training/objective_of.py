"""The objective that a run's options name.

=====================  ====================================  ================================
name                   options (default)                     from
=====================  ====================================  ================================
bce                                                          ``labels``
weighted_bce                                                 ``weighted``: HRNN, Eq. 5
focal                  alpha (0.25), gamma (2)               ``labels``
categorical_focal      alpha (0.25), gamma (2)               ``labels``
double_soft_f1                                               ``labels``
hrnn                   lambda (1)                            ``hrnn``: HRNN, Eq. 6
mkd *                  weight (1), temperature (1.5)         ``soft_targets``: MVKT-ECG, Eq. 8
kd *                   weight (1), temperature (1.5)         ``soft_targets``: Hinton et al.
fitnet *               hints (100)                           ``hints``
attention_transfer *   attention (1000)                      ``attention_transfer``
mvkt *                 mkd (1) or kl, clt (0.8), and below   ``mvkt``: MVKT-ECG, Eq. 9
=====================  ====================================  ================================

Those with a star learn from a teacher. ``mvkt`` also takes ``temperature`` (1.5) of the answers
and, for its contrastive part, ``negatives`` (1024), ``contrast_temperature`` (0.07), ``momentum``
(0.5) and ``size`` (128); ``kl`` is the weight of the classical distillation in place of ``mkd``.
An objective is added by a row in ``OBJECTIVES``: the names of its options, and a function from
``Making`` to a ``StepObjective``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from ecgcore.models.hrnn import HRNN
from ecgcore.models.network import Network
from ecgcore.training.objectives import (
    OfLabels,
    StepObjective,
    binary_cross_entropy,
    categorical_focal,
    double_soft_f1,
    focal,
)
from ecgcore.training.objectives.attention_transfer import ATTENTION_WEIGHT, attention_loss
from ecgcore.training.objectives.distilled import Distilled
from ecgcore.training.objectives.hints import HINT_WEIGHT, fitnet_loss
from ecgcore.training.objectives.hrnn import HrnnLoss
from ecgcore.training.objectives.lead_transfer import LeadTransferOptions
from ecgcore.training.objectives.mvkt import CLT_WEIGHT, MKD_WEIGHT, MvktLoss
from ecgcore.training.objectives.soft_targets import (
    TEMPERATURE,
    MultilabelDistillation,
    SoftmaxDistillation,
)
from ecgcore.training.objectives.teacher import FrozenTeacher
from ecgcore.training.objectives.weighted import class_weights, weighted_binary_cross_entropy


@dataclass(frozen=True)
class Teacher:
    """A trained network, and the places of its leads among all that are loaded."""

    network: Network
    rows: tuple[int, ...]


@dataclass(frozen=True)
class Making:
    """What an objective may be made from.

    ``targets`` (records, labels) are those of training; ``network`` is the one to be trained, on
    inputs (batch, ``leads``, ``samples``); ``options`` hold numbers by name.
    """

    network: Network
    targets: Tensor
    leads: int
    samples: int
    options: dict[str, float]
    alpha_balanced: bool = False
    teacher: Teacher | None = None

    @property
    def alpha(self) -> float | Tensor:
        """The weight of positives in focal losses: a label's share of negatives, or a number."""
        if self.alpha_balanced:
            return 1 - self.targets.mean(0)
        return self.options.get("alpha", 0.25)

    @property
    def gamma(self) -> float:
        """The exponent of focal losses."""
        return self.options.get("gamma", 2.0)

    @property
    def taught(self) -> FrozenTeacher:
        """The teacher. Raises ValueError where there is none."""
        if self.teacher is None:
            raise ValueError("this objective learns from a teacher; set the option teacher")
        return FrozenTeacher(self.teacher.network, self.teacher.rows)

    def number(self, option: str, default: float) -> float:
        """An option's value."""
        return self.options.get(option, default)


Make = Callable[[Making], StepObjective]


@dataclass(frozen=True)
class Kind:
    """A row of the table: what an objective may be told, how it is made, if it has a teacher."""

    options: tuple[str, ...]
    make: Make
    taught: bool = False


def _weighted(making: Making) -> StepObjective:
    return OfLabels(weighted_binary_cross_entropy(class_weights(making.targets)))


def _hrnn(making: Making) -> StepObjective:
    if not isinstance(making.network, HRNN):
        raise ValueError("asks the network for its rules; train the network hrnn with it")
    return HrnnLoss(class_weights(making.targets), making.number("lambda", 1.0))


def _distilled(lesson: type[MultilabelDistillation | SoftmaxDistillation]) -> Make:
    def make(making: Making) -> StepObjective:
        taught = lesson(making.number("temperature", TEMPERATURE))
        return Distilled(making.network, making.taught, [(making.number("weight", 1.0), taught)])

    return make


def _fitnet(making: Making) -> StepObjective:
    hints = making.number("hints", HINT_WEIGHT)
    return fitnet_loss(making.network, making.taught, making.leads, making.samples, hints=hints)


def _attention(making: Making) -> StepObjective:
    weight = making.number("attention", ATTENTION_WEIGHT)
    return attention_loss(making.network, making.taught, attention=weight)


def _mvkt(making: Making) -> StepObjective:
    own, classical = LeadTransferOptions(), making.number("kl", 0.0)
    if classical and making.options.get("mkd"):
        raise ValueError("weights of both mkd and kl; give one of them")
    return MvktLoss(
        making.network,
        making.taught,
        len(making.targets),
        mkd=classical or making.number("mkd", MKD_WEIGHT),
        clt=making.number("clt", CLT_WEIGHT),
        classical=bool(classical),
        temperature=making.number("temperature", TEMPERATURE),
        transfer=LeadTransferOptions(
            size=int(making.number("size", own.size)),
            negatives=int(making.number("negatives", own.negatives)),
            temperature=making.number("contrast_temperature", own.temperature),
            momentum=making.number("momentum", own.momentum),
        ),
    )


_MVKT_OPTIONS = (
    "mkd", "kl", "clt", "negatives", "temperature", "contrast_temperature", "momentum", "size",
)  # fmt: skip

OBJECTIVES: dict[str, Kind] = {
    "bce": Kind((), lambda _: OfLabels(binary_cross_entropy)),
    "weighted_bce": Kind((), _weighted),
    "focal": Kind(("alpha", "gamma"), lambda made: OfLabels(focal(made.alpha, made.gamma))),
    "categorical_focal": Kind(
        ("alpha", "gamma"), lambda made: OfLabels(categorical_focal(made.alpha, made.gamma))
    ),
    "double_soft_f1": Kind((), lambda _: OfLabels(double_soft_f1)),
    "hrnn": Kind(("lambda",), _hrnn),
    "mkd": Kind(("weight", "temperature"), _distilled(MultilabelDistillation), taught=True),
    "kd": Kind(("weight", "temperature"), _distilled(SoftmaxDistillation), taught=True),
    "fitnet": Kind(("hints",), _fitnet, taught=True),
    "attention_transfer": Kind(("attention",), _attention, taught=True),
    "mvkt": Kind(_MVKT_OPTIONS, _mvkt, taught=True),
}


def check_objective(name: str, options: dict[str, Any]) -> None:
    """Raises ValueError for an unknown name or option, listing the known ones, or no number."""
    if name not in OBJECTIVES:
        raise ValueError(f"objective {name!r}; allowed: {', '.join(OBJECTIVES)}")
    known = OBJECTIVES[name].options
    unknown = sorted(str(option) for option in set(options) - set(known))
    if unknown:
        raise ValueError(
            f"objective {name} has no option {', '.join(unknown)}; "
            f"known: {', '.join(known) or 'none'}"
        )
    for option, value in options.items():
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not math.isfinite(value):
            raise ValueError(f"objective option {option} {value!r}; must be a number")


def objective_of(name: str, making: Making) -> StepObjective:
    """The objective of a name. Raises ValueError as ``check_objective``, and without a teacher
    that is needed.
    """
    check_objective(name, making.options)
    return OBJECTIVES[name].make(making)
