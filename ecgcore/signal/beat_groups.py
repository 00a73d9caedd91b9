"""Which beats look alike: grouping by the QRS complex over all leads, whatever their order.

Two beats are as alike as 2 <x, y> / (<x, x> + <y, y>) at the best lag: the correlation times the
agreement in size, 1 for equal beats. Groups are merged by average linkage (Sokal and Michener,
University of Kansas Science Bulletin 1958;38:1409-1438), which depends on no order, until the two
nearest are less alike than the recording's own noise would make equal beats.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_Values = NDArray[np.float64]

_RATE = 250.0
"""Hz at which beats are compared; the QRS complex lies below 100 Hz."""
_BEFORE_SECONDS, _AFTER_SECONDS = 0.1, 0.14
_REACH_SECONDS = 0.04
_LAG_STEP = 2
SAME_GROUP = 0.8
"""Beats at least this much alike are of one group. Breathing changes the size of a complex by up
to a third (0.92); a ventricular ectopic beat is seldom above 0.5 beside a sinus beat."""
LEAST_ALIKE = 0.6
"""Not even noise puts beats together that are less alike."""
_BAND_HZ = (1.0, 40.0)
_MOST_COMPARED = 800
_FLOOR_MV = 1e-6


def group_beats(
    signal: _Values, positions: _Values, widths: _Values, rate: float
) -> NDArray[np.intp]:
    """Group of each beat, (beats,): 0 the most frequent (ties: the narrower complexes), then on.

    ``signal`` (leads, samples), NaN where missing; ``positions`` in samples; ``widths`` of the QRS
    complexes in seconds, NaN where unknown.
    """
    if len(positions) == 1:
        return np.zeros(1, dtype=np.intp)
    shapes = _shapes(signal, positions, rate)
    some = np.arange(len(positions))
    if len(positions) > _MOST_COMPARED:  # hours: compare an even choice, then place the others
        some = np.unique(np.linspace(0, len(positions) - 1, _MOST_COMPARED).round().astype(int))
    alike = _likeness(shapes[some], shapes[some])
    found = _linked(alike, _limit(alike))
    labels = np.empty(len(positions), dtype=np.intp)
    labels[some] = found
    others = np.setdiff1d(np.arange(len(positions)), some)
    if len(others):
        labels[others] = found[np.argmax(_likeness(shapes[others], shapes[some]), axis=1)]
    return _ranked(labels, widths)


def _shapes(signal: _Values, positions: _Values, rate: float) -> _Values:
    """Beats (beats, leads, samples) at 250 Hz, lags included; each lead by its own usual size."""
    from scipy import signal as scipy_signal

    filled = np.where(np.isfinite(signal), signal, 0.0)
    filled = (
        np.where(np.isfinite(signal), signal, np.nanmedian(signal, axis=1, keepdims=True))
        if not np.isfinite(signal).all()
        else filled
    )
    edges = (_BAND_HZ[0], min(_BAND_HZ[1], 0.45 * rate))
    sections = scipy_signal.butter(2, edges, "bandpass", fs=rate, output="sos")
    padding = min(round(rate), filled.shape[1] - 1)
    band = scipy_signal.sosfiltfilt(sections, filled, axis=1, padlen=padding)
    reach = round(_REACH_SECONDS * _RATE)
    first = -round(_BEFORE_SECONDS * _RATE) - reach
    last = round(_AFTER_SECONDS * _RATE) + reach
    times = np.arange(first, last + 1) / _RATE * rate
    at = np.arange(band.shape[1])
    places = positions[:, None] + times
    shapes = np.stack([np.interp(places, at, row) for row in band], axis=1)
    sizes = np.median(np.ptp(shapes, axis=2), axis=0)
    scaled: _Values = shapes / np.maximum(sizes, _FLOOR_MV)[None, :, None]
    return scaled


def _likeness(one: _Values, other: _Values) -> _Values:
    """How alike each of ``one`` is to each of ``other`` at the best lag, (ones, others)."""
    reach = round(_REACH_SECONDS * _RATE)
    length = one.shape[2] - 2 * reach
    middle = other[:, :, reach : reach + length].reshape(len(other), -1)
    energy = np.sum(middle**2, axis=1)
    best = np.full((len(one), len(other)), -1.0)
    for lag in range(0, 2 * reach + 1, _LAG_STEP):
        moved = one[:, :, lag : lag + length].reshape(len(one), -1)
        total = np.sum(moved**2, axis=1)[:, None] + energy[None, :]
        best = np.maximum(best, 2 * (moved @ middle.T) / np.maximum(total, 1e-12))
    return best


def _limit(alike: _Values) -> float:
    """How alike beats of one group must be: less where even the nearest beats differ by noise."""
    apart = alike - 2 * np.eye(len(alike))
    nearest = float(np.median(apart.max(axis=1)))
    return float(np.clip(SAME_GROUP * nearest / 0.95, LEAST_ALIKE, SAME_GROUP))


def _linked(alike: _Values, limit: float) -> NDArray[np.intp]:
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    distances = np.maximum(1 - np.maximum(alike, alike.T), 0)
    np.fill_diagonal(distances, 0)
    tree = linkage(squareform(distances, checks=False), method="average")
    labels: NDArray[np.intp] = fcluster(tree, 1 - limit, criterion="distance").astype(np.intp)
    return labels


def _ranked(labels: NDArray[np.intp], widths: _Values) -> NDArray[np.intp]:
    """Labels numbered by how many beats have them; ties by width, then by which came first."""
    order = []
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        known = widths[members][np.isfinite(widths[members])]
        width = float(np.median(known)) if known.size else np.inf
        order.append((-len(members), round(width, 3), int(members[0]), int(label)))
    ranks = {label: rank for rank, (_, _, _, label) in enumerate(sorted(order))}
    return np.array([ranks[int(label)] for label in labels], dtype=np.intp)
