"""LUDB: 200 recordings of 10 s at 500 Hz, P, QRS and T waves marked by cardiologists in each lead.

Kalyakulina et al., LUDB: A New Open-Access Validation Tool for Electrocardiogram Delineation
Algorithms, IEEE Access 2020;8:186181-186190. Each lead has a WFDB annotation file (``1.ii``) of
``(`` onset, ``p`` / ``N`` / ``t`` peak, ``)`` offset. The first and the last beat are not marked:
what lies outside a lead's first and last mark is unknown, not empty. The stored voltages are false
(see the reader's warning); times are true.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ecgcore.readers.opening import read_path
from ecgcore.recording import LEADS, Recording
from ecgcore.signal.delineation.waves import Wave

PEAKS: dict[str, Wave] = {"p": "P", "N": "QRS", "t": "T"}

# MIT annotation codes (WFDB Programmer's Guide, ecgcodes.h) and the pseudo-codes of the format.
_SYMBOLS = {1: "N", 24: "p", 27: "t", 39: "(", 40: ")"}
_SKIP, _NUMBER, _SUBTYPE, _CHANNEL, _TEXT = 59, 60, 61, 62, 63

# One wave; or a peak that was put just before its onset; or a wave lacking onset or offset; or
# several waves marked over each other, which nobody can read (record 116).
_WAVE = re.compile(r"\([pNt]\)|[pNt]\(\)|[pNt]\)|\([pNt](?![pNt)])|\(+[pNt]+\)+|.")


class LudbError(ValueError):
    """Annotations that are not LUDB's: which file, what was found, what is expected."""


@dataclass(frozen=True)
class LeadMarks:
    """One lead's marks. ``waves`` by kind (P, QRS, T): (waves, 3) onset, peak, offset in samples.

    A wave always has its peak; an onset or offset that is not marked is NaN. ``start`` and
    ``stop`` are the first and last mark; only between them is an unmarked wave an absent one.
    """

    waves: Mapping[Wave, NDArray[np.float64]]
    start: float
    stop: float


@dataclass(frozen=True)
class MarkedRecording:
    """A recording with its marks by lead; ``rhythm`` as its header states it."""

    recording: Recording
    marks: Mapping[str, LeadMarks]
    rhythm: str
    paced: bool


def read_ludb(folder: Path, limit: int | None = None) -> tuple[MarkedRecording, ...]:
    """All recordings of a folder (``1.hea``, ``1.dat``, ``1.i`` ...), by number.

    Raises LudbError where there are none or their marks are damaged, RecordingError for signals.
    """
    numbers = sorted(int(path.stem) for path in folder.glob("*.hea") if path.stem.isdigit())
    if not numbers:
        raise LudbError(f"no LUDB header (1.hea, 2.hea ...) in {folder}; name LUDB's data folder")
    return tuple(read_marked(folder, number) for number in numbers[:limit])


def read_marked(folder: Path, number: int) -> MarkedRecording:
    """One recording with its marks. Raises LudbError, RecordingError."""
    recording = read_path(folder / f"{number}.hea")
    marks = {}
    for lead in recording.leads:
        path = folder / f"{number}.{lead.lower()}"
        try:
            data = path.read_bytes()
        except OSError as error:
            raise LudbError(f"{path} cannot be read: {error}; LUDB has it for each lead") from error
        marks[lead] = lead_marks(read_annotations(data, path.name), path.name)
    texts = [statement.code for statement in recording.statements]
    rhythm = next((t.partition(":")[2].strip(" .") for t in texts if t.startswith("Rhythm")), "")
    paced = any("pacing" in text.lower() for text in texts)
    ordered = {lead: marks[lead] for lead in LEADS if lead in marks}
    return MarkedRecording(recording, ordered, rhythm, paced)


def read_annotations(data: bytes, name: str) -> list[tuple[str, int]]:
    """Symbols with their samples from the bytes of an MIT annotation file.

    Raises LudbError for a symbol that LUDB does not use, or a file that breaks off.
    """
    words = np.frombuffer(data[: len(data) // 2 * 2], dtype="<u2").tolist()
    found: list[tuple[str, int]] = []
    time = at = 0
    while at < len(words):
        code, step = words[at] >> 10, words[at] & 0x3FF
        at += 1
        if code == 0 and step == 0:
            return found
        if code == _SKIP and at + 1 < len(words):
            ahead = (words[at] << 16) | words[at + 1]
            time += ahead - (1 << 32) if ahead >= 1 << 31 else ahead
            at += 2
        elif code == _TEXT:
            at += (step + 1) // 2
        elif code in _SYMBOLS:
            time += step
            found.append((_SYMBOLS[code], time))
        elif code not in (_NUMBER, _SUBTYPE, _CHANNEL):
            raise LudbError(f"{name} holds annotation code {code}; LUDB has ( p N t ) only")
    raise LudbError(f"{name} ends without the end mark; copy the file again")


def lead_marks(found: list[tuple[str, int]], name: str) -> LeadMarks:
    """The waves of one lead from its annotations in time order.

    Waves marked over each other are left out, and everything before them where they come first.
    Raises LudbError where there is no wave.
    """
    rows: dict[Wave, list[tuple[float, float, float]]] = {wave: [] for wave in PEAKS.values()}
    start = np.inf
    stop = -np.inf
    for wave, marks, times in _waves(found):
        if wave is not None:
            rows[wave].append(marks)
            start = min(start, times[0])
        stop = max(stop, times[-1])
    if not np.isfinite(start):
        raise LudbError(f"{name} marks no wave; LUDB marks several in each lead")
    waves = {wave: np.array(marks, dtype=np.float64).reshape(-1, 3) for wave, marks in rows.items()}
    return LeadMarks(waves, float(start), float(stop))


def _waves(
    found: list[tuple[str, int]],
) -> Iterator[tuple[Wave | None, tuple[float, float, float], list[int]]]:
    """Kind (None: unreadable), marks, and all times of each group of annotations."""
    text = "".join(symbol for symbol, _ in found)
    nothing = float("nan")
    for match in _WAVE.finditer(text):
        group = found[match.start() : match.end()]
        times = [time for _, time in group]
        peaks = [(PEAKS[symbol], float(time)) for symbol, time in group if symbol in PEAKS]
        onsets = [float(time) for symbol, time in group if symbol == "("]
        offsets = [float(time) for symbol, time in group if symbol == ")"]
        if len(peaks) != 1 or len(onsets) > 1 or len(offsets) > 1:
            yield None, (nothing, nothing, nothing), times
            continue
        wave, peak = peaks[0]
        onset = onsets[0] if onsets else nothing
        offset = offsets[0] if offsets else nothing
        yield wave, (onset, max(peak, onset) if onsets else peak, offset), times
