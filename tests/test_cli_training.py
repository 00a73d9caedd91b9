"""Pre-training on the command line, and students that start from it, by name."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ecgcore.cli import main
from ecgcore.training import pretraining
from tests.packed_example import write_packed

FEW = ["epochs=2", "batch=8", "size=8", "queue=16", 'network_options={"filters":8}', 'leads=["I"]']


@pytest.fixture
def packed(tmp_path: Path) -> str:
    return str(write_packed(tmp_path / "packed.npz"))


def _lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def _pretrain(packed: str, folder: Path, *settings: str) -> int:
    words = ["pretrain", "--json", "--network", "inception", "--data", packed, "--run"]
    return main([*words, str(folder), "--set", *FEW, *settings])


def test_teacher_pretraining_and_student_by_name(
    packed: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _pretrain(packed, tmp_path / "anywhere") == 0
    *rows, last = _lines(capsys)
    assert [row["epoch"] for row in rows] == [1, 2]
    start = tmp_path / "anywhere" / "start"
    assert (last["start"], last["folder"]) == ("clecg_inception", str(start))
    assert json.loads((start / "start.json").read_text())["data"]["records"] == 80  # folds 1-8

    small = ["epochs=1", "batch=10", "fewest_positives=5", "fewest_validation_positives=1"]
    small += ["network=inception", 'network_options={"filters":8}']
    teacher = tmp_path / "somewhere"
    words = ["train", "--json", "--recipe", "mvkt_teacher", "--set", *small]
    assert main([*words, "--data", packed, "--run", str(teacher)]) == 0
    words = ["train", "--json", "--recipe", "mvkt_clecg", "--set", *small]
    words += [f"teacher={teacher}/model", f"start={start}", "--data", packed, "--run"]
    assert main([*words, str(tmp_path / "student")]) == 0
    text = (tmp_path / "student" / "model" / "card.json").read_text()
    assert str(tmp_path) not in text
    card = json.loads(text)
    assert card["training"]["start"] == ["clecg_inception", last["weights_sha256"]]
    assert "teacher=runs/mvkt_teacher/model start=runs/clecg_inception/start" in card["command"]


def test_a_model_to_start_from_is_named_as_its_run_is(packed: str, tmp_path: Path) -> None:
    small = ["epochs=1", "batch=10", "fewest_positives=5", "fewest_validation_positives=1"]
    words = ["train", "--json", "--recipe", "inception", "--data", packed, "--set", *small]
    assert main([*words, 'network_options={"filters":8}', "--run", str(tmp_path / "one")]) == 0
    words += ['network_options={"filters":8}', f"start={tmp_path}/one/model"]
    assert main([*words, "--run", str(tmp_path / "two")]) == 0
    card = json.loads((tmp_path / "two" / "model" / "card.json").read_text())
    assert "start=runs/inception/model" in card["command"]


def test_an_interrupted_pretraining_goes_on(
    packed: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    whole = pretraining.write_epoch

    def interrupt(*arguments: Any) -> None:
        whole(*arguments)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(pretraining, "write_epoch", interrupt)
        assert _pretrain(packed, tmp_path / "run") == 130
    assert "pretrain: interrupted; the same command goes on from here" in capsys.readouterr().err
    assert _pretrain(packed, tmp_path / "run") == 0
    assert [row.get("epoch") for row in _lines(capsys)] == [2, None]


def test_what_cannot_be_done_is_said(
    packed: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = {"filters=3": "no option filters; known: ", "leads=I": "leads 'I'; must be of the type",
             'network_options={"foo":1}': "has no option foo"}  # fmt: skip
    for setting, sentence in wrong.items():
        assert _pretrain("none.npz", tmp_path / "run", setting) == 2
        assert sentence in capsys.readouterr().err
    assert main(["pretrain", "--network", "foo", "--data", "x.npz", "--run", "r"]) == 2
    assert "unknown network 'foo'; known: " in capsys.readouterr().err
    assert _pretrain("none.npz", tmp_path / "run") == 3
    assert _lines(capsys)[0]["error"] == "PackedDataError"
    assert _pretrain(packed, tmp_path / "run", "batch=500") == 3
    assert "80 records make no batch of 500" in _lines(capsys)[0]["message"]
    assert not (tmp_path / "run").exists()


def test_several_workers_are_refused(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "ecgcore", "pretrain", "--network", "inception"]
    done = subprocess.run(
        [*words, "--data", "x.npz", "--run", str(tmp_path / "run")],
        env={**os.environ, "WORLD_SIZE": "2", "RANK": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "runs in one process; give the command without torchrun" in done.stderr
