"""Parts of public data sets by the names of their records, so that anybody can train on the same.

``assets/subsets/NAME.csv`` has a row a record: its name in the data set and its fold, which must be
the one that the data set gives it. ``ptbxl_1625`` is what the shipped models learnt from (folds 1-8
of PTB-XL 1.0.3) and were validated on (fold 9). To come out as they were, its records have to be
conditioned as they were.
"""

from __future__ import annotations

from dataclasses import replace

from ecgcore.datasets.record import DataSet, DataSetError, Skipped, read_table
from ecgcore.labels import ASSETS
from ecgcore.models.input_spec import Conditioning

FOLDER = ASSETS / "subsets"

_CONDITIONED = {"ptbxl_1625": Conditioning(lowpass=None)}


def subset_names() -> tuple[str, ...]:
    """The names of all subsets, sorted."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.csv")))


def subset_conditioning(name: str | None) -> Conditioning:
    """What the records of a subset went through; today's for every other, and for whole sets."""
    return _CONDITIONED.get(name or "", Conditioning())


def subset(data: DataSet, name: str) -> DataSet:
    """The records of a subset, in the data set's order; those that it lacks are listed as skipped.

    Raises DataSetError for an unknown name, a record in another fold, or where not one is there.
    """
    if name not in subset_names():
        raise DataSetError(f"unknown subset {name!r}; known: {', '.join(subset_names())}")
    folds = {row["ecg_id"]: row["fold"] for row in read_table(FOLDER / f"{name}.csv", _COLUMNS)}
    kept = tuple(entry for entry in data.entries if entry.record_id in folds)
    if not kept:
        raise DataSetError(f"{data.name} holds none of the {len(folds)} records of {name}")
    for entry in kept:
        if str(entry.fold) != folds[entry.record_id]:
            raise DataSetError(
                f"record {entry.record_id} is in fold {entry.fold} here and in fold "
                f"{folds[entry.record_id]} of {name}; use the version that the subset was made from"
            )
    missing = folds.keys() - {entry.record_id for entry in kept}
    lacked = (
        Skipped(record, f"is in {name} and not in the data set")
        for record in sorted(missing, key=lambda record: (len(record), record))
    )
    return replace(data, entries=kept, skipped=tuple(lacked))


_COLUMNS = ("ecg_id", "fold")
