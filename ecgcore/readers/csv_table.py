"""CSV to Recording: one column a lead, one row a sample.

The heading names the leads in any usual spelling, with or without a unit (``I``, ``V1 [uV]``,
``aVR (mV)``). The rate comes from a time column or from a line ``# sampling_rate: 500``, the unit
from the heading or ``# unit: mV``; also known are ``# record_id:``, ``# patient_id:``, ``# age:``
and ``# sex:``. Columns are parted by comma, semicolon or tab; a decimal comma is read where they
are parted otherwise. RFC 4180 for the quoting.
"""

from __future__ import annotations

import csv
import io
import re
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ecgcore.readers.plausibility import (
    HIGHEST_RATE,
    LOWEST_RATE,
    require_file_size,
    require_values,
)
from ecgcore.readers.stated import Stated
from ecgcore.readers.table_values import Table, number, record_name, to_recording, unit_of
from ecgcore.recording import Patient, Recording, RecordingError, Sex, standard_lead

MOST_COLUMNS = 64
MOST_CELLS = 4_000_000
"""Eleven minutes of 12 leads at 500 Hz; a text of numbers is slow to read, and this takes 2 s."""
OLDEST_YEARS = 120.0

_COMMENT = re.compile(r"#\s*(\w+)\s*[:=]\s*(.*?)\s*")
_KEYS = {
    "sampling_rate": "rate", "sampling_frequency": "rate", "fs": "rate", "unit": "unit",
    "units": "unit", "record_id": "record", "patient_id": "patient", "age": "age", "sex": "sex",
}  # fmt: skip
_HEADING = re.compile(r"(.*?)\s*(?:\[([^\]]*)\]|\(([^)]*)\))\s*")
_TIME = re.compile(r"(?:time|t)(?:_(s|ms|sec|seconds))?", re.IGNORECASE)
_INDEX_NAMES = frozenset({"", "index", "sample", "samples", "n", "#"})
_SECONDS_PER = {
    "s": 1.0, "sec": 1.0, "second": 1.0, "seconds": 1.0, "ms": 1e-3, "millisecond": 1e-3,
    "milliseconds": 1e-3,
}  # fmt: skip
_BODY_CHARACTERS = frozenset("0123456789+-.,eE;\t \"'\r\nnNaA")
_LARGEST_JITTER = 0.25
_LATEST, _SHORTEST_STEP = 1e12, 1e-9


@dataclass(frozen=True)
class _Column:
    """What one column is: "lead", "time", "index" or "empty", and the unit its heading names."""

    kind: str
    name: str
    unit: str | None = None


def read_csv(name: str, data: bytes, stated: Stated) -> Recording:
    """The recording of a CSV file; ``name`` without its suffix unless ``# record_id`` says other.

    Raises UnstatedError where rate or unit is neither in the file nor in ``stated``, RecordingError
    for anything that is not exactly such a table.
    """
    require_file_size(len(data))
    comments, heading, body, delimiter = _split(_decode(data))
    said = _comments(comments)
    columns = _columns(heading)
    cells = _numbers(body, delimiter, columns)
    rate, warnings = _rate(columns, cells, said.get("rate"))
    unit = unit_of(said["unit"], "in a comment") if "unit" in said else None
    leads = [i for i, column in enumerate(columns) if column.kind == "lead"]
    table = Table(
        "CSV",
        said.get("record", "")[:80] or record_name(name),
        tuple(columns[i].name for i in leads),
        cells[leads],
        tuple(_lead_unit(columns[i], unit) for i in leads),
        rate,
        _patient(said),
        warnings,
    )
    return to_recording(table, data, stated)


def _decode(data: bytes) -> str:
    """The text: UTF-16 or UTF-8 by its mark, else UTF-8, else Latin-1 (a lone µ)."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", errors="replace")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    if "\0" in text:
        raise _refusal("a text with zero bytes", "a text of numbers", "export the table as CSV")
    return text


def _refusal(given: str, allowed: str, remedy: str) -> RecordingError:
    return RecordingError(f"CSV: {given}", allowed, remedy)


def _split(text: str) -> tuple[list[str], list[str], str, str]:
    """Comment lines, the cells of the heading, the rest, and what parts the columns."""
    comments: list[str] = []
    stream = io.StringIO(text, newline="")
    for line in stream:
        if line.startswith("#") and _COMMENT.fullmatch(line.rstrip("\r\n")):
            comments.append(line)
        elif line.startswith("#") and not any(mark in line for mark in ",;\t"):
            continue
        elif line.strip():
            delimiter = next((mark for mark in "\t;," if mark in line), ",")
            heading = next(_rows(line, delimiter))
            return comments, heading, stream.read(), delimiter
    raise _refusal("no heading", "a first line with the names of the leads", "add it")


def _comments(lines: Sequence[str]) -> dict[str, str]:
    """What the comments say, by our own words for it."""
    said: dict[str, str] = {}
    for line in lines:
        match = _COMMENT.fullmatch(line.rstrip("\r\n"))
        key = _KEYS.get(match.group(1).lower()) if match else None
        if match is None or key is None:
            continue
        value = match.group(2)
        if said.setdefault(key, value) != value:
            raise _refusal(
                f"{match.group(1)} is {said[key][:40]!r} and also {value[:40]!r}",
                "one value each",
                "remove the wrong line",
            )
    if "rate" in said:
        said["rate"] = re.sub(r"\s*hz$", "", said["rate"], flags=re.IGNORECASE)
    return said


def _columns(heading: Sequence[str]) -> list[_Column]:
    """What each column is. RecordingError for a heading that names no leads, or unknown ones."""
    if len(heading) > MOST_COLUMNS:
        raise _refusal(f"{len(heading)} columns", f"at most {MOST_COLUMNS}", "leave others out")
    texts = [cell.strip() for cell in heading]
    if any(re.fullmatch(r"[+-]?\d*[.,]?\d+(?:[eE][+-]?\d+)?", text) for text in texts):
        raise _refusal(
            f"the first line holds numbers ({', '.join(texts)[:40]}) and no names",
            "a first line with the names of the leads, such as I,II,V1",
            "add the line; the leads cannot be told from their places",
        )
    columns = [_column(text, place) for place, text in enumerate(texts)]
    for kind in ("time", "index"):
        if sum(column.kind == kind for column in columns) > 1:
            raise _refusal(f"two {kind} columns", "one at most", "remove the other")
    if not any(column.kind == "lead" for column in columns):
        raise _refusal("no column of a lead", "at least one lead", "name the leads in the heading")
    return columns


def _column(text: str, place: int) -> _Column:
    match = _HEADING.fullmatch(text)
    name = match.group(1) if match else text
    unit = (match.group(2) or match.group(3) or "").strip() if match else ""
    time = _TIME.fullmatch(name)
    if time:
        unit = (unit or time.group(1) or "").lower()
        if unit and unit not in _SECONDS_PER:
            raise _refusal(f"a time in {unit[:20]!r}", "s or ms", "give the time in seconds")
        return _Column("time", name, unit or None)
    if not text and place:
        return _Column("empty", "")
    if name.lower() in _INDEX_NAMES and not unit:
        return _Column("index", name)
    standard_lead(name)
    return _Column("lead", name, unit_of(unit, f"of column {place + 1}") if unit else None)


def _rows(body: str, delimiter: str) -> Iterator[list[str]]:
    try:
        yield from csv.reader(io.StringIO(body, newline=""), delimiter=delimiter, strict=True)
    except csv.Error as error:
        raise _refusal(f"broken quoting ({error})", "RFC 4180", "export the table again") from error


def _numbers(body: str, delimiter: str, columns: Sequence[_Column]) -> NDArray[np.float64]:
    """All columns as (columns, rows), empty cells NaN."""
    cells = body.count(delimiter) + body.count("\n")
    if cells > MOST_CELLS:
        raise _refusal(
            f"about {cells} cells",
            f"at most {MOST_CELLS}",
            "cut the part to be reviewed out of the long recording, or save it as NPZ or WFDB",
        )
    if not _BODY_CHARACTERS.issuperset(body):
        _point_at_text(body, delimiter)
    comma = delimiter != "," and "," in body
    if comma and "." in body:
        raise _refusal("decimal points and decimal commas", "one of them", "use points only")
    flat, rows, blank = array("d"), 0, False
    for row in _rows(body.replace(",", ".") if comma else body, delimiter):
        if not row:
            blank = True
            continue
        if blank or len(row) != len(columns):
            raise _refusal(
                f"row {rows + 1} has {len(row)} cells{' after an empty line' if blank else ''}",
                f"{len(columns)} cells, as in the heading, without a break",
                "complete the row",
            )
        rows += 1
        require_values(rows * len(columns))
        flat.extend([_cell(cell, rows) for cell in row])
    if not rows:
        raise _refusal("a heading without rows", "one row a sample", "export the table again")
    return _checked(np.frombuffer(flat).reshape(rows, len(columns)).T, columns)


def _cell(text: str, row: int) -> float:
    text = text.strip()
    if not text or text.lower() == "nan":
        return float("nan")
    try:
        return float(text)
    except ValueError:
        return number(text, f"CSV: row {row} holds")


def _point_at_text(body: str, delimiter: str) -> None:
    """Refuse a body with letters, naming the first cell that holds one."""
    for row, cells in enumerate(_rows(body, delimiter), 1):
        for place, cell in enumerate(cells, 1):
            if not _BODY_CHARACTERS.issuperset(cell):
                raise _refusal(
                    f"row {row}, column {place} holds {cell[:40]!r}",
                    "a number, or nothing for a missing sample",
                    "correct the cell",
                )
    raise _refusal("characters that are no numbers", "numbers", "export the table again")


def _checked(cells: NDArray[np.float64], columns: Sequence[_Column]) -> NDArray[np.float64]:
    """Index columns must count rows; columns without a name must be empty."""
    for values, column in zip(cells, columns, strict=True):
        counts = any(
            np.array_equal(values, np.arange(first, first + values.size)) for first in (0, 1)
        )
        if column.kind == "index" and not counts:
            raise _refusal(
                f"a column {column.name!r} that does not count the samples",
                "leads, a time, or the numbers 0, 1, 2 ...",
                "name the column, or leave it out",
            )
        if column.kind == "empty" and not np.isnan(values).all():
            raise _refusal("values under no name", "a name for each column", "name the column")
    return cells


def _rate(
    columns: Sequence[_Column], cells: NDArray[np.float64], comment: str | None
) -> tuple[float | None, tuple[str, ...]]:
    """The rate that the file states by comment or time column, which must agree."""
    said = None if comment is None else number(comment, "CSV: a sampling rate of")
    place = next((i for i, column in enumerate(columns) if column.kind == "time"), None)
    if place is None:
        return said, ()
    counted, warnings = _rate_of_times(cells[place], columns[place].unit)
    if said is not None and counted is not None and abs(said - counted) > 1e-3 * said:
        raise _refusal(
            f"a stated rate of {said:g} Hz and times {1e3 / counted:.6g} ms apart ({counted:g} Hz)",
            "the same rate",
            "correct the one or the other",
        )
    return (said if said is not None else counted), warnings


def _rate_of_times(
    times: NDArray[np.float64], unit: str | None
) -> tuple[float | None, tuple[str, ...]]:
    """The rate of a regular time column; None where it cannot be told (0, 1, 2 ... of no unit)."""
    if times.size < 3 or not (np.abs(times) < _LATEST).all():
        raise _refusal("a time column with gaps or under three rows", "a time a row", "complete it")
    step = float(times[-1] - times[0]) / (times.size - 1)
    off = float(np.abs(times - (times[0] + step * np.arange(times.size))).max())
    if not (step > _SHORTEST_STEP and off <= _LARGEST_JITTER * step and np.diff(times).min() > 0):
        raise _refusal(
            "a time column that is not regular",
            "times in equal steps",
            "resample the recording, or complete the missing rows",
        )
    if unit is None and step == 1.0:
        return None, ("The time column counts samples and has no unit; it was left out.",)
    warnings: tuple[str, ...] = ()
    if unit is None:
        unit = "s" if LOWEST_RATE <= 1 / step <= HIGHEST_RATE else "ms"
        warnings = (f"The time column has no unit; its steps of {step:g} can only be {unit}.",)
    rate = 1 / (step * _SECONDS_PER[unit])
    slack = max(2 * off / (step * (times.size - 1)), 1e-9)
    return (float(round(rate)) if abs(rate - round(rate)) <= slack * rate else rate), warnings


def _lead_unit(column: _Column, unit: str | None) -> str | None:
    if unit is not None and column.unit not in (None, unit):
        raise _refusal(
            f"the unit {unit} in a comment and {column.unit} in the heading of {column.name}",
            "the same unit",
            "correct the one or the other",
        )
    return column.unit or unit


def _patient(said: dict[str, str]) -> Patient:
    sexes: dict[str, Sex] = {"m": "M", "male": "M", "f": "F", "female": "F"}
    age = number(said["age"], "CSV: an age of") if said.get("age") else None
    if age is not None and not 0 <= age <= OLDEST_YEARS:
        raise _refusal(f"an age of {age:g}", f"0 to {OLDEST_YEARS:g} years", "correct the age")
    return Patient(said.get("patient") or None, age, sexes.get(said.get("sex", "").lower()))
