"""Trees that answer from measured biomarkers: extremely randomised trees for all labels at once.

Geurts, Ernst and Wehenkel, Extremely randomized trees, Machine Learning 2006;63:3-42, as grown by
scikit-learn (see ``training.growing``). Each leaf holds the share of each label among its training
records; the answer is the mean over the trees, as a logit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from ecgcore.models.registry import register
from ecgcore.models.trees import TREES_SPEC, TreeNetwork, TreesHead, count_table_numbers

NAME = "forest"

LEAF = -1
"""In ``column``: a node that asks nothing."""

UNSEEN = 1e-3
"""Added to a share and to what is left of 1, so that no logit is infinite."""


@dataclass(frozen=True)
class ForestOptions:
    """How the trees are grown: how many, the fewest records of a leaf, and the share of the columns
    of which the best is chosen at a node."""

    trees: int = 150
    smallest_leaf: int = 3
    columns_share: float = 0.3


class ForestHead(TreesHead):
    """The head: (batch, columns) to logits.

    ``column``, ``threshold``, ``left`` and ``right`` are (trees, nodes): a record goes left where
    its value is not above the threshold. ``leaf`` (trees, nodes) numbers a tree's leaves, and
    ``shares`` are (trees, leaves, labels). Trees of fewer nodes are followed by leaves that nothing
    leads to. Sizes are those of the weights that are loaded.
    """

    def __init__(self, trees: int, columns: int, labels: int) -> None:
        super().__init__(columns, labels)
        whole = torch.zeros(trees, 1, dtype=torch.int32)
        self.register_buffer("column", torch.full_like(whole, LEAF))
        self.register_buffer("threshold", torch.zeros(trees, 1, dtype=torch.float64))
        for name in ("left", "right", "leaf"):
            self.register_buffer(name, whole.clone())
        self.register_buffer("shares", torch.full((trees, 1, labels), 0.5))

    def forward(self, values: Tensor) -> Tensor:
        """Logits (batch, labels)."""
        column, threshold = self.get_buffer("column"), self.get_buffer("threshold")
        trees = torch.arange(len(column), device=values.device)
        node = torch.zeros(len(values), len(column), dtype=torch.long, device=values.device)
        while True:
            asked = column[trees, node].long()
            inner = asked != LEAF
            if not inner.any():
                break
            value = values.double().gather(1, asked.clamp(min=0))
            goes = value <= threshold[trees, node]
            left, right = (self.get_buffer(side)[trees, node].long() for side in ("left", "right"))
            node = torch.where(inner, torch.where(goes, left, right), node)
        leaf = self.get_buffer("leaf")[trees, node].long()
        share = self.get_buffer("shares")[trees, leaf].float().mean(1)
        return torch.log((share + UNSEEN) / (1 - share + UNSEEN))

    def count_numbers(self) -> int:
        """Thresholds of the inner nodes, and shares of the leaves."""
        leaves = self.get_buffer("leaf").amax(1).long() + 1
        inner = int((self.get_buffer("column") != LEAF).sum())
        return inner + int(leaves.sum()) * self.labels

    def faults(self, tables: Mapping[str, Tensor]) -> Iterator[str]:
        """Why tables are no trees. A child stands behind its parent, so that every way ends."""
        column, leaf, shares = tables["column"], tables["leaf"], tables["shares"]
        alike = ("threshold", "left", "right", "leaf")
        if column.ndim != 2 or any(tables[name].shape != column.shape for name in alike):
            yield "they differ in size"
            return
        trees, nodes = column.shape
        if shares.ndim != 3 or shares.shape[::2] != (trees, self.labels) or not nodes:
            shape = tuple(shares.shape)
            yield f"shares of the shape {shape} for {trees} trees and {self.labels} labels"
            return
        number = torch.arange(nodes)
        for side in (tables["left"], tables["right"]):
            if ((column != LEAF) & ((side <= number) | (side >= nodes))).any():
                yield "a child that does not stand behind its parent"
        if (column < LEAF).any() or (column >= self.in_features).any():
            yield "a column that there is not"
        if (leaf < 0).any() or (leaf >= shares.shape[1]).any():
            yield "a leaf that there is not"
        if not ((shares >= 0) & (shares <= 1)).all():
            yield "a share that is not within 0 and 1"


@register(
    NAME,
    options=ForestOptions,
    paper="Geurts et al. 2006, extremely randomised trees",
    spec=TREES_SPEC,
    labels=76,
    output="sigmoid",
    count=count_table_numbers,
)
class Forest(TreeNetwork):
    """The whole model."""

    def __init__(self, options: ForestOptions, leads: int, labels: int) -> None:
        super().__init__()
        if options.trees < 1 or options.smallest_leaf < 1 or not 0 < options.columns_share <= 1:
            raise ValueError(
                f"{options}; give 1 tree and 1 record a leaf or more, and a share above 0 and at "
                "most 1"
            )
        self.head = ForestHead(options.trees, len(self.get_buffer("medians")), labels)
