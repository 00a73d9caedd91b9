"""Which labels occur together: the prior of graph networks over labels."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

Graph = tuple[tuple[float, ...], ...]
"""A square matrix as an option that reads and writes as JSON."""


@runtime_checkable
class TakesLabelGraph(Protocol):
    """A network with a prior over its labels, which training tells it."""

    def set_graph(self, graph: ArrayLike) -> None:
        """Take a prior (labels, labels) and keep it with the weights."""


def co_occurrence_graph(labels: ArrayLike, fewest: int = 1) -> NDArray[np.float32]:
    """How often label j is there where label i is: (records, labels) 0/1 to (labels, labels).

    Row i is P(j | i) with 1 on the diagonal, divided by its sum, so that each row adds up to 1.
    Pairs seen in fewer than ``fewest`` records count as never seen; a label without a record keeps
    to itself. Count on the training records alone. Raises ValueError for anything but zeros and
    ones in two axes.
    """
    given = np.asarray(labels, dtype=np.float64)
    if given.ndim != 2 or not np.isin(given, (0.0, 1.0)).all():
        raise ValueError(f"labels of shape {given.shape}; must be 0 or 1, (records, labels)")
    together = given.T @ given
    together[together < fewest] = 0.0
    conditional = together / np.maximum(given.sum(0), 1.0)[:, None]
    np.fill_diagonal(conditional, 1.0)
    return normalise_graph(conditional)


def isolated_graph(labels: int) -> NDArray[np.float32]:
    """Nothing is known: every label keeps to itself."""
    return np.eye(labels, dtype=np.float32)


def normalise_graph(graph: ArrayLike) -> NDArray[np.float32]:
    """A square matrix of weights from 0 on, each row divided by its sum.

    Raises ValueError where it is not square, a weight is negative or no number, or a row is empty.
    """
    weights = np.asarray(graph, dtype=np.float64)
    if weights.ndim != 2 or weights.shape[0] != weights.shape[1]:
        raise ValueError(f"a label graph of shape {weights.shape}; must be (labels, labels)")
    if not np.isfinite(weights).all() or (weights < 0).any():
        raise ValueError("a label graph with negative or missing weights; must be 0 or more")
    total = weights.sum(1, keepdims=True)
    if not (total > 0).all():
        raise ValueError("a label graph with an empty row; give each label at least itself")
    normalised: NDArray[np.float32] = (weights / total).astype(np.float32)
    return normalised
