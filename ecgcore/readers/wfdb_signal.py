"""WFDB signal files: bytes -> counts, after the bytes were found to be what the header says.

Format 16 (and its big-endian and offset-binary sisters 61 and 160) is read directly. The others are
decoded by the wfdb package, which never sees a path, a name or a header of the user: it gets our
own header, rewritten from the parsed fields, beside the checked bytes in a private temporary
folder. So it can reach neither another file nor the network, and cannot be made to allocate more
than the bytes justify.

Source: "signal(5)", https://physionet.org/physiotools/wag/signal-5.htm; MAT-File Format, level 4
(MathWorks).
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ecgcore.readers.checks import MAX_VALUES
from ecgcore.readers.local_files import MAX_FILE_BYTES
from ecgcore.readers.wfdb_header import Header
from ecgcore.recording import RecordingError

Counts = NDArray[np.signedinteger]
Fetch = Callable[[str], bytes]

# The count that marks a missing sample, by storage format; format 8 stores differences and has
# none.
MISSING: dict[int, int | None] = {
    8: None, 16: -(2**15), 24: -(2**23), 32: -(2**31), 61: -(2**15), 80: -(2**7), 160: -(2**15),
    212: -(2**11), 310: -(2**9), 311: -(2**9), 508: -(2**7), 516: -(2**15), 524: -(2**23),
}  # fmt: skip
_DIRECT = {16: "<i2", 61: ">i2", 160: "<u2"}
_FLAC = (508, 516, 524)
_PACKED_SLACK_BYTES = 4  # writers of 212, 310 and 311 pad to a whole group
_WHOLE_BYTES = {8: 1, 16: 2, 24: 3, 32: 4, 61: 2, 80: 1, 160: 2}
_MAT_HEADER = struct.Struct("<5i")
_MAT_TYPE = {16: 30, 32: 20}  # little-endian, int16 or int32, numeric


@dataclass(frozen=True)
class Decoded:
    """``counts`` is (signals, samples) in header order, ``sha256`` over all files by name."""

    counts: Counts
    sha256: str
    warnings: tuple[str, ...]


def read_counts(name: str, text: bytes, header: Header, fetch: Fetch) -> Decoded:
    """Every signal of the header, decoded from the bytes that ``fetch(file name)`` gives.

    ``name`` and ``text`` are the header's own file, which counts in the hash. Raises RecordingError
    when a file is missing, too short, or not what the header describes.
    """
    groups: dict[str, list[int]] = {}
    for at, line in enumerate(header.signals):
        groups.setdefault(line.file_name, []).append(at)
    files = {name: text}
    blocks: list[Counts] = []
    warnings: list[str] = []
    samples = header.samples
    for file, members in groups.items():
        storage, offset = _one_layout(header, file, members)
        # Room for the counts is taken before the file's bytes: the bytes, which are let go first,
        # then leave their place to the millivolts. The other order costs 85 page faults a record.
        room = _room(header, len(members), samples)
        data = files[file] = fetch(file)
        if samples is None:
            samples = _samples_by_size(storage, len(data) - offset, len(members), file)
            room = _room(header, len(members), samples)
        _check_held(sum(map(len, files.values())))
        warnings += _check_size(len(data) - offset, storage, room.size, file)
        if file.lower().endswith(".mat"):
            _check_mat(data, file, (storage, offset), room.shape)
        firsts = [header.signals[at].first_value for at in members]
        blocks.append(_decode(data, storage, offset, room, firsts))
    counts = blocks[0] if len(blocks) == 1 else np.concatenate(blocks)
    digest = hashlib.sha256()
    for file in sorted(files):
        digest.update(files[file])
    return Decoded(counts, digest.hexdigest(), tuple(warnings))


def _room(header: Header, signals: int, samples: int | None) -> NDArray[np.int16]:
    """Empty counts (signals, samples), after a look at what the whole record would take."""
    values = (samples or 0) * len(header.signals)
    if values > MAX_VALUES:
        raise RecordingError(
            f"{values} values announced",
            f"1 to {MAX_VALUES} values (leads x samples)",
            "cut the record to the part of interest, or check the number of samples in its header",
        )
    return np.empty((signals, samples or 0), np.int16)


def _check_held(held: int) -> None:
    """Bounds the files of a record together, as many of the allowed size are still too much."""
    if held > MAX_FILE_BYTES:
        raise RecordingError(
            f"{held} bytes of files for one record",
            f"at most {MAX_FILE_BYTES} bytes",
            "cut the record to the part of interest",
        )


def _one_layout(header: Header, name: str, members: list[int]) -> tuple[int, int]:
    """Storage format and offset of one file's signals, which must agree and be adjacent."""
    first, last = members[0], members[-1]
    line = header.signals[first]
    layout = (line.storage, line.byte_offset)
    agree = all((header.signals[at].storage, header.signals[at].byte_offset) == layout
                for at in members)  # fmt: skip
    if not agree or last - first + 1 != len(members):
        raise RecordingError(
            f"the signals of {name} in several formats or scattered over the header",
            "one storage format and offset a file, its signals on adjacent lines",
            "export the record again; this header is damaged",
        )
    return layout


def stored_bytes(storage: int, values: int) -> int:
    """How many bytes ``values`` samples take in a storage format (FLAC: at least one frame)."""
    if storage in _FLAC:
        return 42 if values else 0
    if storage == 212:
        return -(-values * 3 // 2)
    if storage in (310, 311):
        whole = -(-values * 4 // 3)
        return -(-whole // 4) * 4 if storage == 310 and values % 3 == 2 else whole
    return values * _WHOLE_BYTES[storage]


def _samples_by_size(storage: int, size: int, signals: int, name: str) -> int:
    if storage in _FLAC or size <= 0:
        raise RecordingError(
            f"a header without the number of samples, for {name} of {max(size, 0)} bytes of signal",
            "the number of samples in the header's first line",
            "write it there, after the sampling rate",
        )
    if storage == 212:
        samples = size * 2 // 3 // signals
    elif storage in (310, 311):
        samples = size * 3 // 4 // signals
    else:
        samples = size // _WHOLE_BYTES[storage] // signals
    if not samples:
        raise RecordingError(
            f"{name} holds {size} bytes of signal, less than one sample of each lead",
            "a whole signal file",
            "fetch the signal file again",
        )
    return samples


def _check_size(size: int, storage: int, values: int, name: str) -> tuple[str, ...]:
    """Whether the bytes hold what the header announces; a warning when they hold more."""
    needed = stored_bytes(storage, values)
    if size < needed:
        raise RecordingError(
            f"{name} holds {max(size, 0)} bytes of signal, its header announces {needed}",
            "a signal file as long as the header says",
            "fetch the signal file again; it was cut short, or the header belongs to another file",
        )
    slack = _PACKED_SLACK_BYTES if storage in (212, 310, 311) else 0
    if storage not in _FLAC and size > needed + slack:
        return (
            f"{name} is {size - needed} bytes longer than its header says; the rest was not read.",
        )
    return ()


def _check_mat(data: bytes, name: str, layout: tuple[int, int], shape: tuple[int, int]) -> None:
    """The level 4 header of a .mat file must describe the same matrix as the WFDB header."""
    if data.startswith(b"MATLAB 5.0") or data.startswith(b"\x89HDF"):
        raise RecordingError(
            f"{name} is a MATLAB file of level 5 or later",
            "level 4, as the PhysioNet challenges write it",
            "save it with '-v4', or convert the record to format 16",
        )
    storage, offset = layout
    found = _MAT_HEADER.unpack_from(data) if len(data) >= _MAT_HEADER.size else (0,) * 5
    kind, rows, columns, imaginary, letters = found
    agrees = (
        (kind, rows, columns, imaginary) == (_MAT_TYPE.get(storage), *shape, 0)
        and offset == _MAT_HEADER.size + letters
        and 1 < letters < 64
    )
    if not agrees:
        raise RecordingError(
            f"{name}: its MATLAB header says type {kind}, {rows} x {columns}, signal from byte"
            f" {_MAT_HEADER.size + letters}; its WFDB header says format {storage},"
            f" {shape[0]} x {shape[1]}, from byte {offset}",
            "two headers that describe the same matrix",
            "fetch both files again; one of them is damaged or belongs to another record",
        )


def _decode(
    data: bytes, storage: int, offset: int, room: NDArray[np.int16], firsts: list[int]
) -> Counts:
    """Counts (signals, samples): in ``room`` where the format is read directly."""
    signals, samples = room.shape
    if storage not in _DIRECT:
        return _decode_by_wfdb(data[offset:], storage, samples, firsts)
    values = np.frombuffer(data, _DIRECT[storage], samples * signals, offset)
    frames = values.reshape(samples, signals).T
    room[...] = frames if storage != 160 else frames.astype(np.int32) - 2**15
    return room


def _decode_by_wfdb(signal: bytes, storage: int, samples: int, firsts: list[int]) -> Counts:
    """Counts (signals, samples) of any other storage format, by wfdb in a private folder."""
    from pathlib import Path
    from tempfile import TemporaryDirectory

    import wfdb

    lines = [f"record {len(firsts)} 500 {samples}"]
    lines += [
        f"record.dat {storage} 1(0)/mV 0 0 {first} 0 0 signal{at}"
        for at, first in enumerate(firsts)
    ]
    with TemporaryDirectory(prefix="ecg-") as folder:
        Path(folder, "record.hea").write_text("\n".join(lines) + "\n", encoding="ascii")
        Path(folder, "record.dat").write_bytes(signal)
        try:
            record = wfdb.rdrecord(str(Path(folder, "record")), physical=False)
            counts = np.ascontiguousarray(record.d_signal.T)
        except (ValueError, TypeError, IndexError, KeyError, OSError, RuntimeError) as error:
            raise RecordingError(
                f"a signal file that does not decode as format {storage}",
                "a signal file in the format that its header names",
                "fetch the signal file again, or convert the record to format 16",
            ) from error
    if counts.shape != (len(firsts), samples):
        raise RecordingError(
            f"{counts.shape[1]} samples of {counts.shape[0]} signals in a format {storage} file",
            f"{samples} samples of {len(firsts)} signals, as the header says",
            "fetch the signal file again",
        )
    return counts.astype(np.int16 if counts.dtype.itemsize <= 2 else np.int32, copy=False)
