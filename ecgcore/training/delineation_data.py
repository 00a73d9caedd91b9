"""Marked recordings as the delineation network learns from them: crops with what is where.

A crop is read off at twice the network's rate with linear interpolation, so that stretching time
and shifting by fractions of a sample cost nothing and marks keep their fractions. What lies outside
the marked stretch of a lead is unknown and teaches nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ecgcore.datasets.ludb import LeadMarks, MarkedRecording
from ecgcore.recording import LEADS
from ecgcore.signal.delineation.lead_input import NETWORK_RATE, lead_input
from ecgcore.signal.delineation.waves import OFFSET, ONSET, PEAK, WAVES, Wave
from ecgcore.signal.resampling import resample

FINE_RATE = 2 * NETWORK_RATE
SAME_WAVE_SECONDS = 0.08
"""Peaks of one wave in different leads are nearer to each other than this."""
LEAST_SHARE = 1 / 3
"""Share of the leads that show a wave, for it to be one of the heart as a whole."""

_UNMARKED_SECONDS = 0.1
"""Around a missing onset or offset nothing is known for this long."""
_BESIDE_SECONDS = 0.02
"""Right before the first and after the last mark there is no other wave yet."""

Values = NDArray[np.float32]


@dataclass(frozen=True)
class MarkedSet:
    """Recordings of one length at FINE_RATE, all leads in standard order.

    ``signal`` (records, leads, n); ``inside`` (records, leads + 1, 3, n) how much of a sample lies
    in a P, QRS, T wave, the last row for the heart as a whole; ``known`` (records, leads + 1, n).
    """

    signal: Values
    inside: Values
    known: Values
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.names)

    def select(self, chosen: Sequence[int]) -> MarkedSet:
        """Some of the recordings."""
        index = list(chosen)
        names = tuple(self.names[i] for i in index)
        return MarkedSet(self.signal[index], self.inside[index], self.known[index], names)


def marked_set(recordings: Sequence[MarkedRecording], seconds: float = 10.0) -> MarkedSet:
    """Recordings with all twelve leads, cut or filled up to ``seconds``."""
    samples = round(seconds * FINE_RATE)
    made = [_one(marked, samples) for marked in recordings]
    signal, inside, known = (np.stack([row[part] for row in made]) for part in range(3))
    return MarkedSet(signal, inside, known, tuple(m.recording.record_id for m in recordings))


def _one(marked: MarkedRecording, samples: int) -> tuple[Values, Values, Values]:
    recording = marked.recording
    read = lead_input(recording.signal, recording.sampling_rate)
    signal = fitted(resample(read.values, NETWORK_RATE, FINE_RATE).astype(np.float32), samples)
    to_fine = FINE_RATE / recording.sampling_rate
    shift = read.file_samples(np.zeros(1))[0] * to_fine
    rows = [marked.marks[lead] for lead in LEADS] + [
        overall_marks(marked.marks, recording.sampling_rate)
    ]
    dense = [_dense(row, to_fine, shift, samples) for row in rows]
    return signal, np.stack([d[0] for d in dense]), np.stack([d[1] for d in dense])


def fitted(values: Values, samples: int) -> Values:
    """(..., samples): cut, or filled up with zeros."""
    kept = values[..., :samples]
    return np.pad(kept, [(0, 0)] * (kept.ndim - 1) + [(0, samples - kept.shape[-1])])


def _dense(marks: LeadMarks, to_fine: float, shift: float, samples: int) -> tuple[Values, Values]:
    """How much of each sample lies in each wave (3, n), and whether that is known (n,)."""
    at = np.arange(samples, dtype=np.float64)
    inside = np.zeros((len(WAVES), samples), dtype=np.float32)
    beside = _BESIDE_SECONDS * FINE_RATE
    start, stop = (edge * to_fine - shift for edge in (marks.start, marks.stop))
    known = ((at >= start - beside) & (at <= stop + beside)).astype(np.float32)
    for row, wave in enumerate(WAVES):
        for place in marks.waves[wave] * to_fine - shift:
            onset, peak, offset = place[ONSET], place[PEAK], place[OFFSET]
            unsure = _UNMARKED_SECONDS * FINE_RATE
            if np.isnan(onset):
                known[(at >= peak - unsure) & (at <= peak)] = 0
                onset = peak
            if np.isnan(offset):
                known[(at >= peak) & (at <= peak + unsure)] = 0
                offset = peak
            share = np.clip(np.minimum(offset, at + 0.5) - np.maximum(onset, at - 0.5), 0, 1)
            inside[row] = np.maximum(inside[row], share)
    return inside, known


def overall_marks(leads: Mapping[str, LeadMarks], sampling_rate: float) -> LeadMarks:
    """The heart's marks: the median over the leads that show a wave, where a third of them do.

    A wave of fewer leads is none of the heart's: LUDB has such only at the ends, where the marked
    stretches of the leads differ.
    """
    apart = SAME_WAVE_SECONDS * sampling_rate
    waves: dict[Wave, NDArray[np.float64]] = {}
    for wave in WAVES:
        rows = np.concatenate([marks.waves[wave] for marks in leads.values()])
        rows = rows[np.argsort(rows[:, PEAK], kind="stable")]
        groups = np.split(rows, np.flatnonzero(np.diff(rows[:, PEAK]) > apart) + 1)
        found = [_median(group) for group in groups if len(group) >= LEAST_SHARE * len(leads)]
        waves[wave] = np.array(found, dtype=np.float64).reshape(-1, 3)
    starts = float(np.median([marks.start for marks in leads.values()]))
    stops = float(np.median([marks.stop for marks in leads.values()]))
    return LeadMarks(waves, starts, stops)


def _median(group: NDArray[np.float64]) -> NDArray[np.float64]:
    present = [column[~np.isnan(column)] for column in group.T]
    return np.array([np.median(column) if column.size else np.nan for column in present])
