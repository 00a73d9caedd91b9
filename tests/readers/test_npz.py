"""NPZ files: read as stated, or refused; nothing is guessed, nothing is unpickled."""

from __future__ import annotations

import io
import random
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

from ecgcore.readers.stated import Stated, UnstatedError
from ecgcore.readers.table import read_npz
from ecgcore.recording import LEADS, RecordingError
from tests.readers.tables import ALL_STATED, RATE, twelve_leads, warnings_of


def npz_bytes(**arrays: object) -> bytes:
    """An NPZ of the given arrays; the defaults of our own export for what is not given."""
    whole = {
        "signal": twelve_leads(), "leads": np.array(LEADS), "sampling_rate": RATE, "unit": "mV",
    } | arrays  # fmt: skip
    target = io.BytesIO()
    np.savez(
        target, **{key: np.asarray(value) for key, value in whole.items() if value is not None}
    )
    return target.getvalue()


def test_our_own_export_reads_back_to_the_last_bit() -> None:
    recording = read_npz("folder/17.npz", npz_bytes(), Stated())
    assert np.array_equal(recording.signal, twelve_leads())
    assert (recording.record_id, recording.sampling_rate) == ("17", RATE)
    assert recording.source.format == "NPZ"
    assert recording.source.warnings == ()


def test_a_container_of_scaled_counts_is_read() -> None:
    counts = np.round(twelve_leads().T / 0.001).astype(np.int16)
    data = npz_bytes(
        signal=None, sampling_rate=None, unit=None, X=counts, scale=np.float32(0.001), fs=500,
        units="mV",
    )  # fmt: skip
    recording = read_npz("a.npz", data, Stated())
    np.testing.assert_array_equal(recording.signal, (counts.T * 0.001).astype(np.float32))
    assert recording.source.warnings == ()


def test_compressed_and_fortran_ordered_arrays_read_the_same() -> None:
    target = io.BytesIO()
    np.savez_compressed(
        target, signal=np.asfortranarray(twelve_leads()), leads=np.array(LEADS, dtype="S4"),
        sampling_rate=RATE, unit="mV",
    )  # fmt: skip
    assert np.array_equal(read_npz("a", target.getvalue(), Stated()).signal, twelve_leads())


def test_npz_guesses_nothing_either() -> None:
    with pytest.raises(UnstatedError, match="--sampling-rate"):
        read_npz("a.npz", npz_bytes(sampling_rate=None), Stated())
    with pytest.raises(UnstatedError, match="--unit"):
        read_npz("a.npz", npz_bytes(unit=None), Stated())
    bare = npz_bytes(sampling_rate=None, unit=None)
    assert np.array_equal(read_npz("a.npz", bare, ALL_STATED).signal, twelve_leads())
    with pytest.raises(RecordingError, match="250 Hz for a file that says 500 Hz"):
        read_npz("a.npz", npz_bytes(), Stated(250))


def test_axes_are_told_by_the_leads_or_refused() -> None:
    turned = read_npz("a.npz", npz_bytes(signal=twelve_leads().T), Stated())
    assert np.array_equal(turned.signal, twelve_leads())
    assert "axes exchanged" in warnings_of(turned)
    for shape in ((12, 12), (11, 1000), (1000, 13)):
        with pytest.raises(RecordingError, match="exactly one axis"):
            read_npz("a.npz", npz_bytes(signal=np.zeros(shape)), Stated())


def test_objects_are_never_opened() -> None:
    for entry in ("signal", "leads", "note"):
        data = npz_bytes(**{entry: np.array([{"a": 1}, None], dtype=object)})
        with pytest.raises(RecordingError, match="no Python objects"):
            read_npz("a.npz", data, ALL_STATED)


def test_entries_that_are_not_understood_are_named() -> None:
    recording = read_npz("a.npz", npz_bytes(gain=np.arange(12)), Stated())
    assert "left out: gain" in warnings_of(recording)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"leads": None}, "no entry leads"),
        ({"signal": None}, "an entry signal"),
        ({"X": np.zeros((5, 12))}, "both signal and X"),
        ({"fs": 250}, "one sampling rate"),
        ({"sampling_rate": np.array([500, 500])}, "one number"),
        ({"sampling_rate": "500"}, "one number"),
        ({"unit": "furlong"}, "unit 'furlong'"),
        ({"unit": np.array(["mV", "uV"])}, "one text"),
        ({"units": "mV"}, "both unit and units"),
        ({"leads": np.arange(12)}, "list of names"),
        ({"leads": np.array([*LEADS[:11], "V5"])}, "lead V5 is there 2 times"),
        ({"signal": np.zeros((12, 1000), dtype=complex)}, "numbers and text"),
        ({"signal": np.zeros((12, 0))}, "no samples"),
        ({"signal": np.full((12, 1000), np.inf)}, "infinite"),
        ({"scale": 0.0}, "a positive number"),
        ({"scale": np.nan}, "a positive number"),
    ],
)
def test_what_is_no_such_npz_is_refused(arrays: dict[str, object], message: str) -> None:
    with pytest.raises(RecordingError, match=message):
        read_npz("a.npz", npz_bytes(**arrays), Stated())


def test_a_data_set_is_refused_with_its_number_of_recordings() -> None:
    data = npz_bytes(signal=None, X=np.zeros((7, 1000, 12), np.int16), scale=0.001)
    with pytest.raises(RecordingError, match="7 recordings, a data set"):
        read_npz("a.npz", data, ALL_STATED)


@pytest.mark.parametrize(
    ("file", "count"),
    [("ptbxl_raw100/ptbxl_raw100.npz", 88), ("ptbxl_1625/train.npz", 1442),
     ("cinc2011/development.npz", 626)],
)  # fmt: skip
def test_the_packed_data_sets_are_refused_as_such(ecg_data: Path, file: str, count: int) -> None:
    with pytest.raises(RecordingError, match=f"{count} recordings, a data set"):
        read_npz(file, (ecg_data / file).read_bytes(), ALL_STATED)


def test_containers_without_lead_names_are_refused(ecg_data: Path) -> None:
    for path in sorted((ecg_data / "cpsc2018").glob("*.npz")):
        with pytest.raises(RecordingError, match="which lead each signal is, is not stated"):
            read_npz(path.name, path.read_bytes(), ALL_STATED)


@pytest.mark.parametrize(
    ("promised", "values", "message"),
    [(10**8, 10**5, "says 1200000000 values"), (3 * 10**6, 3 * 10**6, "36000000 samples")],
)
def test_a_zip_bomb_is_refused_unopened(promised: int, values: int, message: str) -> None:
    header = str({"descr": "<i2", "fortran_order": False, "shape": (12, promised)}).encode()
    head = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("signal.npy", head + bytes(values * 24))
    assert len(target.getvalue()) < 2**20
    with pytest.raises(RecordingError, match=message):
        read_npz("bomb.npz", target.getvalue(), ALL_STATED)


def test_many_entries_are_bounded_together() -> None:
    data = {f"extra_{i}": np.zeros(2 * 10**6) for i in range(5)}
    target = io.BytesIO()
    np.savez_compressed(target, signal=twelve_leads(), **data)  # type: ignore[arg-type]
    with pytest.raises(RecordingError, match="76 MiB together"):
        read_npz("many.npz", target.getvalue(), ALL_STATED)


def test_a_header_that_promises_more_than_the_entry_holds_is_refused() -> None:
    data = npz_bytes().replace(b"(12, 1000)", b"(12, 9999)")
    with pytest.raises(RecordingError):
        read_npz("a.npz", data, Stated())


def test_damaged_npz_raises_nothing_but_recording_errors() -> None:
    rng = random.Random(5)
    data = npz_bytes(signal=twelve_leads(60))
    for _ in range(400):
        mutant = bytearray(data)
        for _ in range(rng.choice((1, 2, 8))):
            mutant[rng.randrange(len(mutant))] = rng.randrange(256)
        try:
            found = read_npz("mutant.npz", bytes(mutant), Stated())
        except RecordingError:
            continue
        assert np.array_equal(found.signal, twelve_leads(60))
        assert (found.leads, found.sampling_rate) == (LEADS, RATE)
