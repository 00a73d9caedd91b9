"""What a packed file tells beside the signal: each record's age, sex and answers of HRNN's rules.

An ``.npz`` has ``age`` (years), ``sex`` (0 M, 1 F), ``rules_paper`` and ``classes_rules_paper``. A
pack file's header has ``ages`` (years or null), ``sexes`` ("M", "F" or null) and, where they were
measured, ``rules_paper``: ``labels`` and, a row a record, ``answers`` of 1, 0 or null. Both become
what ``models.aside`` gives of the recording itself; a file from before these were written tells
nothing. Everything here raises ValueError that says what is wrong; the caller names the file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecgcore.models.aside import (
    ASIDE_COLUMNS,
    FEMALE,
    MALE,
    PAPER_RULES,
    SEX_CODES,
    AsideName,
    aside_row,
)
from ecgcore.recording import Patient, Recording, RecordingError

Aside = dict[AsideName, NDArray[np.float32]]
Answers = list[int | None]

_NO_AGE = 1000
"""Years that nobody lives; below it even a stand-in such as PTB-XL's 300 is let through."""


def unknown(name: AsideName, records: int) -> NDArray[np.float32]:
    """NaN (records, columns) where a file does not tell a thing."""
    return np.full((records, len(ASIDE_COLUMNS[name])), np.nan, dtype=np.float32)


def rule_answers(recording: Recording) -> Answers:
    """What prediction would be told of HRNN's rules: 1, 0 or None a rule, as PAPER_RULES.

    Raises RecordingError where they cannot be measured.
    """
    try:
        row = aside_row(recording, ("rules:paper",))
    except RecordingError:
        raise
    except (ValueError, ArithmeticError, LookupError) as error:
        raise RecordingError(
            f"a recording of which the rules cannot be measured ({type(error).__name__}: {error})",
            "one with waves that can be measured",
            "pack without rules, or leave the record out",
        ) from error
    return [int(answer) if np.isfinite(answer) else None for answer in row]


def aside_fields(patients: Sequence[Patient], answers: Sequence[Answers] | None) -> dict[str, Any]:
    """The header's fields; ``answers`` None where no rules were measured."""
    ages = [one.age if _is_age(one.age) else None for one in patients]
    fields: dict[str, Any] = {"ages": ages, "sexes": [one.sex for one in patients]}
    if answers is not None:
        fields["rules_paper"] = {"labels": list(PAPER_RULES), "answers": list(answers)}
    return fields


def aside_of_header(header: Mapping[str, Any], records: int) -> Aside:
    """The aside values of a pack file's records. Raises ValueError."""
    told: Aside = {}
    if "ages" in header:
        ages = _per_record(header["ages"], records, "ages")
        if not all(one is None or _is_age(one) for one in ages):
            raise ValueError("ages that are neither a number of years nor null")
        told["age"] = np.array(ages, dtype=np.float32)[:, None]  # None becomes NaN
    if "sexes" in header:
        sexes = _per_record(header["sexes"], records, "sexes")
        if not all(one is None or one in ("M", "F") for one in sexes):
            raise ValueError("sexes that are neither 'M' nor 'F' nor null")
        codes = [np.nan if one is None else SEX_CODES[one] for one in sexes]
        told["sex"] = np.array(codes, dtype=np.float32)[:, None]
    if "rules_paper" in header:
        told["rules:paper"] = _header_rules(header["rules_paper"], records)
    return told


def _header_rules(given: Mapping[str, Any], records: int) -> NDArray[np.float32]:
    labels = list(given["labels"])
    rows = _per_record(given["answers"], records, "rows of rules_paper")
    if not all(isinstance(row, list) and len(row) == len(labels) for row in rows):
        raise ValueError(f"a row of rules_paper has not one answer for each of {len(labels)} rules")
    if not all(one is None or (type(one) is int and one in (0, 1)) for row in rows for one in row):
        raise ValueError("an answer in rules_paper is not 1, 0 or null")
    return np.array(rows, dtype=np.float32)[:, _rule_order(labels)]


def aside_of_arrays(arrays: Mapping[str, NDArray[np.generic]], records: int) -> Aside:
    """The aside values of an ``.npz`` file's records. A sex that is neither 0 nor 1 is unknown.

    Raises ValueError.
    """
    told: Aside = {}
    for key in ("age", "sex"):
        if key in arrays and arrays[key].shape != (records,):
            raise ValueError(f"{key} is not one number a record")
    if "age" in arrays:
        told["age"] = arrays["age"].astype(np.float32)[:, None]
    if "sex" in arrays:
        sex = arrays["sex"].astype(np.float32)[:, None]
        told["sex"] = np.select([sex == 0, sex == 1], [MALE, FEMALE], np.nan).astype(np.float32)
    if "rules_paper" in arrays:
        labels = [str(label) for label in arrays.get("classes_rules_paper", np.empty(0))]
        answers = arrays["rules_paper"].astype(np.float32)
        known = answers[np.isfinite(answers)]
        if answers.shape != (records, len(PAPER_RULES)) or not np.isin(known, (0, 1)).all():
            raise ValueError(
                f"rules_paper is not a (records, {len(PAPER_RULES)}) table of 0, 1 and NaN with "
                "the columns named in classes_rules_paper"
            )
        told["rules:paper"] = answers[:, _rule_order(labels)]
    return told


def _rule_order(labels: list[str]) -> list[int]:
    """Where each of PAPER_RULES stands among ``labels``. Raises ValueError for other rules."""
    if sorted(labels) != sorted(PAPER_RULES):
        raise ValueError(
            f"rules named in classes_rules_paper or labels: {', '.join(map(str, labels)) or 'none'}"
            f"; expected, each once, {', '.join(PAPER_RULES)}"
        )
    return [labels.index(label) for label in PAPER_RULES]


def _per_record(values: object, records: int, what: str) -> list[Any]:
    if not isinstance(values, list) or len(values) != records:
        given = len(values) if isinstance(values, list) else type(values).__name__
        raise ValueError(f"{given} {what} for {records} records")
    return values


def _is_age(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return 0 <= value < _NO_AGE
