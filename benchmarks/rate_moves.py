"""How far probabilities move with a recording's rate, on voltages, for ``robustness.py``.

The 250 and 1000 Hz versions of a 500 Hz recording are made in three ways: polyphase with the
straight line beyond the ends (what a recorder would have written, as nearly as can be), polyphase
with zeros and FFT, which bend the ends themselves. "a sample less" is a control: the same
recording at 500 Hz without its last sample. An answer's move is the largest difference among the
versions, and a recording's that of its answered label that moves most. A model that is told more
than the signal is told of every version what was found in the recording itself; "line, told anew"
measures its rules on each version.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ecgcore.models.input_spec import prepare
from ecgcore.models.predictor import Predictor
from ecgcore.readers.opening import find_recordings, read_path
from ecgcore.recording import LEADS, Recording
from ecgcore.signal.resampling import resample

SETS = ("ptbxl_raw500", "ludb", "cinc2021")
ALLOWED = 0.02
LINE, LESS, TOLD = "line", "a sample less", "line, told anew"
WAYS = (LINE, LESS, "zero", "fft")


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
    told = bool(predictor.card.spec.aside)
    for data_set, recording in recordings:
        held = predictor.holding(prepare(recording, predictor.card.spec).aside)
        before = _answers(held, recording, aside=False)
        for way in (*WAYS, TOLD) if told else WAYS:
            answerer = predictor if way == TOLD else held
            versions = _versions(recording, way)
            after = [_answers(answerer, one, aside=way == TOLD) for one in versions]
            largest = float(np.ptp(np.stack([before, *after]), axis=0).max())
            yield Move(data_set, recording.record_id, way, largest)


def _versions(recording: Recording, way: str) -> Iterator[Recording]:
    if way == LESS:
        yield replace(recording, signal=recording.signal[:, :-1])
        return
    for rate in (250.0, 1000.0):
        values = resample(
            recording.signal,
            recording.sampling_rate,
            rate,
            "fft" if way == "fft" else "polyphase",
            "line" if way in (LINE, TOLD) else "zero",
        )
        yield replace(recording, signal=values.astype(np.float32), sampling_rate=rate)


def _answers(predictor: Predictor, recording: Recording, *, aside: bool) -> NDArray[np.float32]:
    """Probabilities of the answered labels; aside values are measured, or those that are held."""
    spec = predictor.card.spec
    prepared = prepare(recording, spec if aside else replace(spec, aside=()))
    told = prepared.aside[None] if aside else None
    answered = [label.answered for label in predictor.card.labels]
    probabilities: NDArray[np.float32] = predictor.probabilities(prepared.values[None], told)
    return probabilities[0, answered]


def print_moves(name: str, found: list[Move]) -> None:
    """Largest, 99th percentile, how many break ALLOWED, and which they are."""
    print(f"{name}: moves of a probability between 250, 500 and 1000 Hz; allowed {ALLOWED}")
    for way in (*WAYS, TOLD):
        for data_set in SETS:
            rows = [m for m in found if (m.way, m.data_set) == (way, data_set)]
            if not rows:
                continue
            sizes = np.array([move.largest for move in rows])
            worst = sorted(rows, key=lambda move: -move.largest)
            broken = [m for m in worst if m.largest >= ALLOWED]
            shown = ", ".join(f"{m.record} {m.largest:.3f}" for m in broken[:3])
            print(
                f"  {way:16}{data_set:14}{len(rows):4}  largest {sizes.max():.4f}  "
                f"99 % {np.quantile(sizes, 0.99):.4f}  median {np.median(sizes):.4f}  "
                f"over {len(broken):3}  {shown}"
            )
