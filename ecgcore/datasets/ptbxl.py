"""PTB-XL: 21,799 records of 10 s at 100 and 500 Hz with SCP-ECG statements and ten folds.

Wagner et al., PTB-XL, a large publicly available electrocardiography dataset, Scientific Data
2020;7:154, version 1.0.3. Layout: ``ptbxl_database.csv`` (one row a record: ``scp_codes`` is a
Python dictionary of statement and likelihood), ``scp_statements.csv``, ``records100/00000/
00001_lr.hea`` and ``records500/00000/00001_hr.hea``. Folds keep patients together; 9 and 10 are
read by people.

ICBEB2018 as Strodthoff et al. (IEEE JBHI 2021) laid CPSC2018 out for their benchmark is the same
with ``icbeb_database.csv`` and ``records100/1.hea``; its row gives no patient.
"""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Literal

from ecgcore.datasets.record import (
    DataLabel,
    DataSet,
    DataSetError,
    IndexEntry,
    Skipped,
    age_of,
    identifier,
    number,
    one_of_each,
    read_table,
)
from ecgcore.labels import statements
from ecgcore.readers.opening import read_path
from ecgcore.recording import Patient, Recording, Sex

Rate = Literal[100, 500]

_NEEDED = ("ecg_id", "age", "sex", "scp_codes", "strat_fold")
_PTBXL_SEX: dict[str, Sex] = {"0": "M", "1": "F"}
_ICBEB_NAMES = {"VPC": "PVC"}
"""The benchmark's spelling of a statement that SCP-ECG calls otherwise."""


def open_ptbxl(folder: Path, rate: Rate = 500) -> DataSet:
    """PTB-XL in its published folder at 100 or 500 Hz. Raises DataSetError."""
    column = "filename_hr" if rate == 500 else "filename_lr"
    table = folder / "ptbxl_database.csv"
    rows = read_table(table, (*_NEEDED, "patient_id", column))
    members = [f"{row[column]}.hea" for row in rows]
    return _open("ptbxl", folder, rows, members, "PTB-XL 1.0.3")


def open_icbeb_benchmark(folder: Path, rate: Rate = 500) -> DataSet:
    """ICBEB2018 in the PTB-XL benchmark's layout. Raises DataSetError."""
    rows = read_table(folder / "icbeb_database.csv", _NEEDED)
    members = [f"records{rate}/{identifier(row['ecg_id'])}.hea" for row in rows]
    return _open("icbeb2018", folder, rows, members, "ICBEB2018 benchmark")


def _open(
    name: str, folder: Path, rows: list[dict[str, str]], members: list[str], version: str
) -> DataSet:
    entries, skipped = [], []
    for row, member in zip(rows, members, strict=True):
        try:
            entries.append(_entry(name, row, member, version))
        except DataSetError as error:
            skipped.append(Skipped(member, str(error)))
    kept, repeated = one_of_each(entries)

    def read(entry: IndexEntry) -> Recording:
        return read_path(folder / entry.member)

    return DataSet(name, kept, (*skipped, *repeated), read)


def _entry(name: str, row: dict[str, str], member: str, version: str) -> IndexEntry:
    record, fold = identifier(row["ecg_id"]), number(row["strat_fold"])
    if record is None or fold is None or not 1 <= fold <= 10:
        raise DataSetError(
            f"row with ecg_id {row['ecg_id']!r} and strat_fold {row['strat_fold']!r}; "
            "expected an identifier and a fold 1 to 10"
        )
    sex = row["sex"].strip().removesuffix(".0")
    return IndexEntry(
        record_id=record,
        member=member,
        origin=name,
        labels=scp_labels(row["scp_codes"], version),
        patient=Patient(
            identifier(row.get("patient_id", "")),
            age_of(row["age"]),
            _PTBXL_SEX.get(sex) if name == "ptbxl" else _sex_in_words(sex),
        ),
        fold=int(fold),
    )


def _sex_in_words(text: str) -> Sex | None:
    """M or F from "Male", "female"; the benchmark's file holds them as CPSC2018 wrote them."""
    letter = text[:1].upper()
    return "M" if letter == "M" else "F" if letter == "F" else None


def scp_labels(text: str, version: str) -> tuple[DataLabel, ...]:
    """Labels from ``{'NORM': 100.0, 'SR': 0.0}``. Raises DataSetError for anything else.

    Likelihood 0 means "not stated" in PTB-XL: the statement holds all the same.
    """
    try:
        codes = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError) as error:
        raise DataSetError(f"scp_codes {text[:60]!r} is no dictionary of statements") from error
    known = {label.code for label in statements()}
    if not isinstance(codes, dict):
        raise DataSetError(f"scp_codes {text[:60]!r} is no dictionary of statements")
    named = {_ICBEB_NAMES.get(str(code), str(code)): share for code, share in codes.items()}
    unknown = [code for code in named if code not in known]
    if unknown or any(not isinstance(share, (int, float)) for share in named.values()):
        raise DataSetError(
            f"scp_codes {text[:60]!r}; expected statements of scp_statements.csv with a likelihood"
        )
    return tuple(
        DataLabel(code, "SCP-ECG", version, float(share) if share else None)
        for code, share in named.items()
    )
