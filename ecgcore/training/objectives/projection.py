"""Features to unit vectors, as contrastive losses compare them."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional


class Projection(nn.Module):
    """Two dense layers, a ReLU between them, and a norm: (batch, features) to unit vectors (batch,
    size). The hidden layer has ``size`` units too.
    """

    def __init__(self, features: int, size: int) -> None:
        super().__init__()
        self.hidden, self.out = nn.Linear(features, size), nn.Linear(size, size)

    def forward(self, features: Tensor) -> Tensor:
        """The unit vectors."""
        hidden = functional.relu(self.hidden(features.to(self.hidden.weight.dtype)))
        return functional.normalize(self.out(hidden), dim=1)
