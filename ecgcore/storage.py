"""Atomic writes: a file is either the old one or the whole new one, whatever happens in between.

And where the workspace is, which everything that is kept at run time lies under.
"""

from __future__ import annotations

import fcntl
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

WORKSPACE = "ECG_WORKSPACE"
"""The environment variable that names the workspace's folder."""


def workspace_root() -> Path:
    """The folder that ``ECG_WORKSPACE`` names, else ``./workspace``; it need not be there yet."""
    return Path(os.environ.get(WORKSPACE) or "workspace").absolute()


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Within, no other process or thread is in here with the same folder; they wait.

    For what is read, changed and written back: two who do so at once would lose one change.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # let go when the file is closed, and when we die
        yield


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder to the disk: a new or renamed file outlives a power cut."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def writing(path: Path) -> Iterator[BinaryIO]:
    """A temporary file beside ``path``; at the end it is flushed to the disk and takes its place.

    Where anything goes wrong, what stood there stays.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def write_bytes(path: Path, data: bytes) -> None:
    """All of a file at once."""
    with writing(path) as file:
        file.write(data)


def replace_text(path: Path, text: str) -> None:
    """A small file that is replaced often and may be lost with the machine's power, not torn."""
    temporary = path.with_name(f".{path.name}.new")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)


def write_json(path: Path, value: Any) -> None:
    """``write_bytes`` of readable JSON; refuses NaN, which JSON has not."""
    text = json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False)
    write_bytes(path, (text + "\n").encode())
