"""The runs of the Train page, in process: what is listed, said, allowed, and compared."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from ecgcore.datasets import packed
from ecgcore.jobs import control
from ecgcore.jobs.folder import BY_LABEL, TRIALS_SAID, epochs_of, read_wish, trial_folder
from ecgcore.jobs.values import State
from ecgcore.models.biomarkers import BIOMARKERS
from ecgcore.review_work import open_store
from ecgcore.storage import write_json
from ecgcore.training.checkpoint import PROGRESS
from ecgcore.ui import label_services, train_compare, train_course, train_live
from ecgcore.ui.train_course import best_auroc, labels_now
from ecgcore.ui.train_live import shown_epochs
from ecgcore.ui.train_words import time_left
from ecgcore.workspace import Workspace
from tests.packed_example import write_packed
from tests.pages.looking import html
from tests.run_example import asked_at, finish_run, small_order, write_run


def _runs() -> None:
    from ecgcore.ui.train_runs import show_runs

    show_runs("ada")


def _compare() -> None:
    from ecgcore.ui.train_compare import show_compare

    show_compare("ada")


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    monkeypatch.setenv("ECG_WORKSPACE", str(tmp_path / "workspace"))
    kept = (
        label_services._stores, train_course._labels, train_course._trials,
        train_compare._tests,
    )  # fmt: skip
    train_course._files().clear()
    for memory in kept:
        memory.cache_clear()
    yield Workspace(tmp_path / "workspace")
    for memory in kept:
        memory.cache_clear()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write_packed(tmp_path / "packed.npz")


def _page(show: object) -> AppTest:
    page = AppTest.from_function(show, default_timeout=60).run()  # type: ignore[arg-type]
    assert not page.exception, page.exception
    return page


def _charts(page: AppTest) -> list[dict[str, Any]]:
    return [json.loads(chart.proto.spec) for chart in page.get("echarts_chart")]


def test_without_runs_the_page_says_how_to_start_one(workspace: Workspace) -> None:
    assert "No run yet" in _page(_runs).info[0].value
    assert "nothing to compare" in _page(_compare).info[0].value


def test_a_forest_has_no_curves_and_its_labels_are_those_of_its_card(
    workspace: Workspace, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        packed, "packed_biomarkers",
        lambda stored, *_: np.resize(stored[:, ::2, 7] / 1e3, (len(stored), len(BIOMARKERS))),
    )  # fmt: skip
    monkeypatch.setattr(st, "page_link", lambda *given, **more: None)
    order = small_order("trees", data, network="forest", network_options={"trees": 3})
    folder = finish_run(workspace, order, "1-trees")
    page = _page(_runs)
    assert not _charts(page)
    assert "there is no epoch" in page.caption[0].value
    card = json.loads((folder / "model" / "card.json").read_text())
    scored = {one["code"]: one.get("auroc") for one in card["metrics"]["labels"]}
    table = page.dataframe[-1].value
    assert dict(zip(table["Label"], table["AUROC"], strict=True)) == scored


def test_the_newest_run_is_first_and_open(workspace: Workspace, data: Path) -> None:
    write_run(workspace, small_order("old", data), "1-old", "paused", sentence="Paused: here.")
    write_run(workspace, small_order("new", data), "2-new", "running")
    page = _page(_runs)
    table = page.dataframe[0].value
    assert list(table["Name"]) == ["new", "old"]
    assert list(table["State"]) == ["At work", "Paused"]
    assert list(table["Epoch"]) == ["3 of 10", "3 of 10"]
    assert list(table["Best validation AUROC"]) == pytest.approx([0.7, 0.7])
    assert list(table["Time left"]) == ["about 3 minutes", ""]
    assert list(table["Started by"]) == ["ada", "ada"]
    for said in ("at work", "training", "3 of 10", "6 of 6", "0.25", "123", "about 3 minutes"):
        assert f"<b>{said}</b>" in html(page)
    page.selectbox(key="train-choice").select("1-old").run()
    assert "Paused: here." in html(page)
    assert page.session_state["train-open"] == "1-old"
    assert not page.exception


def test_the_charts_and_the_labels_are_those_of_the_run(workspace: Workspace, data: Path) -> None:
    write_run(workspace, small_order("new", data), "new", "running")
    page = _page(_runs)
    loss, auroc, rate = _charts(page)
    assert loss["series"][0]["name"] == "steps, mean of a second"
    assert len(loss["series"][0]["data"]) == 18
    assert auroc["series"][0]["data"][-1] == [3.0, 0.7]
    assert rate["series"][0]["data"][0] == [1.0, 0.001]
    table = page.dataframe[1].value
    assert list(table["Label"]) == ["MI", "CD"]
    assert list(table["Description"]) == ["myocardial infarction", "conduction disturbance"]
    assert table["AUROC"][0] == pytest.approx(0.9)
    assert table["Remark"][0] == ""
    assert table["Remark"][1].startswith("not scored: the validation records are all")
    assert "a line of the log" in page.code[0].value
    assert "torchrun --nproc-per-node 2 -m ecgcore train" in page.code[1].value


def _write_search(workspace: Workspace, data: Path, state: State) -> Path:
    """A search of five trials: the third is the best, the second failed, the fourth is open."""
    search = {"space": {"epochs": {"low": 2, "high": 40, "whole": True}}, "trials": 5}
    order = replace(small_order("found", data), search=search)
    folder = write_run(workspace, order, "found", state, epochs=0)
    said = []
    for number, (its, score) in enumerate(
        (("complete", 0.7), ("fail", None), ("complete", 0.8), ("running", None)), start=1
    ):
        sentence = "The loss is nan." if its == "fail" else ""
        said.append({"number": number, "values": {"epochs": 10 * number}, "score": score,
                     "state": its, "sentence": sentence})  # fmt: skip
        trial = trial_folder(folder, number)
        trial.mkdir(parents=True)
        rows = [{"epoch": epoch, "validation_auroc": 0.5 + 0.1 * number, "loss": number}
                for epoch in (1, 2)]  # fmt: skip
        told = {"epoch": 2, "member": 1, "auroc": {"superclasses/MI": 0.1 * number}, "auprc": {}}
        (trial / PROGRESS).write_text("".join(json.dumps(row) + "\n" for row in rows))
        (trial / BY_LABEL).write_text(json.dumps(told) + "\n")
    write_json(folder / TRIALS_SAID, said)
    live = json.loads((folder / "live.json").read_text()) | {"trial": 4, "trials": 5}
    write_json(folder / "live.json", live)
    return folder


def _names(chart: dict[str, Any]) -> list[str]:
    return [line["name"] for line in chart["series"]]


def test_a_search_shows_its_trials_the_best_first(workspace: Workspace, data: Path) -> None:
    _write_search(workspace, data, "running")
    page = _page(_runs)
    assert "Trials of the search: 3 of 5 over; the best so far is trial 3" in html(page)
    table = page.dataframe[1].value
    assert list(table["Trial"]) == [3, 1, 4, 2]
    assert list(table["Epochs"]) == [30, 10, 40, 20]
    assert list(table["Epochs done"]) == [2, 2, 2, 2]
    assert list(table["How it ended"])[-1] == "could not be trained: The loss is nan."
    assert "trial 4 of 5" in html(page)
    assert "after epoch 2 of trial 4" in html(page)
    loss, auroc, _ = _charts(page)
    assert _names(auroc) == ["other trials", "trial 3, the best", "trial 4"]
    gaps = [point[1] is None for point in auroc["series"][0]["data"]]
    assert gaps == [False, False, True, False, False, True]
    assert loss["series"][-2]["data"] == [[1.0, 4.0], [2.0, 4.0]]
    assert len(page.code) == 1, "no command for several machines"
    assert list(page.dataframe[0].value["Best validation AUROC"]) == [0.8], "not that of trial 4"


def test_a_search_that_waits_or_reads_its_data_shows_its_newest_trial(
    workspace: Workspace, data: Path
) -> None:
    folder = _write_search(workspace, data, "queued")
    live = json.loads((folder / "live.json").read_text()) | {"trial": 0, "trials": 0}
    write_json(folder / "live.json", live)
    page = _page(_runs)
    assert _names(_charts(page)[1]) == ["other trials", "trial 3, the best", "trial 4"]


def test_a_finished_search_shows_its_model(
    workspace: Workspace, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train_live, "MODELS_PAGE", "pages/not_here.py")
    _write_search(workspace, data, "finished")
    page = _page(_runs)
    assert "the model is that of trial 3" in html(page)
    assert "after epoch 2 of trial 3" in html(page)
    assert page.dataframe[2].value["AUROC"][0] == pytest.approx(0.3)
    assert _names(_charts(page)[1]) == ["other trials", "trial 3, the best"]
    assert page.button(key="train-go").disabled
    assert "A run that is finished cannot be told to resume" in page.button(key="train-go").help


def test_a_search_is_compared_as_its_best_trial(workspace: Workspace, data: Path) -> None:
    _write_search(workspace, data, "running")
    write_run(workspace, small_order("plain", data, epochs=7), "plain", "paused")
    page = _page(_compare)
    areas = _charts(page)[0]
    assert next(one["data"] for one in areas["series"] if one["name"] == "found") == [
        [1.0, 0.8], [2.0, 0.8],
    ]  # fmt: skip
    found, plain = (control.status(workspace, one) for one in ("found", "plain"))
    assert train_compare.differing_options([found, plain])["epochs"] == ["30", "7"]
    assert train_compare.differing_options([found, plain])["search"] == [
        "5 trials over epochs", "–",
    ]  # fmt: skip


def test_pause_and_stop_reach_the_run_and_are_said(workspace: Workspace, data: Path) -> None:
    folder = write_run(workspace, small_order("new", data), "new", "running")
    page = _page(_runs)
    assert page.button(key="train-go").label == "Pause"
    page.button(key="train-go").click().run()
    assert read_wish(folder) == "pause"
    assert "Asked to pause" in html(page)
    page.button(key="train-stop").click().run()
    assert read_wish(folder) == "stop"


def test_a_reader_may_look_and_change_nothing(workspace: Workspace, data: Path) -> None:
    folder = write_run(workspace, small_order("new", data), "new", "running")
    open_store(workspace).grant("admin", "ada", "reader")
    page = _page(_runs)
    for key in ("train-go", "train-stop", "train-repeat-button"):
        assert page.button(key=key).disabled
        assert "takes the role annotator; yours is reader" in page.button(key=key).help
    assert read_wish(folder) == "run"


def test_a_failed_run_says_why_and_can_be_resumed(workspace: Workspace, data: Path) -> None:
    write_run(workspace, small_order("new", data), "new", "failed", sentence="The disk is full.")
    page = _page(_runs)
    assert "The disk is full" in page.error[0].value
    assert not page.button(key="train-go").disabled
    assert page.button(key="train-stop").disabled


def test_a_refusal_is_said_where_the_run_is(workspace: Workspace, data: Path) -> None:
    write_run(workspace, small_order("new", data), "new", "paused")
    page = _page(_runs)
    data.unlink()
    page.button(key="train-go").click().run()
    assert "packed.npz is not there; choose packed data that are" in html(page)


def test_repeat_fills_the_first_view_with_the_order(workspace: Workspace, data: Path) -> None:
    order = small_order("new", data, learning_rate=0.02)
    write_run(workspace, order, "new", "paused")
    page = _page(_runs)
    page.button(key="train-repeat-button").click().run()
    assert page.session_state["train-repeat"] == order.to_json()
    assert page.session_state["train-view"] == "New run"


def test_a_run_of_a_terminal_is_watched_and_not_repeated(workspace: Workspace) -> None:
    write_run(workspace, None, "theirs", "running")
    page = _page(_runs)
    assert list(page.dataframe[0].value["Started by"]) == ["a terminal"]
    assert page.button(key="train-repeat-button").disabled
    assert not page.button(key="train-stop").disabled
    assert len(page.code) == 1


def test_a_name_with_markup_is_text(workspace: Workspace, data: Path) -> None:
    write_run(
        workspace, small_order("new", data), "new", "paused", sentence="<script>x</script> *y*"
    )
    assert "&lt;script&gt;" in html(_page(_runs))


def test_what_is_remembered_follows_the_files(workspace: Workspace, data: Path) -> None:
    folder = write_run(workspace, small_order("new", data), "new", "running", epochs=50)
    assert best_auroc(epochs_of(folder)) == pytest.approx(0.7)
    now = labels_now(folder)
    assert now is not None
    assert (now.epoch, len(now.labels[0].course)) == (50, 40)
    row = {**epochs_of(folder)[-1], "epoch": 51, "validation_auroc": 0.95}
    with (folder / "progress.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")
    assert best_auroc(epochs_of(folder)) == 0.95


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (None, ""), (20, "less than a minute"), (60, "about 1 minute"), (250, "about 4 minutes"),
        (2.4 * 3600, "about 2 hours"), (3 * 86_400, "about 3 days"),
    ],
)  # fmt: skip
def test_time_is_told_in_words(seconds: float | None, said: str) -> None:
    assert time_left(seconds) == said


def test_the_axis_grows_by_doubling_up_to_the_runs_end() -> None:
    assert [shown_epochs(done, 100) for done in (0, 10, 11, 40, 70)] == [10, 10, 20, 40, 80]
    assert (shown_epochs(3, 4), shown_epochs(81, 100), shown_epochs(7, 0)) == (4, 100, 7)


def test_runs_are_compared_and_tested(workspace: Workspace, data: Path) -> None:
    one = asked_at(small_order("one", data, epochs=1), "2026-01-01T00:00:00.000+00:00")
    finish_run(workspace, one, "1-one")
    finish_run(workspace, small_order("two", data, learning_rate=0.01, epochs=3), "2-two")
    page = _page(_compare)
    area = _charts(page)[0]["series"]
    assert [line["name"] for line in area] == ["two", "one"]
    options = page.dataframe[0].value.set_index("Option")
    assert list(options.index) == ["learning_rate", "epochs"]
    assert list(options.loc["learning_rate"]) == ["0.01", "0.001"]
    numbers = page.dataframe[1].value
    assert list(numbers["Run"]) == ["two", "one"]
    assert all("[" in value for value in numbers["AUROC"])
    assert len(page.dataframe) == 2
    page.button(key="train-test-now").click().run()
    assert not page.exception
    (said,) = [one.value for one in page.markdown if "minus" in one.value]
    assert "On the same 30 validation records, one minus two: mean AUROC" in said
    assert "p = " in said
    assert "MI" in list(page.dataframe[2].value["Label"])


def test_finished_runs_are_offered_first_and_a_terminals_options_are_not_guessed(
    workspace: Workspace, data: Path
) -> None:
    for name in ("one", "two"):
        finish_run(workspace, small_order(name, data), name)
    write_run(workspace, None, "theirs", "stopped")
    page = _page(_compare)
    assert sorted(page.multiselect[0].value) == ["one", "two"]
    assert any("None: the runs have the same options" in one.value for one in page.caption)
    page.multiselect[0].set_value(["one", "theirs", "two"]).run()
    assert any("options are not known" in one.value for one in page.caption)
    assert list(page.dataframe[0].value["Run"]) == ["one", "theirs", "two"]
    assert not page.exception


def test_runs_of_other_records_are_refused_with_a_sentence(
    workspace: Workspace, data: Path
) -> None:
    finish_run(workspace, small_order("one", data), "1-one")
    other = small_order("two", data, train_folds=(1, 2, 3, 4, 5, 6, 7), validation_folds=(8, 9))
    finish_run(workspace, other, "2-two")
    page = _page(_compare)
    page.button(key="train-test-now").click().run()
    assert "were not validated on the same recordings" in page.error[0].value.replace("\\", "")
