"""What all tables share: names, units and rates as people write them, and the way to a Recording.

A table (CSV, NPZ) is numbers with a few words around them. What the file says and what the user
states must agree; what neither says is asked for (UnstatedError), never guessed.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from ecgcore.readers.checks import check_order
from ecgcore.readers.plausibility import (
    limb_lead_warnings,
    rate_warnings,
    require_length,
    voltage_warnings,
)
from ecgcore.readers.stated import Stated, UnstatedError
from ecgcore.recording import Patient, Recording, RecordingError, Source, standard_lead

MV_PER_UNIT: dict[str, float] = {"nV": 1e-6, "uV": 1e-3, "mV": 1.0, "V": 1e3}
_UNIT_BY_SPELLING = {unit.lower(): unit for unit in MV_PER_UNIT} | {
    "µv": "uV", "μv": "uV", "microvolt": "uV", "microvolts": "uV", "millivolt": "mV",
    "millivolts": "mV", "volt": "V", "volts": "V",
}  # fmt: skip
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?", re.ASCII)
_SAME_RATE = 1e-6


@dataclass(frozen=True)
class Table:
    """One recording as a file holds it.

    ``values`` is (leads, samples) in the units of the file, ``names`` and ``units`` one a row (a
    unit is None where the file says none), ``rate`` in Hz or None.
    """

    format: str
    record_id: str
    names: tuple[str, ...]
    values: NDArray[np.float64]
    units: tuple[str | None, ...]
    rate: float | None
    patient: Patient = field(default_factory=Patient)
    warnings: tuple[str, ...] = ()


def record_name(name: str) -> str:
    """The record's name from its file's: no folder, no last suffix."""
    base = name.replace("\\", "/").rsplit("/", 1)[-1]
    return base.rsplit(".", 1)[0] or base


def number(text: str, what: str) -> float:
    """A finite number written in decimal digits. RecordingError says ``what`` it should have been.

    Not Python's float(), which takes "1_0", "inf" and digits of any script.
    """
    value = float(text) if _NUMBER.fullmatch(text.strip()) else math.inf
    if not math.isfinite(value):  # "1e999" is written in digits, too
        raise RecordingError(
            f"{what} {text[:40]!r}", "a finite number in decimal digits", "correct it in the file"
        )
    return value


def unit_of(text: str, where: str) -> str:
    """The unit that a text names, as a key of MV_PER_UNIT; RecordingError for any other."""
    unit = _UNIT_BY_SPELLING.get(text.strip().lower())
    if unit is None:
        raise RecordingError(
            f"the unit {text.strip()[:20]!r} {where}",
            f"one of {', '.join(MV_PER_UNIT)}",
            "correct the unit; voltages cannot be told without it",
        )
    return unit


def to_recording(table: Table, data: bytes, stated: Stated) -> Recording:
    """The recording of a table, every check done.

    Raises UnstatedError where neither the file nor ``stated`` gives rate or unit, RecordingError
    where they contradict each other or the values are no ECG.
    """
    names = [standard_lead(name) for name in table.names]
    rate = _settle_rate(table, stated)
    units = _settle_units(table, stated)
    unusual_rate = rate_warnings(rate)
    require_length(table.values.shape[1], rate)
    factors = np.array([MV_PER_UNIT[unit] for unit in units])[:, None]
    with np.errstate(all="ignore"):  # an overflow is infinite, which the check below refuses
        signal = (table.values * factors).astype(np.float32)
    warnings = [*table.warnings, *unusual_rate, *_missing_warnings(signal, names)]
    if len(set(units)) > 1:
        warnings.append(f"The leads are in different units: {', '.join(sorted(set(units)))}.")
    warnings += voltage_warnings(signal, names)
    warnings += [*check_order(names), *limb_lead_warnings(signal, names)]
    said = [
        *([f"{rate:g} Hz"] if table.rate is None else []),
        *([str(stated.unit)] if None in table.units else []),
    ]
    digest = sha256(data).hexdigest()
    source = Source(table.format, digest, tuple(dict.fromkeys(warnings)), ", ".join(said))
    return Recording.from_leads(table.record_id, signal, names, rate, source, patient=table.patient)


def _settle_rate(table: Table, stated: Stated) -> float:
    said = stated.sampling_rate
    if table.rate is None and said is None:
        raise UnstatedError(
            f"{table.format} {table.record_id!r} without a sampling rate",
            "a file that states its rate, or a rate stated beside it",
            "state it: --sampling-rate 500, or in the file (a line `# sampling_rate: 500` or a "
            "time column in CSV, an entry sampling_rate in NPZ)",
        )
    if table.rate is None or said is None:
        return float(table.rate if said is None else said)  # type: ignore[arg-type]
    if not math.isclose(table.rate, said, rel_tol=_SAME_RATE):
        raise RecordingError(
            f"a stated sampling rate of {said:g} Hz for a file that says {table.rate:g} Hz",
            "the same rate",
            "leave the stated rate out, or correct the file",
        )
    return table.rate


def _settle_units(table: Table, stated: Stated) -> tuple[str, ...]:
    said = None if stated.unit is None else unit_of(stated.unit, "that was stated")
    if said is None and None in table.units:
        raise UnstatedError(
            f"{table.format} {table.record_id!r} without a unit of voltage",
            f"a file that states its unit, or a unit stated beside it ({', '.join(MV_PER_UNIT)})",
            "state it: --unit mV, or in the file (a line `# unit: mV` or headers like `V1 [mV]` in "
            "CSV, an entry unit in NPZ)",
        )
    wrong = {unit for unit in table.units if said is not None and unit not in (None, said)}
    if wrong:
        raise RecordingError(
            f"a stated unit of {said} for a file that says {', '.join(sorted(map(str, wrong)))}",
            "the same unit",
            "leave the stated unit out, or correct the file",
        )
    return tuple(str(unit or said) for unit in table.units)


def _missing_warnings(signal: NDArray[np.float32], names: Sequence[str]) -> list[str]:
    return [
        f"Lead {name}: {count} of {signal.shape[1]} samples are missing."
        for name, count in zip(names, np.isnan(signal).sum(axis=1), strict=True)
        if count
    ]
