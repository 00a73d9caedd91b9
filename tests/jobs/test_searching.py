"""A search tries values, keeps the best as the model, and goes on after a kill."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ecgcore.jobs import control, searching
from ecgcore.jobs.folder import epochs_of, losses_of, trial_folder, trials_of
from ecgcore.jobs.search_space import Dimension, Search, search_from_json, with_values
from ecgcore.jobs.searching import best_of, score_of
from ecgcore.jobs.values import JobError, RunOrder
from ecgcore.models.card import read_card
from ecgcore.training.checkpoint import PROGRESS
from ecgcore.training.options import TrainOptions, options_from_json
from ecgcore.training.publish import LIMITS
from ecgcore.training.watching import UNWATCHED, RunStopped, Watch
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
    assert any("the best of 4 trials" in one for one in card.limits)
    assert set(LIMITS) < set(card.limits)
    assert len(losses_of(trial_folder(folder, 4))[0])
    assert {row["trial"] for row in epochs_of(folder)} == {1, 2, 3, 4}


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


class Learner:
    """In the place of training: each epoch's score is one of ``scores`` by the learning rate, kept
    in the run's folder; it stops where ``stops_at`` says so, once."""

    def __init__(self) -> None:
        self.rates: list[float] = []
        self.stops_at: tuple[int, int] | None = None
        self.raises: dict[int, BaseException] = {}
        self.course = [0.5, 0.6, 0.7]

    def __call__(
        self, options: TrainOptions, data: Any, folder: Path, report: Any, *, watch: Watch
    ) -> None:
        number = int(folder.name)
        self.rates.append(options.learning_rate)
        if number in self.raises:
            raise self.raises[number]
        folder.mkdir(parents=True, exist_ok=True)
        done = len(epochs_of(folder))
        for epoch, score in enumerate(self.course[done:], start=done + 1):
            if self.stops_at == (number, epoch):
                self.stops_at = None
                raise RunStopped("saved after step 1")
            row = {"epoch": epoch, "validation_auroc": score}
            with (folder / PROGRESS).open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
            report(row)


@pytest.fixture
def learner(monkeypatch: pytest.MonkeyPatch) -> Learner:
    found = Learner()
    monkeypatch.setattr(searching, "train_model", found)
    return found


RANGE = {"space": {"learning_rate": {"low": 1e-4, "high": 0.1, "log": True}}}


def _search(place: Place, trials: int, watch: Watch = UNWATCHED, **changes: Any) -> Any:
    search = search_from_json({**RANGE, "trials": trials})
    options = options_from_json(place.order(**changes).options)
    folder = place.workspace.root / "search"
    return best_of(search, options, None, folder, report=lambda row: None, watch=watch)  # type: ignore[arg-type]


def test_a_search_that_goes_on_tries_new_values(place: Place, learner: Learner) -> None:
    for stop in ((3, 2), (5, 1)):
        learner.stops_at = stop
        with pytest.raises(RunStopped):
            _search(place, 7)
    _search(place, 7)
    assert len(learner.rates) == 9, "two trials were taken up again"
    assert len(set(learner.rates)) == 7
    assert learner.rates[2] == learner.rates[3] and learner.rates[5] == learner.rates[6]


def test_a_trial_that_is_taken_up_keeps_its_epochs(place: Place, learner: Learner) -> None:
    _search(place, 5)
    learner.course = [0.9, 0.2, 0.2]  # above the median by its first epoch alone
    learner.stops_at = (6, 2)
    with pytest.raises(RunStopped):
        _search(place, 6)
    _, where = _search(place, 6)
    assert where.name == "0006"
    assert trials_of(where.parent.parent)[-1] == {
        "number": 6, "state": "complete", "score": 0.9, "sentence": "",
        "values": {"learning_rate": learner.rates[-1]},
    }  # fmt: skip


def test_what_one_trial_ends_with_does_not_end_the_search(place: Place, learner: Learner) -> None:
    learner.raises = {
        1: RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"),
        2: MemoryError(),
        3: ValueError("the loss would be odd"),
    }
    _, where = _search(place, 4)
    assert where.name == "0004"
    said = [row["sentence"] for row in trials_of(where.parent.parent)]
    assert said == ["The memory ran out."] * 2 + ["The loss would be odd.", ""]
    learner.raises = {5: OSError(28, "No space left on device")}
    with pytest.raises(OSError, match="No space left"):
        _search(place, 5)


def test_a_trial_whose_process_only_dies_is_passed_over(place: Place, learner: Learner) -> None:
    learner.raises = {1: KeyboardInterrupt()}  # nothing of it is caught, as of a kill
    for _ in range(3):
        with pytest.raises(KeyboardInterrupt):
            _search(place, 2)
    learner.raises = {}
    _, where = _search(place, 2)
    assert where.name == "0002"
    assert "ended without a word 3 times" in trials_of(where.parent.parent)[0]["sentence"]


def test_a_search_stops_between_two_trials(place: Place, learner: Learner) -> None:
    class Stops(Watch):
        def wants_stop(self) -> bool:
            return len(learner.rates) == 2

    with pytest.raises(RunStopped, match="saved after 2 of 4 trials"):
        _search(place, 4, Stops())
    assert len(learner.rates) == 2


def test_a_pruned_trial_has_no_score_and_is_no_model(place: Place, learner: Learner) -> None:
    _search(place, 5)
    learner.course = [0.1, 0.99, 0.99]
    _, where = _search(place, 6)
    last = trials_of(where.parent.parent)[-1]
    assert (last["state"], last["score"], where.name) == ("pruned", None, "0001")


def test_the_score_is_of_what_is_kept_and_of_all_members(place: Place) -> None:
    rows = tuple(
        {"member": member, "epoch": epoch, "validation_auroc": score}
        for member, course in ((1, (0.6, 0.9, 0.8)), (2, (0.5, 0.6, 0.7)))
        for epoch, score in enumerate(course, start=1)
    )
    best, last = (options_from_json(place.order(keep=keep).options) for keep in ("best", "last"))
    assert score_of(rows, best) == pytest.approx(0.8)
    assert score_of(rows, last) == pytest.approx(0.75)
    assert score_of(rows[:3], last) == 0.8


@pytest.mark.parametrize(
    ("space", "words"),
    [
        ({"batch": {"low": 10, "high": 12}}, "batch cannot be 10.7"),
        ({"optimiser": {"choices": ["adam", "sgd", "adamw"]}}, "optimiser cannot be 'sgd'"),
        ({"objective": {"choices": ["bce", "mkd", "focal"]}}, "learns from a teacher"),
        ({"network_options.concat": {"choices": ["channels", "up"]}}, "concat cannot be 'up'"),
    ],
)
def test_values_between_the_ends_are_refused_too(
    place: Place, space: dict[str, Any], words: str
) -> None:
    with pytest.raises(JobError, match=words):
        control.submit(place.workspace, place.store, _order(place, {"space": space}))


def test_a_forest_is_not_searched(place: Place) -> None:
    order = _order(place, RANGE, network="forest", network_options={})
    with pytest.raises(JobError, match="trees grow at once"):
        control.submit(place.workspace, place.store, order)


@pytest.mark.parametrize(
    "text",
    ["no json", "{}", "[1]", '[{"number": 1}]', '[{"number": 1, "values": {}, "sentence": "", '
     '"state": "complete", "score": null}]', '[{"number": 1, "values": {}, "sentence": "", '
     '"state": "odd", "score": 1}]'],
)  # fmt: skip
def test_damaged_trials_are_left_out(tmp_path: Path, text: str) -> None:
    (tmp_path / "trials.json").write_text(text)
    assert trials_of(tmp_path) == ()
