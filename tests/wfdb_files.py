"""Synthetic WFDB records, written by hand so that the tests need no other library."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ecgcore.readers.opening import NamedBytes
from ecgcore.recording import LEADS

GAIN = 1000  # counts per mV
RATE = 500


def wfdb_files(
    name: str, seconds: float = 10.0, rate_bpm: float = 72.0, age: int = 61, scp: str = ""
) -> list[NamedBytes]:
    """Header and signal file of a 12-lead record in format 16 that keeps every identity; ``scp``
    are its statements, as "NORM;SR"."""
    counts = _counts(seconds, rate_bpm)
    lines = [f"{name} 12 {RATE} {counts.shape[1]}"]
    for lead, row in zip(LEADS, counts, strict=True):
        checksum = int(row.astype(np.int64).sum()) & 0xFFFF
        checksum -= 0x10000 if checksum >= 0x8000 else 0
        lines.append(f"{name}.dat 16 {GAIN}(0)/mV 16 0 {row[0]} {checksum} 0 {lead}")
    lines += [f"# Age: {age}", "# Sex: Female", *([f"# SCP: {scp}"] if scp else []), ""]
    data = np.ascontiguousarray(counts.T).astype("<i2").tobytes()
    return [
        NamedBytes(f"{name}.hea", "\n".join(lines).encode()),
        NamedBytes(f"{name}.dat", data),
    ]


def write_wfdb(
    folder: Path, name: str, seconds: float = 10.0, rate_bpm: float = 72.0, scp: str = ""
) -> Path:
    """Write a record into a folder; the path of its header."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in wfdb_files(name, seconds, rate_bpm, scp=scp):
        (folder / file.name).write_bytes(file.data)
    return folder / f"{name}.hea"


def broken_wfdb_files(name: str) -> list[NamedBytes]:
    """A record whose first gain is spelled with a letter O."""
    header, signal = wfdb_files(name)
    broken = header.data.replace(b" 1000(0)/mV", b" 1OOO(0)/mV", 1)
    return [NamedBytes(header.name, broken), signal]


def _counts(seconds: float, rate_bpm: float) -> np.ndarray:
    """(12, samples) int counts: beats of another shape and size in each lead, as a heart's are seen
    from eight sides; limb leads by the algebra."""
    time = np.arange(round(seconds * RATE)) / RATE
    phase = (time * rate_bpm / 60) % 1.0
    sizes = np.array([0.7, 1.1, -0.5, 0.4, 0.8, 1.2, 1.1, 0.9])[:, None]
    late = np.array([0, 0, 0, 2, 4, 6, 8, 8])[:, None] / 1000
    s_waves = np.array([0.1, 0.05, -0.2, -1.0, -0.8, -0.4, -0.1, 0.0])[:, None]
    t_waves = np.array([0.2, 0.3, -0.05, 0.2, 0.35, 0.3, 0.25, 0.2])[:, None]
    beats = (
        0.1 * np.exp(-(((phase - 0.24) / 0.025) ** 2)) * sizes
        + np.exp(-(((phase - 0.40 - late) / 0.014) ** 2)) * sizes
        + np.exp(-(((phase - 0.44) / 0.014) ** 2)) * s_waves
        + np.exp(-(((phase - 0.66) / 0.055) ** 2)) * t_waves
    )
    noise = np.random.default_rng(7).normal(0, 0.006, (8, len(time)))
    source = 2 * np.round(GAIN * (beats + noise) / 2)  # even: halves stay whole
    one, two = source[0], source[1]
    limb = [one, two, two - one, -(one + two) / 2, one - two / 2, two - one / 2]
    return np.stack([*limb, *source[2:]]).astype(np.int64)
