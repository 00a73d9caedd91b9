"""Several packed files as one: what must agree, what both have, and no record counted twice."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np

from ecgcore.datasets.packed import PackedData, PackedDataError
from ecgcore.datasets.packed_aside import unknown
from ecgcore.labels import LabelSetName
from ecgcore.signal.same_tracing import SAME_SIGNAL, unit_rows

_AT_ONCE = 1024
"""Records of each part that are compared at once."""


def join(parts: Iterable[PackedData]) -> PackedData:
    """Several packed files as one; they must agree in rate, scale, leads and length.

    The label sets that all parts have are kept, columns in the first part's order. Raises
    PackedDataError where the parts differ, where a set that they share has other labels, or where
    they hold one record twice.
    """
    parts = list(parts)
    first = parts[0]
    for part in parts[1:]:
        if _form(part) != _form(first):
            raise PackedDataError(
                f"{part.name} and {first.name} differ in rate, scale, leads or length"
            )
    codes = _shared_labels(parts)
    _refuse_same_names(parts)
    if len(parts) == 1:
        return first
    _refuse_unknown_patients(parts)
    _refuse_same_signals(parts)
    return replace(
        first,
        name=" + ".join(part.name for part in parts),
        sha256=hashlib.sha256("".join(part.sha256 for part in parts).encode()).hexdigest(),
        stored=np.concatenate([part.stored for part in parts]),
        targets={
            key: np.concatenate([part.target(key, names) for part in parts])
            for key, names in codes.items()
        },
        codes=codes,
        fold=np.concatenate([part.fold for part in parts]),
        record_ids=np.concatenate([part.record_ids for part in parts]),
        origins=np.concatenate([part.origins for part in parts]),
        aside={
            name: np.concatenate([p.aside.get(name, unknown(name, len(p))) for p in parts])
            for name in {name: None for part in parts for name in part.aside}
        },
        splits=tuple(dict.fromkeys(split for part in parts for split in part.splits)),
    )


def _form(part: PackedData) -> tuple[object, ...]:
    """What parts must agree in; the scale as float32, as ``.npz`` files keep it."""
    return part.sampling_rate, np.float32(part.scale), part.leads, part.stored.shape[1:]


def _shared_labels(parts: list[PackedData]) -> dict[LabelSetName, tuple[str, ...]]:
    """The label sets of all parts in the first's order. Raises PackedDataError."""
    first, *others = parts
    shared: dict[LabelSetName, tuple[str, ...]] = {}
    for name, codes in first.codes.items():
        if any(name not in part.codes for part in others):
            continue
        for part in others:
            if sorted(part.codes[name]) != sorted(codes):
                raise PackedDataError(
                    f"{part.name} and {first.name} differ in the labels of {name}; pack both anew"
                )
        shared[name] = codes
    if not shared:
        raise PackedDataError(
            "no label set stands in all of " + ", ".join(part.name for part in parts)
        )
    return shared


def _refuse_same_names(parts: list[PackedData]) -> None:
    """One name twice is one record, unless the two are known to be of different data sets."""
    known: dict[str, set[str]] = {}
    for part in parts:
        for name, origin in zip(part.record_ids.tolist(), part.origins.tolist(), strict=True):
            origins = known.setdefault(name, set())
            if origins and (not origin or "" in origins or origin in origins):
                raise PackedDataError(_twice(f"record {name}", parts))
            origins.add(origin)


def _refuse_unknown_patients(parts: list[PackedData]) -> None:
    """Records of a data set whose folds keep patients together, beside others that do not."""
    for part in parts:
        for other in parts:
            shared = set(part.origins.tolist()) & set(other.origins.tolist()) - {""}
            if "by record" in part.splits and "by record" not in other.splits and shared:
                raise PackedDataError(
                    f"{part.name} does not know the patients of its records of {min(shared)}, of "
                    f"which {other.name} has others: one person could be in two folds; pack all of "
                    "them from the data set's own table"
                )


def _refuse_same_signals(parts: list[PackedData]) -> None:
    """A tracing in two parts is one record, whatever its names and the rate that it was packed
    from: PTB-XL's 1 is also the challenges' HR00001.
    """
    for number, part in enumerate(parts):
        for other in parts[:number]:
            for one, two in _alike(other, part):
                names = other.record_ids[one], part.record_ids[two]
                raise PackedDataError(_twice(f"the signal of {names[0]} and {names[1]}", parts))


def _alike(one: PackedData, two: PackedData) -> Iterator[tuple[int, int]]:
    """Rows of both that hold one tracing."""
    for start in range(0, len(one), _AT_ONCE):
        first = unit_rows(one.stored[start : start + _AT_ONCE])
        for begin in range(0, len(two), _AT_ONCE):
            alike = first @ unit_rows(two.stored[begin : begin + _AT_ONCE]).T >= SAME_SIGNAL
            for row, other in zip(*np.nonzero(alike), strict=True):
                yield start + int(row), begin + int(other)


def _twice(what: str, parts: list[PackedData]) -> str:
    if len(parts) == 1:
        return f"{what} stands twice in {parts[0].name}; pack it anew with each record once"
    names = ", ".join(part.name for part in parts)
    return f"{what} stands in two of the files: {names}; leave one of them out"
