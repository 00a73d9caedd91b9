"""Hearts made of Gaussian waves at known times, for tests of detection and delineation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ecgcore.recording import LEADS, Recording, Source

# Seconds from the R peak, standard deviation in seconds, height in mV.
P_WAVE = (-0.16, 0.018, 0.12)
QRS_WAVES = ((-0.022, 0.006, -0.12), (0.0, 0.010, 1.0), (0.026, 0.008, -0.2))
T_WAVE = (0.28, 0.045, 0.3)
SHARES = np.array([0.7, 1.0, 0.4, -0.85, 0.3, 0.7, -0.5, -0.6, 0.5, 1.1, 1.2, 0.9])


def beats(rate_bpm: float, seconds: float, first: float = 0.5) -> NDArray[np.float64]:
    """R peaks in seconds."""
    return np.arange(first, seconds, 60 / rate_bpm)


def heart(
    peaks: Sequence[float] | NDArray[np.float64],
    seconds: float = 10.0,
    rate: float = 500.0,
    *,
    noise_mv: float = 0.0,
    with_p: bool = True,
    wide: Sequence[int] = (),
) -> NDArray[np.float64]:
    """Leads (12, samples) in mV with beats at ``peaks``; those in ``wide`` are ventricular."""
    time = np.arange(round(seconds * rate)) / rate
    trace = np.zeros_like(time)
    for beat, peak in enumerate(peaks):
        if beat in wide:
            waves = [(0.0, 0.035, 1.4), (0.3, 0.06, -0.4)]
        else:
            waves = [*QRS_WAVES, T_WAVE, *([P_WAVE] if with_p else [])]
        for at, width, height in waves:
            trace += height * np.exp(-(((time - peak - at) / width) ** 2) / 2)
    noise = np.random.default_rng(7).normal(0, 1, (12, time.size)) * noise_mv
    return SHARES[:, None] * trace + noise


def recording(
    signal: NDArray[np.floating], rate: float = 500.0, leads: Sequence[str] = LEADS
) -> Recording:
    """Leads in any order as a recording."""
    return Recording.from_leads(
        "heart", signal.astype(np.float32), leads[: len(signal)], rate, Source("test", "")
    )
