"""What no true resting ECG contradicts: checks on physical values, shared by the readers.

A number that parses can still be wrong: microvolts read as millivolts, 5 Hz for 500, a gain of one
channel with a digit changed. Each check refuses what cannot be an ECG (RecordingError) and returns
a sentence for what is odd but possible.

The limits: a QRS complex on the skin is 0.1 to about 5 mV, IEC 60601-2-25:2011 asks
electrocardiographs to take differential voltages of 10 mV peak to valley on an electrode offset of
300 mV, and a sampling rate of at least 500 Hz at output. The identities are Einthoven's and
Goldberger's (see ecgcore.recording).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ecgcore.readers.checks import (
    GROSS_SHARE,
    IDENTITY_FLOOR_MV,
    IDENTITY_SHARE,
    LOW_SPAN_MV,
    MAX_SPAN_MV,
    MAX_VALUES,
    ROUNDING_COUNTS,
    USUAL_RATES_HZ,
)
from ecgcore.recording import LIMB_LEADS, RecordingError, Signal, limb_lead_residuals

LARGEST_FILE_BYTES = 64 * 2**20
"""12 leads, 1,000 Hz, 16 bit take 1.4 MB a minute; 64 MiB holds any resting ECG in any format."""

LONGEST_SECONDS = 3600.0
"""A resting ECG lasts ten seconds, a rhythm recording minutes; more is a Holter."""

LOWEST_RATE, HIGHEST_RATE = 50.0, 20_000.0
"""Hz. Below 50 a QRS complex of 80 ms has four samples; above 20,000 no ECG amplifier samples."""

LARGEST_SPAN_MV = 40.0
"""Median over the leads of the span from the 1st to the 99th percentile: four times what IEC
60601-2-25 asks for. One lead off its electrode may lie at a rail of 80 mV (PhysioNet 2011)."""

ODD_SPAN_MV = 15.0
"""Above the 10 mV of IEC 60601-2-25 and above the 11.7 mV seen in public records (PTB-XL)."""

ODD_OFFSET_MV = 20.0
"""A median this far from zero is an electrode offset that was left in, or a wrong baseline."""


def rate_warnings(rate: float) -> tuple[str, ...]:
    """A warning for an unusual sampling rate in Hz; RecordingError for one that no ECG has."""
    if not (np.isfinite(rate) and LOWEST_RATE <= rate <= HIGHEST_RATE):
        raise RecordingError(
            f"sampling rate {rate:g} Hz",
            f"{LOWEST_RATE:g} to {HIGHEST_RATE:g} Hz",
            "correct the sampling rate in the file",
        )
    if rate in USUAL_RATES_HZ:
        return ()
    return (f"Sampling rate {rate:g} Hz is unusual for an ECG: times and intervals may be wrong.",)


def require_length(samples: int, rate: float) -> None:
    """RecordingError for no samples at all, or for more than an hour of them."""
    if samples < 1:
        raise RecordingError("no samples", "at least one sample a lead", "export the record again")
    if samples / rate > LONGEST_SECONDS:
        raise RecordingError(
            f"{samples} samples at {rate:g} Hz, {samples / rate:.0f} seconds",
            f"at most {LONGEST_SECONDS:.0f} seconds",
            "cut the part to be reviewed out of the long recording",
        )


def require_file_size(size: int) -> None:
    """RecordingError for a file of more bytes than any resting ECG."""
    if size > LARGEST_FILE_BYTES:
        raise RecordingError(
            f"a file of {size / 2**20:.0f} MiB",
            f"at most {LARGEST_FILE_BYTES // 2**20} MiB",
            "cut the part to be reviewed out of the long recording",
        )


def require_values(count: int) -> None:
    """RecordingError for more samples, over all leads, than fit in memory at ease."""
    if count > MAX_VALUES:
        raise RecordingError(
            f"{count} samples over all leads",
            f"at most {MAX_VALUES}",
            "cut the part to be reviewed out of the long recording",
        )


def voltage_warnings(signal: Signal, leads: Sequence[str]) -> tuple[str, ...]:
    """Warnings for voltages (leads, samples) in mV that are odd; NaN samples are left out.

    Raises RecordingError for infinite values and for leads that span more than a heart can give.
    """
    spans, medians = _spans_and_medians(signal)
    _refuse_impossible(signal, float(np.median(spans)))
    warnings = [
        f"Lead {lead} spans {span:.3g} mV (1st to 99th percentile), more than "
        f"{ODD_SPAN_MV:g} mV: its gain or unit may be wrong."
        for lead, span in zip(leads, spans, strict=True)
        if span > ODD_SPAN_MV
    ]
    warnings += [
        f"Lead {lead} lies {median:.4g} mV from zero: an electrode offset, or a wrong baseline."
        for lead, median in zip(leads, medians, strict=True)
        if abs(median) > ODD_OFFSET_MV
    ]
    if 0 < spans.max() < LOW_SPAN_MV:
        warnings.append(
            f"No lead spans more than {spans.max():.2g} mV (1st to 99th percentile): the unit may "
            "be wrong, or no heart was recorded."
        )
    return tuple(warnings)


def _refuse_impossible(signal: Signal, middle: float) -> None:
    """RecordingError for voltages (mV) that no ECG has; ``middle`` is the leads' median span."""
    if np.isinf(signal).any():
        raise RecordingError(
            "an infinite voltage", "finite voltages, or missing ones", "export the record again"
        )
    largest = _largest(signal)
    if largest > MAX_SPAN_MV:
        raise RecordingError(
            f"a voltage of {largest:.4g} mV",
            f"at most {MAX_SPAN_MV:g} mV, which no electrocardiograph reaches",
            "correct the unit or the gain in the file",
        )
    if middle > LARGEST_SPAN_MV:
        raise RecordingError(
            f"half the leads span {middle:.4g} mV or more (1st to 99th percentile)",
            f"at most {LARGEST_SPAN_MV:g} mV",
            "correct the unit or the gain in the file",
        )


def limb_lead_warnings(
    signal: Signal, leads: Sequence[str], step_mv: float = 0.0
) -> tuple[str, ...]:
    """Warnings where recorded limb leads (leads, samples) in mV contradict each other.

    ``step_mv`` is the largest step of the stored samples, whose rounding is allowed for. A flat
    lead (an electrode that fell off) contradicts nothing and is left out. Raises RecordingError
    where the contradiction is gross: exchanged, inverted or mis-scaled leads.
    """
    used = [row for row, lead in enumerate(leads) if lead in LIMB_LEADS and _moves(signal[row])]
    limb = signal[used]
    residuals = limb_lead_residuals(limb, [leads[row] for row in used])
    if not residuals:
        return ()
    scale = max(_rms(row - median) for row, median in zip(limb, _medians(limb), strict=True))
    tolerance = max(IDENTITY_FLOOR_MV, ROUNDING_COUNTS * step_mv)
    tolerance += IDENTITY_SHARE * _largest(limb)
    warnings: list[str] = []
    for lead, residual in residuals.items():
        largest = _largest(residual)
        if largest <= tolerance:
            continue
        if _rms(residual) > GROSS_SHARE * scale:
            raise RecordingError(
                f"lead {lead} differs from what leads I and II say by up to {largest:.3g} mV "
                f"({_rms(residual) / scale:.0%} of the limb leads' voltage)",
                f"limb leads that obey Einthoven and Goldberger within {GROSS_SHARE:.0%}",
                "correct the gains, units or names of the limb leads",
            )
        warnings.append(
            f"Lead {lead} differs from what leads I and II say by up to {largest:.3g} mV (limit "
            f"{tolerance:.3g} mV): a gain or a lead name may be wrong."
        )
    return tuple(warnings)


def _moves(samples: Signal) -> bool:
    """Whether a lead has two different values at all."""
    present = samples[~np.isnan(samples)]
    return present.size > 0 and bool(present.min() < present.max())


def _medians(signal: Signal) -> Signal:
    return _spans_and_medians(signal)[1].astype(np.float32)


def _spans_and_medians(signal: Signal) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Per lead the 1st to 99th percentile span and the median in mV; 0 for a lead all missing."""
    spans, medians = np.zeros(len(signal)), np.zeros(len(signal))
    for row, samples in enumerate(signal):
        present = samples[~np.isnan(samples)]
        if present.size:
            last = present.size - 1
            at = [round(0.01 * last), round(0.5 * last), round(0.99 * last)]
            low, median, high = np.partition(present, at)[at]
            spans[row], medians[row] = float(high) - float(low), median
    return spans, medians


def _largest(values: Signal) -> float:
    """The largest magnitude that is there, 0 where none is."""
    return float(np.abs(values).max(initial=0.0, where=~np.isnan(values)))


def _rms(values: Signal) -> float:
    present = values[~np.isnan(values)].astype(np.float64)
    return float(np.sqrt(np.mean(present**2))) if present.size else 0.0
