"""Reading local files without surprises: regular files only, bounded, never out of the folder.

A record's header names its signal files, so a header is a request to open files. It may only name
plain files in its own folder; a symbolic link is followed only when it ends inside that folder;
devices, pipes and folders are refused before anything is read, and so is a file over the limit.
"""

from __future__ import annotations

import errno
import os
import stat

from ecgcore.recording import RecordingError

MAX_FILE_BYTES = 268_435_456  # 256 MiB; half an hour of 12 leads at 1000 Hz in 32 bits is 86 MiB


def read_file(folder: str, name: str, limit: int = MAX_FILE_BYTES) -> bytes:
    """The bytes of ``name`` inside ``folder``. Raises RecordingError if that is not safe."""
    path = os.path.join(folder, name)  # noqa: PTH118 - pathlib costs a tenth of a whole read
    flags = os.O_RDONLY | os.O_NONBLOCK | getattr(os, "O_NOFOLLOW", 0)
    try:
        descriptor = _open(folder, name, path, flags)
        try:
            return _read(descriptor, name, limit)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise _unreadable(name, error.strerror or "system error") from error


def _open(folder: str, name: str, path: str, flags: int) -> int:
    """A descriptor; a link that ends inside the folder is followed."""
    if "\x00" in name:
        raise _unreadable(name, "not a file name")
    try:
        return os.open(path, flags)
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
        return os.open(_inside(folder, name), flags)


def _unreadable(name: str, reason: str) -> RecordingError:
    return RecordingError(
        f"{name[:120]!r} cannot be read ({reason})",
        "a readable file in the folder that was given",
        "put every file of the record into one folder",
    )


def _read(descriptor: int, name: str, limit: int) -> bytes:
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        raise RecordingError(
            f"{name[:120]!r} is a folder, a pipe or a device",
            "a regular file",
            "give the file itself",
        )
    if status.st_size > limit:
        raise RecordingError(
            f"{name[:120]!r} of {status.st_size} bytes",
            f"at most {limit} bytes",
            "cut the recording to the part of interest",
        )
    data = os.read(descriptor, status.st_size)
    while len(data) < status.st_size:
        more = os.read(descriptor, status.st_size - len(data))
        if not more:
            break
        data += more
    return data


def _inside(folder: str, name: str) -> str:
    """The true path of a link, if it stays inside the folder."""
    home = os.path.realpath(folder)
    path = os.path.realpath(os.path.join(home, name))  # noqa: PTH118
    if os.path.commonpath([home, path]) != home:
        raise RecordingError(
            f"{name[:120]!r} is a link that leaves its folder",
            "files of the record's own folder",
            "copy the file itself beside the header",
        )
    return path
