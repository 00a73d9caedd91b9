"""The objective that a run's options name.

=====================  ====================================  ================================
name                   options (default)                     from
=====================  ====================================  ================================
bce                                                          ``labels``
weighted_bce                                                 here: Bian et al. 2022, Eq. 5
focal                  alpha (0.25), gamma (2)               ``labels``
categorical_focal      alpha (0.25), gamma (2)               ``labels``
double_soft_f1                                               ``labels``
=====================  ====================================  ================================

An objective is added by a row in ``OBJECTIVES``: the names of its options, and a function from
``Making`` to a ``StepObjective``. Of the five papers these belong here as soon as the package of
objectives has them, each with a teacher but the last: mkd, kd, fitnet, attention_transfer, mvkt and
hrnn. Such a row checks with ``Making.taught`` that there is a teacher.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from ecgcore.models.network import Network
from ecgcore.training.objectives import (
    OfLabels,
    StepObjective,
    binary_cross_entropy,
    categorical_focal,
    double_soft_f1,
    focal,
)


@dataclass(frozen=True)
class Teacher:
    """A trained network, and the places of its leads among all that are loaded."""

    network: Network
    rows: tuple[int, ...]


@dataclass(frozen=True)
class Making:
    """What an objective may be made from.

    ``targets`` (records, labels) are those of training; ``network`` is the one to be trained;
    ``options`` hold numbers by name.
    """

    network: Network
    targets: Tensor
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
    def taught(self) -> Teacher:
        """The teacher. Raises ValueError where there is none."""
        if self.teacher is None:
            raise ValueError("this objective learns from a teacher; set the option teacher")
        return self.teacher


@dataclass(frozen=True)
class Kind:
    """A row of the table: what an objective may be told, and how it is made."""

    options: tuple[str, ...]
    make: Callable[[Making], StepObjective]


OBJECTIVES: dict[str, Kind] = {
    "bce": Kind((), lambda _: OfLabels(binary_cross_entropy)),
    "weighted_bce": Kind((), lambda made: OfLabels(_weighted(made.targets))),
    "focal": Kind(("alpha", "gamma"), lambda made: OfLabels(focal(made.alpha, made.gamma))),
    "categorical_focal": Kind(
        ("alpha", "gamma"), lambda made: OfLabels(categorical_focal(made.alpha, made.gamma))
    ),
    "double_soft_f1": Kind((), lambda _: OfLabels(double_soft_f1)),
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


def _weighted(targets: Tensor) -> Callable[[Tensor, Tensor], Tensor]:
    """Positives of a label weigh records / its positives, 1 where it has none; a sum over labels,
    a mean over records.
    """
    counts = targets.sum(0)
    weights = torch.where(counts > 0, len(targets) / counts.clamp(min=1), 1.0)

    def loss(logits: Tensor, wanted: Tensor) -> Tensor:
        terms = functional.binary_cross_entropy_with_logits(
            logits, wanted, pos_weight=weights.to(logits), reduction="none"
        )
        return terms.sum(1).mean()

    return loss
