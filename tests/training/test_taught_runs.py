"""Whole runs with the papers' objectives: a student of lead I under a frozen teacher, and HRNN."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from ecgcore.datasets.packed import PackedData, load_packed
from ecgcore.models.predictor import read_predictor
from ecgcore.training.checkpoint import TrainingError, read_checkpoint
from ecgcore.training.loop import train
from ecgcore.training.options import TrainOptions, options_from_json
from ecgcore.training.publish import publish
from tests.models.example import example_recording
from tests.packed_example import write_packed
from tests.training.example_model import trained_model
from tests.training.test_loop import OPTIONS

TAUGHT = ("mkd", "kd", "fitnet", "attention_transfer", "mvkt")
NEGATIVES = {"negatives": 16.0}
EPOCHS = {"mvkt": 6}
"""In which a loss falls; four for the others."""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> PackedData:
    return load_packed(write_packed(tmp_path_factory.mktemp("packed") / "packed.npz"))


@pytest.fixture(scope="module")
def teacher(data: PackedData, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a trained twelve-lead model."""
    return trained_model(OPTIONS, data, tmp_path_factory.mktemp("teacher"))


def student(objective: str, teacher: Path) -> TrainOptions:
    """A student of lead I."""
    return replace(
        OPTIONS,
        leads=("I",),
        objective=objective,
        objective_options=NEGATIVES if objective == "mvkt" else {},
        teacher=str(teacher),
    )


def _digest(folder: Path) -> str:
    return hashlib.sha256((folder / "weights.safetensors").read_bytes()).hexdigest()


@pytest.mark.parametrize("objective", TAUGHT)
def test_a_student_of_one_lead_learns_under_a_teacher_of_twelve(
    objective: str, data: PackedData, teacher: Path, tmp_path: Path
) -> None:
    before = _digest(teacher)
    options = student(objective, teacher)
    assert options_from_json(options.to_json()) == options
    trained = train(replace(options, epochs=EPOCHS.get(objective, 4)), data, tmp_path)
    losses = [row["loss"] for row in trained.progress.history]
    assert losses[-1] < 0.95 * losses[0]
    card = publish("made", options, data, trained, folder=tmp_path / "model", command="-")
    assert card.spec.leads == ("I",)
    answer = read_predictor(tmp_path / "model").predict(example_recording())
    assert len(answer.labels) == 5
    assert _digest(teacher) == before


@pytest.mark.parametrize("objective", TAUGHT)
def test_a_student_in_bfloat16_is_compared_with_its_teacher_in_float32(
    objective: str, data: PackedData, teacher: Path, tmp_path: Path
) -> None:
    options = replace(student(objective, teacher), epochs=1)
    whole = train(options, data, tmp_path / "whole").progress.history[0]["loss"]
    half = train(replace(options, precision="bfloat16"), data, tmp_path / "half")
    assert half.progress.history[0]["loss"] == pytest.approx(whole, rel=0.05)


def test_a_run_with_a_memory_and_projections_resumes_to_the_bit(
    data: PackedData, teacher: Path, tmp_path: Path
) -> None:
    options = replace(student("mvkt", teacher), epochs=3)
    train(options, data, tmp_path / "whole")
    for epochs in (1, 2, 3):
        torch.manual_seed(50 + epochs)
        short = replace(options, epochs=epochs, schedule="constant")
        if epochs == 3:
            train(replace(options, schedule="constant"), data, tmp_path / "constant")
        _one_epoch(short, replace(options, schedule="constant"), data, tmp_path / "parts")
    whole, parts = (read_checkpoint(tmp_path / name) for name in ("constant", "parts"))
    assert whole is not None
    assert parts is not None
    assert any("memory" in name for name in whole.objective)
    for part in ("weights", "objective", "optimiser"):
        one, two = getattr(whole, part), getattr(parts, part)
        assert set(one) == set(two)
        assert all(torch.equal(one[name], two[name]) for name in one)


def _one_epoch(short: TrainOptions, options: TrainOptions, data: PackedData, folder: Path) -> None:
    from ecgcore.training.loop import Run
    from ecgcore.training.records import split

    assert short.epochs <= options.epochs
    parts = [split(data, options, f) for f in (options.train_folds, options.validation_folds)]
    Run(options, *parts, folder, data_sha256=data.sha256).epoch()


@pytest.mark.parametrize("objective", TAUGHT)
def test_without_a_teacher_it_is_refused(objective: str, data: PackedData, tmp_path: Path) -> None:
    options = replace(OPTIONS, objective=objective)
    with pytest.raises(TrainingError, match="learns from a teacher; set the option teacher"):
        train(options, data, tmp_path)


def test_hrnns_loss_trains_hrnn_and_no_other(data: PackedData, tmp_path: Path) -> None:
    small = {"blocks": [1, 1, 1, 1], "channels": [8, 8, 16, 16]}
    options = replace(
        OPTIONS, network="hrnn", network_options=small, objective="hrnn", epochs=2, batch=20
    )
    losses = [row["loss"] for row in train(options, data, tmp_path / "a").progress.history]
    assert losses[-1] < losses[0]
    with pytest.raises(TrainingError, match="train the network hrnn with it"):
        train(replace(OPTIONS, objective="hrnn"), data, tmp_path / "b")


def test_every_objective_may_be_told_numbers_only_of_its_own() -> None:
    with pytest.raises(ValueError, match="objective mvkt has no option hints; known: mkd, kl, clt"):
        replace(OPTIONS, objective="mvkt", objective_options={"hints": 1.0})
