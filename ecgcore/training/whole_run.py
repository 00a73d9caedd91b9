"""A run from its data to its model: what the command line and a job do alike."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ecgcore.datasets.joining import join
from ecgcore.datasets.pack_file import PackFileError, is_pack_file, verify
from ecgcore.datasets.packed import PackedData, PackedDataError, load_packed
from ecgcore.models.card import ModelCard
from ecgcore.training.distributed import ALONE, Workers
from ecgcore.training.members import train_model
from ecgcore.training.options import TrainOptions
from ecgcore.training.publish import publish
from ecgcore.training.watching import UNWATCHED, Watch

MODEL = "model"
"""The folder in a run's folder that holds the finished model."""


def joined(paths: Sequence[Path]) -> PackedData:
    """Several packed files as one, their samples those that were packed. Raises PackedDataError."""
    for path in paths:
        if is_pack_file(path):
            try:
                verify(path)
            except PackFileError as error:
                raise PackedDataError(str(error)) from error
    return join([load_packed(path) for path in paths])


def of_snapshot(options: TrainOptions, snapshot: str | None, *, beside: bool) -> TrainOptions:
    """The options with what a card says of reviewed labels, alone or ``beside`` packed data."""
    if not snapshot:
        return options
    own = f"Recordings of a workspace, with the labels of its snapshot {snapshot}."
    return replace(options, attribution=f"{options.attribution} {own}" if beside else own)


def train_and_publish(
    name: str,
    options: TrainOptions,
    data: PackedData,
    folder: Path,
    words: Sequence[str],
    *,
    report: Callable[[dict[str, Any]], None] = lambda row: None,
    workers: Workers = ALONE,
    watch: Watch = UNWATCHED,
    model: Path | None = None,
    limits: tuple[str, ...] = (),
) -> ModelCard | None:
    """Train, or go on, in ``folder`` and write the folder ``model`` (default: ``folder/model``);
    None at all workers but the first.

    ``words`` are those of the command that repeats the run, after ``train``; ``limits`` are told on
    the card beside the usual ones. Raises TrainingError, CheckpointError, RunStopped.
    """
    watch.phase("training")
    trained = train_model(options, data, folder, report, workers, watch=watch)
    if not workers.first:
        return None
    watch.phase("scoring")
    command = shlex.join(["python", "-m", "ecgcore", "train", *words])
    return publish(
        name, options, data, trained, folder=model or folder / MODEL, command=command, limits=limits
    )
