"""What cleanlab found comes in as evidence: its real tables, hostile ones, who and when."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine

from ecgcore.review import connection as review_connection
from ecgcore.review.connection import sqlite_url
from ecgcore.review.exchange import export
from ecgcore.review.imported_issues import Issue, imported_issues, keep_issues, read_issues
from ecgcore.review.people import Forbidden
from ecgcore.review.snapshots import Snapshot, SnapshotRow
from ecgcore.review.store import KnownRecording, ReviewStore
from ecgcore.review.values import ReviewError
from tests.review.conftest import HASHES

KNOWN = tuple(KnownRecording(one, f"rec{at}", one) for at, one in enumerate(HASHES))
HEAD = ",is_label_issue,label_score,given_label,predicted_label\n"


def test_cleanlearnings_own_table_is_read() -> None:
    from cleanlab.classification import CleanLearning

    labels = np.array([0, 0, 0, 1, 1, 1, 1])
    told = np.array([[0.9, 0.1]] * 3 + [[0.1, 0.9]] * 3 + [[0.97, 0.03]])
    cleaning = CleanLearning(
        find_label_issues_kwargs={"n_jobs": 1, "min_examples_per_class": 1, "filter_by": "both"}
    )
    issues = cleaning.find_label_issues(labels=labels, pred_probs=told)
    issues.index = pd.Index([one.name for one in KNOWN])
    found = read_issues(issues.to_csv().encode(), KNOWN, "issues.csv")
    assert found.unknown == ()
    assert len(found.issues) == 7
    last = found.issues[-1]
    assert (last.recording, last.is_issue) == (HASHES[6], True)
    assert last.score == pytest.approx(0.03)
    assert (last.given, last.predicted) == (("1",), ("0",))


def test_several_labels_a_recording_are_lists() -> None:
    text = HEAD + f"{HASHES[2]},True,0.25,\"['AFIB', 'LVH']\",\"[3, 4]\"\nrec1,False,1.0,[],[]\n"
    found = read_issues(text.encode(), KNOWN, "issues.csv")
    assert found.issues == (
        Issue(HASHES[2], True, 0.25, ("AFIB", "LVH"), ("3", "4")),
        Issue(HASHES[1], False, 1.0, (), ()),
    )


def test_our_own_export_comes_back() -> None:
    row = SnapshotRow(HASHES[1], "a" * 64, 3, "changed", ("AFIB",), ("SR",), (2,))
    snapshot = Snapshot("f" * 64, {"label_set": "statements"}, (row,))
    (found,) = read_issues(export(snapshot, "cleanlab"), KNOWN, "ours.csv").issues
    assert found == Issue(HASHES[1], True, None, ("SR",), ("AFIB",))


def test_rows_of_unknown_recordings_are_left_out_counted_and_named() -> None:
    text = HEAD + "rec0,False,0.9,SR,SR\n" + "".join(f"x{n},True,0.1,SR,AF\n" for n in range(7))
    found = read_issues(text.encode(), KNOWN, "issues.csv")
    assert [one.recording for one in found.issues] == [HASHES[0]]
    assert found.warning is not None
    assert "7 rows name no recording" in found.warning
    assert "'x0'" in found.warning and "and 2 more" in found.warning


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a,b\n1,2\n", "it takes is_label_issue"),
        ("", "it takes is_label_issue"),
        (HEAD, "it takes is_label_issue"),
        (HEAD + "0,True,0.1,SR,AF\n1,True,0.1,SR,AF\n", "recordings' names or hashes as its index"),
        (HEAD + "rec0,True,nan,SR,AF\n", "line 2: label_score 'nan'; allowed"),
        (HEAD + "rec0,True,inf,SR,AF\n", "label_score 'inf'"),
        (HEAD + "rec0,True,-0.1,SR,AF\n", "label_score '-0.1'"),
        (HEAD + "rec0,True,,SR,AF\n", "label_score ''"),
        (HEAD + "rec0,True\n", "label_score None"),
        (HEAD + "rec0,maybe,0.1,SR,AF\n", "is_label_issue 'maybe'; allowed: True, False"),
        (HEAD + "rec0,True,0.1,SR,AF\nrec0,True,0.2,SR,AF\n", "line 3: the recording of line 2"),
        (HEAD + f"rec0,True,0.1,{'x' * 99},AF\n", "a label of 99 characters; at most 60"),
        (HEAD + "rec0,True,0.1,[__import__('os')],AF\n", "is no list"),
        (HEAD + "rec0,True,0.1," + "[" * 500 + ",AF\n", "is no list"),
        ("name,codes\n\udcff", "no table of text"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused_whole(text: str, sentence: str) -> None:
    with pytest.raises(ReviewError, match=sentence):
        read_issues(text.encode("utf-8", "surrogateescape"), KNOWN, "issues.csv")


def test_they_are_kept_with_who_and_when_the_last_one_counts_and_the_same_is_not_repeated(
    store: ReviewStore,
) -> None:
    first = Issue(HASHES[0], True, 0.03, ("SR",), ("AFIB",))
    assert keep_issues(store, "ann", [first], "issues.csv") == 1
    assert keep_issues(store, "bob", [first], "other.csv") == 0
    (kept,) = imported_issues(store, "x").values()
    assert kept.sentence.startswith(
        "cleanlab: score 0.03, a label issue, predicted AFIB instead of SR (imported from "
        "issues.csv by ann, 20"
    )
    newer = Issue(HASHES[0], False, 0.8, ("SR",), ("SR",))
    assert keep_issues(store, "bob", [newer], "other.csv") == 1
    assert imported_issues(store, "x")[HASHES[0]].issue == newer
    assert store.reviews("x") == (), "it decides nothing"
    assert store.filed("x") == {}
    with pytest.raises(ReviewError, match="not in the store"):
        keep_issues(store, "ann", [Issue("e" * 64, True, 0.1, (), ())], "issues.csv")


def test_who_may_not_bring_labels_in_may_not_bring_issues(store: ReviewStore) -> None:
    store.grant("ann", "zoe", "adjudicator")
    with pytest.raises(Forbidden, match="zoe is adjudicator"):
        keep_issues(store, "zoe", [Issue(HASHES[0], True, 0.1, (), ())], "issues.csv")
    assert imported_issues(store, "ann") == {}


def test_a_store_of_the_first_version_is_brought_up_with_what_it_holds(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path / "old.db")
    engine = create_engine(url)
    config = Config()
    folder = Path(review_connection.__file__).with_name("migrations")
    config.set_main_option("script_location", str(folder))
    config.set_main_option("path_separator", "os")
    with engine.begin() as opened:
        config.attributes["connection"] = opened
        command.upgrade(config, "0001")
        opened.exec_driver_sql(
            f"INSERT INTO recordings VALUES ('{HASHES[0]}', 'old', '{HASHES[0]}', 1, 't')"
        )
    engine.dispose()
    store = ReviewStore(url)
    assert [one.name for one in store.recordings("x").values()] == ["old"]
    assert keep_issues(store, "x", [Issue(HASHES[0], True, 0.1, (), ())], "t.csv") == 1
    store.database.engine.dispose()
