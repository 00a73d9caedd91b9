"""One value for every public data set: an index first, signals on demand, and what was left out.

An adapter lists the members of a set (``IndexEntry``) without reading signals; ``DataSet.records``
then reads them one by one. A member that is missing, short or corrupt becomes a ``Skipped`` with
its reason; nothing is left out without one.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from ecgcore.recording import Patient, Recording, RecordingError

LARGEST_TABLE = 1_000_000
"""Rows of a label table; the largest public set (CODE-15%) has 345,779."""


class DataSetError(ValueError):
    """A folder that is not the data set it was said to be: what was found, what is expected."""


@dataclass(frozen=True)
class DataLabel:
    """One label as the data set gives it.

    ``system`` is the code system ("SCP-ECG", "SNOMED CT", "AHA", "Tianchi", "CPSC2018", "CODE",
    "Brugada", "text"), ``version`` which list of it, ``likelihood`` 0 to 100 percent where stated,
    ``modifiers`` further codes of the same system that qualify this one (AHA).
    """

    code: str
    system: str
    version: str
    likelihood: float | None = None
    modifiers: tuple[str, ...] = ()


@dataclass(frozen=True)
class IndexEntry:
    """One member before its signals are read.

    ``member`` is its file inside the folder and ``row`` its place in that file where it holds
    several. ``patient.patient_id`` None: the set does not say whom it is of. ``fold`` None: the set
    has no folds.
    """

    record_id: str
    member: str
    origin: str
    labels: tuple[DataLabel, ...] = ()
    patient: Patient = field(default_factory=Patient)
    fold: int | None = None
    row: int | None = None


@dataclass(frozen=True)
class Skipped:
    """A member that was left out, and why."""

    member: str
    reason: str


@dataclass(frozen=True)
class DatasetRecord:
    """A recording with its labels, patient, fold and origin."""

    recording: Recording
    labels: tuple[DataLabel, ...]
    patient: Patient
    fold: int | None
    origin: str


@dataclass(frozen=True)
class DataSet:
    """An index and the way to its signals; ``skipped`` is what the index had to leave out."""

    name: str
    entries: tuple[IndexEntry, ...]
    skipped: tuple[Skipped, ...]
    read_signal: Callable[[IndexEntry], Recording]

    def __len__(self) -> int:
        return len(self.entries)

    def read(self, entry: IndexEntry) -> DatasetRecord:
        """One record. Raises RecordingError for a missing, short or corrupt member."""
        recording = replace(
            self.read_signal(entry), record_id=entry.record_id, patient=entry.patient
        )
        return DatasetRecord(recording, entry.labels, entry.patient, entry.fold, entry.origin)

    def records(self, first: int = 0) -> Iterator[DatasetRecord | Skipped]:
        """Everything in index order: what the index left out, then a record or its refusal for each
        entry; of all these from the ``first`` on."""
        yield from self.skipped[first:]
        for entry in self.entries[max(0, first - len(self.skipped)) :]:
            try:
                yield self.read(entry)
            except (RecordingError, DataSetError) as error:
                yield Skipped(_place(entry), str(error))


def _place(entry: IndexEntry) -> str:
    return entry.member if entry.row is None else f"{entry.member}[{entry.row}]"


def one_of_each(
    entries: Iterable[IndexEntry],
) -> tuple[tuple[IndexEntry, ...], tuple[Skipped, ...]]:
    """The entries with each record identifier once, and those that repeat one."""
    kept: dict[str, IndexEntry] = {}
    skipped = []
    for entry in entries:
        if entry.record_id in kept:
            first = _place(kept[entry.record_id])
            skipped.append(Skipped(_place(entry), f"record {entry.record_id} is {first} already"))
        else:
            kept[entry.record_id] = entry
    return tuple(kept.values()), tuple(skipped)


def read_table(path: Path, columns: Iterable[str], delimiter: str = ",") -> list[dict[str, str]]:
    """The rows of a table with a header line. Raises DataSetError where a column is missing."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, delimiter=delimiter)
            found = reader.fieldnames or []
            missing = [name for name in columns if name not in found]
            if missing:
                raise DataSetError(
                    f"{path.name} has no column {', '.join(missing)}; it has "
                    f"{', '.join(found)[:200] or 'none'}; use the file as published"
                )
            rows = []
            for row in reader:
                rows.append({key: value or "" for key, value in row.items() if key})
                if len(rows) > LARGEST_TABLE:
                    raise DataSetError(f"{path.name} has more than {LARGEST_TABLE} rows")
            return rows
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataSetError(f"{path} cannot be read as a table: {error}") from error


def number(text: str) -> float | None:
    """A finite number from a cell, or None."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if abs(value) < float("inf") else None


def age_of(text: str) -> float | None:
    """Years, or None: 300 and -1 stand for "not told" in public sets."""
    value = number(text)
    return value if value is not None and 0 <= value <= 120 else None


def identifier(text: str) -> str | None:
    """A patient's identifier as text; tables that pandas wrote have 15709.0 for 15709."""
    value = text.strip()
    return (value.removesuffix(".0") or None) if value.lower() != "nan" else None
