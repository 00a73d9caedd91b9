"""The criteria against the labels on file: sensitivity, specificity, PPV with counts, set by set.

Measures every recording once and applies both sets of criteria. "undecided" are recordings where a
criterion gave no answer: a voltage rule on LUDB, whose gains are false, or a rule that is not
applied in a bundle branch block; they count neither way. Labels are what people wrote, by other
criteria and not always right: ``--show-false N`` lists N a criterion to be looked at.

    python benchmarks/rules.py [--data FOLDER] [--method network] [--keep FILE] [--show-false N]
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.rules_labels import labelled
from ecgcore.readers.opening import read_path
from ecgcore.recording import Patient, Recording, Source
from ecgcore.rules.applying import apply_rules
from ecgcore.rules.criteria import CRITERIA_SETS, criteria_set
from ecgcore.rules.finding import Finding
from ecgcore.signal.delineation import DEFAULT_METHOD, METHODS, delineate
from ecgcore.signal.measured import Measurements, Value
from ecgcore.signal.measurements import measure

SETS = ("ludb", "ptbxl_raw500", "ptbxl_raw100", "cinc2021")


@dataclass
class Count:
    """Answers of one criterion on one data set."""

    found: int = 0
    missed: int = 0
    false: int = 0
    silent: int = 0
    undecided: int = 0
    shown: list[str] = field(default_factory=list)

    def add(self, label: bool, finding: Finding, record: str, labels: str) -> None:
        """One recording."""
        if finding.fired is None:
            self.undecided += 1
        elif finding.fired:
            self.found, self.false = self.found + label, self.false + (not label)
        else:
            self.missed, self.silent = self.missed + label, self.silent + (not label)
        if finding.fired is not None and finding.fired != label:
            kind = "false" if finding.fired else "missed"
            self.shown.append(f"{kind:6} {record:12} {finding.comparison}   [{labels}]")

    def row(self) -> str:
        """Counts and percentages."""
        positives, fired = self.found + self.missed, self.found + self.false
        parts = [
            _percent(self.found, positives),
            _percent(self.silent, self.silent + self.false),
            _percent(self.found, fired),
        ]
        return f"{'  '.join(parts)}  {self.undecided:4d}"


def _percent(part: int, whole: int) -> str:
    share = f"{100 * part / whole:4.0f}%" if whole else "   - "
    return f"{share} {part:3d}/{whole:<3d}"


def rows(data: Path) -> list[dict[str, str]]:
    """Records of the four sets with their labels."""
    with (data / "records.csv").open(encoding="utf-8", newline="") as table:
        return [row for row in csv.DictReader(table) if row["set"] in SETS]


def recordings(data: Path, wanted: list[dict[str, str]]) -> Iterator[tuple[str, Recording]]:
    """Each wanted record, with the name that ``records.csv`` gives it."""
    with np.load(data / "ptbxl_raw100" / "ptbxl_raw100.npz") as packed:
        pack = {f"{int(one):05d}_lr": at for at, one in enumerate(packed["ecg_id"])}
        signals, leads = packed["X"] * packed["scale"], [str(one) for one in packed["leads"]]
        rate = float(packed["fs"])
    headers = {(name, path.stem): path for name in SETS for path in (data / name).rglob("*.hea")}
    for row in wanted:
        name = row["record"]
        if row["set"] == "ptbxl_raw100":
            signal = signals[pack[name]].T.astype(np.float32)
            source = Source("packed", "0" * 64)
            yield name, Recording.from_leads(name, signal, leads, rate, source)
        elif (row["set"], name) in headers:
            yield name, read_path(headers[row["set"], name])
        else:
            print(f"{row['set']} {name} is not there", file=sys.stderr)


def _patient(row: dict[str, str]) -> Patient:
    age = float(row["age"]) if row["age"] not in ("", "nan") else None
    return Patient(row["record"], age, {"M": "M", "F": "F"}.get(row["sex"]))  # type: ignore[arg-type]


def _stored(values: Measurements) -> dict[str, Any]:
    return asdict(values)


def _restored(stored: dict[str, Any]) -> Measurements:
    def values(table: dict[str, Any]) -> dict[str, Value]:
        return {name: Value(**value) for name, value in table.items()}

    leads = {lead: values(table) for lead, table in stored["leads"].items()}
    return Measurements(values(stored["overall"]), leads, tuple(stored["warnings"]))


def measured(
    data: Path, wanted: list[dict[str, str]], method: str, keep: Path | None
) -> dict[str, Measurements]:
    """Measurements by record; read from ``keep`` if it is there, written to it otherwise."""
    if keep is not None and keep.exists():
        stored = json.loads(keep.read_text(encoding="utf-8"))
        return {name: _restored(one) for name, one in stored.items()}
    found = {}
    for name, recording in recordings(data, wanted):
        found[name] = measure(recording, delineate(recording, method))  # type: ignore[arg-type]
        if len(found) % 50 == 0:
            print(f"measured {len(found)} of {len(wanted)}", file=sys.stderr)
    if keep is not None:
        text = json.dumps({name: _stored(one) for name, one in found.items()})
        keep.write_text(text, encoding="utf-8")
    return found


def count(
    wanted: list[dict[str, str]], values: dict[str, Measurements], name: str
) -> dict[str, dict[str, Count]]:
    """Counts by criterion, then by data set and "all"."""
    counts: dict[str, dict[str, Count]] = {}
    for row in wanted:
        if row["record"] not in values:
            continue
        for finding in apply_rules(values[row["record"]], _patient(row), criteria_set(name)):
            label = labelled(finding.criterion, row["label_system"], row["labels"])
            if label is None:
                continue
            by_set = counts.setdefault(finding.criterion, {})
            for part in (row["set"], "all"):
                one = by_set.setdefault(part, Count())
                one.add(label, finding, row["record"], row["labels"])
    return counts


def _print(criterion: str, by_set: dict[str, Count], show: int) -> None:
    """One block: the sets, all of them together, then the false ones to look at."""
    parts = [part for part in (*SETS, "all") if part in by_set]
    for part in parts:
        name = criterion if part == parts[0] else ""
        print(f"  {name:38} {part:13} {by_set[part].row()}")
    for line in by_set["all"].shown[:show] if show else ():
        print(f"      {line}")


def main() -> None:
    """Measure, apply, count, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    default = Path(os.environ.get("ECG_DATA", "../shared/data"))
    parser.add_argument("--data", type=Path, default=default, help="folder of development data")
    parser.add_argument("--method", choices=METHODS, default=DEFAULT_METHOD)
    parser.add_argument("--keep", type=Path, help="JSON file of measurements, read or written")
    parser.add_argument("--show-false", type=int, default=0, metavar="N")
    parser.add_argument("--criterion", help="only this one")
    options = parser.parse_args()
    wanted = rows(options.data)
    values = measured(options.data, wanted, options.method, options.keep)
    counted = {name: count(wanted, values, name) for name in CRITERIA_SETS}
    print(f"{len(values)} recordings, {options.method}; 'all' is the four sets together")
    for name, counts in counted.items():
        print(f"\n{name:41}{'':13} sensitivity    specificity    PPV            undecided")
        for criterion, by_set in counts.items():
            if options.criterion in (None, criterion):
                _print(criterion, by_set, options.show_false)


if __name__ == "__main__":
    main()
