"""A small index of recordings, so that a work list of many files is there at once.

Reading a recording with all its checks takes a fraction of a millisecond to some ten milliseconds;
over a folder of thousands that is seconds. The index keeps what the work list shows of each file,
valid as long as the file's size and time of change stay the same. It holds no patient identifier,
no age, no sex and no statement: only what format, how many leads, which rate, how long.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from ecgcore.storage import write_bytes

VERSION = 2

State = Literal["read", "refused", "unstated"]


@dataclass(frozen=True)
class Summary:
    """What the work list shows of a recording.

    ``state`` is "refused" where the file cannot be trusted and "unstated" where it does not say its
    sampling rate or unit; then the other fields are empty. ``sampling_rate`` is in Hz, ``warnings``
    counts the remarks made while reading, ``sha256`` is that of the recording's content.
    """

    state: State
    record_id: str = ""
    format: str = ""
    leads: int = 0
    sampling_rate: float = 0.0
    seconds: float = 0.0
    warnings: int = 0
    sha256: str = ""


def file_stamp(path: Path) -> str:
    """Size and time of change of a file, and of its neighbours of the same stem (signal files).

    A WFDB header stays the same when only its signal file is exchanged, therefore the neighbours.
    Raises OSError when the file is gone.
    """
    status = path.stat()
    parts = [f"{status.st_size}:{status.st_mtime_ns}"]
    for suffix in (".dat", ".mat"):
        if path.suffix.lower() == ".hea":
            try:
                other = path.with_suffix(suffix).stat()
            except OSError:
                continue
            parts.append(f"{other.st_size}:{other.st_mtime_ns}")
    return "/".join(parts)


class RecordingIndex:
    """Summaries by file path and stamp, kept in one JSON file.

    A file that is damaged or of another version is treated as empty: everything in it can be read
    again from the recordings.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._rows: dict[str, tuple[str, Summary]] = _load(path)
        self._changed = False

    def get(self, file: Path, stamp: str) -> Summary | None:
        """The summary of a file, or None where it is unknown or the file has changed."""
        row = self._rows.get(str(file))
        return row[1] if row is not None and row[0] == stamp else None

    def put(self, file: Path, stamp: str, summary: Summary) -> None:
        """Remember a summary; ``save`` makes it last."""
        self._rows[str(file)] = (stamp, summary)
        self._changed = True

    def forget(self, file: Path) -> None:
        """Drop a file's summary, so that it is read again."""
        self._changed = self._rows.pop(str(file), None) is not None or self._changed

    def save(self, keep: set[str]) -> None:
        """Write the index if it changed, without the files that are not in ``keep``."""
        gone = [file for file in self._rows if file not in keep]
        for file in gone:
            del self._rows[file]
        if not (self._changed or gone):
            return
        rows = {file: [stamp, asdict(summary)] for file, (stamp, summary) in self._rows.items()}
        text = json.dumps({"version": VERSION, "files": rows}, separators=(",", ":"))
        write_bytes(self._path, text.encode())
        self._changed = False


def _load(path: Path) -> dict[str, tuple[str, Summary]]:
    try:
        content = json.loads(path.read_bytes())
        if content["version"] != VERSION:
            return {}
        return {
            file: (str(stamp), Summary(**fields))
            for file, (stamp, fields) in content["files"].items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}
