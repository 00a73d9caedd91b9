"""What a WFDB header says beside the signals: patient, statements, time of recording.

Three ways of writing comments are understood: the PhysioNet challenges' ``# Age: 61``, ``# Sex:
Male``, ``# Dx: 426783006,164889003`` (SNOMED CT); ``# SCP: NORM;SR`` (the statements of PTB-XL,
SCP-ECG codes); and LUDB's ``#<age>: 71``, ``#<sex>: M``, ``#<diagnoses>:`` with one statement in
words a line. A summary that a data set derived from its statements (``Superclass``) is no statement
of its own and is left out, and so are treatment and history (Rx, Hx, Sx). Ages outside 0 to 120 are
stand-ins (-1, 300 for "over 89", NaN): None.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime

from ecgcore.recording import Patient, Sex, Statement

MAX_AGE_YEARS = 120.0
MAX_STATEMENTS = 100
MAX_STATEMENT_LETTERS = 200

_SEX: dict[str, Sex] = {"male": "M", "m": "M", "female": "F", "f": "F"}
_AGE = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,6})?")
_SNOMED = re.compile(r"[0-9]{6,18}")
_SCP = re.compile(r"([A-Z0-9_/()-]{1,12}?)(?::([0-9]{1,3}(?:\.[0-9]+)?))?", re.IGNORECASE)
_USUAL_START = re.compile(r"[0-9]{1,2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?[ \t]+[0-9/]{8,10}")
_DATE_FIRST = re.compile(r"[0-9]{1,2}-[A-Za-z]{3}-[0-9]{4}[ \t]+[0-9]{1,2}:[0-9]{2}:[0-9]{2}")
_TIME_ONLY = re.compile(r"(?:[0-9]{1,2}:){1,2}[0-9]{1,2}(?:\.[0-9]{1,6})?")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_EARLIEST_YEAR, _LATEST_YEAR = 1900, 2100


def patient_and_statements(comments: Iterable[str]) -> tuple[Patient, tuple[Statement, ...]]:
    """Patient and statements from the header's comments (without their ``#``)."""
    age: float | None = None
    sex: Sex | None = None
    statements: list[Statement] = []
    in_words = False
    for comment in comments:
        key, _, value = comment.partition(":")
        key, value = key.strip(" <>").lower(), value.strip()
        if key == "age":
            age = _age(value)
        elif key == "sex":
            sex = _SEX.get(value.lower())
        elif key == "dx":
            statements += _snomed(value)
        elif key == "scp":
            statements += _scp(value)
        elif key == "diagnoses":
            in_words = True
        elif in_words and comment:
            text = comment.lstrip("# ").rstrip(" .")[:MAX_STATEMENT_LETTERS]
            statements += [Statement(text, "text")] if text else []
    return Patient(age=age, sex=sex), tuple(statements[:MAX_STATEMENTS])


def _age(value: str) -> float | None:
    age = float(value) if _AGE.fullmatch(value) else None
    return age if age is not None and age <= MAX_AGE_YEARS else None


def _snomed(value: str) -> list[Statement]:
    codes = [code.strip() for code in value.split(",")]
    return [Statement(code, "SNOMED CT") for code in codes if _SNOMED.fullmatch(code)]


def _scp(value: str) -> list[Statement]:
    found = [_SCP.fullmatch(code.strip()) for code in re.split("[;,]", value)]
    return [
        Statement(code[1], "SCP-ECG", float(code[2]) if code[2] else None) for code in found if code
    ]


def recorded_at(started: str) -> tuple[datetime | None, tuple[str, ...]]:
    """Date and time from the end of the record line, and warnings.

    The grammar is ``HH:MM:SS DD/MM/YYYY``; a time without a date says nothing and is no date. Real
    files also write ``12-May-2020 12:33:59``: read, because a month in letters is unambiguous, with
    a warning, because other software takes it for 00:00:12 and such files often hold the date of
    their conversion.
    """
    if not started or _TIME_ONLY.fullmatch(started):
        return None, ()
    when = _usual(started) if _USUAL_START.fullmatch(started) else None
    if when is not None:
        return when, ()
    when = _date_first(started) if _DATE_FIRST.fullmatch(started) else None
    if when is not None:
        return when, (
            f"The header writes the date before the time; read as {when:%Y-%m-%d %H:%M:%S}"
            " (often the date of a file conversion).",
        )
    return None, ("The header's recording date is not a date and was left out.",)


def _usual(started: str) -> datetime | None:
    time, date = started.split()
    day, month, year = ([int(part or 0) for part in date.split("/")] + [0, 0, 0])[:3]
    return _moment(year, month, day, time) if date.count("/") == 2 else None


def _date_first(started: str) -> datetime | None:
    date, time = started.split()
    day, month, year = date.split("-")
    if month.lower() not in _MONTHS:
        return None
    return _moment(int(year), _MONTHS.index(month.lower()) + 1, int(day), time)


def _moment(year: int, month: int, day: int, time: str) -> datetime | None:
    hour, minute, second = time.split(":")
    whole, _, part = second.partition(".")
    micro = int(part.ljust(6, "0")) if part else 0
    try:
        when = datetime(year, month, day, int(hour), int(minute), int(whole), micro)
    except ValueError:
        return None
    return when if _EARLIEST_YEAR <= year <= _LATEST_YEAR else None
