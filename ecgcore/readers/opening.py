"""The one entry to all readers: a path, or dropped files -> recordings.

The content decides the format, never the name: a zip of ``.npy`` arrays is NPZ, any other zip an
archive; ``DICM`` after 128 bytes is DICOM; a first line in the grammar of a WFDB header is one; a
text table is CSV; what remains may be the signal file of a header beside it, and is refused where
there is none.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ecgcore.readers.archive import NamedBytes, looks_like_npz, looks_like_zip, unzip
from ecgcore.readers.local_files import read_file
from ecgcore.readers.stated import Stated, UnstatedError
from ecgcore.readers.wfdb import read_wfdb
from ecgcore.readers.wfdb_header import (
    MAX_HEADER_BYTES,
    MAX_SIGNALS,
    looks_like_header,
    names_signals,
    parse_header,
)
from ecgcore.recording import Recording, RecordingError

__all__ = [
    "NamedBytes", "Refusal", "Stated", "UnknownFormatError", "UnstatedError", "find_recordings",
    "format_of", "read_path", "read_upload",
]  # fmt: skip

MAX_FOUND = 200_000  # recordings of one folder; the largest public set has 45,152
MAX_LOOKED_AT = 2_000_000  # files looked at in one folder, markers and signals included
MAX_HEADERS_TRIED = 1_000  # headers read to find the one that names a signal file
_SNIFFED_BYTES = 4_096
_TABLE_SUFFIXES = (".csv", ".tsv", ".txt")

Format = Literal["zip", "npz", "dicom", "wfdb", "table", "unknown"]


class UnknownFormatError(RecordingError):
    """A file that is no recording in any known format: a text, a picture, a lone signal file."""


@dataclass(frozen=True)
class Refusal:
    """A dropped file (``name``) that did not become a recording, and why."""

    name: str
    error: RecordingError


def format_of(data: bytes) -> Format:
    """The format of a file's bytes; "unknown" for signal files and for anything else."""
    from ecgcore.readers.dicom import looks_like_dicom

    if looks_like_zip(data):
        return "npz" if looks_like_npz(data) else "zip"
    if looks_like_header(data):
        return "wfdb"
    if looks_like_dicom(data):
        return "dicom"
    return "table" if _looks_like_table(data) else "unknown"


def read_path(path: Path, stated: Stated = Stated()) -> Recording:  # noqa: B008 - frozen
    """The one recording that a file holds: a header or its signal file, DICOM, CSV, NPZ, or a zip.

    ``stated`` is what the user says about a table that does not say its rate and unit. Signal files
    are looked for in the header's own folder only. Raises RecordingError, UnstatedError where rate
    or unit must be asked for.
    """
    folder, name = os.path.split(os.fspath(path))
    folder = folder or "."
    data = read_file(folder, name)
    if looks_like_header(data):  # first, and before anything is imported: the usual case
        return read_wfdb(name, data, lambda signal: read_file(folder, signal))
    form = format_of(data)
    if form == "zip":
        return _only(name, read_upload([NamedBytes(name, data)], stated))
    if form == "unknown" and data:
        header = _header_beside(folder, name)
        return read_wfdb(
            header, read_file(folder, header, MAX_HEADER_BYTES), lambda s: read_file(folder, s)
        )
    return _read_single(NamedBytes(name, data), form, stated)


def read_upload(
    files: Sequence[NamedBytes],
    stated: Stated = Stated(),  # noqa: B008 - frozen
) -> list[Recording | Refusal]:
    """Every recording of the dropped files, or why not, in the order of the files.

    A header takes the signal files that it names, from among the files of its own folder, whatever
    the case of their names. Zip archives are opened. Nothing is dropped in silence: every file is
    part of a recording or of a refusal, but for the marker files that lie beside a header of their
    name.
    """
    results: list[Recording | Refusal] = []
    loose: list[NamedBytes] = []
    for file in files:
        if looks_like_zip(file.data) and not looks_like_npz(file.data):
            try:
                results += _read_group(unzip(file.name, file.data), stated)
            except RecordingError as error:
                results.append(Refusal(file.name, error))
        else:
            loose.append(file)
    return _read_group(loose, stated) + results


def find_recordings(folder: Path) -> list[Path]:
    """Every file of a folder tree that may be a recording, sorted; links that leave it ignored.

    WFDB headers, DICOM and NPZ by content; CSV by suffix, as any text may be a table. At most
    MAX_FOUND.
    """
    home = os.path.realpath(folder)
    found: list[Path] = []
    for looked_at, path in enumerate(_files(home)):
        if len(found) >= MAX_FOUND or looked_at >= MAX_LOOKED_AT:
            break
        try:
            with path.open("rb") as stream:
                start = stream.read(_SNIFFED_BYTES)
        except OSError:
            continue  # unreadable: no candidate
        if _may_be_recording(path, start):
            found.append(path)
    return sorted(found)


def _files(home: str) -> Iterator[Path]:
    for root, folders, names in os.walk(home):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(root, name)
            if name.startswith(".") or not path.is_file():
                continue
            if path.is_symlink() and not path.resolve().is_relative_to(home):
                continue
            yield path


def _may_be_recording(path: Path, start: bytes) -> bool:
    from ecgcore.readers.dicom import looks_like_dicom

    if looks_like_zip(start):
        return b".npy" in start[:512]
    if looks_like_dicom(start) or (looks_like_header(start) and names_signals(start)):
        return True
    return path.suffix.lower() in _TABLE_SUFFIXES and _looks_like_table(start)


def _looks_like_table(data: bytes) -> bool:
    """Text of several columns with a line that is mostly numbers among the first ten."""
    start = data[:_SNIFFED_BYTES]
    if b"\x00" in start or not start.strip():
        return False
    lines = start.decode("latin-1").splitlines()
    for line in [line for line in lines if line.strip() and not line.startswith("#")][:10]:
        cells = line.replace(";", ",").replace("\t", ",").split(",")
        if sum(map(_is_number, cells)) * 2 > len(cells):
            return True
    return False


def _is_number(cell: str) -> bool:
    try:
        float(cell.strip().strip('"'))
    except ValueError:
        return False
    return True


def _read_single(file: NamedBytes, form: Format, stated: Stated) -> Recording:
    if form == "dicom":
        from ecgcore.readers.dicom import read_dicom

        return read_dicom(file.name, file.data)
    if form == "npz":
        from ecgcore.readers.table import read_npz

        return read_npz(file.name, file.data, stated)
    if form == "table":
        from ecgcore.readers.table import read_csv

        return read_csv(file.name, file.data, stated)
    raise UnknownFormatError(
        f"{_base(file.name)!r}, {'an empty file' if not file.data else 'of no known format'}",
        "WFDB (header with signal files), 12-lead DICOM, CSV, NPZ, or a zip of these",
        "if this is a WFDB signal file, add its header (.hea); else export to one of these formats",
    )


def _read_group(files: Sequence[NamedBytes], stated: Stated) -> list[Recording | Refusal]:
    """Recordings of files that came together: headers first take their signal files."""
    formats = [format_of(file.data) for file in files]
    places: dict[str, list[int]] = {}
    for at, file in enumerate(files):
        places.setdefault(_key(file.name), []).append(at)
    taken: set[int] = set()
    stems: set[str] = set()
    results: dict[int, Recording | Refusal] = {}
    for at, file in enumerate(files):
        if formats[at] == "wfdb":
            results[at] = _read_header(file, files, places, taken)
            stems.add(_key(file.name).rsplit(".", 1)[0])
    for at, file in enumerate(files):
        marker = formats[at] == "unknown" and _key(file.name).rsplit(".", 1)[0] in stems
        if at in results or at in taken or marker:
            continue
        try:
            results[at] = _read_single(file, formats[at], stated)
        except RecordingError as error:
            results[at] = Refusal(file.name, error)
    return [results[at] for at in sorted(results)]


def _read_header(
    file: NamedBytes,
    files: Sequence[NamedBytes],
    places: dict[str, list[int]],
    taken: set[int],
) -> Recording | Refusal:
    folder = _key(file.name).rpartition("/")[0]

    def fetch(signal: str) -> bytes:
        at = places.get(f"{folder}/{signal.lower()}" if folder else signal.lower(), [])
        if len(at) != 1:
            raise RecordingError(
                f"{_base(file.name)!r} needs the signal file {signal!r},"
                f" which was {'given twice' if at else 'not given'}",
                "a header together with each of its signal files",
                f"drop {_base(file.name)!r} and {signal!r} together",
            )
        taken.add(at[0])
        return files[at[0]].data

    try:
        if len(places[_key(file.name)]) != 1:
            raise RecordingError(
                f"two files are named {_base(file.name)!r}",
                "each name once",
                "drop the recordings one after the other",
            )
        return read_wfdb(_base(file.name), file.data, fetch)
    except RecordingError as error:
        return Refusal(file.name, error)


def _header_beside(folder: str, name: str) -> str:
    """The header in a folder that names the signal file ``name``."""
    stem = name.rsplit(".", 1)[0]
    try:
        names = sorted(p.name for p in Path(folder).iterdir() if p.name.lower().endswith(".hea"))
    except OSError:
        names = []
    for header in sorted(names, key=lambda n: n[:-4] != stem)[:MAX_HEADERS_TRIED]:
        try:
            signals = parse_header(read_file(folder, header, MAX_HEADER_BYTES)).signals
        except RecordingError:
            if header[:-4] == stem:
                raise
            continue
        if name in {line.file_name for line in signals[:MAX_SIGNALS]}:
            return header
    raise UnknownFormatError(
        f"{name!r} is of no known format, and no WFDB header beside it names it",
        "WFDB (header with signal files), 12-lead DICOM, CSV, NPZ, or a zip of these",
        "put the header (.hea) beside it; or export to one of these formats",
    )


def _only(name: str, results: Sequence[Recording | Refusal]) -> Recording:
    """The one recording of an archive; else its refusal, or a refusal to choose.

    Files of no known format (a README, a licence) are left out, named in a warning.
    """
    others = [
        result.name
        for result in results
        if isinstance(result, Refusal) and isinstance(result.error, UnknownFormatError)
    ]
    told = [r for r in results if not (isinstance(r, Refusal) and r.name in others)] or results[:1]
    if len(told) == 1:
        first = told[0]
        if isinstance(first, Refusal):
            raise first.error
        if not others:
            return first
        more = f" and {len(others) - 5} more" if len(others) > 5 else ""
        names = ", ".join(other[:60] for other in others[:5])
        return first.with_warnings(f"Files of the archive that were left out: {names}{more}.")
    raise RecordingError(
        f"the archive {name[:80]!r} with {len(told)} recordings",
        "an archive of exactly one",
        "unpack it and open its recordings one by one, or drop it on the work list",
    )


def _key(name: str) -> str:
    return name.replace("\\", "/").removeprefix("./").lower()


def _base(name: str) -> str:
    return name.replace("\\", "/").rsplit("/", 1)[-1][:120]
