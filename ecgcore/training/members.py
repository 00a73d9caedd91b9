"""A model of one run, or of several runs that differ in their seed and answer together.

Each member is a run of its own in a folder of its own, so that an interrupted one goes on where it
stopped, with the members before it done; see ``models.ensemble`` for what they make together.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from ecgcore.datasets.packed import PackedData
from ecgcore.models.ensemble import NAME, ensemble_weights
from ecgcore.training.distributed import ALONE, Workers
from ecgcore.training.loop import Trained, train
from ecgcore.training.options import TrainOptions
from ecgcore.training.records import Labels, network_options


def train_model(
    options: TrainOptions,
    data: PackedData,
    folder: Path,
    report: Callable[[dict[str, Any]], None] = lambda row: None,
    workers: Workers = ALONE,
) -> Trained:
    """Train, or go on training, all members in ``folder``; one alone as ``loop.train`` does.

    Member k has the seed of the options plus k, and ``report`` gets its number in each row. The
    progress returned is the first member's. Raises TrainingError, CheckpointError.
    """
    if options.members == 1:
        return train(options, data, folder, report, workers)
    members = []
    for number in range(options.members):
        member = replace(options, members=1, seed=options.seed + number)
        told = partial(_of_member, report, number)
        members.append(train(member, data, folder / f"member_{number}", told, workers))
    return Trained(
        ensemble_weights([member.weights for member in members]),
        members[0].progress,
        sum(member.seconds for member in members),
    )


def _of_member(report: Callable[[dict[str, Any]], None], number: int, row: dict[str, Any]) -> None:
    report({"member": number, **row})


def whole_network(options: TrainOptions, labels: Labels) -> tuple[str, dict[str, Any]]:
    """Name and options of the network that all members together are."""
    told = network_options(options, labels)
    if options.members == 1:
        return options.network, told
    return NAME, {"network": options.network, "network_options": told, "members": options.members}
