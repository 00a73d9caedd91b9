"""Fitting the weights of suspicion to planted errors: a conditional logit over alterations.

Labels are exchanged on purpose in some recordings; of each recording it is then known which
alteration holds, or that none does. The weights are those under which that is likeliest, with a
little shrinking.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from ecgcore.review.alterations import Alterations, alterations, company
from ecgcore.review.suspicion import Evidence, Weights, log_odds

Planting = Literal["uniform", "realistic", "one label"]
PLANTINGS: tuple[Planting, ...] = get_args(Planting)
_SHRINK = 1.0
_NONE = -1
Floats = NDArray[np.float64]

CONFUSABLE: dict[str, tuple[str, ...]] = {
    "NORM": ("STTC", "CD"),
    "MI": ("STTC",),
    "STTC": ("NORM", "HYP", "MI"),
    "CD": ("NORM",),
    "HYP": ("STTC",),
}
"""Superclasses that people take for one another: normal for unspecific ST-T changes and back, an
infarct or hypertrophy for its ST-T changes, a mild conduction disturbance overlooked."""


def plant(
    truth: NDArray[np.bool_],
    codes: Sequence[str],
    share: float,
    kind: Planting,
    generator: np.random.Generator,
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """(recordings, labels) with errors in a share of the recordings, and which these are.

    "uniform" exchanges one label of a recording for another of the set, each alike; "realistic"
    for one that it is confused with (``CONFUSABLE``; NORM then stands alone); "one label" takes one
    of several away, or adds one, each half of the time.
    """
    given, wrong = truth.copy(), np.zeros(len(truth), dtype=bool)
    at = {code: place for place, code in enumerate(codes)}
    wanted = round(share * len(truth))
    for index in generator.permutation(len(truth)):
        if wrong.sum() == wanted:
            break
        on = np.flatnonzero(truth[index])
        if kind == "one label":
            wrong[index] = _flip(given, index, generator)
            continue
        if kind == "uniform":
            off = np.flatnonzero(~truth[index])
            pairs = [(int(a), int(b)) for a in on for b in off]
        else:
            pairs = [
                (a, at[other]) for a in map(int, on) for other in CONFUSABLE[codes[a]]
                if not truth[index, at[other]]
            ]  # fmt: skip
        if not pairs:
            continue
        a, b = pairs[generator.integers(len(pairs))]
        if kind == "realistic" and codes[b] == "NORM":
            given[index] = False
        given[index, a], given[index, b] = False, True
        wrong[index] = True
    return given, wrong


def _flip(given: NDArray[np.bool_], index: int, generator: np.random.Generator) -> bool:
    """Take one of several labels away, or add one; whether there was one to change."""
    on, off = np.flatnonzero(given[index]), np.flatnonzero(~given[index])
    takes = len(on) > 1 and (generator.random() < 0.5 or not len(off))
    if not takes and not len(off):
        return False
    at = generator.choice(on if takes else off)
    given[index, at] = not given[index, at]
    return True


@dataclass(frozen=True)
class Case:
    """Evidence in which ``truth`` is known: (recordings, labels)."""

    evidence: Evidence
    truth: NDArray[np.bool_]


def fit(cases: Sequence[Case], rows: NDArray[np.bool_] | None = None) -> Weights:
    """The weights under which what was planted is likeliest, from the recordings ``rows`` of every
    case (None: all). Planted errors that no single alteration undoes are left out."""
    from scipy.optimize import minimize

    parts = [part for case in cases for part in _parts(case, rows)]
    features = np.concatenate([part[0] for part in parts])
    starts = np.cumsum([0, *(len(part[0]) for part in parts)])[:-1]
    right = np.array([part[1] for part in parts])
    hits = starts[right != _NONE] + right[right != _NONE]

    def loss(values: Floats) -> tuple[float, Floats]:
        told = features @ values
        top = np.maximum(np.maximum.reduceat(told, starts), 0.0)
        powers = np.exp(told - np.repeat(top, np.diff([*starts, len(told)])))
        sums = np.add.reduceat(powers, starts) + np.exp(-top)
        value = float((np.log(sums) + top).sum() - told[hits].sum())
        chances = powers / np.repeat(sums, np.diff([*starts, len(told)]))
        slope = chances @ features - features[hits].sum(axis=0)
        return value + _SHRINK / 2 * float(values @ values), slope + _SHRINK * values

    found = minimize(loss, np.zeros(features.shape[1]), jac=True, method="L-BFGS-B").x
    return Weights(*(float(value) for value in found))


def _parts(case: Case, rows: NDArray[np.bool_] | None) -> list[tuple[Floats, int]]:
    """For each recording its alterations' terms, each at weight 1, and which one holds."""
    evidence = case.evidence
    odds, together = log_odds(evidence), company(evidence.given)
    kept = np.flatnonzero(np.ones(len(odds), dtype=bool) if rows is None else rows)
    parts = []
    for index in kept:
        open_to = np.flatnonzero(np.isfinite(odds[index]) & evidence.known[index])
        found = alterations(evidence.given[index], open_to)
        if not len(found.kind):
            continue
        right = _which(found, case.truth[index])
        if right is None:
            continue
        rules = np.zeros(len(odds[index])) if evidence.rules is None else evidence.rules[index]
        change, sure = found.change, np.nan_to_num(odds[index])
        features = [
            np.eye(4)[found.kind],
            (change @ sure)[:, None],
            together.gain(found)[:, None],
            (change.clip(max=0) @ together.log_frequency)[:, None],
            (change.clip(min=0) @ together.log_frequency)[:, None],
            (change @ rules)[:, None],
        ]
        parts.append((np.concatenate(features, axis=1), right))
    return parts


def _which(found: Alterations, truth: NDArray[np.bool_]) -> int | None:
    """The alteration that holds, _NONE where the labels on file do; None where neither does."""
    if (found.row == truth).all():
        return _NONE
    hit = np.flatnonzero((found.row + found.change == truth).all(axis=1))
    return int(hit[0]) if len(hit) else None


def mean_weights(several: Sequence[Weights]) -> Weights:
    """The mean of weights fitted apart."""
    return Weights(*(float(value) for value in np.mean([astuple(one) for one in several], axis=0)))
