"""A snapshot of reviewed labels as a data set: the recordings from where they lie, the labels and
folds from the snapshot. What the snapshot leaves out, or nobody can find any more, is skipped with
its reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from ecgcore.datasets.record import DataLabel, DataSet, DataSetError, IndexEntry, Skipped
from ecgcore.recording import Patient, Recording, RecordingError
from ecgcore.review.snapshots import Snapshot, SnapshotRow

Reader = Callable[[], Recording]
ORIGIN = "reviewed"
AWAY = "not readable now: "
"""Begins the reasons that may pass, as when a disk is off."""


def reviewed_set(snapshot: Snapshot, readers: Mapping[str, Reader]) -> DataSet:
    """``readers`` read a recording of that content hash. Raises DataSetError where the snapshot's
    labels are not statements, from which all other label sets follow."""
    if snapshot.label_set != "statements":
        raise DataSetError(
            f"snapshot {snapshot.hash[:12]} is of {snapshot.label_set}; train on one of statements"
        )
    entries, skipped = [], []
    for row in snapshot.rows:
        if row.status == "left out":
            skipped.append(Skipped(row.recording[:12], "left out: rejected or disputed"))
        elif row.recording not in readers:
            skipped.append(Skipped(row.recording[:12], f"{AWAY}it is not in the workspace"))
        else:
            try:
                entries.append(_entry(row, _read(readers[row.recording])))
            except RecordingError as error:
                skipped.append(Skipped(row.recording[:12], str(error)))
    return DataSet(
        f"snapshot {snapshot.hash}",
        tuple(entries),
        tuple(skipped),
        lambda entry: _read(readers[entry.member]),
    )


def _read(reader: Reader) -> Recording:
    try:
        return reader()
    except RecordingError as error:
        raise RecordingError(f"{AWAY}{error.given}", error.allowed, error.remedy) from error


def _entry(row: SnapshotRow, recording: Recording) -> IndexEntry:
    labels = tuple(DataLabel(code, "SCP-ECG", "PTB-XL") for code in row.codes)
    patient: Patient = replace(recording.patient, patient_id=row.patient)
    return IndexEntry(row.recording, row.recording, ORIGIN, labels, patient, row.fold)
