"""From class probabilities to marks with fractions of a sample.

Around a border the probability of being inside a wave is the network's belief that the border has
been passed; its sum over the samples is therefore the expected place of the border, finer than a
sample and steadier than where one half is crossed. All leads are decoded in one go, for speed; no
row of the arrays ever sees another.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ecgcore.signal.delineation.waves import WAVES, Marks, Wave

_INSIDE = 0.5
_LEAST_SAMPLES: dict[Wave, float] = {"P": 5.0, "QRS": 6.0, "T": 10.0}
"""At 250 Hz. Shorter than any wave that LUDB marks (P 30 ms, QRS 36 ms, T 44 ms)."""
_APART = 6
"""Samples at 250 Hz between two pieces of one wave."""
_TAIL = 0.02
"""Belief below this, or rising again by this away from the wave, belongs to something else."""

_TOP = np.array([1, 2, 3, 4, 3, 2, 1]) / 16
"""Weights over 28 ms, symmetric: a symmetric top stays where it is."""

Floats = NDArray[np.float64]
Places = NDArray[np.intp]


@dataclass(frozen=True)
class _Stretches:
    """Where the belief exceeds one half: row, first and last sample of each."""

    row: Places
    first: Places
    last: Places

    def where(self, kept: NDArray[np.bool_]) -> _Stretches:
        return _Stretches(self.row[kept], self.first[kept], self.last[kept])


def decode(
    probabilities: NDArray[np.floating], values: NDArray[np.floating]
) -> list[dict[Wave, Marks]]:
    """Waves of each row, (waves, 3) samples at the network's rate in time order.

    ``probabilities`` (rows, 4, samples) of none, P, QRS, T; ``values`` (rows, samples) the leads as
    the network saw them, for the peaks. A wave cut by either end is left out: its borders were not
    recorded.
    """
    found: list[dict[Wave, Marks]] = [{} for _ in probabilities]
    smooth = _smooth(values)
    for channel, wave in enumerate(WAVES, start=1):
        inside = probabilities[:, channel].astype(np.float64)
        stretches = _joined(_stretches(inside))
        total = np.pad(np.cumsum(inside, axis=1), ((0, 0), (1, 0)))
        row, first, last = stretches.row, stretches.first, stretches.last
        mass = total[row, last + 1] - total[row, first]
        whole = (first > 0) & (last < inside.shape[1] - 1)
        stretches = stretches.where(whole & (mass >= _LEAST_SAMPLES[wave]))
        onset, offset = _borders(inside, total, stretches)
        peak = _peaks(values if wave == "QRS" else smooth, stretches.row, onset, offset, wave)
        marks = np.stack([onset, peak, offset], axis=1)
        for index, waves in enumerate(found):
            waves[wave] = marks[stretches.row == index]
    return found


def _stretches(inside: Floats) -> _Stretches:
    above = np.pad(inside > _INSIDE, ((0, 0), (1, 1)))
    row, edge = np.nonzero(above[:, 1:] != above[:, :-1])
    return _Stretches(row[::2], edge[::2], edge[1::2] - 1)


def _joined(stretches: _Stretches) -> _Stretches:
    """Near pieces as one wave."""
    row, first, last = stretches.row, stretches.first, stretches.last
    parted = (row[1:] != row[:-1]) | (first[1:] - last[:-1] > _APART)
    starts = np.concatenate([[True], parted])[: len(row)]
    ends = np.concatenate([parted, [True]])[: len(row)]
    return _Stretches(row[starts], first[starts], last[ends])


def _borders(inside: Floats, total: Floats, stretches: _Stretches) -> tuple[Floats, Floats]:
    """Expected onset and offset; the edge of sample i is at i - 0.5."""
    row, first, last = stretches.row, stretches.first, stretches.last
    at = np.arange(inside.shape[1])
    rising = (inside[:, :-1] > _TAIL) & (inside[:, :-1] <= inside[:, 1:] + _TAIL)
    falling = (inside[:, 1:] > _TAIL) & (inside[:, 1:] <= inside[:, :-1] + _TAIL)
    # The last sample up to each that does not lead up to the wave, the first after it that does
    # not lead down from it.
    no_rise = np.maximum.accumulate(np.where(rising, -1, at[:-1]), axis=1)
    no_fall = np.minimum.accumulate(np.where(falling, at[-1] + 1, at[1:])[:, ::-1], axis=1)[:, ::-1]
    left = no_rise[row, first - 1] + 1
    right = no_fall[row, last]
    middle = (first + last) // 2
    onset = middle - 0.5 - (total[row, middle] - total[row, left])
    offset = middle - 0.5 + (total[row, right] - total[row, middle])
    return onset, offset


def _smooth(values: NDArray[np.floating]) -> Floats:
    """For the flat tops of P and T, where a sample of noise would move the peak."""
    half = len(_TOP) // 2
    padded = np.pad(values.astype(np.float64), ((0, 0), (half, half)), mode="edge")
    samples = values.shape[1]
    smooth: Floats = sum(
        (weight * padded[:, at : at + samples] for at, weight in enumerate(_TOP)),
        np.zeros(values.shape),
    )
    return smooth


def _peaks(
    values: NDArray[np.floating], row: Places, onset: Floats, offset: Floats, wave: Wave
) -> Floats:
    """Farthest from the line between the borders (QRS: from its middle), refined by a parabola."""
    first = np.clip(np.ceil(onset).astype(np.intp), 0, values.shape[1] - 1)
    last = np.clip(offset.astype(np.intp), first, values.shape[1] - 1)
    if not row.size:
        return onset
    step = np.arange(int((last - first).max()) + 1)
    part = values[row[:, None], np.minimum(first[:, None] + step, last[:, None])].astype(np.float64)
    start, end = part[:, :1], part[:, -1:]
    share = 0.5 if wave == "QRS" else step / np.maximum(last - first, 1)[:, None]
    away = np.where(
        step <= (last - first)[:, None], np.abs(part - start - (end - start) * share), -1
    )
    top = np.argmax(away, axis=1)
    inner = (top > 0) & (top < last - first)
    each = np.arange(len(row))
    before, after = away[each, top - inner], away[each, np.minimum(top + inner, len(step) - 1)]
    bend = before - 2 * away[each, top] + after
    shift = np.where(inner & (bend < 0), 0.5 * (before - after) / np.where(bend < 0, bend, 1), 0.0)
    peak: Floats = np.clip(first + top + shift, onset, offset)
    return peak
