"""How far probabilities move with a recording's rate, on voltages, for ``robustness.py``.

The 250 and 1000 Hz versions of a 500 Hz recording are made in three ways: polyphase with the
straight line beyond the ends (what a recorder would have written, as nearly as can be), polyphase
with zeros and FFT, which bend the ends themselves. "a sample less" is a control: the same
recording at 500 Hz without its last sample. An answer's move is the largest difference among the
versions, and a recording's that of its answered label that moves most.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ecgcore.models.predictor import Predictor
from ecgcore.readers.opening import find_recordings, read_path
from ecgcore.recording import LEADS, Recording
from ecgcore.signal.resampling import resample

SETS = ("ptbxl_raw500", "ludb", "cinc2021")
ALLOWED = 0.02
WAYS = ("line", "zero", "fft", "a sample less")


@dataclass(frozen=True)
class Move:
    """How far one model's answers for one recording moved, and that recording's set and name."""

    data_set: str
    record: str
    way: str
    largest: float


def voltages(data: Path, limit: int | None) -> list[tuple[str, Recording]]:
    """Complete 12-lead recordings at 500 Hz, with the name of their set; ``limit`` of each."""
    found = []
    for name in SETS:
        recordings = (read_path(path) for path in find_recordings(data / name))
        usable = [r for r in recordings if _usable(r)]
        found += [(name, recording) for recording in usable[:limit]]
    return found


def _usable(recording: Recording) -> bool:
    whole = recording.leads == LEADS and bool(np.isfinite(recording.signal).all())
    return whole and recording.sampling_rate == 500 and recording.seconds >= 5


def moves(predictor: Predictor, recordings: list[tuple[str, Recording]]) -> Iterator[Move]:
    """A row a recording and way."""
    for data_set, recording in recordings:
        before = _answers(predictor, recording)
        for way in WAYS:
            answers = [before, *(_answers(predictor, one) for one in _versions(recording, way))]
            largest = float(np.ptp(np.stack(answers), axis=0).max())
            yield Move(data_set, recording.record_id, way, largest)


def _versions(recording: Recording, way: str) -> Iterator[Recording]:
    if way == "a sample less":
        yield replace(recording, signal=recording.signal[:, :-1])
        return
    for rate in (250.0, 1000.0):
        values = resample(
            recording.signal,
            recording.sampling_rate,
            rate,
            "fft" if way == "fft" else "polyphase",
            "line" if way == "line" else "zero",
        )
        yield replace(recording, signal=values.astype(np.float32), sampling_rate=rate)


def _answers(predictor: Predictor, recording: Recording) -> NDArray[np.float64]:
    labels = predictor.predict(recording).labels
    return np.array([label.probability for label in labels if label.probability is not None])


def print_moves(name: str, found: list[Move]) -> None:
    """Largest, 99th percentile, how many break ALLOWED, and which they are."""
    print(f"{name}: moves of a probability between 250, 500 and 1000 Hz; allowed {ALLOWED}")
    for way in WAYS:
        for data_set in SETS:
            rows = [m for m in found if (m.way, m.data_set) == (way, data_set)]
            if not rows:
                continue
            sizes = np.array([move.largest for move in rows])
            worst = sorted(rows, key=lambda move: -move.largest)
            broken = [m for m in worst if m.largest >= ALLOWED]
            shown = ", ".join(f"{m.record} {m.largest:.3f}" for m in broken[:3])
            print(
                f"  {way:14}{data_set:14}{len(rows):4}  largest {sizes.max():.4f}  "
                f"99 % {np.quantile(sizes, 0.99):.4f}  median {np.median(sizes):.4f}  "
                f"over {len(broken):3}  {shown}"
            )
