"""What a network minimises. Every objective maps (logits, targets), both (batch, labels), to a
scalar.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

Objective = Callable[[Tensor, Tensor], Tensor]

SMALLEST = 1e-16
"""Keeps the soft F1's denominator from zero (Singstad et al. 2022, Eq. 1)."""


def binary_cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """Mean binary cross-entropy over records and labels."""
    return functional.binary_cross_entropy_with_logits(logits, targets)


def focal(alpha: float | Tensor = 0.25, gamma: float = 2.0) -> Objective:
    """Alpha-balanced binary focal loss (Lin et al., Focal Loss for Dense Object Detection, 2017).

    FL = -alpha_t (1 - p_t)^gamma log p_t, averaged over records and labels; alpha weighs the
    positives and 1 - alpha the negatives, one number or one a label.
    """

    def loss(logits: Tensor, targets: Tensor) -> Tensor:
        weight = torch.as_tensor(alpha, dtype=logits.dtype, device=logits.device)
        log_p = functional.logsigmoid(logits)
        log_not_p = functional.logsigmoid(-logits)
        positive = weight * (-log_p) * torch.exp(gamma * log_not_p)
        negative = (1 - weight) * (-log_not_p) * torch.exp(gamma * log_p)
        return (targets * positive + (1 - targets) * negative).mean()

    return loss


def categorical_focal(alpha: float | Tensor = 0.25, gamma: float = 2.0) -> Objective:
    """Alpha-balanced categorical focal loss over a softmax; ``targets`` are one-hot (batch,
    labels).
    """

    def loss(logits: Tensor, targets: Tensor) -> Tensor:
        weight = torch.as_tensor(alpha, dtype=logits.dtype, device=logits.device)
        log_p = functional.log_softmax(logits, dim=1)
        terms = weight * (1 - log_p.exp()) ** gamma * (-log_p) * targets
        return terms.sum(dim=1).mean()

    return loss


def double_soft_f1(logits: Tensor, targets: Tensor) -> Tensor:
    """Mean over labels of the soft F1 losses of positives and of negatives (Singstad et al. 2022).

    Equation 1 of the paper misprints the false negatives; they are sum (1 - p) y.
    """
    p = torch.sigmoid(logits)
    true_positive = (p * targets).sum(0)
    false_positive = (p * (1 - targets)).sum(0)
    false_negative = ((1 - p) * targets).sum(0)
    true_negative = ((1 - p) * (1 - targets)).sum(0)
    wrong = false_positive + false_negative
    f1_positive = 2 * true_positive / (2 * true_positive + wrong + SMALLEST)
    f1_negative = 2 * true_negative / (2 * true_negative + wrong + SMALLEST)
    return (1 - (f1_positive + f1_negative) / 2).mean()


def objective(name: str, alpha: Tensor | None = None) -> Objective:
    """An objective by name; ``alpha`` (one a label) is used by the focal losses.

    Raises ValueError that lists the known names.
    """
    weight: float | Tensor = 0.25 if alpha is None else alpha
    known: dict[str, Objective] = {
        "bce": binary_cross_entropy,
        "focal": focal(weight),
        "categorical_focal": categorical_focal(weight),
        "double_soft_f1": double_soft_f1,
    }
    if name not in known:
        raise ValueError(f"unknown objective {name!r}; known: {', '.join(known)}")
    return known[name]
