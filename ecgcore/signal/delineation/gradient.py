"""HRNN's delineation: P, QRS and T from first and second differences of the 3-50 Hz signal.

Bian et al., Handcrafted-Rule-enhanced Neural Network, section III-B: band-pass 3-50 Hz, R peaks,
then the waves from first- and second-order information. The paper prints no thresholds; these were
set on LUDB. Each lead is read from its own samples alone. A boundary is where the slope of the
wave's outer flank dies away, and there the bend (second difference) is greatest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ecgcore.signal.delineation.agreement import LeadsRead
from ecgcore.signal.delineation.lead_input import NETWORK_RATE as RATE
from ecgcore.signal.delineation.lead_input import lead_input
from ecgcore.signal.delineation.waves import Marks, Wave
from ecgcore.signal.detection import detect_qrs

_Values = NDArray[np.float64]
_Mark = tuple[float, float, float]

BAND_HZ = (3.0, 50.0)
"""Bian et al., section III-B."""

_QRS_REACH = 0.1
"""Seconds on either side of the middle of a QRS complex to look for its steepest flank."""
_QRS_FLANK = 0.13
"""Share of the steepest slope that still is a flank of the complex."""
_BEGINS = {"P": 0.2, "QRS": 0.02, "T": 0.2}
_ENDS = {"P": 0.6, "QRS": 0.04, "T": 0.12}
"""Share of the flank's slope at which a wave begins or ends."""
_FARTHEST = {"P": 0.1, "QRS": 0.06, "T": 0.16}
"""Seconds from the steepest place of the flank to the boundary, at most."""

_T_FROM, _T_LONGEST, _T_SHARE = 0.06, 0.45, 0.62
"""T is sought from 60 ms after the QRS to 450 ms, or 62 % of the RR interval, whatever is less."""
_P_LONGEST, _P_SHARE, _P_GAP = 0.3, 0.45, 0.02
"""P is sought from 300 ms before the QRS, or 45 % of the RR interval, to 20 ms before it."""
_LEAST_HEIGHT = {"P": 0.012, "T": 0.015}
"""Share of the height of the QRS complex below which a wave is called absent."""
_ABOVE_NOISE = 1.5
_SOFT_SECONDS = 0.024
_P_STRAY_SECONDS = 0.05
"""P waves keep their distance to the QRS; a beat's own is sought this near to the usual place."""
_P_ABOVE_VARIATION = 3.0
"""The median P wave stands above what differs from beat to beat: fibrillation does not."""
_P_LEAST_OF_USUAL = 0.4


@dataclass(frozen=True)
class _Lead:
    """A filtered lead at RATE with its slopes per sample, and the noise of its trace.

    ``steep`` is the slope from sample to sample, for the QRS complex; ``soft`` that over a span as
    wide as the feet of P and T waves, which noise moves less.
    """

    trace: _Values
    steep: _Values
    soft: _Values
    noise: float

    def slope(self, wave: Wave) -> _Values:
        """The slope that a wave's boundaries are read off."""
        return self.steep if wave == "QRS" else self.soft


def read_leads(signals: Mapping[str, NDArray[np.floating]], sampling_rate: float) -> LeadsRead:
    """Marks by lead in samples at ``sampling_rate`` Hz; ``signals`` by lead, (samples,), any unit.

    A lead in which no QRS complex stands out is left unread.
    """
    marks: dict[str, dict[Wave, Marks]] = {}
    unread: dict[str, str] = {}
    for lead, samples in signals.items():
        read = lead_input(samples[None], sampling_rate)
        found = _read(read.values[0].astype(np.float64))
        if found is None:
            unread[lead] = f"Lead {lead}: no QRS complex stands out from the noise."
        else:
            marks[lead] = {wave: read.file_samples(rows) for wave, rows in found.items()}
    return LeadsRead(marks, unread)


def _read(values: _Values) -> dict[Wave, Marks] | None:
    """All waves of one lead at RATE, or None where it shows no beat."""
    beats = detect_qrs(values[None], RATE)
    if not beats.size:
        return None
    lead = _prepared(values)
    complexes = [mark for mark in (_qrs(lead, beat) for beat in beats) if mark is not None]
    complexes = [m for k, m in enumerate(complexes) if not k or m[0] > complexes[k - 1][2]]
    t_waves: list[_Mark] = []
    p_waves: list[_Mark] = []
    usual = _usual_p(lead, complexes)
    for k, complex_ in enumerate(complexes):
        before = complexes[k - 1] if k else None
        after = complexes[k + 1] if k + 1 < len(complexes) else None
        last_t = t_waves[-1] if t_waves else None
        p_wave = None if usual is None else _p_wave(lead, complex_, before, last_t, usual)
        t_wave = _t_wave(lead, complex_, after)
        p_waves += [p_wave] if p_wave else []
        t_waves += [t_wave] if t_wave else []
    return {"P": _rows(p_waves), "QRS": _rows(complexes), "T": _rows(t_waves)}


def _rows(marks: list[_Mark]) -> Marks:
    return np.array(marks, dtype=np.float64).reshape(-1, 3)


def _prepared(values: _Values) -> _Lead:
    from scipy import signal as scipy_signal

    sections = scipy_signal.butter(2, BAND_HZ, "bandpass", fs=RATE, output="sos")
    padding = min(round(RATE), len(values) - 1)
    trace = scipy_signal.sosfiltfilt(sections, values, padlen=padding)
    steep = np.gradient(trace)
    half = _seconds(_SOFT_SECONDS / 2)
    held = np.pad(trace, half, mode="edge")
    soft = (held[2 * half :] - held[: -2 * half]) / (2 * half)
    noise = float(np.median(np.abs(np.diff(trace, 2)))) if len(trace) > 2 else 0.0
    return _Lead(trace, steep, soft, noise)


def _seconds(seconds: float) -> int:
    return round(seconds * RATE)


def _qrs(lead: _Lead, beat: float) -> _Mark | None:
    """Onset, peak, offset around a detected complex; None where the trace is cut there."""
    reach = _seconds(_QRS_REACH)
    start, stop = max(int(beat) - reach, 0), min(int(beat) + reach + 1, len(lead.trace))
    steep = np.abs(lead.steep[start:stop])
    flanks = np.flatnonzero(steep >= _QRS_FLANK * steep.max()) + start
    if not flanks.size or steep.max() <= 0:
        return None
    steepest = float(steep.max())
    onset = _boundary(lead, int(flanks[0]), -1, _BEGINS["QRS"] * steepest, "QRS")
    offset = _boundary(lead, int(flanks[-1]), 1, _ENDS["QRS"] * steepest, "QRS")
    if onset is None or offset is None:
        return None
    return onset, _peak(lead.trace, onset, offset, chord=False), offset


def _t_wave(lead: _Lead, qrs: _Mark, after: _Mark | None) -> _Mark | None:
    longest = _T_LONGEST * RATE
    stop = qrs[2] + longest
    if after is not None:
        stop = min(stop, qrs[0] + max(_T_SHARE * (after[0] - qrs[0]), 0.2 * RATE), after[0])
    return _wave(lead, qrs, qrs[2] + _T_FROM * RATE, stop, "T")


def _usual_p(lead: _Lead, complexes: list[_Mark]) -> tuple[float, float] | None:
    """Samples from the top of P to the QRS onset, and its height, on the median over the beats.

    None where the median shows no wave above what differs from beat to beat.
    """
    onsets = np.array([mark[0] for mark in complexes])
    apart = float(np.median(np.diff(onsets))) if len(onsets) > 1 else RATE
    long = round(min(_P_LONGEST * RATE, _P_SHARE * apart))
    gap = _seconds(_P_GAP)
    starts = np.round(onsets).astype(np.intp) - long
    starts = starts[starts >= 0]
    if not starts.size or long - gap < _seconds(0.04):
        return None
    parts = lead.trace[starts[:, None] + np.arange(long - gap)]
    parts = parts - np.median(parts, axis=1, keepdims=True)
    usual = np.median(parts, axis=0)
    top = int(_peak(usual, 0, len(usual) - 1, chord=True))
    height = abs(float(usual[top]))
    variation = float(np.median(np.abs(parts - usual))) if len(parts) > 1 else 0.0
    tallest = float(np.median([np.ptp(lead.trace[int(m[0]) : int(m[2]) + 1]) for m in complexes]))
    least = max(_LEAST_HEIGHT["P"] * tallest, _P_ABOVE_VARIATION * variation)
    if height < least or top in (0, len(usual) - 1):
        return None
    return float(long - top), height


def _p_wave(
    lead: _Lead,
    qrs: _Mark,
    before: _Mark | None,
    t_wave: _Mark | None,
    usual: tuple[float, float],
) -> _Mark | None:
    """The P wave of a beat near its usual place, if it has about its usual height."""
    distance, height = usual
    start = qrs[0] - _P_LONGEST * RATE
    if before is not None:
        start = max(start, before[2])
    if t_wave is not None:
        start = max(start, t_wave[1])
    start = max(start, qrs[0] - distance - (_P_STRAY_SECONDS + _FARTHEST["P"] / 2) * RATE)
    found = _wave(lead, qrs, start, qrs[0] - _P_GAP * RATE, "P")
    if found is None or abs(qrs[0] - found[1] - distance) > _P_STRAY_SECONDS * RATE:
        return None
    foot = min(abs(float(lead.trace[int(found[1])] - lead.trace[int(found[k])])) for k in (0, 2))
    return found if foot >= _P_LEAST_OF_USUAL * height else None


def _wave(lead: _Lead, qrs: _Mark, start: float, stop: float, wave: Wave) -> _Mark | None:
    """The tallest wave between two places, if it is tall enough for one."""
    first, last = max(int(np.ceil(start)), 0), min(int(stop), len(lead.trace) - 1)
    if last - first < _seconds(0.04):
        return None
    top = int(_peak(lead.trace, first, last, chord=True))
    part = lead.trace[first : last + 1]
    height = abs(float(lead.trace[top] - np.median(part)))
    complex_ = lead.trace[int(qrs[0]) : int(qrs[2]) + 1]
    if height < max(_LEAST_HEIGHT[wave] * float(np.ptp(complex_)), _ABOVE_NOISE * lead.noise):
        return None
    if top in (first, last):
        return None
    reach = _seconds(_FARTHEST[wave])
    onset = _flank(lead, top, max(first, top - reach), -1, wave)
    offset = _flank(lead, top, min(last, top + reach), 1, wave)
    if onset is None or offset is None:
        return None
    return onset, float(top), offset


def _flank(lead: _Lead, top: int, limit: int, way: int, wave: Wave) -> float | None:
    """The boundary beyond the steepest place between the top of a wave and a limit."""
    places = np.arange(top, limit + way, way)
    if len(places) < 3:
        return None
    steepest = int(places[np.argmax(np.abs(lead.soft[places]))])
    share = _BEGINS[wave] if way < 0 else _ENDS[wave]
    level = share * abs(float(lead.soft[steepest]))
    return _boundary(lead, steepest, way, level, wave)


def _boundary(lead: _Lead, flank: int, way: int, level: float, wave: Wave) -> float | None:
    """Where the slope falls to a level, going ``way`` (-1, 1) from a flank, to a fraction.

    Where it never does, the place of the greatest bend; None where the trace ends before.
    """
    places = flank + way * np.arange(_seconds(_FARTHEST[wave]) + 1)
    places = places[(places >= 0) & (places < len(lead.trace))]
    slope = lead.slope(wave)
    steep = np.abs(slope[places])
    quiet = np.flatnonzero(steep < level)
    if quiet.size and quiet[0]:
        k = int(quiet[0])
        part = (steep[k - 1] - level) / (steep[k - 1] - steep[k])
        return float(places[k - 1] + way * part)
    if places[-1] in (0, len(lead.trace) - 1):
        return None
    return float(places[np.argmax(np.abs(np.gradient(slope)[places]))])


def _peak(trace: _Values, onset: float, offset: float, chord: bool) -> float:
    """The place farthest from the line between two places, or (QRS) from their mean level."""
    first, last = int(np.ceil(onset)), int(offset)
    if last <= first:
        return (onset + offset) / 2
    part = trace[first : last + 1]
    base = np.linspace(part[0], part[-1], len(part))
    top = first + int(np.argmax(np.abs(part - (base if chord else base.mean()))))
    return float(min(max(top, onset), offset))
