"""Named recipes: training options as data.

The numbers of a recipe that differ from its paper do so because the shipped models learn from 1,442
recordings, not tens of thousands; README's decisions say what was compared.
"""

from __future__ import annotations

from ecgcore.training.augmentation import Augmentation
from ecgcore.training.options import TrainOptions

PTBXL = (
    "PTB-XL: Wagner P, Strodthoff N, Bousseljot R-D, Samek W, Schaeffter T. PTB-XL, a large "
    "publicly available electrocardiography dataset (version 1.0.3), PhysioNet 2022, and "
    "Scientific Data 2020;7:154. Licence CC BY 4.0. A subset of 1,625 recordings, band-passed, "
    "scaled and resampled."
)

_GENTLE = Augmentation(shift=0.5, gain=0.2, lead_dropout=0.1, noise=0.1)

RECIPES: dict[str, TrainOptions] = {
    "ecgencode_m2": TrainOptions(
        network="ecgencode_m2",
        label_set="statements",
        objective="focal",
        alpha_balanced=True,
        optimiser="adamw",
        learning_rate=5e-3,
        weight_decay=0.01,
        schedule="one_cycle",
        batch=32,
        epochs=60,
        keep="last",
        average=0.998,
        augmentation=_GENTLE,
        attribution=PTBXL,
    ),
    "inception": TrainOptions(
        network="inception",
        label_set="superclasses",
        objective="double_soft_f1",
        optimiser="adam",
        learning_rate=3e-3,
        schedule="one_cycle",
        batch=30,
        epochs=30,
        keep="last",
        average=0.995,
        augmentation=_GENTLE,
        attribution=PTBXL,
    ),
}


def recipe(name: str) -> TrainOptions:
    """A recipe by name; ValueError lists the known ones."""
    if name not in RECIPES:
        raise ValueError(f"unknown recipe {name!r}; known: {', '.join(sorted(RECIPES))}")
    return RECIPES[name]
