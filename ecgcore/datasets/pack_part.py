"""A pack file that is not whole yet: ``<pack>.part/`` with the samples so far and a line a record.

Whoever packs the same data set again goes on behind the last whole line. The samples are written
before the line that stands for them, so that a kill loses the records since the last flush at most
and never leaves a line without its samples. ``of`` is a hash of what is packed and how; another one
begins anew. One works on it at a time, the others wait.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from ecgcore.datasets.pack_columns import Noted, noted_from_json
from ecgcore.datasets.record import Skipped
from ecgcore.storage import write_json

Row = Noted | Skipped
_SAMPLES, _ROWS, _OF = "samples", "rows.jsonl", "of.json"
_AT_ONCE = 64
"""Rows between two flushes."""


class PackPart:
    """The part of a pack file in work, in ``folder``; ``rows`` are those of before."""

    def __init__(self, folder: Path, of: str, record_bytes: int) -> None:
        self.folder, self._bytes = folder, record_bytes
        self._lock = _locked(folder.with_name(f".{folder.name}.lock"))
        if _read_of(folder) != of:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            (folder / _SAMPLES).touch()
            (folder / _ROWS).touch()
            write_json(folder / _OF, of)
        self.rows = self._whole_rows()
        kept = sum(isinstance(row, Noted) for row in self.rows)
        os.truncate(folder / _SAMPLES, kept * record_bytes)
        self.samples: IO[bytes] = (folder / _SAMPLES).open("r+b")
        self.samples.seek(0, os.SEEK_END)
        self._lines = (folder / _ROWS).open("a", encoding="utf-8")
        self._waiting: list[str] = []

    def add(self, row: Row, values: NDArray[np.int16] | None = None) -> None:
        """A record with its samples, or one that was left out."""
        if values is not None:
            self.samples.write(values.astype("<i2").tobytes())
        kind = "noted" if isinstance(row, Noted) else "skipped"
        told = row.to_json() if isinstance(row, Noted) else vars(row)
        self._waiting.append(json.dumps({kind: told}) + "\n")
        if len(self._waiting) >= _AT_ONCE:
            self.flush()

    def flush(self) -> None:
        """All that was added so far is on the disk."""
        self.samples.flush()
        os.fsync(self.samples.fileno())
        self._lines.writelines(self._waiting)
        self._lines.flush()
        self._waiting = []

    def close(self) -> None:
        """Keep what there is."""
        self.flush()
        self._let_go()

    def remove(self) -> None:
        """After the pack file is whole."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self._let_go()

    def _let_go(self) -> None:
        self.samples.close()
        self._lines.close()
        Path(self._lock.name).unlink(missing_ok=True)
        self._lock.close()

    def _whole_rows(self) -> list[Row]:
        """The rows that are whole and whose samples are there; what follows is cut off."""
        path = self.folder / _ROWS
        there = (self.folder / _SAMPLES).stat().st_size // self._bytes
        rows: list[Row] = []
        length = 0
        for line, row in _lines(path):
            there -= isinstance(row, Noted)
            if there < 0:
                break
            rows.append(row)
            length += line
        os.truncate(path, length)
        return rows


def _lines(path: Path) -> Iterator[tuple[int, Row]]:
    """Each whole line's length and row."""
    for line in path.read_bytes().splitlines(keepends=True):
        try:
            value: dict[str, Any] = json.loads(line)
            row: Row = (
                Skipped(**value["skipped"])
                if "skipped" in value
                else noted_from_json(value["noted"])
            )
        except (ValueError, KeyError, TypeError):
            return
        if not line.endswith(b"\n"):
            return
        yield len(line), row


def _locked(path: Path) -> IO[bytes]:
    """The lock, once it is ours; a kill lets go of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        file = path.open("ab")
        fcntl.flock(file, fcntl.LOCK_EX)
        try:
            if path.stat().st_ino == os.fstat(file.fileno()).st_ino:
                return file
        except FileNotFoundError:
            pass
        file.close()  # whoever had it before has taken it away


def _read_of(folder: Path) -> object:
    try:
        return json.loads((folder / _OF).read_bytes())
    except (OSError, ValueError):
        return None
