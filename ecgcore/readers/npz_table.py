"""NPZ to Recording: one recording as arrays in a zip.

Known are our own export (``signal`` (leads, samples), ``leads``, ``sampling_rate``, ``unit``,
``simulated``) and containers of one recording as data sets use them (``X``, ``scale``, ``fs``,
``leads``, ``units``).
numpy.load is not used: it believes the header's shape before it looks at the size, and the zip's
size before it looks at the bytes. Here every size is compared first, and only plain numbers and
text are read, so no file can run code or ask for more memory than it holds. The .npy format:
numpy.lib.format.
"""

from __future__ import annotations

import ast
import io
import math
import re
import struct
import zipfile
import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ecgcore.readers.plausibility import LARGEST_FILE_BYTES, require_file_size, require_values
from ecgcore.readers.stated import Stated
from ecgcore.readers.table_values import Table, record_name, to_recording, unit_of
from ecgcore.recording import SIMULATED, Recording, RecordingError

_MOST_ENTRIES = 64
_LONGEST_HEADER = 4096
_MAGIC = b"\x93NUMPY"
_TYPE = re.compile(r"(?:[<|=>][biuf][1248]|[<|=>][US][1-9]\d{0,3})")
_SIGNAL_KEYS = ("signal", "X")
_RATE_KEYS = ("sampling_rate", "fs")
_UNIT_KEYS = ("unit", "units")
_HARMLESS = frozenset({"record_id", "ecg_id", "patient_id", "age", "sex", "source", "sha256"})


def read_npz(name: str, data: bytes, stated: Stated) -> Recording:
    """The recording of an NPZ file of one recording; ``name`` without its suffix names it.

    Raises UnstatedError where rate or unit is neither in the file nor in ``stated``, RecordingError
    for a data set of several recordings, missing lead names, an array that could be read two ways,
    Python objects, and damaged or oversized archives.
    """
    arrays = read_arrays(data)
    key = _one_of(arrays, _SIGNAL_KEYS, "signals")
    if key is None:
        raise _refusal(
            f"the entries {', '.join(arrays)[:200] or '(none)'}",
            "an entry signal (leads, samples), or X (samples, leads)",
            "name the array of voltages",
        )
    leads = _leads(arrays)
    values, warnings = _oriented(arrays[key], len(leads), key)
    if _simulated(arrays):
        warnings = (*warnings, SIMULATED)
    known = {key, "leads", "scale", "simulated", *_RATE_KEYS, *_UNIT_KEYS} | _HARMLESS
    ignored = [entry for entry in arrays if entry not in known]
    if ignored:
        warnings = (*warnings, f"NPZ: entries not understood and left out: {', '.join(ignored)}.")
    unit_key = _one_of(arrays, _UNIT_KEYS, "units")
    unit = None if unit_key is None else unit_of(_text(arrays[unit_key], unit_key), "in the file")
    with np.errstate(all="ignore"):  # an overflow is infinite, and infinite is refused
        values = values * _scale(arrays)
    table = Table(
        "NPZ", record_name(name), leads, values, (unit,) * len(leads),
        _rate(arrays), warnings=warnings,
    )  # fmt: skip
    return to_recording(table, data, stated)


def read_arrays(data: bytes) -> dict[str, NDArray[np.generic]]:
    """All arrays of an NPZ by name, each compared with its own size before it is built."""
    require_file_size(len(data))
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            names = [entry.filename.removesuffix(".npy") for entry in entries]
            if len(entries) > _MOST_ENTRIES or len(set(names)) != len(names):
                raise _refusal(
                    f"{len(entries)} entries, {len(set(names))} of them with a name of their own",
                    f"at most {_MOST_ENTRIES}, each with its own name",
                    "export the recording again",
                )
            heads = [_head(archive, *pair) for pair in zip(names, entries, strict=True)]
            total = sum(entry.file_size for entry in entries)
            if total > LARGEST_FILE_BYTES:
                raise _refusal(
                    f"entries of {total / 2**20:.0f} MiB together",
                    f"at most {LARGEST_FILE_BYTES // 2**20} MiB",
                    "cut the part to be reviewed out of it",
                )
            return {
                name: _array(archive.read(entry), head)
                for name, entry, head in zip(names, entries, heads, strict=True)
            }
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError) as error:
        raise _damaged(f"the archive is damaged ({error})") from error
    except (NotImplementedError, RuntimeError, ValueError, struct.error) as error:
        if isinstance(error, RecordingError):
            raise
        raise _damaged(f"the archive cannot be opened ({error})") from error


def _refusal(given: str, allowed: str, remedy: str) -> RecordingError:
    return RecordingError(f"NPZ: {given}", allowed, remedy)


def _damaged(what: str) -> RecordingError:
    return _refusal(what, "an intact NPZ of numbers and text", "export the recording again")


@dataclass(frozen=True)
class _Head:
    """What the header of a .npy says of the array, and where its values begin."""

    kind: np.dtype[np.generic]
    shape: tuple[int, ...]
    fortran: bool
    start: int


def _head(archive: zipfile.ZipFile, name: str, entry: zipfile.ZipInfo) -> _Head:
    """The header of one entry, before its values are unpacked; it must fit the entry's size.

    A data set of many recordings is told by its shape, and refused here.
    """
    with archive.open(entry) as stream:
        content = stream.read(12 + _LONGEST_HEADER)
    if content[:6] != _MAGIC or len(content) < 12 or content[6] not in (1, 2):
        raise _damaged(f"the entry {name[:40]!r} is no array")
    wide = content[6] == 2
    length = struct.unpack_from("<I" if wide else "<H", content, 8)[0]
    start = (12 if wide else 10) + length
    if length > _LONGEST_HEADER or start > len(content):
        raise _damaged(f"the entry {name[:40]!r} has a header of {length} bytes")
    kind, shape, fortran = _header(name, content[start - length : start])
    count = math.prod(shape)
    if count * kind.itemsize != entry.file_size - start:
        raise _damaged(
            f"the entry {name[:40]!r} says {count} values of {kind.itemsize} bytes and holds "
            f"{entry.file_size - start} bytes"
        )
    if name in _SIGNAL_KEYS and len(shape) > 2:
        raise _refusal(
            f"an array of {' x '.join(map(str, shape))}: {shape[0]} recordings, a data set",
            "one recording a file",
            "evaluate or train with the data set; to review single recordings export each",
        )
    require_values(count)
    return _Head(kind, shape, fortran, start)


def _array(content: bytes, head: _Head) -> NDArray[np.generic]:
    """The values of an unpacked entry, whose size is the header's."""
    values = np.frombuffer(content, head.kind, math.prod(head.shape), head.start)
    return values.reshape(head.shape, order="F" if head.fortran else "C")


def _header(name: str, text: bytes) -> tuple[np.dtype[np.generic], tuple[int, ...], bool]:
    try:
        said = ast.literal_eval(text.decode("latin-1").strip())
        kind, shape, fortran = said["descr"], said["shape"], said["fortran_order"]
    except (ValueError, SyntaxError, TypeError, KeyError, MemoryError, RecursionError) as error:
        raise _damaged(f"the entry {name[:40]!r} has an unreadable header") from error
    if not isinstance(kind, str) or not _TYPE.fullmatch(kind):
        raise _refusal(
            f"the entry {name[:40]!r} is of the type {str(kind)[:40]!r}",
            "numbers and text (no Python objects, no records)",
            "export plain arrays; files with objects can run code and are never opened",
        )
    sizes_are_whole = isinstance(shape, tuple) and all(
        type(size) is int and 0 <= size < 2**40 for size in shape
    )
    if not sizes_are_whole or len(shape) > 8 or not isinstance(fortran, bool):
        raise _damaged(f"the entry {name[:40]!r} has the shape {str(shape)[:40]}")
    try:
        return np.dtype(kind), shape, fortran
    except TypeError as error:
        raise _damaged(f"the entry {name[:40]!r} is of the type {kind!r}") from error


def _one_of(arrays: dict[str, NDArray[np.generic]], keys: tuple[str, ...], what: str) -> str | None:
    there = [key for key in keys if key in arrays]
    if len(there) > 1:
        raise _refusal(f"both {' and '.join(there)}", f"one entry of {what}", "remove the other")
    return there[0] if there else None


def _simulated(arrays: dict[str, NDArray[np.generic]]) -> bool:
    """Whether the file says that no person was recorded; anything but a plain no counts."""
    return "simulated" in arrays and not np.array_equal(arrays["simulated"], False)


def _leads(arrays: dict[str, NDArray[np.generic]]) -> tuple[str, ...]:
    """The lead names, in the spelling of the file."""
    if "leads" not in arrays:
        raise _refusal(
            "no entry leads: which lead each signal is, is not stated",
            "an entry leads with one name a signal",
            "add the names, for example numpy.savez(file, ..., leads=['I', 'II', ...])",
        )
    leads = arrays["leads"]
    if leads.ndim != 1 or leads.dtype.kind not in "US" or not leads.size:
        raise _refusal(
            f"leads of the type {leads.dtype} and shape {leads.shape}",
            "a list of names",
            "store the names of the leads as text",
        )
    return tuple(_decoded(lead) for lead in leads.tolist())


def _decoded(value: object) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _oriented(
    signal: NDArray[np.generic], leads: int, key: str
) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """The signal as (leads, samples); the one axis as long as there are leads is theirs."""
    if signal.ndim != 2 or signal.dtype.kind not in "iuf":
        raise _refusal(
            f"{key} of the type {signal.dtype} and shape {signal.shape}",
            "a table of numbers, (leads, samples)",
            "store the voltages as an array of two dimensions",
        )
    places = [axis for axis in (0, 1) if signal.shape[axis] == leads]
    if len(places) != 1:
        raise _refusal(
            f"{key} of {signal.shape[0]} x {signal.shape[1]} for {leads} lead names",
            "exactly one axis as long as there are leads",
            "store (leads, samples) with one name a lead",
        )
    with np.errstate(all="ignore"):  # a signalling NaN is missing too
        values = signal.astype(np.float64)
    usual = 0 if key == "signal" else 1
    warnings = () if places[0] == usual else (f"NPZ: {key} has its axes exchanged; told by leads.",)
    return (values if places[0] == 0 else values.T), warnings


def _scalar(array: NDArray[np.generic], key: str) -> float:
    if array.size != 1 or array.dtype.kind not in "iuf":
        raise _refusal(
            f"{key} of the type {array.dtype} and shape {array.shape}",
            "one number",
            f"store {key} as a single number",
        )
    return float(array.reshape(-1)[0])


def _text(array: NDArray[np.generic], key: str) -> str:
    if array.size < 1 or array.dtype.kind not in "US" or len(set(array.reshape(-1).tolist())) > 1:
        raise _refusal(f"{key} of the type {array.dtype}", "one text", f"store {key} as a text")
    return _decoded(array.reshape(-1).tolist()[0])


def _rate(arrays: dict[str, NDArray[np.generic]]) -> float | None:
    rates = {key: _scalar(arrays[key], key) for key in _RATE_KEYS if key in arrays}
    if len(set(rates.values())) > 1:
        raise _refusal(f"the rates {rates}", "one sampling rate", "remove the wrong one")
    return next(iter(rates.values()), None)


def _scale(arrays: dict[str, NDArray[np.generic]]) -> float:
    scale = _scalar(arrays["scale"], "scale") if "scale" in arrays else 1.0
    if not 0 < scale < 1e6:
        raise _refusal(f"the scale {scale:g}", "a positive number", "correct the scale")
    # A float32 0.001 is 0.0010000000474974513: what was meant is the shortest decimal of it.
    if "scale" in arrays and arrays["scale"].dtype == np.float32:
        return float(str(np.float32(scale)))
    return scale
