"""NPZ files of recordings: ``X`` (records, samples, leads) or (samples, leads) int16, ``scale`` in
mV a unit, ``fs`` in Hz, ``leads`` (the standard order where absent).

Labels are read where they are: ``y71`` / ``classes71`` (SCP-ECG) and ``brugada``; so are
``patient_id``, ``fold``, and ``ecg_id`` or ``ids``. Files that are not in millivolts (the packed
training file is z-scored) belong to ``load_packed``.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ecgcore.datasets.containers import read_npz_arrays, recording_of
from ecgcore.datasets.record import (
    DataLabel,
    DataSet,
    DataSetError,
    IndexEntry,
    Skipped,
    one_of_each,
)
from ecgcore.recording import LEADS, Patient, Recording, RecordingError, standard_lead

_NEEDED = ("X", "fs", "scale")
Arrays = dict[str, NDArray[np.generic]]


def open_npz(folder: Path) -> DataSet:
    """Every NPZ of a folder. Raises DataSetError where there is none."""
    paths = sorted(folder.glob("*.npz"))
    if not paths:
        raise DataSetError(f"no .npz in {folder}; name the folder of NPZ files")

    @lru_cache(maxsize=1)
    def arrays_of(member: str) -> Arrays:
        return _checked(member, read_npz_arrays(folder / member, _NEEDED))

    entries, skipped = [], []
    for path in paths:
        try:
            entries += _entries(path, arrays_of(path.name))
        except (RecordingError, DataSetError) as error:
            skipped.append(Skipped(path.name, str(error)))
    kept, repeated = one_of_each(entries)

    def read(entry: IndexEntry) -> Recording:
        arrays = arrays_of(entry.member)
        counts = np.asarray(arrays["X"][entry.row or 0], dtype=np.float64)
        return recording_of(
            entry.record_id,
            counts.T * float(arrays["scale"]),
            sampling_rate=float(arrays["fs"]),
            form="NPZ",
            content=counts.tobytes(),
            leads=_leads(arrays),
        )

    return DataSet("npz", kept, (*skipped, *repeated), read)


def _checked(member: str, arrays: Arrays) -> Arrays:
    signals = arrays["X"]
    signals = signals[None] if signals.ndim == 2 else signals
    if signals.ndim != 3 or signals.dtype.kind not in "iu" or arrays["scale"].size != 1:
        raise DataSetError(
            f"{member}: X has shape {arrays['X'].shape} and type {signals.dtype}; expected whole "
            "numbers (records, samples, leads) and one scale"
        )
    wrong = [
        key
        for key in ("ecg_id", "ids", "patient_id", "fold", "y71", "brugada")
        if key in arrays and len(np.atleast_1d(arrays[key])) != len(signals)
    ]
    if wrong:
        raise DataSetError(f"{member}: {', '.join(wrong)} not of X's {len(signals)} records")
    return arrays | {"X": signals}


def _leads(arrays: Arrays) -> tuple[str, ...]:
    given = arrays.get("leads")
    return LEADS if given is None else tuple(standard_lead(str(lead)) for lead in given)


def _entries(path: Path, arrays: Arrays) -> list[IndexEntry]:
    count = len(arrays["X"])
    people = arrays.get("patient_id")
    ids = next((arrays[key] for key in ("ecg_id", "ids", "patient_id") if key in arrays), None)
    names = [str(one) for one in np.atleast_1d(ids)] if ids is not None else None
    if names is None:
        names = [path.stem] if count == 1 else [f"{path.stem}-{row}" for row in range(count)]
    folds = arrays.get("fold")
    return [
        IndexEntry(
            record_id=name,
            member=path.name,
            origin=path.stem if count > 1 else path.parent.name,
            labels=_labels(arrays, row),
            patient=Patient(str(people[row])) if people is not None else Patient(),
            fold=int(folds[row]) if folds is not None else None,
            row=row,
        )
        for row, name in enumerate(names)
    ]


def _labels(arrays: Arrays, row: int) -> tuple[DataLabel, ...]:
    found = []
    if "y71" in arrays and "classes71" in arrays:
        held = np.asarray(arrays["classes71"])[np.flatnonzero(arrays["y71"][row])]
        found += [DataLabel(str(code), "SCP-ECG", "NPZ") for code in held]
    if "brugada" in arrays:
        found.append(DataLabel(str(arrays["brugada"][row]), "Brugada", "NPZ"))
    return tuple(found)
