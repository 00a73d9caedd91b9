"""WFDB records: every format equals wfdb's reading; what contradicts itself is refused."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.wfdb_records import header_text, synthetic_counts, write_record
from ecgcore.readers.opening import read_path
from ecgcore.readers.wfdb import read_wfdb
from ecgcore.recording import LEADS, Recording, RecordingError, standard_lead

SAMPLES = 2000


def counts_for(reach: int = 700, samples: int = SAMPLES) -> NDArray[np.int16]:
    return synthetic_counts(samples, seed=1, reach=reach)


def read(text: str, *files: bytes, names: tuple[str, ...] = ("r.dat",)) -> Recording:
    by_name = dict(zip(names, files, strict=True))
    return read_wfdb("r.hea", text.encode(), by_name.__getitem__)


def edited(counts: NDArray[np.int16], change: Callable[[str], str]) -> Recording:
    text = header_text("r", counts)
    assert change(text) != text
    return read(change(text), counts.tobytes())


def by_wfdb(header: Path) -> tuple[NDArray[np.float32], float]:
    """What the wfdb package reads: leads in standard order, float64 rounded to float32."""
    import wfdb

    record = wfdb.rdrecord(str(header.with_suffix("")))
    names = [standard_lead(name) for name in record.sig_name]
    order = [names.index(lead) for lead in LEADS if lead in names]
    return record.p_signal.T[order].astype(np.float32), record.fs


def test_a_valid_record_reads_whole():
    counts = counts_for()
    text = header_text("r", counts, started="08:15:13 01/02/1997")
    recording = read(text, counts.tobytes())
    assert recording.source.warnings == ()
    assert recording.leads == LEADS and recording.sampling_rate == 500.0
    assert np.array_equal(recording.signal, (counts.T / 1000).astype(np.float32))
    assert recording.record_id == "r" and recording.patient.age == 61.0
    assert recording.recorded_at is not None and len(recording.statements) == 2
    both = counts.tobytes() + text.encode()  # r.dat comes before r.hea
    assert recording.source.sha256 == hashlib.sha256(both).hexdigest()


@pytest.mark.parametrize("data_set", ["ptbxl_raw500", "ludb", "cinc2021"])
def test_every_real_record_equals_wfdb_to_the_last_bit(ecg_data: Path, data_set: str):
    headers = sorted((ecg_data / data_set).glob("**/*.hea"))
    assert headers
    for header in headers:
        recording = read_path(header)
        signal, rate = by_wfdb(header)
        assert np.array_equal(recording.signal, signal, equal_nan=True), header.name
        assert recording.sampling_rate == rate


def test_stretched_gains_of_real_records_are_warned_of(ecg_data: Path):
    """LUDB: the header's gains give every lead a span of 1 mV, though the counts obey Einthoven."""
    for header in sorted((ecg_data / "ludb").glob("*.hea"))[:10]:
        warnings = " ".join(read_path(header).source.warnings)
        assert "stretch the leads to one size" in warnings and "are not true" in warnings


@pytest.mark.parametrize("storage", ["16", "24", "32", "80", "212", "508", "516", "524"])
def test_formats_that_wfdb_writes(tmp_path: Path, storage: str):
    import wfdb

    counts = counts_for(reach={"80": 30, "508": 30}.get(storage, 400)).astype(np.int64)
    leads = 8 if storage.startswith("5") else 12  # FLAC holds at most 8 channels a file
    wfdb.wrsamp(
        "r", 500, ["mV"] * leads, list(LEADS[:leads]), d_signal=counts[:, :leads],
        fmt=[storage] * leads, adc_gain=[100.0] * leads, baseline=[0] * leads,
        write_dir=str(tmp_path),
    )  # fmt: skip
    recording = read_path(tmp_path / "r.hea")
    assert np.array_equal(recording.signal, by_wfdb(tmp_path / "r.hea")[0])
    assert np.array_equal(recording.signal, (counts.T[:leads] / 100).astype(np.float32))
    assert recording.source.warnings == ()


def encoded_310(values: NDArray[np.int64]) -> bytes:
    """Three 10-bit samples in two little-endian words: bits 1-10 of each, the third split."""
    words = bytearray()
    for one, two, three in (values.reshape(-1, 3) & 0x3FF).tolist():
        words += struct.pack("<HH", (one << 1) | ((three & 0x1F) << 11),
                             (two << 1) | ((three >> 5) << 11))  # fmt: skip
    return bytes(words)


def encoded_311(values: NDArray[np.int64]) -> bytes:
    """Three 10-bit samples in the low 30 bits of a little-endian word."""
    rows = (values.reshape(-1, 3) & 0x3FF).tolist()
    return b"".join(struct.pack("<I", one | two << 10 | three << 20) for one, two, three in rows)


ENCODERS: dict[str, Callable[[NDArray[np.int64]], bytes]] = {
    "61": lambda values: values.astype(">i2").tobytes(),
    "160": lambda values: (values + 2**15).astype("<u2").tobytes(),
    "310": encoded_310,
    "311": encoded_311,
}


@pytest.mark.parametrize("storage", list(ENCODERS))
def test_formats_written_by_hand(tmp_path: Path, storage: str):
    counts = counts_for(reach=120)
    text = header_text("r", counts, layout=storage, gain="100(0)/mV").replace("mV 16 ", "mV 0 ")
    (tmp_path / "r.hea").write_text(text)
    (tmp_path / "r.dat").write_bytes(ENCODERS[storage](counts.astype(np.int64).reshape(-1)))
    recording = read_path(tmp_path / "r.hea")
    assert np.array_equal(recording.signal, (counts.T / 100).astype(np.float32))
    assert np.array_equal(recording.signal, by_wfdb(tmp_path / "r.hea")[0])


def test_format_8_holds_differences(tmp_path: Path):
    counts = np.cumsum(np.random.default_rng(2).integers(-9, 10, (SAMPLES, 1)), axis=0)
    steps = np.diff(counts, axis=0, prepend=counts[:1]).astype(np.int8)
    text = header_text("r", counts, leads=["V1"], layout="8", gain="100(0)/mV")
    (tmp_path / "r.hea").write_text(text)
    (tmp_path / "r.dat").write_bytes(steps.tobytes())
    recording = read_path(tmp_path / "r.hea")
    assert np.array_equal(recording.signal, (counts.T / 100).astype(np.float32))


@pytest.mark.parametrize(
    ("storage", "mark"), [("16", -(2**15)), ("80", -(2**7)), ("212", -(2**11))]
)
def test_missing_samples_are_nan(tmp_path: Path, storage: str, mark: int):
    import wfdb

    counts = counts_for(reach=30).astype(np.int64)
    counts[100:120, 3] = mark
    counts[:, 7] = mark
    wfdb.wrsamp(
        "r", 500, ["mV"] * 12, list(LEADS), d_signal=counts, fmt=[storage] * 12,
        adc_gain=[100.0] * 12, baseline=[0] * 12, write_dir=str(tmp_path),
    )  # fmt: skip
    recording = read_path(tmp_path / "r.hea")
    assert np.isnan(recording.signal[3, 100:120]).all() and np.isnan(recording.signal[7]).all()
    assert int(np.isnan(recording.signal).sum()) == 20 + SAMPLES
    assert np.array_equal(recording.signal, by_wfdb(tmp_path / "r.hea")[0], equal_nan=True)


def test_gain_baseline_and_unit_follow_wfdb_in_the_last_bit(tmp_path: Path):
    for gain, baseline, scale in (
        ("333.3(7)/mV", 7, 1.0),
        ("204.8(-100)/mV", -100, 1.0),
        ("0.3333(0)/uV", 0, 1e-3),
        ("1000000(0)/V", 0, 1e3),
    ):
        counts = counts_for() + np.int16(baseline)
        (tmp_path / "r.hea").write_text(header_text("r", counts, gain=gain))
        (tmp_path / "r.dat").write_bytes(counts.tobytes())
        ours = read_path(tmp_path / "r.hea").signal
        theirs = by_wfdb(tmp_path / "r.hea")[0]
        if scale == 1:
            assert np.array_equal(ours, theirs)
        else:
            assert np.allclose(ours, theirs.astype(np.float64) * scale, rtol=2e-7, atol=0)


def test_several_signal_files_and_leads_in_any_order():
    counts = counts_for()
    limbs = header_text("r", counts[:, :6], leads=LEADS[:6]).splitlines()[1:7]
    chest = header_text("r", counts[:, 6:], leads=LEADS[6:], suffix="d2").splitlines()[1:7]
    text = "\n".join([f"r 12 500 {SAMPLES}", *chest, *limbs])
    recording = read(
        text, counts[:, :6].tobytes(), counts[:, 6:].tobytes(), names=("r.dat", "r.d2")
    )
    assert np.array_equal(recording.signal, (counts.T / 1000).astype(np.float32))
    assert "unusual order" in recording.source.warnings[0]


def test_channels_that_are_no_leads_are_left_out_with_a_warning():
    counts = counts_for()
    recording = edited(counts, lambda text: text.replace(" 0 V6", " 0 vz"))
    assert recording.leads == LEADS[:-1]
    assert any("left out: vz" in warning for warning in recording.source.warnings)


def mat_file(counts: NDArray[np.int16], rows: int = 12, kind: int = 30) -> bytes:
    head = struct.pack("<5i4s", kind, rows, len(counts), 0, 4, b"val\0")
    return head + counts.tobytes()


def test_a_mat_file_of_the_challenges():
    counts = counts_for()
    text = header_text("r", counts, layout="16+24", suffix="mat")
    recording = read(text, mat_file(counts), names=("r.mat",))
    assert np.array_equal(recording.signal, (counts.T / 1000).astype(np.float32))


@pytest.mark.parametrize(("rows", "kind"), [(11, 30), (12, 20), (12, 1030)])
def test_a_mat_file_whose_own_header_disagrees_is_refused(rows: int, kind: int):
    counts = counts_for()
    text = header_text("r", counts, layout="16+24", suffix="mat")
    with pytest.raises(RecordingError, match="MATLAB header"):
        read(text, mat_file(counts, rows, kind), names=("r.mat",))


def test_a_newer_mat_file_is_refused():
    counts = counts_for()
    text = header_text("r", counts, layout="16+24", suffix="mat")
    with pytest.raises(RecordingError, match="level 5"):
        read(text, b"MATLAB 5.0 MAT-file" + mat_file(counts), names=("r.mat",))


def test_sizes_are_held_against_the_header():
    counts = counts_for()
    text = header_text("r", counts)
    with pytest.raises(RecordingError, match="announces 48000"):
        read(text, counts.tobytes()[:-2])
    longer = read(text, counts.tobytes() + b"\0" * 240)
    assert "240 bytes longer" in longer.source.warnings[0]
    assert longer.samples == SAMPLES
    with pytest.raises(RecordingError, match="less than one sample"):
        read(text.replace(f"500 {SAMPLES}", "500"), b"\0\0")
    unsized = read(text.replace(f"500 {SAMPLES}", "500"), counts.tobytes())
    assert unsized.samples == SAMPLES


def test_more_samples_than_memory_are_refused_before_anything_is_read():
    counts = counts_for()
    with pytest.raises(RecordingError, match="values announced"):
        edited(counts, lambda text: text.replace(f"500 {SAMPLES}", "500 10000000000"))


def test_many_large_files_are_refused_before_they_fill_the_memory(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr("ecgcore.readers.wfdb_signal.MAX_FILE_BYTES", 50_000)
    counts = counts_for()
    assert read(header_text("r", counts), counts.tobytes()).samples == SAMPLES
    with pytest.raises(RecordingError, match="bytes of files"):
        read(header_text("r", counts), counts.tobytes() + bytes(3_000))


def test_flipped_bytes_of_the_signal_are_always_refused():
    counts = counts_for()
    text, rng = header_text("r", counts), np.random.default_rng(3)
    for _ in range(200):
        data = bytearray(counts.tobytes())
        data[rng.integers(len(data))] ^= 1 << int(rng.integers(8))
        with pytest.raises(RecordingError):
            read(text, bytes(data))


def test_a_wrong_first_value_or_checksum_is_refused():
    counts = counts_for()
    line = header_text("r", counts).splitlines()[1]
    fields = line.split()
    for at, match in ((5, "begins with the count"), (6, "checksum of I")):
        wrong = [*fields[:at], str(int(fields[at]) + 1), *fields[at + 1 :]]
        with pytest.raises(RecordingError, match=match):
            edited(counts, lambda text, wrong=wrong: text.replace(line, " ".join(wrong)))


def test_a_changed_sample_is_refused():
    counts = counts_for()
    changed = counts.copy()
    changed[1000, 8] += 1
    with pytest.raises(RecordingError, match="checksum of V3"):
        read(header_text("r", counts), changed.tobytes())


def test_a_damaged_flac_file_is_refused(tmp_path: Path):
    import wfdb

    wfdb.wrsamp(
        "r", 500, ["mV"] * 2, ["I", "II"], d_signal=counts_for()[:, :2].astype(np.int64),
        fmt=["516"] * 2, adc_gain=[1000.0] * 2, baseline=[0] * 2, write_dir=str(tmp_path),
    )  # fmt: skip
    data = (tmp_path / "r.dat").read_bytes()
    (tmp_path / "r.dat").write_bytes(b"junk" + data[4:])
    with pytest.raises(RecordingError, match="does not decode as format 516"):
        read_path(tmp_path / "r.hea")


def test_a_header_under_another_name_is_warned_of(tmp_path: Path):
    header = write_record(tmp_path, "r")
    other = header.rename(tmp_path / "copy.hea")
    assert "another name" in read_path(other).source.warnings[0]
