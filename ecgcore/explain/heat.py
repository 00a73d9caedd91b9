"""Heat maps on the recording's own time, shared by the explaining methods."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ecgcore.models.input_spec import Prepared

HEAT_RATE = 100.0
"""Samples a second of every heat map: finer than any method's cells, light enough to draw."""


def heat_times(prepared: Prepared) -> NDArray[np.float64]:
    """Seconds since the start of the model's window, (samples,) at ``HEAT_RATE``.

    They end with the recording: the padding after a short one explains nothing.
    """
    samples = max(1, round(prepared.seconds * HEAT_RATE))
    return np.arange(samples, dtype=np.float64) / HEAT_RATE


def silent_leads(prepared: Prepared) -> NDArray[np.bool_]:
    """Which rows of the input are zero throughout (flat leads): they hold no evidence."""
    return np.asarray(~prepared.values.any(axis=1))


def scaled_by_peak(
    raw: NDArray[np.floating], least: float = 0.0
) -> tuple[NDArray[np.float32], float]:
    """The map divided by its largest absolute value, and that value.

    Where the value is not above ``least`` the map is noise: zeros and a peak of 0 come back.
    """
    peak = float(np.abs(raw).max(initial=0.0))
    if not peak > least:
        return np.zeros(raw.shape, dtype=np.float32), 0.0
    return (raw / peak).astype(np.float32), peak
