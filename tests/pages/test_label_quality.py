"""The label quality page in process: what it shows, what it keeps, and what it refuses."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from ecgcore.label_evidence import EvidenceBook
from ecgcore.models import card
from ecgcore.recording import Recording
from ecgcore.review.rounds import assign
from ecgcore.review.store import ReviewStore
from ecgcore.review.values import Decision
from ecgcore.review_work import open_store
from ecgcore.ui import label_services, services
from ecgcore.ui.markdown import plain
from ecgcore.ui.reviewer import account
from ecgcore.workspace import Entry
from tests.pages.looking import html, workspace
from tests.wfdb_files import write_wfdb

SHIPPED = card.SHIPPED
"""The real models: the tests' own say nothing of statements."""


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


def test_labels_on_file_are_shown_and_accepted(labels: AppTest, tmp_path: Path) -> None:
    assert "normal ECG" in html(labels) or "sinus rhythm" in html(labels)
    first = _open(labels)
    codes = labels.multiselect[0].value
    assert labels.button(key="label-change").disabled
    labels.button(key="label-accept").click().run()
    assert not labels.exception
    (kept,) = _store(tmp_path).reviews("x")
    assert (kept.decision.recording, kept.decision.action) == (first, "accept")
    assert set(kept.decision.codes) == set(codes)
    assert kept.decision.seconds > 0
    assert kept.reviewer == account()
    assert _open(labels) != first


def test_other_labels_are_a_change_and_it_can_be_undone(labels: AppTest, tmp_path: Path) -> None:
    first = _open(labels)
    labels.multiselect[0].set_value(["AFLT"]).run()
    assert labels.button(key="label-accept").disabled, "what was picked would be lost"
    labels.text_input(key=next(t.key for t in labels.text_input if "comment" in t.key)).set_value(
        "flutter waves"
    ).run()
    labels.button(key="label-change").click().run()
    labels.button(key="label-undo").click().run()
    change, undo = _store(tmp_path).reviews("x")
    assert (change.decision.codes, change.decision.comment) == (("AFLT",), "flutter waves")
    assert (undo.decision.action, undo.decision.revises) == ("withdraw", 1)
    assert _open(labels) == first
    assert "taken back" in html(labels)


def test_somebody_elses_decision_meanwhile_is_shown_not_overwritten(
    labels: AppTest, tmp_path: Path
) -> None:
    first = _open(labels)
    _store(tmp_path).decide("bob", Decision(first, "reject"))
    labels.button(key="label-accept").click().run()
    assert plain("bob (reject) decided") in labels.warning[0].value
    assert len(_store(tmp_path).reviews("x")) == 1
    assert _open(labels) == first
    labels.button(key="label-accept").click().run()
    assert [one.reviewer for one in _store(tmp_path).reviews("x")] == ["bob", account()]


def test_blind_reading_hides_the_labels_until_answered_and_keeps_both(
    labels: AppTest, tmp_path: Path
) -> None:
    labels.toggle(key="label-blind").set_value(True).run()
    first = _open(labels)
    assert "On file" not in html(labels)
    assert labels.multiselect[0].value == []
    assert not [b for b in labels.button if b.key.startswith("label-say")]
    labels.multiselect[0].set_value(["PVC"]).run()
    labels.button(key="label-change").click().run()
    assert _open(labels) == first
    assert "On file" in html(labels)
    assert labels.multiselect[0].value == ["PVC"]
    labels.button(key="label-accept").click().run()
    blind, informed = _store(tmp_path).reviews("x")
    assert (blind.decision.stage, informed.decision.stage) == ("blind", "informed")
    assert blind.decision.evidence == ()
    assert informed.decision.revises == blind.number


def test_a_third_person_settles_a_dispute(labels: AppTest, tmp_path: Path) -> None:
    store, first = _store(tmp_path), _open(labels)
    one = store.decide("ann", Decision(first, "change", ("AFIB",)))
    store.decide("bob", Decision(first, "change", ("AFLT",), seen=one.number))
    labels.segmented_control(key="label-part").set_value("disputed").run()
    assert _open(labels) == first
    assert "your decision settles it" in html(labels)
    labels.multiselect[0].set_value(["AFLT"]).run()
    labels.button(key="label-change").click().run()
    assert store.reviews("x")[-1].decision.stage == "adjudication"


def test_evidence_is_gathered_and_kept_with_the_decision(labels: AppTest, tmp_path: Path) -> None:
    _gather(labels)
    assert "Suspicion" in html(labels)
    labels.button(key="label-unsure").click().run()
    (kept,) = _store(tmp_path).reviews("x")
    kinds = [one.kind for one in kept.decision.evidence]
    assert "model" in kinds
    assert "rule" in kinds


def test_agreement_needs_two_people_and_then_shows_kappa(labels: AppTest, tmp_path: Path) -> None:
    store, first = _store(tmp_path), _open(labels)
    labels.segmented_control(key="label-view").set_value("Agreement").run()
    assert "takes two people" in labels.info[0].value
    one = store.decide("ann", Decision(first, "change", ("AFIB",)))
    store.decide("bob", Decision(first, "change", ("AFLT",), seen=one.number))
    labels.run()
    assert not labels.exception
    assert list(labels.dataframe[0].value["Label"]) == ["AFIB", "AFLT"]


def test_a_reader_may_look_and_is_told_who_may_decide(labels: AppTest, tmp_path: Path) -> None:
    store = _store(tmp_path)
    store.grant("root", account(), "reader")
    labels.button(key="label-accept").click().run()
    assert "may not decide; it takes annotator" in labels.warning[0].value
    assert store.reviews("x") == ()
    labels.segmented_control(key="label-view").set_value("Team").run()
    assert "Only an administrator" in labels.info[0].value


def test_who_may_not_decide_is_told_so_blind_too(labels: AppTest, tmp_path: Path) -> None:
    _store(tmp_path).grant("root", account(), "reader")
    labels.toggle(key="label-blind").set_value(True).run()
    labels.button(key="label-reject").click().run()
    assert "may not decide" in labels.warning[0].value


def test_reading_blind_forgets_what_was_said_of_others(labels: AppTest, tmp_path: Path) -> None:
    _store(tmp_path).decide("bob", Decision(_open(labels), "reject"))
    labels.button(key="label-accept").click().run()
    assert labels.warning
    labels.toggle(key="label-blind").set_value(True).run()
    assert not labels.warning
    assert "bob" not in html(labels)
    assert "rejected" not in html(labels)


def test_who_was_asked_to_read_is_not_told_of_others_and_does_not_adjudicate(
    labels: AppTest, tmp_path: Path
) -> None:
    store, first = _store(tmp_path), _open(labels)
    assign(store, account(), "round", [first], [account(), "ann", "bob"], overlap=3)
    store.decide("ann", Decision(first, "change", ("AFIB",)))
    store.decide("bob", Decision(first, "change", ("AFLT",)))
    labels.button(key="label-again").click().run()
    assert _open(labels) == first
    assert "disputed" not in html(labels)
    assert "settles it" not in html(labels)
    assert not [text for text in labels.text if "ann" in text.value or "bob" in text.value]
    labels.button(key="label-accept").click().run()
    assert store.reviews("x")[-1].decision.stage == "open"


def test_a_damaged_store_is_a_sentence_and_the_page_stays_up(
    labels: AppTest, tmp_path: Path
) -> None:
    _store(tmp_path).decide("bob", Decision(_open(labels), "reject"))
    with sqlite3.connect(tmp_path / "workspace" / "review.db") as connection:
        connection.execute("DROP TRIGGER reviews_no_update")
        connection.execute("UPDATE reviews SET codes = 'no list'")
    labels.run()
    assert not labels.exception
    assert "run the audit" in labels.error[0].value


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
    labels: AppTest, tmp_path: Path, labelled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(card, "SHIPPED", SHIPPED)
    monkeypatch.setattr(label_services, "EVIDENCE_MODELS", ("lightbox",))
    write_wfdb(labelled, "delta", 13, 60, "AFIB")
    labels.run()
    labels.button(key="label-bring-in").click().run()
    _gather(labels)
    names = {key: one.name for key, one in _store(tmp_path).recordings("x").items()}
    while names[_open(labels)] != "delta":
        labels.button(key="label-skip").click().run()
    reason = next(b for b in labels.button if b.key.endswith("-duplicate"))
    assert "the same tracing as alpha, whose labels say NORM and SR" in reason.label
    reason.click().run()
    assert names[_open(labels)] == "alpha"
    labels.button(key="label-return").click().run()
    assert names[_open(labels)] == "delta"
    assert not [b for b in labels.button if b.key == "label-return"]


def test_cleanlabs_issues_come_in_on_the_page_and_are_shown_as_imported(
    labels: AppTest, tmp_path: Path
) -> None:
    labels.segmented_control(key="label-view").set_value("Team").run()
    head = ",is_label_issue,label_score,given_label,predicted_label\n"
    table = (head + "beta,True,0.03,AFIB,SR\nstranger,True,0.5,SR,AF\n").encode()
    labels.get("file_uploader")[1].set_value(("issues.csv", table, "text/csv")).run()
    labels.button(key="team-import-issues").click().run()
    assert "recordings: 1; new or changed: 1" in labels.success[0].value
    assert "stranger" in labels.warning[0].value
    labels.segmented_control(key="label-view").set_value("Queue").run()
    labels.selectbox(key="label-sort").set_value("lowest imported score").run()
    names = {key: one.name for key, one in _store(tmp_path).recordings("x").items()}
    assert names[_open(labels)] == "beta"
    assert "cleanlab: score 0.03, a label issue, predicted SR instead of AFIB" in html(labels)
    assert f"by {account()}" in html(labels)
    labels.button(key="label-unsure").click().run()
    (kept,) = _store(tmp_path).reviews("x")
    assert [one.kind for one in kept.decision.evidence if one.kind == "imported"] == ["imported"]
    labels.toggle(key="label-blind").set_value(True).run()
    assert "cleanlab" not in html(labels)


def test_gathering_goes_on_beside_the_page_and_moves_nothing_under_the_reader(
    labels: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()
    read = services.open_recording

    def slowly(entry: Entry) -> Recording:
        if threading.current_thread().name == "evidence":
            assert go_on.wait(60)
        return read(entry)

    monkeypatch.setattr(services, "open_recording", slowly)
    labels.button(key="label-skip").click().run()
    first = _open(labels)
    labels.button(key="label-gather").click().run()
    assert not labels.exception
    assert not [b for b in labels.button if b.key == "label-gather"], "one at a time"
    assert labels.get("progress")[0].proto.text.startswith("Looking for suspicious labels: 0 of 3")
    labels.switch_page("pages/worklist.py").run()
    go_on.set()
    assert label_services.gatherer().wait(60)
    labels.switch_page("pages/label_quality.py").run()
    assert _open(labels) == first
    assert "Suspicion" in html(labels)
    assert not labels.get("progress")
    assert "More was found" in labels.button(key="label-again").help


def test_gathering_that_cannot_be_kept_says_so(
    labels: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(book: EvidenceBook) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(EvidenceBook, "write", full)
    labels.button(key="label-gather").click().run()
    assert label_services.gatherer().wait(60)
    labels.run()
    assert not labels.exception
    assert "No space left on device" in labels.error[0].value
