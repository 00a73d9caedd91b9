"""The store keeps every decision, refuses what it must, and can be changed by nobody."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from ecgcore.review.chain import GENESIS
from ecgcore.review.connection import StoreError, sqlite_url
from ecgcore.review.people import LEAST_ROLE, ROLES, Forbidden, may
from ecgcore.review.store import FiledLabels, KnownRecording, ReviewStore
from ecgcore.review.tables import APPEND_ONLY
from ecgcore.review.values import Conflict, Decision, Evidence, ReviewError
from tests.review.conftest import HASHES

ONE = HASHES[0]


def test_a_decision_comes_back_whole(store: ReviewStore) -> None:
    given = Decision(
        ONE, "change", ("AFIB", "IMI"), comment="Vorhofflimmern, 心房細動 $", seconds=12.25,
        evidence=(Evidence("model", "lightbox@abc", {"AFIB": 0.97, "IMI": 1 / 3}),),
    )  # fmt: skip
    kept = store.decide("ann", given)
    (found,) = store.reviews("ann")
    assert found == kept
    assert found.decision == given
    assert (found.number, found.reviewer, found.previous) == (1, "ann", GENESIS)


def test_the_chain_links_all_reviews(store: ReviewStore) -> None:
    first = store.decide("ann", Decision(ONE, "accept", ("NORM",)))
    second = store.decide("bob", Decision(HASHES[1], "reject"))
    assert second.previous == first.hash
    report = store.audit()
    assert (report.intact, report.reviews, report.head) == (True, 2, second.hash)
    assert store.audit(heads=[first.hash]).intact
    assert not store.audit(heads=["f" * 64]).intact


def test_a_second_person_sees_the_first_ones_decision_instead_of_overwriting(
    store: ReviewStore,
) -> None:
    first = store.decide("ann", Decision(ONE, "change", ("AFIB",)))
    with pytest.raises(Conflict, match=r"ann \(change\).*nothing was written") as conflict:
        store.decide("bob", Decision(ONE, "accept", ("NORM",)))
    assert conflict.value.newer == (first,)
    assert len(store.reviews("bob")) == 1
    store.decide("bob", Decision(ONE, "accept", ("NORM",), seen=first.number))
    assert len(store.reviews("bob")) == 2


def test_the_same_person_in_two_windows_is_a_conflict_too(store: ReviewStore) -> None:
    store.decide("ann", Decision(ONE, "unsure"))
    with pytest.raises(Conflict):
        store.decide("ann", Decision(ONE, "reject"))


def test_who_reads_blind_is_not_told_of_others(store: ReviewStore) -> None:
    store.decide("ann", Decision(ONE, "change", ("AFIB",)))
    blind = store.decide("bob", Decision(ONE, "change", ("AFLT",), stage="blind"))
    informed = Decision(ONE, "change", ("AFIB",), stage="informed", seen=blind.number)
    store.decide("bob", replace(informed, revises=blind.number))
    assert [one.decision.codes for one in store.reviews("ann")] == [("AFIB",), ("AFLT",), ("AFIB",)]


def test_only_ones_own_standing_decision_can_be_taken_back(store: ReviewStore) -> None:
    first = store.decide("ann", Decision(ONE, "change", ("AFIB",)))
    withdraw = Decision(ONE, "withdraw", revises=first.number, seen=first.number)
    with pytest.raises(ReviewError, match="only one's own"):
        store.decide("bob", withdraw)
    second = store.decide("ann", withdraw)
    with pytest.raises(ReviewError, match="and once"):
        store.decide("ann", replace(withdraw, seen=second.number))


def test_who_decided_does_not_settle_the_disagreement(store: ReviewStore) -> None:
    first = store.decide("ann", Decision(ONE, "change", ("AFIB",)))
    settle = Decision(ONE, "change", ("AFIB",), stage="adjudication", seen=first.number)
    with pytest.raises(ReviewError, match="a third person"):
        store.decide("ann", settle)
    assert store.decide("cleo", settle).decision.stage == "adjudication"


@pytest.mark.parametrize("table", APPEND_ONLY)
def test_no_row_can_be_changed_or_removed(store: ReviewStore, table: str) -> None:
    store.decide("ann", Decision(ONE, "accept", ("NORM",)))
    store.file_labels("ann", [FiledLabels(ONE, ("NORM",), "file")])
    store.grant("ann", "bob", "reader")
    with store.database.writing() as connection:
        for statement in _ROWS:
            connection.execute(text(statement))
    for change in (f"DELETE FROM {table}", f"UPDATE {table} SET {_COLUMN.get(table)} = 'x'"):
        with (
            pytest.raises(DatabaseError, match="append-only"),
            store.database.writing() as connection,
        ):
            connection.execute(text(change))


_COLUMN = {
    "recordings": "name", "filed": "codes", "reviews": "comment", "assignments": "reviewer",
    "honeypots": "codes", "snapshots": "provenance", "grants": "role",
    "issues": "origin",
}  # fmt: skip
_ROWS = (
    f"INSERT INTO assignments VALUES (1, 'r', '{ONE}', 'statements', 'bob', 'ann', 't')",
    f"INSERT INTO honeypots VALUES (1, '{ONE}', 'statements', '[]', 'ann', 't')",
    f"INSERT INTO issues VALUES (1, '{ONE}', 'cleanlab', 1, 0.1, '[]', '[]', 'f', 'ann', 't')",
    f"INSERT INTO snapshots VALUES (1, '{ONE}', 'statements', '{GENESIS}', '', 'ann', 't')",
)


def test_labels_on_file_are_kept_once_and_replaced_by_newer_ones(store: ReviewStore) -> None:
    assert store.file_labels("ann", [FiledLabels(ONE, ("IMI", "AFIB"), "file")]) == 1
    assert store.file_labels("ann", [FiledLabels(ONE, ("AFIB", "IMI"), "table")]) == 0
    assert store.file_labels("ann", [FiledLabels(ONE, ("NORM",), "table")]) == 1
    assert store.filed("ann")[ONE] == FiledLabels(ONE, ("NORM",), "table")
    with pytest.raises(ReviewError, match="XYZ is no label of statements"):
        store.file_labels("ann", [FiledLabels(ONE, ("XYZ",), "file")])
    with pytest.raises(ReviewError, match="register them first"):
        store.file_labels("ann", [FiledLabels("9" * 64, (), "file")])


def test_recordings_are_known_once_and_a_patients_are_in_one_fold(store: ReviewStore) -> None:
    patient = "ab" * 32
    pair = [KnownRecording(f"{number:064x}", "x", patient) for number in (50, 51)]
    assert store.register("ann", pair) == 2
    assert store.register("ann", pair) == 0
    assert len({store.recordings("ann")[one.hash].fold for one in pair}) == 1
    assert all(1 <= one.fold <= 10 for one in store.recordings("ann").values())


def test_a_store_is_opened_again_as_it_was(store: ReviewStore, url: str) -> None:
    kept = store.decide("ann", Decision(ONE, "accept", ("NORM",)))
    again = ReviewStore(url)
    assert again.reviews("bob") == (kept,)
    again.database.engine.dispose()


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("mysql://x/y", "is no database URL|allowed: SQLite"),
        ("nonsense", "is no database URL"),
        ("sqlite://", "allowed: SQLite in a file"),
        ("postgresql://u:secret@127.0.0.1:1/db", "whose server runs"),
    ],
)
def test_an_unusable_database_is_refused_without_its_password(url: str, sentence: str) -> None:
    with pytest.raises(StoreError, match=sentence) as refusal:
        ReviewStore(url)
    assert "secret" not in str(refusal.value)


def test_a_file_that_is_no_database_is_refused(tmp_path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "review.db"
    path.write_bytes(b"not a database at all, but long enough to be read as one " * 20)
    with pytest.raises(StoreError, match="cannot be opened as a review store"):
        ReviewStore(sqlite_url(path))


@pytest.mark.parametrize(
    ("decision", "sentence"),
    [
        ({"action": "approve"}, "allowed: accept, change"),
        ({"action": "accept", "codes": ("XYZ",)}, "XYZ is no label"),
        ({"action": "reject", "codes": ("NORM",)}, "it takes none"),
        ({"action": "withdraw"}, "say in revises which"),
        ({"action": "accept", "comment": "x" * 5000}, "at most 4000"),
        ({"action": "accept", "comment": "\x00"}, "null characters"),
        ({"action": "accept", "comment": "\ud800"}, "surrogate"),
        ({"action": "accept", "seconds": float("nan")}, "seconds spent"),
        ({"action": "accept", "stage": "later"}, "allowed: open"),
    ],
)
def test_a_decision_that_makes_no_sense_is_refused(decision: dict, sentence: str) -> None:  # type: ignore[type-arg]
    with pytest.raises(ReviewError, match=sentence):
        Decision(ONE, **decision)


def test_an_unknown_recording_is_refused(store: ReviewStore) -> None:
    with pytest.raises(ReviewError, match="register it first"):
        store.decide("ann", Decision("9" * 64, "reject"))


@pytest.mark.parametrize("role", ROLES)
def test_every_deed_takes_its_role(store: ReviewStore, role: str) -> None:
    store.grant("ann", "zoe", role)  # type: ignore[arg-type]
    first = store.decide("ann", Decision(HASHES[2], "reject"))
    deeds = {
        "read": lambda: store.reviews("zoe"),
        "register": lambda: store.register("zoe", [KnownRecording("8" * 64, "x", "8" * 64)]),
        "decide": lambda: store.decide("zoe", Decision(ONE, "reject")),
        "adjudicate": lambda: store.decide(
            "zoe", Decision(HASHES[2], "unsure", stage="adjudication", seen=first.number)
        ),
        "file labels": lambda: store.file_labels("zoe", [FiledLabels(ONE, (), "file")]),
        "grant": lambda: store.grant("zoe", "yan", "reader"),
    }
    for deed, act in deeds.items():
        if may(role, deed):  # type: ignore[arg-type]
            act()
        else:
            with pytest.raises(Forbidden, match=f"zoe is {role}.*{LEAST_ROLE[deed]}"):  # type: ignore[index]
                act()


def test_a_shared_store_lets_an_unknown_name_only_read(tmp_path) -> None:  # type: ignore[no-untyped-def]
    store = ReviewStore(sqlite_url(tmp_path / "review.db"), default_role="reader")
    assert store.reviews("stranger") == ()
    with pytest.raises(Forbidden):
        store.grant("stranger", "stranger", "admin")
    store.database.engine.dispose()


def test_a_database_that_fails_while_it_is_used_is_a_sentence(tmp_path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "review.db"
    store = ReviewStore(sqlite_url(path))
    store.register("ann", [KnownRecording(ONE, "one", ONE)])
    store.decide("ann", Decision(ONE, "reject"))
    store.database.engine.dispose()
    for part in tmp_path.glob("review.db-*"):
        part.unlink()
    whole = path.read_bytes()
    path.write_bytes(whole[:4096] + b"\x00" * (len(whole) - 4096))
    with pytest.raises(StoreError, match="cannot be read or written"):
        store.reviews("ann")
    path.write_bytes(whole)
    assert len(store.reviews("ann")) == 1


def test_a_full_disk_loses_nothing_and_says_so(tmp_path) -> None:  # type: ignore[no-untyped-def]
    store = ReviewStore(sqlite_url(tmp_path / "review.db"))
    store.register("ann", [KnownRecording(ONE, "one", ONE)])
    first = store.decide("ann", Decision(ONE, "reject"))
    with store.database.reading() as connection:
        pages = connection.execute(text("PRAGMA page_count")).scalar()
        connection.execute(text(f"PRAGMA max_page_count = {pages}"))
    with pytest.raises(StoreError, match="is full"):
        for _ in range(200):
            last = store.reviews("ann")[-1].number
            store.decide("ann", Decision(ONE, "unsure", comment="x" * 4000, seen=last))
    assert store.audit().intact
    assert store.reviews("ann")[0] == first
    store.database.engine.dispose()
