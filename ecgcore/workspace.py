"""The workspace: where imported recordings live and which folders are looked at.

One folder (``ECG_WORKSPACE``, default ``./workspace``) holds

    recordings/<content hash>/   imported files, one recording a folder, written whole or not at all
    folders.json                 folders that were added; they are read in place, never copied
    stated.json                  sampling rate and unit that a user stated, by recording
    index.json                   what the work list shows of each file (see ``recording_index``)

    simulated/<preset>.npz       the simulator's presets, made when the list is first looked at
    review.db, pseudonym.key     what people decided about labels (see ``review_work``)
    snapshots/, evidence/        labels at a moment; what models and rules say of each recording
    models/                      published models, which are withdrawn, thresholds that people set

The demo recording is the 12-lead DICOM file that comes inside pydicom; the simulated ones join it
at the end of the list, named as simulated.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

from ecgcore.readers.npz_export import save_npz
from ecgcore.readers.opening import NamedBytes, Refusal, find_recordings, read_path
from ecgcore.readers.stated import Stated, UnstatedError
from ecgcore.recording import Recording, RecordingError
from ecgcore.recording_index import RecordingIndex, Summary, file_stamp
from ecgcore.recording_store import import_files
from ecgcore.storage import workspace_root, write_json

Origin = Literal["demo", "imported", "folder", "simulated"]

DEMO_NAME = "Demo (12-lead DICOM)"


@dataclass(frozen=True)
class Entry:
    """One recording of the work list. ``key`` is stable and tells nothing about the patient.

    ``summary`` is None as long as the file has not been read.
    """

    key: str
    name: str
    path: Path
    origin: Origin
    summary: Summary | None = None


@dataclass(frozen=True)
class Listing:
    """The work list: its entries in order, and how many have not been read yet."""

    entries: tuple[Entry, ...]
    unread: int

    def find(self, key: str) -> Entry | None:
        """The entry of a key, or None."""
        return next((entry for entry in self.entries if entry.key == key), None)


class WorkspaceError(ValueError):
    """A folder that cannot be added: what was given, what is allowed, what to do."""


@dataclass(frozen=True)
class Workspace:
    """The recordings of one workspace folder."""

    root: Path

    @classmethod
    def from_environment(cls) -> Workspace:
        """The workspace that ``ECG_WORKSPACE`` names, else ``./workspace``."""
        return cls(workspace_root())

    @property
    def recordings(self) -> Path:
        """Where imported recordings are kept."""
        return self.root / "recordings"

    def folders(self) -> tuple[Path, ...]:
        """The folders that were added."""
        content = _read_json(self.root / "folders.json")
        return tuple(Path(str(folder)) for folder in content) if isinstance(content, list) else ()

    def add_folder(self, text: str) -> Path:
        """Look at a folder from now on. Raises WorkspaceError when it cannot be read."""
        if not text.strip():
            raise WorkspaceError("No folder was given. Type the full path of a folder.")
        folder = Path(text.strip()).expanduser()
        if not folder.is_dir():
            raise WorkspaceError(
                f"{text.strip()} is not a folder on this computer. "
                "Give the full path of a folder that is there and may be read."
            )
        folder = folder.resolve()
        known = self.folders()
        if folder not in known:
            self._save_json("folders.json", [str(path) for path in (*known, folder)])
        return folder

    def remove_folder(self, folder: Path) -> None:
        """Look at a folder no more; its files stay as they are."""
        self._save_json("folders.json", [str(p) for p in self.folders() if p != folder])

    def entries(self) -> tuple[Entry, ...]:
        """Every recording: demo, imported, each folder's, simulated; nothing is read."""
        demo = _demo_path()
        found: list[Entry] = []
        if demo is not None:
            found.append(Entry("demo", DEMO_NAME, demo, "demo"))
        found += _entries_of(self.recordings, "imported")
        for folder in self.folders():
            found += _entries_of(folder, "folder")
        found += self._simulated()
        return tuple({entry.key: entry for entry in found}.values())

    def listing(self, seconds: float = 1.0) -> Listing:
        """The work list with summaries; files are read for about ``seconds`` at most.

        What could not be read in that time has no summary and counts as ``unread``: ask again. At
        least one file is read each time, so that the list gets done.
        """
        index = RecordingIndex(self.root / "index.json")
        stated = self._all_stated()
        until, fresh = time.monotonic() + seconds, 0
        listed: list[Entry] = []
        for entry in self.entries():
            stamp = _stamp(entry.path)
            summary = index.get(entry.path, stamp)
            if summary is None and (time.monotonic() < until or not fresh):
                fresh += 1
                summary = _summary(entry, stated.get(entry.key, Stated()))
                index.put(entry.path, stamp, summary)
            listed.append(_with_summary(entry, summary))
        index.save(keep={str(entry.path) for entry in listed})
        return Listing(tuple(listed), sum(entry.summary is None for entry in listed))

    def add(self, files: Sequence[NamedBytes]) -> tuple[Entry | Refusal, ...]:
        """Import dropped files; each recording is kept once, each refusal says why."""
        return tuple(
            one if isinstance(one, Refusal) else _entry(one, "imported")
            for one in import_files(self.recordings, files)
        )

    def read(self, entry: Entry, stated: Stated) -> Recording:
        """Read a recording. Raises RecordingError."""
        return read_path(entry.path, stated)

    def stated(self, entry: Entry) -> Stated | None:
        """What a user stated about a recording, if anything."""
        return self._all_stated().get(entry.key)

    def state(self, entry: Entry, stated: Stated) -> None:
        """Remember what a user states about a recording that does not say it itself."""
        rows = {
            key: [value.sampling_rate, value.unit]
            for key, value in (self._all_stated() | {entry.key: stated}).items()
        }
        self._save_json("stated.json", rows)
        index = RecordingIndex(self.root / "index.json")
        index.forget(entry.path)
        index.save(keep={str(other.path) for other in self.entries()})

    def _simulated(self) -> Iterator[Entry]:
        """One recording for each preset of the simulator; it is written where it is missing."""
        from ecgcore.signal.simulator import PRESETS, simulate

        for name, options in PRESETS.items():
            path = self.root / "simulated" / f"simulated {name}.npz"
            if not path.is_file():
                save_npz(path, simulate(options, name).recording)
            yield _entry(path, "simulated")

    def _all_stated(self) -> dict[str, Stated]:
        content = _read_json(self.root / "stated.json")
        if not isinstance(content, dict):
            return {}
        return {
            str(key): Stated(value[0], value[1])
            for key, value in content.items()
            if isinstance(value, list) and len(value) == 2
        }

    def _save_json(self, name: str, content: object) -> None:
        write_json(self.root / name, content)


@lru_cache(maxsize=1)
def _demo_path() -> Path | None:
    """The DICOM file inside pydicom, never downloaded; None where pydicom came without it."""
    from pydicom.data import get_testdata_file

    found = get_testdata_file("waveform_ecg.dcm", download=False)
    return Path(found) if isinstance(found, str) else None


def _entries_of(folder: Path, origin: Origin) -> Iterator[Entry]:
    if not folder.is_dir():
        return
    for path in find_recordings(folder):
        yield _entry(path, origin)


def _entry(path: Path, origin: Origin) -> Entry:
    key = hashlib.sha256(str(path).encode(errors="surrogateescape")).hexdigest()[:16]
    return Entry(key, path.stem, path, origin)


def _stamp(path: Path) -> str:
    try:
        return file_stamp(path)
    except OSError:
        return "gone"


def _with_summary(entry: Entry, summary: Summary | None) -> Entry:
    name = summary.record_id if summary is not None and entry.origin != "demo" else ""
    return Entry(entry.key, name or entry.name, entry.path, entry.origin, summary)


def _summary(entry: Entry, stated: Stated) -> Summary:
    try:
        recording = read_path(entry.path, stated)
    except UnstatedError:
        return Summary("unstated")
    except RecordingError:
        return Summary("refused")
    return Summary(
        state="read",
        record_id=recording.record_id,
        format=recording.source.format,
        leads=len(recording.leads),
        sampling_rate=recording.sampling_rate,
        seconds=recording.seconds,
        warnings=len(recording.source.warnings),
        sha256=recording.source.sha256,
    )


def _read_json(path: Path) -> object:
    try:
        content: object = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    return content
