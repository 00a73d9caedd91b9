"""An epoch under way, as a checkpoint keeps it, so that a run goes on within it to the bit."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ecgcore.training.checkpoint import Weights


@dataclass
class Midway:
    """``order`` of the records in this epoch, the steps that are ``done``, the ``total`` of their
    losses, and the ``seconds`` they took."""

    order: Tensor
    done: int = 0
    total: float = 0.0
    seconds: float = 0.0

    def tensors(self) -> Weights:
        """What ``midway_of`` reads."""
        numbers = torch.tensor([self.done, self.total, self.seconds], dtype=torch.float64)
        return {"order": self.order, "numbers": numbers}


def midway_of(tensors: Weights) -> Midway | None:
    """What stands in a checkpoint; None for one between two epochs."""
    if not tensors:
        return None
    done, total, seconds = tensors["numbers"].tolist()
    return Midway(tensors["order"], int(done), total, seconds)
