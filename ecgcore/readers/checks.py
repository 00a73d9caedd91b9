"""Integrity checks on a recording's counts: does anything in the file contradict its header?

Counts are what the recorder stored; gain and baseline turn them into millivolts. Checked are the
first value and checksum of every signal, the gains and baselines against each other, the limb leads
against Einthoven's and Goldberger's identities, and whether amplitude, length and rate can be a
resting ECG's. A contradiction is refused (RecordingError); what is odd but possible is returned as
a warning.

Nothing in a file contradicts a gain that is wrong by the same factor in all leads within the
possible range, a usual but wrong rate, or two chest leads exchanged whole; those are known limits.

The bounds were chosen on PTB-XL, LUDB and the PhysioNet/CinC 2021 sets: their identities hold
within 0.0075 mV, except in LUDB, whose header gains stretch every lead to a span of exactly 1 mV.
Sources: Kligfield et al., Circulation 2007;115:1306-1324 (identities, rate, amplitude).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecgcore.recording import (
    LEADS,
    LIMB_LEADS,
    VOLTAGES_IN_DOUBT,
    RecordingError,
    Signal,
    limb_lead_residuals,
)

USUAL_RATES_HZ = frozenset(
    (100, 120, 125, 128, 150, 180, 200, 240, 250, 256, 257, 300, 360, 400, 480, 500, 512, 600,
     720, 800, 960, 977, 1000, 1024, 1200, 2000, 2048, 4000, 4096, 8000)
)  # fmt: skip
# Leads x samples of one recording. The longest public 12-lead records (INCART: half an hour at
# 257 Hz) hold 5.6 million; read and assessed, this many take under 2 s and half a gigabyte.
MAX_VALUES = 6_000_000
USUAL_SECONDS = (2.5, 180.0)  # cart recordings are 10 s; published sets hold 6 to 144 s
MIN_SPAN_MV = 0.01  # the largest lead of any ECG, asystole's noise included, spans more
LOW_SPAN_MV = 0.1
HIGH_SPAN_MV, MAX_SPAN_MV = 12.0, 1000.0  # beats stay under 10 mV; artefacts reach the rails
MAX_OFFSET_MV = (
    5.0  # a lead that never comes nearer to zero was not AC-coupled or has a false baseline
)
ROUNDING_COUNTS = 4  # four rounded leads and halves: at most 2.5 counts in Goldberger's identities
IDENTITY_FLOOR_MV = 0.012  # seen: 0.0075 mV where a 4.88 uV recorder was exported at 1 uV
IDENTITY_SHARE = 0.01  # of the largest limb-lead deflection
GROSS_SHARE = (
    0.2  # root mean square of the residual over that of the limb leads: exchanged or mis-scaled
)
SAME_SPAN_SHARE = 0.003  # spans this alike, by gains that differ: every lead was stretched


@dataclass(frozen=True)
class Calibrated:
    """Counts (leads, samples) with each row's lead, gain (counts a mV) and baseline (counts)."""

    counts: NDArray[Any]
    leads: tuple[str, ...]
    gains: tuple[float, ...]
    baselines: tuple[int, ...]
    lowest: NDArray[Any]  # per row, of the samples that are not missing
    highest: NDArray[Any]
    has_missing: bool


def check_stored(
    counts: NDArray[Any], names: Sequence[str], firsts: Sequence[int], sums: Sequence[int]
) -> tuple[str, ...]:
    """First value and 16-bit checksum of every signal, ``counts`` being (signals, samples).

    A header whose checksums are all zero, with a signal that is not, never had any: a warning.
    Raises RecordingError where they differ.
    """
    for name, first, given in zip(names, counts[:, 0].tolist(), firsts, strict=True):
        if first != given:
            raise RecordingError(
                f"signal {name[:20]!r} begins with the count {first}, its header says {given}",
                "a signal file that belongs to its header",
                "fetch both files again; one of them is damaged or belongs to another record",
            )
    # Sums modulo 2^16 may wrap on the way: int16 sums of int16 counts are exact, and quick.
    wrapping = np.int16 if counts.dtype == np.int16 else np.int64
    found = np.add.reduce(counts, axis=1, dtype=wrapping).tolist()
    wrong = [
        name for name, total, given in zip(names, found, sums, strict=True)
        if (total - given) & 0xFFFF
    ]  # fmt: skip
    if wrong and not any(sums):
        return ("The header holds no checksums; damage to the signal would not be seen.",)
    if wrong:
        raise RecordingError(
            f"the checksum of {', '.join(name[:20] for name in wrong)} differs from the header's",
            "a signal whose sum is what its header says",
            "fetch both files again; the signal or its header was altered",
        )
    return ()


def check_calibration(recording: Calibrated) -> tuple[str, ...]:
    """Gains, baselines, amplitudes and the limb-lead identities. See the module's text."""
    warnings = _odd_ones_out(recording) + _amplitude(recording) + _identities(recording)
    return tuple(warnings)


def check_timing(samples: int, rate: float) -> tuple[str, ...]:
    """Warnings about an unusual rate (Hz) or length."""
    warnings = []
    if rate not in USUAL_RATES_HZ:
        warnings.append(f"A sampling rate of {rate:g} Hz is unusual; intervals depend on it.")
    low, high = USUAL_SECONDS
    if not low <= samples / rate <= high:
        warnings.append(
            f"The recording is {samples / rate:.3g} s long; usual are {low:g} to {high:g} s."
        )
    return tuple(warnings)


def check_order(leads: Sequence[str]) -> tuple[str, ...]:
    """A warning when a file's leads are not in the customary order: names may be exchanged."""
    if tuple(leads) == LEADS:
        return ()
    places = [LEADS.index(lead) for lead in leads]
    if places == sorted(places):
        return ()
    return (
        f"The file's leads are in the unusual order {', '.join(leads)}; they are shown by name.",
    )


def _odd_ones_out(recording: Calibrated) -> list[str]:
    """Gains or baselines shared by some leads and not by others: one of the groups may be false.

    Gains that are nearly all different are those of a file whose every lead was scaled by itself:
    usual, and then no lead stands out, by its baseline neither.
    """
    gains, baselines = recording.gains, recording.baselines
    if len(set(gains)) == 1 and len(set(baselines)) == 1:  # the usual case, quickly
        return []
    if len(set(gains)) * 2 > len(gains) and not _most_share_one(gains):
        return []
    warnings = []
    for what, unit, values in (("gain", " per mV", gains), ("baseline", "", baselines)):
        if len(set(values)) > 1 and (
            _most_share_one(values) or len(set(values)) * 2 <= len(values)
        ):
            common = Counter(values).most_common(1)[0][0]
            odd = [lead for lead, v in zip(recording.leads, values, strict=True) if v != common]
            warnings.append(
                f"The {what} of {', '.join(odd)} differs from that of the other leads"
                f" ({common:.12g} counts{unit})."
            )
    return warnings


def _most_share_one(values: Sequence[float]) -> bool:
    return Counter(values).most_common(1)[0][1] * 2 > len(values)


def _amplitude(recording: Calibrated) -> list[str]:
    rows = zip(
        recording.lowest.tolist(),
        recording.highest.tolist(),
        recording.gains,
        recording.baselines,
        strict=True,
    )
    ranges = [((low - zero) / gain, (high - zero) / gain) for low, high, gain, zero in rows]
    spans = [high - low for low, high in ranges]
    largest = max(spans)
    if not largest <= MAX_SPAN_MV or 0 < largest < MIN_SPAN_MV:
        raise RecordingError(
            f"a largest deflection of {largest:.3g} mV from peak to peak",
            f"{MIN_SPAN_MV:g} to {MAX_SPAN_MV:g} mV in the largest lead",
            "check the gain and the unit in the header",
        )
    warnings = []
    if largest > HIGH_SPAN_MV or largest < LOW_SPAN_MV:
        warnings.append(
            f"The largest lead spans {largest:.3g} mV from peak to peak; usual are"
            f" {LOW_SPAN_MV:g} to {HIGH_SPAN_MV:g} mV. Artefact, or a wrong gain."
        )
    far = [
        lead
        for lead, (low, high) in zip(recording.leads, ranges, strict=True)
        if low > MAX_OFFSET_MV or high < -MAX_OFFSET_MV
    ]
    if far:
        warnings.append(f"{', '.join(far)} stay more than {MAX_OFFSET_MV:g} mV away from zero.")
    faint = [
        lead
        for lead, span in zip(recording.leads, spans, strict=True)
        if 0 < span < MIN_SPAN_MV <= largest
    ]
    if faint:
        warnings.append(
            f"{', '.join(faint)} span less than {MIN_SPAN_MV:g} mV: nearly flat, or a wrong gain."
        )
    return warnings + _stretched(recording, spans)


def _stretched(recording: Calibrated, spans: list[float]) -> list[str]:
    """A warning when gains that differ give every lead the same span: voltages were normalised."""
    largest = max(spans)
    alike = min(spans) >= (1 - SAME_SPAN_SHARE) * largest > 0
    if len(spans) < 3 or len(set(recording.gains)) * 2 <= len(spans) or not alike:
        return []
    return [
        f"Every lead spans {largest:.3g} mV from peak to peak: the header's gains stretch the leads"
        f" to one size. {VOLTAGES_IN_DOUBT}"
    ]


def _identities(recording: Calibrated) -> list[str]:
    leads = recording.leads
    if "I" not in leads or "II" not in leads or not set(leads).intersection(LIMB_LEADS[2:]):
        return []
    uniform = len(set(recording.gains)) == 1 and len(set(recording.baselines)) == 1
    if uniform and not recording.has_missing:
        worst = _residual_counts(recording)
        if worst <= max(ROUNDING_COUNTS, IDENTITY_FLOOR_MV * recording.gains[0]):
            return []
    return _identities_in_mv(recording)


def _residual_counts(recording: Calibrated) -> float:
    """The largest difference from the identities, in counts, by whole numbers alone."""
    rows = {lead: recording.counts[at] for at, lead in enumerate(recording.leads)}
    zero = recording.baselines[0]
    reach = max(-int(recording.lowest.min()), int(recording.highest.max()), abs(zero))
    if reach * 10 >= 2**15:  # below, five counts add up and are doubled: int16 would overflow
        rows = {lead: rows[lead].astype(np.int64) for lead in LIMB_LEADS if lead in rows}
    one, two = rows["I"], rows["II"]
    twice = []  # twice each residual, so that halves stay whole
    if "III" in rows:
        third = rows["III"] - two + one
        twice.append(third + third - 2 * zero)
    if "aVR" in rows:
        twice.append(rows["aVR"] + rows["aVR"] + one + two - 4 * zero)
    if "aVL" in rows:
        left = rows["aVL"] - one
        twice.append(left + left + two - zero)
    if "aVF" in rows:
        foot = rows["aVF"] - two
        twice.append(foot + foot + one - zero)
    together = np.concatenate(twice)
    return float(max(int(together.max()), -int(together.min()))) / 2


def _identities_in_mv(recording: Calibrated) -> list[str]:
    """The identities in mV, flat limb leads left out; the verdict in words."""
    flat = [
        lead for at, lead in enumerate(recording.leads)
        if lead in LIMB_LEADS and recording.lowest[at] == recording.highest[at]
    ]  # fmt: skip
    used = [
        at for at, lead in enumerate(recording.leads) if lead in LIMB_LEADS and lead not in flat
    ]
    leads = tuple(recording.leads[at] for at in used)
    notes = [f"{', '.join(flat)}: flat, left out of the limb-lead check."] if flat else []
    if not used:
        return notes
    counts = recording.counts[used].astype(np.float64)
    if recording.has_missing:
        bounds = recording.lowest[used, None]
        counts[counts < bounds] = np.nan
    gains = np.array([recording.gains[at] for at in used])[:, None]
    zeros = np.array([recording.baselines[at] for at in used])[:, None]
    worst, share = _misfit(((counts - zeros) / gains).astype(np.float32), leads)
    largest = float(np.nanmax(np.abs((counts - zeros) / gains)))
    rounding = ROUNDING_COUNTS / float(gains.min())
    if worst <= max(rounding, IDENTITY_FLOOR_MV) + IDENTITY_SHARE * largest:
        return notes
    stored_fits = _misfit(counts.astype(np.float32), leads)[0] <= ROUNDING_COUNTS
    return [*notes, _verdict(worst, share, stored_fits, len(set(gains[:, 0].tolist())))]


def _misfit(signal: Signal, leads: tuple[str, ...]) -> tuple[float, float]:
    """The largest residual of the identities, and its root mean square over the limb leads'."""
    residuals = limb_lead_residuals(signal, leads)
    if not residuals:
        return 0.0, 0.0
    stacked = np.stack(list(residuals.values())).astype(np.float64)
    stacked = stacked[~np.isnan(stacked).all(axis=1)]
    if not len(stacked):
        return 0.0, 0.0
    around = signal - np.nanmedian(signal, axis=1, keepdims=True)
    limbs = float(np.sqrt(np.nanmean(np.square(around, dtype=np.float64), axis=1).max()))
    misfit = float(np.sqrt(np.nanmax(np.nanmean(np.square(stacked), axis=1))))
    return float(np.nanmax(np.abs(stacked))), misfit / max(limbs, 1e-9)


def _verdict(worst: float, share: float, stored_fits: bool, gains: int) -> str:
    """Refuse what is exchanged or mis-scaled; a warning for what is odd but usable."""
    by = f"by up to {worst:.3g} mV"
    if stored_fits and gains > 3:
        return (
            f"The limb leads contradict Einthoven's and Goldberger's identities {by}, though the"
            f" stored counts obey them: the header's gains are not true. {VOLTAGES_IN_DOUBT}"
        )
    if share > GROSS_SHARE or stored_fits:
        raise RecordingError(
            f"limb leads that contradict Einthoven's and Goldberger's identities {by}",
            "III = II - I, aVR = -(I + II)/2, aVL = I - II/2, aVF = II - I/2, within rounding",
            "check lead names, gains and baselines; leads were exchanged or scaled differently",
        )
    return f"The limb leads differ from Einthoven's and Goldberger's identities {by}."
