"""The labelling work of a workspace: its recordings, their labels on file, and the review store.

Here files meet decisions: a recording is known to the store by the hash of its content, its labels
on file are the SCP-ECG statements that its own statements mean exactly, its patient is a pseudonym.
The store is ``review.db`` in the workspace, or what ``ECG_REVIEW_DATABASE`` names (PostgreSQL where
several people on several machines share one).
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import Any

from ecgcore.datasets.ludb_statements import WORDED
from ecgcore.datasets.pack_file import PackFileError, read_pack_file
from ecgcore.datasets.packing import pack, statements_of
from ecgcore.datasets.record import DataLabel
from ecgcore.datasets.reviewed import AWAY, reviewed_set
from ecgcore.labels import map_code, mapped_codes, statements
from ecgcore.readers.stated import Stated
from ecgcore.recording import Recording, RecordingError, complete_limb_leads
from ecgcore.review.connection import sqlite_url
from ecgcore.review.people import Role
from ecgcore.review.pseudonyms import pseudonym, pseudonym_key
from ecgcore.review.snapshots import read_snapshot
from ecgcore.review.store import FiledLabels, KnownRecording, ReviewStore
from ecgcore.storage import writing
from ecgcore.workspace import Entry, Workspace

DATABASE, SIGN_IN = "ECG_REVIEW_DATABASE", "ECG_SIGN_IN"
LABEL_SET = "statements"
_AT_ONCE = 200


def open_store(workspace: Workspace) -> ReviewStore:
    """The review store of a workspace. Raises StoreError.

    Where people sign in (``ECG_SIGN_IN``) a name without a role may only read.
    """
    url = os.environ.get(DATABASE) or sqlite_url(workspace.root / "review.db")
    default: Role = "reader" if os.environ.get(SIGN_IN) else "admin"
    return ReviewStore(url, default)


def snapshots_folder(workspace: Workspace) -> Path:
    """Where a workspace keeps its snapshots."""
    return workspace.root / "snapshots"


@dataclass(frozen=True)
class OnFile:
    """What a recording's own statements come to: ``codes`` are SCP-ECG statements, None where it
    states nothing that means one; ``unmapped`` are statements that mean none. ``systems`` are the
    code systems of the statements."""

    codes: tuple[str, ...] | None
    unmapped: tuple[str, ...]
    systems: tuple[str, ...] = ()


def on_file(recording: Recording) -> OnFile:
    """The labels that a recording came with."""
    # A likelihood of 0 is PTB-XL's "not known", not "absent": the statement counts.
    labels = [DataLabel(one.code, one.system, "", one.likelihood) for one in recording.statements]
    found, left = statements_of(labels)
    return OnFile(
        tuple(sorted(found)) or None,
        tuple(f"{one.code} ({one.system})" for one in left),
        tuple(sorted({one.system for one in labels})),
    )


@cache
def sayable(origin: str) -> frozenset[str]:
    """The statements that labels on file of this ``FiledLabels.origin`` could have named: a code
    system without a code for one does not deny it by silence."""
    every = frozenset(label.code for label in statements())
    if "SNOMED CT" in origin:
        known = mapped_codes("SCP-ECG")
        return frozenset(
            code
            for code in every & known.keys()
            if any(one.match == "exact" for one in map_code(code, "SCP-ECG", "SNOMED CT"))
        )
    return WORDED if "(text)" in origin else every


@dataclass(frozen=True)
class BroughtIn:
    """How many recordings are ``new`` to the store, how many got labels on file (``labelled``), and
    the names of those that cannot be read, with why."""

    new: int
    labelled: int
    refused: dict[str, str]


def known_recording(recording: Recording, key: bytes) -> KnownRecording:
    """A recording as the store knows it."""
    content = recording.source.sha256
    patient = pseudonym(recording.patient.patient_id, content, key)
    return KnownRecording(content, recording.record_id, patient)


def bring_in(
    store: ReviewStore, by: str, workspace: Workspace, entries: Iterable[Entry]
) -> Iterator[BroughtIn]:
    """Make recordings and their labels on file known, some at a time; yields the sum so far.

    Raises Forbidden.
    """
    key = pseudonym_key(workspace.root / "pseudonym.key")
    new, labelled, refused = 0, 0, {}
    waiting: list[tuple[KnownRecording, FiledLabels | None]] = []

    def put() -> None:
        nonlocal new, labelled
        new += store.register(by, (known for known, _ in waiting))
        labelled += store.file_labels(by, (filed for _, filed in waiting if filed is not None))
        waiting.clear()

    for entry in entries:
        try:
            recording = workspace.read(entry, workspace.stated(entry) or Stated())
        except RecordingError as refusal:
            refused[entry.name] = str(refusal)
            continue
        found = on_file(recording)
        known = known_recording(recording, key)
        origin = f"{recording.source.format} ({', '.join(found.systems)})"
        filed = None if found.codes is None else FiledLabels(known.hash, found.codes, origin)
        waiting.append((known, filed))
        if len(waiting) == _AT_ONCE:
            put()
            yield BroughtIn(new, labelled, dict(refused))
    put()
    yield BroughtIn(new, labelled, dict(refused))


def packed_snapshot(workspace: Workspace, name: str) -> Path:
    """The packed file of a snapshot, by its hash; made where there is none.

    Recordings that cannot be read now are left out (the file's header lists them); it is made anew
    where one of them is back and all that it holds can be read. Raises ReviewError for an unknown
    snapshot, DataSetError, ValueError where nothing can be packed.
    """
    snapshot = read_snapshot(snapshots_folder(workspace), name)
    path = workspace.root / "packs" / f"snapshot-{snapshot.hash}.pack"
    header = _header(path)
    away = _away(header)
    if header is not None and not away:
        return path
    known = readers(workspace)
    if header is None or (
        set(held := header["record_ids"]) <= known.keys()
        and any(_is_readable(read) for content, read in known.items() if content[:12] in away)
        and all(_is_readable(known[content]) for content in held)
    ):
        pack(reviewed_set(snapshot, known), path)
    return path


def pack_of_run(workspace: Workspace, name: str, folder: Path) -> Path:
    """The packed file of a snapshot for the run in ``folder``, which keeps it: where recordings
    come back the snapshot's is made anew, and a run that goes on would find other data.

    Raises as ``packed_snapshot``.
    """
    kept = next(folder.glob("snapshot-*.pack"), None)
    if kept is not None:
        return kept
    packed = packed_snapshot(workspace, name)
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / packed.name
    try:
        os.link(packed, kept)
    except FileExistsError:  # another worker was faster
        pass
    except OSError:  # the file system knows no second names
        with packed.open("rb") as whole, writing(kept) as copy:
            shutil.copyfileobj(whole, copy)
    return kept


def count_away(folder: Path) -> int:
    """Recordings of its snapshot that could not be read when the run in ``folder`` began."""
    return sum(len(_away(_header(kept))) for kept in folder.glob("snapshot-*.pack"))


def is_back(workspace: Workspace, folder: Path) -> bool:
    """Whether one of these can be read now."""
    away = {one for kept in folder.glob("snapshot-*.pack") for one in _away(_header(kept))}
    known = readers(workspace)
    return any(_is_readable(read) for content, read in known.items() if content[:12] in away)


def _header(path: Path) -> dict[str, Any] | None:
    """A packed file's header, None where there is none that can be read."""
    try:
        stat = path.stat()
        return _header_at(path, stat.st_mtime_ns, stat.st_size)
    except (PackFileError, OSError):
        return None


@lru_cache(maxsize=64)
def _header_at(path: Path, changed: int, size: int) -> dict[str, Any]:
    """Read once for each state of the file."""
    return read_pack_file(path)[0]


def _away(header: dict[str, Any] | None) -> set[str]:
    """The beginnings of the hashes of what could not be read when a pack was made."""
    skipped = (header or {}).get("skipped", ())
    return {one["member"][:12] for one in skipped if one["reason"].startswith(AWAY)}


def _is_readable(read: Callable[[], Recording]) -> bool:
    try:
        read()
    except (RecordingError, OSError):
        return False
    return True


def readers(workspace: Workspace) -> dict[str, Callable[[], Recording]]:
    """How to read each recording of the workspace, by the hash of its content."""
    found: dict[str, Callable[[], Recording]] = {}
    for entry in workspace.listing(seconds=float("inf")).entries:
        if entry.summary is not None and entry.summary.sha256:
            found[entry.summary.sha256] = partial(_read, workspace, entry)
    return found


def _read(workspace: Workspace, entry: Entry) -> Recording:
    return complete_limb_leads(workspace.read(entry, workspace.stated(entry) or Stated()))
