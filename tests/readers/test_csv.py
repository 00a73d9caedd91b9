"""CSV tables: read as stated, or refused; nothing is guessed."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from ecgcore.readers.stated import Stated, UnstatedError
from ecgcore.readers.table import read_csv
from ecgcore.recording import LEADS, RecordingError
from tests.readers.tables import ALL_STATED, RATE, csv_bytes, twelve_leads, warnings_of, with_time


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
