"""Checkpoints of a training run: everything needed to go on as if nothing had happened.

One safetensors file, written atomically: weights, averaged weights, best weights, the states of
objective and optimiser, and random state as tensors; counters and history as JSON in its header.
No pickle.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from ecgcore.storage import write_bytes

CHECKPOINT, PROGRESS = "checkpoint.safetensors", "progress.jsonl"

Weights = dict[str, Tensor]


class CheckpointError(ValueError):
    """A checkpoint that cannot be continued from."""


class TrainingError(RuntimeError):
    """A run that cannot go on, in one sentence, with what to change."""


@dataclass
class Progress:
    """Counters of a run; ``history`` has one object an epoch."""

    epoch: int = 0
    step: int = 0
    best_epoch: int = 0
    best_score: float = float("-inf")
    best_loss: float = float("inf")
    rate_factor: float = 1.0
    cooldown: int = 0
    history: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class Checkpoint:
    """A run between two epochs, or between two steps of one (``midway``); ``data`` is the SHA-256
    of the files that it learns from, and of the weights of a teacher or a start where there are
    some. ``objective`` is the objective's
    state, mostly none. Pre-training keeps its key network as ``averaged``, its queue as
    ``objective``.
    """

    options: dict[str, Any]
    data: str
    progress: Progress
    weights: Weights
    averaged: Weights
    best: Weights
    objective: Weights
    optimiser: Weights
    random: Weights
    midway: Weights = field(default_factory=dict)


_PARTS = ("weights", "averaged", "best", "objective", "optimiser", "random", "midway")


def write_checkpoint(folder: Path, checkpoint: Checkpoint) -> None:
    """Replace the folder's checkpoint by this one; a kill leaves the old or the new one, whole."""
    tensors = {
        f"{part}/{name}": tensor.detach().cpu().contiguous().clone()
        for part in _PARTS
        for name, tensor in getattr(checkpoint, part).items()
    }
    header = {
        "options": json.dumps(checkpoint.options),
        "data": checkpoint.data,
        "progress": json.dumps(vars(checkpoint.progress)),
    }
    write_bytes(folder / CHECKPOINT, save(tensors, header))


def read_checkpoint(folder: Path) -> Checkpoint | None:
    """The folder's checkpoint, None if there is none. Raises CheckpointError for a damaged one."""
    path = folder / CHECKPOINT
    if not path.exists():
        return None
    parts: dict[str, Weights] = {part: {} for part in _PARTS}
    try:
        with safe_open(path, framework="pt") as file:
            header = file.metadata() or {}
            for key in file.keys():  # noqa: SIM118 (not a dict)
                part, name = key.split("/", 1)
                parts[part][name] = file.get_tensor(key)
        return Checkpoint(
            options=json.loads(header["options"]),
            data=header["data"],
            progress=Progress(**json.loads(header["progress"])),
            **parts,
        )
    except (SafetensorError, KeyError, ValueError, TypeError) as error:
        raise CheckpointError(
            f"{path} is damaged: {error}; remove the run's folder and start again"
        ) from error


def write_epoch(folder: Path, checkpoint: Checkpoint) -> None:
    """The checkpoint, then the row of its last epoch in the folder's progress."""
    write_checkpoint(folder, checkpoint)
    with (folder / PROGRESS).open("a", encoding="utf-8") as file:
        file.write(json.dumps(checkpoint.progress.history[-1]) + "\n")


def mend_progress(folder: Path, progress: Progress) -> None:
    """Where a run goes on: its rows are those of the checkpoint, whatever a kill left of them."""
    rows = "".join(json.dumps(row) + "\n" for row in progress.history)
    write_bytes(folder / PROGRESS, rows.encode())


class Options(Protocol):
    """The options of a run, as a checkpoint keeps them."""

    def to_json(self) -> dict[str, Any]:
        """A JSON object."""


def refuse_another_run(
    folder: Path,
    checkpoint: Checkpoint,
    options: Options,
    read: Callable[[dict[str, Any]], Options],
    data: str,
) -> None:
    """Raise CheckpointError unless the folder's checkpoint is of these options and data.

    ``read`` reads options, so that a checkpoint from before an option existed has its default.
    """
    try:
        same = read(checkpoint.options).to_json() == options.to_json()
    except (ValueError, TypeError):
        same = False
    if not same:
        raise CheckpointError(
            f"{folder} holds a run with other options; choose another folder or remove it"
        )
    if checkpoint.data != data:
        raise CheckpointError(
            f"{folder} holds a run on other data, or with another teacher or start; choose another "
            "folder or remove it"
        )


def random_state(device: torch.device, draws: torch.Generator) -> Weights:
    """Where torch's random numbers stand, and those of a run's own ``draws``."""
    random = {"torch": torch.get_rng_state(), "draws": draws.get_state()}
    if device.type == "cuda":
        random["cuda"] = torch.cuda.get_rng_state(device)
    return random


def restore_random(random: Weights, device: torch.device, draws: torch.Generator) -> None:
    """Put back what ``random_state`` took."""
    torch.set_rng_state(random["torch"])
    draws.set_state(random["draws"])
    if device.type == "cuda" and "cuda" in random:
        torch.cuda.set_rng_state(random["cuda"], device)


def optimiser_tensors(optimiser: torch.optim.Optimizer) -> Weights:
    """The optimiser's state as named tensors."""
    state = optimiser.state_dict()["state"]
    return {
        f"{index}/{key}": torch.as_tensor(value)
        for index, values in state.items()
        for key, value in values.items()
    }


def restore_optimiser(optimiser: torch.optim.Optimizer, tensors: Weights) -> None:
    """Put back what ``optimiser_tensors`` took."""
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        index, key = name.split("/", 1)
        state.setdefault(int(index), {})[key] = tensor
    optimiser.load_state_dict({**optimiser.state_dict(), "state": state})
