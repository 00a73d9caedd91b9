"""Several runs that make one model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from ecgcore.datasets import packed
from ecgcore.datasets.packed import PackedData, load_packed
from ecgcore.models.biomarkers import BIOMARKERS
from ecgcore.models.predictor import read_predictor
from ecgcore.models.trees import GROWN
from ecgcore.training.augmentation import Augmentation
from ecgcore.training.checkpoint import TrainingError
from ecgcore.training.loop import train
from ecgcore.training.members import member_options, train_model
from ecgcore.training.options import options_from_json
from ecgcore.training.publish import publish
from ecgcore.training.watching import RunStopped, Watch
from tests.models.forest_example import samples_as_biomarkers
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
    kind = {"network": "inception", "options": OPTIONS.network_options, "weight": 1}
    assert (card.network, card.network_options["members"]) == ("ensemble", [kind, kind])
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


UNLIKE = replace(
    TWO,
    sampling_rate=100.0,
    members=(
        {},
        {"network": "xresnet1d101", "network_options": {"blocks": [1, 1, 1, 1]}, "epochs": 2},
        {"network": "forest", "network_options": {"trees": 5}, "weight": 2},
        {"network": "boosted_trees", "network_options": {"trees": 4, "rate": 0.5}, "weight": 4},
    ),
)


def test_unlike_members_and_trees_make_one_model(
    data: PackedData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each member as it would be alone; trees are told what was measured."""

    def told(stored: NDArray[np.int16], scale: float, rate: float) -> NDArray[np.float32]:
        values = np.resize(stored[:, 7, :: 1000 // 400] * scale, (len(stored), len(BIOMARKERS)))
        return (values + np.arange(len(BIOMARKERS)) % 7).astype(np.float32)

    monkeypatch.setattr(packed, "packed_biomarkers", told)
    rows: list[dict[str, object]] = []
    trained = train_model(UNLIKE, data, tmp_path / "run", rows.append)
    assert [row["member"] for row in rows] == [0, 1, 1, 2, 3]
    card = publish("made", UNLIKE, data, trained, folder=tmp_path / "model", command="-")
    assert card.spec.aside == ("biomarkers",)
    assert [one["weight"] for one in card.network_options["members"]] == [1, 1, 2, 4]
    assert "Geurts" in card.paper and "Friedman" in card.paper and "Singstad" in card.paper
    whole = read_predictor(tmp_path / "model")
    inputs = data.inputs(card.spec)
    aside = data.aside_inputs(card.spec)
    parts = []
    for number, member in enumerate(member_options(UNLIKE)):
        one = train_model(member, data, tmp_path / "run" / f"member_{number}")
        publish("one", member, data, one, folder=tmp_path / f"one_{number}", command="-")
        parts.append(read_predictor(tmp_path / f"one_{number}"))
    logits = [part.logits(inputs, aside if part.card.spec.aside else None) for part in parts]
    expected = (logits[0] + logits[1] + 2 * logits[2] + 4 * logits[3]) / 8
    np.testing.assert_allclose(whole.logits(inputs, aside), expected, atol=1e-4)
    assert not np.allclose(whole.logits(inputs), whole.logits(inputs, aside), atol=1e-2)


def test_who_begins_from_weights_and_who_learns_from_mixed_records() -> None:
    change = Augmentation(noise=0.1, mixup=0.4)
    told = ({}, {"network": "inception_measured"}, {"network": "forest"})
    found = member_options(replace(TWO, augmentation=change, members=told, start="/begun"))
    assert [one.start for one in found] == ["/begun", None, None]
    assert [one.augmentation for one in found] == [
        change, Augmentation(noise=0.1), Augmentation()
    ]  # fmt: skip


def test_members_that_see_another_input_are_refused() -> None:
    wrong = replace(TWO, members=({}, {"network": "xresnet1d101"}))
    with pytest.raises(TrainingError, match="xresnet1d101 sees another input than inception"):
        member_options(wrong)


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ((), "members"),
        (0, "members 0"),
        (({"label_set": "statements"},), "a member changes label_set"),
        (({"weight": 0},), "weight 0"),
        (({"weight": True},), "weight True"),
    ],
)
def test_impossible_members_are_refused(members: object, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        replace(TWO, members=members)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", GROWN)
def test_trees_are_grown_not_trained(name: str, data: PackedData, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="grows instead"):
        train(replace(OPTIONS, network=name, network_options={}), data, tmp_path)


def test_a_forest_without_validation_records_is_refused_before_anything_is_measured(
    data: PackedData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packed, "packed_biomarkers", lambda *given: pytest.fail("measured"))
    forest = replace(OPTIONS, network="forest", network_options={}, validation_folds=(10,))
    with pytest.raises(TrainingError, match="is in fold 10; choose others"):
        train_model(forest, data, tmp_path / "run")


class _Stopping(Watch):
    """Stops after so many phases; keeps what it was told."""

    def __init__(self, after: int = 2) -> None:
        self.phases: list[str] = []
        self._after = after

    def phase(self, name: str) -> None:
        self.phases.append(name)

    def wants_stop(self) -> bool:
        return len(self.phases) == self._after


def test_a_forest_is_measured_a_few_at_a_time_and_can_be_stopped_between(
    data: PackedData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured: list[int] = []

    def told(stored: NDArray[np.int16], scale: float, rate: float) -> NDArray[np.float32]:
        measured.append(len(stored))
        return np.zeros((len(stored), len(BIOMARKERS)), dtype=np.float32)

    monkeypatch.setattr(packed, "packed_biomarkers", told)
    watch = _Stopping()
    forest = replace(OPTIONS, network="forest", network_options={})
    with pytest.raises(RunStopped, match="before measuring recording 33 of 90; measured values"):
        train_model(forest, data, tmp_path / "run", watch=watch)
    assert measured == [16, 16]
    assert watch.phases == [f"measuring recording {at} of 90" for at in (1, 17)]


def test_boosted_trees_can_be_stopped_between_their_labels(
    data: PackedData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packed, "packed_biomarkers", samples_as_biomarkers)
    watch = _Stopping(after=8)
    small = {"trees": 2}
    boosted = replace(OPTIONS, network="boosted_trees", network_options=small, fewest_positives=1)
    with pytest.raises(RunStopped, match="before growing trees of label 3 of 5"):
        train_model(boosted, data, tmp_path / "run", watch=watch)
    assert watch.phases[-2:] == [f"growing trees of label {one} of 5" for one in (1, 2)]


def test_options_with_members_are_read_as_written() -> None:
    assert options_from_json(UNLIKE.to_json()) == UNLIKE


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
