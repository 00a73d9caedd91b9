"""``train`` and ``pretrain``: what they are told, the runs, and what they print."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ecgcore.cli_values import (
    DONE,
    GOES_ON,
    INTERRUPTED,
    LOST,
    REFUSED,
    UsageError,
    add_changes,
    refusal,
    setting,
)

if TYPE_CHECKING:
    from ecgcore.training.options import TrainOptions
    from ecgcore.training.pretraining import PretrainRunOptions

Show = Callable[[dict[str, Any]], None]
"""Prints a row."""


def add_train_arguments(train: argparse.ArgumentParser) -> None:
    """The arguments of ``train``."""
    add_order_arguments(train)
    _add_run(train, "progress, checkpoint, and the model in DIR/model")


def add_order_arguments(train: argparse.ArgumentParser) -> None:
    """What a run learns from and how, wherever it is done."""
    train.add_argument("--recipe", help="start from a named recipe, see recipes")
    train.add_argument("--options", type=Path, metavar="FILE.json", help="start from a file")
    add_changes(train, "change options; network and label_set where nothing else gives them")
    _add_data(train, needed=False)
    train.add_argument(
        "--snapshot",
        metavar="HASH",
        help="learn from the workspace's recordings with the labels of this snapshot, see labels",
    )
    train.add_argument(
        "--name", help="the model's name (default: the recipe's, else the network's)"
    )


def add_pretrain_arguments(pretrain: argparse.ArgumentParser) -> None:
    """The arguments of ``pretrain``."""
    pretrain.add_argument("--network", required=True, help="which network, see models")
    add_changes(pretrain, "change options")
    _add_data(pretrain, needed=True)
    _add_run(pretrain, "progress, checkpoint, and the weights in DIR/start")


def _add_data(parser: argparse.ArgumentParser, *, needed: bool) -> None:
    parser.add_argument(
        "--data", type=Path, nargs="+", required=needed, default=[], metavar="PACKED.npz"
    )


def _add_run(parser: argparse.ArgumentParser, holds: str) -> None:
    parser.add_argument(
        "--run",
        "--folder",  # torchrun takes --run for one of its own (argparse before Python 3.12)
        type=Path,
        required=True,
        metavar="DIR",
        dest="folder",
        help=f"the run's folder: {holds}",
    )


def run_train(given: argparse.Namespace, show: Show) -> int:
    """Train and publish; the exit status. Raises UsageError."""
    from ecgcore.datasets.packed import PackedDataError
    from ecgcore.jobs.terminal import told_of
    from ecgcore.jobs.values import JobError
    from ecgcore.training.checkpoint import CheckpointError, TrainingError
    from ecgcore.training.distributed import ALONE, WorkerLost, working_together
    from ecgcore.training.reproducing import words_of
    from ecgcore.training.watching import UNWATCHED, RunStopped
    from ecgcore.training.whole_run import MODEL, joined, of_snapshot, train_and_publish

    options = train_options(given)
    name = given.name or given.recipe or options.network
    files = _with_snapshot(given)
    words = words_of(
        options, recipe=given.recipe, name=name, data=given.data, snapshot=given.snapshot,
        folder=f"runs/{name}",
    )  # fmt: skip
    options = of_snapshot(options, given.snapshot, beside=bool(given.data))
    workers = ALONE
    try:
        with (
            working_together() as workers,
            told_of(given.folder) if workers.first else nullcontext(UNWATCHED) as watch,
        ):
            data = workers.each(lambda: joined(files))
            card = train_and_publish(
                name, options, data, given.folder, words,
                report=show, workers=workers, watch=watch,
            )  # fmt: skip
        if card is None:
            return DONE
    except JobError as error:
        raise UsageError(str(error)) from error
    except RunStopped as stopped:
        if workers.first:
            print(f"ecgcore train: {stopped}{GOES_ON}", file=sys.stderr)
        # The first one's to answer for: torchrun ends the rest as soon as one has failed.
        return INTERRUPTED if workers.first else DONE
    except (PackedDataError, TrainingError, CheckpointError) as error:
        lost = isinstance(error, WorkerLost)
        if lost or not workers.first:
            print(f"ecgcore train: {error}{GOES_ON if lost else ''}", file=sys.stderr)
        if workers.first:
            show(refusal(files[0], error))
        # What all workers refuse, too.
        return LOST if lost else REFUSED if workers.first else DONE
    show({"model": name, "folder": str(given.folder / MODEL), **card.metrics["macro"]})
    return DONE


def _with_snapshot(given: argparse.Namespace) -> list[Path]:
    """The packed files, and that of the snapshot. Raises UsageError."""
    from ecgcore.datasets.record import DataSetError
    from ecgcore.review.values import ReviewError
    from ecgcore.review_work import pack_of_run
    from ecgcore.workspace import Workspace

    if not given.snapshot:
        if not given.data:
            raise UsageError("nothing to learn from; give --data, or --snapshot")
        return list(given.data)
    try:
        pack = pack_of_run(Workspace.from_environment(), given.snapshot, given.folder)
        return [*given.data, pack]
    except (ReviewError, DataSetError, ValueError, OSError) as error:
        raise UsageError(str(error)) from error


def run_pretrain(given: argparse.Namespace, show: Show) -> int:
    """Pre-train; the exit status. Raises UsageError."""
    from ecgcore.datasets.packed import PackedDataError
    from ecgcore.training.checkpoint import CheckpointError, TrainingError
    from ecgcore.training.pretraining import pretrain_in
    from ecgcore.training.whole_run import joined

    options = pretrain_options(given)
    try:
        start = pretrain_in(given.folder, options, joined(given.data), show)
    except (PackedDataError, TrainingError, CheckpointError) as error:
        show(refusal(given.data[0], error))
        return REFUSED
    show({"start": start.name, "folder": str(start.folder), "weights_sha256": start.weights_sha256})
    return DONE


def train_options(given: argparse.Namespace) -> TrainOptions:
    """What a run is told, from recipe or file and the changes. Raises UsageError."""
    from ecgcore.labels import labels_of
    from ecgcore.models.registry import build_network
    from ecgcore.training.members import whole_network
    from ecgcore.training.objective_of import OBJECTIVES
    from ecgcore.training.options import CLECG, options_from_json
    from ecgcore.training.recipes import recipe
    from ecgcore.training.records import unnamed_start

    changes = dict(setting(word) for word in given.set)
    needed = {"network", "label_set"} - changes.keys()
    if given.recipe and given.options:
        raise UsageError("give either --recipe or --options")
    if not given.recipe and not given.options and needed:
        raise UsageError(
            f"give --recipe or --options, or name {' and '.join(sorted(needed))} by --set"
        )
    try:
        start: dict[str, Any] = {}
        if given.recipe:
            start = recipe(given.recipe).options.to_json()
        elif given.options:
            start = json.loads(given.options.read_text(encoding="utf-8"))
            start = options_from_json(start).to_json()
        options = options_from_json({**start, **changes})
    except (OSError, ValueError, TypeError) as error:
        raise UsageError(str(error)) from error
    if OBJECTIVES[options.objective].taught and options.teacher is None:
        raise UsageError(
            f"objective {options.objective} learns from a teacher; train one and name its folder: "
            "--set teacher=RUN/model"
        )
    if options.start == CLECG:
        raise UsageError(unnamed_start(options))
    try:
        labels = tuple((one.set, one.code) for one in labels_of(options.label_set))
        whole, told = whole_network(options, labels)  # HRNN's rules are one a label
        build_network(whole, leads=1, labels=len(labels), options=told)
    except (ValueError, TypeError, RuntimeError) as error:
        said = f"network {options.network!r} with {options.network_options}: {error}"
        raise UsageError(said) from error
    return options


def pretrain_options(given: argparse.Namespace) -> PretrainRunOptions:
    """What a pre-training is told. Raises UsageError."""
    from ecgcore.training.pretraining import pretrain_options_from_json, refuse_unfit

    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise UsageError("runs in one process; give the command without torchrun")
    try:
        changes = dict(setting(word) for word in given.set)
        options = pretrain_options_from_json({**changes, "network": given.network})
        refuse_unfit(options)
    except (ValueError, TypeError, RuntimeError) as error:
        raise UsageError(str(error)) from error
    return options
