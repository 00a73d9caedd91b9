"""Rate and rhythm: RR and PP intervals, how regular they are, P waves counted against beats.

All beats count for the rate and the spread of the intervals, but no interval across missing
samples does. The irregularity leaves ectopic beats out, for theirs is another matter (root mean
square of successive differences over the mean, as in Task Force of the ESC and NASPE, Heart rate
variability, Circulation 1996;93:1043-1065), and so do the PP intervals.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ecgcore.signal.beats import Beats
from ecgcore.signal.delineation.waves import PEAK, Delineation
from ecgcore.signal.intervals import LEAST_P_SHARE, UsualBeat
from ecgcore.signal.measured import Value, unit_of
from ecgcore.signal.pacing import LEAST_RATE

_Values = NDArray[np.float64]

_USUAL = ("dominant", "paced")
_RR_NAMES = ("rate_bpm", "rr_ms", "rr_sd_ms", "rr_min_ms", "rr_max_ms", "rr_irregularity")
_P_NAMES = ("atrial_rate_bpm", "pp_ms", "pp_sd_ms")
_ECTOPIC = ("atrial ectopic", "ventricular ectopic")
_LONGEST_PP = 1.6
"""Of the usual PP interval: longer ones span a P wave that was not found."""


def rhythm_values(
    delineation: Delineation, beats: Beats, usual: UsualBeat | None
) -> dict[str, Value]:
    """Rate, RR, PP and counts by name."""
    values = _rr_values(beats, usual)
    values |= _p_values(delineation, beats, usual)
    count = len(beats)
    none = "no QRS complex was found"
    values["beats"] = Value(float(count), "")
    for name, kind in (
        ("ventricular_ectopics", "ventricular ectopic"),
        ("atrial_ectopics", "atrial ectopic"),
        ("paced_beats", "paced"),
    ):
        found = [beats.positions[k] for k in range(count) if beats.kinds[k] == kind]
        reach = 0.1 * beats.sampling_rate
        place = (found[0] - reach, found[0] + reach) if found else None
        values[name] = _placed(len(found), "", place) if count else Value(None, "", none)
    if count and beats.sampling_rate < LEAST_RATE:
        values["paced_beats"] = Value(
            None,
            "",
            f"pacing spikes of 2 ms cannot be seen at {beats.sampling_rate:g} Hz "
            f"({LEAST_RATE:g} Hz or more needed)",
        )
    return values


def _placed(number: float, unit: str, place: tuple[float, float] | None) -> Value:
    if place is None:
        return Value(float(number), unit)
    return Value(float(number), unit, None, float(place[0]), float(place[1]))


def _rr_values(beats: Beats, usual: UsualBeat | None) -> dict[str, Value]:
    count = len(beats)
    if count < 2 or usual is None:
        reason = f"{count} QRS complex{'es' if count != 1 else ''}; an interval needs two"
        return {name: Value(None, unit_of(name), reason) for name in _RR_NAMES}
    rr = np.diff(beats.positions) / beats.sampling_rate * 1000
    rr[~beats.joined(beats.positions)] = np.nan
    known = np.isfinite(rr)
    if not known.any():
        reason = "samples are missing between all QRS complexes"
        return {name: Value(None, unit_of(name), reason) for name in _RR_NAMES}
    whole = (float(beats.positions[0]), float(beats.positions[-1]))
    mean = float(rr[known].mean())
    shortest, longest = int(np.nanargmin(rr)), int(np.nanargmax(rr))
    values = {
        "rate_bpm": _placed(60_000 / mean, "1/min", whole),
        "rr_ms": _placed(mean, "ms", whole),
        "rr_min_ms": _placed(rr[shortest], "ms", _between(beats, shortest)),
        "rr_max_ms": _placed(rr[longest], "ms", _between(beats, longest)),
        "rr_sd_ms": Value(None, "ms", "one RR interval; a spread needs two"),
        "rr_irregularity": _irregularity(beats, rr, usual, whole),
    }
    if known.sum() > 1:
        values["rr_sd_ms"] = _placed(float(np.std(rr[known], ddof=1)), "ms", whole)
    return values


def _between(beats: Beats, k: int) -> tuple[float, float]:
    return float(beats.positions[k]), float(beats.positions[k + 1])


def _irregularity(beats: Beats, rr: _Values, usual: UsualBeat, whole: tuple[float, float]) -> Value:
    """Over the usual beats; without P waves over all that are not ventricular.

    Coarse fibrillation changes the shape of every complex, and its beats are not alike.
    """
    own = np.array([kind in _USUAL for kind in beats.kinds])
    if np.mean(usual.p_row >= 0) < LEAST_P_SHARE:
        left_out = ("ventricular ectopic", "incomplete")
        own = np.array([kind not in left_out for kind in beats.kinds])
    clean = own[:-1] & own[1:] & np.isfinite(rr)  # known intervals between two usual beats
    pairs = clean[:-1] & clean[1:]
    if not pairs.any():
        return Value(None, "", "no two RR intervals in a row between usual beats")
    steps = np.diff(rr)[pairs]
    mean = float(rr[clean].mean())
    return _placed(float(np.sqrt(np.mean(steps**2))) / mean, "", whole)


def _p_values(delineation: Delineation, beats: Beats, usual: UsualBeat | None) -> dict[str, Value]:
    if usual is None:
        none = "no QRS complex was found"
        return {n: Value(None, unit_of(n), none) for n in (*_P_NAMES, "p_share", "p_per_qrs")}
    peaks = delineation.overall["P"][:, PEAK]
    peaks = np.sort(peaks[np.isfinite(peaks)])
    share = float(np.mean(usual.p_row >= 0))
    values = {
        "p_share": Value(share, ""),
        "p_per_qrs": Value(len(peaks) / len(beats), ""),
    }
    if share < LEAST_P_SHARE or len(peaks) < 2:
        reason = f"too few P waves ({len(peaks)} of them, {len(beats)} QRS complexes)"
        return values | {name: Value(None, unit_of(name), reason) for name in _P_NAMES}
    pp = np.diff(peaks) / beats.sampling_rate * 1000
    pp = pp[beats.joined(peaks) & ~_ectopic_between(peaks, delineation, beats, usual)]
    if not len(pp):
        reason = "ectopic beats or missing samples lie between all P waves"
        return values | {name: Value(None, unit_of(name), reason) for name in _P_NAMES}
    pp = pp[pp <= _LONGEST_PP * np.median(pp)]
    whole = (float(peaks[0]), float(peaks[-1]))
    values["pp_ms"] = _placed(float(pp.mean()), "ms", whole)
    values["atrial_rate_bpm"] = _placed(60_000 / float(pp.mean()), "1/min", whole)
    values["pp_sd_ms"] = Value(None, "ms", "one PP interval; a spread needs two")
    if len(pp) > 1:
        values["pp_sd_ms"] = _placed(float(np.std(pp, ddof=1)), "ms", whole)
    return values


def _ectopic_between(
    peaks: _Values, delineation: Delineation, beats: Beats, usual: UsualBeat
) -> NDArray[np.bool_]:
    """Whether an ectopic beat, or its P wave, takes part in each PP interval, (peaks - 1,).

    A ventricular one hides the P wave of its time, an atrial one comes early. The interval after
    an atrial one counts: it is that of the sinus node, reset.
    """
    spoilt = np.zeros(len(peaks) - 1, dtype=np.bool_)
    for beat, kind in enumerate(beats.kinds):
        if kind not in _ECTOPIC:
            continue
        position = beats.positions[beat]
        spoilt |= (peaks[:-1] < position) & (peaks[1:] > position)
        if kind == "atrial ectopic" and usual.p_row[beat] >= 0:
            own = delineation.overall["P"][usual.p_row[beat], PEAK]
            spoilt |= peaks[1:] == own
    return spoilt
