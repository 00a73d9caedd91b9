"""A folder that somebody points to: what in it can be learned from, and what stands in the way.

Packed files are found by their content and can be taken as they are. Otherwise the folder is told
by what its data set's publication lays down (a table's name and columns, names of records), else it
is a folder of readable recordings whose own statements are their labels. Those are looked through
record by record into a packed file: that shows what is unreadable, and nothing is read twice. It
goes on where it was broken off, and one recording at a time is held.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ecgcore.datasets.any_recordings import open_any
from ecgcore.datasets.catalogue import catalogue_entry
from ecgcore.datasets.data_facts import DataFacts, facts_of_packed, is_packed
from ecgcore.datasets.headers import source_of
from ecgcore.datasets.packing import PackProgress, packed_step_by_step
from ecgcore.datasets.record import DataSet, DataSetError

Kind = Literal["packed", "data set"]
RECORDINGS = "recordings"
"""The name of a folder that is no public data set."""
_LOOKED_AT = 200_000
_SUFFIXES = (".npz", ".pack")
_LUDB_MARKS = ("i", "avr", "v6")


@dataclass(frozen=True)
class Found:
    """What a folder holds: ``packed`` files, or else the data set ``name``, called ``title``."""

    folder: Path
    kind: Kind
    name: str
    title: str
    packed: tuple[Path, ...] = ()


def find_in(folder: Path) -> Found:
    """What a folder holds. Raises DataSetError where nothing in it can be learned from."""
    if not folder.is_dir():
        raise DataSetError(f"{folder} is no folder on this computer; give the full path of one")
    packed = packed_files(folder)
    if packed:
        return Found(folder, "packed", folder.name, "packed data", packed)
    name = next((name for name, fits in _MARKS if fits(folder)), RECORDINGS)
    if name == RECORDINGS:
        return Found(folder, "data set", name, "recordings with their own statements")
    return Found(folder, "data set", name, catalogue_entry(name).title)


def packed_files(folder: Path) -> tuple[Path, ...]:
    """The packed data of a folder and below, by content; hidden files and folders are passed."""
    return tuple(path for path in _files(folder, _SUFFIXES) if is_packed(path))


def open_found(found: Found) -> DataSet:
    """The data set of a folder, without its signals. Raises DataSetError."""
    if found.name == RECORDINGS:
        return open_any(found.folder)
    return catalogue_entry(found.name).opener(found.folder)


def pack_place(found: Found, packs: Path) -> Path:
    """Where the packed file of a folder is kept: one for each folder."""
    digest = hashlib.sha256(f"{found.name} {found.folder.resolve()}".encode()).hexdigest()[:8]
    stem = re.sub(r"[^A-Za-z0-9_-]+", "-", found.folder.name) or "data"
    return packs / f"{stem}-{found.name}-{digest}.pack"


def scanned(found: Found, packs: Path) -> Generator[PackProgress, None, DataFacts]:
    """Look through a folder that is not packed; the facts of the packed file come last.

    Raises DataSetError, LeakError, ValueError where nothing can be packed.
    """
    place = pack_place(found, packs)
    yield from packed_step_by_step(open_found(found), place)
    return facts_of_packed(place)


def _files(folder: Path, suffixes: tuple[str, ...]) -> Iterator[Path]:
    """Files with such a suffix, sorted, at most so many looked at."""
    for at, path in enumerate(sorted(folder.rglob("*"))):
        if at >= _LOOKED_AT:
            return
        inside = path.relative_to(folder).parts
        if path.suffix.lower() in suffixes and not any(part.startswith(".") for part in inside):
            yield path


def _has(*names: str) -> Callable[[Path], bool]:
    return lambda folder: all((folder / name).exists() for name in names)


def _table(name: str, *columns: str) -> Callable[[Path], bool]:
    """Whether a table's first line names these columns."""

    def fits(folder: Path) -> bool:
        try:
            with (folder / name).open(encoding="utf-8-sig") as file:
                head = file.readline(4096)
        except (OSError, UnicodeDecodeError):
            return False
        return set(columns) <= {cell.strip().strip('"') for cell in head.split(",")}

    return fits


def _below(name: str) -> Callable[[Path], bool]:
    return lambda folder: next(folder.rglob(name), None) is not None


def _is_ludb(folder: Path) -> bool:
    """Numbered records, each with its marks a lead."""
    header = next(folder.rglob("*.hea"), None)
    if header is None or not header.stem.isdecimal():
        return False
    return all(header.with_suffix(f".{lead}").exists() for lead in _LUDB_MARKS)


def _is_challenge(folder: Path) -> bool:
    """Records of the challenges: named after a source, in MATLAB files."""
    names = [path for path, _ in zip(folder.rglob("*.hea"), range(50), strict=False)]
    try:
        return bool(names) and all(
            source_of(path.stem) and path.with_suffix(".mat").exists() for path in names
        )
    except DataSetError:
        return False


def _is_raw_npz(folder: Path) -> bool:
    """NPZ files of counts in millivolts, none of them packed, and nothing else to read."""
    import zipfile

    paths = sorted(folder.glob("*.npz"))
    try:
        inside = [set(zipfile.ZipFile(path).namelist()) for path in paths]
    except (OSError, zipfile.BadZipFile):
        return False
    return bool(paths) and all({"X.npy", "fs.npy", "scale.npy"} <= names for names in inside)


_MARKS: tuple[tuple[str, Callable[[Path], bool]], ...] = (
    ("ptbxl", _has("ptbxl_database.csv", "records500")),
    ("ptbxl100", _has("ptbxl_database.csv")),
    ("icbeb2018", _has("icbeb_database.csv")),
    ("code15", _table("exams.csv", "exam_id", "trace_file")),
    ("sph", _table("metadata.csv", "ECG_ID", "AHA_Code")),
    ("brugada", _table("metadata.csv", "patient_id", "brugada")),
    ("cpsc2018", _below("REFERENCE.csv")),
    ("tianchi1", _below("hf_round1_label.txt")),
    ("tianchi2", _below("hf_round2_label.txt")),
    ("ludb", _is_ludb),
    ("challenge2021", _is_challenge),
    ("npz", _is_raw_npz),
)
"""How each public data set is told; the first that fits."""
