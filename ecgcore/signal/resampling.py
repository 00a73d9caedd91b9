"""Changing the sampling rate, by two named methods.

``polyphase`` (scipy.signal.resample_poly: zero-phase FIR anti-aliasing) and ``fft``
(scipy.signal.resample: exact for periodic, band-limited signals; used by Singstad et al. 2022).
Both keep the first sample's time. Beyond its ends, polyphase takes the signal for zero, or for the
straight line through its first and last sample; raw voltages, which lie off zero, need the line.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Literal

import numpy as np
from numpy.typing import NDArray

ResamplingMethod = Literal["polyphase", "fft"]
Beyond = Literal["zero", "line"]
"""What polyphase takes the signal for beyond its ends."""

_LARGEST_FACTOR = 10_000


def resample(
    signal: NDArray[np.floating],
    from_rate: float,
    to_rate: float,
    method: ResamplingMethod = "polyphase",
    beyond: Beyond = "zero",
) -> NDArray[np.float64]:
    """Resample (..., samples) from ``from_rate`` to ``to_rate`` Hz.

    The result has ``round(samples * to_rate / from_rate)`` samples. Raises ValueError for rates
    that are not positive and finite, or whose ratio has no small fraction.
    """
    if not (0 < from_rate < np.inf and 0 < to_rate < np.inf):
        raise ValueError(f"rates {from_rate} and {to_rate} Hz; both must be positive and finite")
    from scipy import signal as scipy_signal

    values = np.asarray(signal, dtype=np.float64)
    samples = round(values.shape[-1] * to_rate / from_rate)
    if from_rate == to_rate:
        return values.copy()
    if method == "fft":
        resampled: NDArray[np.float64] = scipy_signal.resample(values, samples, axis=-1)
        return resampled
    up, down = _small_ratio(from_rate, to_rate)
    outside: Literal["constant", "line"] = "constant" if beyond == "zero" else "line"
    resampled = scipy_signal.resample_poly(values, up, down, axis=-1, padtype=outside)
    if resampled.shape[-1] < samples:
        padding = [(0, 0)] * (values.ndim - 1) + [(0, samples - resampled.shape[-1])]
        resampled = np.pad(resampled, padding, mode="edge")
    return resampled[..., :samples]


def _small_ratio(from_rate: float, to_rate: float) -> tuple[int, int]:
    """Both rates as whole numbers of at most ``_LARGEST_FACTOR``, near to their ratio."""
    lower, higher = sorted((from_rate, to_rate))
    ratio = Fraction(lower / higher).limit_denominator(_LARGEST_FACTOR)
    if ratio.numerator == 0:
        raise ValueError(f"{from_rate} Hz to {to_rate} Hz is no ratio of small whole numbers")
    if from_rate > to_rate:
        return ratio.numerator, ratio.denominator
    return ratio.denominator, ratio.numerator
