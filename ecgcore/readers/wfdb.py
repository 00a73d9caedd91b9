"""WFDB records: header and signal files -> Recording, all checks on.

The header is parsed strictly (``wfdb_header``), the signal files are held against it and decoded
(``wfdb_signal``), then the counts are held against themselves (``checks``). Only then do they
become millivolts: (count - baseline) / gain, in float32, equal to the last bit to what the wfdb
package gives.
"""

from __future__ import annotations

from operator import eq
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecgcore.readers.checks import (
    Calibrated,
    check_calibration,
    check_order,
    check_stored,
    check_timing,
)
from ecgcore.readers.wfdb_comments import patient_and_statements, recorded_at
from ecgcore.readers.wfdb_header import STORAGE_BITS, Header, SignalLine, parse_header
from ecgcore.readers.wfdb_signal import MISSING, Counts, Fetch, read_counts
from ecgcore.recording import LEADS, Recording, RecordingError, Signal, Source

_EXACT_IN_FLOAT32 = 2**24


def read_wfdb(name: str, data: bytes, fetch: Fetch) -> Recording:
    """The recording of a header ``data`` named ``name``; ``fetch(file name)`` gives signal bytes.

    Leads come in standard order whatever the file's, in mV, missing samples as NaN. Raises
    RecordingError for whatever contradicts the header.
    """
    header = parse_header(data)
    decoded = read_counts(name, data, header, fetch)
    lines, leads, counts = _twelve_leads(header, decoded.counts)
    warnings = decoded.warnings + check_stored(
        decoded.counts,
        [line.name for line in header.signals],
        [line.first_value for line in header.signals],
        [line.checksum for line in header.signals],
    )
    calibrated = _calibrated(lines, leads, counts)
    warnings += check_calibration(calibrated) + check_order(leads) + _left_out(header)
    warnings += check_timing(counts.shape[1], header.sampling_rate) + _resolution(lines, calibrated)
    started, date_warnings = recorded_at(header.started)
    patient, statements = patient_and_statements(header.comments)
    warnings += date_warnings + _name_differs(name, header.record_name)
    signal = _millivolts(calibrated, lines)
    if leads != LEADS:
        order = sorted(range(len(leads)), key=lambda at: LEADS.index(leads[at]))
        signal, leads = signal[order], tuple(leads[at] for at in order)
    return Recording(
        record_id=header.record_name,
        signal=signal,
        sampling_rate=header.sampling_rate,
        leads=leads,
        source=Source("WFDB", decoded.sha256, warnings),
        patient=patient,
        recorded_at=started,
        statements=statements,
    )


def _twelve_leads(
    header: Header, counts: Counts
) -> tuple[tuple[SignalLine, ...], tuple[str, ...], Counts]:
    """The lines, names and rows of the twelve leads that are there, in the file's order."""
    kept = [at for at, line in enumerate(header.signals) if line.lead is not None]
    lines = tuple(header.signals[at] for at in kept)
    leads = tuple(line.lead for line in lines if line.lead is not None)
    if not leads or len(set(leads)) != len(leads):
        raise RecordingError(
            f"the leads {', '.join(leads) or 'none'}",
            f"each of {', '.join(LEADS)} at most once, and one at least",
            "name every signal of the header by its true lead",
        )
    return lines, leads, counts if len(kept) == len(counts) else counts[kept]


def _calibrated(
    lines: tuple[SignalLine, ...], leads: tuple[str, ...], counts: Counts
) -> Calibrated:
    lowest, highest = counts.min(axis=1), counts.max(axis=1)
    marks = [MISSING[line.storage] for line in lines]
    has_missing = any(map(eq, marks, lowest.tolist()))
    if has_missing:
        lowest, highest = _present_range(counts, marks)
    return Calibrated(
        counts,
        leads,
        tuple(line.gain for line in lines),
        tuple(line.baseline for line in lines),
        lowest,
        highest,
        has_missing,
    )


def _present_range(
    counts: Counts, marks: list[int | None]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Lowest and highest count of each row, missing samples apart; 0 where all are missing."""
    lowest, highest = [], []
    for row, mark in zip(counts, marks, strict=True):
        present = row if mark is None else row[row != mark]
        lowest.append(int(present.min()) if present.size else 0)
        highest.append(int(present.max()) if present.size else 0)
    return np.array(lowest, dtype=np.int64), np.array(highest, dtype=np.int64)


def _millivolts(recording: Calibrated, lines: tuple[SignalLine, ...]) -> Signal:
    """(count - baseline) / gain as float32, rounded once; missing samples NaN."""
    counts, gains, baselines = recording.counts, recording.gains, recording.baselines
    reach = max(abs(int(recording.lowest.min())), abs(int(recording.highest.max())))
    reach += max(map(abs, baselines))
    exact = reach < _EXACT_IN_FLOAT32 and all(float(np.float32(gain)) == gain for gain in gains)
    kind = np.float32 if exact else np.float64
    signal: NDArray[Any] = counts.astype(kind)
    if any(baselines):
        signal -= np.array(baselines, dtype=kind)[:, None]
    if len(set(gains)) == 1:
        signal /= kind(gains[0])
    else:
        signal /= np.array(gains, dtype=kind)[:, None]
    if recording.has_missing:
        for row, stored, line in zip(signal, counts, lines, strict=True):
            if MISSING[line.storage] is not None:
                row[stored == MISSING[line.storage]] = np.nan
    return signal.astype(np.float32, copy=False)


def _resolution(lines: tuple[SignalLine, ...], recording: Calibrated) -> tuple[str, ...]:
    """A warning where the stored counts do not fit the header's ADC resolution."""
    if len({(line.storage, line.resolution) for line in lines}) == 1:  # the usual case, quickly
        span = int(recording.highest.max()) - int(recording.lowest.min())
        if _fits(lines[0], span):
            return ()
    spans = (recording.highest.astype(np.int64) - recording.lowest).tolist()
    odd = [line.name for line, span in zip(lines, spans, strict=True) if not _fits(line, span)]
    if not odd:
        return ()
    return (f"The ADC resolution that the header gives for {', '.join(odd)} is not true.",)


def _fits(line: SignalLine, span: int) -> bool:
    """Whether counts of this span come from an ADC of the line's resolution (0: not stated)."""
    bits = STORAGE_BITS[line.storage]
    if line.storage == 8:  # stores differences: its counts may need more bits than it has
        return True
    return line.resolution <= bits and span < 1 << (line.resolution or bits)


def _left_out(header: Header) -> tuple[str, ...]:
    names = [line.name for line in header.signals if line.lead is None]
    if not names:
        return ()
    return (f"Channels that are none of the twelve leads were left out: {', '.join(names)}.",)


def _name_differs(name: str, record_name: str) -> tuple[str, ...]:
    stem = name.replace("\\", "/").rsplit("/", 1)[-1].rsplit(".", 1)[0]
    if stem == record_name:
        return ()
    return (f"The header is of a record {record_name!r} but its file has another name.",)
