"""Sets of WFDB records whose labels stand in the headers, or in a table beside them.

The PhysioNet/CinC Challenge 2020 and 2021 collection (Perez Alday et al. 2020, Reyna et al. 2021):
``.hea`` with ``#Dx: 426783006,...`` (SNOMED CT) and ``.mat``, one folder a source, or all in one;
the source follows from the record's name. LUDB (Kalyakulina et al. 2020): statements in words in
the header. Brugada-HUCA (Costa Cortez et al. 2025): ``metadata.csv`` with ``brugada`` 0, 1 or 2
and ``files/<patient>/<patient>.hea``. Other folders of WFDB records: as their headers say.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from ecgcore.datasets.record import (
    DataLabel,
    DataSet,
    DataSetError,
    IndexEntry,
    Skipped,
    identifier,
    one_of_each,
    read_table,
)
from ecgcore.readers.local_files import read_file
from ecgcore.readers.opening import read_path
from ecgcore.readers.wfdb_comments import patient_and_statements
from ecgcore.readers.wfdb_header import MAX_HEADER_BYTES, parse_header
from ecgcore.recording import Patient, Recording, RecordingError

# The published numbering: letter(s) and number of a record say where it is from. Chapman-Shaoxing
# and Ningbo share JS; Chapman-Shaoxing ends at JS10646.
_SOURCES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"A\d+"), "cpsc2018"),
    (re.compile(r"Q\d+"), "cpsc2018-extra"),
    (re.compile(r"I\d+"), "incart"),
    (re.compile(r"S\d+"), "ptb"),
    (re.compile(r"HR\d+"), "ptbxl"),
    (re.compile(r"E\d+"), "georgia"),
)
_JS = re.compile(r"JS(\d+)")
_LAST_CHAPMAN = 10646
_PTBXL_FILE = re.compile(r"([0-9]{5})_(?:hr|lr)")
_PTBXL_OF_CHALLENGES = re.compile(r"HR([0-9]{5})")


def source_of(record: str) -> str:
    """Which source of the collection a record's name belongs to. Raises DataSetError."""
    for pattern, name in _SOURCES:
        if pattern.fullmatch(record):
            return name
    found = _JS.fullmatch(record)
    if found is None:
        raise DataSetError(
            f"record {record!r} is of no source (A, Q, I, S, HR, E, JS and a number)"
        )
    return "chapman-shaoxing" if int(found[1]) <= _LAST_CHAPMAN else "ningbo"


def open_challenge(folder: Path, version: str = "2021") -> DataSet:
    """The collection, or any source of it, in ``folder`` and below. Raises DataSetError."""
    name = f"challenge{version}"
    entries, skipped = [], []
    for member in _header_files(folder):
        try:
            entry = _labelled(folder, member, f"CinC {version}")
            entry = _of_source(entry, source_of(Path(member).stem))
            entries.append(named_as_ptbxl(entry, _PTBXL_OF_CHALLENGES))
        except (DataSetError, RecordingError) as error:
            skipped.append(Skipped(member, str(error)))
    return _data_set(name, folder, entries, skipped)


def open_ludb(folder: Path) -> DataSet:
    """LUDB as published (``data/1.hea``) or its data folder; 200 people, one record each."""
    entries, skipped = [], []
    for member in _header_files(folder):
        try:
            entry = _labelled(folder, member, "1.0.1")
        except RecordingError as error:
            skipped.append(Skipped(member, str(error)))
            continue
        entries.append(_of_source(entry, "ludb", patient_id=entry.record_id))
    return _data_set("ludb", folder, entries, skipped)


def open_wfdb(folder: Path) -> DataSet:
    """Any folder of WFDB records; whom a record is of is not known.

    The origin is the folder's name; but ``00001_hr`` is PTB-XL's record 1, which may stand in
    another file too.
    """
    entries, skipped = [], []
    for member in _header_files(folder):
        try:
            entry = _of_source(_labelled(folder, member, "header"), folder.resolve().name)
        except RecordingError as error:
            skipped.append(Skipped(member, str(error)))
            continue
        entries.append(named_as_ptbxl(entry))
    return _data_set("wfdb", folder, entries, skipped)


def open_brugada(folder: Path) -> DataSet:
    """Brugada-HUCA as published. Raises DataSetError."""
    rows = read_table(folder / "metadata.csv", ("patient_id", "brugada"))
    where = {Path(member).stem: member for member in _header_files(folder)}
    entries, skipped = [], []
    for row in rows:
        patient, code = identifier(row["patient_id"]), identifier(row["brugada"])
        if patient is None or code not in ("0", "1", "2"):
            told = f"brugada {row['brugada']!r}; expected 0, 1 or 2"
            skipped.append(Skipped(f"patient {row['patient_id']}", told))
            continue
        entries.append(
            IndexEntry(
                record_id=patient,
                member=where.get(patient, f"files/{patient}/{patient}.hea"),
                origin="brugada",
                labels=(DataLabel(code, "Brugada", "HUCA 1.0.0"),),
                patient=Patient(patient),
            )
        )
    return _data_set("brugada", folder, entries, skipped)


def _header_files(folder: Path) -> list[str]:
    found = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.hea"))
    if not found:
        raise DataSetError(f"no .hea in {folder} or below; name the unpacked data set")
    return found


def _without_header(folder: Path) -> list[Skipped]:
    signals = sorted(path for path in folder.rglob("*") if path.suffix in (".mat", ".dat"))
    return [
        Skipped(path.relative_to(folder).as_posix(), f"it has no header {path.stem}.hea")
        for path in signals
        if not path.with_suffix(".hea").exists()
    ]


def _labelled(folder: Path, member: str, version: str) -> IndexEntry:
    """An entry from the header alone. Raises RecordingError for a damaged one."""
    path = folder / member
    header = parse_header(read_file(str(path.parent), path.name, MAX_HEADER_BYTES))
    patient, statements = patient_and_statements(header.comments)
    labels = tuple(DataLabel(one.code, one.system, version, one.likelihood) for one in statements)
    return IndexEntry(path.stem, member, "", labels, patient)


def named_as_ptbxl(entry: IndexEntry, pattern: re.Pattern[str] = _PTBXL_FILE) -> IndexEntry:
    """A record of PTB-XL under the name that PTB-XL gives it, wherever it was found."""
    known = pattern.fullmatch(Path(entry.record_id).name)
    return replace(entry, record_id=str(int(known[1])), origin="ptbxl") if known else entry


def _of_source(entry: IndexEntry, origin: str, patient_id: str | None = None) -> IndexEntry:
    patient = Patient(patient_id or entry.patient.patient_id, entry.patient.age, entry.patient.sex)
    return IndexEntry(entry.record_id, entry.member, origin, entry.labels, patient)


def _data_set(
    name: str, folder: Path, entries: list[IndexEntry], skipped: list[Skipped]
) -> DataSet:
    kept, repeated = one_of_each(entries)
    skipped = [*skipped, *_without_header(folder)]

    def read(entry: IndexEntry) -> Recording:
        return read_path(folder / entry.member)

    return DataSet(name, kept, (*skipped, *repeated), read)
