"""A model of one run, or of several runs that answer together.

Runs that differ in their seed alone, or in what each member changes. Each member is a run of its
own in a folder of its own, so that an interrupted one goes on where it stopped, with the members
before it done; see ``models.ensemble`` for what they make together.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ecgcore.datasets.packed import PackedData
from ecgcore.models.ensemble import NAME, ensemble_weights
from ecgcore.models.input_spec import InputSpec
from ecgcore.models.registry import build_network, network_entry
from ecgcore.models.trees import GROWN
from ecgcore.training.checkpoint import TrainingError, read_checkpoint, refuse_another_run
from ecgcore.training.distributed import ALONE, Workers
from ecgcore.training.growing import grow
from ecgcore.training.loop import Trained, refuse_no_batch, train
from ecgcore.training.options import WEIGHT, TrainOptions, options_from_json
from ecgcore.training.records import (
    Labels,
    labels_of_run,
    learned_from,
    network_options,
    network_spec,
    of_folds,
)
from ecgcore.training.watching import UNWATCHED, RunStopped, Watch

_MEASURED_AT_ONCE = 16


def train_model(
    options: TrainOptions,
    data: PackedData,
    folder: Path,
    report: Callable[[dict[str, Any]], None] = lambda row: None,
    workers: Workers = ALONE,
    *,
    watch: Watch = UNWATCHED,
) -> Trained:
    """Train, or go on training, all members in ``folder``; one alone as ``loop.train`` does.

    Member k has the seed of the options plus k, and ``report`` gets its number in each row. The
    progress returned is the first member's. Raises TrainingError, CheckpointError, RunStopped.
    """
    if options.members == 1:
        return _one(options, data, folder, report, workers, watch=watch)
    members, every = [], member_options(options)
    for number, member in enumerate(every):
        told = partial(_of_member, report, number)
        watch.member(number + 1, len(every))
        members.append(_one(member, data, folder / f"member_{number}", told, workers, watch=watch))
    return Trained(
        ensemble_weights([member.weights for member in members]),
        members[0].progress,
        sum(member.seconds for member in members),
    )


def _one(
    options: TrainOptions,
    data: PackedData,
    folder: Path,
    report: Callable[[dict[str, Any]], None],
    workers: Workers,
    *,
    watch: Watch,
) -> Trained:
    """One run: grown or trained."""
    if "biomarkers" in network_spec(options).aside:
        if options.network not in GROWN:
            workers.each(lambda: _refuse_early(options, data, folder))
        workers.refuse_different("data or options", json.dumps([options.to_json(), data.sha256]))
        _measure(options, data, workers, watch)
    if options.network not in GROWN:
        return train(options, data, folder, report, workers, watch=watch)
    trained = grow(options, data, partial(_go_on, workers, watch))
    if workers.first:
        column = trained.weights["head.column"]
        report({"trees": column.shape[:-1].numel(), "seconds": trained.seconds})
    return trained


def _refuse_early(options: TrainOptions, data: PackedData, folder: Path) -> None:
    """Raise what else would end a run after the minutes that measuring takes: TrainingError,
    CheckpointError, ValueError for a network that cannot be built."""
    labels = labels_of_run(data, options)
    refuse_no_batch(len(of_folds(data, options.train_folds)), options)
    build_network(options.network, leads=1, labels=1, options=network_options(options, labels))
    learned, checkpoint = learned_from(options, data.sha256), read_checkpoint(folder)
    if checkpoint is not None:
        refuse_another_run(folder, checkpoint, options, options_from_json, learned)


def _measure(options: TrainOptions, data: PackedData, workers: Workers, watch: Watch) -> None:
    """Measure the records, which are then known, a few at a time: minutes go into that. Raises
    RunStopped; TrainingError, before anything is measured, where a part of them is empty or lacks
    the labels."""
    labels_of_run(data, options)
    for folds in (options.train_folds, options.validation_folds):
        of_folds(data, folds)
    chosen = of_folds(data, (*options.train_folds, *options.validation_folds))
    spec, count = network_spec(options), len(chosen)
    for first in range(0, count, _MEASURED_AT_ONCE):
        _go_on(workers, watch, f"measuring recording {first + 1} of {count}")
        chosen.rows(np.arange(count)[first : first + _MEASURED_AT_ONCE]).aside_inputs(spec)


def _go_on(workers: Workers, watch: Watch, phase: str) -> None:
    """The next part of measuring or growing. Raises RunStopped where somebody wants that."""
    if workers.any(watch.wants_stop()):
        raise RunStopped(f"stopped before {phase}; measured values and trees are made anew")
    watch.phase(phase)


def _of_member(report: Callable[[dict[str, Any]], None], number: int, row: dict[str, Any]) -> None:
    report({"member": number, **row})


def member_options(options: TrainOptions) -> list[TrainOptions]:
    """Each member's own options. Starting weights are for members of the options' network, mixup
    for those that see the signal alone. Raises TrainingError for members that see another input."""
    found = []
    for number, change in enumerate(_changes(options)):
        given = options.to_json() | {"members": 1, "seed": options.seed + number}
        if "network" in change:
            given |= {"network_options": {}, "start": None}
            if change["network"] in GROWN:  # no batch is drawn for trees, and none augmented
                given["augmentation"] = {}
            elif network_entry(change["network"]).spec.aside:
                given["augmentation"] |= {"mixup": 0.0}
        given |= {name: value for name, value in change.items() if name != WEIGHT}
        found.append(options_from_json(given))
    own = replace(network_spec(options), aside=())
    for member in found:
        if member.network in GROWN:  # of the signal it sees only what is measured on it
            continue
        its = replace(network_spec(member), aside=())
        if its.sampling_rate == its.conditioning.stored_rate:  # then nothing is resampled
            its = replace(its, resampling=own.resampling)
        if its != own:
            raise TrainingError(
                f"the member {member.network} sees another input than {options.network}; give both "
                "the same leads and sampling_rate"
            )
    return found


def _changes(options: TrainOptions) -> tuple[dict[str, Any], ...]:
    """What each member changes; nothing but the seed where they are only counted."""
    members = options.members
    return ({},) * members if isinstance(members, int) else members


def whole_network(options: TrainOptions, labels: Labels) -> tuple[str, dict[str, Any]]:
    """Name and options of the network that all members together are."""
    if options.members == 1:
        return options.network, network_options(options, labels)
    weights = [change.get(WEIGHT, 1) for change in _changes(options)]
    members = [
        {"network": one.network, "options": network_options(one, labels), WEIGHT: weight}
        for one, weight in zip(member_options(options), weights, strict=True)
    ]
    return NAME, {"members": members}


def whole_spec(options: TrainOptions) -> InputSpec:
    """What the whole network eats: also what its members are told beside the signal."""
    spec = network_spec(options)
    if options.members == 1:
        return spec
    told = [name for one in member_options(options) for name in network_spec(one).aside]
    return replace(spec, aside=tuple(dict.fromkeys(told)))
