"""What the delineation network sees of a lead, the same in training and in use.

Each lead on its own, at 250 Hz (QRS content ends near 100 Hz), without wander and at a scale of its
own, so that neither an offset nor the gain can move a mark, and false voltages do no harm.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ecgcore.signal.resampling import resample

NETWORK_RATE = 250.0
"""Hz at which the network reads and answers."""

_WANDER_HZ = 0.5
"""Zero-phase high-pass. Slower is no part of a beat down to 30 a minute (AHA 2007, part I)."""
_WINDOW_SECONDS = 2.0
"""Holds a QRS complex down to 30 beats a minute."""
_EDGE_SECONDS = 0.25
"""The first and last value go on this long while the rate is changed: no step at the ends."""
_LEAST_SCALE = 1e-6


@dataclass(frozen=True)
class LeadInput:
    """``values`` (leads, samples) float32 at NETWORK_RATE; how to come back to the file's samples.

    Sample i of ``values`` is sample ``(i + first) * step - before`` of the recording.
    """

    values: NDArray[np.float32]
    first: int
    step: float
    before: int

    def file_samples(self, positions: NDArray[np.float64]) -> NDArray[np.float64]:
        """Positions in ``values``, fractions allowed, as samples of the recording."""
        found: NDArray[np.float64] = (positions + self.first) * self.step - self.before
        return found


def lead_input(signal: NDArray[np.floating], sampling_rate: float) -> LeadInput:
    """Leads (leads, samples), any unit, at ``sampling_rate`` Hz, as the network reads them.

    Missing samples (NaN) are bridged by a straight line. Raises ValueError for a rate without a
    small whole ratio to 250 Hz.
    """
    filled = np.stack([_bridged(lead) for lead in np.asarray(signal, dtype=np.float64)])
    filled -= np.median(filled, axis=1, keepdims=True)
    before = round(_EDGE_SECONDS * sampling_rate)
    padded = np.pad(filled, ((0, 0), (before, before)), mode="edge")
    step = sampling_rate / NETWORK_RATE
    first = int(np.ceil(before / step))
    samples = max(int((before + filled.shape[1] - 1) / step) - first + 1, 1)
    values = resample(padded, sampling_rate, NETWORK_RATE)[:, first : first + samples]
    values = _without_wander(values)
    return LeadInput((values / _scales(values)).astype(np.float32), first, step, before)


def _bridged(lead: NDArray[np.float64]) -> NDArray[np.float64]:
    present = np.isfinite(lead)
    if present.all():
        return lead
    if not present.any():
        return np.zeros_like(lead)
    at = np.arange(len(lead))
    bridged: NDArray[np.float64] = np.interp(at, at[present], lead[present])
    return bridged


def _without_wander(values: NDArray[np.float64]) -> NDArray[np.float64]:
    from scipy import signal as scipy_signal

    sections = scipy_signal.butter(2, _WANDER_HZ, "highpass", fs=NETWORK_RATE, output="sos")
    padding = min(round(2 * NETWORK_RATE), values.shape[1] - 1)
    straight: NDArray[np.float64] = scipy_signal.sosfiltfilt(
        sections, values, axis=1, padlen=padding
    )
    return straight


def _scales(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Per lead the usual peak-to-peak of a beat, (leads, 1): the median over windows of 2 s."""
    width = min(round(_WINDOW_SECONDS * NETWORK_RATE), values.shape[1])
    starts = range(0, values.shape[1] - width + 1, max(width // 2, 1))
    spans = [np.ptp(values[:, start : start + width], axis=1) for start in starts]
    scales: NDArray[np.float64] = np.median(spans, axis=0)[:, None]
    scales[scales < _LEAST_SCALE] = 1.0  # nothing there to scale
    return scales
