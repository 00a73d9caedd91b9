"""CPSC2018 (ICBEB2018) as the challenge gave it out: ``A0001.mat`` ... and ``REFERENCE.csv``.

Liu et al., J Med Imaging Health Inform 2018;8:1368-1373. 6,877 recordings of 6 to 60 s at 500 Hz.
Each ``.mat`` holds a struct ``ECG`` with ``sex``, ``age`` and ``data`` (12, samples) in mV, leads
in standard order. The table has ``Recording, First_label, Second_label, Third_label`` with codes 1
to 9. The files name no patient: one a recording is all that can be assumed.
"""

from __future__ import annotations

from pathlib import Path

from ecgcore.datasets.containers import read_mat
from ecgcore.datasets.record import (
    DataLabel,
    DataSet,
    DataSetError,
    IndexEntry,
    Skipped,
    one_of_each,
    read_table,
)
from ecgcore.recording import Recording

CLASSES = ("Normal", "AF", "I-AVB", "LBBB", "RBBB", "PAC", "PVC", "STD", "STE")
"""What the codes 1 to 9 stand for."""

_LABEL_COLUMNS = ("First_label", "Second_label", "Third_label")


def open_cpsc2018(folder: Path) -> DataSet:
    """The challenge's training set; the ``.mat`` may lie in subfolders. Raises DataSetError."""
    tables = sorted(folder.rglob("REFERENCE.csv"))
    if not tables:
        raise DataSetError(f"no REFERENCE.csv in {folder}; name the unpacked training set")
    where = {path.stem: path.relative_to(folder) for path in sorted(folder.rglob("*.mat"))}
    entries, skipped = [], []
    for table in tables:
        for row in read_table(table, ("Recording", *_LABEL_COLUMNS)):
            record = row["Recording"].strip()
            codes = [row[name].strip() for name in _LABEL_COLUMNS if row[name].strip()]
            if any(code not in map(str, range(1, 10)) for code in codes) or not codes:
                skipped.append(Skipped(record, f"labels {codes}; expected codes 1 to 9"))
                continue
            member = where.get(record, Path(f"{record}.mat"))
            labels = tuple(DataLabel(code, "CPSC2018", "training set") for code in codes)
            entries.append(IndexEntry(record, member.as_posix(), "cpsc2018", labels))
    kept, repeated = one_of_each(entries)

    def read(entry: IndexEntry) -> Recording:
        return read_mat(folder, entry.member, field="ECG", sampling_rate=500.0)

    return DataSet("cpsc2018", kept, (*skipped, *repeated), read)
