"""Labels and label sets.

The statements are PTB-XL's 71 SCP-ECG statements with its diagnostic superclasses (Wagner et al.,
PTB-XL, Scientific Data 2020;7:154; table CC BY 4.0, in assets/labels/scp_statements.csv).
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

LabelSetName = Literal["statements", "superclasses"]

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


def label_set(name: str) -> tuple[Label, ...]:
    """The labels of a set; ValueError lists the known sets."""
    if name == "statements":
        return statements()
    if name == "superclasses":
        return SUPERCLASSES
    raise ValueError(f"unknown label set {name!r}; known: statements, superclasses")
