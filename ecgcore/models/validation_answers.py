"""What a model said of its validation records, kept beside its weights.

Curves, thresholds and comparisons need each record's answer, not only a card's numbers. The file
tells no names and no signal. Older models came without it. It is read without pickle, and each
array's header is held against the bytes that are there before anything is made of it.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ecgcore.models.card import CardError, LabelCard

VALIDATION = "validation.npz"
LARGEST_VALIDATION_BYTES = 64 * 1024**2
"""PTB-XL's fold whole is 1 MB."""
_LARGEST_UNPACKED = 512 * 1024**2
_TYPES = {"targets": np.uint8, "probabilities": np.float32, "folds": np.int8}


@dataclass(frozen=True)
class ValidationAnswers:
    """``targets`` (records, labels) uint8 0/1, ``probabilities`` (records, labels) float32 as the
    card was judged by, columns as the card's labels, and ``folds`` (records,) int8."""

    targets: NDArray[np.uint8]
    probabilities: NDArray[np.float32]
    folds: NDArray[np.int8]

    def __post_init__(self) -> None:
        shapes = (self.targets.shape, self.probabilities.shape, self.folds.shape)
        if self.targets.ndim != 2 or shapes[1] != shapes[0] or shapes[2] != shapes[0][:1]:
            raise ValueError(
                f"targets {shapes[0]}, probabilities {shapes[1]} and folds {shapes[2]}; give a row "
                "a record of each, and a column a label"
            )
        if not np.isin(self.targets, (0, 1)).all():
            raise ValueError("targets that are not 0 or 1")
        if not ((self.probabilities >= 0) & (self.probabilities <= 1)).all():
            raise ValueError("probabilities outside 0..1 or NaN")

    def __len__(self) -> int:
        return len(self.targets)

    def columns(self, chosen: Sequence[int]) -> ValidationAnswers:
        """Some of the labels."""
        places = list(chosen)
        return ValidationAnswers(self.targets[:, places], self.probabilities[:, places], self.folds)

    def records_digest(self) -> str:
        """SHA-256 over folds and targets, by which alone records are told apart: two models with
        the same have been asked of records that nobody labels otherwise, in the same order."""
        digest = hashlib.sha256(np.array(self.targets.shape, dtype=np.int64).tobytes())
        digest.update(np.ascontiguousarray(self.folds).tobytes())
        digest.update(np.ascontiguousarray(self.targets).tobytes())
        return digest.hexdigest()

    def to_bytes(self) -> bytes:
        """The file; the same answers give the same bytes."""
        file = io.BytesIO()
        np.savez_compressed(
            file, targets=self.targets, probabilities=self.probabilities, folds=self.folds
        )
        return file.getvalue()


def validation_from_bytes(data: bytes, labels: Sequence[LabelCard]) -> ValidationAnswers:
    """Read the file of a model with these labels. Raises CardError with what is wrong."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = {one.filename: one.file_size for one in archive.infolist()}
            if sorted(members) != sorted(f"{name}.npy" for name in _TYPES):
                raise ValueError(f"it holds {', '.join(members) or 'nothing'}")
            if sum(members.values()) > _LARGEST_UNPACKED:
                raise ValueError(f"it unpacks to more than {_LARGEST_UNPACKED} bytes")
            arrays = {name: _array(archive.read(f"{name}.npy"), name) for name in _TYPES}
        found = ValidationAnswers(
            arrays["targets"].astype(np.uint8, copy=False),
            arrays["probabilities"].astype(np.float32, copy=False),
            arrays["folds"].astype(np.int8, copy=False),
        )
        if found.targets.shape[1] != len(labels):
            raise ValueError(f"it has {found.targets.shape[1]} labels, the card {len(labels)}")
        positives = found.targets.sum(axis=0, dtype=np.int64)
        wrong = [
            one.code
            for one, count in zip(labels, positives, strict=True)
            if one.n_validation != count
        ]
        if wrong:
            raise ValueError(f"its positives of {wrong[0]} are not as many as the card says")
        return found
    except (
        ValueError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError,
        OverflowError,
    ) as error:  # fmt: skip
        raise CardError(
            f"{VALIDATION} is not a model's answers to its validation records: {error}"
        ) from error


def read_validation(folder: Path, labels: Sequence[LabelCard]) -> ValidationAnswers | None:
    """The answers in a model folder; None for an older model without them. Raises CardError."""
    path = folder / VALIDATION
    try:
        if path.stat().st_size > LARGEST_VALIDATION_BYTES:
            raise CardError(
                f"{path.name} of {path.stat().st_size} bytes; at most {LARGEST_VALIDATION_BYTES} "
                "are read"
            )
        return validation_from_bytes(path.read_bytes(), labels)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise CardError(f"{folder.name}/{VALIDATION} cannot be read: {error}") from error


def _array(data: bytes, name: str) -> NDArray[np.generic]:
    """An ``.npy`` file of the expected type. Raises ValueError."""
    file = io.BytesIO(data)
    version = np.lib.format.read_magic(file)
    if version != (1, 0):
        raise ValueError(f"{name} is of version {version} of its format; 1.0 is expected")
    shape, by_column, kind = np.lib.format.read_array_header_1_0(file)
    if kind != _TYPES[name] or by_column or not 1 <= len(shape) <= 2:
        raise ValueError(f"{name} is of {kind}, shape {shape}; {_TYPES[name].__name__} is expected")
    rest = data[file.tell() :]
    count = 1
    for length in shape:
        count *= int(length)
    if min(shape) < 0 or len(rest) != count * kind.itemsize:
        raise ValueError(f"{name} of shape {shape} in {len(rest)} bytes")
    return np.frombuffer(rest, dtype=kind).reshape(shape)
