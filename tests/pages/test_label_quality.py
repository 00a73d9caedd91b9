"""The label quality page in process: what it shows, what it keeps, and what it refuses."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from ecgcore import label_training
from ecgcore.jobs import control
from ecgcore.jobs.values import RunStatus
from ecgcore.label_evidence import EvidenceBook
from ecgcore.label_training import order_of
from ecgcore.models import card
from ecgcore.recording import Recording
from ecgcore.review.rounds import assign
from ecgcore.review.snapshots import snapshots
from ecgcore.review.store import ReviewStore
from ecgcore.review.values import Decision
from ecgcore.review_work import open_store
from ecgcore.ui import label_services, label_snapshots, services
from ecgcore.ui.markdown import plain
from ecgcore.ui.reviewer import account
from ecgcore.workspace import Entry
from tests.pages.looking import html, workspace
from tests.wfdb_files import write_wfdb

SHIPPED = card.SHIPPED
"""The real models: the tests' own say nothing of statements."""


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    """A folder of three records with statements."""
    folder = tmp_path / "labelled"
    for name, pulse, scp in (("alpha", 60, "NORM;SR"), ("beta", 75, "AFIB"), ("gamma", 120, "SR")):
        write_wfdb(folder, name, 10, pulse, scp)
    return folder


@pytest.fixture
def opened(app: AppTest, tmp_path: Path, labelled: Path) -> Iterator[AppTest]:
    """The page with the three brought in."""
    for kept in (
        label_services._stores,
        label_services._judgements,
        label_services._books,
        label_services._seen_reviews,
        label_services.gatherer,
    ):
        kept.cache_clear()
    here = workspace(tmp_path)
    here.add_folder(str(labelled))
    (here.root / "pseudonym.key").write_text("42" * 32)  # the folds follow: 4, 4 and 7
    app.run()
    app.switch_page("pages/label_quality.py").run()
    app.button(key="label-bring-in").click().run()
    assert not app.exception
    yield app
    label_services.gatherer().stop()
    assert label_services.gatherer().wait(60)


def _gather(app: AppTest) -> None:
    """Have the evidence gathered, and the queue put in order by it."""
    app.button(key="label-gather").click().run()
    assert label_services.gatherer().wait(60)
    app.run()
    app.button(key="label-again").click().run()
    assert not app.exception


def _store(tmp_path: Path) -> ReviewStore:
    return open_store(workspace(tmp_path))


def _open(app: AppTest) -> str:
    recording: str = app.session_state["label-at"]
    return recording


def test_without_recordings_it_says_where_to_add_some(app: AppTest) -> None:
    app.run()
    app.switch_page("pages/label_quality.py").run()
    assert not app.exception
    assert "Add some on the work list" in app.info[0].value


def test_labels_on_file_are_shown_and_accepted(opened: AppTest, tmp_path: Path) -> None:
    assert "normal ECG" in html(opened) or "sinus rhythm" in html(opened)
    first = _open(opened)
    codes = opened.multiselect[0].value
    assert opened.button(key="label-change").disabled
    opened.button(key="label-accept").click().run()
    assert not opened.exception
    (kept,) = _store(tmp_path).reviews("x")
    assert (kept.decision.recording, kept.decision.action) == (first, "accept")
    assert set(kept.decision.codes) == set(codes)
    assert kept.decision.seconds > 0
    assert kept.reviewer == account()
    assert _open(opened) != first


def test_other_labels_are_a_change_and_it_can_be_undone(opened: AppTest, tmp_path: Path) -> None:
    first = _open(opened)
    opened.multiselect[0].set_value(["AFLT"]).run()
    opened.text_input(key=next(t.key for t in opened.text_input if "comment" in t.key)).set_value(
        "flutter waves"
    ).run()
    opened.button(key="label-change").click().run()
    opened.button(key="label-undo").click().run()
    change, undo = _store(tmp_path).reviews("x")
    assert (change.decision.codes, change.decision.comment) == (("AFLT",), "flutter waves")
    assert (undo.decision.action, undo.decision.revises) == ("withdraw", 1)
    assert _open(opened) == first
    assert "taken back" in html(opened)


def test_somebody_elses_decision_meanwhile_is_shown_not_overwritten(
    opened: AppTest, tmp_path: Path
) -> None:
    first = _open(opened)
    _store(tmp_path).decide("bob", Decision(first, "reject"))
    opened.button(key="label-accept").click().run()
    assert plain("bob (reject) decided") in opened.warning[0].value
    assert len(_store(tmp_path).reviews("x")) == 1
    assert _open(opened) == first
    opened.button(key="label-accept").click().run()
    assert [one.reviewer for one in _store(tmp_path).reviews("x")] == ["bob", account()]


def test_blind_reading_hides_the_labels_until_answered_and_keeps_both(
    opened: AppTest, tmp_path: Path
) -> None:
    opened.toggle(key="label-blind").set_value(True).run()
    first = _open(opened)
    assert "On file" not in html(opened)
    assert opened.multiselect[0].value == []
    assert not [b for b in opened.button if b.key.startswith("label-say")]
    opened.multiselect[0].set_value(["PVC"]).run()
    opened.button(key="label-change").click().run()
    assert _open(opened) == first
    assert "On file" in html(opened)
    assert opened.multiselect[0].value == ["PVC"]
    opened.button(key="label-accept").click().run()
    blind, informed = _store(tmp_path).reviews("x")
    assert (blind.decision.stage, informed.decision.stage) == ("blind", "informed")
    assert blind.decision.evidence == ()
    assert informed.decision.revises == blind.number


def test_a_third_person_settles_a_dispute(opened: AppTest, tmp_path: Path) -> None:
    store, first = _store(tmp_path), _open(opened)
    one = store.decide("ann", Decision(first, "change", ("AFIB",)))
    store.decide("bob", Decision(first, "change", ("AFLT",), seen=one.number))
    opened.segmented_control(key="label-part").set_value("disputed").run()
    assert _open(opened) == first
    assert "your decision settles it" in html(opened)
    opened.multiselect[0].set_value(["AFLT"]).run()
    opened.button(key="label-change").click().run()
    assert store.reviews("x")[-1].decision.stage == "adjudication"


def test_evidence_is_gathered_and_kept_with_the_decision(opened: AppTest, tmp_path: Path) -> None:
    _gather(opened)
    assert "Suspicion" in html(opened)
    opened.button(key="label-unsure").click().run()
    (kept,) = _store(tmp_path).reviews("x")
    kinds = [one.kind for one in kept.decision.evidence]
    assert "model" in kinds
    assert "rule" in kinds


def test_a_snapshot_is_taken_from_the_page(opened: AppTest, tmp_path: Path) -> None:
    opened.button(key="label-accept").click().run()
    opened.segmented_control(key="label-view").set_value("Snapshots").run()
    opened.button(key="snapshot-now").click().run()
    assert not opened.exception
    (taken,) = snapshots(_store(tmp_path), "x")
    assert taken.counts == {"confirmed": 1, "on file": 2}


def test_a_snapshot_that_cannot_be_learned_from_is_refused_at_once(
    opened: AppTest, tmp_path: Path
) -> None:
    opened.segmented_control(key="label-view").set_value("Snapshots").run()
    opened.button(key="snapshot-now").click().run()
    opened.button(key="snapshot-start").click().run()
    assert not opened.exception
    (said,) = opened.error
    assert plain("No recording to score in folds 9; the data have folds 4, 7.") in said.value
    assert control.runs(workspace(tmp_path)) == ()


def test_a_snapshot_is_learned_from_in_a_run_that_says_how_it_ended(
    opened: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = workspace(tmp_path)
    monkeypatch.setattr(label_snapshots, "refusals", lambda options, facts: ())
    opened.segmented_control(key="label-view").set_value("Snapshots").run()
    opened.button(key="snapshot-now").click().run()
    opened.button(key="snapshot-start").click().run()
    assert not opened.exception
    assert opened.button(key="snapshot-start").disabled
    (run,) = control.runs(here)
    waits = time.monotonic() + 120
    while control.status(here, run.id).at_work and time.monotonic() < waits:
        time.sleep(0.2)
    opened.run()
    (said,) = opened.error
    assert plain("failed. No record of snapshot-") in said.value and "is in fold 9" in said.value
    assert not opened.button(key="snapshot-start").disabled, "it may be tried again"


def test_a_model_of_a_part_is_named_so_and_made_anew_only_when_more_can_be_read(
    opened: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = workspace(tmp_path)
    opened.segmented_control(key="label-view").set_value("Snapshots").run()
    opened.button(key="snapshot-now").click().run()
    (taken,) = snapshots(_store(tmp_path), "x")
    order = order_of(taken.hash, "superclasses", "x")
    part = RunStatus("part", tmp_path / "part", order, "finished")
    monkeypatch.setattr(control, "runs", lambda workspace: (part,))
    monkeypatch.setattr(control, "status", lambda workspace, run: part)
    monkeypatch.setattr(label_training, "card_of", lambda run: run)
    for module in (label_training, label_snapshots):
        monkeypatch.setattr(module, "count_away", lambda folder: 2)
    opened.run()
    assert any("without 2 recordings that could not be read" in one.value for one in opened.caption)
    opened.button(key="snapshot-start").click().run()
    assert not opened.exception
    assert "cannot be read now either" in opened.error[0].value
    monkeypatch.setattr(label_snapshots, "is_back", lambda workspace, folder: True)
    opened.button(key="snapshot-start").click().run()
    assert "No recording to score" in opened.error[0].value, "it is tried"
    assert not (here.root / "runs").exists() or not list((here.root / "runs").iterdir())


def test_agreement_needs_two_people_and_then_shows_kappa(opened: AppTest, tmp_path: Path) -> None:
    store, first = _store(tmp_path), _open(opened)
    opened.segmented_control(key="label-view").set_value("Agreement").run()
    assert "takes two people" in opened.info[0].value
    one = store.decide("ann", Decision(first, "change", ("AFIB",)))
    store.decide("bob", Decision(first, "change", ("AFLT",), seen=one.number))
    opened.run()
    assert not opened.exception
    assert list(opened.dataframe[0].value["Label"]) == ["AFIB", "AFLT"]


def test_a_reader_may_look_and_is_told_who_may_decide(opened: AppTest, tmp_path: Path) -> None:
    store = _store(tmp_path)
    store.grant("root", account(), "reader")
    opened.button(key="label-accept").click().run()
    assert "may not decide; it takes annotator" in opened.warning[0].value
    assert store.reviews("x") == ()
    opened.segmented_control(key="label-view").set_value("Team").run()
    assert "Only an administrator" in opened.info[0].value


def test_who_may_not_decide_is_told_so_blind_too(opened: AppTest, tmp_path: Path) -> None:
    _store(tmp_path).grant("root", account(), "reader")
    opened.toggle(key="label-blind").set_value(True).run()
    opened.button(key="label-reject").click().run()
    assert "may not decide" in opened.warning[0].value


def test_reading_blind_forgets_what_was_said_of_others(opened: AppTest, tmp_path: Path) -> None:
    _store(tmp_path).decide("bob", Decision(_open(opened), "reject"))
    opened.button(key="label-accept").click().run()
    assert opened.warning
    opened.toggle(key="label-blind").set_value(True).run()
    assert not opened.warning
    assert "bob" not in html(opened)
    assert "rejected" not in html(opened)


def test_who_was_asked_to_read_is_not_told_of_others_and_does_not_adjudicate(
    opened: AppTest, tmp_path: Path
) -> None:
    store, first = _store(tmp_path), _open(opened)
    assign(store, account(), "round", [first], [account(), "ann", "bob"], overlap=3)
    store.decide("ann", Decision(first, "change", ("AFIB",)))
    store.decide("bob", Decision(first, "change", ("AFLT",)))
    opened.button(key="label-again").click().run()
    assert _open(opened) == first
    assert "disputed" not in html(opened)
    assert "settles it" not in html(opened)
    assert not [text for text in opened.text if "ann" in text.value or "bob" in text.value]
    opened.button(key="label-accept").click().run()
    assert store.reviews("x")[-1].decision.stage == "open"


def test_a_damaged_store_is_a_sentence_and_the_page_stays_up(
    opened: AppTest, tmp_path: Path
) -> None:
    _store(tmp_path).decide("bob", Decision(_open(opened), "reject"))
    with sqlite3.connect(tmp_path / "workspace" / "review.db") as connection:
        connection.execute("DROP TRIGGER reviews_no_update")
        connection.execute("UPDATE reviews SET codes = 'no list'")
    opened.run()
    assert not opened.exception
    assert "run the audit" in opened.error[0].value


def test_a_database_that_is_none_is_a_sentence(app: AppTest, tmp_path: Path) -> None:
    label_services._stores.cache_clear()
    (tmp_path / "workspace").mkdir()
    (tmp_path / "workspace" / "review.db").write_bytes(b"this is no database, long enough " * 99)
    app.run()
    app.switch_page("pages/label_quality.py").run()
    assert not app.exception
    assert "cannot be opened as a review store" in app.error[0].value


def test_nobody_is_let_in_under_an_unproved_name(
    app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    for way, sentence in (("header:X-User", "sent no X-User"), ("password", "allowed: oidc")):
        monkeypatch.setenv("ECG_SIGN_IN", way)
        app.run()
        app.switch_page("pages/label_quality.py").run()
        assert sentence in app.error[0].value
        assert not app.multiselect


def test_the_same_tracing_with_another_label_is_a_reason_that_opens_it(
    opened: AppTest, tmp_path: Path, labelled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(card, "SHIPPED", SHIPPED)
    monkeypatch.setattr(label_services, "EVIDENCE_MODELS", ("lightbox",))
    write_wfdb(labelled, "delta", 13, 60, "AFIB")
    opened.run()
    opened.button(key="label-bring-in").click().run()
    _gather(opened)
    names = {key: one.name for key, one in _store(tmp_path).recordings("x").items()}
    while names[_open(opened)] != "delta":
        opened.button(key="label-skip").click().run()
    reason = next(b for b in opened.button if b.key.endswith("-duplicate"))
    assert "the same tracing as alpha, whose labels say NORM and SR" in reason.label
    reason.click().run()
    assert names[_open(opened)] == "alpha"
    opened.button(key="label-return").click().run()
    assert names[_open(opened)] == "delta"
    assert not [b for b in opened.button if b.key == "label-return"]


def test_cleanlabs_issues_come_in_on_the_page_and_are_shown_as_imported(
    opened: AppTest, tmp_path: Path
) -> None:
    opened.segmented_control(key="label-view").set_value("Team").run()
    head = ",is_label_issue,label_score,given_label,predicted_label\n"
    table = (head + "beta,True,0.03,AFIB,SR\nstranger,True,0.5,SR,AF\n").encode()
    opened.get("file_uploader")[1].set_value(("issues.csv", table, "text/csv")).run()
    opened.button(key="team-import-issues").click().run()
    assert "recordings: 1; new or changed: 1" in opened.success[0].value
    assert "stranger" in opened.warning[0].value
    opened.segmented_control(key="label-view").set_value("Queue").run()
    opened.selectbox(key="label-sort").set_value("lowest imported score").run()
    names = {key: one.name for key, one in _store(tmp_path).recordings("x").items()}
    assert names[_open(opened)] == "beta"
    assert "cleanlab: score 0.03, a label issue, predicted SR instead of AFIB" in html(opened)
    assert f"by {account()}" in html(opened)
    opened.button(key="label-unsure").click().run()
    (kept,) = _store(tmp_path).reviews("x")
    assert [one.kind for one in kept.decision.evidence if one.kind == "imported"] == ["imported"]
    opened.toggle(key="label-blind").set_value(True).run()
    assert "cleanlab" not in html(opened)


def test_gathering_goes_on_beside_the_page_and_moves_nothing_under_the_reader(
    opened: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()
    read = services.open_recording

    def slowly(entry: Entry) -> Recording:
        if threading.current_thread().name == "evidence":
            assert go_on.wait(60)
        return read(entry)

    monkeypatch.setattr(services, "open_recording", slowly)
    opened.button(key="label-skip").click().run()
    first = _open(opened)
    opened.button(key="label-gather").click().run()
    assert not opened.exception
    assert not [b for b in opened.button if b.key == "label-gather"], "one at a time"
    assert opened.get("progress")[0].proto.text.startswith("Looking for suspicious labels: 0 of 3")
    opened.switch_page("pages/worklist.py").run()
    go_on.set()
    assert label_services.gatherer().wait(60)
    opened.switch_page("pages/label_quality.py").run()
    assert _open(opened) == first
    assert "Suspicion" in html(opened)
    assert not opened.get("progress")
    assert "More was found" in opened.button(key="label-again").help


def test_gathering_that_cannot_be_kept_says_so(
    opened: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(book: EvidenceBook) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(EvidenceBook, "write", full)
    opened.button(key="label-gather").click().run()
    assert label_services.gatherer().wait(60)
    opened.run()
    assert not opened.exception
    assert "No space left on device" in opened.error[0].value
