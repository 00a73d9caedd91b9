"""Imported files, kept as they were dropped: one recording a folder, named by its content.

The folder's name is the hash of the files in it, so that the same recording dropped twice is kept
once. A folder is written under a hidden name, flushed to disk and renamed: after a crash it is
there whole or not at all.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from ecgcore.readers.archive import looks_like_npz, looks_like_zip, unzip
from ecgcore.readers.opening import NamedBytes, Refusal, Stated, format_of, read_upload
from ecgcore.readers.stated import UnstatedError
from ecgcore.readers.wfdb_header import parse_header
from ecgcore.recording import RecordingError

Parts = tuple[NamedBytes, ...]


def import_files(folder: Path, files: Sequence[NamedBytes]) -> list[Path | Refusal]:
    """Keep every recording of the dropped files below ``folder``; the others are refused.

    A path is that of a recording's main file (the header of a WFDB record). A table that does not
    state its rate or unit is kept too: its user is asked when it is opened.
    """
    outcome: list[Path | Refusal] = []
    for group in _groups(files, outcome):
        for answer in read_upload(group):
            if isinstance(answer, Refusal) and not isinstance(answer.error, UnstatedError):
                outcome.append(answer)
        for parts in _recordings(group):
            if _is_usable(parts):
                outcome.append(_keep(folder, parts))
    return outcome


def _groups(
    files: Sequence[NamedBytes], outcome: list[Path | Refusal]
) -> Iterator[list[NamedBytes]]:
    """The loose files together, then each archive's; a refused archive goes to ``outcome``."""
    loose: list[NamedBytes] = []
    archives: list[NamedBytes] = []
    for file in files:
        is_archive = looks_like_zip(file.data) and not looks_like_npz(file.data)
        (archives if is_archive else loose).append(file)
    yield loose
    for archive in archives:
        try:
            yield unzip(archive.name, archive.data)
        except RecordingError as error:
            outcome.append(Refusal(archive.name, error))


def _recordings(group: Sequence[NamedBytes]) -> Iterator[Parts]:
    """The files of each recording, the main one first."""
    by_name = {_key(file.name): file for file in group}
    for file in group:
        form = format_of(file.data)
        if form == "wfdb":
            yield _with_signals(file, by_name)
        elif form in ("dicom", "npz", "table"):
            yield (NamedBytes(_base(file.name), file.data),)


def _with_signals(header: NamedBytes, by_name: dict[str, NamedBytes]) -> Parts:
    """A header and its signal files, named as the header names them."""
    parts = [NamedBytes(_base(header.name), header.data)]
    inside = _key(header.name).rpartition("/")[0]
    try:
        names = dict.fromkeys(line.file_name for line in parse_header(header.data).signals)
    except RecordingError:
        return tuple(parts)
    for name in names:
        found = by_name.get(f"{inside}/{name.lower()}" if inside else name.lower())
        if found is not None:
            parts.append(NamedBytes(name, found.data))
    return tuple(parts)


def _is_usable(parts: Parts) -> bool:
    """Whether the files are one recording, or one that lacks only its rate or unit."""
    answers = read_upload(parts, Stated())
    if len(answers) != 1:
        return False
    only = answers[0]
    return not isinstance(only, Refusal) or isinstance(only.error, UnstatedError)


def _keep(folder: Path, parts: Parts) -> Path:
    digest = hashlib.sha256()
    for part in sorted(parts, key=lambda one: one.name):
        digest.update(hashlib.sha256(part.data).digest())
    home = folder / digest.hexdigest()[:32]
    main = home / _base(parts[0].name)
    if home.is_dir():
        kept = next((path for path in sorted(home.iterdir()) if path.suffix == main.suffix), main)
        return main if main.is_file() else kept
    folder.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(dir=folder, prefix=".new-"))
    try:
        for part in parts:
            _write_through(draft / _base(part.name), part.data)
        draft.replace(home)
    except OSError:
        if not home.is_dir():  # else somebody kept the same recording at the same moment
            raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return main


def _write_through(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _key(name: str) -> str:
    return name.replace("\\", "/").removeprefix("./").lower()


def _base(name: str) -> str:
    """A file name without folders, control characters or leading dots, of bounded length."""
    base = re.sub(r"[\x00-\x1f\x7f/]", "_", name.replace("\\", "/").rsplit("/", 1)[-1])
    return base.lstrip(".")[-120:] or "recording"
