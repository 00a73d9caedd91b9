"""Snapshots: the labels as they stood at one moment, in a file that never changes.

A snapshot is two files named by one hash. ``<hash>.csv`` has a line a recording, sorted by its
hash: fold, pseudonymous patient, status, the labels that hold, those that were on file, and the
numbers of the reviews behind them. ``<hash>.json`` says how it came to be: label set, until when,
how disputes were treated, the head of the hash chain, counts, and the SHA-256 of the table. The
hash is that of the JSON file, so that it stands for all of it. No name, no comment and no
identifier is in either.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from sqlalchemy import select

from ecgcore import DISCLAIMER
from ecgcore.review import tables
from ecgcore.review.rounds import by_recording
from ecgcore.review.rows import moment_of, now
from ecgcore.review.standing import Standing, standing
from ecgcore.review.store import FiledLabels, KnownRecording, ReviewStore
from ecgcore.review.values import Review, ReviewError
from ecgcore.storage import write_bytes

Status = Literal["on file", "confirmed", "changed", "adjudicated", "left out"]
Disputes = Literal["leave out", "as on file"]
COLUMNS = ("recording", "patient", "fold", "status", "codes", "filed", "reviews")
VERSION = 1


@dataclass(frozen=True)
class SnapshotRow:
    """One recording: ``codes`` hold, ``filed`` were on file (None: none were brought in),
    ``reviews`` are the numbers behind it. A recording that is "left out" trains nothing."""

    recording: str
    patient: str
    fold: int
    status: Status
    codes: tuple[str, ...]
    filed: tuple[str, ...] | None
    reviews: tuple[int, ...]


@dataclass(frozen=True)
class Snapshot:
    """A snapshot as read back: its hash, provenance and rows."""

    hash: str
    provenance: dict[str, Any]
    rows: tuple[SnapshotRow, ...]

    @property
    def label_set(self) -> str:
        """The set that its codes are of."""
        return str(self.provenance["label_set"])


@dataclass(frozen=True)
class TakenSnapshot:
    """What the store remembers of a snapshot."""

    hash: str
    label_set: str
    taken_by: str
    taken_at: str
    counts: dict[str, int]


def take_snapshot(
    store: ReviewStore,
    by: str,
    folder: Path,
    *,
    label_set: str = "statements",
    until: str | None = None,
    disputes: Disputes = "leave out",
) -> Snapshot:
    """Write the labels as they stood at ``until`` below ``folder`` (ISO 8601, UTC where it names
    no offset; None: now).

    Raises ReviewError where nothing is known, and for a moment that is none or yet to come;
    Forbidden.
    """
    if disputes not in get_args(Disputes):
        raise ReviewError(f"disputes {disputes!r}; allowed: {', '.join(get_args(Disputes))}")
    with store.database.reading() as connection:
        store.require(connection, by, "snapshot")
    if until is None:
        with store.database.writing():  # no decision that is being written is of an earlier moment
            moment = now()
    else:
        moment = moment_of(until)
    recordings = store.recordings(by)
    reviews = [one for one in store.reviews(by, label_set) if one.decided_at <= moment]
    filed = store.filed(by, label_set, until=moment)
    told = by_recording(reviews)
    rows = [
        row(recordings[key], filed.get(key), told.get(key, []), disputes)
        for key in sorted(recordings)
        if key in filed or key in told
    ]
    if not rows:
        raise ReviewError(
            f"no labels of {label_set} until {moment}; bring in labels or decide first"
        )
    table = _table(rows)
    provenance = {
        "version": VERSION,
        "label_set": label_set,
        "until": moment,
        "disputes": disputes,
        "head": store.head_at(by, moment),
        "reviews": len(reviews),
        "counts": dict(sorted(Counter(one.status for one in rows).items())),
        "table_sha256": hashlib.sha256(table).hexdigest(),
        "note": f"{DISCLAIMER}.",
    }
    text = _json(provenance)
    name = hashlib.sha256(text).hexdigest()
    for suffix, data in ((".csv", table), (".json", text)):
        path = folder / f"{name}{suffix}"
        if not path.is_file():
            write_bytes(path, data)
            path.chmod(0o444)
    _remember(store, by, name, provenance)
    return Snapshot(name, provenance, tuple(rows))


def row(
    known: KnownRecording, filed: FiledLabels | None, reviews: list[Review], disputes: Disputes
) -> SnapshotRow:
    """What one recording's labels come to."""
    on_file = filed.codes if filed is not None else None
    found = standing(reviews)
    status, codes = _status(found, on_file, disputes)
    return SnapshotRow(known.hash, known.patient, known.fold, status, codes, on_file, found.by)


def _status(
    found: Standing, on_file: tuple[str, ...] | None, disputes: Disputes
) -> tuple[Status, tuple[str, ...]]:
    if found.state == "settled":
        if found.adjudicated:
            return "adjudicated", found.codes
        same = on_file is not None and set(found.codes) == set(on_file)
        return ("confirmed" if same else "changed"), found.codes
    keeps = found.state in ("undecided", "unsure") or disputes == "as on file"
    if found.state == "rejected" or not keeps or on_file is None:
        return "left out", ()
    return "on file", on_file


def read_snapshot(folder: Path, name: str) -> Snapshot:
    """A snapshot by its hash, or by the first 8 characters or more of it.

    Raises ReviewError where there is none, or where a file is not what its hash says.
    """
    plain = len(name) >= 8 and all(letter in "0123456789abcdef" for letter in name)
    found = sorted(folder.glob(f"{name}*.json")) if plain else []
    if len(found) != 1:
        raise ReviewError(
            f"{len(found) or 'no'} snapshot{'s' * (len(found) != 1)} {name!r} in {folder}; give "
            "the hash that taking one printed"
        )
    text = found[0].read_bytes()
    try:
        table = found[0].with_suffix(".csv").read_bytes()
    except OSError as error:
        raise ReviewError(f"the table of snapshot {name} cannot be read: {error}") from error
    provenance: dict[str, Any] = {}
    if hashlib.sha256(text).hexdigest() == found[0].stem:
        provenance = json.loads(text)
    if provenance.get("table_sha256") != hashlib.sha256(table).hexdigest():
        raise ReviewError(
            f"snapshot {name} was changed after it was taken; take it anew, until the same moment"
        )
    rows = csv.DictReader(io.StringIO(table.decode()))
    return Snapshot(found[0].stem, provenance, tuple(_read_row(one) for one in rows))


def snapshots(store: ReviewStore, by: str) -> tuple[TakenSnapshot, ...]:
    """Every snapshot that was taken, oldest first."""
    with store.database.reading() as connection:
        store.require(connection, by, "read")
        rows = connection.execute(select(tables.snapshots).order_by(tables.snapshots.c.number))
        return tuple(
            TakenSnapshot(
                row.hash, row.label_set, row.taken_by, row.taken_at,
                json.loads(row.provenance)["counts"],
            )
            for row in rows
        )  # fmt: skip


def differing(one: Snapshot, other: Snapshot) -> dict[str, tuple[int, int]]:
    """By label how many recordings have it only in the first, and only in the second, among those
    that train in both."""
    first, second = (
        {row.recording: set(row.codes) for row in of.rows if row.status != "left out"}
        for of in (one, other)
    )
    lost, won = Counter[str](), Counter[str]()
    for recording in first.keys() & second.keys():
        lost.update(first[recording] - second[recording])
        won.update(second[recording] - first[recording])
    return {code: (lost[code], won[code]) for code in sorted(lost.keys() | won.keys())}


def _remember(store: ReviewStore, by: str, name: str, provenance: dict[str, Any]) -> None:
    with store.database.writing() as connection:
        store.require(connection, by, "snapshot")
        taken = select(tables.snapshots.c.number).where(tables.snapshots.c.hash == name)
        if connection.execute(taken).first():
            return
        connection.execute(
            tables.snapshots.insert(),
            {"hash": name, "label_set": provenance["label_set"], "head": provenance["head"],
             "provenance": _json(provenance).decode(), "taken_by": by, "taken_at": now()},
        )  # fmt: skip


def _json(value: dict[str, Any]) -> bytes:
    return (json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


def _table(rows: Iterable[SnapshotRow]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for one in rows:
        filed = "" if one.filed is None else " ".join(one.filed) or "-"
        numbers = " ".join(str(number) for number in one.reviews)
        writer.writerow(
            (one.recording, one.patient, one.fold, one.status, " ".join(one.codes), filed, numbers)
        )
    return text.getvalue().encode()


def _read_row(row: dict[str, str]) -> SnapshotRow:
    status = next(one for one in get_args(Status) if one == row["status"])
    filed = None if not row["filed"] else tuple(row["filed"].replace("-", "").split())
    return SnapshotRow(
        row["recording"],
        row["patient"],
        int(row["fold"]),
        status,
        tuple(row["codes"].split()),
        filed,
        tuple(int(number) for number in row["reviews"].split()),
    )
