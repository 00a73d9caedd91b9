"""Parts of networks in a form that the ONNX exporter can write, with the same answers.

Two of torch's ways have no counterpart there: an average over windows of unequal length, and a walk
through trees that ends when every record has reached a leaf. The first is a matrix product, the
second a fixed number of steps.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ecgcore.models.forest import LEAF, UNSEEN, ForestHead


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


class FixedWalk(nn.Module):
    """``ForestHead``, walked as far as the deepest tree has levels; a leaf leads to itself."""

    def __init__(self, trees: ForestHead) -> None:
        super().__init__()
        self.in_features, self.steps = trees.in_features, _levels(trees)
        column, nodes = trees.get_buffer("column").long(), trees.get_buffer("column").shape[1]
        own = torch.arange(nodes).expand_as(column)
        inner = column != LEAF
        offset = torch.arange(len(column))[:, None] * nodes
        for name, table in (
            ("column", column.clamp(min=0)),
            ("threshold", trees.get_buffer("threshold")),
            ("left", torch.where(inner, trees.get_buffer("left").long(), own) + offset),
            ("right", torch.where(inner, trees.get_buffer("right").long(), own) + offset),
        ):
            self.register_buffer(name, table.flatten())
        shares = trees.get_buffer("shares")
        leaf = (
            trees.get_buffer("leaf").long() + torch.arange(len(column))[:, None] * shares.shape[1]
        )
        self.register_buffer("leaf", leaf.flatten())
        self.register_buffer("shares", shares.flatten(0, 1))
        self.register_buffer("roots", offset.flatten())

    def forward(self, values: Tensor) -> Tensor:
        """Logits (batch, labels). Nodes of all trees stand in one row, one tree after another."""
        told = values.double()
        node = torch.zeros_like(told[:, :1]).long() + self.get_buffer("roots")
        for _ in range(self.steps):
            value = told.gather(1, self.get_buffer("column")[node])
            left = value <= self.get_buffer("threshold")[node]
            node = torch.where(left, self.get_buffer("left")[node], self.get_buffer("right")[node])
        share = self.get_buffer("shares")[self.get_buffer("leaf")[node]].float().mean(1)
        return torch.log((share + UNSEEN) / (1 - share + UNSEEN))


def _levels(trees: ForestHead) -> int:
    """Steps from the root to the deepest leaf of any tree: children stand behind their parents."""
    column = trees.get_buffer("column")
    rows = torch.arange(len(column))
    depth = torch.zeros_like(column)
    for node in range(column.shape[1]):
        inner = rows[column[:, node] != LEAF]
        for side in ("left", "right"):
            child = trees.get_buffer(side)[inner, node].long()
            depth[inner, child] = torch.maximum(depth[inner, child], depth[inner, node] + 1)
    return int(depth.max())


def exportable(network: nn.Module) -> nn.Module:
    """The network with these parts in place of its own; it is changed."""
    for name, part in list(network.named_children()):
        if isinstance(part, ForestHead):
            setattr(network, name, FixedWalk(part))
        elif isinstance(part, nn.AdaptiveAvgPool1d):
            setattr(network, name, WindowMeans(int(part.output_size)))  # type: ignore[arg-type]
        else:
            exportable(part)
    return network
