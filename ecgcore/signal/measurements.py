"""All measurements of a recording: rhythm, intervals, axes, and each lead's waves.

Intervals and amplitudes are those of the dominant beat; ectopic beats take no part. QT is
corrected for rate by four formulas: Bazett, Heart 1920;7:353-370; Fridericia, Acta Med Scand
1920;53:469-486; Framingham: Sagie et al., Am J Cardiol 1992;70:797-801; Hodges et al., J Am Coll
Cardiol 1983;1:694.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite

import numpy as np

from ecgcore.recording import LIMB_LEADS, Recording
from ecgcore.signal.amplitudes import (
    FineBeat,
    absent_values,
    fine_beat,
    lead_values,
)
from ecgcore.signal.axes import SMALLEST_MV, axis, true_proportions
from ecgcore.signal.beats import Beats, find_beats, median_beat
from ecgcore.signal.delineation.waves import Delineation, Wave
from ecgcore.signal.doubts import doubts
from ecgcore.signal.intervals import UsualBeat, usual_beat
from ecgcore.signal.mains import pauses, without_mains
from ecgcore.signal.measured import OVERALL_NAMES, Measurements, Value, unit_of
from ecgcore.signal.p_onset import trimmed_p_onset
from ecgcore.signal.qrs_ends import trimmed_qrs
from ecgcore.signal.rhythm import rhythm_values
from ecgcore.signal.slurring import initial_slur_ms

IN_DOUBT = "the file's gains contradict each other, so that no voltage is known"
_AXES: tuple[tuple[str, Wave], ...] = (
    ("p_axis_deg", "P"),
    ("qrs_axis_deg", "QRS"),
    ("t_axis_deg", "T"),
)
_VOLTAGE_UNITS = ("mV", "mV ms")


@dataclass(frozen=True)
class _Material:
    """What everything is measured on."""

    recording: Recording
    delineation: Delineation
    beats: Beats
    usual: UsualBeat
    fine: FineBeat


def measure(
    recording: Recording,
    delineation: Delineation,
    beats: Beats | None = None,
    limits: Sequence[float] = (1.0,),
) -> Measurements:
    """Every name of OVERALL_NAMES, and of LEAD_NAMES for each recorded lead, or N/A with a reason.

    ``beats`` are found if not given; ``limits`` are those of ``lead_values`` and
    ``initial_slur_ms``. Raises ValueError where the delineation is of another recording (length or
    rate).
    """
    beats = find_beats(recording, delineation) if beats is None else beats
    usual, fine = usual_beat(delineation, beats, recording.computed), None
    values = rhythm_values(delineation, beats, usual)
    if usual is None:
        return _without_beats(recording, delineation, values)
    readable = _readable(recording, delineation)
    leads = {lead: absent_values(_unread(lead, delineation)) for lead in recording.leads}
    if readable is not None and "QRS" in usual.borders:
        usual, fine = _trimmed(readable, beats, usual)
        material = _Material(recording, delineation, beats, usual, fine)
        leads |= _leads(material, limits)
        values |= _directions(material) | _shapes(material, limits)
    else:
        reason = usual.absent.get("QRS", "no lead can be measured")
        leads |= {lead: absent_values(reason) for lead in delineation.leads if lead in leads}
    values |= _intervals(usual, beats)
    values |= _corrected_qt(values)
    missing = [name for name in OVERALL_NAMES if name not in values]
    reason = usual.absent.get("QRS", "no lead can be measured")
    values |= {name: Value(None, unit_of(name), reason) for name in missing}
    return Measurements(
        overall={name: values[name] for name in OVERALL_NAMES},
        leads=leads,
        warnings=doubts(recording, delineation, values, beats, fine),
    )


def usual_waves(recording: Recording, delineation: Delineation, beats: Beats) -> UsualBeat | None:
    """The usual beat with the very borders that ``measure`` takes its intervals from."""
    usual = usual_beat(delineation, beats, recording.computed)
    readable = _readable(recording, delineation)
    if usual is None or readable is None or "QRS" not in usual.borders:
        return usual
    return _trimmed(readable, beats, usual)[0]


def _without_beats(
    recording: Recording, delineation: Delineation, values: Mapping[str, Value]
) -> Measurements:
    reason = "no QRS complex was found"
    overall = {n: values.get(n, Value(None, unit_of(n), reason)) for n in OVERALL_NAMES}
    leads = {
        lead: absent_values(_unread(lead, delineation) if lead in delineation.unread else reason)
        for lead in recording.leads
    }
    return Measurements(overall, leads, doubts(recording, delineation, overall, None, None))


def _unread(lead: str, delineation: Delineation) -> str:
    return f"lead {lead} was not delineated: {delineation.unread.get(lead, 'it was left out')}"


def _readable(recording: Recording, delineation: Delineation) -> Recording | None:
    """The recording of its delineated leads alone, without hum; None where there is none."""
    rows = [k for k, lead in enumerate(recording.leads) if lead in delineation.leads]
    if not rows:
        return None
    return replace(
        recording,
        signal=without_mains(recording.signal[rows], recording.sampling_rate, pauses(delineation)),
        leads=tuple(recording.leads[k] for k in rows),
    )


def _trimmed(readable: Recording, beats: Beats, usual: UsualBeat) -> tuple[UsualBeat, FineBeat]:
    """The usual beat, its QRS complex and P onset trimmed to what the median beat shows; and that.

    The QRS complex first: P is looked for before it.
    """
    fine = fine_beat(median_beat(readable, beats), usual)
    known = not readable.source.voltages_in_doubt
    ends: dict[Wave, tuple[float, float]] = {"QRS": trimmed_qrs(fine, known, readable.computed)}
    p_onset = trimmed_p_onset(fine, readable.computed)
    if p_onset is not None:
        ends["P"] = (p_onset, fine.borders["P"][1])
    step = beats.sampling_rate / 1000
    moved: dict[Wave, tuple[float, float]] = {}
    for wave, (onset, offset) in ends.items():
        marked, before = usual.borders[wave], fine.borders[wave]
        moved[wave] = (
            marked[0] + (onset - before[0]) * step,
            marked[1] + (offset - before[1]) * step,
        )
    return (
        replace(usual, borders={**usual.borders, **moved}),
        replace(fine, borders={**fine.borders, **ends}),
    )


def _intervals(usual: UsualBeat, beats: Beats) -> dict[str, Value]:
    """P, PR, QRS and QT with their places in the beat shown."""
    at, per_ms = float(beats.positions[usual.shown]), beats.sampling_rate / 1000

    def between(start: tuple[Wave, int], stop: tuple[Wave, int]) -> Value:
        for wave, _ in (start, stop):
            if wave not in usual.borders:
                return Value(None, "ms", usual.absent[wave])
        first, last = usual.borders[start[0]][start[1]], usual.borders[stop[0]][stop[1]]
        if last <= first:
            return Value(None, "ms", "the borders of the waves contradict each other")
        return Value((last - first) / per_ms, "ms", None, at + first, at + last)

    pr = between(("P", 0), ("QRS", 0))
    if pr.number is not None and usual.pr_varies:
        pr = Value(None, "ms", "the PR interval changes from beat to beat")
    return {
        "p_ms": between(("P", 0), ("P", 1)),
        "pr_ms": pr,
        "qrs_ms": between(("QRS", 0), ("QRS", 1)),
        "qt_ms": between(("QRS", 0), ("T", 1)),
    }


def _corrected_qt(values: Mapping[str, Value]) -> dict[str, Value]:
    names = ("qtc_bazett_ms", "qtc_fridericia_ms", "qtc_framingham_ms", "qtc_hodges_ms")
    qt, rr = values["qt_ms"], values["rr_ms"]
    for needed in (qt, rr):
        if needed.number is None:
            return {name: Value(None, "ms", needed.reason) for name in names}
    assert qt.number is not None and rr.number is not None
    seconds = rr.number / 1000
    corrected = (
        qt.number / seconds**0.5,
        qt.number / seconds ** (1 / 3),
        qt.number + 154 * (1 - seconds),
        qt.number + 1.75 * (60 / seconds - 60),
    )
    return {
        name: Value(number, "ms", None, qt.start, qt.stop)
        for name, number in zip(names, corrected, strict=True)
    }


def _leads(material: _Material, limits: Sequence[float]) -> dict[str, dict[str, Value]]:
    """The values of all delineated leads, with their places; no voltage where none is known."""
    doubt = material.recording.source.voltages_in_doubt
    found = {}
    for lead in material.fine.leads:
        values = lead_values(material.fine, lead, material.usual, doubt, limits)
        if doubt:
            values = {
                name: Value(None, value.unit, IN_DOUBT) if value.unit in _VOLTAGE_UNITS else value
                for name, value in values.items()
            }
        found[lead] = {name: _placed(value, name, material) for name, value in values.items()}
    return found


def _placed(value: Value, name: str, material: _Material) -> Value:
    """The value with its place in the beat shown."""
    usual, beats = material.usual, material.beats
    if value.number is None:
        return value
    at, rate = float(beats.positions[usual.shown]), beats.sampling_rate
    wave: Wave = "P" if name.startswith("p_") else "T" if name.startswith("t_") else "QRS"
    if wave not in usual.borders:
        return value
    first, last = usual.borders[wave]
    if name.startswith(("j", "st_")):
        first, last = last, last + 0.08 * rate
    return replace(value, start=at + first, stop=at + last)


def _directions(material: _Material) -> dict[str, Value]:
    """The three axes; with false gains from the limb leads' true proportions."""
    fine, usual = material.fine, material.usual
    limb = [lead for lead in LIMB_LEADS if lead in fine.leads]
    factors: Mapping[str, float] | str = dict.fromkeys(limb, 1.0)
    if material.recording.source.voltages_in_doubt:
        factors = _proportions(material, limb)
    values = {}
    for name, wave in _AXES:
        if wave not in fine.borders:
            values[name] = Value(None, "deg", usual.absent[wave])
        elif isinstance(factors, str):
            values[name] = Value(None, "deg", f"{IN_DOUBT}, and {factors}")
        else:
            areas = _areas(fine, factors, wave)
            first, last = fine.borders[wave]
            found = axis(areas, SMALLEST_MV * (last - first))
            values[name] = _placed(found, f"{wave.lower()}_axis_deg", material)
    return values


def _areas(fine: FineBeat, factors: Mapping[str, float], wave: Wave) -> dict[str, float]:
    """Net areas of a wave by limb lead in mV ms."""
    areas = {}
    for lead, factor in factors.items():
        before = fine.borders["P" if wave == "P" else "QRS"][0]
        part = fine.within(fine.above(lead, before), wave)
        area = factor * float(part.sum())
        if isfinite(area):
            areas[lead] = area
    return areas


def _proportions(material: _Material, limb: Sequence[str]) -> dict[str, float] | str:
    """Factors by limb lead; the largest complex is then 1 mV high, as good a guess as any."""
    recorded = [lead for lead in limb if lead not in material.recording.computed]
    fine = material.fine
    rows = np.array([fine.above(lead, fine.borders["QRS"][0]) for lead in recorded])
    known = rows[:, np.isfinite(rows).all(axis=0)] if recorded else np.empty((0, 0))
    if not known.size:
        return "no limb lead was recorded"
    factors = true_proportions(known, recorded)
    if isinstance(factors, str):
        return factors
    tallest = max(
        factor * float(np.ptp(fine.within(fine.above(lead, fine.borders["QRS"][0]), "QRS")))
        for lead, factor in factors.items()
    )
    return {lead: factor / tallest for lead, factor in factors.items()}


def _shapes(material: _Material, limits: Sequence[float]) -> dict[str, Value]:
    """``sinus_p`` and ``delta_ms``."""
    slur = initial_slur_ms(material.fine, limits)
    delta = _placed(Value(slur, "ms"), "delta_ms", material)
    return {"sinus_p": _sinus_p(material), "delta_ms": delta}


def _sinus_p(material: _Material) -> Value:
    fine = material.fine
    if "P" not in fine.borders:
        return Value(None, "", material.usual.absent["P"])
    for lead in ("II", "aVR"):
        if lead not in fine.leads:
            return Value(None, "", f"lead {lead} is needed and was not measured")
    two, right = (
        fine.within(fine.above(lead, fine.borders["P"][0]), "P").sum() for lead in ("II", "aVR")
    )
    if not (isfinite(two) and isfinite(right)):
        return Value(None, "", "samples are missing in the P wave")
    return _placed(Value(float(two > 0 > right), ""), "p_ms", material)
