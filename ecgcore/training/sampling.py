"""Which records an epoch shows, and in what order.

"uniform" shows each record once. The other two draw as many records with replacement, so that an
epoch keeps its length.

"oversampling" is that of each class's positives in CNN-TE's paper, which says only that the
minority of positives of each abnormality was oversampled so that each batch holds more of them.
Read here as repetition: a record is drawn with the weight that would balance its rarest label,
the number of that label's negatives over its positives, and never with less than 1. With a single
label half of what is drawn is positive. Nothing is interpolated between records, as in SMOTE, which
the paper cites: a mean of two ECGs is no ECG.

"class_balanced" draws a label first, each alike, and then one of its records (class-aware
sampling, Shen et al. 2016); the records without any label count as one more label.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Generator, Tensor

Sampling = Literal["uniform", "oversampling", "class_balanced"]


def epoch_order(kind: Sampling, targets: Tensor, generator: Generator) -> Tensor:
    """Rows of an epoch, (records,) int64, from the training targets (records, labels) of 0 and 1.

    All that is drawn is drawn from ``generator``: with its state, an epoch repeats.
    """
    records = len(targets)
    if kind == "uniform":
        return torch.randperm(records, generator=generator)
    weights = record_weights(kind, targets)
    return torch.multinomial(weights, records, replacement=True, generator=generator)


def record_weights(kind: Sampling, targets: Tensor) -> Tensor:
    """How often each record is drawn, relative to the others: (records,) float64."""
    positive = targets.double()
    records, counts = len(positive), positive.sum(0)
    if kind == "uniform":
        return torch.ones(records, dtype=torch.float64)
    if kind == "oversampling":
        balance = (records - counts) / counts.clamp(min=1)
        return (positive * balance).amax(1).clamp(min=1)
    bare = (positive.sum(1) == 0).double()
    share = (positive / counts.clamp(min=1)).sum(1)
    return share + bare / bare.sum().clamp(min=1)
