"""Patient, statements and date from WFDB headers."""

from __future__ import annotations

from datetime import datetime

import pytest

from ecgcore.readers.wfdb_comments import patient_and_statements, recorded_at
from ecgcore.recording import Patient, Statement


def test_challenge_comments():
    patient, statements = patient_and_statements(
        ["Age: 61", "Sex: Female", "Dx: 426783006,164889003", "Rx: Unknown"]
    )
    assert patient == Patient(age=61.0, sex="F")
    assert statements == (
        Statement("426783006", "SNOMED CT"),
        Statement("164889003", "SNOMED CT"),
    )


def test_scp_comments_with_and_without_likelihood():
    _, statements = patient_and_statements(["SCP: NORM:80;SR", "Superclass: NORM"])
    assert statements == (Statement("NORM", "SCP-ECG", 80.0), Statement("SR", "SCP-ECG"))


def test_ludb_comments():
    patient, statements = patient_and_statements(
        ["<age>: 71", "<sex>: M", "<diagnoses>:", "Rhythm: Sinus rhythm.", "Scar: septal. "]
    )
    assert patient == Patient(age=71.0, sex="M")
    assert statements == (
        Statement("Rhythm: Sinus rhythm", "text"),
        Statement("Scar: septal", "text"),
    )


@pytest.mark.parametrize(
    "age", ["-1", "nan", "NaN", "300", "Unknown", "", ">89", "5 months", "1e1"]
)
def test_an_age_that_stands_for_something_else_is_none(age: str):
    assert patient_and_statements([f"Age: {age}"])[0].age is None


@pytest.mark.parametrize("sex", ["Unknown", "", "0", "Mal"])
def test_sex_is_never_guessed(sex: str):
    assert patient_and_statements([f"Sex: {sex}"])[0].sex is None


def test_dates():
    assert recorded_at("08:15:13 01/02/1997") == (datetime(1997, 2, 1, 8, 15, 13), ())
    assert recorded_at("08:15:13.5 1/12/1997")[0] == datetime(1997, 12, 1, 8, 15, 13, 500_000)
    assert recorded_at("08:15:13") == (None, ())
    assert recorded_at("") == (None, ())


def test_the_odd_order_is_read_with_a_warning():
    when, (warning,) = recorded_at("12-May-2020 12:33:59")
    assert when == datetime(2020, 5, 12, 12, 33, 59)
    assert "date before the time" in warning


@pytest.mark.parametrize(
    "started",
    ["25:00:00 01/02/1997", "08:15:13 31/02/1997", "08:15:13 01/02/97", "12-Mai-2020 12:33:59",
     "08:15:13 01021997", "yesterday", "08:15:13 01/02/1597", "08:15:13 1/2/3/1997"],
)  # fmt: skip
def test_a_malformed_date_is_a_warning(started: str):
    when, warnings = recorded_at(started)
    assert when is None and "not a date" in warnings[0]
