"""The commands that repeat a run that was asked for."""

from __future__ import annotations

import shlex
from pathlib import Path

from ecgcore.jobs.values import RunOrder
from ecgcore.training import reproducing
from ecgcore.training.options import options_from_json


def words_of(order: RunOrder, folder: str, *, named: bool) -> list[str]:
    """See ``training.reproducing.words_of``."""
    return reproducing.words_of(
        options_from_json(order.options), recipe=order.recipe, name=order.name, data=order.data,
        snapshot=order.snapshot, folder=folder, named=named,
    )  # fmt: skip


def torchrun_command(order: RunOrder, folder: Path, workers: int = 2) -> str:
    """The command that does a run on several workers of one machine, or of several.

    On a machine with GPUs ``workers`` is their number.
    """
    start = ["torchrun", "--nproc-per-node", str(workers), "-m", "ecgcore", "train"]
    words = words_of(order, str(folder), named=False)
    words[words.index("--run")] = "--folder"  # torchrun has a --run of its own
    return shlex.join([*start, *words])
