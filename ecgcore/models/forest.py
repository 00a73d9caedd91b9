"""Trees that answer from measured biomarkers: extremely randomised trees for all labels at once.

Geurts, Ernst and Wehenkel, Extremely randomized trees, Machine Learning 2006;63:3-42, as grown by
scikit-learn (see ``training.growing``). Each leaf holds the share of each label among its training
records; the answer is the mean over the trees, as a logit.

A limit is soft, as those of boosted trees: a value a hair above one moves no answer by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ecgcore.models.registry import register
from ecgcore.models.trees import (
    LARGEST,
    MOST_SOFT,
    TREES_SPEC,
    TreeNetwork,
    TreesHead,
    count_table_numbers,
    share_above,
)

NAME = "forest"

LEAF = -1
"""In ``column``: a node that asks nothing."""

UNSEEN = 1e-3
"""Added to a share and to what is left of 1, so that no logit is infinite."""

MOST_NODES = 4_000_000
"""More take more memory than a recording is worth: all nodes are asked."""


@dataclass(frozen=True)
class ForestOptions:
    """How the trees are grown: how many, the fewest records of a leaf, and the share of the columns
    of which the best is chosen at a node. ``softness`` is how far a limit reaches on both sides
    when the trees answer, in standard deviations of its column."""

    trees: int = 150
    smallest_leaf: int = 3
    columns_share: float = 0.3
    softness: float = 0.375


class _Level(nn.Module):
    """All nodes of one level of all trees: which of them ask what, and the rows of the leaves.

    What asks leads to the next level: first all left children, then all right ones.
    """

    def __init__(self, **tables: Tensor) -> None:
        super().__init__()
        for name, table in tables.items():
            self.register_buffer(name, table, persistent=False)


class ForestHead(TreesHead):
    """The head: (batch, columns) to logits.

    ``column``, ``threshold``, ``left`` and ``right`` are (trees, nodes): a record goes left where
    its value is not above the threshold, and ``width`` (columns,) is how far from a threshold a
    value must lie to go one way alone (0 in weights from before there were widths). ``leaf``
    (trees, nodes) numbers a tree's leaves, and ``shares`` are (trees, leaves, labels). Trees of
    fewer nodes are followed by leaves that nothing leads to. Sizes are those of the weights that
    are loaded.
    """

    def __init__(self, trees: int, columns: int, labels: int) -> None:
        super().__init__(columns, labels)
        whole = torch.zeros(trees, 1, dtype=torch.int32)
        self.register_buffer("column", torch.full_like(whole, LEAF))
        self.register_buffer("threshold", torch.zeros(trees, 1, dtype=torch.float64))
        self.register_buffer("width", torch.zeros(columns, dtype=torch.float64))
        for name in ("left", "right", "leaf"):
            self.register_buffer(name, whole.clone())
        self.register_buffer("shares", torch.full((trees, 1, labels), 0.5))
        self.levels = nn.ModuleList(self._levels())

    def forward(self, values: Tensor) -> Tensor:
        """Logits (batch, labels). Records come last within, as all nodes ask all of them."""
        told = values.double().t()
        arrived = told.new_ones(len(self.get_buffer("column")), told.shape[1])
        ended, rows = [], []
        for level in self.levels:
            ended.append(arrived.index_select(0, level.get_buffer("leaf")).float())
            rows.append(level.get_buffer("row"))
            value = told.index_select(0, level.get_buffer("column"))
            right = share_above(value, level.get_buffer("threshold"), level.get_buffer("width"))
            arrived = arrived.index_select(0, level.get_buffer("inner"))
            arrived = torch.cat([arrived * (1 - right), arrived * right])
        shares = self.get_buffer("shares")
        reached = shares.flatten(0, 1).index_select(0, torch.cat(rows)).float()
        share = torch.cat(ended).t() @ reached / len(shares)
        return torch.log((share + UNSEEN) / (1 - share + UNSEEN))

    def _levels(self) -> Iterator[_Level]:
        """The levels of the tables, from the roots on; none where there is no memory behind them
        (device "meta")."""
        if self.get_buffer("column").is_meta:
            return
        column, threshold = (self.get_buffer(name).flatten() for name in ("column", "threshold"))
        sides = [self.get_buffer(side).long() for side in ("left", "right")]
        trees, nodes = sides[0].shape
        offset = torch.arange(trees, device=column.device)[:, None]
        left, right = ((side + offset * nodes).flatten() for side in sides)
        row = (self.get_buffer("leaf") + offset * self.get_buffer("shares").shape[1]).flatten()
        here = offset.flatten() * nodes
        while len(here):
            asks = column[here] != LEAF
            inner, asked = here[asks], column[here[asks]].long()
            yield _Level(
                inner=asks.nonzero().flatten(),
                column=asked,
                threshold=threshold[inner],
                width=self.get_buffer("width")[asked],
                leaf=(~asks).nonzero().flatten(),
                row=row[here[~asks]].long(),
            )
            here = torch.cat([left[inner], right[inner]])

    def _load_from_state_dict(  # type: ignore[no-untyped-def]
        self, state_dict: dict[str, Tensor], prefix: str, *rest
    ) -> None:
        state_dict.setdefault(f"{prefix}width", torch.zeros(self.in_features, dtype=torch.float64))
        super()._load_from_state_dict(state_dict, prefix, *rest)
        names = (name for name, _ in self.named_buffers(recurse=False))
        if all(prefix + name in state_dict for name in names):  # else it is said what is missing
            self.levels = nn.ModuleList(self._levels())

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
        if column.numel() > MOST_NODES:
            yield f"{column.numel():,} nodes; at most {MOST_NODES:,} are asked"
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
        both = torch.cat([tables["left"], tables["right"]], dim=1).long()
        asks = (column != LEAF).repeat(1, 2)
        parents = torch.zeros(trees, nodes).scatter_add(1, both.clamp(0, nodes - 1), asks.float())
        if (parents > 1).any():
            yield "a child of two parents"
        if tables["threshold"].isnan().any():
            yield "a threshold that is no number"
        width = tables["width"].double()
        if width.shape != (self.in_features,) or not ((width >= 0) & (width < LARGEST)).all():
            yield "widths that are not one for each column"
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
        few = options.trees < 1 or options.smallest_leaf < 1
        if few or not 0 < options.columns_share <= 1 or not 0 <= options.softness <= MOST_SOFT:
            raise ValueError(
                f"{options}; give 1 tree and 1 record a leaf or more, a share above 0 up to 1, and "
                f"a softness of 0 to {MOST_SOFT}"
            )
        self.head = ForestHead(options.trees, len(self.get_buffer("medians")), labels)
