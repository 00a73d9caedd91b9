"""Bootstrap of AUROC and average precision: all labels of many resamples at once, and exactly.

A resample is a count for each record. Both areas depend only on how the counts add up between the
distinct scores of a label's positives: AUROC is the share of (positive, negative) pairs that are in
order, ties by half, and average precision is a sum over the positives. So the records of each label
are sorted into the gaps between its positives' scores once, and one sparse product of these gaps
with the counts does for all resamples what scikit-learn does for one by sorting. Sums are of whole
numbers, so ties are exact and the result equals scikit-learn's on every resample to rounding.

Percentile intervals: Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Interval = tuple[float, float]

RESAMPLES = 2000
COVERAGE = 0.95
SEED = 0
# Counts of so many resamples stay in a processor's cache while every label goes over them.
_AT_ONCE = 256


@dataclass(frozen=True)
class ResampledAreas:
    """AUROC and average precision, (resamples, labels) each; NaN where a class is absent."""

    auroc: NDArray[np.float64]
    auprc: NDArray[np.float64]


def bootstrap_weights(
    records: int, resamples: int = RESAMPLES, seed: int = SEED
) -> NDArray[np.int32]:
    """How often each record is drawn in each resample, (resamples, records)."""
    return np.concatenate(list(drawn_weights(records, resamples, seed)))


def drawn_weights(records: int, resamples: int, seed: int) -> Iterator[NDArray[np.int32]]:
    """The rows of ``bootstrap_weights`` in parts, so that large sets need little memory."""
    generator = np.random.default_rng(seed)
    share = np.full(records, 1 / records)
    for first in range(0, resamples, _AT_ONCE):
        count = min(_AT_ONCE, resamples - first)
        yield generator.multinomial(records, share, count).astype(np.int32)


def bootstrap_areas(
    targets: NDArray[np.uint8],
    probabilities: NDArray[np.floating],
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> ResampledAreas:
    """Areas of each label in resamples of the records; both (records, labels).

    The same number of records, resamples and seed give the same resamples, whatever the model.
    """
    return _areas(targets, probabilities, drawn_weights(len(targets), resamples, seed))


def resampled_areas(
    targets: NDArray[np.uint8],
    probabilities: NDArray[np.floating],
    weights: NDArray[np.int32],
) -> ResampledAreas:
    """Areas of each label, where ``weights`` (resamples, records) says how often a record counts.

    ``targets`` 0/1 and ``probabilities`` are (records, labels).
    """
    parts = (weights[first : first + _AT_ONCE] for first in range(0, len(weights), _AT_ONCE))
    return _areas(targets, probabilities, parts)


def interval(values: NDArray[np.float64], coverage: float = COVERAGE) -> Interval | None:
    """Percentile interval of the finite values; None without any."""
    values = values[np.isfinite(values)]
    if not len(values):
        return None
    tail = (1 - coverage) / 2
    low, high = np.quantile(values, (tail, 1 - tail))
    return float(low), float(high)


def macro(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean over the labels that each resample holds, (resamples, labels) -> (resamples,).

    NaN where a resample holds no label at all.
    """
    present = np.isfinite(values)
    counts = present.sum(axis=1)
    sums = np.where(present, values, 0.0).sum(axis=1)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


@dataclass(frozen=True)
class _Gaps:
    """Which records lie in which gap; rows are the distinct scores of positives, label by label.

    Within a label the highest score comes first: ``hits`` (scores, records) holds the positives of
    a score, ``misses`` the negatives at it or between it and the next higher one. ``ties`` holds
    the negatives at the scores ``tied``. ``ends`` are the last rows of the labels, plus one.
    """

    hits: csr_array
    misses: csr_array
    ties: csr_array
    tied: NDArray[np.intp]
    ends: NDArray[np.intp]


def _areas(
    targets: NDArray[np.uint8],
    probabilities: NDArray[np.floating],
    parts: Iterable[NDArray[np.int32]],
) -> ResampledAreas:
    gaps = _gaps(targets.astype(bool), probabilities)
    pairs = [_part(gaps, weights) for weights in parts]
    empty = np.empty((0, targets.shape[1]))
    auroc = np.concatenate([empty, *(pair[0] for pair in pairs)])
    return ResampledAreas(auroc, np.concatenate([empty, *(pair[1] for pair in pairs)]))


def _gaps(positive: NDArray[np.bool_], probabilities: NDArray[np.floating]) -> _Gaps:
    """Sort the records of each label into the gaps between its positives' scores."""
    rows: dict[str, list[NDArray[np.intp]]] = {"hits": [], "misses": [], "ties": []}
    columns: dict[str, list[NDArray[np.intp]]] = {"hits": [], "misses": [], "ties": []}
    ends, start = [], 0
    for mine, scores in zip(positive.T, probabilities.T, strict=True):
        levels = np.unique(scores[mine])
        reached = np.searchsorted(levels, scores, side="right")
        above = reached > 0
        tie = np.zeros(len(scores), dtype=bool)
        tie[above] = scores[above] == levels[reached[above] - 1]
        chosen = {"hits": mine, "misses": above & ~mine, "ties": tie & ~mine}
        for name, records in chosen.items():
            rows[name].append(start + len(levels) - reached[records])
            columns[name].append(np.flatnonzero(records))
        start += len(levels)
        ends.append(start)
    tied, tie_rows = np.unique(_joined(rows["ties"]), return_inverse=True)
    shape = (start, len(positive))
    return _Gaps(
        _ones(_joined(rows["hits"]), _joined(columns["hits"]), shape),
        _ones(_joined(rows["misses"]), _joined(columns["misses"]), shape),
        _ones(tie_rows, _joined(columns["ties"]), (len(tied), len(positive))),
        tied,
        np.array(ends, dtype=np.intp),
    )


def _joined(parts: list[NDArray[np.intp]]) -> NDArray[np.intp]:
    return np.concatenate([np.empty(0, dtype=np.intp), *parts])


def _ones(rows: NDArray[np.intp], columns: NDArray[np.intp], shape: tuple[int, int]) -> csr_array:
    from scipy.sparse import csr_array

    return csr_array((np.ones(len(rows), dtype=np.int32), (rows, columns)), shape=shape)


def _part(
    gaps: _Gaps, weights: NDArray[np.int32]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(resamples, labels) areas of a few resamples at once."""
    counts = np.ascontiguousarray(weights.T)
    drawn = counts.sum(axis=0, dtype=np.float64)
    hits = (gaps.hits @ counts).astype(np.float64)
    misses = gaps.misses @ counts
    half_ties = np.zeros((0, len(weights)))
    if len(gaps.tied):
        half_ties = hits[gaps.tied] * (gaps.ties @ counts) / 2
    auroc = np.full((len(weights), len(gaps.ends)), np.nan)
    auprc = auroc.copy()
    start = 0
    for label, end in enumerate(gaps.ends):
        mine = slice(start, end)
        first, last = np.searchsorted(gaps.tied, (start, end))
        auroc[:, label], auprc[:, label] = _label(
            hits[mine], misses[mine].cumsum(axis=0), half_ties[first:last], drawn
        )
        start = end
    return auroc, auprc


def _label(
    hits: NDArray[np.float64],
    misses_so_far: NDArray[np.integer],
    half_ties: NDArray[np.float64],
    drawn: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(resamples,) areas of one label from (scores, resamples), the highest score first."""
    hits_so_far = hits.cumsum(axis=0)
    n_positive = hits.sum(axis=0)
    n_negative = drawn - n_positive
    ordered = (hits * (n_negative - misses_so_far)).sum(axis=0) + half_ties.sum(axis=0)
    # Where nothing is flagged yet, there is no hit either and the quotient does not count.
    precision = hits_so_far / np.maximum(hits_so_far + misses_so_far, 1.0)
    absent = (n_positive == 0) | (n_negative == 0)
    pairs = np.where(absent, np.nan, n_positive * n_negative)
    return ordered / pairs, (hits * precision).sum(axis=0) / np.where(absent, np.nan, n_positive)
