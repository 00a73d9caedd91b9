"""InfoNCE against a queue of keys (van den Oord et al. 2018; He et al. 2020, Momentum Contrast).

A query is to find its own key, that of another view of the same record, among the keys of other
records: the cross-entropy of softmax(q k / t) with the own key as the answer. Keys of earlier
batches wait in a queue, so that there are many however small a batch is.

The queue notes whose keys it holds, so that a record's key of an earlier epoch is never taken for
one of another record; with a data set not much longer than the queue that would be frequent.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

_EMPTY = -1


class KeyQueue:
    """The last ``length`` keys (length, size) and the rows of their records, oldest replaced."""

    def __init__(self, length: int, size: int, device: torch.device) -> None:
        self.keys = torch.zeros(length, size, device=device)
        self.rows = torch.full((length,), _EMPTY, device=device)
        self.next = 0

    def add(self, keys: Tensor, rows: Tensor) -> None:
        """Put in keys (batch, size) of the records ``rows`` (batch,)."""
        length = len(self.rows)
        places = (self.next + torch.arange(len(rows), device=rows.device)) % length
        self.keys[places], self.rows[places] = keys.detach(), rows
        self.next = (self.next + len(rows)) % length

    def others(self, rows: Tensor) -> Tensor:
        """Which keys are of other records than each of ``rows``: (batch, length) of bool."""
        return (self.rows != rows[:, None]) & (self.rows != _EMPTY)

    def state(self) -> dict[str, Tensor]:
        """All of it as named tensors."""
        return {"keys": self.keys, "rows": self.rows, "next": torch.tensor(self.next)}

    def restore(self, state: dict[str, Tensor]) -> None:
        """Put back what ``state`` took from a queue of the same length and size."""
        self.keys.copy_(state["keys"])
        self.rows.copy_(state["rows"])
        self.next = int(state["next"])


def info_nce_logits(
    queries: Tensor, keys: Tensor, negatives: Tensor, allowed: Tensor, temperature: float
) -> Tensor:
    """Similarities over the temperature, (batch, 1 + length), the own key first.

    ``queries`` and ``keys`` are unit vectors (batch, size), ``negatives`` (length, size); where
    ``allowed`` (batch, length) is false a negative does not count.
    """
    own = (queries * keys).sum(1, keepdim=True)
    others = (queries @ negatives.T).masked_fill(~allowed, -torch.inf)
    return torch.cat([own, others], dim=1) / temperature


def info_nce(logits: Tensor) -> Tensor:
    """The mean cross-entropy of finding the own key, from ``info_nce_logits``."""
    return functional.cross_entropy(logits, logits.new_zeros(len(logits), dtype=torch.long))
