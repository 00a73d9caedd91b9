"""Labels in other programs' forms: our own table, PTB-XL's, WFDB comments, cleanlab's issues.

What leaves the store names recordings by the hash of their content and patients by a number, unless
identifiers are asked for: then the recordings' names too. Comments and reviewers' names never
leave.
"""

from __future__ import annotations

import ast
import csv
import io
import json
from collections.abc import Iterable, Mapping
from typing import Literal, get_args

from ecgcore import DISCLAIMER
from ecgcore.labels import map_code, mapped_codes
from ecgcore.review.named_rows import RecordingNames, table_rows
from ecgcore.review.snapshots import Snapshot, SnapshotRow
from ecgcore.review.store import FiledLabels, KnownRecording
from ecgcore.review.values import ReviewError

Form = Literal["csv", "ptbxl", "wfdb", "cleanlab"]
FORMS: tuple[Form, ...] = get_args(Form)
_HEADER = ("recording", "patient", "fold", "status", "codes", "filed")
_PTBXL = (
    "ecg_id", "patient_id", "age", "sex", "report", "scp_codes", "validated_by",
    "validated_by_human", "strat_fold", "filename_lr", "filename_hr",
)  # fmt: skip


def export(snapshot: Snapshot, form: Form, names: Mapping[str, str] | None = None) -> bytes:
    """A snapshot as one file in UTF-8. ``names`` are the recordings' names by hash, where
    identifiers are wanted. Raises ReviewError for an unknown form."""
    makers = {"csv": _csv, "ptbxl": _ptbxl, "wfdb": _wfdb, "cleanlab": _cleanlab}
    if form not in makers:
        raise ReviewError(f"form {form!r}; allowed: {', '.join(FORMS)}")
    return makers[form](snapshot, names or {}).encode()


def _written(header: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()


def _patients(snapshot: Snapshot) -> dict[str, int]:
    """A number for each patient, in the order in which they come."""
    found: dict[str, int] = {}
    for row in snapshot.rows:
        found.setdefault(row.patient, len(found) + 1)
    return found


def _csv(snapshot: Snapshot, names: Mapping[str, str]) -> str:
    patients = _patients(snapshot)
    return _written(
        (*_HEADER, "name") if names else _HEADER,
        (
            (row.recording, patients[row.patient], row.fold, row.status, " ".join(row.codes),
             "" if row.filed is None else " ".join(row.filed),
             *((names.get(row.recording, ""),) if names else ()))
            for row in snapshot.rows
        ),
    )  # fmt: skip


def _ptbxl(snapshot: Snapshot, names: Mapping[str, str]) -> str:
    """The columns of ``ptbxl_database.csv`` that labels and folds need; ages, sexes and texts are
    left empty. What is left out of training is left out here."""
    patients = _patients(snapshot)
    kept = [row for row in snapshot.rows if row.status != "left out"]
    return _written(
        _PTBXL,
        (
            (number, patients[row.patient], "", "", "", str(dict.fromkeys(row.codes, 100.0)), "",
             row.status != "on file", row.fold, "", names.get(row.recording, row.recording))
            for number, row in enumerate(kept, start=1)
        ),
    )  # fmt: skip


def _wfdb(snapshot: Snapshot, names: Mapping[str, str]) -> str:
    """Comment lines for each recording's header, after a line that names it: SNOMED CT codes as
    the challenges write them (``# Dx:``), and all labels in SCP-ECG's own codes."""
    parts = [f"# {DISCLAIMER}."]
    for row in snapshot.rows:
        if row.status == "left out":
            continue
        parts.append(f"@ {names.get(row.recording, row.recording)}")
        parts.append(f"# Dx: {','.join(_snomed(row)) or 'Unknown'}")
        parts.append(f"# SCP-ECG: {','.join(row.codes) or 'none'} ({row.status})")
    return "\n".join(parts) + "\n"


def _snomed(row: SnapshotRow) -> list[str]:
    known = mapped_codes("SCP-ECG")
    exact = [
        mapped.code
        for code in row.codes
        if code in known
        for mapped in map_code(code, "SCP-ECG", "SNOMED CT")
        if mapped.match == "exact"
    ]
    return list(dict.fromkeys(exact))


def _cleanlab(snapshot: Snapshot, names: Mapping[str, str]) -> str:
    """The columns of cleanlab's label issues for the recordings that people decided about: an
    issue is where what holds is not what was on file."""
    decided = [
        row for row in snapshot.rows
        if row.filed is not None and row.status in ("confirmed", "changed", "adjudicated")
    ]  # fmt: skip
    return _written(
        ("index", "is_label_issue", "given_label", "predicted_label"),
        (
            (names.get(row.recording, row.recording), set(row.codes) != set(row.filed or ()),
             json.dumps(row.filed), json.dumps(row.codes))
            for row in decided
        ),
    )  # fmt: skip


def read_labels(
    data: bytes, known: Iterable[KnownRecording], origin: str
) -> tuple[FiledLabels, ...]:
    """Labels on file from a table: ours (``recording`` or ``name``, and ``codes``), or PTB-XL's
    (``filename_hr`` or ``filename_lr``, and ``scp_codes``; a statement of likelihood 0 is unknown
    there, not absent, and counts). A row that our own table says is left out tells no labels.

    Raises ReviewError for a table of another kind, a name that several recordings have, or one
    that none has: then nothing is taken.
    """
    rows = table_rows(data, origin)
    columns = set(rows[0]) if rows else set()
    places = [one for one in ("recording", "name", "filename_hr", "filename_lr") if one in columns]
    if not places or not columns & {"codes", "scp_codes"}:
        raise ReviewError(
            f"{origin} has the columns {', '.join(sorted(str(c) for c in columns))[:200] or 'none'}"
            "; it takes recording or name and codes, or PTB-XL's filename_hr and scp_codes"
        )
    names = RecordingNames(known)
    found = []
    for number, row in enumerate(rows, start=2):
        if row.get("status") == "left out":
            continue
        where = f"{origin}, line {number}"
        told = next((row[place] for place in places if row[place]), "")
        found.append(FiledLabels(names.only(told, where), _codes(row, where), origin))
    return tuple(found)


def _codes(row: Mapping[str, str], where: str) -> tuple[str, ...]:
    if row.get("codes") is not None:
        return tuple(row["codes"].replace(",", " ").replace(";", " ").split())
    try:
        stated = ast.literal_eval(row.get("scp_codes") or "{}")
        return tuple(str(code) for code in dict(stated))
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError) as error:
        raise ReviewError(
            f"{where}: scp_codes {str(row.get('scp_codes'))[:60]!r} is no dictionary of statements"
        ) from error
