"""What the numbers of a recording are worth, in sentences that stand beside them.

A number is not refused where it may still be right, but its reader is told what speaks against it:
missing samples, long silence, a T wave that goes on after its marked end, or a line between beats
that is not level, on which no ST level can be read (AHA/ACC/HRS Recommendations, Part I,
Circulation 2007;115:1306-1324, on baseline wander and the ST segment).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ecgcore.recording import Recording
from ecgcore.signal.amplitudes import FineBeat
from ecgcore.signal.beats import SLOWEST_DETECTION_HZ, Beats
from ecgcore.signal.deflections import ABOVE_NOISE
from ecgcore.signal.delineation.waves import Delineation
from ecgcore.signal.detection import detect_qrs
from ecgcore.signal.measured import Value

_Values = NDArray[np.float64]

_IRREGULAR = 0.15
"""Irregularity above which a corrected QT is doubtful: the RR intervals of atrial fibrillation."""
_USUAL_RATES = (50.0, 100.0)
_WIDE_QRS_MS = 120.0
LONG_SILENCE = 1.8
"""Of the median RR interval, from an end of the recording to the nearest QRS complex."""
SLOPING_MV = 0.05
"""Over a QT interval: half of the ST elevation that criteria ask for (own choice)."""
_LEAST_LINE_MS, _MOST_LINE_MS = 80, 160
"""Of the line before P; the longer would reach into a U wave."""
_LEAST_REST_MV, _REST_OF_T = 0.03, 0.15
"""What must be left after T to be more than its fading end, in mV and of the T wave."""
_REST_MS = (15, 100)
_LEVEL_MS = 20
_EARLIER_MS = 60
_LEADS = 2
_SAME_COMPLEX_SECONDS, _DIFFERING, _DIFFERING_SHARE = 0.12, 2, 0.1
"""QRS complexes so near are one; so many, or such a share, may be found in one way alone."""
_ENOUGH_LEADS = 6
"""Recorded leads below which the earliest onset may well lie in none of them (own choice)."""


def doubts(
    recording: Recording,
    delineation: Delineation,
    values: Mapping[str, Value],
    beats: Beats | None,
    fine: FineBeat | None,
) -> tuple[str, ...]:
    """The sentences; ``beats`` is None where there are none, ``fine`` where none is measured."""
    found = list(delineation.warnings)
    in_doubt = recording.source.voltages_in_doubt
    if in_doubt:
        found.append("No voltage is given: the file's own gains contradict each other.")
    if beats is None:
        return tuple(found)
    recorded = len([lead for lead in delineation.leads if lead not in recording.computed])
    if 0 < recorded < _ENOUGH_LEADS:
        plural = "s" if recorded > 1 else ""
        found.append(
            f"Measured on {recorded} recorded lead{plural} only: intervals may be too short, for a"
            " wave may begin or end in others."
        )
    count = len(beats.members(0)) if len(beats) else 0
    if 0 < count < 3:
        found.append(f"Measured on {count} beat{'s' if count > 1 else ''} only.")
    found += _disagreement(recording, delineation, beats)
    found += _missing(beats)
    found += _silences(beats, recording.samples)
    if fine is not None and "QRS" in fine.borders and "T" in fine.borders:
        before, after = _nearest_ms(beats)
        found += _after_t(fine, after, in_doubt)
        if not in_doubt:
            found += _slopes(fine, before)
    return (*found, *_qt_doubts(values))


def _qt_doubts(values: Mapping[str, Value]) -> list[str]:
    if values["qt_ms"].number is None:
        return []
    found = []
    irregular, rate, qrs = (
        values[name].number for name in ("rr_irregularity", "rate_bpm", "qrs_ms")
    )
    if irregular is not None and irregular > _IRREGULAR:
        found.append("The rhythm is irregular: corrected QT intervals are uncertain.")
    if rate is not None and not _USUAL_RATES[0] <= rate <= _USUAL_RATES[1]:
        found.append(f"At {rate:.0f} beats a minute Bazett's QTc is off; see the other formulas.")
    if qrs is not None and qrs >= _WIDE_QRS_MS:
        found.append("The QRS complex is wide, which lengthens QT by itself.")
    return found


def _disagreement(recording: Recording, delineation: Delineation, beats: Beats) -> list[str]:
    """Where what stands out steeply is not what was taken for beats. Of 270 recordings of three
    sets, all but two of a very fast rhythm differ by 2 complexes at most, cut off at the ends."""
    rows = [
        row
        for lead, row in zip(recording.leads, recording.signal, strict=True)
        if lead not in delineation.unread
    ]
    if not rows or recording.sampling_rate < SLOWEST_DETECTION_HZ:
        return []
    steep = detect_qrs(np.stack(rows), recording.sampling_rate)
    most = _SAME_COMPLEX_SECONDS * recording.sampling_rate
    alone = max(_without(beats.positions, steep, most), _without(steep, beats.positions, most))
    if alone <= max(_DIFFERING, _DIFFERING_SHARE * len(beats)):
        return []
    return [
        f"Two ways of finding QRS complexes disagree ({len(beats)} and {len(steep)}): a very fast "
        "rhythm, pacing without capture, or an artefact; rate, rhythm and intervals may be of "
        "waves that are no QRS complexes."
    ]


def _without(ours: _Values, theirs: _Values, most: float) -> int:
    """How many of ours have none of theirs within so many samples."""
    return int(sum(np.abs(theirs - one).min(initial=np.inf) > most for one in ours))


def _missing(beats: Beats) -> list[str]:
    if not len(beats.gaps):
        return []
    seconds = float(np.sum(beats.gaps[:, 1] - beats.gaps[:, 0])) / beats.sampling_rate
    return [
        f"Samples are missing in all leads for {seconds:.1f} s: intervals across are left out, "
        "and a pause or arrhythmia there cannot be seen."
    ]


def _median_rr(beats: Beats) -> float:
    """Median RR interval in ms; infinite where there is none."""
    rr = np.diff(beats.positions)[beats.joined(beats.positions)]
    return float(np.median(rr)) / beats.sampling_rate * 1000 if len(rr) else np.inf


def _nearest_ms(beats: Beats) -> tuple[float, float]:
    """From the usual beats to the beat before and after them, in ms, the nearest of all.

    A beat after that is of another shape may begin earlier before its peak.
    """
    members = beats.members(0)
    rr = np.diff(beats.positions) / beats.sampling_rate * 1000
    rr = np.where(beats.joined(beats.positions), rr, np.inf)
    other = np.where(beats.groups[1:] > 0, _EARLIER_MS, 0.0)
    before = rr[members[members > 0] - 1]
    after = (rr - other)[members[members < len(beats) - 1]]
    return float(before.min(initial=np.inf)), float(after.min(initial=np.inf))


def _silences(beats: Beats, samples: int) -> list[str]:
    """Long stretches without a QRS complex at either end, what is missing there not counted."""
    if not len(beats):
        return []
    usual = _median_rr(beats) / 1000
    found = []
    ends = (("first", 0.0, beats.positions[0]), ("last", beats.positions[-1], float(samples)))
    for word, start, stop in ends:
        hidden = np.minimum(beats.gaps[:, 1], stop) - np.maximum(beats.gaps[:, 0], start)
        seconds = float(stop - start - np.maximum(hidden, 0).sum()) / beats.sampling_rate
        if seconds > LONG_SILENCE * usual:
            found.append(
                f"No QRS complex is in the {word} {seconds:.1f} s: a pause, asystole, lost contact "
                "or beats that were not found; rate and rhythm are of the rest alone."
            )
    return found


def _after_t(fine: FineBeat, after: float, in_doubt: bool) -> list[str]:
    """A warning where leads still leave their line after the marked end of T."""
    onset, end = fine.borders["QRS"][0], fine.borders["T"][1]
    following = fine.borders["P" if "P" in fine.borders else "QRS"][0] + after
    stop = round(min(following - 10, fine.signal.shape[1] - 1, end + 3 * _REST_MS[1]))
    if stop - end < _REST_MS[0] + _LEAST_LINE_MS:
        return []
    leads = []
    for lead, noise in zip(fine.leads, fine.noise, strict=True):
        above = fine.above(lead, onset)
        tail = above[round(end) : stop + 1]
        wave = fine.within(above, "T")
        if not (np.isfinite(tail).all() and np.isfinite(wave).all()):
            continue
        size = float(np.ptp(fine.within(above, "QRS"))) if in_doubt else 1.0
        highest = float(np.abs(wave).max(initial=0.0))
        least = max(ABOVE_NOISE * float(noise), _LEAST_REST_MV * size, _REST_OF_T * highest)
        if _rest(tail) > least:
            leads.append(lead)
    # Fibrillation waves leave the line too, but seldom in most leads of the median beat.
    needed = _LEADS if "P" in fine.borders else max(_LEADS, len(fine.leads) // 2)
    if len(leads) < min(needed, len(fine.leads)):
        return []
    return [
        f"The signal goes on after the marked end of T (in {', '.join(leads)}): QT and QTc may be "
        "too short where T has two parts, unless this is a U wave or a P wave that was not found."
    ]


def _rest(tail: _Values) -> float:
    """How far the tail after T leaves its own last level soon after its start, in mV."""
    smooth = np.convolve(tail, np.ones(_LEVEL_MS) / _LEVEL_MS, mode="valid")
    level = float(np.median(tail[-2 * _LEVEL_MS :]))
    part = smooth[_REST_MS[0] : _REST_MS[1]]
    return float(np.abs(part - level).max(initial=0.0))


def _slopes(fine: FineBeat, before: float) -> list[str]:
    """A warning where the line between T and the next P wave slopes, on which ST is read.

    Without P waves nothing is said: the waves of fibrillation or flutter slope by themselves.
    """
    if "P" not in fine.borders:
        return []
    onset, end = fine.borders["QRS"][0], fine.borders["T"][1]
    stop = round(fine.borders["P"][0] - 5)
    start = round(max(end - before + 30, stop - _MOST_LINE_MS, 0))
    sloping = {}
    for lead, row in zip(fine.leads, fine.signal, strict=True):
        part = np.flatnonzero(np.isfinite(row[start : max(stop, start)]))
        if len(part) < _LEAST_LINE_MS:
            continue
        slope = float(np.polyfit(part, row[start + part], 1)[0])
        if abs(slope) * (end - onset) > SLOPING_MV:
            sloping[lead] = abs(slope) * (end - onset)
    if not sloping:
        return []
    return [
        f"The line between the beats is not level in {', '.join(sloping)} (up to "
        f"{max(sloping.values()):.2f} mV over a QT interval): ST levels and T waves there are "
        "uncertain."
    ]
