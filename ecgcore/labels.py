"""Labels and label sets.

The statements are PTB-XL's 71 SCP-ECG statements with its diagnostic superclasses (Wagner et al.,
PTB-XL, Scientific Data 2020;7:154; table CC BY 4.0, in assets/labels/scp_statements.csv).

Between code systems ``mappings.csv`` says what is what. Each row is one concept; ``=`` marks the
code that means just that, ``<`` a code that is broader, an empty cell that the system has no code
for it. Sources: PTB-XL's own table (SCP-ECG to AHA), the challenge's SNOMED CT list (Reyna et al.
2021), the AHA/ACC/HRS statements (Mason et al., Circulation 2007;115:1325), Tianchi's lists of 55
and 34 labels (their names in Chinese; the paper that introduces HRNN prints them in English, one
of them, supraventricular premature beats, as ventricular), the labels of CPSC2018 and CODE-15%.
Where a published mapping equates a narrower with a broader thing, the row says broader.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

LabelSetName = Literal["statements", "superclasses", "subclasses", "form", "rhythm"]
CodeSystem = Literal["SCP-ECG", "SNOMED CT", "AHA", "Tianchi", "CPSC2018", "CODE"]
Match = Literal["exact", "broader"]

ASSETS = Path(__file__).resolve().parent.parent / "assets"


@dataclass(frozen=True)
class Label:
    """One thing a model can say; ``code`` is unique within its set only (NORM is in both)."""

    code: str
    description: str
    set: LabelSetName


SUPERCLASSES: tuple[Label, ...] = (
    Label("NORM", "normal ECG", "superclasses"),
    Label("MI", "myocardial infarction", "superclasses"),
    Label("STTC", "ST/T change", "superclasses"),
    Label("CD", "conduction disturbance", "superclasses"),
    Label("HYP", "hypertrophy", "superclasses"),
)


@cache
def statements() -> tuple[Label, ...]:
    """The 71 SCP-ECG statements, sorted by code."""
    with (ASSETS / "labels" / "scp_statements.csv").open(encoding="utf-8", newline="") as table:
        return tuple(
            Label(row["code"], row["description"], "statements") for row in csv.DictReader(table)
        )


@cache
def _statement_rows() -> tuple[dict[str, str], ...]:
    with (ASSETS / "labels" / "scp_statements.csv").open(encoding="utf-8", newline="") as table:
        return tuple(csv.DictReader(table))


@cache
def subclasses() -> tuple[Label, ...]:
    """The diagnostic subclasses of PTB-XL's table, sorted: 23 codes.

    The publication counts 24; its table of version 1.0.3 names 23.
    """
    names = {row["subclass"] for row in _statement_rows() if row["diagnostic"] == "1"}
    described = {label.code: label.description for label in (*statements(), *SUPERCLASSES)}
    return tuple(
        Label(name, described.get(name, _SUBCLASS_NAMES.get(name, name)), "subclasses")
        for name in sorted(names)
    )


_SUBCLASS_NAMES = {
    "ISCA": "ischemic in anterior leads",
    "ISCI": "ischemic in inferior leads",
    "LAFB/LPFB": "left anterior or posterior fascicular block",
    "_AVB": "AV block",
}


@cache
def _statements_of(kind: Literal["form", "rhythm"]) -> tuple[Label, ...]:
    return tuple(
        Label(row["code"], row["description"], kind)
        for row in _statement_rows()
        if row[kind] == "1"
    )


def in_set(statement: str, name: LabelSetName) -> str | None:
    """What an SCP-ECG statement counts as in a set (AFIB in "rhythm": AFIB; IMI in "superclasses":
    MI), or None where it says nothing there. KeyError for an unknown statement."""
    row = {row["code"]: row for row in _statement_rows()}[statement]
    if name in ("superclasses", "subclasses"):
        column = "superclass" if name == "superclasses" else "subclass"
        return row[column] if row["diagnostic"] == "1" else None
    return statement if name == "statements" or row[name] == "1" else None


def label_set(name: str) -> tuple[Label, ...]:
    """The labels of a set; ValueError lists the known sets."""
    if name == "statements":
        return statements()
    if name == "superclasses":
        return SUPERCLASSES
    if name == "subclasses":
        return subclasses()
    if name == "form":
        return _statements_of("form")
    if name == "rhythm":
        return _statements_of("rhythm")
    raise ValueError(
        f"unknown label set {name!r}; known: statements, superclasses, subclasses, form, rhythm"
    )


def label_set_names(names: str) -> tuple[LabelSetName, ...]:
    """The sets of "statements+superclasses", in order. ValueError for an unknown one or one twice.

    A code may stand in two of them (NORM does): a label is told by its set and its code.
    """
    chosen = names.split("+")
    labels = {name: label_set(name) for name in chosen}
    if len(labels) != len(chosen):
        raise ValueError(f"label set {names!r} names a set twice; name each once")
    return tuple(of_set[0].set for of_set in labels.values())


def labels_of(names: str) -> tuple[Label, ...]:
    """The labels of one set, or of several joined by "+"; ValueError as ``label_set_names``."""
    return tuple(label for name in label_set_names(names) for label in label_set(name))


@dataclass(frozen=True)
class Mapped:
    """A code of another system for the same thing ("exact") or for something wider ("broader")."""

    code: str
    match: Match


_COLUMNS: dict[CodeSystem, str] = {
    "SCP-ECG": "scp",
    "SNOMED CT": "snomed",
    "AHA": "aha",
    "Tianchi": "tianchi",
    "CPSC2018": "cpsc2018",
    "CODE": "code15",
}


@cache
def _mapping_rows() -> tuple[dict[str, str], ...]:
    with (ASSETS / "labels" / "mappings.csv").open(encoding="utf-8", newline="") as table:
        return tuple(csv.DictReader(table))


@cache
def mapped_codes(system: CodeSystem) -> dict[str, int]:
    """Every code of a system in the table, with its row."""
    column = _COLUMNS[system]
    return {
        cell[1:]: row
        for row, values in enumerate(_mapping_rows())
        for cell in values[column].split()
        if cell.startswith("=")
    }


def map_code(code: str, source: CodeSystem, target: CodeSystem) -> tuple[Mapped, ...]:
    """What a code of one system is in another: exact matches first, or else broader ones; empty
    where the other system has no such thing. KeyError for a code that the table lacks."""
    row = mapped_codes(source)[code]
    cells = _mapping_rows()[row][_COLUMNS[target]].split()
    exact = [Mapped(cell[1:], "exact") for cell in cells if cell.startswith("=")]
    return tuple(exact or (Mapped(cell[1:], "broader") for cell in cells))


def concept_of(code: str, system: CodeSystem) -> str:
    """The concept in words. KeyError for a code that the table lacks."""
    return _mapping_rows()[mapped_codes(system)[code]]["concept"]
