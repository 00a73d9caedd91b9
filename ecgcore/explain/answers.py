"""A model's answers to altered copies of an input, as log-odds of one label.

Log-odds, not probabilities: a sure model's probability hardly moves from 1, and float32 ends there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor

    from ecgcore.models.card import Output
    from ecgcore.models.predictor import Predictor


def label_log_odds(
    predictor: Predictor, inputs: NDArray[np.float32], target: int
) -> NDArray[np.float32]:
    """Log-odds (copies,) of the label for prepared inputs (copies, leads, samples), in one pass."""
    import torch

    with torch.inference_mode():
        logits = predictor.network(torch.from_numpy(inputs).to(predictor.device))
        answers: NDArray[np.float32] = log_odds(logits, predictor.card.output, target).cpu().numpy()
    return answers


def log_odds(logits: Tensor, output: Output, target: int) -> Tensor:
    """Log-odds (records,) of one label from logits (records, labels)."""
    import torch

    if output == "sigmoid":
        return logits[:, target]
    others = [label for label in range(logits.shape[1]) if label != target]
    return logits[:, target] - torch.logsumexp(logits[:, others], dim=1)
