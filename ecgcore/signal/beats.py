"""Beats: where they are, which look alike, which are ectopic or paced, and what the usual one is.

Beats are grouped by the shape and size of the QRS complex over all leads together; the dominant
group is the most frequent, and its median beat is what amplitudes are measured on: averaging over
aligned beats keeps what repeats and lowers what does not (Kligfield et al., AHA/ACC/HRS
Recommendations, Part I, Circulation 2007;115:1306-1324, ask for representative complexes).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ecgcore.recording import Recording
from ecgcore.signal.beat_alignment import aligned_beats, beat_windows, level_line
from ecgcore.signal.beat_groups import group_beats
from ecgcore.signal.delineation.waves import OFFSET, ONSET, PEAK, Delineation
from ecgcore.signal.detection import detect_qrs
from ecgcore.signal.ectopy import (
    LEAST_GAP_SECONDS,
    BeatFacts,
    BeatKind,
    ectopic_kinds,
    unbroken,
)
from ecgcore.signal.pacing import paced_before

_Values = NDArray[np.float64]

USUAL_ONSET_SECONDS = 0.045
"""From QRS onset to its middle, where a beat was detected but not delineated: half of 90 ms."""
SLOWEST_DETECTION_HZ = 50.0
BEFORE_SECONDS, AFTER_SECONDS = 0.5, 0.8
"""Window of the median beat: a P wave at PR 400 ms, a T wave that ends at QT 700 ms."""
_BEFORE_SHARE, _AFTER_SHARE = 0.7, 1.0
_NOISE_SECONDS = 0.1
CUT_SECONDS = 0.15
"""A beat nearer to an end of the recording or a gap may be cut: its shape is not judged."""
_MEDIAN_ERROR = 1.4826 * 1.25
"""From median absolute to standard deviation, and from the error of a mean to that of a median."""


@dataclass(frozen=True)
class Beats:
    """The QRS complexes of a recording in time order; all arrays are (beats,).

    ``positions`` and ``onsets`` are samples at ``sampling_rate``, fractions allowed; an onset that
    was not delineated is NaN. ``groups`` numbers the morphologies from the most frequent, 0.
    ``kinds`` says what each beat is: "dominant" beats make the intervals; "atrial ectopic",
    "ventricular ectopic" and "other" do not; a "paced" beat follows a pacing spike, or has the
    shape of those that do. An "incomplete" beat lies at an end of the recording or a gap and may
    be cut: it counts for the rate, and belongs to no group (-1). ``gaps`` (gaps, 2) say where
    stretches begin and end (samples) that are missing in all leads, 0.2 s or longer.
    """

    sampling_rate: float
    positions: _Values
    onsets: _Values
    groups: NDArray[np.intp]
    kinds: tuple[BeatKind, ...]
    gaps: _Values = field(default_factory=lambda: np.empty((0, 2)))

    def __post_init__(self) -> None:
        count = len(self.positions)
        if not count == len(self.onsets) == len(self.groups) == len(self.kinds):
            raise ValueError(
                f"{count} positions, {len(self.onsets)} onsets, {len(self.groups)} groups, "
                f"{len(self.kinds)} kinds; one of each a beat"
            )
        for values in (self.positions, self.onsets, self.groups, self.gaps):
            values.setflags(write=False)

    def __len__(self) -> int:
        return len(self.positions)

    def joined(self, places: _Values) -> NDArray[np.bool_]:
        """Whether no gap lies between each of ``places`` (samples) and the next, (places - 1,)."""
        return unbroken(places, self.gaps, LEAST_GAP_SECONDS * self.sampling_rate)

    def members(self, group: int) -> NDArray[np.intp]:
        """Indices of the beats that make the group's median: its ectopic ones only if all are."""
        members = np.flatnonzero(self.groups == group)
        usual = [k for k in members.tolist() if self.kinds[k] in ("dominant", "paced")]
        return np.array(usual, dtype=np.intp) if usual else members


@dataclass(frozen=True)
class MedianBeat:
    """The median of aligned beats.

    ``signal`` is (leads, samples) float64 in mV above the level before the QRS complex, NaN where
    no beat reaches; ``fiducial`` is the index that the beats' positions were brought to. ``shifts``
    (beats used,) are what alignment added to each of ``used``'s positions, in samples. ``noise``
    (leads,) is the standard error of the median in mV, from how the beats differ.
    """

    leads: tuple[str, ...]
    sampling_rate: float
    signal: _Values
    fiducial: float
    count: int
    used: NDArray[np.intp]
    shifts: _Values
    noise: _Values


def find_beats(recording: Recording, delineation: Delineation) -> Beats:
    """The beats, from the heart's QRS complexes, or detected over all leads where it has none.

    Leads that were not delineated take no part. Raises ValueError where the delineation is of
    another recording (length or rate).
    """
    rate = recording.sampling_rate
    if (delineation.samples, delineation.sampling_rate) != (recording.samples, rate):
        raise ValueError(
            f"a delineation of {delineation.samples} samples at {delineation.sampling_rate} Hz "
            f"with a recording of {recording.samples} at {rate} Hz; delineate this recording"
        )
    marks = delineation.overall["QRS"]
    marks = marks[np.isfinite(marks[:, PEAK])]
    marks = marks[np.argsort(marks[:, PEAK], kind="stable")]
    readable = [lead for lead in recording.leads if lead not in delineation.unread]
    signal = _finite_rows(recording, readable)
    if not len(marks) and signal.size and rate >= SLOWEST_DETECTION_HZ:
        positions = detect_qrs(signal, rate)
        marks = np.stack([positions * np.nan, positions, positions * np.nan], axis=1)
    if not len(marks) or not signal.size:
        empty = np.empty(0)
        return Beats(rate, empty, empty.copy(), np.empty(0, dtype=np.intp), ())
    positions, onsets = marks[:, PEAK].copy(), marks[:, ONSET].copy()
    widths = (marks[:, OFFSET] - marks[:, ONSET]) / rate
    gaps = _gaps(signal, rate)
    whole = _whole(positions, gaps, recording.samples, rate)
    groups = np.full(len(positions), -1, dtype=np.intp)
    groups[whole] = group_beats(signal, positions[whole], widths[whole], rate)
    paced = paced_before(signal, _known_onsets(positions, onsets, rate), rate)
    p_peaks = delineation.overall["P"][:, PEAK]
    p_peaks = p_peaks[np.isfinite(p_peaks)] / rate
    facts = BeatFacts(positions[whole] / rate, widths[whole], groups[whole], p_peaks, gaps / rate)
    ectopy = np.full(len(positions), "incomplete", dtype=object)
    ectopy[whole] = ectopic_kinds(facts)
    return Beats(rate, positions, onsets, groups, _kinds(ectopy.tolist(), paced, groups), gaps)


def _whole(positions: _Values, gaps: _Values, samples: int, rate: float) -> NDArray[np.bool_]:
    """The beats that no end of the recording or gap can have cut; all where there is no other."""
    reach = CUT_SECONDS * rate
    whole: NDArray[np.bool_] = (positions >= reach) & (positions <= samples - 1 - reach)
    for first, last in gaps:
        whole &= (positions <= first - reach) | (positions >= last + reach)
    return whole if whole.any() else np.ones_like(whole)


def _gaps(signal: _Values, rate: float) -> _Values:
    """Where it begins and ends, in samples, what is missing in all leads for long, (gaps, 2)."""
    missing = np.concatenate([[False], np.isnan(signal).all(axis=0), [False]])
    edges = np.flatnonzero(missing[1:] != missing[:-1]).reshape(-1, 2).astype(np.float64)
    edges = edges[edges[:, 1] - edges[:, 0] >= LEAST_GAP_SECONDS * rate]
    return edges


def _finite_rows(recording: Recording, leads: Sequence[str]) -> _Values:
    """The leads that have any sample, (leads, samples) in mV, NaN where missing."""
    rows = [recording.lead(lead).astype(np.float64) for lead in leads]
    present = [row for row in rows if np.isfinite(row).any()]
    return np.stack(present) if present else np.empty((0, recording.samples))


def _known_onsets(positions: _Values, onsets: _Values, rate: float) -> _Values:
    """The onsets, where a usual complex would begin if they were not delineated."""
    return np.where(np.isnan(onsets), positions - USUAL_ONSET_SECONDS * rate, onsets)


def _kinds(
    ectopy: Sequence[BeatKind], spikes: NDArray[np.bool_], groups: NDArray[np.intp]
) -> tuple[BeatKind, ...]:
    """A spike decides: a paced beat is wide and may be early, yet no ectopic one.

    So does the shape, where half of the beats of that shape follow a spike: some spikes are small.
    """
    paced = spikes.copy()
    for group in np.unique(groups[groups >= 0]):
        members = groups == group
        if 2 * np.count_nonzero(spikes & members) >= np.count_nonzero(members):
            paced |= members
    return tuple("paced" if one else kind for kind, one in zip(ectopy, paced, strict=True))


def median_beat(recording: Recording, beats: Beats, group: int = 0) -> MedianBeat:
    """The median beat of a group over all leads of the recording.

    Beats are aligned over all leads together to a fraction of a sample; a line through the levels
    before the QRS complexes is taken off first, which leaves the ST segment as it is. The window
    reaches from 0.5 s before to 0.8 s after the fiducial, less where beats follow faster. Raises
    ValueError for a group without beats.
    """
    used = beats.members(group)
    if not len(used):
        raise ValueError(f"no beats in group {group}; {len(beats)} beats are in all")
    rate = beats.sampling_rate
    onsets = _known_onsets(beats.positions, beats.onsets, rate)
    values = recording.signal.astype(np.float64)
    values -= level_line(values, onsets, rate)
    rr = float(np.median(np.diff(beats.positions))) / rate if len(beats) > 1 else np.inf
    before = round(min(BEFORE_SECONDS, _BEFORE_SHARE * rr) * rate)
    after = round(min(AFTER_SECONDS, _AFTER_SHARE * rr) * rate)
    shifts = aligned_beats(values, beats.positions[used], rate)
    windows = beat_windows(values, beats.positions[used] + shifts, before, after)
    signal, noise = _median(windows, before, round(_NOISE_SECONDS * rate))
    return MedianBeat(
        leads=recording.leads,
        sampling_rate=rate,
        signal=signal,
        fiducial=float(before),
        count=len(used),
        used=used,
        shifts=shifts,
        noise=noise,
    )


def _median(windows: _Values, fiducial: int, reach: int) -> tuple[_Values, _Values]:
    """Median over beats of (beats, leads, samples), and its standard error a lead.

    The error is that of ``reach`` samples around the fiducial, each beat's own level taken off:
    breathing moves a whole beat and hides no wave.
    """
    present = np.isfinite(windows).any(axis=0)
    filled = np.where(present, windows, 0.0)  # an all-NaN column has no median
    signal = np.where(present, np.nanmedian(filled, axis=0), np.nan)
    errors = np.zeros(windows.shape[1])
    if len(windows) == 1:
        return signal, errors
    near = slice(max(fiducial - reach, 0), fiducial + reach + 1)
    for lead in range(windows.shape[1]):
        apart = windows[:, lead, near] - signal[lead, near]
        apart = apart[np.isfinite(apart).all(axis=1)]
        if len(apart):
            spread = np.median(np.abs(apart - np.median(apart, axis=1, keepdims=True)))
            errors[lead] = _MEDIAN_ERROR * spread / np.sqrt(len(windows))
    return signal, errors
