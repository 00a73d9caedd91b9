"""Objectives with weights, a memory and draws of their own; leads, teachers and label graphs."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from ecgcore.datasets.packed import PackedData, load_packed
from ecgcore.models.card import CARD
from ecgcore.models.label_graph import co_occurrence_graph
from ecgcore.models.predictor import read_predictor
from ecgcore.recording import LEADS
from ecgcore.training.checkpoint import (
    CHECKPOINT,
    CheckpointError,
    TrainingError,
    Weights,
    read_checkpoint,
    write_checkpoint,
)
from ecgcore.training.loop import Run, train
from ecgcore.training.objective_of import OBJECTIVES, Kind, Making
from ecgcore.training.objectives import Step, StepObjective, binary_cross_entropy
from ecgcore.training.options import TrainOptions
from ecgcore.training.publish import publish
from ecgcore.training.records import loaded_leads, split
from tests.models.example import example_recording
from tests.packed_example import write_packed
from tests.training.test_loop import OPTIONS as PLAIN


class Remembering(StepObjective):
    """A made-up objective that uses all that a step holds and keeps every kind of state."""

    memory: Tensor
    draws: Tensor

    def __init__(self, making: Making) -> None:
        super().__init__()
        labels = making.targets.shape[1]
        self.projection = nn.Linear(labels, labels)
        self.frozen = nn.Parameter(torch.ones(labels), requires_grad=False)
        self.register_buffer("memory", torch.zeros(len(making.targets), labels))
        self.register_buffer("draws", torch.Generator().manual_seed(7).get_state())
        self.teacher = making.teacher
        self.seen: list[Step] = []

    def forward(self, step: Step) -> Tensor:
        generator = torch.Generator()
        generator.set_state(self.draws)
        noise = torch.rand(step.logits.shape, generator=generator)
        self.draws.copy_(generator.get_state())
        near = (self.projection(step.logits) - self.memory[step.rows] - noise).square().mean()
        self.memory[step.rows] = 0.5 * self.memory[step.rows] + 0.5 * step.logits.detach()
        self.seen.append(step)
        return self.of_labels(step.logits, step.targets) + 0.1 * near

    def of_labels(self, logits: Tensor, targets: Tensor) -> Tensor:
        return binary_cross_entropy(logits, targets)


@pytest.fixture(autouse=True)
def remembering(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(OBJECTIVES, "remembering", Kind((), Remembering))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> PackedData:
    return load_packed(write_packed(tmp_path_factory.mktemp("packed") / "packed.npz"))


def _options() -> TrainOptions:
    """Made in a test, where the objective's name is known."""
    return replace(PLAIN, objective="remembering", epochs=3, leads=("II", "V2"))


def _run(options: TrainOptions, data: PackedData, folder: Path) -> Run:
    parts = [split(data, options, folds) for folds in (options.train_folds, (7, 8, 9))]
    return Run(options, parts[0], parts[1], folder, data_sha256=data.sha256)


def _same(one: Weights, two: Weights) -> bool:
    return set(one) == set(two) and all(torch.equal(one[name], two[name]) for name in one)


@pytest.mark.parametrize("sampling", ["uniform", "oversampling", "class_balanced"])
def test_a_run_with_state_of_every_kind_resumes_to_the_bit(
    sampling: str, data: PackedData, tmp_path: Path
) -> None:
    options = replace(_options(), sampling=sampling)
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    train(options, data, whole)
    for number in range(options.epochs):
        torch.manual_seed(number + 100)
        _run(options, data, parts).epoch()
    one, two = read_checkpoint(whole), read_checkpoint(parts)
    assert one is not None and two is not None
    assert set(one.objective) == {
        "memory", "draws", "frozen", "projection.weight", "projection.bias"
    }  # fmt: skip
    for part in ("weights", "averaged", "best", "objective", "optimiser", "random"):
        assert _same(getattr(one, part), getattr(two, part)), part


def test_the_objectives_weights_learn_and_its_frozen_ones_do_not(
    data: PackedData, tmp_path: Path
) -> None:
    run = _run(_options(), data, tmp_path)
    before = {name: value.clone() for name, value in run.objective.state_dict().items()}
    row = run.epoch()
    after = run.objective.state_dict()
    assert torch.equal(before["frozen"], after["frozen"])
    for name in ("memory", "draws", "projection.weight", "projection.bias"):
        assert not torch.equal(before[name], after[name])
    assert isinstance(run.objective, Remembering)
    assert sorted(torch.cat([step.rows for step in run.objective.seen]).tolist()) == list(range(60))
    assert row["validation_loss"] < 2  # of labels alone: validation records have no rows


def test_a_lost_objective_is_missed(data: PackedData, tmp_path: Path) -> None:
    train(replace(_options(), epochs=1), data, tmp_path)
    found = read_checkpoint(tmp_path)
    assert found is not None
    write_checkpoint(tmp_path, replace(found, objective={}))
    with pytest.raises(CheckpointError, match="another objective"):
        train(replace(_options(), epochs=1), data, tmp_path)


def test_a_run_from_before_an_option_existed_goes_on(data: PackedData, tmp_path: Path) -> None:
    train(replace(PLAIN, epochs=1), data, tmp_path)
    found = read_checkpoint(tmp_path)
    assert found is not None
    older = {key: value for key, value in found.options.items() if key != "sampling"}
    write_checkpoint(tmp_path, replace(found, options=older))
    assert train(replace(PLAIN, epochs=1), data, tmp_path).progress.epoch == 1


def _model(options: TrainOptions, data: PackedData, folder: Path) -> Path:
    trained = train(options, data, folder)
    publish("made", options, data, trained, folder=folder / "model", command="-")
    return folder / "model"


def test_a_model_of_fewer_leads_says_so_and_answers(data: PackedData, tmp_path: Path) -> None:
    options = replace(PLAIN, leads=("V2", "I"), epochs=6)
    predictor = read_predictor(_model(options, data, tmp_path))
    assert predictor.card.spec.leads == ("V2", "I")
    recording = example_recording()
    others = [lead for lead in LEADS if lead not in ("V2", "I")]
    changed = recording.signal.copy()
    changed[[recording.leads.index(lead) for lead in others]] *= 2
    one = predictor.predict(recording)
    two = predictor.predict(replace(recording, signal=changed))
    assert [label.probability for label in one.labels] == [p.probability for p in two.labels]
    assert any(row["auroc"] > 0.8 for row in predictor.card.metrics["labels"])  # V2 has the wave


def test_a_teachers_leads_are_loaded_and_it_sees_them_in_its_order(
    data: PackedData, tmp_path: Path
) -> None:
    folder = _model(replace(PLAIN, leads=("V5", "V2", "I"), epochs=1), data, tmp_path / "teacher")
    options = replace(_options(), teacher=str(folder), epochs=1)
    assert loaded_leads(options) == ("II", "V2", "V5", "I")
    run = _run(options, data, tmp_path / "student")
    run.epoch()
    assert isinstance(run.objective, Remembering) and run.objective.teacher is not None
    assert run.objective.teacher.rows == (2, 1, 3)
    step = run.objective.seen[0]
    assert step.whole.shape[1] == 4 and step.inputs.shape[1] == 2
    assert torch.equal(step.whole[:, :2], step.inputs)
    student = publish("s", options, data, train(options, data, tmp_path / "student"),
                      folder=tmp_path / "out", command="-")  # fmt: skip
    assert student.spec.leads == ("II", "V2")
    assert student.training["options"]["teacher"] == "made"
    assert str(tmp_path) not in (tmp_path / "out" / CARD).read_text()


def test_a_teacher_that_does_not_fit_is_refused(data: PackedData, tmp_path: Path) -> None:
    folder = _model(replace(PLAIN, epochs=1), data, tmp_path / "teacher")
    told = replace(_options(), teacher=str(folder), epochs=1)

    def refused(options: TrainOptions, sentence: str) -> None:
        with pytest.raises(TrainingError, match=sentence):
            train(options, data, tmp_path / "another")

    refused(
        replace(told, network="ecgencode_m2", network_options={}), "choose a teacher of the sam"
    )
    refused(replace(told, label_set="statements"), "answers for other labels than the 71 statem")
    refused(replace(told, teacher=str(tmp_path / "none")), "the teacher cannot be used")
    card = json.loads((folder / CARD).read_text())
    short = card | {"spec": card["spec"] | {"seconds": 5.0}}
    (folder / CARD).write_text(json.dumps(short))
    refused(told, r"reads 5 s at \d+ Hz, inception 10 s at \d+ Hz; choose a teacher of the same")
    (folder / CARD).write_text(json.dumps(card | {"weights_sha256": "0" * 64}))
    refused(told, "not the weights that")


def test_a_run_does_not_go_on_with_another_teacher(data: PackedData, tmp_path: Path) -> None:
    folder = _model(replace(PLAIN, epochs=1), data, tmp_path / "teacher")
    told = replace(_options(), teacher=str(folder), epochs=1)
    train(told, data, tmp_path / "student")
    assert train(told, data, tmp_path / "student").progress.epoch == 1
    other = replace(PLAIN, epochs=1, seed=1)
    publish("made", other, data, train(other, data, tmp_path / "other"), folder=folder, command="-")
    with pytest.raises(CheckpointError, match="with another teacher"):
        train(told, data, tmp_path / "student")


def test_a_label_graph_is_counted_in_training_and_kept(data: PackedData, tmp_path: Path) -> None:
    options = replace(
        PLAIN,
        network="mlwgat",
        network_options={"channels": [4, 8], "blocks": 1, "node": 4, "heads": 2},
        leads=("V2",),
        epochs=1,
        train_folds=(1, 2),
    )
    options = replace(options, batch=20, average=0.0)
    model = read_predictor(_model(options, data, tmp_path))
    expected = co_occurrence_graph(data.select((1, 2)).targets["superclasses"])
    prior = model.network.state_dict()["prior"].cpu().numpy()
    np.testing.assert_array_equal(prior, expected)
    assert (tmp_path / CHECKPOINT).exists()
    given = np.full((5, 5), 0.2, dtype=np.float32)
    stated = {**options.network_options, "graph": given.tolist()}
    run = _run(replace(options, network_options=stated), data, tmp_path / "stated")
    np.testing.assert_array_equal(run.network.state_dict()["prior"].cpu().numpy(), given)
