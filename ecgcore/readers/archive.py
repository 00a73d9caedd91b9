"""Zip archives of recordings -> named bytes, with everything hostile refused before it is unpacked.

Nothing is written to disk: entries are read in memory, each bounded by what the archive's directory
announced and the whole by MAX_TOTAL_BYTES. Refused: encrypted entries, links, names that leave the
archive, names given twice, archives in archives, compression no recording reaches (a bomb), and
damage.
"""

from __future__ import annotations

import io
import stat
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import PurePosixPath

from ecgcore.recording import RecordingError

MAX_ENTRIES = 2_000
MAX_TOTAL_BYTES = 268_435_456  # 256 MiB unpacked: 2,000 records of 12 leads, 10 s, 500 Hz
MAX_RATIO = (
    200  # ECG counts shrink 2 to 5 times, flat ones to about 100; deflate's bombs reach 1,032
)
RATIO_FREE_BYTES = 1_048_576  # below this size a high ratio harms nobody (all-zero leads)
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # others unpack megabytes from a few bytes
_ENCRYPTED = 0x1
_IGNORED = ("__MACOSX/", ".DS_Store", "Thumbs.db", "desktop.ini")


@dataclass(frozen=True)
class NamedBytes:
    """A file as it was dropped or found in an archive; ``name`` may hold folders, with ``/``."""

    name: str
    data: bytes


def looks_like_zip(data: bytes) -> bool:
    """True for a zip archive, an empty one included (and for .npz, which is one)."""
    return data.startswith((b"PK\x03\x04", b"PK\x05\x06"))


def looks_like_npz(data: bytes) -> bool:
    """True for a zip whose members are all ``.npy`` arrays."""
    if not looks_like_zip(data):
        return False
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError):
        return False
    return bool(names) and all(name.endswith(".npy") for name in names)


def unzip(name: str, data: bytes) -> list[NamedBytes]:
    """The files of a zip archive in its order, folders and desktop litter left out.

    Raises RecordingError, naming the archive, for whatever is hostile or damaged.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = [entry for entry in archive.infolist() if not _is_litter(entry)]
            _check_entries(name, entries)
            return [NamedBytes(entry.filename, _unpack(name, archive, entry)) for entry in entries]
    except (
        zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, ValueError,
        RuntimeError,
    ) as error:  # fmt: skip
        if isinstance(error, RecordingError):
            raise
        raise RecordingError(
            f"the archive {name[:80]!r} is damaged or of an unknown kind",
            "a zip archive that unpacks",
            "make the archive again, or drop the files themselves",
        ) from error


def _is_litter(entry: zipfile.ZipInfo) -> bool:
    base = entry.filename.rsplit("/", 1)[-1]
    return entry.is_dir() or entry.filename.startswith(_IGNORED[0]) or base in _IGNORED[1:]


def _check_entries(name: str, entries: list[zipfile.ZipInfo]) -> None:
    total = sum(entry.file_size for entry in entries)
    if not 0 < len(entries) <= MAX_ENTRIES or total > MAX_TOTAL_BYTES:
        raise RecordingError(
            f"the archive {name[:80]!r} with {len(entries)} files of {total} bytes in all",
            f"1 to {MAX_ENTRIES} files of at most {MAX_TOTAL_BYTES} bytes in all",
            "drop fewer recordings at a time",
        )
    seen: set[str] = set()
    for entry in entries:
        reason = _hostile(entry)
        if entry.filename.lower() in seen:
            reason = "its name is there twice"
        if reason:
            raise RecordingError(
                f"the archive {name[:80]!r} holds {entry.filename[:80]!r}: {reason}",
                "plain files with relative names, each once, not encrypted",
                "make the archive again with the recordings only",
            )
        seen.add(entry.filename.lower())


def _hostile(entry: zipfile.ZipInfo) -> str:
    """Why an entry is refused, or an empty text."""
    name, path = entry.filename, PurePosixPath(entry.filename)
    kind = stat.S_IFMT(entry.external_attr >> 16)
    outside = path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name
    ratio = entry.file_size / max(entry.compress_size, 1)
    reasons = {
        "its name is not that of a file inside the archive": outside or len(name) > 255,
        "it is a link or a device": kind not in (0, stat.S_IFREG),
        "it is encrypted": bool(entry.flag_bits & _ENCRYPTED),
        "its compression is neither none nor deflate": entry.compress_type not in _METHODS,
        f"it unpacks to {ratio:.0f} times its size": (
            entry.file_size > RATIO_FREE_BYTES and ratio > MAX_RATIO
        ),
    }
    return next((reason for reason, holds in reasons.items() if holds), "")


def _unpack(name: str, archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """One entry's bytes, never more than its directory announced."""
    with archive.open(entry) as stream:
        data = stream.read(entry.file_size + 1)
    if len(data) != entry.file_size:
        raise RecordingError(
            f"the archive {name[:80]!r}: {entry.filename[:80]!r} is not as long as it announces",
            "a zip archive that unpacks",
            "make the archive again",
        )
    if looks_like_zip(data) and not looks_like_npz(data):
        raise RecordingError(
            f"the archive {name[:80]!r} holds another archive, {entry.filename[:80]!r}",
            "recordings, not archives",
            "unpack the inner archive first",
        )
    return data
