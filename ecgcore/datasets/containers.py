"""Signals in HDF5, MATLAB v5 and NPZ files, with checks, as recordings.

Only numbers are read: HDF5 through h5py, MATLAB v5 through scipy.io (structs
as records), NPZ with ``allow_pickle=False``. A lead order that a file does not name is the standard
one, as each set's publication says.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ecgcore.readers.local_files import read_file
from ecgcore.readers.plausibility import require_length, require_values, voltage_warnings
from ecgcore.recording import LEADS, Recording, RecordingError, Source


def recording_of(
    record_id: str,
    values: NDArray[np.generic],
    *,
    sampling_rate: float,
    form: str,
    content: bytes,
    leads: tuple[str, ...] = LEADS,
    name: str = "",
) -> Recording:
    """A recording from (leads, samples) in mV. Raises RecordingError for what cannot be true."""
    given = name or record_id
    if values.ndim != 2 or values.shape[0] != len(leads) or values.dtype.kind not in "fiu":
        raise RecordingError(
            f"{given} holds an array of shape {values.shape} and type {values.dtype}",
            f"numbers of shape ({len(leads)}, samples)",
            "use the file as published",
        )
    require_values(values.size)
    require_length(values.shape[1], sampling_rate)
    signal = np.ascontiguousarray(values, dtype=np.float32)
    if np.isinf(signal).any():
        raise RecordingError(f"{given} holds infinite samples", "finite mV", "copy the file again")
    recording = Recording.from_leads(
        record_id, signal, leads, sampling_rate, Source(form, hashlib.sha256(content).hexdigest())
    )
    return recording.with_warnings(*voltage_warnings(recording.signal, recording.leads))


def read_mat(folder: Path, member: str, *, field: str, sampling_rate: float) -> Recording:
    """(12, samples) mV from a MATLAB v5 file: ``field`` is the array, or a struct with ``data``."""
    from scipy.io import loadmat

    content = read_file(str(folder / Path(member).parent), Path(member).name)
    try:
        file = io.BytesIO(content)
        found = loadmat(file, variable_names=[field])  # type: ignore[arg-type]
        values = found[field]
        if values.dtype.names:
            values = values["data"].item() if values.size == 1 else values["data"]
    except (
        ValueError, TypeError, KeyError, NotImplementedError, IndexError, OSError, zlib.error,
        MemoryError, EOFError,
    ) as error:  # fmt: skip
        raise _unreadable(member, f"MATLAB v5 with {field}", error) from error
    return recording_of(
        Path(member).stem,
        np.asarray(values),
        sampling_rate=sampling_rate,
        form="MATLAB v5",
        content=content,
        name=member,
    )


def read_h5(folder: Path, member: str, *, dataset: str, sampling_rate: float) -> Recording:
    """(12, samples) mV from one data set of an HDF5 file."""
    import h5py

    content = read_file(str(folder / Path(member).parent), Path(member).name)
    try:
        with h5py.File(io.BytesIO(content), "r") as file:
            values = np.asarray(file[dataset])
    except (OSError, KeyError, ValueError, TypeError, RuntimeError) as error:
        raise _unreadable(member, f"HDF5 with {dataset!r}", error) from error
    return recording_of(
        Path(member).stem,
        values,
        sampling_rate=sampling_rate,
        form="HDF5",
        content=content,
        name=member,
    )


def read_npz_arrays(path: Path, keys: tuple[str, ...]) -> dict[str, NDArray[np.generic]]:
    """The arrays of an NPZ file without pickles. Raises RecordingError where one is missing."""
    content = read_file(str(path.parent), path.name)
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            arrays = {key: file[key] for key in file.files}
    except (OSError, ValueError, zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise _unreadable(path.name, f"NPZ with {', '.join(keys)}", error) from error
    missing = [key for key in keys if key not in arrays]
    if missing:
        raise _unreadable(path.name, f"NPZ with {', '.join(keys)}", f"no {', '.join(missing)}")
    return arrays


def _unreadable(name: str, expected: str, error: object) -> RecordingError:
    return RecordingError(f"{name} cannot be read ({error})", expected, "copy the file again")
