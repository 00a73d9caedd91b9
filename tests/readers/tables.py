"""Tables that the tests of the CSV and NPZ readers are given."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ecgcore.readers.stated import Stated
from ecgcore.recording import LEADS, LIMB_LEADS, Recording, limb_lead

RATE = 500.0
ALL_STATED = Stated(sampling_rate=RATE, unit="mV")


def twelve_leads(samples: int = 1000) -> NDArray[np.float32]:
    """Beats in twelve leads that obey Einthoven and Goldberger, rounded to 1 uV."""
    times = np.arange(samples) / RATE
    beat = np.exp(-(((times % 0.8) - 0.4) ** 2) / (2 * 0.01**2))
    wave = np.exp(-(((times % 0.8) - 0.65) ** 2) / (2 * 0.04**2))
    leads = {"I": 0.6 * beat + 0.1 * wave, "II": 1.1 * beat + 0.2 * wave}
    given = {lead: values.astype(np.float32) for lead, values in leads.items()}
    rows = [given.get(lead) for lead in LIMB_LEADS]
    rows = [
        row if row is not None else limb_lead(LIMB_LEADS[i], given) for i, row in enumerate(rows)
    ]
    chest = [((0.3 * i - 0.8) * beat + 0.15 * wave).astype(np.float32) for i in range(6)]
    return np.round(np.stack([*rows, *chest]), 3)


def csv_bytes(
    signal: NDArray[np.floating],
    *,
    heading: str = ",".join(LEADS),
    comments: str = "# sampling_rate: 500\n# unit: mV\n",
    delimiter: str = ",",
    decimal: str = ".",
    scale: float = 1.0,
) -> bytes:
    rows = [
        delimiter.join(f"{value * scale:.6g}".replace(".", decimal) for value in row)
        for row in signal.T
    ]
    return (comments + heading + "\n" + "\n".join(rows) + "\n").encode()


def with_time(signal: NDArray[np.float32], times: NDArray[np.floating]) -> NDArray[np.float64]:
    return np.vstack([times, signal.astype(np.float64)])


def warnings_of(recording: Recording) -> str:
    return "\n".join(recording.source.warnings)
