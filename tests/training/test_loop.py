"""The training loop: it learns, it resumes to the bit, and it says why it stops."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from ecgcore.datasets.packed import PackedData, load_packed
from ecgcore.models.card import ModelCard, read_card
from ecgcore.models.predictor import read_predictor
from ecgcore.training.augmentation import Augmentation, augment
from ecgcore.training.checkpoint import (
    CHECKPOINT,
    PROGRESS,
    CheckpointError,
    TrainingError,
    Weights,
)
from ecgcore.training.judging import CALIBRATED, NOT_CALIBRATED, OWN_PROBABILITIES
from ecgcore.training.loop import Run, Trained, train
from ecgcore.training.options import TrainOptions, options_from_json
from ecgcore.training.publish import publish
from ecgcore.training.records import split
from ecgcore.training.watching import RunStopped, StepDone, Watch
from tests.models.example import example_recording
from tests.packed_example import write_packed

OPTIONS = TrainOptions(
    network="inception",
    label_set="superclasses",
    network_options={"filters": 8},
    train_folds=(1, 2, 3, 4, 5, 6),
    validation_folds=(7, 8, 9),
    batch=10,
    epochs=4,
    learning_rate=1e-2,
    average=0.9,
    augmentation=Augmentation(shift=0.2, gain=0.1, lead_dropout=0.05, noise=0.1),
    fewest_positives=5,
    attribution="made by a test",
)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> PackedData:
    return load_packed(write_packed(tmp_path_factory.mktemp("packed") / "packed.npz"))


@pytest.fixture(scope="module")
def whole(data: PackedData, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """An undisturbed run, to which others are compared."""
    return train(OPTIONS, data, tmp_path_factory.mktemp("whole"))


@pytest.fixture(scope="module")
def learned(
    data: PackedData, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Trained, ModelCard]:
    """A run long enough to learn what can be, and its model's card."""
    folder = tmp_path_factory.mktemp("learned")
    trained = train(replace(OPTIONS, epochs=12), data, folder)
    card = publish("made", OPTIONS, data, trained, folder=folder / "model", command="-")
    return trained, card


def _equal(one: Weights, two: Weights) -> bool:
    return all(torch.equal(one[name], two[name]) for name in one) and set(one) == set(two)


def test_a_learnable_label_is_learned(learned: tuple[Trained, ModelCard]) -> None:
    trained, card = learned
    losses = [row["loss"] for row in trained.progress.history]
    assert losses[-1] < 0.9 * losses[0]
    rows = {row["code"]: row for row in card.metrics["labels"]}
    assert rows["MI"]["auroc"] > 0.9
    assert rows["MI"]["auroc"] > rows["CD"]["auroc"]


def test_an_interrupted_run_ends_with_the_same_weights(
    data: PackedData, whole: Trained, tmp_path: Path
) -> None:
    for _ in range(OPTIONS.epochs):
        torch.manual_seed(np.random.default_rng().integers(1 << 30))
        _run(OPTIONS, data, tmp_path / "parts").epoch()
    parts = train(OPTIONS, data, tmp_path / "parts")
    assert parts.progress.epoch == OPTIONS.epochs
    assert _equal(whole.weights, parts.weights)
    first, second = whole.progress.history, parts.progress.history
    assert [row["loss"] for row in first] == [row["loss"] for row in second]


def _run(options: TrainOptions, data: PackedData, folder: Path) -> Run:
    return Run(
        options,
        split(data, options, options.train_folds),
        split(data, options, options.validation_folds),
        folder,
        data_sha256=data.sha256,
    )


def test_averaging_follows_the_weights_and_never_leads_them(
    data: PackedData, tmp_path: Path
) -> None:
    one_step = replace(OPTIONS, batch=60, epochs=1, average=0.9)
    run = _run(one_step, data, tmp_path / "averaged")
    before = {name: value.clone() for name, value in run.averaged.items()}
    run.epoch()
    assert run.progress.step == 1
    for name, now in run.network.state_dict().items():
        if now.is_floating_point():  # after the first step the memory is 2 / 11
            expected = before[name] * 2 / 11 + now * 9 / 11
            torch.testing.assert_close(run.averaged[name], expected)
    plain = _run(replace(one_step, average=0.0), data, tmp_path / "plain")
    plain.epoch()
    assert _equal(plain.network.state_dict(), run.network.state_dict())


def test_a_pass_in_bfloat16_steps_nearly_as_in_float32(data: PackedData, tmp_path: Path) -> None:
    whole, half = (
        _run(replace(OPTIONS, precision=precision, epochs=1), data, tmp_path / precision)
        for precision in ("float32", "bfloat16")
    )
    losses = [run.epoch()["loss"] for run in (whole, half)]
    assert losses[0] != losses[1]
    assert losses[1] == pytest.approx(losses[0], rel=0.02)
    assert {value.dtype for value in half.weights} == {torch.float32}


def test_alpha_weighs_a_rare_labels_positives_more(data: PackedData, tmp_path: Path) -> None:
    options = replace(OPTIONS, objective="focal", alpha_balanced=True)
    run = _run(options, data, tmp_path)
    share = run.data.targets.mean(0)
    logits = torch.zeros(1, 5)
    even = 0.5**2 * np.log(2)  # of a probability of one half, gamma 2
    positives = float(run.objective.of_labels(logits, torch.ones(1, 5)))
    assert positives == pytest.approx(float((1 - share).mean()) * even)
    assert float(run.objective.of_labels(logits, torch.zeros(1, 5))) == pytest.approx(
        float(share.mean()) * even
    )


def test_data_without_the_label_set_are_refused(data: PackedData) -> None:
    other = replace(data, targets={"statements": data.targets["statements"]})
    with pytest.raises(
        TrainingError, match=r"has no superclasses; it has statements: .*option label_set"
    ):
        split(other, OPTIONS, OPTIONS.train_folds)


def test_a_run_of_other_options_is_not_continued(data: PackedData, tmp_path: Path) -> None:
    train(replace(OPTIONS, epochs=1), data, tmp_path)
    with pytest.raises(CheckpointError, match="other options"):
        train(replace(OPTIONS, epochs=2), data, tmp_path)
    with pytest.raises(CheckpointError, match="other data"):
        train(replace(OPTIONS, epochs=1), replace(data, sha256="another"), tmp_path)


def test_a_damaged_checkpoint_is_named(data: PackedData, tmp_path: Path) -> None:
    train(replace(OPTIONS, epochs=1), data, tmp_path)
    whole = (tmp_path / CHECKPOINT).read_bytes()
    (tmp_path / CHECKPOINT).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CheckpointError, match="damaged"):
        train(replace(OPTIONS, epochs=1), data, tmp_path)


def test_patience_ends_a_run_and_the_best_epoch_is_kept(data: PackedData, tmp_path: Path) -> None:
    options = replace(OPTIONS, epochs=40, patience=2, learning_rate=1e-7, average=0.0)
    trained = train(options, data, tmp_path)
    assert trained.progress.epoch < 40
    assert trained.progress.epoch - trained.progress.best_epoch == 2
    scores = [row["validation_auroc"] for row in trained.progress.history]
    assert max(scores) == scores[trained.progress.best_epoch - 1]


def test_a_diverging_run_stops_with_a_sentence(data: PackedData, tmp_path: Path) -> None:
    options = replace(OPTIONS, objective="bce", learning_rate=1e30, epochs=30, average=0.0)
    with pytest.raises(TrainingError, match=r"loss is .* lower the learning rate"):
        train(options, data, tmp_path)


def test_a_published_model_answers_as_its_card_says(data: PackedData, tmp_path: Path) -> None:
    trained = train(replace(OPTIONS, epochs=1), data, tmp_path)
    published = publish("made", OPTIONS, data, trained, folder=tmp_path / "model", command="-")
    assert read_card(tmp_path / "model") == published
    predictor = read_predictor(tmp_path / "model")
    assert all(
        torch.equal(trained.weights[k], v) for k, v in predictor.network.state_dict().items()
    )
    assert published.data["attribution"] == "made by a test"


def test_one_model_may_answer_for_two_label_sets(data: PackedData, tmp_path: Path) -> None:
    both = replace(OPTIONS, epochs=1, label_set="statements+superclasses")
    trained = train(both, data, tmp_path)
    card = publish("made", both, data, trained, folder=tmp_path / "model", command="-")
    sets = [label.set for label in card.labels]
    assert sets == ["statements"] * 71 + ["superclasses"] * 5
    named = {(label.set, label.code): label for label in card.labels}
    learnt = data.select(both.train_folds)
    assert named["superclasses", "MI"].n_train == int(learnt.target("superclasses", ("MI",)).sum())
    assert named["statements", "AFIB"].n_train == named["superclasses", "MI"].n_train
    assert named["superclasses", "NORM"].n_train > 0 == named["statements", "NORM"].n_train
    assert named["statements", "NORM"].description != named["superclasses", "NORM"].code
    assert set(card.metrics["answers"]) == {"statements", "superclasses"}
    with pytest.raises(ValueError, match="names a set twice"):
        replace(OPTIONS, label_set="form+form")
    with pytest.raises(ValueError, match="unknown label set 'forms'"):
        replace(OPTIONS, label_set="statements+forms")


def test_a_published_model_is_calibrated_for_the_labels_it_answers(
    data: PackedData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = replace(OPTIONS, epochs=10, objective="focal", alpha_balanced=True)
    trained = train(options, data, tmp_path)
    card = publish("made", options, data, trained, folder=tmp_path / "model", command="-")
    answered = [label.answered for label in card.labels]
    assert [label.code for label in card.labels if label.answered] == ["MI"]
    assert card.temperature != 1
    assert not any(label.shift for label in card.labels if not label.answered)
    assert CALIBRATED in card.limits and NOT_CALIBRATED not in card.limits
    assert {"origin", "ece_uncalibrated", "ece_cross_fitted"} == set(card.calibration)

    validation = data.select(options.validation_folds)
    predictor = read_predictor(tmp_path / "model")
    inputs = validation.inputs(card.spec)
    answers, raw = predictor.probabilities(inputs), torch.from_numpy(predictor.logits(inputs))
    shifts = torch.tensor([label.shift for label in card.labels])
    torch.testing.assert_close(
        torch.from_numpy(answers), torch.sigmoid(raw / card.temperature + shifts)
    )
    share = validation.target("superclasses", ("MI",)).mean()
    assert answers[:, answered].mean() == pytest.approx(share, abs=0.03)

    def worse(targets: np.ndarray, logits: np.ndarray, parts: int, shifting: bool) -> np.ndarray:
        return np.clip(1.0 - targets, 0.01, 0.99)

    monkeypatch.setattr("ecgcore.training.judging.cross_fitted", worse)
    card = publish("made", options, data, trained, folder=tmp_path / "other", command="-")
    assert card.temperature == 1 and not any(label.shift for label in card.labels)
    assert set(card.calibration) == {"origin", "ece_uncalibrated"}
    assert OWN_PROBABILITIES in card.limits and CALIBRATED not in card.limits


def test_a_rare_label_is_not_answered(data: PackedData, tmp_path: Path) -> None:
    options = replace(OPTIONS, epochs=1, fewest_positives=1000)
    trained = train(options, data, tmp_path)
    card = publish("made", options, data, trained, folder=tmp_path / "model", command="-")
    assert all(label.threshold is None for label in card.labels)
    assert card.labels[0].reason is not None and "not enough data" in card.labels[0].reason
    assert card.metrics["macro"]["auroc"] is None
    assert card.calibration == {} and NOT_CALIBRATED in card.limits


def test_a_label_that_may_be_chance_is_scored_but_not_answered(
    learned: tuple[Trained, ModelCard],
) -> None:
    _, card = learned
    answered = {label.code: label.answered for label in card.labels}
    assert answered["MI"]
    assert not all(answered.values())
    for label, row in zip(card.labels, card.metrics["labels"], strict=True):
        assert label.answered == (row["auroc_interval"][0] > 0.5)
        assert label.answered or "from chance" in row["reason"]
    assert card.metrics["macro"]["n_labels"] == 5


def test_plateau_reduces_once_then_rests(data: PackedData, tmp_path: Path) -> None:
    options = replace(OPTIONS, schedule="plateau", learning_rate=1e-9, epochs=6, average=0.0)
    run = train(options, data, tmp_path)
    losses = [row["validation_loss"] for row in run.progress.history]
    rates = [row["learning_rate"] for row in run.progress.history]
    factor, best, rest = 1.0, float("inf"), 0
    for loss, rate in zip(losses, rates, strict=True):
        assert rate == pytest.approx(1e-9 * factor)
        if rest:
            rest -= 1
        elif loss >= best:
            factor, rest = factor * 0.1, 2
        best = min(best, loss)


def test_a_run_with_mixed_records_learns_and_resumes_to_the_bit(
    data: PackedData, tmp_path: Path
) -> None:
    options = replace(OPTIONS, objective="bce", augmentation=Augmentation(mixup=0.4), epochs=2)
    whole, parts = (_run(options, data, tmp_path / name) for name in ("whole", "parts"))
    rows = [whole.epoch() for _ in range(2)]
    assert rows[1]["loss"] < rows[0]["loss"]
    parts.epoch()
    again = _run(options, data, tmp_path / "parts")
    again.epoch()
    assert _equal(again.network.state_dict(), whole.network.state_dict())
    plain = _run(replace(options, augmentation=Augmentation()), data, tmp_path / "plain")
    assert plain.epoch()["loss"] != rows[0]["loss"]
    with pytest.raises(ValueError, match="mixup with a teacher"):
        replace(options, teacher="runs/teacher/model")
    with pytest.raises(ValueError, match="told more than the signal"):
        replace(options, network="hrnn", network_options={})


def test_options_refuse_unknown_and_overlapping() -> None:
    with pytest.raises(ValueError, match="no option speed; known: "):
        options_from_json({"network": "inception", "label_set": "superclasses", "speed": 3})
    with pytest.raises(ValueError, match="disjoint"):
        replace(OPTIONS, validation_folds=(1,))
    with pytest.raises(ValueError, match="allowed: adam, adamw"):
        options_from_json({**OPTIONS.to_json(), "optimiser": "sgd"})
    assert options_from_json(OPTIONS.to_json()) == OPTIONS


def test_augmentation_moves_whole_records_and_silences_whole_leads() -> None:
    generator = torch.Generator().manual_seed(1)
    batch = torch.randn(5, 3, 50, generator=generator)
    moved = augment(batch, Augmentation(shift=0.5), generator)
    for before, after in zip(batch, moved, strict=True):
        assert any(torch.equal(before.roll(k, -1), after) for k in range(-25, 26))
    silenced = augment(batch, Augmentation(lead_dropout=0.5), generator)
    alive = silenced.abs().sum(-1) > 0
    assert 0 < int(alive.sum()) < 15
    assert torch.equal(silenced[alive], batch[alive])
    assert torch.equal(augment(batch, Augmentation(), generator), batch)


def test_a_network_is_trained_and_asked_at_the_rate_of_the_options(
    data: PackedData, tmp_path: Path
) -> None:
    options = replace(OPTIONS, sampling_rate=25.0, epochs=1)
    assert split(data, options, (1,)).inputs.shape[-1] == 250
    trained = train(options, data, tmp_path)
    publish("made", options, data, trained, folder=tmp_path / "model", command="-")
    assert read_card(tmp_path / "model").spec.sampling_rate == 25
    assert len(read_predictor(tmp_path / "model").predict(example_recording()).labels) == 5


def test_the_epoch_of_best_sensitivity_is_kept(data: PackedData, tmp_path: Path) -> None:
    run = _run(replace(OPTIONS, best_by="sensitivity"), data, tmp_path)
    rows = [run.epoch() for _ in range(3)]
    scores = [row["validation_sensitivity"] for row in rows]
    assert run.progress.best_epoch == scores.index(max(scores)) + 1
    assert run.progress.best_score == max(scores)


class _StopsAt(Watch):
    """Asks a run to stop after one step of its whole course, and notes what it is told."""

    def __init__(self, step: int) -> None:
        self.step, self.seen, self.validations = step, list[StepDone](), list[int]()

    def stepped(self, done: StepDone) -> None:
        self.seen.append(done)

    def validated(self, epoch: int, labels: object, targets: object, probabilities: object) -> None:
        self.validations.append(epoch)

    def wants_stop(self) -> bool:
        return len(self.seen) == self.step


def test_a_run_stopped_within_an_epoch_ends_with_the_same_weights(
    data: PackedData, whole: Trained, tmp_path: Path
) -> None:
    for step in (2, 3, 5):  # of six steps an epoch
        torch.manual_seed(step)
        watch = _StopsAt(step)
        with pytest.raises(RunStopped):
            train(OPTIONS, data, tmp_path / "parts", watch=watch)
        assert len(watch.seen) == step
    parts = train(OPTIONS, data, tmp_path / "parts")
    assert _equal(whole.weights, parts.weights)
    rows = [[{**row, "seconds": 0} for row in run.progress.history] for run in (whole, parts)]
    assert rows[0] == rows[1]


def test_a_watch_is_told_every_step_and_validation(data: PackedData, tmp_path: Path) -> None:
    watch = _StopsAt(-1)
    train(replace(OPTIONS, epochs=2), data, tmp_path, watch=watch)
    assert [(done.epoch, done.step) for done in watch.seen] == [
        (epoch, step) for epoch in (1, 2) for step in range(1, 7)
    ]
    assert watch.validations == [1, 2]


def test_the_rows_of_a_run_that_goes_on_are_those_of_its_checkpoint(
    data: PackedData, tmp_path: Path
) -> None:
    train(replace(OPTIONS, epochs=2), data, tmp_path)
    whole = (tmp_path / PROGRESS).read_text()
    (tmp_path / PROGRESS).write_text(whole + '{"epoch": 3, "lo')  # what a kill may leave
    train(replace(OPTIONS, epochs=2), data, tmp_path)
    assert (tmp_path / PROGRESS).read_text() == whole
