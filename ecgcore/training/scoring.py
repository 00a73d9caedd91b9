"""What a network answers on whole records, and the means over its labels that a run goes by."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ecgcore.models.network import Network, logits_of
from ecgcore.training.checkpoint import TrainingError

_AT_ONCE = 64


def infer(
    network: Network, inputs: Tensor, device: torch.device, aside: Tensor | None = None
) -> Tensor:
    """Logits (records, labels) on the CPU, in eval mode; the network's mode is restored."""
    was_training = network.training
    network.eval()
    parts = []
    with torch.inference_mode():
        for first in range(0, len(inputs), _AT_ONCE):
            rows = slice(first, first + _AT_ONCE)
            told = None if aside is None else aside[rows].to(device)
            parts.append(logits_of(network, inputs[rows].to(device), told).cpu())
    network.train(was_training)
    return torch.cat(parts)


def macro_auroc(targets: NDArray[np.float32], probabilities: NDArray[np.floating]) -> float:
    """Mean AUROC over the labels of which both classes occur. Raises TrainingError without any."""
    from sklearn.metrics import roc_auc_score

    areas = by_label(roc_auc_score, targets, probabilities)
    known = areas[np.isfinite(areas)]
    if not len(known):
        raise TrainingError("no label occurs in the validation records; choose other folds")
    return float(np.mean(known))


def by_label(
    score: Callable[..., Any], targets: NDArray[np.floating], probabilities: NDArray[np.floating]
) -> NDArray[np.float64]:
    """A scikit-learn score of each label, (labels,); NaN where one class is absent.

    In one call for all labels, which checks its input once: four times as fast as one by one.
    """
    scores = np.full(targets.shape[1], np.nan)
    both = (targets > 0).any(axis=0) & (targets <= 0).any(axis=0)
    if both.any():
        scores[both] = score(targets[:, both], probabilities[:, both], average=None)
    return scores


def macro_sensitivity(
    targets: NDArray[np.float32], probabilities: NDArray[np.floating], threshold: float = 0.5
) -> float:
    """Mean share of positives found from ``threshold`` on, over the labels that occur."""
    positive = targets > 0
    occurs = positive.any(0)
    found = (positive & (probabilities >= threshold)).sum(0)[occurs]
    return float(np.mean(found / positive.sum(0)[occurs]))
