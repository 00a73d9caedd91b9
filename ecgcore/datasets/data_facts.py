"""What a run must know of data before it starts: records, patients, folds, and how many recordings
of each fold have each label; no signal is read for it.

Of a packed ``.npz`` only the small arrays are unpacked, of a memory-mapped file only its header.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecgcore.datasets.derived_labels import DERIVED_SETS, codes_of, derived_targets
from ecgcore.datasets.pack_columns import codes_of_sets
from ecgcore.datasets.pack_file import PackFileError, is_pack_file, read_pack_file
from ecgcore.datasets.packed import LABEL_KEYS, PackedDataError
from ecgcore.datasets.record import Skipped
from ecgcore.labels import LabelSetName, in_set, label_set_names
from ecgcore.recording import LEADS, standard_lead
from ecgcore.review.snapshots import Snapshot

_FIRST_NAMES = 5
_NUMBERS = re.compile(r"[0-9][0-9.]*")
_LEADS = re.compile(rf"leads? (?:(?:{'|'.join(sorted(LEADS, key=len, reverse=True))})(?:, )?)+")


@dataclass(frozen=True)
class LeftOut:
    """Members that were left out for one reason: how many, and the names of the first."""

    reason: str
    count: int
    first: tuple[str, ...]


@dataclass(frozen=True)
class DataFacts:
    """``fold`` is (records,) and ``positives`` (folds, labels) recordings by label set, rows in the
    order of ``folds``; ``patients`` is how many people, None where the data do not say of all.
    ``leads``, ``sampling_rate`` (Hz) and ``seconds`` are those that are packed; None of a snapshot,
    which is packed when its run begins."""

    name: str
    records: int
    patients: int | None
    fold_counts: Mapping[int, int]
    codes: Mapping[LabelSetName, tuple[str, ...]]
    positives: Mapping[LabelSetName, NDArray[np.int64]]
    leads: tuple[str, ...] | None
    sampling_rate: float | None
    seconds: float | None
    left_out: tuple[LeftOut, ...] = ()

    @property
    def folds(self) -> tuple[int, ...]:
        """The folds that have records, in order."""
        return tuple(sorted(self.fold_counts))

    def records_in(self, folds: Iterable[int]) -> int:
        """Records of some folds."""
        return sum(self.fold_counts.get(fold, 0) for fold in folds)

    def positives_in(self, names: str, folds: Iterable[int]) -> dict[tuple[str, str], int]:
        """Recordings of some folds with each label of "statements+superclasses"; sets that the
        data lack are left out."""
        rows = [self.folds.index(fold) for fold in folds if fold in self.fold_counts]
        found: dict[tuple[str, str], int] = {}
        for name in label_set_names(names):
            if name in self.positives:
                sums = self.positives[name][rows].sum(0)
                found |= {
                    (name, code): int(count)
                    for code, count in zip(self.codes[name], sums, strict=True)
                }
        return found


def left_out_by_reason(skipped: Iterable[Skipped]) -> tuple[LeftOut, ...]:
    """Skipped members by their reason, the most frequent first.

    Reasons that differ in names, numbers or leads alone count as one; the first one's words stand
    for all.
    """
    alike: dict[str, list[Skipped]] = {}
    for one in skipped:
        stem = one.member.rpartition("/")[2].partition(".")[0]
        key = _NUMBERS.sub("#", _LEADS.sub("leads", one.reason.replace(one.member, "")))
        alike.setdefault(key.replace(stem, "") if len(stem) > 2 else key, []).append(one)
    ordered = sorted(alike.values(), key=len, reverse=True)
    return tuple(
        LeftOut(of[0].reason, len(of), tuple(one.member for one in of[:_FIRST_NAMES]))
        for of in ordered
    )


def facts_of_packed(path: Path) -> DataFacts:
    """The facts of a packed file. Raises PackedDataError."""
    try:
        return _of_header(path) if is_pack_file(path) else _of_npz(path)
    except PackFileError as error:
        raise PackedDataError(str(error)) from error
    except (
        OSError, ValueError, KeyError, TypeError, IndexError, zipfile.BadZipFile, zlib.error,
        EOFError, AttributeError,
    ) as error:  # fmt: skip
        raise PackedDataError(f"{path.name} is no packed data set: {error}") from error


def is_packed(path: Path) -> bool:
    """Whether a file's names of parts are those of a packed data set; nothing is unpacked."""
    if is_pack_file(path):
        return True
    needed = {"X", "scale", "fs", "leads", "fold", *sum(LABEL_KEYS.values(), ())}
    try:
        with zipfile.ZipFile(path) as archive:
            return needed <= {name.removesuffix(".npy") for name in archive.namelist()}
    except (OSError, zipfile.BadZipFile, ValueError):
        return False


def joined_facts(parts: Sequence[DataFacts]) -> DataFacts:
    """Facts of several data sets together: the label sets that all have. Raises PackedDataError
    where they cannot be joined."""
    if not parts:
        raise PackedDataError("no data; choose at least one data set")
    first, told = parts[0], [part for part in parts if part.leads is not None]
    for part in told[1:]:
        if _form(part) != _form(told[0]):
            raise PackedDataError(
                f"{part.name} and {told[0].name} differ in rate, leads or length; choose only one"
            )
    shared: list[LabelSetName] = [
        name for name in first.codes if all(name in part.codes for part in parts)
    ]
    folds = sorted({fold for part in parts for fold in part.fold_counts})
    known = [part.patients for part in parts]
    leads, rate, seconds = _form(told[0]) if told else (None, None, None)
    return DataFacts(
        name=" + ".join(part.name for part in parts),
        records=sum(part.records for part in parts),
        patients=None if None in known else sum(one for one in known if one is not None),
        fold_counts={fold: sum(part.fold_counts.get(fold, 0) for part in parts) for fold in folds},
        codes={name: first.codes[name] for name in shared},
        positives={name: _summed(parts, name, folds, first.codes[name]) for name in shared},
        leads=leads,
        sampling_rate=rate,
        seconds=seconds,
        left_out=tuple(one for part in parts for one in part.left_out),
    )


def facts_of_snapshot(snapshot: Snapshot, name: str) -> DataFacts:
    """The facts of a snapshot of statements; recordings that cannot be packed are still counted."""
    rows = [row for row in snapshot.rows if row.status != "left out"]
    codes = {key: tuple(value) for key, value in codes_of_sets().items()}
    targets = {key: np.zeros((len(rows), len(value)), np.uint8) for key, value in codes.items()}
    for place, row in enumerate(rows):
        for key, known in codes.items():
            for code in {in_set(statement, key) for statement in row.codes} - {None}:
                targets[key][place, known.index(str(code))] = 1
    people = len({row.patient for row in rows})
    out = [Skipped(r.recording[:12], "rejected or disputed") for r in snapshot.rows
           if r.status == "left out"]  # fmt: skip
    return _facts(
        name, np.array([row.fold for row in rows], dtype=np.int64), codes, targets,
        people=people, form=(None, None, None), skipped=out,
    )  # fmt: skip


def _of_header(path: Path) -> DataFacts:
    header, stored = read_pack_file(path)
    codes: dict[LabelSetName, tuple[str, ...]] = {k: tuple(v) for k, v in header["codes"].items()}
    targets = {}
    for name, known in codes.items():
        targets[name] = np.zeros((len(stored), len(known)), dtype=np.uint8)
        for row, columns in zip(targets[name], header["targets"][name], strict=True):
            row[columns] = 1
    ids = header.get("patient_ids", [None])
    owners = list(zip(header["origins"], ids, strict=False))
    people = None if None in ids else len(set(owners))
    leads = tuple(standard_lead(lead) for lead in header["leads"])
    rate = float(header["sampling_rate"])
    form = (leads, rate, stored.shape[2] / rate)
    skipped = [Skipped(**one) for one in header.get("skipped", [])]
    return _facts(
        path.name, np.array(header["folds"]), codes, targets,
        people=people, form=form, skipped=skipped,
    )  # fmt: skip


def _of_npz(path: Path) -> DataFacts:
    if not is_packed(path):
        raise PackedDataError(f"{path.name} lacks what a packed data set has")
    with np.load(path, allow_pickle=False) as file:
        codes: dict[LabelSetName, tuple[str, ...]] = {}
        targets: dict[LabelSetName, NDArray[np.uint8]] = {}
        for name, (values, names) in LABEL_KEYS.items():
            codes[name] = tuple(str(code) for code in file[names])
            targets[name] = file[values].astype(np.uint8)
        leads, rate = tuple(standard_lead(str(one)) for one in file["leads"]), float(file["fs"])
        folds = file["fold"].astype(np.int64)
        people = len(np.unique(file["patient_id"])) if "patient_id" in file.files else None
    for derived in DERIVED_SETS:
        targets[derived] = derived_targets(derived, targets["statements"], codes["statements"])
        codes[derived] = codes_of(derived)
    form = (leads, rate, _shape_of_signals(path)[1] / rate)
    return _facts(path.name, folds, codes, targets, people=people, form=form, skipped=[])


def _shape_of_signals(path: Path) -> tuple[int, ...]:
    """The shape of X, from its first bytes."""
    with zipfile.ZipFile(path) as archive, archive.open("X.npy") as file:
        major, _ = np.lib.format.read_magic(file)
        read: Any = (
            np.lib.format.read_array_header_1_0 if major == 1 else
            np.lib.format.read_array_header_2_0
        )  # fmt: skip
        shape: tuple[int, ...] = read(file)[0]
    if len(shape) != 3:
        raise ValueError(f"X has shape {shape}; expected (records, samples, leads)")
    return shape


def _facts(
    name: str,
    fold: NDArray[np.int64],
    codes: dict[LabelSetName, tuple[str, ...]],
    targets: dict[LabelSetName, NDArray[np.uint8]],
    *,
    people: int | None,
    form: tuple[tuple[str, ...] | None, float | None, float | None],
    skipped: list[Skipped],
) -> DataFacts:
    folds, counts = np.unique(fold, return_counts=True)
    positives = {
        key: np.stack([values[fold == one].sum(0, dtype=np.int64) for one in folds])
        if len(folds)
        else np.zeros((0, values.shape[1]), dtype=np.int64)
        for key, values in targets.items()
    }
    leads, rate, seconds = form
    return DataFacts(
        name, len(fold), people,
        {int(one): int(count) for one, count in zip(folds, counts, strict=True)},
        codes, positives, leads, rate, seconds, left_out_by_reason(skipped),
    )  # fmt: skip


def _form(part: DataFacts) -> tuple[tuple[str, ...] | None, float | None, float | None]:
    return part.leads, part.sampling_rate, part.seconds


def _summed(
    parts: Sequence[DataFacts], name: LabelSetName, folds: list[int], codes: tuple[str, ...]
) -> NDArray[np.int64]:
    """(folds, codes) of all parts together; parts may have the codes in another order."""
    total = np.zeros((len(folds), len(codes)), dtype=np.int64)
    for part in parts:
        if sorted(part.codes[name]) != sorted(codes):
            raise PackedDataError(f"{part.name} has other labels of {name}; choose only one")
        columns = [part.codes[name].index(code) for code in codes]
        for row, fold in enumerate(part.folds):
            total[folds.index(fold)] += part.positives[name][row][columns]
    return total
