"""What a published folder holds: weights of a large network in half precision, judged as stored."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from ecgcore.datasets.packed import load_packed
from ecgcore.evaluation.evaluate import evaluate, evaluate_probabilities
from ecgcore.evaluation.thresholds import best_f1_threshold
from ecgcore.models.card import WEIGHTS
from ecgcore.models.folder_check import check_folder
from ecgcore.models.predictor import read_predictor
from ecgcore.models.validation_answers import read_validation
from ecgcore.training import publish
from tests.packed_example import write_packed
from tests.training.example_model import trained_model
from tests.training.test_loop import OPTIONS


@pytest.mark.parametrize(("large", "kept"), [(1, torch.float16), (4_000_000, torch.float32)])
def test_a_large_networks_weights_are_stored_in_half_precision_and_judged_so(
    large: int, kept: torch.dtype, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publish, "LARGE_BYTES", large)
    data = load_packed(write_packed(tmp_path / "packed.npz"))
    model = trained_model(OPTIONS, data, tmp_path / "run")
    assert {value.dtype for value in load_file(model / WEIGHTS).values()} == {kept, torch.int64}
    predictor = read_predictor(model)
    assert predictor.card.cost["bytes"] == (model / WEIGHTS).stat().st_size
    assert {value.dtype for value in predictor.network.parameters()} == {torch.float32}
    scored = evaluate(predictor, data.select(OPTIONS.validation_folds))
    assert scored == predictor.card.metrics
    answers = read_validation(model, predictor.card.labels)
    assert answers is not None and set(answers.folds) == set(OPTIONS.validation_folds)
    validation = data.select(OPTIONS.validation_folds)
    judged = evaluate_probabilities(
        predictor.card.name, predictor.card.labels, answers.probabilities, validation
    )
    assert judged == predictor.card.metrics
    check_folder(model)
    assert predictor.card.temperature != 1.0
    for column, label in enumerate(predictor.card.labels):
        if label.threshold is not None:  # of the probabilities as they are calibrated
            chosen = best_f1_threshold(answers.targets[:, column], answers.probabilities[:, column])
            assert label.threshold == chosen


def test_what_half_precision_cannot_hold_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publish, "LARGE_BYTES", 1)
    given = {
        "small": torch.tensor([0.5, -65504.0]),
        "large": torch.tensor([7e4]),
        "lost": torch.tensor([float("nan")]),
        "count": torch.tensor(3),
    }
    stored = publish.stored_weights(given)
    assert [value.dtype for value in stored.values()] == [
        torch.float16, torch.float32, torch.float32, torch.int64,
    ]  # fmt: skip
    assert all(
        torch.equal(stored[name].float(), given[name].float()) for name in ("small", "large")
    )
