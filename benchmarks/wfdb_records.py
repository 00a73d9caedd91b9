"""Synthetic 12-lead WFDB records, for benchmarks and tests, that obey the limb-lead identities."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ecgcore.recording import LEADS

COMMENTS = ("# Age: 61", "# Sex: Female", "# Dx: 426783006,164889003")


def synthetic_counts(samples: int, seed: int, reach: int = 700) -> NDArray[np.int16]:
    """Counts (samples, 12) in standard lead order; the limb leads follow from I and II exactly.

    Every lead has a beat-like bump once in 400 samples over noise; |count| stays below 4 x
    ``reach``.
    """
    rng = np.random.default_rng(seed)
    phase = np.arange(samples)[:, None] % 400
    bump = np.exp(-(((phase - 150) / 6) ** 2)) * rng.uniform(0.3, 1.0, 8) * rng.choice([-1, 1], 8)
    free = np.rint(bump * reach * 0.9 + rng.normal(0, reach / 100, (samples, 8))).astype(np.int64)
    free[:, :2] *= 2  # halves stay whole
    one, two = free[:, 0], free[:, 1]
    limbs = [one, two, two - one, -(one + two) // 2, one - two // 2, two - one // 2]
    return np.column_stack([*limbs, free[:, 2:]]).astype(np.int16)


def header_text(
    name: str,
    counts: NDArray[np.signedinteger],
    *,
    rate: str = "500",
    leads: Sequence[str] = LEADS,
    layout: str = "16",
    gain: str = "1000(0)/mV",
    suffix: str = "dat",
    started: str = "",
    comments: Sequence[str] = COMMENTS,
) -> str:
    """The header that tells the truth about ``counts`` (samples, leads)."""
    lines = [f"{name} {len(leads)} {rate} {len(counts)} {started}".rstrip()]
    for lead, row in zip(leads, counts.T, strict=True):
        total = (int(row.sum(dtype=np.int64)) + 2**15) % 2**16 - 2**15
        lines.append(f"{name}.{suffix} {layout} {gain} 16 0 {row[0]} {total} 0 {lead}")
    return "\n".join([*lines, *comments]) + "\n"


def write_record(folder: Path, name: str, seed: int = 1, samples: int = 5000) -> Path:
    """A valid record of format 16 in ``folder``; the path of its header."""
    counts = synthetic_counts(samples, seed)
    header = folder / f"{name}.hea"
    header.write_text(header_text(name, counts))
    header.with_suffix(".dat").write_bytes(counts.astype("<i2").tobytes())
    return header
