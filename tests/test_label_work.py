"""From files to a queue: bringing in, evidence, order, and training on a snapshot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ecgcore import label_evidence, label_training, review_work
from ecgcore.datasets.packed import load_packed
from ecgcore.jobs import control
from ecgcore.jobs.values import RunOrder, RunStatus, State
from ecgcore.label_evidence import EvidenceBook
from ecgcore.label_queue import QueueItem, judged, ordered, queue_items
from ecgcore.label_training import can_start, change, model_of, order_of, run_of
from ecgcore.labels import statements
from ecgcore.models.card import load_card
from ecgcore.readers.npz_export import save_npz
from ecgcore.readers.opening import read_path
from ecgcore.recording import Patient, Recording, RecordingError
from ecgcore.review.rounds import Assignment
from ecgcore.review.snapshots import take_snapshot
from ecgcore.review.standing import Standing
from ecgcore.review.store import FiledLabels, ReviewStore
from ecgcore.review.suspicion import LabelSuspicion, Reason, Suspicion
from ecgcore.review.values import Decision
from ecgcore.review_work import (
    bring_in,
    count_away,
    is_back,
    on_file,
    open_store,
    pack_of_run,
    packed_snapshot,
    readers,
    sayable,
    snapshots_folder,
)
from ecgcore.signal.simulator import PRESETS, simulate
from ecgcore.workspace import Entry, Workspace
from tests.run_example import runs_here
from tests.wfdb_files import write_wfdb

CODES = [one.code for one in statements()]


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A workspace whose folder holds three records, one of them damaged and one unlabelled."""
    folder = tmp_path / "in"
    write_wfdb(folder, "a", 10, 60, "NORM;SR")
    write_wfdb(folder, "b", 10, 75)
    (folder / "c.hea").write_text("c 12 500 5000\nc.dat 16 1OOO(0)/mV 16 0 0 0 0 I\n")
    workspace = Workspace(tmp_path / "workspace")
    workspace.add_folder(str(folder))
    return workspace


def _brought_in(workspace: Workspace) -> ReviewStore:
    store = open_store(workspace)
    entries = [one for one in workspace.entries() if one.origin == "folder"]
    *_, done = bring_in(store, "ann", workspace, entries)
    assert (done.new, done.labelled) == (2, 1)
    assert list(done.refused) == ["c"]
    return store


def test_recordings_and_their_labels_come_in_and_what_is_damaged_is_named(
    workspace: Workspace,
) -> None:
    store = _brought_in(workspace)
    (filed,) = store.filed("ann").values()
    assert filed.codes == ("NORM", "SR")
    assert filed.origin == "WFDB (SCP-ECG)"
    names = {one.name for one in store.recordings("ann").values()}
    assert names == {"a", "b"}
    assert set(readers(workspace)) >= set(store.recordings("ann"))


def test_what_a_code_system_cannot_say_is_not_denied_by_silence() -> None:
    assert "NORM" not in sayable("WFDB (SNOMED CT)")
    assert "AFIB" in sayable("WFDB (SNOMED CT)")
    assert sayable("WFDB (SCP-ECG)") == set(CODES)
    assert sayable("labels.csv") == set(CODES)
    assert "LVH" not in sayable("WFDB (text)")


def test_statements_of_likelihood_zero_are_unknown_not_absent() -> None:
    recording = simulate(PRESETS["sinus"], "heart").recording
    from ecgcore.recording import Statement

    told = (Statement("SR", "SCP-ECG", 0.0), Statement("what", "text"))
    found = on_file(replace(recording, statements=told))
    assert found.codes == ("SR",)
    assert found.unmapped == ("what (text)",)
    assert on_file(replace(recording, statements=told[1:])).codes is None


def test_evidence_is_asked_once_kept_and_read_again(workspace: Workspace, tmp_path: Path) -> None:
    store = _brought_in(workspace)
    keys = sorted(store.recordings("ann"))
    book = EvidenceBook(tmp_path / "evidence", ("inception",))
    assert book.missing(keys) == tuple(keys)
    asked = []

    def counting(key: str, read: Callable[[], Recording]) -> Callable[[], Recording]:
        def ask() -> Recording:
            asked.append(key)
            return read()

        return ask

    here = {key: counting(key, read) for key, read in readers(workspace).items() if key in keys}
    assert list(book.gather(here))[-1] == 2
    again = EvidenceBook(tmp_path / "evidence", ("inception",))
    assert again.missing(keys) == ()
    told = again.probabilities(keys)["inception"]
    assert told.shape == (2, 71)
    card = load_card("inception")
    answered = {one.code for one in card.labels if one.set == "statements" and one.answered}
    assert {code for code, on in zip(CODES, np.isfinite(told[0]), strict=True) if on} == answered
    rules = again.rules(keys)
    assert set(np.unique(rules)) <= {-1, 0, 1}
    assert (rules != 0).any()
    at = int(np.flatnonzero(rules[0])[0])
    assert again.rule_sentence(keys[0], CODES[at])
    assert len(asked) == 2


def _unreadable() -> Recording:
    raise RecordingError("a flat file", "an ECG", "record it again")


def test_what_is_no_recording_is_not_asked_again(tmp_path: Path) -> None:
    book = EvidenceBook(tmp_path, ("inception",))
    list(book.gather({"1" * 64: _unreadable}))
    assert book.missing(["1" * 64]) == ()
    assert "a flat file" in str(book.refusal("1" * 64, "inception"))
    assert np.isnan(book.probabilities(["1" * 64])["inception"]).all()


def test_a_file_that_is_away_or_tells_no_rate_is_asked_again(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_text("I,II,V1\n" + "\n".join(["1,2,1"] * 5000))
    asked = {
        "1" * 64: partial(read_path, tmp_path / "gone.hea"),
        "2" * 64: partial(read_path, table),
    }
    list(EvidenceBook(tmp_path / "book", ()).gather(asked))
    assert EvidenceBook(tmp_path / "book", ()).missing(asked) == tuple(asked)


def test_what_other_code_found_is_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    list(EvidenceBook(tmp_path, ()).gather({"1" * 64: _unreadable}))
    monkeypatch.setattr(label_evidence, "_code", lambda: "other code")
    assert EvidenceBook(tmp_path, ()).missing(["1" * 64]) == ("1" * 64,)


def test_a_damaged_evidence_file_is_gathered_anew(tmp_path: Path) -> None:
    list(EvidenceBook(tmp_path, ("inception",)).gather({"1" * 64: _unreadable}))
    (rules,), (told,) = tmp_path.glob("rules-*.json"), tmp_path.glob("inception-*.json")
    rules.write_text("{ not json")
    told.write_text('{"answers": {"1": 5}, "refused": {}}')
    assert EvidenceBook(tmp_path, ("inception",)).missing(["1" * 64]) == ("1" * 64,)


def test_labels_on_file_are_judged_and_the_unlabelled_are_only_uncertain(
    workspace: Workspace, tmp_path: Path
) -> None:
    store = _brought_in(workspace)
    filed = store.filed("ann")
    keys = sorted(store.recordings("ann"))
    book = EvidenceBook(tmp_path / "evidence", ("inception",))
    here = readers(workspace)
    list(book.gather({key: here[key] for key in keys}))
    found = judged(book, filed, keys)
    for key in keys:
        suspicion, uncertainty = found[key]
        assert (suspicion is not None) == (key in filed)
        assert uncertainty is not None and 0 <= uncertainty <= 1


def _item(name: str, score: float | None, **changes: object) -> QueueItem:
    suspicion = None
    if score is not None:
        label = LabelSuspicion(
            "AFIB", "statements", True, 0.1, score, (), (Reason("model", "", 1),)
        )
        suspicion = Suspicion(0, score, (label,))
    item = QueueItem(name * 8, name, ("AFIB",), Standing("undecided"), suspicion=suspicion)
    return replace(item, **changes)  # type: ignore[arg-type]


def test_the_queue_is_ordered_by_suspicion_doubt_or_name() -> None:
    items = (
        _item("a", 0.2, uncertainty=0.9), _item("b", 0.8, uncertainty=0.1), _item("c", None),
    )  # fmt: skip
    assert [one.name for one in ordered(items, "most suspicious", "all")] == ["b", "a", "c"]
    assert [one.name for one in ordered(items, "most uncertain", "all")] == ["a", "b", "c"]
    assert [one.name for one in ordered(items, "by name", "all")] == ["a", "b", "c"]
    assert [one.name for one in ordered(items, "by name", "all", "AFIB")] == ["a", "b", "c"]
    assert ordered(items, "by name", "all", "PVC") == ()


def test_parts_of_the_queue_are_what_is_left_disputed_and_decided() -> None:
    items = (
        _item("a", 0.2),
        _item("b", 0.2, standing=Standing("disputed")),
        _item("c", 0.2, standing=Standing("settled", ("AFIB",))),
        _item("d", 0.2, standing=Standing("settled", ("AFIB",)), assigned=True),
        _item("e", 0.2, assigned=True, decided=True),
    )
    assert [one.name for one in ordered(items, "by name", "to do")] == ["a", "d"]
    assert [one.name for one in ordered(items, "by name", "disputed")] == ["b"]
    assert [one.name for one in ordered(items, "by name", "decided")] == ["b", "c", "e"]


def test_each_person_meets_what_was_assigned_to_them(workspace: Workspace) -> None:
    store = _brought_in(workspace)
    recordings = store.recordings("ann")
    first = sorted(recordings)[0]
    store.decide("bob", Decision(first, "reject"))
    given = (Assignment("r", first, "ann", "statements"),)
    items = queue_items(
        "ann", recordings=recordings, filed=store.filed("ann"), reviews=store.reviews("ann"),
        assignments=given, found={},
    )  # fmt: skip
    mine = next(one for one in items if one.recording == first)
    assert mine.assigned and not mine.decided and mine.to_do
    assert mine.standing.state == "rejected"


Find = Callable[[list[RunStatus], str, str], RunStatus | None]


def _records_of(path: Path) -> int:
    return len(load_packed(path))


def _snapshot_of_two(workspace: Workspace) -> str:
    store = _brought_in(workspace)
    for known in store.recordings("ann"):
        store.file_labels("ann", [FiledLabels(known, ("NORM",), "t")])
    return take_snapshot(store, "ann", snapshots_folder(workspace)).hash


def _unless(name: str, read: Callable[..., Recording]) -> Callable[..., Recording]:
    """Reads all but one recording of the list."""

    def reading(workspace: Workspace, entry: Entry) -> Recording:
        if entry.path.stem == name:
            raise RecordingError("a bad sector", "a sound disk", "copy the file")
        return read(workspace, entry)

    return reading


def test_a_snapshot_is_packed_anew_when_recordings_are_back(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot = _snapshot_of_two(workspace)
    here, there = tmp_path / "in", tmp_path / "off"
    there.mkdir()
    (here / "b.dat").rename(there / "b.dat")
    run = pack_of_run(workspace, snapshot, tmp_path / "run")
    assert run.name == packed_snapshot(workspace, snapshot).name
    assert (_records_of(run), count_away(run.parent)) == (1, 1)
    (there / "b.dat").rename(here / "b.dat")
    for part in ("a.dat", "a.hea"):
        (here / part).rename(there / part)
    assert _records_of(packed_snapshot(workspace, snapshot)) == 1
    assert (
        load_packed(run).record_ids == load_packed(packed_snapshot(workspace, snapshot)).record_ids
    )
    for part in ("a.dat", "a.hea"):
        (there / part).rename(here / part)
    with monkeypatch.context() as patched:
        patched.setattr(review_work, "_read", _unless("a", review_work._read))
        packed = load_packed(packed_snapshot(workspace, snapshot))
        assert packed.record_ids == load_packed(run).record_ids, "nothing is lost that it holds"
        assert is_back(workspace, run.parent)
        patched.setattr(review_work, "_read", _unless("b", review_work._read))
        assert not is_back(workspace, run.parent)
    path = packed_snapshot(workspace, snapshot)
    assert (_records_of(path), count_away(path.parent)) == (2, 0)
    made = path.stat().st_mtime_ns
    assert packed_snapshot(workspace, snapshot).stat().st_mtime_ns == made
    assert pack_of_run(workspace, snapshot, tmp_path / "run") == run
    assert _records_of(run) == 1, "a run keeps the data that it began with"
    path.write_bytes(path.read_bytes()[:100])
    assert _records_of(packed_snapshot(workspace, snapshot)) == 2


def test_a_run_keeps_its_data_where_files_have_one_name_only(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot = _snapshot_of_two(workspace)

    def refused(*names: Path) -> None:
        raise PermissionError("operation not supported")

    monkeypatch.setattr(review_work.os, "link", refused)
    kept = pack_of_run(workspace, snapshot, tmp_path / "run")
    assert kept.parent == tmp_path / "run"
    packed_snapshot(workspace, snapshot).unlink()
    assert _records_of(kept) == 2


def test_a_recording_that_is_lost_while_it_is_packed_may_come_back(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot, read = _snapshot_of_two(workspace), review_work._read
    reads = iter(range(100))

    def lost(*given: Any) -> Recording:
        if next(reads) > 2:  # two are read for the list, then the first for its samples
            raise RecordingError("the disk is off", "one that is on", "switch it on")
        return read(*given)

    monkeypatch.setattr(review_work, "_read", lost)
    assert _records_of(packed_snapshot(workspace, snapshot)) == 1
    monkeypatch.setattr(review_work, "_read", read)
    assert _records_of(packed_snapshot(workspace, snapshot)) == 2


def test_of_a_snapshots_runs_the_one_that_matters_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = order_of("ab" * 32, "superclasses", "ann")
    old = replace(order, options={**order.options, "seed": 5})

    def found(*states: State, of: RunOrder = order, find: Find = run_of) -> str | None:
        runs = [RunStatus(str(at), tmp_path, of, state) for at, state in enumerate(states)]
        run = find(runs, "ab" * 32, "superclasses")
        return None if run is None else run.id

    assert found("failed", "running", "paused") == "1"
    assert found("failed", "paused", "stopped") == "1"
    assert found("failed", "stopped") == "0"
    assert found("finished") is None, "its model is gone"
    monkeypatch.setattr(label_training, "card_of", lambda run: run)
    assert found("running", "finished") == "1"
    assert not can_start(RunStatus("a", tmp_path, order, "finished"))
    assert not can_start(RunStatus("a", tmp_path, order, "paused"))
    monkeypatch.setattr(label_training, "count_away", lambda folder: 1)
    assert found("finished", "running") == "1", "the other one learned from a part"
    assert found("paused", "finished") == found("failed", "finished") == "0"
    assert found("finished", "failed") == "0", "the newer one"
    assert found("failed", "paused", "finished", find=model_of) == "2"
    assert can_start(RunStatus("a", tmp_path, order, "finished"))
    assert found("running", of=old) is None, "it learned with other options"
    assert found("running", of=replace(order, snapshot="cd" * 32)) is None
    assert found("running", of=replace(order, data=("/more.npz",))) is None


def test_two_snapshots_are_compared_on_the_fold_that_nobody_learned_from(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "workspace")
    workspace.root.mkdir()
    (workspace.root / "pseudonym.key").write_text("17" * 32)  # the folds follow from it
    folder = tmp_path / "hearts"
    presets = ("sinus", "atrial fibrillation")
    for number in range(44):
        heart = simulate(replace(PRESETS[presets[number % 2]], seed=number), "h").recording
        named = replace(heart, record_id=f"h{number}", patient=Patient(f"p{number}"))
        save_npz(folder / f"h{number}.npz", named)
    workspace.add_folder(str(folder))
    store = open_store(workspace)
    *_, done = bring_in(store, "ann", workspace, [
        one for one in workspace.entries() if one.origin == "folder"])  # fmt: skip
    assert done.new == 44
    names = {one.hash: one.name for one in store.recordings("ann").values()}
    assert len(set(names.values())) == 44
    truth = {key: ("AFIB",) if int(name.split("h")[-1]) % 2 else ("NORM", "SR")
             for key, name in names.items()}  # fmt: skip
    store.file_labels("ann", [FiledLabels(key, codes, "t") for key, codes in truth.items()])
    first = take_snapshot(store, "ann", snapshots_folder(workspace))
    wrong = sorted(key for key, codes in truth.items() if codes == ("AFIB",))[0]
    store.decide("ann", Decision(wrong, "change", ("NORM", "SR")))
    second = take_snapshot(store, "ann", snapshots_folder(workspace))
    with runs_here():
        runs = [control.submit(workspace, store, order_of(one.hash, "rhythm", "ann"))
                for one in (first, second)]  # fmt: skip
    assert run_of(control.runs(workspace), first.hash, "superclasses") is None
    for one, run in zip((first, second), runs, strict=True):
        found = run_of(control.runs(workspace), one.hash, "rhythm")
        assert found is not None
        assert (found.id, found.state) == (run, "finished"), found.sentence
    before, after = (control.status(workspace, run) for run in runs)
    tests = sum(one.fold == 10 for one in store.recordings("ann").values())
    worth = change(workspace, before, after)
    assert sum(worth.learned) == 2 * sum(one.fold < 9 for one in store.recordings("ann").values())
    assert {one.code for one in worth.classes} == {"AFIB", "SR"}
    assert all(one.n_test == tests for one in worth.classes)
