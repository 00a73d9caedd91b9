"""Several runs that make one model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from ecgcore.datasets.packed import PackedData, load_packed
from ecgcore.models.predictor import read_predictor
from ecgcore.training.checkpoint import TrainingError
from ecgcore.training.loop import train
from ecgcore.training.members import train_model
from ecgcore.training.publish import publish
from tests.packed_example import write_packed
from tests.training.test_loop import OPTIONS

TWO = replace(OPTIONS, members=2, epochs=1)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> PackedData:
    return load_packed(write_packed(tmp_path_factory.mktemp("packed") / "packed.npz"))


def test_members_are_runs_of_their_own_seeds_and_answer_together(
    data: PackedData, tmp_path: Path
) -> None:
    rows: list[dict[str, object]] = []
    trained = train_model(TWO, data, tmp_path / "run", rows.append)
    assert [row["member"] for row in rows] == [0, 1]
    card = publish("made", TWO, data, trained, folder=tmp_path / "model", command="-")
    assert (card.network, card.network_options["members"]) == ("ensemble", 2)
    alone = []
    for number in range(2):
        options = replace(OPTIONS, epochs=1, seed=OPTIONS.seed + number)
        one = train(options, data, tmp_path / f"alone_{number}")
        publish("one", options, data, one, folder=tmp_path / f"model_{number}", command="-")
        alone.append(read_predictor(tmp_path / f"model_{number}"))
    inputs = data.inputs(card.spec)
    expected = np.mean([predictor.logits(inputs) for predictor in alone], axis=0)
    whole = read_predictor(tmp_path / "model")
    np.testing.assert_allclose(whole.logits(inputs), expected, atol=1e-5)
    assert not np.allclose(alone[0].logits(inputs), alone[1].logits(inputs), atol=1e-3)


def test_an_interrupted_model_goes_on_with_the_member_that_is_not_done(
    data: PackedData, tmp_path: Path
) -> None:
    whole = train_model(TWO, data, tmp_path / "whole")
    train_model(replace(TWO, members=1), data, tmp_path / "parts" / "member_0")
    rows: list[dict[str, object]] = []
    parts = train_model(TWO, data, tmp_path / "parts", rows.append)
    assert [row["member"] for row in rows] == [1]
    assert all(torch.equal(whole.weights[name], value) for name, value in parts.weights.items())


def test_one_loop_is_one_member(data: PackedData, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="2 members are as many runs"):
        train(TWO, data, tmp_path)
