"""SPH (Shandong Provincial Hospital): 25,770 recordings of 24,666 patients, 500 Hz, AHA statements.

Liu et al., A large-scale multi-label 12-lead electrocardiogram database with standardized
diagnostic statements, Scientific Data 2022;9:272. Layout: ``metadata.csv`` (``ECG_ID, AHA_Code,
Patient_ID, Age, Sex, N, Date``) and ``records/A00001.h5`` with ``ecg`` (12, N) float16 in mV. A
code is a statement of the AHA/ACC/HRS recommendations (Mason et al., Circulation 2007;115:1325)
with its modifiers after ``+``; statements are separated by ``;``: ``60+310;145``.
"""

from __future__ import annotations

import re
from pathlib import Path

from ecgcore.datasets.containers import read_h5
from ecgcore.datasets.record import (
    DataLabel,
    DataSet,
    DataSetError,
    IndexEntry,
    Skipped,
    age_of,
    identifier,
    number,
    one_of_each,
    read_table,
)
from ecgcore.recording import Patient, Recording, RecordingError, Sex

SAMPLING_RATE = 500.0
_STATEMENT = re.compile(r"[0-9]{1,3}(?:\+[0-9]{1,3})*")
_SEX: dict[str, Sex] = {"M": "M", "F": "F"}


def open_sph(folder: Path) -> DataSet:
    """SPH in its published folder (``records.tar.gz`` unpacked). Raises DataSetError."""
    rows = read_table(
        folder / "metadata.csv", ("ECG_ID", "AHA_Code", "Patient_ID", "Age", "Sex", "N")
    )
    entries, skipped, lengths = [], [], {}
    for row in rows:
        record = row["ECG_ID"].strip()
        member = f"records/{record}.h5"
        try:
            if not re.fullmatch(r"[A-Za-z0-9_]{1,40}", record):
                raise DataSetError(f"ECG_ID {record!r} is no record's name")
            labels = aha_labels(row["AHA_Code"])
        except DataSetError as error:
            skipped.append(Skipped(member, str(error)))
            continue
        patient = Patient(
            identifier(row["Patient_ID"]), age_of(row["Age"]), _SEX.get(row["Sex"].strip())
        )
        entries.append(IndexEntry(record, member, "sph", labels, patient))
        lengths[record] = number(row["N"])
    kept, repeated = one_of_each(entries)

    def read(entry: IndexEntry) -> Recording:
        recording = read_h5(folder, entry.member, dataset="ecg", sampling_rate=SAMPLING_RATE)
        if lengths[entry.record_id] not in (None, recording.samples):
            raise RecordingError(
                f"{entry.member} has {recording.samples} samples",
                f"the {lengths[entry.record_id]:g} that metadata.csv states",
                "copy the file again",
            )
        return recording

    return DataSet("sph", kept, (*skipped, *repeated), read)


def aha_labels(text: str) -> tuple[DataLabel, ...]:
    """Statements with their modifiers from ``60+310;145``. Raises DataSetError."""
    found = []
    for part in filter(None, (piece.strip() for piece in text.split(";"))):
        if not _STATEMENT.fullmatch(part):
            raise DataSetError(f"AHA_Code {text[:60]!r}; expected codes as 60+310;145")
        code, *modifiers = part.split("+")
        found.append(DataLabel(code, "AHA", "2007", modifiers=tuple(modifiers)))
    if not found:
        raise DataSetError("no AHA_Code; expected codes as 60+310;145")
    return tuple(found)
