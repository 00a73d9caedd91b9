"""Trees that correct each other, for each label its own: stochastic gradient boosting.

Friedman, Stochastic gradient boosting, Computational Statistics & Data Analysis 2002;38:367-378, on
the logistic loss, as grown by scikit-learn (see ``training.growing``). A label begins with the
log-odds of its share among the training records, and each tree, of few levels and grown on a part
of the records, adds a little of what the trees before it left wrong. A label with too few records
has no trees and stays at its beginning.

Boosted trees ask about the same few limits again and again, so that a value a hair above one
would move an answer far. A limit is therefore soft: within ``softness`` standard deviations of it a
record goes both ways, more to the one side the further it lies there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

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

NAME = "boosted_trees"

MOST_LEVELS, MOST_NODES = 8, 1_000_000
"""More take more memory than a recording is worth: all nodes are asked."""


@dataclass(frozen=True)
class BoostedTreesOptions:
    """How the trees are grown: how many for a label, how many levels each has, how much of its
    correction is taken, the fewest records of a leaf, the share of the columns of which the best is
    chosen at a node, and the share of the records that a tree is grown on. ``softness`` is how far
    a limit reaches on both sides when the trees answer, in standard deviations of its column."""

    trees: int = 300
    levels: int = 3
    rate: float = 0.03
    smallest_leaf: int = 10
    columns_share: float = 0.1
    records_share: float = 0.5
    softness: float = 0.75


class BoostedHead(TreesHead):
    """The head: (batch, columns) to logits.

    ``start`` (labels,) are the logits without trees, and ``label`` (boosted,) the labels that have
    some, ascending. ``column`` and ``threshold`` (boosted, trees, nodes) are complete trees, level
    by level: behind node k stand 2 k + 1, where a record goes whose value is below the threshold,
    and 2 k + 2. ``width`` (columns,) is how far from a threshold a value must lie to go one way
    alone. ``added`` (boosted, trees, nodes + 1) is what each place below the last level adds to the
    logit. Where a tree ends earlier, all go left from there.
    """

    def __init__(self, columns: int, labels: int) -> None:
        super().__init__(columns, labels)
        self.register_buffer("start", torch.zeros(labels))
        self.register_buffer("label", torch.zeros(1, dtype=torch.int32))
        self.register_buffer("column", torch.zeros(1, 1, 1, dtype=torch.int16))
        self.register_buffer("threshold", torch.full((1, 1, 1), torch.inf, dtype=torch.float64))
        self.register_buffer("width", torch.ones(columns, dtype=torch.float64))
        self.register_buffer("added", torch.zeros(1, 1, 2))

    def forward(self, values: Tensor) -> Tensor:
        """Logits (batch, labels). Records come last within, as all nodes ask all of them."""
        column, told = self.get_buffer("column").long(), values.t()
        threshold, width = self.get_buffer("threshold").float(), self.get_buffer("width").float()
        arrived = torch.ones_like(told[:1]).reshape(1, 1, 1, -1)
        for level in range(_levels(int(column.shape[2]))):  # no tensor of the exporter
            here = slice(2**level - 1, 2 ** (level + 1) - 1)
            asked = column[..., here]
            right = share_above(told[asked], threshold[..., here], width[asked])
            arrived = torch.stack([arrived * (1 - right), arrived * right], dim=3).flatten(2, 3)
        grown = (arrived * self.get_buffer("added").float()[..., None]).sum((1, 2)).t()
        start = self.get_buffer("start").float() + torch.zeros_like(values[:, :1])
        return start.scatter_add(1, self.get_buffer("label").long().expand_as(grown), grown)

    def count_numbers(self) -> int:
        """Thresholds that part records, what the leaves add, and where the labels begin."""
        asking = self.get_buffer("threshold").isfinite()
        trees = asking.shape[0] * asking.shape[1]
        return 2 * int(asking.sum()) + trees + self.labels  # a tree has one leaf more than nodes

    def faults(self, tables: Mapping[str, Tensor]) -> Iterator[str]:
        """Why tables are no trees."""
        label, column = tables["label"].long(), tables["column"].long()
        start, added, width = (tables[name].double() for name in ("start", "added", "width"))
        sizes = tuple(column.shape)
        if len(sizes) != 3 or label.shape != sizes[:1] or tables["threshold"].shape != sizes:
            yield f"columns of the shape {sizes} for labels of the shape {tuple(label.shape)}"
            return
        if 0 in sizes or sizes[2] != 2 ** _levels(sizes[2]) - 1 or sizes[2] >= 2**MOST_LEVELS:
            yield f"tables of {sizes} labels, trees and nodes, which make no complete trees"
        if column.numel() > MOST_NODES:
            yield f"{column.numel():,} nodes; at most {MOST_NODES:,} are asked"
        if added.shape != (*sizes[:2], sizes[2] + 1) or start.shape != (self.labels,):
            yield "leaves or beginnings that do not fit the nodes and labels"
        if width.shape != (self.in_features,) or not ((width > 0) & (width < LARGEST)).all():
            yield "widths that are not one above 0 for each column"
        if (label.diff() <= 0).any() or ((label < 0) | (label >= self.labels)).any():
            yield "labels that are not there, or stand twice"
        if ((column < 0) | (column >= self.in_features)).any():
            yield "a column that there is not"
        if tables["threshold"].isnan().any():
            yield "a threshold that is no number"
        if not ((added.abs() < LARGEST).all() and (start.abs() < LARGEST).all()):
            yield "a leaf or a beginning that is no number of a usual size"


def _levels(nodes: int) -> int:
    """Levels of a complete tree of so many inner nodes."""
    return (nodes + 1).bit_length() - 1


@register(
    NAME,
    options=BoostedTreesOptions,
    paper="Friedman 2002, stochastic gradient boosting",
    spec=TREES_SPEC,
    labels=76,
    output="sigmoid",
    count=count_table_numbers,
)
class BoostedTrees(TreeNetwork):
    """The whole model."""

    def __init__(self, options: BoostedTreesOptions, leads: int, labels: int) -> None:
        super().__init__()
        shares = (options.rate, options.columns_share, options.records_share)
        levels, soft = options.levels, options.softness
        whole = (options.trees, options.smallest_leaf)
        whole_numbers = min(whole) >= 1 and 1 <= levels <= MOST_LEVELS
        if not (whole_numbers and all(0 < x <= 1 for x in shares) and 0 < soft <= MOST_SOFT):
            raise ValueError(
                f"{options}; give 1 tree and 1 record a leaf or more, 1 to {MOST_LEVELS} levels, "
                f"a rate and shares above 0 up to 1, and a softness above 0 up to {MOST_SOFT}"
            )
        nodes = options.trees * labels * (2**levels - 1)
        if nodes > MOST_NODES:
            raise ValueError(
                f"{options.trees} trees of {levels} levels for each of {labels} labels have "
                f"{nodes:,} nodes; give fewer trees or levels, {MOST_NODES:,} nodes at most"
            )
        self.head = BoostedHead(len(self.get_buffer("medians")), labels)
