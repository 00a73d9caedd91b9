"""Heights, depths, durations and areas of each lead's waves, measured on its median beat.

Levels after IEC 60601-2-25:2011 and the CSE working party: the QRS complex, ST segment and T wave
are measured from the level just before the QRS complex, the P wave from the level just before
itself. Everything is measured between the borders that all leads together give, so that an
isoelectric beginning in one lead is not taken for a later one. P and T are smoothed first by
parabolas (Savitzky and Golay, Anal Chem 1964;36:1627-1639): the highest of many noisy samples is
too high, and a parabola leaves the height of a wave as it is, where a mean would lower it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat

import numpy as np
from numpy.typing import NDArray

from ecgcore.signal.beats import MedianBeat
from ecgcore.signal.deflections import LEAST_MS, is_notched, least_height, qrs_waves, r_peaks
from ecgcore.signal.delineation.waves import Wave
from ecgcore.signal.intervals import UsualBeat
from ecgcore.signal.measured import LEAD_NAMES, Value, unit_of

_Values = NDArray[np.float64]
_Numbers = dict[str, float | None]

_KHZ = 1000.0
_LEVEL_MS = (22, 4)
"""Levels are medians from 22 to 4 ms before the wave."""
_POINT_MS = 4
"""J + 60 and J + 80 are means over this to each side, against noise."""
_J_MS = 1
_P_SMOOTH_MS, _T_SMOOTH_MS = 31, 51
"""Of a parabola; short against the halves of a biphasic P wave, 50 ms, and against T."""
_NO_QRS = "the QRS complex was not delineated"
_P_NAMES = ("p_mv", "p_neg_mv", "p_ms", "p_terminal_mvms")
_T_NAMES = ("t_mv", "t_neg_mv", "t_ms")


@dataclass(frozen=True)
class FineBeat:
    """The median beat at 1 kHz: ``signal`` (leads, ms) in mV, NaN where unknown; borders in ms.

    ``sample_ms`` lie between the samples of the recording.
    """

    leads: tuple[str, ...]
    signal: _Values
    noise: _Values
    borders: Mapping[Wave, tuple[float, float]]
    zero: float
    sample_ms: float = 1.0

    def above(self, lead: str, before: float) -> _Values:
        """A lead, (ms,), above its level just before ``before`` (ms)."""
        row = self.signal[self.leads.index(lead)]
        start = max(round(before) - _LEVEL_MS[0], 0)
        part = row[start : max(round(before) - _LEVEL_MS[1], start + 1)]
        part = part[np.isfinite(part)]
        level = float(np.median(part)) if part.size else float("nan")
        above: _Values = row - level
        return above

    def within(self, values: _Values, wave: Wave) -> _Values:
        """The part of ``values`` between a wave's borders, both included."""
        start, stop = (round(border) for border in self.borders[wave])
        return values[max(start, 0) : max(stop, 0) + 1]


def fine_beat(beat: MedianBeat, usual: UsualBeat) -> FineBeat:
    """The median beat at 1 kHz by cubic splines, with the usual beat's borders in it."""
    from scipy.interpolate import make_interp_spline

    step = _KHZ / beat.sampling_rate
    count = int((beat.signal.shape[1] - 1) * step) + 1
    at = np.arange(count) / step
    fine = np.full((len(beat.leads), count), np.nan)
    for lead, row in enumerate(beat.signal):
        known = np.flatnonzero(np.isfinite(row))
        if len(known) < 4:
            continue
        spline = make_interp_spline(known, row[known], k=3)
        gap = np.interp(at, np.arange(len(row)), np.where(np.isfinite(row), 0.0, 1.0))
        fine[lead] = np.where(gap > 0, np.nan, spline(np.clip(at, known[0], known[-1])))
    borders = {
        wave: ((on + beat.fiducial) * step, (off + beat.fiducial) * step)
        for wave, (on, off) in usual.borders.items()
    }
    return FineBeat(beat.leads, fine, beat.noise, borders, beat.fiducial * step, step)


def lead_values(
    beat: FineBeat,
    lead: str,
    usual: UsualBeat,
    scale_unknown: bool,
    limits: Sequence[float] = (1.0,),
) -> dict[str, Value]:
    """All of LEAD_NAMES for one lead, places left out. ``scale_unknown``: heights mean nothing.

    ``limits`` are multiples of the least height and duration of a wave. Of several the values' mean
    is given: a wave near the least then counts in part, and an R peak that some limits do not find
    is, for these, at QRS onset.
    """
    if "QRS" not in beat.borders:
        return absent_values(usual.absent.get("QRS", _NO_QRS))
    onset, offset = beat.borders["QRS"]
    above = beat.above(lead, onset)
    qrs = beat.within(above, "QRS")
    if len(qrs) < 2 or not np.isfinite(qrs).all():
        return absent_values(f"samples of lead {lead} are missing in the QRS complex")
    span = float(np.ptp(qrs)) if scale_unknown else None
    least = least_height(float(beat.noise[beat.leads.index(lead)]), span)
    leasts = [limit * least for limit in limits]
    no_r = None if len(limits) == 1 else 0.0
    found = [
        _qrs_numbers(qrs, height, limit * LEAST_MS, no_r)
        for height, limit in zip(leasts, limits, strict=True)
    ]
    numbers = _means(found) | _whole_numbers(qrs) | _st_numbers(above, offset)
    values = {name: _value(name, number) for name, number in numbers.items()}
    if numbers["intrinsicoid_ms"] is None:
        values["intrinsicoid_ms"] = Value(None, "ms", f"lead {lead} has no R wave")
    values |= _p_values(beat, lead, usual, leasts)
    return values | _t_values(beat, lead, usual, leasts)


def _means(found: Sequence[_Numbers]) -> _Numbers:
    """The mean of each number over those that are known, None where none is."""
    if len(found) == 1:
        return found[0]
    known = {name: [n for one in found if (n := one[name]) is not None] for name in found[0]}
    return {name: float(np.mean(every)) if every else None for name, every in known.items()}


def absent_values(reason: str) -> dict[str, Value]:
    """All of LEAD_NAMES as N/A for one reason."""
    return {name: Value(None, unit_of(name), reason) for name in LEAD_NAMES}


def _value(name: str, number: float | None) -> Value:
    if number is None or not np.isfinite(number):
        return Value(None, unit_of(name), "the median beat ends before, or samples are missing")
    return Value(float(number), unit_of(name))


def _qrs_numbers(qrs: _Values, least: float, least_ms: float, no_r: float | None) -> _Numbers:
    found = qrs_waves(qrs, least, least_ms)
    numbers: _Numbers = {}
    for name in ("q", "r", "s", "r2", "s2"):
        wave = found.waves.get(name)
        numbers[f"{name}_mv"] = wave.height if wave else 0.0
        numbers[f"{name}_ms"] = wave.ms if wave else 0.0
    up = [found.waves[name] for name in ("r", "r2") if name in found.waves]
    peaks = [r_peaks(qrs, wave, least) for wave in up]
    heights = [wave.height for wave in found.waves.values()]
    numbers["qrs_net_mv"] = max([*heights, 0.0]) + min([*heights, 0.0])
    numbers["intrinsicoid_ms"] = max((float(one[-1]) for one in peaks), default=no_r)
    numbers["qs"] = float(found.qs)
    numbers["notched_r"] = float(any(map(is_notched, repeat(qrs), up, peaks)))
    return numbers


def _whole_numbers(qrs: _Values) -> _Numbers:
    """Of the complex, whatever its waves are."""
    area = float(np.sum((qrs[1:] + qrs[:-1]) / 2))
    return {"qrs_pp_mv": float(np.ptp(qrs)), "qrs_area_mvms": area}


def _st_numbers(above: _Values, offset: float) -> _Numbers:
    j, j60, j80 = (
        _point(above, offset + later, width)
        for later, width in ((0, _J_MS), (60, _POINT_MS), (80, _POINT_MS))
    )
    return {"j_mv": j, "j60_mv": j60, "j80_mv": j80, "st_slope_mv": j80 - j}


def _point(above: _Values, at: float, width: int) -> float:
    start, stop = round(at) - width, round(at) + width + 1
    if start < 0 or stop > len(above):
        return float("nan")
    return float(above[start:stop].mean())


def _p_values(
    beat: FineBeat, lead: str, usual: UsualBeat, leasts: Sequence[float]
) -> dict[str, Value]:
    part = _smooth_part(beat, lead, "P")
    if part is None:
        reason = usual.absent.get("P", "the P wave was not delineated")
        return {name: Value(None, unit_of(name), reason) for name in _P_NAMES}
    if len(part) < 2 or not np.isfinite(part).all():
        reason = f"the median beat of lead {lead} does not reach to the beginning of the P wave"
        return {name: Value(None, unit_of(name), reason) for name in _P_NAMES}
    own = usual.leads.get(lead, {}).get("P")
    width = None if own is None else _milliseconds(beat, usual, own)
    numbers = _means([_p_numbers(part, least, width) for least in leasts])
    unmarked = Value(None, "ms", f"no P wave was delineated in lead {lead}, only in others")
    return {
        name: unmarked if number is None else Value(number, unit_of(name))
        for name, number in numbers.items()
    }


def _p_numbers(part: _Values, least: float, width: float | None) -> _Numbers:
    high, low = float(part.max()), float(part.min())
    high, low = high if high >= least else 0.0, low if low <= -least else 0.0
    return {
        "p_mv": high,
        "p_neg_mv": low,
        "p_ms": 0.0 if width is None and high == low == 0 else width,
        "p_terminal_mvms": _terminal_force(part, least),
    }


def _smooth_part(beat: FineBeat, lead: str, wave: Wave) -> _Values | None:
    """A wave's part of a lead above its level, P's own for P, smoothed with what lies around it,
    the QRS complex excepted; None where the wave was not delineated.

    As it is where it is too short or samples are missing.
    """
    from scipy.signal import savgol_filter

    if wave not in beat.borders:
        return None
    values = beat.above(lead, beat.borders["P" if wave == "P" else "QRS"][0])
    start, stop = (round(border) for border in beat.borders[wave])
    width = _P_SMOOTH_MS if wave == "P" else _T_SMOOTH_MS
    onset, offset = (round(border) for border in beat.borders["QRS"])
    first = max(start - width // 2, 0 if wave == "P" else min(offset, start))
    last = min(stop + width // 2, max(onset, stop) if wave == "P" else len(values) - 1)
    around = values[first : last + 1]
    known = np.flatnonzero(np.isfinite(around))
    if len(known) < width or start < 0 or known[-1] - known[0] + 1 != len(known):
        return beat.within(values, wave)
    smooth = np.full(len(around), np.nan)
    # Parabolas through the ends take most of the time, and matter where the wave reaches them.
    inside = len(known) == stop - start + 1 + 2 * (width // 2)
    smooth[known] = savgol_filter(around[known], width, 2, mode="nearest" if inside else "interp")
    return smooth[start - first : stop + 1 - first]


def _terminal_force(part: _Values, least: float) -> float:
    """Depth times duration of the negative part at the end of P, in mV ms, positive; 0 if none.

    It is what follows the last positive part. Morris et al., P-wave analysis in valvular heart
    disease, Circulation 1964;29:242-252.
    """
    positive = np.flatnonzero(part >= least)
    first = int(positive[-1]) + 1 if positive.size else 0
    if first == len(part):
        return 0.0
    lowest = first + int(np.argmin(part[first:]))
    if part[lowest] > -least:
        return 0.0
    before = np.flatnonzero(part[:lowest] >= 0)
    after = np.flatnonzero(part[lowest:] >= 0)
    start = int(before[-1]) + 1 if before.size else 0
    stop = lowest + int(after[0]) if after.size else len(part)
    return float(-part[lowest] * (stop - start))


def _milliseconds(beat: FineBeat, usual: UsualBeat, own: tuple[float, float]) -> float:
    """Width of a lead's own wave in ms; the heart's QRS borders tell the step."""
    (on, off), (fine_on, fine_off) = usual.borders["QRS"], beat.borders["QRS"]
    return (own[1] - own[0]) * (fine_off - fine_on) / (off - on)


def _t_values(
    beat: FineBeat, lead: str, usual: UsualBeat, leasts: Sequence[float]
) -> dict[str, Value]:
    part = _smooth_part(beat, lead, "T")
    if part is None:
        reason = usual.absent.get("T", "the T wave was not delineated")
        return {name: Value(None, unit_of(name), reason) for name in _T_NAMES}
    if len(part) < 2 or not np.isfinite(part).all():
        reason = f"the median beat of lead {lead} ends before the T wave does"
        return {name: Value(None, unit_of(name), reason) for name in _T_NAMES}
    numbers = _means([_t_numbers(part[_st_end(part, least) :]) for least in leasts])
    own = usual.leads.get(lead, {}).get("T")
    unmarked = Value(None, "ms", f"no T wave was delineated in lead {lead}, only in others")
    values = {name: _value(name, number) for name, number in numbers.items()}
    width = unmarked if own is None else Value(_milliseconds(beat, usual, own), "ms")
    return values | {"t_ms": width}


def _t_numbers(part: _Values) -> _Numbers:
    high, low = float(part.max()), float(part.min())
    return {"t_mv": high if high >= -low else low, "t_neg_mv": min(low, 0.0)}


def _st_end(part: _Values, least: float) -> int:
    """Up to where ``part``, a T wave from the heart's T onset on, is still the ST segment.

    A depressed or elevated ST segment that goes to the line is no wave, however far it was from
    it: to the first turn away from the line by ``least`` (mV), or to the line itself.
    """
    distance = part * np.sign(part[0])
    turns = np.flatnonzero(distance > np.minimum.accumulate(distance) + least)
    crossed = np.flatnonzero(distance <= 0)
    stop = int(crossed[0]) if crossed.size else len(part) - 1
    if turns.size and turns[0] < stop:
        stop = int(turns[0])
    return int(np.argmin(distance[: stop + 1]))
