"""CSV and NPZ: units, rates and leads from the file or the user, never guessed."""

from __future__ import annotations

import io
import random
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from ecgcore.readers.stated import Stated, UnstatedError
from ecgcore.readers.table import read_csv, read_npz
from ecgcore.recording import LEADS, LIMB_LEADS, Recording, RecordingError, limb_lead

RATE = 500.0
ALL_STATED = Stated(sampling_rate=RATE, unit="mV")


def twelve_leads(samples: int = 1000) -> NDArray[np.float32]:
    """Beats in twelve leads that obey Einthoven and Goldberger, rounded to 1 uV."""
    times = np.arange(samples) / RATE
    beat = np.exp(-(((times % 0.8) - 0.4) ** 2) / (2 * 0.01**2))
    wave = np.exp(-(((times % 0.8) - 0.65) ** 2) / (2 * 0.04**2))
    leads = {"I": 0.6 * beat + 0.1 * wave, "II": 1.1 * beat + 0.2 * wave}
    given = {lead: values.astype(np.float32) for lead, values in leads.items()}
    rows = [given.get(lead) for lead in LIMB_LEADS]
    rows = [
        row if row is not None else limb_lead(LIMB_LEADS[i], given) for i, row in enumerate(rows)
    ]
    chest = [((0.3 * i - 0.8) * beat + 0.15 * wave).astype(np.float32) for i in range(6)]
    return np.round(np.stack([*rows, *chest]), 3)


def csv_bytes(
    signal: NDArray[np.floating],
    *,
    heading: str = ",".join(LEADS),
    comments: str = "# sampling_rate: 500\n# unit: mV\n",
    delimiter: str = ",",
    decimal: str = ".",
    scale: float = 1.0,
) -> bytes:
    rows = [
        delimiter.join(f"{value * scale:.6g}".replace(".", decimal) for value in row)
        for row in signal.T
    ]
    return (comments + heading + "\n" + "\n".join(rows) + "\n").encode()


def with_time(signal: NDArray[np.float32], times: NDArray[np.floating]) -> NDArray[np.float64]:
    return np.vstack([times, signal.astype(np.float64)])


def warnings_of(recording: Recording) -> str:
    return "\n".join(recording.source.warnings)


# ---------------------------------------------------------------- CSV


def test_a_csv_that_says_everything_is_read_without_a_warning() -> None:
    signal = twelve_leads()
    recording = read_csv("folder/ward 7.csv", csv_bytes(signal), Stated())
    np.testing.assert_array_equal(recording.signal, signal)
    assert recording.leads == LEADS
    assert recording.sampling_rate == RATE
    assert recording.record_id == "ward 7"
    assert recording.source.format == "CSV"
    assert recording.source.warnings == ()


def test_leads_in_another_order_go_to_their_own_rows_and_it_is_said() -> None:
    signal = twelve_leads()
    order = [11, 0, 5, 1, 2, 3, 4, 6, 7, 8, 9, 10]
    heading = ",".join(LEADS[i] for i in order)
    recording = read_csv("a.csv", csv_bytes(signal[order], heading=heading), Stated())
    np.testing.assert_array_equal(recording.signal, signal)
    assert "unusual order" in warnings_of(recording)


def test_units_in_the_heading_are_applied_lead_by_lead() -> None:
    signal = twelve_leads()
    stored = signal.astype(np.float64) * np.array([1.0, 1000.0] * 6)[:, None]
    heading = ",".join(
        f"{lead} [mV]" if i % 2 == 0 else f"{lead} (µV)" for i, lead in enumerate(LEADS)
    )
    data = csv_bytes(stored, heading=heading, comments="# fs = 500 Hz\n")
    recording = read_csv("a.csv", data, Stated())
    np.testing.assert_allclose(recording.signal, signal, atol=1e-6)
    assert "different units: mV, uV" in warnings_of(recording)


@pytest.mark.parametrize(("unit", "scale"), [("uV", 1000), ("V", 0.001), ("mv", 1), ("nV", 1e6)])
def test_a_stated_unit_is_applied(unit: str, scale: float) -> None:
    signal = twelve_leads()
    data = csv_bytes(signal, comments="", scale=scale)
    recording = read_csv("a.csv", data, Stated(RATE, unit))
    np.testing.assert_allclose(recording.signal, signal, rtol=1e-5, atol=1e-6)


def test_nothing_is_guessed() -> None:
    with pytest.raises(UnstatedError, match="--sampling-rate"):
        read_csv("a.csv", csv_bytes(twelve_leads(), comments="# unit: mV\n"), Stated())
    with pytest.raises(UnstatedError, match="--unit"):
        read_csv("a.csv", csv_bytes(twelve_leads(), comments="# fs: 500\n"), Stated())


def test_the_user_cannot_overrule_the_file() -> None:
    data = csv_bytes(twelve_leads())
    assert read_csv("a.csv", data, Stated(500, "mV")).sampling_rate == RATE
    with pytest.raises(RecordingError, match="250 Hz for a file that says 500 Hz"):
        read_csv("a.csv", data, Stated(250, "mV"))
    with pytest.raises(RecordingError, match="unit of uV for a file that says mV"):
        read_csv("a.csv", data, Stated(500, "uV"))


def test_the_file_cannot_contradict_itself() -> None:
    signal = twelve_leads()
    heading = ",".join(f"{lead} [uV]" for lead in LEADS)
    with pytest.raises(RecordingError, match="mV in a comment and uV in the heading"):
        read_csv("a.csv", csv_bytes(signal, heading=heading), Stated())
    comments = "# unit: mV\n# fs: 500\n# sampling_rate: 250\n"
    with pytest.raises(RecordingError, match="'500' and also '250'"):
        read_csv("a.csv", csv_bytes(signal, comments=comments), Stated())


def test_microvolts_called_millivolts_are_refused() -> None:
    with pytest.raises(RecordingError, match="correct the unit"):
        read_csv("a.csv", csv_bytes(twelve_leads(), scale=1000), Stated())


def test_a_hundred_times_too_much_is_refused() -> None:
    with pytest.raises(RecordingError, match="half the leads span"):
        read_csv("a.csv", csv_bytes(twelve_leads(), scale=100), Stated())


def test_one_lead_at_a_rail_is_said_not_refused() -> None:
    signal = twelve_leads()
    signal[8, 300:600] = -80
    recording = read_csv("a.csv", csv_bytes(signal), Stated())
    assert "Lead V3 spans 80.1 mV" in warnings_of(recording)


def test_millivolts_called_microvolts_are_said() -> None:
    data = csv_bytes(twelve_leads(), comments="# fs: 500\n# unit: uV\n")
    assert "the unit may be wrong" in warnings_of(read_csv("a.csv", data, Stated()))


@pytest.mark.parametrize(
    ("heading", "step"), [("time [s]", 0.002), ("t (ms)", 2.0), ("time_ms", 2.0), ("Time", 0.002)]
)
def test_the_rate_comes_from_a_time_column(heading: str, step: float) -> None:
    signal = twelve_leads()
    table = with_time(signal, np.arange(1000) * step)
    data = csv_bytes(table, heading=f"{heading},{','.join(LEADS)}", comments="# unit: mV\n")
    recording = read_csv("a.csv", data, Stated())
    assert recording.sampling_rate == RATE
    np.testing.assert_array_equal(recording.signal, signal)


def test_times_rounded_to_milliseconds_give_the_true_rate() -> None:
    times = np.round(np.arange(1000) / 360, 3)
    data = csv_bytes(
        with_time(twelve_leads(), times),
        heading=f"time [s],{','.join(LEADS)}",
        comments="# unit: mV\n",
    )
    assert read_csv("a.csv", data, Stated()).sampling_rate == 360


def test_a_missing_row_in_the_times_is_refused() -> None:
    for gap in (1, 500, 998):
        table = np.delete(with_time(twelve_leads(), np.arange(1000) / RATE), gap, axis=1)
        data = csv_bytes(table, heading=f"time [s],{','.join(LEADS)}", comments="# unit: mV\n")
        with pytest.raises(RecordingError, match="not regular"):
            read_csv("a.csv", data, Stated())


def test_times_that_count_samples_state_no_rate() -> None:
    table = with_time(twelve_leads(), np.arange(1000.0))
    data = csv_bytes(table, heading=f"time,{','.join(LEADS)}", comments="# unit: mV\n")
    with pytest.raises(UnstatedError):
        read_csv("a.csv", data, Stated())
    assert "counts samples" in warnings_of(read_csv("a.csv", data, Stated(sampling_rate=500)))


def test_times_and_a_stated_rate_must_agree() -> None:
    table = with_time(twelve_leads(), np.arange(1000) / RATE)
    data = csv_bytes(
        table, heading=f"time [s],{','.join(LEADS)}", comments="# unit: mV\n# fs: 250\n"
    )
    with pytest.raises(RecordingError, match="stated rate of 250 Hz and times 2 ms apart"):
        read_csv("a.csv", data, Stated())


@pytest.mark.parametrize(
    ("delimiter", "decimal"), [(";", ","), ("\t", ","), (";", "."), ("\t", ".")]
)
def test_other_delimiters_and_decimal_commas(delimiter: str, decimal: str) -> None:
    signal = twelve_leads()
    data = csv_bytes(signal, heading=delimiter.join(LEADS), delimiter=delimiter, decimal=decimal)
    np.testing.assert_array_equal(read_csv("a.csv", data, Stated()).signal, signal)


def test_decimal_points_and_commas_in_one_file_are_refused() -> None:
    data = csv_bytes(twelve_leads(), heading=";".join(LEADS), delimiter=";", decimal=",")
    broken = data.replace(b"0,", b"1.0,", 1)
    with pytest.raises(RecordingError, match="decimal points and decimal commas"):
        read_csv("a.csv", broken, Stated())


def test_byte_order_marks_quotes_and_windows_line_ends() -> None:
    signal = twelve_leads()
    text = csv_bytes(signal, heading=",".join(f'"{lead}"' for lead in LEADS)).decode()
    for data in (
        b"\xef\xbb\xbf" + text.encode(),
        text.encode("utf-16"),
        text.replace("\n", "\r\n").encode(),
        (text + "\n\n").encode(),
    ):
        np.testing.assert_array_equal(read_csv("a.csv", data, Stated()).signal, signal)


def test_empty_cells_are_missing_samples_and_said() -> None:
    data = csv_bytes(twelve_leads()).decode().splitlines()
    cells = data[50].split(",")
    cells[4], cells[5] = "", "NaN"
    data[50] = ",".join(cells)
    recording = read_csv("a.csv", "\n".join(data).encode(), Stated())
    assert np.isnan(recording.signal).sum() == 2
    assert np.isnan(recording.lead("aVL")[47])
    assert "Lead aVL: 1 of 1000 samples are missing" in warnings_of(recording)


def test_who_it_is_may_stand_in_comments() -> None:
    comments = (
        "# record_id: 17-b\n# patient_id: P9\n# age: 61\n# sex: Female\n# unit: mV\n# fs: 500\n"
    )
    recording = read_csv("a.csv", csv_bytes(twelve_leads(), comments=comments), Stated())
    assert recording.record_id == "17-b"
    assert recording.patient.patient_id == "P9"
    assert (recording.patient.age, recording.patient.sex) == (61, "F")


@pytest.mark.parametrize("age", ["1e999", "-3", "200"])
def test_an_age_that_is_none_is_refused(age: str) -> None:
    data = csv_bytes(twelve_leads(), comments=f"# age: {age}\n# unit: mV\n# fs: 500\n")
    with pytest.raises(RecordingError, match="an age of"):
        read_csv("a.csv", data, Stated())


def test_a_text_of_too_many_cells_is_refused_before_it_is_read() -> None:
    data = b"# fs: 500\n# unit: mV\nI,II\n" + b"0.1,0.2\n" * 2_100_000
    with pytest.raises(RecordingError, match="about 4200000 cells"):
        read_csv("a.csv", data, Stated())


def test_an_index_column_is_left_out_if_it_counts() -> None:
    signal = twelve_leads()
    heading = f",{','.join(LEADS)}"
    good = csv_bytes(with_time(signal, np.arange(1000.0)), heading=heading)
    np.testing.assert_array_equal(read_csv("a.csv", good, Stated()).signal, signal)
    bad = csv_bytes(with_time(signal, np.arange(1000.0) * 3), heading=heading)
    with pytest.raises(RecordingError, match="does not count the samples"):
        read_csv("a.csv", bad, Stated())


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (",V6\n", ",V5\n", "lead V5 is there 2 times"),
        (",V6\n", ",pressure\n", "lead name 'pressure'"),
        (",V6\n", "\n", "12 cells"),
        (",V6\n", ",V6 [mmHg]\n", "unit 'mmHg'"),
        ("# unit: mV", "# unit: parsec", "unit 'parsec'"),
        ("# sampling_rate: 500", "# sampling_rate: 5OO", "'5OO'"),
        ("# sampling_rate: 500", "# sampling_rate: 1_000", "'1_000'"),
        ("# sampling_rate: 500", "# sampling_rate: -500", "-500 Hz"),
        ("# sampling_rate: 500", "# sampling_rate: 5", "5 Hz"),
        ("# sampling_rate: 500", "# sampling_rate: 0", "rate 0 Hz"),
        ("# sampling_rate: 500", "# sampling_rate: nan", "'nan'"),
        ("\n0.", "\nO.", "holds 'O."),
        ("\n0.", "\n1_0.", "holds '1_0."),
        ("\n0.", "\n\n0.", "after an empty line"),
        ("\n0.", "\n1e999,0.", "cells"),
    ],
)
def test_what_is_no_such_table_is_refused(old: str, new: str, message: str) -> None:
    data = csv_bytes(twelve_leads()).decode()
    place = data.find(old, 400 if old == "\n0." else 0)
    assert place >= 0
    broken = data[:place] + new + data[place + len(old) :]
    with pytest.raises(RecordingError, match=message):
        read_csv("a.csv", broken.encode(), Stated())


@pytest.mark.parametrize(
    ("value", "message"),
    [("1e999", "infinite"), ("-1e300", "infinite"), ("3e38", "3e[+]38 mV"), ("1001", "1001 mV")],
)
def test_values_without_end_are_refused(value: str, message: str) -> None:
    lines = csv_bytes(twelve_leads()).decode().splitlines()
    lines[20] = value + lines[20][lines[20].index(",") :]
    with pytest.raises(RecordingError, match=message):
        read_csv("a.csv", "\n".join(lines).encode(), Stated())


@pytest.mark.parametrize("last", ["1e999", "1e308", "nan", "", "0", "-5"])
def test_times_that_make_no_sense_are_refused(last: str) -> None:
    table = with_time(twelve_leads(), np.arange(1000) / RATE)
    data = csv_bytes(table, heading=f"time,{','.join(LEADS)}", comments="# unit: mV\n").decode()
    lines = data.splitlines()
    lines[-1] = last + lines[-1][lines[-1].index(",") :]
    with pytest.raises(RecordingError, match="time column"):
        read_csv("a.csv", "\n".join(lines).encode(), Stated())


def test_a_table_without_names_is_refused(ecg_data: Path) -> None:
    data = (ecg_data / "vendor" / "scp" / "0000050.ECG.csv").read_bytes()
    with pytest.raises(RecordingError, match=r"holds numbers .* and no names"):
        read_csv("0000050.ECG.csv", data, ALL_STATED)


def test_other_texts_are_refused() -> None:
    for data in (b"", b"\n\n", b"# fs: 500\n", b"I,II\n", b"a\x00b", b"I" * 3000, b'"I,II\n1,2'):
        with pytest.raises(RecordingError):
            read_csv("a.csv", data, ALL_STATED)


def test_exchanged_limb_leads_are_refused() -> None:
    heading = ",".join(LEADS).replace("aVR,aVL", "aVL,aVR")
    with pytest.raises(RecordingError, match="leads I and II say"):
        read_csv("a.csv", csv_bytes(twelve_leads(), heading=heading), Stated())


def test_damaged_csv_raises_nothing_but_recording_errors() -> None:
    rng = random.Random(4)
    data = csv_bytes(twelve_leads(100))
    refused = 0
    for _ in range(300):
        mutant = bytearray(data)
        for _ in range(rng.choice((1, 3, 20))):
            mutant[rng.randrange(len(mutant))] = rng.randrange(256)
        try:
            read_csv("mutant.csv", bytes(mutant), Stated())
        except RecordingError:
            refused += 1
    assert refused > 150


# ---------------------------------------------------------------- NPZ


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
