"""A snapshot is what held at its moment, never changes, and is refused where it was changed."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from ecgcore.review.people import Forbidden
from ecgcore.review.rows import now
from ecgcore.review.snapshots import Snapshot, differing, read_snapshot, snapshots, take_snapshot
from ecgcore.review.store import FiledLabels, ReviewStore
from ecgcore.review.values import Decision, ReviewError
from tests.review.conftest import HASHES


@pytest.fixture
def filled(store: ReviewStore) -> ReviewStore:
    """One recording confirmed, one changed, one rejected, one disputed, one unsure, one as filed,
    one never labelled."""
    store.file_labels("ann", [FiledLabels(one, ("NORM",), "file") for one in HASHES[:6]])
    store.decide("ann", Decision(HASHES[0], "accept", ("NORM",)))
    store.decide("ann", Decision(HASHES[1], "change", ("AFIB", "IMI")))
    store.decide("ann", Decision(HASHES[2], "reject", comment="Anna Patient's name is on it"))
    first = store.decide("ann", Decision(HASHES[3], "change", ("AFIB",)))
    store.decide("bob", Decision(HASHES[3], "accept", ("NORM",), seen=first.number))
    store.decide("bob", Decision(HASHES[4], "unsure"))
    return store


def test_each_recording_has_the_status_that_its_reviews_give_it(
    filled: ReviewStore, tmp_path: Path
) -> None:
    taken = take_snapshot(filled, "ann", tmp_path)
    found = {one.recording: (one.status, one.codes) for one in taken.rows}
    assert found == {
        HASHES[0]: ("confirmed", ("NORM",)),
        HASHES[1]: ("changed", ("AFIB", "IMI")),
        HASHES[2]: ("left out", ()),
        HASHES[3]: ("left out", ()),
        HASHES[4]: ("on file", ("NORM",)),
        HASHES[5]: ("on file", ("NORM",)),
    }
    assert taken.provenance["head"] == filled.audit().head
    kept = take_snapshot(filled, "ann", tmp_path, disputes="as on file")
    assert {one.recording: one.status for one in kept.rows}[HASHES[3]] == "on file"
    assert differing(taken, kept) == {}


def test_it_comes_back_by_its_hash_and_is_remembered(filled: ReviewStore, tmp_path: Path) -> None:
    taken = take_snapshot(filled, "ann", tmp_path)
    assert read_snapshot(tmp_path, taken.hash) == taken
    assert read_snapshot(tmp_path, taken.hash[:8]) == taken
    (known,) = snapshots(filled, "bob")
    assert (known.hash, known.taken_by, known.counts["left out"]) == (taken.hash, "ann", 2)


def test_the_same_moment_gives_the_same_snapshot(filled: ReviewStore, tmp_path: Path) -> None:
    moment = now()
    first = take_snapshot(filled, "ann", tmp_path / "a", until=moment)
    filled.decide("ann", Decision(HASHES[5], "change", ("AFIB",)))
    filled.file_labels("ann", [FiledLabels(HASHES[6], ("AFIB",), "table")])
    again = take_snapshot(filled, "ann", tmp_path / "b", until=moment)
    assert again == first
    later = take_snapshot(filled, "ann", tmp_path / "a")
    assert differing(first, later) == {"AFIB": (0, 1), "NORM": (1, 0)}
    assert len(snapshots(filled, "ann")) == 2


def test_a_moment_is_the_same_however_it_is_written(filled: ReviewStore, tmp_path: Path) -> None:
    moment = now()
    filled.decide("ann", Decision(HASHES[5], "change", ("AFIB",)))
    east = datetime.fromisoformat(moment).astimezone(timezone(timedelta(hours=2))).isoformat()
    naive = moment.removesuffix("+00:00")
    taken = [take_snapshot(filled, "ann", tmp_path, until=one) for one in (moment, east, naive)]
    assert taken[0] == taken[1] == taken[2]
    assert taken[0].provenance["until"] == moment


@pytest.mark.parametrize(
    ("until", "sentence"),
    [("banana", "no moment"), ("2999-01-01", "yet to come"), ("", "no moment")],
)
def test_what_is_no_moment_or_yet_to_come_is_refused(
    filled: ReviewStore, tmp_path: Path, until: str, sentence: str
) -> None:
    with pytest.raises(ReviewError, match=sentence):
        take_snapshot(filled, "ann", tmp_path / "snapshots", until=until)
    assert not (tmp_path / "snapshots").exists()


def test_now_waits_for_a_decision_that_is_being_written(
    filled: ReviewStore, tmp_path: Path
) -> None:
    begun = threading.Event()
    taken: list[Snapshot] = []

    def take() -> None:
        begun.set()
        taken.append(take_snapshot(filled, "ann", tmp_path))

    other = threading.Thread(target=take)
    with filled.database.writing():
        other.start()
        begun.wait()
        other.join(0.3)
        assert not taken
        held = now()
    other.join()
    assert taken[0].provenance["until"] > held


@pytest.mark.parametrize("suffix", [".csv", ".json"])
def test_a_changed_file_is_refused(filled: ReviewStore, tmp_path: Path, suffix: str) -> None:
    taken = take_snapshot(filled, "ann", tmp_path)
    path = tmp_path / f"{taken.hash}{suffix}"
    path.chmod(0o644)
    path.write_bytes(path.read_bytes().replace(b"AFIB", b"AFLT").replace(b"leave", b"Leave"))
    with pytest.raises(ReviewError, match="changed after it was taken"):
        read_snapshot(tmp_path, taken.hash)


@pytest.mark.parametrize("name", ["", "*", "../../etc", "0" * 64, "abc"])
def test_an_unknown_hash_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ReviewError, match="no snapshot"):
        read_snapshot(tmp_path, name)


def test_no_name_comment_or_reviewer_is_in_the_files(filled: ReviewStore, tmp_path: Path) -> None:
    take_snapshot(filled, "ann", tmp_path / "out")
    written = b"".join(path.read_bytes() for path in (tmp_path / "out").iterdir())
    words = (b"Anna", b"record 1", b"ann", b"bob")
    assert [word for word in words if word in written] == []


def test_it_takes_labels_and_the_right_to_take_it(store: ReviewStore, tmp_path: Path) -> None:
    with pytest.raises(ReviewError, match="bring in labels"):
        take_snapshot(store, "ann", tmp_path)
    store.grant("ann", "bob", "adjudicator")
    with pytest.raises(Forbidden):
        take_snapshot(store, "bob", tmp_path)
    with pytest.raises(ReviewError, match="allowed: leave out, as on file"):
        take_snapshot(store, "ann", tmp_path, disputes="guess")  # type: ignore[arg-type]
