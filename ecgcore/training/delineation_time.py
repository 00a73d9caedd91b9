"""Time that runs differently in the pauses between waves: fast hearts, slow conduction.

What lies between the end of T and the next P is the same nothing in a slow heart and in a fast one,
only longer; so is what lies between P and QRS. Passing through these pauses faster or slower than
through the waves makes, of a heart at 70 a minute, one at 130 or one with a long PR interval, with
every wave as it was recorded.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_P, _QRS, _T = range(3)  # rows of MarkedSet.inside
_NONE = -1
_SHOWN = 0.5

TO_P = (0.8, 6.0)
"""The pause before P (or before QRS where there is none) is shortened by a factor in this range."""
TO_QRS = (0.3, 1.4)
"""And that between P and QRS; below one it is lengthened."""
_UNEVEN = 0.12
"""Standard deviation, in logarithms, of the factor from beat to beat."""


def other_pauses(inside: NDArray[np.floating], rng: np.random.Generator) -> Floats:
    """How much faster than usual time runs at each sample, (n,): 1 within waves and in ST.

    ``inside`` (leads, 3, n): how much of a sample lies in a P, QRS, T wave.
    """
    before_p = _drawn(TO_P, rng)
    before_qrs = _drawn(TO_QRS, rng)
    shown = inside.max(axis=0) > _SHOWN
    wave = np.where(shown.any(axis=0), shown.argmax(axis=0), _NONE)
    edges = np.flatnonzero(np.diff(wave)) + 1
    starts, stops = np.append(0, edges), np.append(edges, len(wave))
    faster = np.ones(len(wave))
    for index in range(1, len(starts) - 1):
        start, stop = starts[index], stops[index]
        if wave[start] != _NONE:
            continue
        last, following = wave[start - 1], wave[stop]
        if last == _T and following in (_P, _QRS):
            factor = before_p
        elif (last, following) == (_P, _QRS):
            factor = before_qrs
        else:
            continue
        faster[start:stop] = factor * np.exp(rng.normal(0, _UNEVEN))
    return faster


def window(
    steps: Floats, samples: int, marked: tuple[int, int], rng: np.random.Generator
) -> Floats:
    """Where ``samples`` consecutive samples are read off, (samples,) with fractions.

    ``steps`` (n,): how far one sample goes on, at each place. The window is a random one that
    holds part of ``marked`` (first and last place); what lies beyond the end reads the end.
    """
    passed = np.concatenate([[0.0], np.cumsum(1 / steps[:-1])])  # samples read up to each place
    low, high = passed[marked[0]] - 0.3 * samples, passed[marked[1]] - 0.7 * samples
    start = rng.uniform(min(low, high), max(low, high))
    start = float(np.clip(start, 0, max(passed[-1] - samples, 0)))
    places: Floats = np.interp(start + np.arange(samples), passed, np.arange(len(steps)))
    return places


def _drawn(limits: tuple[float, float], rng: np.random.Generator) -> float:
    """Evenly in logarithms."""
    low, high = np.log(limits)
    return float(np.exp(rng.uniform(low, high)))
