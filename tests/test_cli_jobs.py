"""Runs that outlive the terminal, from the command line."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ecgcore.cli import main
from tests.jobs.conftest import Place, place

__all__ = ["place"]

SMALL = [
    "network=inception", "label_set=superclasses", 'network_options={"filters":4}', "batch=10",
    "fewest_positives=5", "fewest_validation_positives=1",
]  # fmt: skip


def _jobs(capsys: pytest.CaptureFixture[str], *words: str) -> list[dict[str, Any]]:
    assert main(["jobs", *words, "--json"]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_run_is_started_stopped_and_listed(
    place: Place,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ECG_WORKSPACE", str(place.workspace.root))
    start = ["start", "--data", str(place.data), "--name", "mine", "--as", "ada", "--set", *SMALL]
    (row,) = _jobs(capsys, *start, "epochs=100000")
    run = row["run"]
    assert (row["name"], row["state"]) == ("mine", "queued")
    place.await_(run, lambda one: one.live is not None and one.live.epoch > 1)
    (row,) = _jobs(capsys, "list")
    assert row["live"]["phase"] == "training"
    _jobs(capsys, "pause", run)
    place.await_state(run, "paused")
    _jobs(capsys, "resume", run)
    place.await_state(run, "running")
    _jobs(capsys, "stop", run)
    place.await_state(run, "stopped")
    (row,) = _jobs(capsys, "log", run)
    assert "stopped Stopped: saved after step" in row["log"]
    assert main(["jobs", "pause", run]) == 2
    assert "is stopped; it cannot be told to pause" in capsys.readouterr().err
    assert main(["jobs", "stop", "nothing"]) == 2
    assert "there is no run 'nothing'" in capsys.readouterr().err


def test_a_run_of_nothing_is_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ECG_WORKSPACE", str(tmp_path))
    assert main(["jobs", "start", "--set", *SMALL]) == 2
    assert "nothing to learn from" in capsys.readouterr().err
    assert main(["jobs", "start", "--data", "x.npz", "--set", "batch=3"]) == 2
    assert "name label_set and network by --set" in capsys.readouterr().err
