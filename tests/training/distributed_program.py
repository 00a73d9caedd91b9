"""What the tests of several workers train, in one process or under torchrun.

``python -m tests.training.distributed_program DATA TEACHER FOLDER`` trains each of ``runs`` in a
folder of its own, the plain one also in ``begun_by_two``, but for its last epoch, and in
``begun_by_one`` to its end; the one with dropout also in ``interrupted``, an epoch at a time. In
``paused`` the first worker alone is told to stop within an epoch, and the run goes on afterwards.
"""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path

import torch

from ecgcore.datasets.packed import PackedData, load_packed
from ecgcore.training.augmentation import Augmentation
from ecgcore.training.distributed import Workers, working_together
from ecgcore.training.loop import Run, train
from ecgcore.training.options import TrainOptions
from ecgcore.training.records import split
from ecgcore.training.watching import UNWATCHED, RunStopped, StepDone, Watch

# No norm follows a bias: a bias before a norm has the gradient 0, and Adam makes steps of its
# rounding. Batches of 9 are cut unevenly.
PLAIN = TrainOptions(
    network="resnet1d_wang",
    label_set="superclasses",
    network_options={"widths": [8, 16], "blocks": [1, 1], "head": "average"},
    train_folds=(1, 2, 3, 4),
    validation_folds=(8, 9),
    batch=9,
    epochs=2,
    learning_rate=1e-3,
    schedule="one_cycle",
    average=0.9,
    augmentation=Augmentation(shift=0.2, gain=0.1, lead_dropout=0.05, noise=0.1),
    attribution="made by a test",
)


def runs(teacher: str) -> dict[str, TrainOptions]:
    """By name; ``teacher`` is a trained model's folder."""
    taught = replace(PLAIN, leads=("I",), teacher=teacher)
    rules = {"rules": ["", "TACH", "LAD", "", ""], "blocks": [1, 1, 1, 1], "channels": [4, 4, 8, 8]}
    wavelets = {"dropout": 0.0, "dense": 16}
    return {
        "plain": PLAIN,
        "double_soft_f1": replace(PLAIN, objective="double_soft_f1", sampling="oversampling"),
        "weighted_bce": replace(PLAIN, objective="weighted_bce"),
        "hrnn": replace(PLAIN, network="hrnn", network_options=rules, objective="hrnn"),
        "wavelet": replace(PLAIN, network="wavelet_nn", network_options=wavelets),
        "dropout": replace(
            PLAIN, network_options={**PLAIN.network_options, "head": "benchmark", "hidden": 8}
        ),
        **{name: replace(taught, objective=name) for name in ("kd", "mkd")},
        "fitnet": replace(taught, objective="fitnet"),
        "attention_transfer": replace(taught, objective="attention_transfer"),
        "mvkt": replace(taught, objective="mvkt", objective_options={"negatives": 16.0}),
    }


def train_some(
    data: PackedData, options: TrainOptions, folder: Path, workers: Workers, epochs: int
) -> None:
    """At most so many epochs, as a run that is then interrupted."""
    parts = (split(data, options, f) for f in (options.train_folds, options.validation_folds))
    folder.mkdir(parents=True, exist_ok=True)
    run = Run(options, *parts, folder, data_sha256=data.sha256, workers=workers)
    for _ in range(epochs):
        run.epoch()


class _StopsAfter(Watch):
    """Wants to stop after so many steps."""

    def __init__(self, steps: int) -> None:
        self.left = steps

    def stepped(self, done: StepDone) -> None:
        self.left -= 1

    def wants_stop(self) -> bool:
        return self.left <= 0


def _pause(data: PackedData, folder: Path, workers: Workers) -> None:
    watch = _StopsAfter(2) if workers.first else UNWATCHED
    try:
        train(PLAIN, data, folder, workers=workers, watch=watch)
    except RunStopped:
        return
    raise AssertionError("the run was told to stop")


def main(words: list[str]) -> None:
    """As the module says."""
    data, folder = load_packed(Path(words[0])), Path(words[2])
    every = runs(words[1])
    with working_together() as workers:
        for name, options in every.items():
            train(options, data, folder / name, workers=workers)
        train_some(data, PLAIN, folder / "begun_by_two", workers, PLAIN.epochs - 1)
        train(PLAIN, data, folder / "begun_by_one", workers=workers)
        _pause(data, folder / "paused", workers)
        train(PLAIN, data, folder / "paused", workers=workers)
        for _ in range(PLAIN.epochs):
            torch.manual_seed(100 + workers.rank)
            train_some(data, every["dropout"], folder / "interrupted", workers, 1)


if __name__ == "__main__":
    main(sys.argv[1:])
    sys.stderr.flush()
    os._exit(0)  # as ecgcore/__main__.py does, and says why
