"""Snapshots on the label quality page: taken, learned from in runs, and refused with the reason."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from ecgcore import label_training
from ecgcore.jobs import control
from ecgcore.jobs.values import RunStatus
from ecgcore.label_training import order_of
from ecgcore.review.snapshots import snapshots
from ecgcore.review_work import open_store
from ecgcore.ui import label_snapshots
from ecgcore.ui.markdown import plain
from tests.pages.looking import workspace


def test_a_snapshot_is_taken_from_the_page(labels: AppTest, tmp_path: Path) -> None:
    labels.button(key="label-accept").click().run()
    labels.segmented_control(key="label-view").set_value("Snapshots").run()
    labels.button(key="snapshot-now").click().run()
    assert not labels.exception
    (taken,) = snapshots(open_store(workspace(tmp_path)), "x")
    assert taken.counts == {"confirmed": 1, "on file": 2}


def test_a_snapshot_that_cannot_be_learned_from_is_refused_at_once(
    labels: AppTest, tmp_path: Path
) -> None:
    labels.segmented_control(key="label-view").set_value("Snapshots").run()
    labels.button(key="snapshot-now").click().run()
    labels.button(key="snapshot-start").click().run()
    assert not labels.exception
    (said,) = labels.error
    assert plain("No recording to score in folds 9; the data have folds 4, 7.") in said.value
    assert control.runs(workspace(tmp_path)) == ()


def test_a_snapshot_is_learned_from_in_a_run_that_says_how_it_ended(
    labels: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = workspace(tmp_path)
    monkeypatch.setattr(label_snapshots, "refusals", lambda options, facts: ())
    labels.segmented_control(key="label-view").set_value("Snapshots").run()
    labels.button(key="snapshot-now").click().run()
    labels.button(key="snapshot-start").click().run()
    assert not labels.exception
    assert labels.button(key="snapshot-start").disabled
    (run,) = control.runs(here)
    waits = time.monotonic() + 120
    while control.status(here, run.id).at_work and time.monotonic() < waits:
        time.sleep(0.2)
    labels.run()
    (said,) = labels.error
    assert plain("failed. No record of snapshot-") in said.value and "is in fold 9" in said.value
    assert not labels.button(key="snapshot-start").disabled, "it may be tried again"


def test_a_model_of_a_part_is_named_so_and_made_anew_only_when_more_can_be_read(
    labels: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = workspace(tmp_path)
    labels.segmented_control(key="label-view").set_value("Snapshots").run()
    labels.button(key="snapshot-now").click().run()
    (taken,) = snapshots(open_store(workspace(tmp_path)), "x")
    order = order_of(taken.hash, "superclasses", "x")
    part = RunStatus("part", tmp_path / "part", order, "finished")
    monkeypatch.setattr(control, "runs", lambda workspace: (part,))
    monkeypatch.setattr(control, "status", lambda workspace, run: part)
    monkeypatch.setattr(label_training, "card_of", lambda run: run)
    for module in (label_training, label_snapshots):
        monkeypatch.setattr(module, "count_away", lambda folder: 2)
    labels.run()
    assert any("without 2 recordings that could not be read" in one.value for one in labels.caption)
    labels.button(key="snapshot-start").click().run()
    assert not labels.exception
    assert "cannot be read now either" in labels.error[0].value
    monkeypatch.setattr(label_snapshots, "is_back", lambda workspace, folder: True)
    labels.button(key="snapshot-start").click().run()
    assert "No recording to score" in labels.error[0].value, "it is tried"
    assert not (here.root / "runs").exists() or not list((here.root / "runs").iterdir())
