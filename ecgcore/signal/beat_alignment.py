"""Bringing beats of one morphology over each other, to a fraction of a sample.

The level line is a smooth curve through the level just before each QRS complex (Meyer and Keiser,
Computers and Biomedical Research 1977;10:459-470), so that breathing is removed but the ST segment
stays. Shifts come from the cross-correlation with the beats' own median, its maximum refined by a
parabola; samples between samples by a windowed sinc, which a band-limited signal allows.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_Values = NDArray[np.float64]

LEVEL_SECONDS = (0.022, 0.004)
"""The level is the median from 22 to 4 ms before QRS onset, in the PR segment."""
_QRS_SECONDS = 0.1
"""Beats are compared from 100 ms before to 100 ms after their position."""
_REACH_SECONDS = 0.04
_ROUNDS = 3
_TAPS = 12
"""Samples at each side of the sinc; with the Kaiser window under 0.1 % error below 0.4 x rate."""
_KAISER_WINDOW = np.kaiser(2 * _TAPS + 1, 8.0)


def level_before(values: _Values, onset: float, rate: float) -> _Values:
    """Level just before ``onset`` (samples) of each lead, (leads,); NaN where nothing is known."""
    last = values.shape[1]
    start = min(max(round(onset - LEVEL_SECONDS[0] * rate), 0), last)
    stop = min(max(round(onset - LEVEL_SECONDS[1] * rate), start + 1), last)
    part = values[:, start:stop]
    known = np.isfinite(part).any(axis=1)
    level = np.full(len(values), np.nan)
    if known.any():
        level[known] = np.nanmedian(part[known], axis=1)
    return level


def level_line(values: _Values, onsets: _Values, rate: float) -> _Values:
    """The line through the levels before the QRS complexes, (leads, samples) as ``values``.

    ``onsets`` (beats,) in samples. Beyond the first and last beat the line is level; a lead with
    no known level has its median.
    """
    from scipy.interpolate import PchipInterpolator, make_interp_spline

    places = onsets - sum(LEVEL_SECONDS) / 2 * rate
    inside = (places >= 0) & (places < values.shape[1])
    inside[1:] &= np.diff(places) > 0
    onsets, places = onsets[inside], places[inside]
    levels = np.array([level_before(values, onset, rate) for onset in onsets]).reshape(
        len(onsets), len(values)
    )
    at = np.arange(values.shape[1], dtype=np.float64)
    line = np.zeros_like(values)
    for lead, row in enumerate(values):
        known = np.isfinite(levels[:, lead])
        knots, level = places[known], levels[known, lead]
        if len(knots) == 0:
            line[lead] = np.median(row[np.isfinite(row)]) if np.isfinite(row).any() else 0.0
        elif len(knots) == 1:
            line[lead] = level[0]
        else:
            between = np.clip(at, knots[0], knots[-1])
            if len(knots) < 4:
                line[lead] = PchipInterpolator(knots, level)(between)
            else:
                line[lead] = make_interp_spline(knots, level, k=3)(between)
    return line


def beat_windows(values: _Values, positions: _Values, before: int, after: int) -> _Values:
    """Windows (beats, leads, before + after + 1) around ``positions``; NaN beyond the recording."""
    margin = _TAPS + 1
    ends = np.full((len(values), before + after + 2 * margin), np.nan)
    padded = np.concatenate([ends, values, ends], axis=1)
    windows = np.empty((len(positions), len(values), before + after + 1))
    for beat, position in enumerate(positions):
        whole = int(np.floor(position))
        start = whole - before + ends.shape[1] - margin
        start = min(max(start, 0), padded.shape[1] - (before + after + 1 + 2 * margin))
        part = padded[:, start : start + before + after + 1 + 2 * margin]
        windows[beat] = _between(part, position - whole)[:, margin:-margin]
    return windows


def _between(part: _Values, fraction: float) -> _Values:
    """Samples ``fraction`` later, by a windowed sinc; as they are for a fraction of 0.

    Where a sample is missing the line between its neighbours stands in, and the result there is
    missing again.
    """
    if abs(fraction) < 1e-6:
        return part.copy()
    taps = np.arange(-_TAPS, _TAPS + 1)
    kernel = np.sinc(taps + fraction) * _KAISER_WINDOW
    kernel /= kernel.sum()
    known = np.isfinite(part)
    filled = np.where(known, part, 0.0)
    at = np.arange(part.shape[1])
    for lead in np.flatnonzero(known.any(axis=1) & ~known.all(axis=1)):
        there = known[lead]
        filled[lead] = np.interp(at, at[there], part[lead, there])
    edges = np.pad(filled, ((0, 0), (_TAPS, _TAPS)), mode="edge")
    moved = np.empty_like(part)
    for row, edge in enumerate(edges):
        moved[row] = np.convolve(edge, kernel, mode="valid")
    return np.where(known, moved, np.nan)


def aligned_beats(values: _Values, positions: _Values, rate: float) -> _Values:
    """What to add to each of ``positions``, in samples, so that the beats lie over each other.

    Over all leads together, each by its own energy. The median shift is nil, so that the whole
    stays where it was.
    """
    if len(positions) < 2:
        return np.zeros(len(positions))
    half, reach = round(_QRS_SECONDS * rate), max(round(_REACH_SECONDS * rate), 2)
    shifts = np.zeros(len(positions))
    for _ in range(_ROUNDS):
        windows = beat_windows(values, positions + shifts, half + reach, half + reach)
        windows = np.where(np.isfinite(windows), windows, 0.0)
        template = np.median(windows, axis=0)[:, reach:-reach]
        template = template - template.mean(axis=1, keepdims=True)
        step = np.array([_best_shift(window, template, reach) for window in windows])
        shifts = np.clip(shifts + step, -reach, reach)
        shifts -= np.median(shifts)
    return shifts


def _best_shift(window: _Values, template: _Values, reach: int) -> float:
    """The shift in samples, a fraction, by which the window's beat lies after the template's."""
    from scipy.signal import correlate

    scores = correlate(window, template, mode="valid", method="auto")[0]
    best = int(np.argmax(scores))
    if not 0 < best < len(scores) - 1:
        return float(best - reach)
    left, top, right = scores[best - 1 : best + 2]
    bend = left - 2 * top + right
    return float(best - reach + (0.5 * (left - right) / bend if bend else 0.0))
