"""Runs as processes: they end with a model, wait for each other, and do what people ask."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from safetensors.torch import load_file

from ecgcore.cli import main
from ecgcore.jobs import control
from ecgcore.jobs.folder import (
    epochs_of,
    labels_of_epochs,
    losses_of,
    read_live,
    read_wish,
    write_state,
)
from ecgcore.jobs.register import last_words
from ecgcore.jobs.values import Identity, JobError, RunOrder, now
from ecgcore.models.card import read_card
from ecgcore.review.people import Forbidden
from ecgcore.training.checkpoint import CHECKPOINT
from ecgcore.training.loop import train
from ecgcore.training.options import options_from_json
from ecgcore.training.whole_run import joined
from tests.jobs.conftest import PATIENCE_SECONDS, Place
from tests.run_example import write_run

LONG = 100_000
"""Epochs of a run that is not to end by itself."""


def _steps(run: Path) -> int:
    live = read_live(run)
    return 0 if live is None else (live.epoch - 1) * live.steps + live.step


def _saved(run: Path) -> int:
    checkpoint = run / CHECKPOINT
    return checkpoint.stat().st_mtime_ns if checkpoint.exists() else 0


def test_a_run_ends_with_a_model_that_a_command_repeats(place: Place) -> None:
    run = place.submit("mine")
    found = place.await_state(run, "finished", "failed")
    assert found.state == "finished", found.sentence
    card = read_card(found.folder / "model")
    assert card.name == "mine"
    assert "--name mine --data packed.npz --run runs/mine" in card.command
    assert str(found.folder.parent) not in json.dumps(card.to_json())
    assert [row["epoch"] for row in epochs_of(found.folder)] == [1, 2]
    last = labels_of_epochs(found.folder)[-1]
    assert last["epoch"] == 2
    assert 0 <= last["auroc"]["superclasses/MI"] <= 1
    # The folder says so first, the database a moment later.
    place.await_(run, lambda one: last_words(place.store, "ada")[one.id].state == "finished")
    assert last_words(place.store, "ada")[run].name == "mine"
    again = place.workspace.root.parent / "again"
    said = shlex.split(card.command)[3:]
    said[said.index("--data") + 1] = str(place.data)
    said[said.index("--run") + 1] = str(again)
    assert main(said) == 0
    one, two = (load_file(x / "model" / "weights.safetensors") for x in (found.folder, again))
    assert all(one[name].equal(two[name]) for name in one)


def test_runs_at_once_queue_and_one_that_waits_can_be_stopped(place: Place) -> None:
    first, second, third = (
        place.submit(f"run{at}", epochs=LONG if at == 0 else 2) for at in range(3)
    )
    place.await_(first, lambda one: _steps(one.folder) > 3)
    waiting = place.await_(second, lambda one: "waits" in one.sentence)
    assert waiting.state == "queued"
    assert waiting.sentence == "It waits for the run before it on this machine."
    place.await_(
        third, lambda one: one.sentence == "It waits for 2 runs before it on this machine."
    )
    control.stop(place.workspace, place.store, second, "ada")
    assert place.await_state(second, "stopped").sentence.startswith("Stopped: waited for its turn")
    control.stop(place.workspace, place.store, first, "ada")
    place.await_state(first, "stopped")
    assert place.await_state(third, "finished", "failed").state == "finished"


def _assert_as_uninterrupted(place: Place, run: Path, **changes: object) -> None:
    options = options_from_json(place.order(**changes).options)
    whole = train(options, joined([place.data]), place.workspace.root.parent / "whole")
    kept = load_file(run / "model" / "weights.safetensors")
    assert set(kept) == set(whole.weights)
    assert all(kept[name].equal(whole.weights[name]) for name in kept)


def test_a_paused_and_twice_killed_run_ends_with_the_weights_of_an_undisturbed_one(
    place: Place,
) -> None:
    run = place.submit(epochs=24, average=0.9)
    place.await_(run, lambda one: _steps(one.folder) > 3)
    control.pause(place.workspace, place.store, run, "ada")
    paused = place.await_state(run, "paused")
    assert "saved after step" in paused.sentence
    assert not (paused.folder / "model" / "card.json").exists()
    control.resume(place.workspace, place.store, run, "ada")
    for _ in range(2):
        place.await_state(run, "running")
        saved = _saved(place.workspace.root / "runs" / run)
        place.await_(run, lambda one, saved=saved: _saved(one.folder) > saved)
        place.process(run).kill()
        found = place.await_state(run, "interrupted")
        assert "ended without a word" in found.sentence
        assert control.tend(place.workspace) == (run,)
        assert control.tend(place.workspace) == ()
    done = place.await_state(run, "finished", "failed")
    assert done.state == "finished", done.sentence
    assert [row["epoch"] for row in epochs_of(done.folder)] == list(range(1, 25))
    steps = losses_of(done.folder)[0]
    assert (steps[1:] > steps[:-1]).all()
    _assert_as_uninterrupted(place, done.folder, epochs=24, average=0.9)


def test_a_run_that_only_dies_is_left_alone(place: Place) -> None:
    run = place.submit(epochs=LONG, batch=60)
    folder = place.workspace.root / "runs" / run
    for death in range(control.MOST_DEATHS):
        place.process(run).kill()
        place.await_state(run, "interrupted")
        (folder / "checkpoint.safetensors").unlink(missing_ok=True)  # nothing was saved
        assert bool(control.tend(place.workspace)) == (death < control.MOST_DEATHS - 1)
    found = control.status(place.workspace, run)
    assert found.state == "failed"
    assert "want of memory" in found.sentence


def test_a_number_that_another_process_has_now_is_not_the_run(place: Place) -> None:
    run = place.submit(epochs=LONG)
    place.await_state(run, "running")
    folder, process = place.workspace.root / "runs" / run, place.process(run)
    process.kill()
    place.await_state(run, "interrupted")
    host, boot = control.this_machine()
    write_state(folder, "running", "", Identity(host, boot, os.getpid(), 1.0), now())
    assert control.status(place.workspace, run).state == "interrupted"
    write_state(folder, "running", "", Identity(host, "another boot", os.getpid(), 1.0), now())
    assert control.status(place.workspace, run).state == "interrupted"


def test_a_run_of_another_machine_is_watched_by_its_word(place: Place) -> None:
    folder = write_run(place.workspace, place.order(), "far", "running")
    write_state(folder, "running", "", Identity("another-machine", "boot", 1, 1.0), now())
    live = json.loads((folder / "live.json").read_text())
    for age, state in ((0, "running"), (60, "interrupted")):
        (folder / "live.json").write_text(json.dumps({**live, "at": time.time() - age}))
        assert control.status(place.workspace, "far").state == state
    assert control.tend(place.workspace) == ()


def test_a_word_is_at_most_two_seconds_old_and_a_machine_that_shuts_down_saves(
    place: Place,
) -> None:
    run = place.submit(epochs=LONG)
    found = place.await_(run, lambda one: _steps(one.folder) > 3)
    ages = []
    for _ in range(20):
        live = read_live(found.folder)
        assert live is not None
        ages.append(time.time() - live.at)
        time.sleep(0.1)
    assert max(ages) < 2
    assert live.loss is not None
    assert live.records_per_second is not None
    assert live.seconds_left is not None
    place.process(run).send_signal(signal.SIGTERM)
    found = place.await_state(run, "interrupted")
    assert "saved after step" in found.sentence
    assert control.tend(place.workspace) == (run,)
    place.await_state(run, "running")


def test_a_run_in_a_terminal_shows_up_and_can_be_stopped(place: Place) -> None:
    folder = place.workspace.root / "runs" / "by-hand"
    order = place.order("by_hand", epochs=LONG)
    told = place.workspace.root.parent / "options.json"
    told.write_text(json.dumps(order.options))
    words = ["-m", "ecgcore", "train", "--options", str(told), "--data", *order.data, "--run"]
    with subprocess.Popen([sys.executable, *words, str(folder)], stdout=subprocess.DEVNULL) as run:
        until = time.monotonic() + PATIENCE_SECONDS
        while not (folder / "state.json").exists() and time.monotonic() < until:
            time.sleep(0.05)
        seen = place.await_("by-hand", lambda one: _steps(one.folder) > 3)
        assert (seen.state, seen.order) == ("running", None)
        control.stop(place.workspace, place.store, "by-hand", "ada")
        assert run.wait(PATIENCE_SECONDS) == 130
    assert control.status(place.workspace, "by-hand").state == "stopped"


def test_who_may_not_train_starts_and_stops_nothing(place: Place) -> None:
    place.store.grant("ada", "rita", "reader")
    order = RunOrder(**{**vars(place.order()), "asked_by": "rita"})
    with pytest.raises(Forbidden, match="rita is reader and may not train"):
        control.submit(place.workspace, place.store, order)
    assert control.runs(place.workspace) == ()
    write_run(place.workspace, place.order(), "of-ada", "running")
    for act in (control.pause, control.stop):
        with pytest.raises(Forbidden):
            act(place.workspace, place.store, "of-ada", "rita")
    assert read_wish(place.workspace.root / "runs" / "of-ada") == "run"


@pytest.mark.parametrize("name", ["../up", "", "a b", "-x", "é", "x" * 61, "UP"])
def test_hostile_names_are_refused(name: str) -> None:
    with pytest.raises(JobError, match="name"):
        RunOrder(name, {}, ("/data.npz",))


def test_what_cannot_begin_is_refused_at_once(place: Place) -> None:
    whole = vars(place.order())
    for changes, words in (
        ({"options": {"network": "inception"}}, "options cannot be used"),
        ({"data": ("/nowhere/packed.npz",)}, "is not there"),
        ({"options": {**place.order().options, "objective": "mvkt"}}, "learns from a teacher"),
        ({"options": {**place.order().options, "start": "/nowhere"}}, "start cannot be used"),
    ):
        with pytest.raises(JobError, match=words):
            control.submit(place.workspace, place.store, RunOrder(**{**whole, **changes}))
    with pytest.raises(JobError, match="no run"):
        control.status(place.workspace, "../runs")
