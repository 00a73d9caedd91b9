"""Parts of networks in a form that the ONNX exporter can write, with the same answers.

One of torch's ways has no counterpart there: an average over windows of unequal length, which is a
matrix product.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class WindowMeans(nn.Module):
    """``nn.AdaptiveAvgPool1d``: the mean of window i of ``size``, from floor(i * length / size) to
    ceil((i + 1) * length / size)."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size

    def forward(self, x: Tensor) -> Tensor:
        """(..., length) to (..., size); the length is that of the export."""
        length = int(x.shape[-1])
        shares = torch.zeros(length, self.size, dtype=x.dtype)
        for window in range(self.size):
            first = window * length // self.size
            last = -(-(window + 1) * length // self.size)
            shares[first:last, window] = 1 / (last - first)
        return x @ shares


def exportable(network: nn.Module) -> nn.Module:
    """The network with these parts in place of its own; it is changed."""
    for name, part in list(network.named_children()):
        if isinstance(part, nn.AdaptiveAvgPool1d):
            setattr(network, name, WindowMeans(int(part.output_size)))  # type: ignore[arg-type]
        else:
            exportable(part)
    return network
