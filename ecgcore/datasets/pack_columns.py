"""What a pack file's header says, gathered record by record, and how a record is kept meanwhile."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any, cast, get_args

from ecgcore.datasets.ludb_statements import statement_of_words
from ecgcore.datasets.packed_aside import Answers, aside_fields
from ecgcore.datasets.record import DataLabel, DatasetRecord, Skipped
from ecgcore.datasets.splits import LeakError, Member, Split, assign_folds, check_folds
from ecgcore.labels import CodeSystem, LabelSetName, in_set, label_set, map_code, mapped_codes
from ecgcore.models.aside import PAPER_RULES
from ecgcore.recording import Patient

LABEL_SETS: tuple[LabelSetName, ...] = get_args(LabelSetName)


@dataclass(frozen=True)
class Noted:
    """All of a packed record but its samples; ``content`` is the hash of its signal."""

    member: Member
    fold: int | None
    labels: tuple[DataLabel, ...]
    patient: Patient
    answers: Answers | None

    def to_json(self) -> dict[str, Any]:
        """A JSON object that ``noted_from_json`` reads."""
        return asdict(self)


def noted(record: DatasetRecord, answers: Answers | None) -> Noted:
    """What is kept of a record; ``answers`` are those of HRNN's rules, None where not asked for."""
    name, patient = record.recording.record_id, record.patient.patient_id
    member = Member(name, record.origin, patient, content_of(record))
    return Noted(member, record.fold, record.labels, record.recording.patient, answers)


def noted_from_json(value: dict[str, Any]) -> Noted:
    """Read one. Raises TypeError or KeyError for what is none."""
    labels = tuple(
        DataLabel(**(one | {"modifiers": tuple(one["modifiers"])})) for one in value["labels"]
    )
    return Noted(
        Member(**value["member"]),
        value["fold"],
        labels,
        Patient(**value["patient"]),
        value["answers"],
    )


def content_of(record: DatasetRecord) -> str:
    """A hash of the signal alone: a copy under another name or header is the same recording."""
    recording = record.recording
    start = f"{recording.sampling_rate} {recording.leads}".encode()
    return hashlib.sha256(start + recording.signal.tobytes()).hexdigest()


def statements_of(labels: Iterable[DataLabel]) -> tuple[frozenset[str], tuple[DataLabel, ...]]:
    """The SCP-ECG statements that labels mean exactly, and the labels that mean none."""
    found: set[str] = set()
    left: list[DataLabel] = []
    for label in labels:
        mapped: set[str] = set()
        if label.system == "text":
            mapped = {statement_of_words(label.code) or ""} - {""}
        elif label.system in get_args(CodeSystem):
            system = cast(CodeSystem, label.system)
            if label.code in mapped_codes(system):
                mapped = {
                    one.code
                    for one in map_code(label.code, system, "SCP-ECG")
                    if one.match == "exact"
                }
        found |= mapped
        if not mapped:
            left.append(label)
    return frozenset(found), tuple(left)


def codes_of_sets() -> dict[LabelSetName, list[str]]:
    """The codes of every label set, in their order."""
    return {name: [label.code for label in label_set(name)] for name in LABEL_SETS}


@dataclass
class Columns:
    """What the header says record by record."""

    codes: dict[LabelSetName, list[str]] = field(default_factory=codes_of_sets)
    members: list[Member] = field(default_factory=list)
    folds: list[int | None] = field(default_factory=list)
    labels: list[list[dict[str, Any]]] = field(default_factory=list)
    targets: dict[str, list[list[int]]] = field(
        default_factory=lambda: {name: [] for name in LABEL_SETS}
    )
    unmapped: Counter[str] = field(default_factory=Counter)
    patients: list[Patient] = field(default_factory=list)
    answers: list[Answers] = field(default_factory=list)

    def add(self, one: Noted) -> None:
        """One record more."""
        found, unmapped = statements_of(one.labels)
        self.members.append(one.member)
        self.folds.append(one.fold)
        self.patients.append(one.patient)
        self.labels.append([asdict(label) for label in one.labels])
        self.unmapped.update(f"{label.system} {label.code}" for label in unmapped)
        if one.answers is not None:
            self.answers.append(one.answers)
        for name, codes in self.codes.items():
            counted = {in_set(statement, name) for statement in found} - {None}
            columns = [at for at, code in enumerate(codes) if code in counted]
            self.targets[name].append(columns)

    @property
    def decided(self) -> dict[str, int]:
        """In how many records each rule was decided; empty where none was measured."""
        if not self.answers:
            return {}
        return {
            label: sum(answers[at] is not None for answers in self.answers)
            for at, label in enumerate(PAPER_RULES)
        }

    def header(self, name: str, skipped: list[Skipped]) -> dict[str, Any]:
        """The header's fields of the records. Raises LeakError where folds part a patient."""
        given = [fold for fold in self.folds if fold is not None]
        if given and len(given) != len(self.members):
            raise LeakError(f"{name} gives folds for {len(given)} of {len(self.members)} records")
        folds = given or list(assign_folds(self.members))
        check_folds(self.members, folds)
        return {
            "codes": self.codes,
            "targets": self.targets,
            "record_ids": [member.record_id for member in self.members],
            "patient_ids": [member.patient_id for member in self.members],
            "origins": [member.origin for member in self.members],
            "folds": folds,
            "split": _split_of(bool(given), self.members),
            "labels": self.labels,
            **aside_fields(self.patients, self.answers or None),
            "unmapped": dict(self.unmapped),
            "skipped": [asdict(one) for one in skipped],
        }


def _split_of(published: bool, members: list[Member]) -> Split:
    if published:
        return "published"
    return "by patient" if all(member.patient_id for member in members) else "by record"
