"""Changing the sampling rate, by two named methods.

``polyphase`` (scipy.signal.resample_poly: zero-phase FIR anti-aliasing, edges assumed zero) and
``fft`` (scipy.signal.resample: exact for periodic, band-limited signals; used by Singstad et al.
2022). Both keep the first sample's time.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Literal

import numpy as np
from numpy.typing import NDArray

ResamplingMethod = Literal["polyphase", "fft"]

_LARGEST_FACTOR = 10_000


def resample(
    signal: NDArray[np.floating],
    from_rate: float,
    to_rate: float,
    method: ResamplingMethod = "polyphase",
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
    ratio = Fraction(to_rate / from_rate).limit_denominator(_LARGEST_FACTOR)
    if ratio.numerator > _LARGEST_FACTOR or ratio.numerator == 0:
        raise ValueError(f"{from_rate} Hz to {to_rate} Hz is no ratio of small whole numbers")
    resampled = scipy_signal.resample_poly(values, ratio.numerator, ratio.denominator, axis=-1)
    if resampled.shape[-1] < samples:
        padding = [(0, 0)] * (values.ndim - 1) + [(0, samples - resampled.shape[-1])]
        resampled = np.pad(resampled, padding, mode="edge")
    return resampled[..., :samples]
