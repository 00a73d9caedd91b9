"""Pacing spikes: a jump that nothing in a heart makes, just before or at the QRS complex.

A stimulus lasts 1 to 2 ms, and even where a cart's filter has rounded it, or only its step is left,
the trace leaves a quiet level within a few milliseconds. What is measured is how sudden that is:
the change over 4 ms beyond the largest change in the milliseconds before, in half of the leads at
once. In LUDB every paced beat has 0.20 or more of the size of a QRS complex, beats of recordings
without a pacemaker at most 0.10. Below 400 Hz a spike falls between the samples, and none is looked
for.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_Values = NDArray[np.float64]

LEAST_RATE = 400.0
"""Hz. A 2 ms stimulus is under one sample below; carts then show it dulled beyond telling."""
_STEP_SECONDS = 0.004
_QUIET_SECONDS = (0.004, 0.007)
"""The changes that ended this long before are what the jump is compared with."""
_BEFORE_SECONDS, _AFTER_SECONDS = 0.08, 0.012
"""Ventricular capture follows the spike at once; the onset may be marked at the spike itself."""
_LEAST_JUMP = 0.14
"""Of the lead's usual QRS complex, peak to peak."""
_ABOVE_NOISE = 8.0
_LEAD_SHARE = 1 / 2
_QRS_SECONDS = 0.12
_FEWEST_PACED = 2
_STEADY_SECONDS = 0.024
_ELSEWHERE_SECONDS = 0.3
"""Later by this, in the T wave: where a pacemaker does not stimulate."""
_ELSEWHERE_SHARE = 0.25


def paced_before(signal: _Values, onsets: _Values, rate: float) -> NDArray[np.bool_]:
    """Whether each QRS complex follows a spike, (beats,).

    ``signal`` (leads, samples), any unit, NaN where missing; ``onsets`` in samples. Half of the
    leads must jump at the same time. All False below LEAST_RATE.
    """
    if rate < LEAST_RATE or not len(onsets) or signal.shape[1] < rate * _BEFORE_SECONDS:
        return np.zeros(len(onsets), dtype=bool)
    jumps = _suddenness(signal, rate)
    noise = 1.4826 * np.nanmedian(jumps, axis=1)
    least = np.maximum(_LEAST_JUMP * _sizes(signal, onsets, rate), _ABOVE_NOISE * noise)
    over = jumps > np.maximum(least, 1e-9)[:, None]
    over[:, 1:-1] |= over[:, 2:] | over[:, :-2]  # leads may jump a sample apart
    together = over.sum(axis=0) >= max(_LEAD_SHARE * len(signal), min(2, len(signal)))
    return _steady(together, onsets, rate)


def _steady(jump: NDArray[np.bool_], onsets: _Values, rate: float) -> NDArray[np.bool_]:
    """Beats whose jump comes at the usual time before the complex, (beats,).

    Artefacts jump anywhere: a single paced beat is not believed, nor any where jumps are as
    usual between the beats as before them.
    """
    delays = np.full(len(onsets), np.nan)
    elsewhere = 0
    for beat, onset in enumerate(onsets):
        start, stop = onset - _BEFORE_SECONDS * rate, onset + _AFTER_SECONDS * rate + 1
        found = np.flatnonzero(jump[max(round(start), 0) : max(round(stop), 0)])
        if found.size:
            delays[beat] = found[-1] + max(round(start), 0) - onset
        later = round(_ELSEWHERE_SECONDS * rate)
        elsewhere += bool(jump[max(round(start) + later, 0) : max(round(stop) + later, 0)].any())
    spikes = np.isfinite(delays)
    if spikes.sum() < _FEWEST_PACED or elsewhere > _ELSEWHERE_SHARE * spikes.sum():
        return np.zeros(len(onsets), dtype=bool)
    apart = np.abs(delays - np.nanmedian(delays))
    steady: NDArray[np.bool_] = spikes & (apart <= _STEADY_SECONDS * rate)
    return steady if steady.sum() >= _FEWEST_PACED else np.zeros_like(steady)


def _suddenness(signal: _Values, rate: float) -> _Values:
    """Change over 4 ms around each sample beyond the largest just before, (leads, samples)."""
    step = max(round(_STEP_SECONDS * rate / 2), 1)
    change = np.zeros_like(signal)
    change[:, step:-step] = np.abs(signal[:, 2 * step :] - signal[:, : -2 * step])
    change = np.where(np.isfinite(change), change, 0.0)
    first, last = (max(round(seconds * rate), 1) for seconds in _QUIET_SECONDS)
    before = np.zeros_like(change)
    for lag in range(first, last + 1):
        before[:, lag:] = np.maximum(before[:, lag:], change[:, :-lag])
    return np.maximum(change - before, 0.0)


def _sizes(signal: _Values, onsets: _Values, rate: float) -> _Values:
    """Usual peak-to-peak of the QRS complexes in each lead, (leads,)."""
    spans = []
    for onset in onsets:
        start = max(round(onset), 0)
        part = signal[:, start : start + round(_QRS_SECONDS * rate)]
        if part.shape[1] > 1 and np.isfinite(part).all():
            spans.append(np.ptp(part, axis=1))
    if not spans:
        return np.full(len(signal), np.inf)
    sizes: _Values = np.median(spans, axis=0)
    return sizes
