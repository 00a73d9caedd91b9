"""What the labels of a recording could be instead, and how labels go together.

``Company`` is a pairwise model of which labels stand beside which (an Ising model fitted by
pseudo-likelihood, Besag 1975), without what the labels' own frequencies say.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LESS, MORE, EXCHANGED, NONE_LEFT = range(4)
"""Kinds of alterations: a label less, one more, one for another, and the only one taken away."""
_SHRINK = 2.0
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Alterations:
    """``change`` of -1, 0 and 1 to the ``row`` on file, (alterations, labels), and their kinds."""

    row: NDArray[np.bool_]
    change: Floats
    kind: NDArray[np.intp]


def alterations(row: NDArray[np.bool_], open_to: NDArray[np.intp]) -> Alterations:
    """Every alteration of a row among the labels (numbers) that are open to one."""
    on = [at for at in open_to if row[at]]
    off = [at for at in open_to if not row[at]]
    changes = [[(at, -1)] for at in on] + [[(at, 1)] for at in off]
    changes += [[(one, -1), (other, 1)] for one in on for other in off]
    kinds = [LESS if row.sum() > 1 else NONE_LEFT] * len(on)
    kinds += [MORE] * len(off) + [EXCHANGED] * (len(on) * len(off))
    change = np.zeros((len(changes), len(row)))
    for number, moved in enumerate(changes):
        for at, by in moved:
            change[number, at] = by
    return Alterations(row, change, np.array(kinds, dtype=np.intp))


@dataclass(frozen=True)
class Company:
    """``pull`` (labels, labels) of each label towards each, ``lean`` of each label beyond its
    frequency, and ``log_frequency``."""

    pull: Floats
    lean: Floats
    log_frequency: Floats

    def gain(self, found: Alterations) -> Floats:
        """By how much each alteration goes better with itself than the row on file."""
        row = found.row.astype(np.float64)
        after = row + found.change
        both = ((after @ self.pull) * after).sum(axis=1) - row @ self.pull @ row
        return np.asarray(found.change @ self.lean + both / 2)


def company(given: NDArray[np.bool_]) -> Company:
    """How the labels of (recordings, labels) go together."""
    from scipy.optimize import minimize

    rows = given.astype(np.float64)
    count = rows.shape[1]
    share = (rows.sum(axis=0) + 0.5) / (len(rows) + 1)
    upper = np.triu_indices(count, 1)

    def loss(values: Floats) -> tuple[float, Floats]:
        pull = np.zeros((count, count))
        pull[upper] = values[count:]
        pull += pull.T
        field = values[:count] + rows @ pull
        miss = 1 / (1 + np.exp(-field)) - rows
        slope = rows.T @ miss
        value = float((np.logaddexp(0, field) - rows * field).sum())
        value += _SHRINK / 2 * float((values[count:] ** 2).sum())
        grown = (slope + slope.T)[upper] + _SHRINK * values[count:]
        return value, np.concatenate([miss.sum(axis=0), grown])

    own = np.log(share / (1 - share))
    start = np.concatenate([own, np.zeros(len(upper[0]))])
    # A label that nobody or everybody has cannot be fitted without a bound.
    bounds = [(-12, 12)] * count + [(None, None)] * len(upper[0])
    found = minimize(
        loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 300}
    ).x
    pull = np.zeros((count, count))
    pull[upper] = found[count:]
    return Company(pull + pull.T, found[:count] - own, np.log(share))
