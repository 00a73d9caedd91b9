"""Labels leave in four forms without identifiers, and come in from two."""

from __future__ import annotations

import ast
import csv
import io

import pytest

from ecgcore.review.exchange import FORMS, export, read_labels
from ecgcore.review.snapshots import Snapshot, SnapshotRow
from ecgcore.review.store import KnownRecording
from ecgcore.review.values import ReviewError
from tests.review.conftest import HASHES

PLANTED = tuple(f"Patient{number}-Müller" for number in range(20))
KNOWN = tuple(
    KnownRecording(f"{number:064x}", f"rec_{number:03}_hr", f"{number + 900:064x}")
    for number in range(20)
)


def _snapshot() -> Snapshot:
    rows = [
        SnapshotRow(HASHES[0], "a" * 64, 3, "confirmed", ("NORM", "SR"), ("NORM", "SR"), (1,)),
        SnapshotRow(HASHES[1], "a" * 64, 3, "changed", ("AFIB",), ("SR",), (2,)),
        SnapshotRow(HASHES[2], "b" * 64, 5, "left out", (), ("SR",), (3, 4)),
        SnapshotRow(HASHES[3], "c" * 64, 9, "on file", (), (), ()),
    ]
    return Snapshot("f" * 64, {"label_set": "statements"}, tuple(rows))


def _rows(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode())))


def test_csv_tells_every_recording() -> None:
    rows = _rows(export(_snapshot(), "csv"))
    assert [row["status"] for row in rows] == ["confirmed", "changed", "left out", "on file"]
    assert [row["patient"] for row in rows] == ["1", "1", "2", "3"]
    assert rows[0]["codes"] == "NORM SR"


def test_ptbxl_form_has_its_columns_and_dictionaries() -> None:
    rows = _rows(export(_snapshot(), "ptbxl"))
    assert len(rows) == 3
    assert ast.literal_eval(rows[0]["scp_codes"]) == {"NORM": 100.0, "SR": 100.0}
    assert [row["strat_fold"] for row in rows] == ["3", "3", "9"]
    assert [row["validated_by_human"] for row in rows] == ["True", "True", "False"]


def test_wfdb_comments_can_be_read_as_a_headers() -> None:
    from ecgcore.readers.wfdb_comments import patient_and_statements

    blocks = export(_snapshot(), "wfdb").decode().split("@ ")[1:]
    assert len(blocks) == 3
    lines = [line[1:].strip() for line in blocks[1].splitlines() if line.startswith("#")]
    _, statements = patient_and_statements(lines)
    assert [(one.code, one.system) for one in statements] == [("164889003", "SNOMED CT")]


def test_cleanlab_issues_are_where_what_holds_is_not_what_was_on_file() -> None:
    rows = _rows(export(_snapshot(), "cleanlab"))
    assert [row["is_label_issue"] for row in rows] == ["False", "True"]


@pytest.mark.parametrize("form", FORMS)
def test_no_identifier_leaves_unless_asked(form: str) -> None:
    rows = [
        SnapshotRow(one.hash, one.patient, 1, "changed", ("AFIB",), ("SR",), (1,)) for one in KNOWN
    ]
    snapshot = Snapshot("f" * 64, {"label_set": "statements"}, tuple(rows))
    names = dict(zip((one.hash for one in KNOWN), PLANTED, strict=True))
    without = export(snapshot, form).decode()  # type: ignore[arg-type]
    assert not [name for name in PLANTED if name in without]
    assert not [one.patient for one in KNOWN if one.patient in without]
    asked = export(snapshot, form, names).decode()  # type: ignore[arg-type]
    assert all(name in asked for name in PLANTED)


def test_an_unknown_form_is_refused() -> None:
    with pytest.raises(ReviewError, match="allowed: csv, ptbxl, wfdb, cleanlab"):
        export(_snapshot(), "xml")  # type: ignore[arg-type]


def test_our_own_table_comes_back() -> None:
    known = [KnownRecording(one, one[-3:], one) for one in HASHES]
    found = read_labels(export(_snapshot(), "csv"), known, "table.csv")
    assert [one.codes for one in found] == [("NORM", "SR"), ("AFIB",), ()]
    assert HASHES[2] not in {one.recording for one in found}, "left out is not: no statement"
    assert {one.origin for one in found} == {"table.csv"}


def test_ptbxls_table_is_matched_by_file_name() -> None:
    head = "ecg_id,scp_codes,filename_hr\n"
    text = head + "3,\"{'NORM': 100.0, 'SR': 0.0}\",records500/00000/rec_003_hr\n"
    (found,) = read_labels(text.encode(), KNOWN, "ptbxl_database.csv")
    assert (found.recording, found.codes) == (KNOWN[3].hash, ("NORM", "SR"))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a,b\n1,2\n", "it takes recording or name and codes"),
        ("", "none"),
        ("name,codes\nnobody,NORM\n", "line 2: no recordings named 'nobody'"),
        ("filename_hr,scp_codes\nrec_001_hr,__import__('os')\n", "is no dictionary"),
        ("filename_hr,scp_codes\nrec_001_hr," + "(" * 500 + "\n", "is no dictionary"),
        ("name,codes\n\udcff", "no table of text"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused_whole(text: str, sentence: str) -> None:
    with pytest.raises(ReviewError, match=sentence):
        read_labels(text.encode("utf-8", "surrogateescape"), KNOWN, "labels.csv")


def test_a_name_that_two_recordings_have_is_refused() -> None:
    twins = [*KNOWN, KnownRecording("e" * 64, "rec_001_hr", "e" * 64)]
    with pytest.raises(ReviewError, match="2 recordings named 'rec_001_hr'"):
        read_labels(b"name,codes\nrec_001_hr,NORM\n", twins, "labels.csv")
