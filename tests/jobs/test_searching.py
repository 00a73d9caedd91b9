"""A search tries values, keeps the best as the model, and goes on after a kill."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ecgcore.jobs import control
from ecgcore.jobs.search_space import Dimension, Search, search_from_json, with_values
from ecgcore.jobs.searching import best_of, trials_of
from ecgcore.jobs.values import JobError, RunOrder
from ecgcore.models.card import read_card
from ecgcore.training.options import options_from_json
from ecgcore.training.watching import UNWATCHED
from ecgcore.training.whole_run import joined
from tests.jobs.conftest import Place

RATES = {"space": {"learning_rate": {"choices": [1e-9, 0.01]}}, "trials": 4}


def _order(place: Place, search: dict[str, Any], **changes: Any) -> RunOrder:
    return replace(place.order("found", **changes), search=search)


def _ended(folder: Path) -> list[dict[str, Any]]:
    return [row for row in trials_of(folder) if row["state"] != "running"]


def test_a_killed_search_goes_on_and_its_best_trial_becomes_the_model(place: Place) -> None:
    run = control.submit(place.workspace, place.store, _order(place, RATES, epochs=8))
    folder = place.workspace.root / "runs" / run
    place.await_(run, lambda one: bool(_ended(one.folder)))
    place.await_(run, lambda one: one.live is not None and 0 < one.live.epoch < 8)
    place.process(run).kill()
    place.await_state(run, "interrupted")
    before = _ended(folder)
    assert control.tend(place.workspace) == (run,)
    assert place.await_state(run, "finished", "failed").state == "finished"
    rows = _ended(folder)
    assert rows[: len(before)] == before
    assert len(rows) == 4
    assert len(list((folder / "trials").iterdir())) == 4
    told = [row for row in rows if row["score"] is not None]
    best = max(told, key=lambda row: row["score"])["values"]["learning_rate"]
    card = read_card(folder / "model")
    assert card.training["options"]["learning_rate"] == best
    assert f"learning_rate={best}" in card.command
    assert "search" not in card.command


def test_a_trial_that_cannot_be_trained_is_told_and_passed_over(place: Place) -> None:
    options = options_from_json(place.order(epochs=1).options)
    search = search_from_json({"space": {"batch": {"choices": [10, 5000]}}, "trials": 6})
    folder = place.workspace.root / "search"
    data = joined([place.data])

    def report(row: dict[str, Any]) -> None:
        assert row["epoch"] == 1

    best, _ = best_of(search, options, data, folder, report=report, watch=UNWATCHED)
    assert best.batch == 10
    failed = [row for row in trials_of(folder) if row["state"] == "fail"]
    assert failed
    assert all("make no batch of 5000" in row["sentence"] for row in failed)
    impossible = search_from_json({"space": {"batch": {"choices": [5000]}}, "trials": 2})
    with pytest.raises(JobError, match="none of 2 trials could be trained"):
        best_of(
            impossible, options, data, folder / "again", report=report, watch=UNWATCHED
        )  # fmt: skip


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({}, "not a search"),
        ([], "not a search"),
        ({"space": {}}, "nothing to search"),
        ({"space": {"batch": {}}}, "either choices, or low and high"),
        ({"space": {"batch": {"choices": [1], "low": 1, "high": 2}}}, "either choices"),
        ({"space": {"batch": {"low": 2, "high": 1}}}, "low must be below high"),
        ({"space": {"learning_rate": {"low": 0, "high": 1, "log": True}}}, "above 0 on a log"),
        ({"space": {"batch": {"choices": [1]}}, "trials": 0}, "give 1 to 1000"),
        ({"space": {"batch": {"color": 1}}}, "not a search"),
    ],
)
def test_what_is_no_search_is_refused(value: Any, words: str) -> None:
    with pytest.raises(JobError, match=words):
        search_from_json(value)


def test_a_space_that_no_run_allows_is_refused_at_once(place: Place) -> None:
    for space, words in (
        ({"colour": {"choices": ["red"]}}, "no option 'colour'"),
        ({"augmentation.colour": {"choices": [1]}}, "no option 'augmentation.colour'"),
        ({"batch": {"choices": [32, -1]}}, "batch cannot be -1"),
    ):
        with pytest.raises(JobError, match=words):
            control.submit(place.workspace, place.store, _order(place, {"space": space}))
    assert control.runs(place.workspace) == ()


def test_inner_options_are_named_with_a_point() -> None:
    options = {"network_options": {"filters": 4}, "augmentation": {"noise": 0.0}, "batch": 1}
    values = {"network_options.depth": 3, "augmentation.noise": 0.5}
    assert with_values(options, values) == {
        "network_options": {"filters": 4, "depth": 3}, "augmentation": {"noise": 0.5}, "batch": 1,
    }  # fmt: skip
    assert options["augmentation"] == {"noise": 0.0}
    assert search_from_json(Search({"batch": Dimension((1, 2))}).to_json()).space == {
        "batch": Dimension((1, 2))
    }
