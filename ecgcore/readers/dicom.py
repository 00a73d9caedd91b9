"""DICOM 12-lead, general and ambulatory ECG to Recording.

DICOM PS3.3 A.34.3 to A.34.5 and C.10.9, PS3.16 CID 3001; the bytes are read strictly
(ecgcore.readers.dicom_elements says why) and no path or reference in the file is followed.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from hashlib import sha256
from itertools import pairwise
from statistics import median

from ecgcore.readers import dicom_elements
from ecgcore.readers.checks import check_order
from ecgcore.readers.dicom_elements import Item, parse_dicom
from ecgcore.readers.dicom_waveform import Group, choose_group, read_group, to_millivolts
from ecgcore.readers.plausibility import limb_lead_warnings, voltage_warnings
from ecgcore.readers.table_values import record_name
from ecgcore.recording import (
    LEADS,
    Patient,
    Recording,
    RecordingError,
    Sex,
    Source,
    StatedMeasurement,
    Statement,
)

ECG_CLASSES: dict[str, str] = {
    "1.2.840.10008.5.1.4.1.1.9.1.1": "12-lead ECG Waveform Storage",
    "1.2.840.10008.5.1.4.1.1.9.1.2": "General ECG Waveform Storage",
    "1.2.840.10008.5.1.4.1.1.9.1.3": "Ambulatory ECG Waveform Storage",
    "1.2.840.10008.5.1.4.1.1.9.1.4": "General 32-bit ECG Waveform Storage",
}
_TWELVE_LEAD = "1.2.840.10008.5.1.4.1.1.9.1.1"
_YEARS_PER = {"D": 1 / 365.25, "W": 7 / 365.25, "M": 1 / 12, "Y": 1.0}
_OLDEST_YEARS = 125
_INTERPRETATION = re.compile(
    "interpret|statement|diagnos|conclusion|impression|finding", re.IGNORECASE
)
# The meanings that recorders give their measurements (SCP-ECG's and MDC's words), our names for
# them, and the unit in which they must stand.
_MEASUREMENTS = {
    "ventricular heart rate": ("rate_bpm", "{H.B.}/min"),
    "heart rate": ("rate_bpm", "{H.B.}/min"),
    "rr interval": ("rr_ms", "ms"),
    "pp interval": ("pp_ms", "ms"),
    "p duration": ("p_ms", "ms"),
    "pr interval": ("pr_ms", "ms"),
    "qrs duration": ("qrs_ms", "ms"),
    "qt interval": ("qt_ms", "ms"),
    "qtc interval": ("qtc_ms", "ms"),
    "p axis": ("p_axis_deg", "deg"),
    "qrs axis": ("qrs_axis_deg", "deg"),
    "t axis": ("t_axis_deg", "deg"),
}
_RATE_TOLERANCE = 0.1
"""Median against the device's own mean of the RR intervals: a tenth is not unusual."""


def looks_like_dicom(data: bytes) -> bool:
    """Whether the bytes begin as a DICOM file: 128 bytes of preamble, then "DICM"."""
    return dicom_elements.looks_like_dicom(data)


def read_dicom(name: str, data: bytes) -> Recording:
    """The ECG of a DICOM file; ``name`` without its suffix becomes the record's name.

    Of several multiplex groups the original one with most leads is read; that others exist is a
    warning, and so is every contradiction between them. Raises RecordingError for a file that is
    no ECG, is damaged, or whose leads, units, rate or limb leads contradict each other.
    """
    file = parse_dicom(data)
    content, warnings = file.content, list(file.warnings)
    kind = _storage_class(file.meta, content, warnings)
    sequence = content.items(0x54000100, "Waveform Sequence")
    groups = _groups(sequence, warnings)
    group, notes = choose_group(groups)
    signal, leads, scaling = to_millivolts(group)
    warnings += [*group.warnings, *notes, *scaling]
    if kind == _TWELVE_LEAD and len(leads) < len(LEADS):
        warnings.append(f"DICOM: a 12-lead ECG with only {len(leads)} leads ({', '.join(leads)}).")
    warnings += voltage_warnings(signal, leads)
    steps = [channel.mv_per_step for channel in group.channels if channel.lead is not None]
    warnings += [*check_order(leads), *limb_lead_warnings(signal, leads, max(steps))]
    warnings += _beat_warnings(content, group)
    recorded_at = _recorded_at(content, warnings)
    patient = _patient(content, recorded_at, warnings)
    return Recording.from_leads(
        record_name(name),
        signal,
        leads,
        group.rate,
        Source("DICOM", sha256(data).hexdigest(), tuple(dict.fromkeys(warnings))),
        patient=patient,
        recorded_at=recorded_at,
        statements=_statements(content),
        measurements=_measurements(content),
    )


def _groups(sequence: tuple[Item, ...], warnings: list[str]) -> tuple[Group, ...]:
    """All groups; a derived one (a median beat, a trend) that cannot be read is left out."""
    groups: list[Group] = []
    for number, item in enumerate(sequence, 1):
        try:
            groups.append(read_group(item, number))
        except RecordingError as error:
            if item.text(0x003A0004, "Waveform Originality", "CS") != "DERIVED":
                raise
            warnings.append(f"DICOM: the derived group {number} cannot be read: {error.given}.")
    return tuple(groups)


def _storage_class(meta: Item, content: Item, warnings: list[str]) -> str:
    """The SOP class, which must be one of an ECG."""
    kind = content.text(0x00080016, "SOP Class UID", "UI")
    if kind not in ECG_CLASSES:
        raise RecordingError(
            f"a DICOM file of the class {kind}",
            "; ".join(f"{title} ({uid})" for uid, title in ECG_CLASSES.items()),
            "choose the file of the ECG (an image or a report holds no waveform)",
        )
    if meta.text(0x00020002, "Media Storage SOP Class UID", "UI") != kind:
        warnings.append("DICOM: the file meta information states another class than the file.")
    modality = content.text(0x00080060, "Modality", "CS")
    if modality != "ECG":
        warnings.append(f"DICOM: the modality is {modality}, not ECG.")
    return kind


def _recorded_at(content: Item, warnings: list[str]) -> datetime | None:
    """Acquisition DateTime as the device's clock showed it (an offset from UTC is left out)."""
    text = content.text(0x0008002A, "Acquisition DateTime", "DT")
    if text is None:
        return None
    digits = re.fullmatch(r"(\d{8,14})(\.\d{1,6})?([+-]\d{4})?", text)
    try:
        if digits is None or len(digits.group(1)) % 2:
            raise ValueError(text)
        stamp = digits.group(1)
        moment = datetime.strptime(stamp, "%Y%m%d%H%M%S"[: len(stamp) - 2])
    except ValueError:
        warnings.append(f"DICOM: the acquisition time {text[:40]!r} is no time and was left out.")
        return None
    return moment


def _birth_date(content: Item) -> date | None:
    text = content.text(0x00100030, "Patient's Birth Date", "DA")
    try:
        return datetime.strptime(text, "%Y%m%d").date() if text else None
    except ValueError:
        return None


def _patient(content: Item, recorded_at: datetime | None, warnings: list[str]) -> Patient:
    stated = content.text(0x00101010, "Patient's Age", "AS")
    digits = re.fullmatch(r"(\d{3})([DWMY])", stated or "")
    age = int(digits.group(1)) * _YEARS_PER[digits.group(2)] if digits else None
    if stated and (age is None or age > _OLDEST_YEARS):
        warnings.append(f"DICOM: the age {stated[:10]!r} is no age and was left out.")
        age = None
    birth = _birth_date(content)
    if birth is not None and recorded_at is not None:
        lived = (recorded_at.date() - birth).days / 365.25
        if age is not None and abs(lived - age) > 1.5:
            warnings.append(f"DICOM: the age is {age:g} years, by the birth date {lived:.1f}.")
        if age is None and 0 <= lived <= _OLDEST_YEARS:
            age = float(int(lived))
    sexes: dict[str | None, Sex] = {"M": "M", "F": "F"}
    return Patient(
        content.text(0x00100020, "Patient ID", "LO"),
        age,
        sexes.get(content.text(0x00100040, "Patient's Sex", "CS")),
    )


def _concept(annotation: Item) -> str:
    """The meaning of what an annotation is about, or nothing."""
    names = annotation.items(0x0040A043, "Concept Name Code Sequence")
    return (names[0].text(0x00080104, "Code Meaning", "LO") or "") if names else ""


def _annotations(content: Item) -> tuple[Item, ...]:
    return content.items(0x0040B020, "Waveform Annotation Sequence")


def _statements(content: Item) -> tuple[Statement, ...]:
    """Free text that interprets the whole recording; text at a place on the trace is a mark."""
    texts: list[str] = []
    for annotation in _annotations(content):
        text = annotation.text(0x00700006, "Unformatted Text Value", "ST", "UT")
        concept = _concept(annotation)
        placed = annotation.raw(0x0040A132, "Referenced Sample Positions", "UL")
        if text and not placed and (not concept or _INTERPRETATION.search(concept)):
            texts.append(text)
    return tuple(Statement(text, "text") for text in dict.fromkeys(texts))


def _measurements(content: Item) -> tuple[StatedMeasurement, ...]:
    """Intervals and axes of the whole recording; an interval of 0 was not measured."""
    found: dict[str, float] = {}
    for annotation in _annotations(content):
        name, unit = _MEASUREMENTS.get(_concept(annotation).casefold(), ("", ""))
        units = annotation.items(0x004008EA, "Measurement Units Code Sequence")
        if not name or not units or units[0].text(0x00080100, "Code Value", "SH") != unit:
            continue
        number = annotation.decimal(0x0040A30A, "Numeric Value")
        if number is not None and (number > 0 or unit == "deg"):
            found.setdefault(name, number)
    return tuple(StatedMeasurement(name, number) for name, number in found.items())


def _beat_warnings(content: Item, group: Group) -> tuple[str, ...]:
    """Do the beats that the device marked lie as far apart as the RR interval that it states?

    An independent witness of the sampling rate: positions are samples, the interval milliseconds.
    """
    positions: list[int] = []
    stated: float | None = None
    for annotation in _annotations(content):
        concept = _concept(annotation).lower()
        channels = annotation.integers(0x0040A0B0, "Referenced Waveform Channels", "US")
        if concept == "rr interval":
            stated = annotation.decimal(0x0040A30A, "Numeric Value")
        elif concept == "fiducial point" and channels[:1] == (group.number,):
            positions += annotation.integers(0x0040A132, "Referenced Sample Positions", "UL")
    if positions and max(positions) > group.stored.shape[1]:
        return (f"DICOM: a beat is marked at sample {max(positions)}, after the recording's end.",)
    if len(positions) < 4 or not stated:
        return ()
    positions.sort()
    found = 1000 * median(b - a for a, b in pairwise(positions)) / group.rate
    if abs(found - stated) <= _RATE_TOLERANCE * stated:
        return ()
    return (
        f"DICOM: the marked beats are {found:.0f} ms apart at {group.rate:g} Hz, the stated RR "
        f"interval is {stated:g} ms: the sampling rate may be wrong.",
    )
