"""Any folder of readable recordings as a data set: the labels are what the files themselves state.

Unlike a public set's table, nothing is known of a file before it is read: its statements, patient
and name come with its signal. A record of PTB-XL keeps PTB-XL's name (see ``headers``). Folds are
made by patient where every file names one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from ecgcore.datasets.headers import named_as_ptbxl
from ecgcore.datasets.record import (
    DataLabel,
    DataSet,
    DataSetError,
    DatasetRecord,
    IndexEntry,
    Skipped,
)
from ecgcore.readers.opening import find_recordings, read_path
from ecgcore.recording import Recording, complete_limb_leads

NAME = "recordings"
_OTHER_FORMATS = (".scp", ".xml", ".edf", ".ecg", ".h5", ".hdf5")
_OF_A_HEADER = (".mat", ".dat")


@dataclass(frozen=True)
class StatedRecordings(DataSet):
    """A data set whose labels are read with the signals."""

    def read(self, entry: IndexEntry) -> DatasetRecord:
        """One record. Raises RecordingError."""
        recording = self.read_signal(entry)
        labels = tuple(
            DataLabel(one.code, one.system, "file", one.likelihood) for one in recording.statements
        )
        named = replace(recording, record_id=entry.record_id)
        return DatasetRecord(named, labels, recording.patient, None, entry.origin)


def open_any(folder: Path) -> DataSet:
    """Every readable recording of a folder tree. Raises DataSetError where there is none."""
    paths = find_recordings(folder)
    if not paths:
        raise DataSetError(
            f"nothing in {folder} can be learned from; give a folder of WFDB, DICOM, CSV or NPZ "
            "recordings, of a public data set as published, or of packed files"
        )
    members = [path.relative_to(folder.resolve()).as_posix() for path in paths]
    origin = folder.resolve().name
    entries = tuple(
        named_as_ptbxl(IndexEntry(Path(member).with_suffix("").as_posix(), member, origin))
        for member in members
    )

    def read(entry: IndexEntry) -> Recording:
        return complete_limb_leads(read_path(folder / entry.member))

    return StatedRecordings(NAME, entries, _not_taken(folder), read)


def _not_taken(folder: Path) -> tuple[Skipped, ...]:
    """Files that hold ECGs, by their suffix, and that no reader takes."""
    found = []
    for path in sorted(folder.rglob("*")):
        member, suffix = path.relative_to(folder).as_posix(), path.suffix.lower()
        if suffix in _OTHER_FORMATS:
            found.append(Skipped(member, f"{suffix} files are not read"))
        elif suffix in _OF_A_HEADER and not path.with_suffix(".hea").exists():
            found.append(Skipped(member, f"{suffix} file without its header .hea"))
    return tuple(found)
