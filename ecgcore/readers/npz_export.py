"""A recording as NPZ, in the form that ``npz_table`` reads back."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np

from ecgcore.recording import SIMULATED, Recording
from ecgcore.storage import write_bytes


def save_npz(path: Path, recording: Recording) -> None:
    """Write ``signal`` (leads, samples) in mV, ``leads``, ``sampling_rate``, ``unit`` and whether
    the recording is ``simulated``, atomically.
    """
    file = io.BytesIO()
    np.savez(
        file,
        signal=recording.signal,
        leads=np.array(recording.leads),
        sampling_rate=np.float64(recording.sampling_rate),
        unit=np.array("mV"),
        simulated=np.array(SIMULATED in recording.source.warnings),
    )
    write_bytes(path, file.getvalue())
