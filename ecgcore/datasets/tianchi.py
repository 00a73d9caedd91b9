"""Tianchi Hefei Hi-tech Cup rounds 1 and 2: 8 leads of 10 s at 500 Hz as text, 4.88 uV a unit.

Layout: a label table ``hf_round1_label.txt`` (tab separated: file name, age, sex, then any number
of labels in Chinese) and a folder of ``1.txt`` ... each with a first line of the 8 lead names and
5000 lines of whole numbers. III, aVR, aVL, aVF follow from I and II. The round 1 list has 55
labels, the round 2 list 34, all of them among the 55. No patient is named, so a split cannot keep
people together; a signal that is given twice is found by its hash when a set is packed.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Literal

import numpy as np

from ecgcore.datasets.containers import recording_of
from ecgcore.datasets.record import (
    DataLabel,
    DataSet,
    DataSetError,
    IndexEntry,
    Skipped,
    age_of,
    one_of_each,
)
from ecgcore.labels import mapped_codes
from ecgcore.readers.local_files import read_file
from ecgcore.recording import Patient, Recording, RecordingError, Sex, complete_limb_leads

LEADS_STORED = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")
MILLIVOLTS_PER_UNIT = 4.88e-3
SAMPLING_RATE = 500.0
_SAMPLES = 5000
_SEX: dict[str, Sex] = {"MALE": "M", "FEMALE": "F"}


def open_tianchi(folder: Path, round_: Literal[1, 2] = 1) -> DataSet:
    """One round: its label table and its ``.txt`` below ``folder``. Raises DataSetError."""
    tables = sorted(folder.rglob(f"hf_round{round_}_label.txt"))
    if not tables:
        raise DataSetError(f"no hf_round{round_}_label.txt in {folder}; name the unpacked round")
    members = {
        path.name: path.relative_to(folder).as_posix()
        for path in sorted(folder.rglob("*.txt"))
        if path.parent != tables[0].parent or path.stem.isdigit()
    }
    try:
        lines = tables[0].read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataSetError(f"{tables[0]} cannot be read: {error}") from error
    known = set(mapped_codes("Tianchi"))
    entries, skipped = [], []
    for line in filter(str.strip, lines):
        name, *rest = (cell.strip() for cell in line.split("\t"))
        labels = [cell for cell in rest[2:] if cell]
        strange = [label for label in labels if label not in known]
        if len(rest) < 2 or strange:
            told = f"label {strange[0]!r} is on no list" if strange else "line without age and sex"
            skipped.append(Skipped(name[:60], told))
            continue
        entries.append(
            IndexEntry(
                record_id=Path(name).stem,
                member=members.get(name, name),
                origin=f"tianchi{round_}",
                labels=tuple(DataLabel(code, "Tianchi", f"round {round_}") for code in labels),
                patient=Patient(None, age_of(rest[0]), _SEX.get(rest[1].upper())),
            )
        )
    kept, repeated = one_of_each(entries)

    def read(entry: IndexEntry) -> Recording:
        return read_text(folder, entry.member)

    return DataSet(f"tianchi{round_}", kept, (*skipped, *repeated), read)


def read_text(folder: Path, member: str) -> Recording:
    """One sample as twelve leads in mV. Raises RecordingError."""
    content = read_file(str(folder / Path(member).parent), Path(member).name)
    header, _, body = content.partition(b"\n")
    names = tuple(header.decode("ascii", "replace").split())
    try:
        values = np.array(body.split(), dtype=np.int64)
    except (ValueError, OverflowError) as error:
        raise _damaged(member, f"something that is no whole number ({error})") from error
    if names != LEADS_STORED or values.size != _SAMPLES * len(LEADS_STORED):
        raise _damaged(member, f"leads {' '.join(names)[:60]} and {values.size} numbers")
    signal = values.reshape(_SAMPLES, -1).T * MILLIVOLTS_PER_UNIT
    recording = recording_of(
        Path(member).stem,
        signal,
        sampling_rate=SAMPLING_RATE,
        form="Tianchi text",
        content=hashlib.sha256(content).digest(),
        leads=LEADS_STORED,
        name=member,
    )
    return complete_limb_leads(recording)


def _damaged(member: str, found: str) -> RecordingError:
    return RecordingError(
        f"{member} holds {found}",
        f"a line {' '.join(LEADS_STORED)} and {_SAMPLES} lines of 8 whole numbers",
        "copy the file again",
    )
