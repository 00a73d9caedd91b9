"""Packed data as a torch Dataset that hands out whole batches.

``__getitems__`` is what a DataLoader calls with all the indices of a batch: one gather and one
scaling a batch instead of one a record and a stack. Use ``collate_fn=whole_batch``.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from ecgcore.datasets.packed import PackedData
from ecgcore.labels import LabelSetName

Batch = tuple[Tensor, Tensor]


class PackedBatches(Dataset[Batch]):
    """Signals (leads, samples) float32 at the stored rate and targets (labels,) float32.

    Raises PackedDataError where the data lack a label of ``codes``.
    """

    def __init__(self, data: PackedData, labels: LabelSetName, codes: tuple[str, ...]) -> None:
        self._stored, self._scale = data.stored, data.scale
        self._targets = torch.from_numpy(data.target(labels, codes).astype(np.float32))

    def __len__(self) -> int:
        return len(self._stored)

    def __getitem__(self, index: int) -> Batch:
        values = torch.from_numpy(self._stored[index].astype(np.float32))
        return values.mul_(self._scale), self._targets[index]

    def __getitems__(self, indices: Sequence[int]) -> Batch:
        """The batch (records, leads, samples) and (records, labels)."""
        chosen = np.asarray(indices)
        values = torch.from_numpy(self._stored[chosen]).to(torch.float32)
        return values.mul_(self._scale), self._targets[chosen]


def whole_batch(batch: Batch) -> Batch:
    """The collating that is left where ``__getitems__`` has made the batch: none."""
    return batch
