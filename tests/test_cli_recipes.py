"""Recipes on the command line: listed with their sources, and run by name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ecgcore.cli import main
from ecgcore.training.recipes import recipes
from tests.packed_example import write_packed


def _lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_every_recipe_is_listed_with_its_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["recipes", "--json"]) == 0
    rows = {row["recipe"]: row for row in _lines(capsys)}
    assert set(rows) == set(recipes())
    shipped = rows["inception"]
    assert shipped["based_on"] == "inception_paper"
    assert {"option": "epochs", "value": 30, "origin": "scaled"}.items() <= next(
        change for change in shipped["changes"] if change["option"] == "epochs"
    ).items()
    paper = {one["option"]: one for one in rows["inception_paper"]["numbers"]}
    assert paper["batch"]["value"] == 30 and paper["batch"]["why"].startswith("Loss function")
    assert rows["inception_paper"]["options"]["epochs"] == 15
    assert "--recipe mvkt --set teacher=" in rows["mvkt"]["command"]
    assert "start=" not in rows["mvkt"]["command"]
    starts = "--recipe mvkt_clecg --set teacher=TEACHER/model start=CLECG/start --data"
    assert starts in rows["mvkt_clecg"]["command"]
    assert "teacher" not in rows["mvkt_teacher"]["command"].replace("mvkt_teacher", "")


def test_the_list_is_short_and_a_named_recipe_whole(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["recipes"]) == 0
    text = capsys.readouterr().out
    assert len(text.splitlines()) <= 5 * len(recipes())
    assert "recipe: hrnn_lambda_0_paper" in text
    assert "changes: objective_options.lambda 0" in text
    assert main(["recipes", "cnn_te_paper"]) == 0
    text = capsys.readouterr().out
    assert "section 4: batches of 256 recordings" in text and "recipe: hrnn" not in text
    assert main(["recipes", "cnn"]) == 2
    assert "unknown recipe 'cnn'; known: " in capsys.readouterr().err


def test_a_student_without_a_teacher_is_refused_first(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["train", "--recipe", "mvkt", "--data", "none.npz", "--run", str(tmp_path / "run")]
    assert main(words) == 2
    assert "mvkt learns from a teacher; train one and name its folder: --set teacher=RUN/model" in (
        capsys.readouterr().err
    )


def test_a_student_without_its_start_is_refused_first(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["train", "--recipe", "mvkt_clecg", "--set", "teacher=RUN/model"]
    assert main([*words, "--data", "none.npz", "--run", str(tmp_path / "run")]) == 2
    said = capsys.readouterr().err
    assert "starts from CLECG's weights; pre-train xresnet1d101 (python -m ecgcore pre" in said
    assert "--set start=RUN/start" in said


def test_teacher_and_student_are_trained_by_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    packed = str(write_packed(tmp_path / "packed.npz"))
    small = ["epochs=1", "batch=10", "fewest_positives=5", "fewest_validation_positives=1"]
    small += ["network=inception", 'network_options={"filters":8}']
    teacher = str(tmp_path / "teacher")
    words = ["train", "--json", "--recipe", "mvkt_teacher", "--set", *small]
    assert main([*words, "--data", packed, "--run", teacher]) == 0
    assert _lines(capsys)[-1]["model"] == "mvkt_teacher"
    words = ["train", "--json", "--recipe", "mvkt", "--set", *small]
    words += [f"teacher={teacher}/model"]
    assert main([*words, "--data", packed, "--run", str(tmp_path / "student")]) == 0
    card = json.loads((tmp_path / "student" / "model" / "card.json").read_text())
    assert card["spec"]["leads"] == ["I"]
    assert card["training"]["options"]["objective_options"]["negatives"] == 1024
