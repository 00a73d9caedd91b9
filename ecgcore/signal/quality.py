"""The quality gate: what a reader of the ECG must know before believing the trace.

Each lead is looked at for missing samples, flat and clipped stretches, amplitudes beyond any
electrocardiograph, mains hum and baseline wander; the recording for missing leads and for its
length. Nothing is repaired or hidden: every finding is a sentence with the measured value and its
limit. After the criteria of the PhysioNet/CinC Challenge 2011 (Silva, Moody and Celi, Computing in
Cardiology 2011;38:273-276: missing leads, flat lines, saturation, noise, drift), with limits from
IEC 60601-2-25:2011 and from the paper that the trace is read on (1 mm is 100 uV and 40 ms).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ecgcore.recording import LEADS, Recording, Signal

Kind = Literal[
    "missing", "short", "not finite", "flat", "clipped", "amplitude", "mains", "baseline wander"
]
Severity = Literal["note", "warning", "unusable"]
_Values = NDArray[np.float32]

USUAL_SECONDS = 9.5
"""A resting ECG lasts 10 s (AHA/ACC/HRS 2007, part I); carts cut up to half a second off."""
SHORT_SECONDS = 5.0
"""Below: under four beats at 50 a minute, no rhythm can be told, models were trained on 10 s."""
UNUSABLE_SECONDS = 2.0
"""Below: a single beat at 30 a minute, and less than one column (2.5 s) of a 3x4 print."""

SOME_MISSING_SHARE = 0.05
"""Half a second of ten: a QRS complex may be hidden."""
MOST_MISSING_SHARE = 0.5

FLAT_LEAD_MV = 0.03
"""Range of a whole lead. IEC 60601-2-25 allows 30 uV peak to valley of noise: less is no signal."""
FLAT_STRETCH_MV = 0.003
"""Span of a stretch. Amplifier noise alone exceeds it; a digital line does not."""
FLAT_STRETCH_SECONDS = 2.0
"""The RR interval at 30 a minute."""
FLAT_MOSTLY_SHARE = 0.5
"""A lead flat for more than half of the recording shows too little to judge."""
_FLAT_BLOCK_SECONDS = 0.25

LONG_RAIL_SECONDS = 0.3
"""One stay at the extreme value; no P, QRS or T wave has an exactly level top of 7.5 mm (0.28 s
was seen once, in a smooth trough of a filtered public recording)."""
SHORT_RAIL_SECONDS = 0.008
SHORT_RAIL_COUNT = 3
"""This many stays of 8 ms at one and the same extreme value: peaks of beats differ, rails do not.
A stay at the very end does not count: filters and exports hold the last value (PTB-XL: 0.11 s)."""

LARGE_SPAN_MV = 10.0
"""1st to 99th percentile. IEC 60601-2-25 asks for a range of 10 mV; a page holds 100 mm."""
UNUSABLE_SPAN_MV = 20.0

MAINS_HZ = (50.0, 60.0)
MAINS_NOTE_UV = 30.0
"""Peak to peak. The noise limit of IEC 60601-2-25; a third of a millimetre."""
MAINS_WARNING_UV = 100.0
"""1 mm on paper: small q waves and the J point cannot be read."""
MAINS_UNUSABLE_UV = 1000.0
"""10 mm: the hum is as tall as the QRS complex."""
_MAINS_SHORTEST_SECONDS = 2.0
_MAINS_HALF_WIDTH_HZ = 0.6
_MAINS_FLOOR_HZ = (1.5, 4.0)

WANDER_SECONDS = 1.0
"""Moving average: passes what is under 0.44 Hz, below the slowest heart rate of note (30/min)."""
WANDER_NOTE_UV = 500.0
"""Peak to peak of the average. 5 mm, half the height of the calibration pulse."""
WANDER_WARNING_UV = 1500.0
"""15 mm: the trace crosses into its neighbour's row."""
WANDER_UNUSABLE_UV = 5000.0


@dataclass(frozen=True)
class QualityWarning:
    """One finding; ``lead`` is None where it concerns the whole recording.

    ``text`` is one readable sentence with the measured value and its limit.
    """

    lead: str | None
    kind: Kind
    text: str
    severity: Severity


def assess(recording: Recording) -> tuple[QualityWarning, ...]:
    """All that is wrong with a recording, the whole first, then lead by lead in standard order.

    Missing samples (NaN) are reported and then left out of the other checks. Never raises.
    """
    found = [*_missing_leads(recording), *_length(recording)]
    signal = recording.signal
    absent = np.isnan(signal)
    if recording.samples == 0:
        return tuple(found)
    filled = _fill(signal, absent)
    spans = _spans(filled)
    per_check = (
        _not_finite(recording, absent),
        _flat_and_clipped(recording, filled, absent),
        _amplitude(recording, spans),
        _mains(recording, filled, spans),
        _wander(recording, filled),
    )
    by_lead = [finding for findings in per_check for finding in findings]
    found += sorted(by_lead, key=lambda f: LEADS.index(f.lead or LEADS[0]))
    return tuple(found)


_Limits = tuple[tuple[float, Severity], ...]
_LENGTH_LIMITS: _Limits = (
    (UNUSABLE_SECONDS, "unusable"), (SHORT_SECONDS, "warning"), (USUAL_SECONDS, "note"),
)  # fmt: skip
_AMPLITUDE_LIMITS: _Limits = ((UNUSABLE_SPAN_MV, "unusable"), (LARGE_SPAN_MV, "warning"))
_MAINS_LIMITS: _Limits = (
    (MAINS_UNUSABLE_UV, "unusable"), (MAINS_WARNING_UV, "warning"), (MAINS_NOTE_UV, "note"),
)  # fmt: skip
_WANDER_LIMITS: _Limits = (
    (WANDER_UNUSABLE_UV, "unusable"), (WANDER_WARNING_UV, "warning"), (WANDER_NOTE_UV, "note"),
)  # fmt: skip
_MISSING_LIMITS: _Limits = (
    (MOST_MISSING_SHARE, "unusable"), (SOME_MISSING_SHARE, "warning"), (0.0, "note"),
)  # fmt: skip


def _exceeded(value: float, limits: _Limits) -> _Limits:
    """The first limit that the value exceeds, with its severity; nothing if it exceeds none."""
    return tuple(pair for pair in limits if value > pair[0])[:1]


def _missing_leads(recording: Recording) -> list[QualityWarning]:
    return [
        QualityWarning(lead, "missing", f"Lead {lead} is not in the recording.", "warning")
        for lead in LEADS
        if lead not in recording.leads
    ]


def _length(recording: Recording) -> list[QualityWarning]:
    seconds = recording.seconds
    for limit, severity in _LENGTH_LIMITS:
        if seconds < limit:
            text = f"The recording lasts {seconds:.2f} s (limit {limit:g} s)."
            return [QualityWarning(None, "short", text, severity)]
    return []


def _fill(signal: Signal, absent: NDArray[np.bool_]) -> _Values:
    """Missing samples replaced by their lead's median (0 for a lead all missing)."""
    filled: _Values = np.where(np.isinf(signal), np.float32(np.nan), signal)
    gaps = absent | np.isnan(filled)
    for row in np.flatnonzero(gaps.any(axis=1)):
        present = filled[row][~gaps[row]]
        filled[row][gaps[row]] = np.median(present) if present.size else 0.0
    return filled


def _spans(filled: _Values) -> NDArray[np.float64]:
    """1st to 99th percentile of each lead in mV."""
    last = filled.shape[1] - 1
    at = [round(0.01 * last), round(0.99 * last)]
    parted = np.partition(filled, at, axis=1)
    return (parted[:, at[1]] - parted[:, at[0]]).astype(np.float64)


def _not_finite(recording: Recording, absent: NDArray[np.bool_]) -> list[QualityWarning]:
    shares = (absent | np.isinf(recording.signal)).mean(axis=1)
    return [
        QualityWarning(
            lead,
            "not finite",
            f"Lead {lead}: {share:.1%} of the samples are missing (limit {limit:.0%}).",
            severity,
        )
        for lead, share in zip(recording.leads, shares, strict=True)
        for limit, severity in _exceeded(share, _MISSING_LIMITS)
    ]


def _flat_and_clipped(
    recording: Recording, filled: _Values, absent: NDArray[np.bool_]
) -> list[QualityWarning]:
    """A lead is flat as a whole, or in a stretch, or clipped at its extremes."""
    found = []
    rate = recording.sampling_rate
    lows, highs = filled.min(axis=1), filled.max(axis=1)
    stretches = _flat_stretches(filled, rate)
    stretches[absent.any(axis=1)] = 0  # a filled gap is flat by our own doing
    for row, lead in enumerate(recording.leads):
        low, high = float(lows[row]), float(highs[row])
        if absent[row].all():
            continue
        if high - low < FLAT_LEAD_MV:
            text = (
                f"Lead {lead} is flat: it spans {1e3 * (high - low):.3g} uV (limit "
                f"{1e3 * FLAT_LEAD_MV:g} uV) around {float(np.median(filled[row])):.3g} mV."
            )
            found.append(QualityWarning(lead, "flat", text, "unusable"))
            continue
        if stretches[row] >= FLAT_STRETCH_SECONDS:
            mostly = stretches[row] > FLAT_MOSTLY_SHARE * recording.seconds
            text = (
                f"Lead {lead} is flat for {stretches[row]:.2f} s without a break (limit "
                f"{FLAT_STRETCH_SECONDS:g} s)."
            )
            severity: Severity = "unusable" if mostly else "warning"
            found.append(QualityWarning(lead, "flat", text, severity))
        for extreme in (high, low):
            stay = _rail(filled[row], extreme, rate)
            if stay is not None:
                text = f"Lead {lead} is clipped at {extreme:.4g} mV: {stay}."
                found.append(QualityWarning(lead, "clipped", text, "warning"))
    return found


def _flat_stretches(filled: _Values, rate: float) -> NDArray[np.float64]:
    """Per lead the longest time in seconds within FLAT_STRETCH_MV, in steps of a block."""
    block = max(round(_FLAT_BLOCK_SECONDS * rate), 2)
    blocks = filled.shape[1] // block
    longest = np.zeros(len(filled))
    if blocks == 0:
        return longest
    parts = filled[:, : blocks * block].reshape(len(filled), blocks, block)
    low, high = parts.min(axis=2), parts.max(axis=2)
    for row in np.flatnonzero(((high - low) < FLAT_STRETCH_MV).any(axis=1)):
        most = _longest_within(low[row], high[row], FLAT_STRETCH_MV)
        longest[row] = most * block / rate
    return longest


def _longest_within(low: _Values, high: _Values, span: float) -> int:
    """Most consecutive blocks that together stay within ``span``."""
    start = most = 0
    for end in range(1, len(low) + 1):
        while start < end and high[start:end].max() - low[start:end].min() >= span:
            start += 1
        most = max(most, end - start)
    return most


def _rail(samples: _Values, extreme: float, rate: float) -> str | None:
    """How the lead stays at its extreme value, if it does as only a rail makes it."""
    at = np.flatnonzero(samples == np.float32(extreme))
    least = max(3, round(SHORT_RAIL_SECONDS * rate))
    if at.size < least:
        return None
    runs = [run for run in np.split(at, np.flatnonzero(np.diff(at) != 1) + 1) if len(run) >= least]
    longest = max((len(run) for run in runs), default=0) / rate
    if longest >= LONG_RAIL_SECONDS:
        return f"it stays there for {1e3 * longest:.0f} ms (limit {1e3 * LONG_RAIL_SECONDS:g} ms)"
    repeated = sum(run[-1] != samples.size - 1 for run in runs)
    if repeated >= SHORT_RAIL_COUNT:
        return (
            f"it stays there {repeated} times for {1e3 * SHORT_RAIL_SECONDS:g} ms or more "
            f"(limit {SHORT_RAIL_COUNT - 1} times)"
        )
    return None


def _amplitude(recording: Recording, spans: NDArray[np.float64]) -> list[QualityWarning]:
    return [
        QualityWarning(
            lead,
            "amplitude",
            f"Lead {lead} spans {span:.3g} mV from its 1st to its 99th percentile (limit "
            f"{limit:g} mV): an artefact or a wrong gain.",
            severity,
        )
        for lead, span in zip(recording.leads, spans, strict=True)
        for limit, severity in _exceeded(span, _AMPLITUDE_LIMITS)
    ]


def _mains(
    recording: Recording, filled: _Values, spans: NDArray[np.float64]
) -> list[QualityWarning]:
    """A line at 50 or 60 Hz above the spectrum's own level beside it."""
    if recording.seconds < _MAINS_SHORTEST_SECONDS:
        return []
    return [
        QualityWarning(
            lead,
            "mains",
            f"Lead {lead} has {hertz:g} Hz mains hum of {amplitude:.0f} uV peak to peak (limit "
            f"{limit:g} uV).",
            severity,
        )
        for hertz, amplitudes in _mains_uv(filled, recording.sampling_rate).items()
        for lead, amplitude, span in zip(recording.leads, amplitudes, spans, strict=True)
        for limit, severity in _exceeded(amplitude, _MAINS_LIMITS)
        if span >= FLAT_LEAD_MV
    ]


def _mains_uv(filled: _Values, rate: float) -> dict[float, NDArray[np.float64]]:
    """Peak-to-peak uV of a sine at each mains frequency below the Nyquist frequency, by lead.

    Hann window, so that a QRS complex does not leak; a sine of amplitude A in n samples has the
    power (A n / 4) ** 2 * 1.5 over the main lobe. The level beside the line is taken off.
    """
    samples = filled.shape[1]
    window = np.hanning(samples + 1)[:-1].astype(np.float32)
    centred = filled - filled.mean(axis=1, keepdims=True)
    power = np.abs(np.fft.rfft(centred * window, axis=1)).astype(np.float64) ** 2
    hertz = np.fft.rfftfreq(samples, 1 / rate)
    found: dict[float, NDArray[np.float64]] = {}
    for line in MAINS_HZ:
        away = np.abs(hertz - line)
        if line + _MAINS_FLOOR_HZ[1] > rate / 2:
            continue
        inside = away <= _MAINS_HALF_WIDTH_HZ
        beside = (away >= _MAINS_FLOOR_HZ[0]) & (away <= _MAINS_FLOOR_HZ[1])
        floor = power[:, beside].mean(axis=1, keepdims=True)
        excess = (power[:, inside] - floor).sum(axis=1)
        excess[excess < inside.sum() * floor[:, 0]] = 0  # no line, but the noise's own unevenness
        found[line] = 2e3 * np.sqrt(excess / 1.5) * 4 / samples
    return found


def _wander(recording: Recording, filled: _Values) -> list[QualityWarning]:
    width = min(max(round(WANDER_SECONDS * recording.sampling_rate), 1), filled.shape[1])
    total = np.cumsum(filled, axis=1, dtype=np.float64)
    total = np.concatenate([np.zeros((len(filled), 1)), total], axis=1)
    average = (total[:, width:] - total[:, :-width]) / width
    return [
        QualityWarning(
            lead,
            "baseline wander",
            f"Lead {lead} has a baseline wander of {drift:.0f} uV peak to peak (limit "
            f"{limit:g} uV).",
            severity,
        )
        for lead, drift in zip(recording.leads, 1e3 * np.ptp(average, axis=1), strict=True)
        for limit, severity in _exceeded(drift, _WANDER_LIMITS)
    ]
