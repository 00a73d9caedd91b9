"""Checkpoints of a training run: everything needed to go on as if nothing had happened.

One safetensors file, written atomically: weights, averaged weights, best weights, the states of
objective and optimiser, and random state as tensors; counters and history as JSON in its header.
No pickle.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from ecgcore.storage import write_bytes

CHECKPOINT = "checkpoint.safetensors"

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
    """A run between two epochs; ``data`` is the SHA-256 of the files that it learns from, and of
    the teacher's weights where there is one. ``objective`` is the objective's state, mostly none.
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


_PARTS = ("weights", "averaged", "best", "objective", "optimiser", "random")


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
