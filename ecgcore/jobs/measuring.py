"""``python -m ecgcore.jobs.measuring WORKSPACE``: the steps behind ``estimate``.

An order comes on standard input; one JSON object goes out, the estimate's fields or a "sentence".
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from ecgcore.datasets.packed import PackedData
from ecgcore.jobs.estimate import Estimate
from ecgcore.jobs.failures import sentence_of
from ecgcore.jobs.values import RunOrder, order_from_json
from ecgcore.models.device import best_device, device_name
from ecgcore.models.trees import GROWN
from ecgcore.review_work import packed_snapshot
from ecgcore.training.checkpoint import TrainingError
from ecgcore.training.growing import fill_gaps, growing_seconds
from ecgcore.training.loop import Run
from ecgcore.training.members import member_options
from ecgcore.training.options import TrainOptions, options_from_json
from ecgcore.training.records import network_spec, of_folds, split
from ecgcore.training.scoring import infer
from ecgcore.training.watching import RunStopped, StepDone, Watch
from ecgcore.training.whole_run import joined
from ecgcore.workspace import Workspace

_STEPS = 6
"""One to warm up, then as many as count."""
_ENOUGH_SECONDS = 20.0
_VALIDATED = 64
_TOLD = 12
"""Of records on which something is measured, so many of a part: a fifth of a second each."""
_FLOAT_BYTES = 4


def measure(workspace: Workspace, order: RunOrder) -> Estimate:
    """See ``Estimate``. Raises what the run would."""
    options = options_from_json(order.options)
    files = [Path(path) for path in order.data]
    if order.snapshot:
        files.append(packed_snapshot(workspace, order.snapshot))
    data = joined(files)
    members = [options] if options.members == 1 else member_options(options)
    parts = [_one(member, data) for member in members]
    train = of_folds(data, options.train_folds)
    device = best_device()
    used = torch.cuda.max_memory_allocated(device) if device.type == "cuda" else 0
    spec = network_spec(options)
    inputs = (len(train) + len(of_folds(data, options.validation_folds))) * _FLOAT_BYTES
    whole = inputs * len(spec.leads) * spec.samples
    return Estimate(
        step_seconds=max(step for step, _, _ in parts),
        epoch_seconds=max(epoch for _, epoch, _ in parts),
        seconds=sum(total for _, _, total in parts),
        peak_bytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 + whole,
        device_bytes=used,
        n_train=len(train),
        n_validation=len(of_folds(data, options.validation_folds)),
        device=device_name(device),
    )


def _one(options: TrainOptions, data: PackedData) -> tuple[float, float, float]:
    """Seconds of a step, of an epoch and of all, of one member."""
    n_train = len(of_folds(data, options.train_folds))
    n_validation = len(of_folds(data, options.validation_folds))
    if options.network in GROWN:
        return _grown(options, data, n_train, n_validation)
    with tempfile.TemporaryDirectory() as folder:
        rows = _few(data, options)
        few, watch = data.rows(rows), _Clock()
        measuring = _measuring(data.rows(np.unique(rows)), options) * (n_train + n_validation)
        learnt = split(few, options, options.train_folds)
        checked = split(few, options, options.validation_folds)
        run = Run(
            options, learnt, checked, Path(folder), data_sha256=data.sha256, watch=watch
        )  # fmt: skip
        began = time.perf_counter()
        with suppress(RunStopped):
            run.epoch()
        step = watch.step_seconds(time.perf_counter() - began)
        began = time.perf_counter()
        infer(run.network, checked.inputs[:, : run.leads], run.device, checked.aside)
        validation = (time.perf_counter() - began) / len(checked) * n_validation
    steps = n_train // options.batch
    if steps == 0:
        raise TrainingError(f"{n_train} records make no batch of {options.batch}")
    epoch = steps * step + validation
    return step, epoch, epoch * options.epochs + measuring


def _grown(
    options: TrainOptions, data: PackedData, n_train: int, n_validation: int
) -> tuple[float, float, float]:
    """The time of trees goes into measuring their records, and a little into growing."""
    train = of_folds(data, options.train_folds)
    few = train.rows(np.arange(min(_TOLD, n_train)))
    seconds = _measuring(few, options) * (n_train + n_validation)
    measured = fill_gaps(few.aside_inputs(network_spec(options)))[0]
    values = np.resize(measured, (n_train, measured.shape[1]))
    values *= np.random.default_rng(0).normal(1, 0.1, values.shape).astype(np.float32)
    targets = train.targets_of(options.label_set).astype(np.float32)
    seconds += growing_seconds(options, values, targets)
    return seconds, seconds, seconds


def _measuring(few: PackedData, options: TrainOptions) -> float:
    """Seconds that measuring takes a record, of these; 0 where nothing is measured."""
    spec = network_spec(options)
    if "biomarkers" not in spec.aside:
        return 0.0
    began = time.perf_counter()
    few.aside_inputs(spec)
    return (time.perf_counter() - began) / len(few)


def _few(data: PackedData, options: TrainOptions) -> NDArray[np.intp]:
    """Rows for a few batches and a little validation; where each is measured, few of them again and
    again."""
    found, measured = [], "biomarkers" in network_spec(options).aside
    for folds, most in (
        (options.train_folds, options.batch * _STEPS), (options.validation_folds, _VALIDATED)
    ):  # fmt: skip
        rows = np.flatnonzero(np.isin(data.fold, folds))[:most]
        found.append(np.resize(rows[:_TOLD], len(rows)) if measured else rows)
    return np.concatenate(found)


class _Clock(Watch):
    """Times steps, and ends them when enough have been made."""

    def __init__(self) -> None:
        self.moments: list[float] = []

    def stepped(self, done: StepDone) -> None:
        self.moments.append(time.perf_counter())

    def wants_stop(self) -> bool:
        first, last = self.moments[0], self.moments[-1]
        return len(self.moments) >= _STEPS or last - first > _ENOUGH_SECONDS

    def step_seconds(self, whole: float) -> float:
        """Of a step after the first one; of the first, where there was no other."""
        steps = np.diff(self.moments)
        return float(np.median(steps)) if len(steps) else whole


def _main() -> None:
    try:
        told = asdict(measure(Workspace(Path(sys.argv[1])), order_from_json(json.load(sys.stdin))))
    except (OSError, ValueError, RuntimeError, MemoryError) as error:
        told = {"sentence": sentence_of(error, Path(sys.argv[1]))}
    print(json.dumps(told))


if __name__ == "__main__":
    _main()
