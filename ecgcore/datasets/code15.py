"""CODE-15%: 345,779 exams of 233,770 patients at 400 Hz, HDF5.

Ribeiro et al., Nature Communications 2020;11:1760; data at Zenodo 4916206. Layout: ``exams.csv``
(``exam_id, age, is_male, nn_predicted_age, 1dAVb, RBBB, LBBB, SB, ST, AF, patient_id, death,
timey, normal_ecg, trace_file``) and ``exams_part0.hdf5`` ... with ``exam_id`` (n) and ``tracings``
(n, 4096, 12) in mV, leads in standard order. Recordings of 7 or 10 s are filled up to 4096 samples
with zeros on both sides (the publication's files; other copies fill one side): whole rows of exact
zeros at either end are removed, whatever their number.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ecgcore.datasets.containers import recording_of
from ecgcore.datasets.record import (
    DataLabel,
    DataSet,
    DataSetError,
    IndexEntry,
    Skipped,
    age_of,
    identifier,
    one_of_each,
    read_table,
)
from ecgcore.recording import Patient, Recording, RecordingError, Sex

SAMPLING_RATE = 400.0
CLASSES = ("1dAVb", "RBBB", "LBBB", "SB", "ST", "AF")
_PADDED = 4096
_SEX: dict[str, Sex] = {"true": "M", "1": "M", "false": "F", "0": "F"}
_READ_ERRORS = (OSError, KeyError, ValueError, TypeError, RuntimeError)


def open_code15(folder: Path) -> DataSet:
    """CODE-15% in its published folder; parts that are absent are listed exam by exam.

    Raises DataSetError where ``exams.csv`` is not the published one.
    """
    rows = read_table(
        folder / "exams.csv", ("exam_id", "age", "is_male", *CLASSES, "patient_id", "trace_file")
    )
    parts: dict[str, dict[str, int] | str] = {}
    entries, skipped = [], []
    for row in rows:
        exam, part = identifier(row["exam_id"]), row["trace_file"].strip()
        if exam is None or Path(part).name != part or not part:
            skipped.append(Skipped(f"exam {row['exam_id']}", f"trace_file {part!r} is no file"))
            continue
        if part not in parts:
            parts[part] = _exams_of(folder / part)
        held = parts[part]
        if isinstance(held, str) or exam not in held:
            reason = held if isinstance(held, str) else f"{part} has no such exam"
            skipped.append(Skipped(f"exam {exam}", reason))
            continue
        entries.append(_entry(exam, part, held[exam], row))
    kept, repeated = one_of_each(entries)

    def read(entry: IndexEntry) -> Recording:
        return _read(folder, entry)

    return DataSet("code15", kept, (*skipped, *repeated), read)


def without_padding(tracing: NDArray[np.floating]) -> NDArray[np.floating]:
    """(samples, leads) without the rows of exact zeros at both ends."""
    alive = np.flatnonzero(np.any(tracing != 0, axis=1))
    return tracing[alive[0] : alive[-1] + 1] if len(alive) else tracing[:0]


def _exams_of(path: Path) -> dict[str, int] | str:
    """Row of each exam in a part, or why it cannot be read."""
    import h5py

    try:
        with h5py.File(path, "r") as file:
            exams, shape = np.asarray(file["exam_id"]), file["tracings"].shape
    except _READ_ERRORS as error:
        return f"{path.name} cannot be read ({error})"
    if shape != (len(exams), _PADDED, 12) and shape != (len(exams) + 1, _PADDED, 12):
        return f"{path.name} has tracings {shape} for {len(exams)} exams"
    # The published parts end with one row of zeros whose exam_id is 0 or absent.
    return {str(exam): row for row, exam in enumerate(exams.tolist())}


def _entry(exam: str, part: str, place: int, row: dict[str, str]) -> IndexEntry:
    labels = [name for name in CLASSES if row[name].strip().lower() in ("true", "1", "1.0")]
    patient = Patient(
        identifier(row["patient_id"]),
        age_of(row["age"]),
        _SEX.get(row["is_male"].strip().lower().removesuffix(".0")),
    )
    found = tuple(DataLabel(name, "CODE", "15%") for name in labels)
    return IndexEntry(exam, part, "code15", found, patient, row=place)


def _read(folder: Path, entry: IndexEntry) -> Recording:
    import h5py

    try:
        with h5py.File(folder / entry.member, "r") as file:
            tracing = np.asarray(file["tracings"][entry.row])
            stored = str(int(file["exam_id"][entry.row]))
    except _READ_ERRORS as error:
        raise RecordingError(
            f"exam {entry.record_id} of {entry.member} cannot be read ({error})",
            "the HDF5 file as published",
            "copy the file again",
        ) from error
    if stored != entry.record_id:
        raise DataSetError(f"{entry.member}[{entry.row}] is exam {stored}, not {entry.record_id}")
    return recording_of(
        entry.record_id,
        without_padding(tracing).T,
        sampling_rate=SAMPLING_RATE,
        form="HDF5",
        content=tracing.tobytes(),
        name=f"exam {entry.record_id}",
    )
