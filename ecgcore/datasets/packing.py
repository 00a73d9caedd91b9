"""From a data set to one packed file, conditioned by ``prepare``, the road that the app takes.

``prepare`` with a model rate equal to the stored rate gives the conditioned signal itself; packed
data then go through the last part of the same function (``PackedData.inputs``). What ``prepare``
refuses (short, gaps, flat) is listed as skipped. Where it is asked, HRNN's printed rules are
measured on each raw recording, as prediction measures them: 0.13 s for 10 s at 500 Hz on one core,
where everything else takes some milliseconds.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, cast, get_args

import numpy as np
from numpy.typing import NDArray

from ecgcore.datasets.ludb_statements import statement_of_words
from ecgcore.datasets.pack_file import PackWriter
from ecgcore.datasets.packed_aside import Answers, aside_fields, rule_answers
from ecgcore.datasets.record import DataLabel, DataSet, DatasetRecord, Skipped
from ecgcore.datasets.splits import LeakError, Member, Split, assign_folds, check_folds
from ecgcore.labels import CodeSystem, LabelSetName, in_set, label_set, map_code, mapped_codes
from ecgcore.models.aside import PAPER_RULES
from ecgcore.models.input_spec import Conditioning, InputSpec, prepare
from ecgcore.recording import LEADS, Patient, RecordingError

SCALE = 0.001
LABEL_SETS: tuple[LabelSetName, ...] = get_args(LabelSetName)


@dataclass(frozen=True)
class PackOptions:
    """Leads, length in seconds and conditioning of a packed file; whether it tells the answers of
    HRNN's rules."""

    leads: tuple[str, ...] = LEADS
    seconds: float = 10.0
    conditioning: Conditioning = field(default_factory=Conditioning)
    rules: bool = False

    @property
    def spec(self) -> InputSpec:
        """The model input whose rate is the stored rate."""
        rate = self.conditioning.stored_rate
        return InputSpec(self.leads, rate, self.seconds, self.conditioning)


@dataclass(frozen=True)
class Packed:
    """What became of a data set: records written, members left out, labels without a statement,
    and in how many records each rule was decided (empty where none was measured)."""

    records: int
    skipped: tuple[Skipped, ...]
    unmapped: dict[str, int]
    decided: dict[str, int]


@dataclass
class _Columns:
    """What the header says record by record."""

    members: list[Member] = field(default_factory=list)
    folds: list[int | None] = field(default_factory=list)
    labels: list[list[dict[str, Any]]] = field(default_factory=list)
    targets: dict[str, list[list[int]]] = field(
        default_factory=lambda: {name: [] for name in LABEL_SETS}
    )
    unmapped: Counter[str] = field(default_factory=Counter)
    patients: list[Patient] = field(default_factory=list)
    answers: list[Answers] = field(default_factory=list)

    @property
    def decided(self) -> dict[str, int]:
        """In how many records each rule was decided; empty where none was measured."""
        if not self.answers:
            return {}
        return {
            label: sum(answers[at] is not None for answers in self.answers)
            for at, label in enumerate(PAPER_RULES)
        }


def stored_counts(record: DatasetRecord, spec: InputSpec) -> NDArray[np.int16]:
    """One record as it is packed, (leads, samples). Raises RecordingError where it is unfit."""
    values = np.round(prepare(record.recording, spec).values / SCALE)
    return np.clip(values, -32767, 32767).astype(np.int16)


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


def pack(data: DataSet, path: Path, options: PackOptions | None = None) -> Packed:
    """Write ``path``. Raises LeakError where folds part a patient, ValueError for no record."""
    options = options or PackOptions()
    spec, columns = options.spec, _Columns()
    skipped: list[Skipped] = []
    seen: dict[str, str] = {}
    codes = {name: [label.code for label in label_set(name)] for name in LABEL_SETS}
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=path.parent) as samples:
        writer = PackWriter(samples, (len(spec.leads), spec.samples))
        for record in data.records():
            if isinstance(record, Skipped):
                skipped.append(record)
                continue
            name, digest = record.recording.record_id, _content(record)
            if digest in seen:
                skipped.append(Skipped(name, f"the same signal as {seen[digest]}"))
                continue
            try:
                counts = stored_counts(record, spec)
                if options.rules:
                    columns.answers.append(rule_answers(record.recording))
                writer.add(counts)
            except RecordingError as error:
                skipped.append(Skipped(name, str(error)))
                continue
            seen[digest] = name
            _note(columns, record, codes)
        if not writer.records:
            raise ValueError(f"{data.name} gave no record that can be packed")
        writer.finish(path, _header(data.name, options, columns, codes, skipped))
    return Packed(writer.records, tuple(skipped), dict(columns.unmapped), columns.decided)


def _content(record: DatasetRecord) -> str:
    """A hash of the signal alone: a copy under another name or header is the same recording."""
    recording = record.recording
    start = f"{recording.sampling_rate} {recording.leads}".encode()
    return hashlib.sha256(start + recording.signal.tobytes()).hexdigest()


def _note(columns: _Columns, record: DatasetRecord, codes: dict[LabelSetName, list[str]]) -> None:
    recording = record.recording
    found, unmapped = statements_of(record.labels)
    columns.members.append(
        Member(recording.record_id, record.origin, record.patient.patient_id, _content(record))
    )
    columns.folds.append(record.fold)
    columns.patients.append(recording.patient)
    columns.labels.append([asdict(label) for label in record.labels])
    columns.unmapped.update(f"{label.system} {label.code}" for label in unmapped)
    for name in LABEL_SETS:
        counted = {in_set(statement, name) for statement in found} - {None}
        columns.targets[name].append([at for at, code in enumerate(codes[name]) if code in counted])


def _header(
    name: str,
    options: PackOptions,
    columns: _Columns,
    codes: dict[LabelSetName, list[str]],
    skipped: list[Skipped],
) -> dict[str, Any]:
    members = columns.members
    given = [fold for fold in columns.folds if fold is not None]
    if given and len(given) != len(members):
        raise LeakError(f"{name} gives folds for {len(given)} of {len(members)} records")
    folds = given or list(assign_folds(members))
    check_folds(members, folds)
    return {
        "name": name,
        "scale": SCALE,
        "sampling_rate": options.conditioning.stored_rate,
        "leads": list(options.leads),
        "conditioning": asdict(options.conditioning),
        "codes": codes,
        "targets": columns.targets,
        "record_ids": [member.record_id for member in members],
        "patient_ids": [member.patient_id for member in members],
        "origins": [member.origin for member in members],
        "folds": folds,
        "split": _split_of(bool(given), members),
        "labels": columns.labels,
        **aside_fields(columns.patients, columns.answers if options.rules else None),
        "unmapped": dict(columns.unmapped),
        "skipped": [asdict(one) for one in skipped],
    }


def _split_of(published: bool, members: list[Member]) -> Split:
    if published:
        return "published"
    return "by patient" if all(member.patient_id for member in members) else "by record"
