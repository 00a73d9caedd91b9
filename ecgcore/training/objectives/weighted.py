"""Class-weighted binary cross-entropy (Bian et al. 2022, HRNN, Equation 5).

L = -sum_i [w_i y_i log p_i + (1 - y_i) log(1 - p_i)], with w_i = M / M_i for M records of which M_i
have label i; a mean over records. As printed, the weight stands before the first term alone, so
that it raises rare positives. The printed equation lacks the minus sign.

Settled: a label that no record has (M_i = 0) gets the weight 1, which only the rules' part of
HRNN's loss ever uses.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from ecgcore.training.objectives.labels import Objective


def class_weights(targets: Tensor) -> Tensor:
    """M / M_i of each label, (labels,), from all training targets (records, labels) of 0 and 1."""
    positives = targets.sum(0)
    return torch.where(positives > 0, len(targets) / positives.clamp(min=1), 1.0)


def weighted_terms(logits: Tensor, targets: Tensor, weights: Tensor) -> Tensor:
    """The summands of Equation 5, (batch, labels), each 0 or more."""
    weight = weights.to(logits)
    return functional.binary_cross_entropy_with_logits(
        logits, targets, pos_weight=weight, reduction="none"
    )


def weighted_binary_cross_entropy(weights: Tensor) -> Objective:
    """Equation 5 with one weight a label: a sum over labels, a mean over records."""

    def loss(logits: Tensor, targets: Tensor) -> Tensor:
        return weighted_terms(logits, targets, weights).sum(1).mean()

    return loss
