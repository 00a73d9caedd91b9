"""Synthetic recordings whose every voltage is known."""

from __future__ import annotations

import numpy as np

from ecgcore.recording import LEADS, Recording, Signal, Source

RATE = 500.0
SOURCE = Source("synthetic", "0" * 64)


def recording(
    signal: Signal, leads: tuple[str, ...] = LEADS, rate: float = RATE, record_id: str = "synthetic"
) -> Recording:
    return Recording(record_id, signal.astype(np.float32), rate, leads, SOURCE)


def flat(seconds: float = 10.0, leads: tuple[str, ...] = LEADS, rate: float = RATE) -> Signal:
    return np.zeros((len(leads), round(seconds * rate)), dtype=np.float32)


def lead_height(lead: str) -> float:
    """The pulse height in mV of ``pulses``: another one for each lead."""
    return 0.3 + 0.08 * LEADS.index(lead)


def pulses(seconds: float = 10.0, rate: float = RATE) -> Recording:
    """Square pulses of ``lead_height``, 0.2 s long, at 0.6 s of every second."""
    signal = flat(seconds, rate=rate)
    time = np.arange(signal.shape[1]) / rate
    on = (np.mod(time, 1.0) >= 0.6 - 1e-9) & (np.mod(time, 1.0) < 0.8 - 1e-9)
    for row, lead in enumerate(LEADS):
        signal[row, on] = lead_height(lead)
    return recording(signal, rate=rate)
