"""What a network minimises, one idea a file; see ``step`` for what an objective is given."""

from ecgcore.training.objectives.labels import (
    Objective,
    binary_cross_entropy,
    categorical_focal,
    double_soft_f1,
    focal,
    objective,
)
from ecgcore.training.objectives.step import OfLabels, Step, StepObjective

__all__ = [
    "Objective",
    "OfLabels",
    "Step",
    "StepObjective",
    "binary_cross_entropy",
    "categorical_focal",
    "double_soft_f1",
    "focal",
    "objective",
]
