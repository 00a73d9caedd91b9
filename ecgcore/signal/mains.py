"""Mains hum taken out of what is measured: followed in the pauses between waves, then subtracted.

Averaging beats removes hum only where the beats do not keep step with it; at 50 or 75 a minute,
say, they do, and the hum then stands in the median beat and feigns waves before and after the QRS
complex. A notch filter would ring on the complex. So the hum's height and phase are read where
there is no wave, and a sine of these is subtracted, through the complex too (the subtraction
procedure: Levkov et al., Removal of power-line interference from the ECG, Biomed Eng Online
2005;4:50).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ecgcore.signal.delineation.waves import OFFSET, ONSET, WAVES, Delineation, shown
from ecgcore.signal.quality import MAINS_HZ

LEAST_MV = 0.004
"""Hum of a smaller amplitude is left alone: it is not told from noise, and does no harm."""
_FOLLOWED_SECONDS = 2.0
"""Height and phase are the mean over about this long: mains drift by some 0.05 Hz."""
_LEAST_SECONDS = 0.2
"""Of pauses within that time; with fewer nothing is known of the hum there."""
_ABOVE_CHANCE = 4.0
"""Noise alone looks like hum of some power; less than this many times of it is no hum."""
_REACH = 4.0
"""The Gaussian mean is cut off at this many of its standard deviations."""
_MARGIN_SECONDS = 0.02
"""Waves have tails beyond their marks."""
_SAMPLES_A_TURN = 2.5

_Values = NDArray[np.float64]


def pauses(delineation: Delineation) -> NDArray[np.bool_]:
    """(samples,): where no wave of the heart lies."""
    rate, samples = delineation.sampling_rate, delineation.samples
    margin = _MARGIN_SECONDS * rate
    quiet = np.ones(samples, dtype=bool)
    for wave in WAVES:
        for row in shown(delineation.overall[wave]):
            if np.isfinite(row).all():
                first = max(int(row[ONSET] - margin), 0)
                quiet[first : int(row[OFFSET] + margin) + 1] = False
    return quiet


def without_mains(
    signal: NDArray[np.floating], sampling_rate: float, quiet: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """(leads, samples) in mV without hum at 50 and 60 Hz; missing samples stay missing.

    ``quiet`` (samples,) says where no wave is. Leads whose hum is below LEAST_MV come back as they
    are, and so does a recording of too low a rate.
    """
    values = np.asarray(signal, dtype=np.float64)
    for line in MAINS_HZ:
        if sampling_rate >= _SAMPLES_A_TURN * line:
            values = values - _hum(values, sampling_rate, line, quiet)
    return values.astype(np.float32)


def _hum(values: _Values, rate: float, line: float, quiet: NDArray[np.bool_]) -> _Values:
    """The hum of each lead, (leads, samples); zero where it is too small to matter."""
    half = max(round(rate / (2 * line)), 1)
    # Half a turn apart hum is opposite and everything slow is alike: twice the middle less its
    # neighbours holds the hum alone, ``gain`` times.
    gain = 2 - 2 * np.cos(2 * np.pi * line * half / rate)
    samples = values.shape[1]
    hum = np.zeros_like(values)
    if samples < 4 * half:
        return hum
    inner = slice(half, samples - half)
    alone = (2 * values[:, inner] - values[:, : -2 * half] - values[:, 2 * half :]) / gain
    sure = quiet[inner] & quiet[: -2 * half] & quiet[2 * half :]
    turn = np.exp(-2j * np.pi * line * np.arange(samples) / rate)
    for lead, row in enumerate(alone):
        kept = sure & np.isfinite(row)
        found = _followed(np.where(kept, row, 0.0) * turn[inner], kept, rate)
        if found is None:
            continue
        height, chance = found
        power = float(np.mean(np.abs(height) ** 2))
        if power < max(LEAST_MV**2, _ABOVE_CHANCE * chance):
            continue
        whole = np.concatenate([np.full(half, height[0]), height, np.full(half, height[-1])])
        hum[lead] = np.real(whole * turn.conj())
    return hum


def _followed(
    demodulated: NDArray[np.complex128], kept: NDArray[np.bool_], rate: float
) -> tuple[NDArray[np.complex128], float] | None:
    """The sine's complex amplitude at each sample and the power that noise alone would give it.

    None where there are too few pauses.
    """
    from scipy.signal import oaconvolve

    width = _FOLLOWED_SECONDS * rate / np.sqrt(12)  # as wide as a rectangle of that length
    reach_samples = round(_REACH * width)
    kernel = np.exp(-0.5 * (np.arange(-reach_samples, reach_samples + 1) / width) ** 2)
    kernel /= kernel.sum()

    def smoothed(values: _Values) -> _Values:
        smooth: _Values = oaconvolve(values, kernel, mode="same")  # 2,000 taps: by its transform
        return smooth

    share, reach = smoothed(kept.astype(np.float64)), smoothed(np.ones(len(kept)))
    if (share / reach).min() * _FOLLOWED_SECONDS < _LEAST_SECONDS:
        return None
    mean: NDArray[np.complex128] = smoothed(demodulated.real) / share + 1j * (
        smoothed(demodulated.imag) / share
    )
    spread = np.mean(np.abs(demodulated[kept] - mean[kept]) ** 2)
    counted = 2 * np.sqrt(np.pi) * width * share  # samples in a Gaussian mean
    amplitude: NDArray[np.complex128] = 2 * mean
    return amplitude, float(4 * spread * np.mean(1 / counted))
