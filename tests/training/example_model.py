"""A trained model in a folder, for tests that need one to learn from."""

from __future__ import annotations

from pathlib import Path

from ecgcore.datasets.packed import PackedData
from ecgcore.training.loop import train
from ecgcore.training.options import TrainOptions
from ecgcore.training.publish import publish


def trained_model(options: TrainOptions, data: PackedData, folder: Path) -> Path:
    """The folder of a model that was trained in ``folder``."""
    trained = train(options, data, folder)
    publish("teacher", options, data, trained, folder=folder / "model", command="-")
    return folder / "model"
