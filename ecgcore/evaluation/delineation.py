"""How far a delineation is from marks made by people: found, missed, false, and errors in ms.

Waves are paired one to one, the nearest pair first, within 150 ms, and only between the first and
the last mark of the reference, outside of which nothing was marked. Boundary errors are found
minus reference. The tolerances are those of the CSE working party, Recommendations for Measurement
Standards in Quantitative Electrocardiography, Eur Heart J 1985;6:815-825 (two standard deviations
between referees).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ecgcore.datasets.ludb import MarkedRecording
from ecgcore.signal.delineation.agreement import agree, middles
from ecgcore.signal.delineation.waves import (
    OFFSET,
    ONSET,
    PEAK,
    WAVES,
    Delineation,
    Marks,
    Wave,
    shown,
)

WINDOW_MS = 150.0

BOUNDARIES: dict[str, tuple[Wave, int, float]] = {
    "P on": ("P", ONSET, 10.2),
    "P off": ("P", OFFSET, 12.7),
    "QRS on": ("QRS", ONSET, 6.5),
    "QRS off": ("QRS", OFFSET, 11.6),
    "T off": ("T", OFFSET, 30.6),
}
"""The boundaries that intervals are measured between: wave, mark, CSE tolerance in ms."""


@dataclass(frozen=True)
class WaveScore:
    """Waves of one kind: ``errors_ms`` (found, 3) of the paired ones, NaN where one is unmarked."""

    errors_ms: NDArray[np.float64]
    missed: int
    false: int

    @property
    def found(self) -> int:
        """Waves of the reference that were found."""
        return len(self.errors_ms)

    @property
    def sensitivity(self) -> float | None:
        """Share of the reference's waves that were found; None without any."""
        return _share(self.found, self.found + self.missed)

    @property
    def ppv(self) -> float | None:
        """Share of the given waves that are in the reference; None without any."""
        return _share(self.found, self.found + self.false)


@dataclass(frozen=True)
class BoundaryScore:
    """Errors of one boundary in ms over ``count`` waves; None where there are too few."""

    count: int
    bias_ms: float | None
    sd_ms: float | None
    within: float | None


@dataclass(frozen=True)
class RecordingScore:
    """One recording: the waves of the heart, those of its leads pooled; and where its reference
    has no P wave at all, how many beats were left without one, of how many ((0, 0) elsewhere)."""

    overall: Mapping[Wave, WaveScore]
    leads: Mapping[Wave, WaveScore]
    without_p: tuple[int, int]


def score_recording(marked: MarkedRecording, found: Delineation) -> RecordingScore:
    """Compare with a recording's own marks; the heart's are what its marked leads agree on.

    Every wave of a lead that was left unread is missed.
    """
    rate = marked.recording.sampling_rate
    by_lead = {lead: {w: mine.waves[w] for w in WAVES} for lead, mine in marked.marks.items()}
    truth, _ = agree(by_lead, rate)
    marks = np.concatenate([truth[wave] for wave in WAVES])
    span = (float(np.nanmin(marks)), float(np.nanmax(marks)))
    nothing = dict.fromkeys(WAVES, np.empty((0, 3)))
    overall = {wave: score_waves(truth[wave], found.overall[wave], span, rate) for wave in WAVES}
    leads = {
        wave: pool(
            [
                score_waves(
                    mine.waves[wave],
                    found.leads.get(lead, nothing)[wave],
                    (mine.start, mine.stop),
                    rate,
                )
                for lead, mine in marked.marks.items()
            ]
        )
        for wave in WAVES
    }
    if len(shown(truth["P"])):
        return RecordingScore(overall, leads, (0, 0))
    return RecordingScore(overall, leads, beats_without_p(truth["QRS"], found.overall["P"], rate))


def score_waves(
    reference: Marks, found: Marks, span: tuple[float, float], sampling_rate: float
) -> WaveScore:
    """Pair the waves of one kind in one lead, or of the heart; both (n, 3) in samples.

    Rows without a peak are no waves. ``span`` is the first and last mark of the reference, of any
    wave: a found wave whose middle lies outside is neither right nor wrong.
    """
    reference, found = shown(reference), shown(found)
    there, here = middles(reference), middles(found)
    pairs = _pairs(there, here, WINDOW_MS * sampling_rate / 1000)
    inside = (here >= span[0]) & (here <= span[1])
    inside[[k for _, k in pairs]] = False
    rows = np.array(pairs, dtype=np.intp).reshape(-1, 2)
    errors = (found[rows[:, 1]] - reference[rows[:, 0]]) * 1000 / sampling_rate
    return WaveScore(errors, len(reference) - len(pairs), int(inside.sum()))


def pool(scores: Sequence[WaveScore]) -> WaveScore:
    """Several leads or recordings as one."""
    errors = [score.errors_ms for score in scores]
    return WaveScore(
        np.concatenate(errors) if errors else np.empty((0, 3)),
        sum(score.missed for score in scores),
        sum(score.false for score in scores),
    )


def score_boundary(score: WaveScore, mark: int, tolerance_ms: float) -> BoundaryScore:
    """Bias, standard deviation and share within a tolerance of one mark's errors."""
    errors = score.errors_ms[:, mark]
    errors = errors[~np.isnan(errors)]
    if errors.size < 2:
        return BoundaryScore(errors.size, None, None, None)
    within = float(np.mean(np.abs(errors) <= tolerance_ms))
    return BoundaryScore(errors.size, float(errors.mean()), float(errors.std(ddof=1)), within)


def beats_without_p(qrs: Marks, p: Marks, sampling_rate: float) -> tuple[int, int]:
    """Beats that no P wave precedes, and beats: QRS (n, 3) of the reference, P (m, 3) as found.

    A P wave precedes the first QRS complex that peaks within 400 ms after it: a longer PR interval
    is rare, and in atrial fibrillation or pacing there is none at all.
    """
    beats = shown(qrs)[:, PEAK]
    if not beats.size:
        return 0, 0
    waves = shown(p)[:, PEAK]
    longest = _LONGEST_PR_SECONDS * sampling_rate
    follows = np.searchsorted(beats, waves)
    near = (follows < len(beats)) & (beats[np.minimum(follows, len(beats) - 1)] - waves <= longest)
    return len(beats) - len(np.unique(follows[near])), len(beats)


_LONGEST_PR_SECONDS = 0.4


def _pairs(
    there: NDArray[np.float64], here: NDArray[np.float64], window: float
) -> list[tuple[int, int]]:
    """Rows of the reference and of what was found that belong together, the nearest first."""
    apart = np.abs(there[:, None] - here[None, :])
    close = np.argwhere(apart <= window)
    order = np.argsort(apart[close[:, 0], close[:, 1]], kind="stable")
    taken: set[int] = set()
    used: set[int] = set()
    found = []
    for row, column in close[order].tolist():
        if row not in taken and column not in used:
            taken.add(row)
            used.add(column)
            found.append((row, column))
    return sorted(found)


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
