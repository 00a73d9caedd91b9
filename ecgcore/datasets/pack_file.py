"""One memory-mapped file for a packed data set.

Layout: 8 bytes ``ECGPACK1``; the header's length as uint64; the header, JSON in UTF-8; zeros up to
a multiple of 4096 bytes; then int16, all little-endian, in C order (records, leads, samples), to be
multiplied by ``scale``. The header has ``name``, ``shape``, ``scale``, ``sampling_rate``,
``leads``, ``conditioning``, ``split`` (see ``splits``), ``sha256`` (of the samples), ``codes`` by
label set, and by record: ``targets`` by label set (the columns that hold), ``record_ids``,
``patient_ids``, ``origins``,
``folds``, ``labels`` (system, version, code, modifiers, likelihood as given), ``ages``, ``sexes``
and, where they were measured, the answers ``rules_paper`` (see ``packed_aside``); last ``unmapped``
(labels with no exact SCP-ECG statement, counted) and ``skipped`` (member, reason).
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from ecgcore.storage import writing

MAGIC = b"ECGPACK1"
ALIGNMENT = 4096
LARGEST_HEADER = 512 * 1024**2
_LENGTH_BYTES = 8
_PIECE = 1 << 22


class PackFileError(ValueError):
    """A packed file that is damaged or no packed file."""


def is_pack_file(path: Path) -> bool:
    """Whether a file starts as a packed file does."""
    try:
        with path.open("rb") as file:
            return file.read(len(MAGIC)) == MAGIC
    except OSError:
        return False


@dataclass
class PackWriter:
    """Samples to a temporary file first, as the header needs their number and hash."""

    samples: IO[bytes]
    shape: tuple[int, int]
    records: int = 0

    def __post_init__(self) -> None:
        self._hash = hashlib.sha256()

    def add(self, values: NDArray[np.int16]) -> None:
        """One record, (leads, samples) int16."""
        if values.shape != self.shape or values.dtype != np.int16:
            raise ValueError(f"{values.shape} {values.dtype}; expected {self.shape} int16")
        data = values.astype("<i2").tobytes()
        self._hash.update(data)
        self.samples.write(data)
        self.records += 1

    def resume(self) -> None:
        """Count in the records that the samples' file holds already."""
        self.samples.seek(0)
        self.records = self.samples.seek(0, os.SEEK_END) // (2 * self.shape[0] * self.shape[1])
        self.samples.seek(0)
        while piece := self.samples.read(_PIECE):
            self._hash.update(piece)

    def finish(self, path: Path, header: dict[str, Any]) -> None:
        """Write header and samples to ``path`` at once or not at all."""
        whole = header | {"shape": [self.records, *self.shape], "sha256": self._hash.hexdigest()}
        text = json.dumps(whole, ensure_ascii=False, allow_nan=False).encode()
        start = len(MAGIC) + _LENGTH_BYTES + len(text)
        with writing(path) as file:
            file.write(MAGIC + len(text).to_bytes(_LENGTH_BYTES, "little") + text)
            file.write(bytes(-start % ALIGNMENT))
            self.samples.seek(0)
            while piece := self.samples.read(_PIECE):
                file.write(piece)


def read_pack_file(path: Path) -> tuple[dict[str, Any], NDArray[np.int16]]:
    """Header and memory-mapped samples (records, leads, samples). Raises PackFileError."""
    try:
        with path.open("rb") as file:
            start = file.read(len(MAGIC) + _LENGTH_BYTES)
            length = int.from_bytes(start[len(MAGIC) :], "little")
            if not start.startswith(MAGIC) or not 0 < length <= LARGEST_HEADER:
                raise PackFileError(f"{path.name} is no packed file")
            header = json.loads(file.read(length))
            size = file.seek(0, os.SEEK_END)
            records, leads, samples = (int(number) for number in header["shape"])
            at = len(start) + length
            at += -at % ALIGNMENT
            if min(records, leads, samples) < 1 or size != at + 2 * records * leads * samples:
                raise PackFileError(
                    f"{path.name} has {size} bytes; its header tells of {header['shape']} samples; "
                    "copy the file again"
                )
            shape = (records, leads, samples)
            mapped = np.memmap(file, dtype="<i2", mode="r", offset=at, shape=shape)
        # A plain array over the map: np.memmap's own indexing costs more than the copy.
        return header, np.asarray(mapped)
    except PackFileError:
        raise
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise PackFileError(f"{path.name} cannot be read as a packed file: {error}") from error


def verify(path: Path) -> None:
    """Raise PackFileError where the samples are not those that were packed."""
    header, stored = read_pack_file(path)
    found = hashlib.sha256()
    for record in stored:
        found.update(record.tobytes())
    if found.hexdigest() != header.get("sha256"):
        raise PackFileError(f"{path.name} was changed after it was packed; copy the file again")
