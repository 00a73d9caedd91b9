"""A pre-training in a folder: interrupted or not the same weights, and its labels never read."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from shutil import copytree
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from ecgcore.datasets.packed import PackedData, load_packed
from ecgcore.models.card import WEIGHTS
from ecgcore.models.registry import build_network, network_entry
from ecgcore.training.checkpoint import (
    CHECKPOINT,
    PROGRESS,
    CheckpointError,
    TrainingError,
    Weights,
)
from ecgcore.training.clecg import pretrain
from ecgcore.training.clecg_views import ViewOptions
from ecgcore.training.loop import train
from ecgcore.training.options import TrainOptions
from ecgcore.training.pretraining import (
    PretrainRunOptions,
    pretrain_in,
    pretrain_options_from_json,
    refuse_unfit,
)
from ecgcore.training.records import network_spec
from ecgcore.training.start import START, Start
from tests.packed_example import write_packed

OPTIONS = PretrainRunOptions(
    network="resnet1d_wang", leads=("I", "V2"), epochs=3, batch=8, size=8, queue=20,
    folds=(1, 2, 3), views=ViewOptions(levels=3),
)  # fmt: skip


class Interrupted(Exception):  # noqa: N818 - as a user does
    """What a test raises after an epoch."""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> PackedData:
    return load_packed(write_packed(tmp_path_factory.mktemp("packed") / "packed.npz"))


@dataclass(frozen=True)
class Done:
    """A whole pre-training: its folder, what it leaves and reported, and the state of torch's
    random numbers before and after it."""

    folder: Path
    start: Start
    rows: list[dict[str, Any]]
    drawn_before: torch.Tensor
    drawn_after: torch.Tensor


@pytest.fixture(scope="module")
def done(data: PackedData, tmp_path_factory: pytest.TempPathFactory) -> Done:
    folder, rows = tmp_path_factory.mktemp("done"), list[dict[str, Any]]()
    before = torch.get_rng_state()
    start = pretrain_in(folder, OPTIONS, data, rows.append)
    return Done(folder, start, rows, before, torch.get_rng_state())


def _interrupt(row: dict[str, Any]) -> None:
    raise Interrupted


def _equal(one: Weights, two: Weights) -> bool:
    return set(one) == set(two) and all(torch.equal(one[name], two[name]) for name in one)


def test_an_interrupted_pretraining_ends_with_the_same_weights(
    data: PackedData, done: Done, tmp_path: Path
) -> None:
    """The network has dropout, whose draws go on too."""
    whole = done.start
    for _ in range(OPTIONS.epochs):
        torch.manual_seed(np.random.default_rng().integers(1 << 30))
        with pytest.raises(Interrupted):
            pretrain_in(tmp_path / "parts", OPTIONS, data, _interrupt)
        assert not (tmp_path / "parts" / "start").exists()
    parts = pretrain_in(tmp_path / "parts", OPTIONS, data, _interrupt)  # nothing is left to do
    assert _equal(whole.weights(), parts.weights())
    assert whole.weights_sha256 == parts.weights_sha256
    written = (tmp_path / "parts" / PROGRESS).read_text().splitlines()
    losses = [json.loads(line)["loss"] for line in written]
    assert losses == [row["loss"] for row in done.rows]


def test_it_is_what_the_library_function_makes_of_the_chosen_folds(
    data: PackedData, done: Done
) -> None:
    made = done.start.weights()
    assert torch.equal(done.drawn_before, done.drawn_after)
    torch.manual_seed(OPTIONS.seed)
    labels = network_entry(OPTIONS.network).labels
    network = build_network(OPTIONS.network, leads=2, labels=labels)
    spec = network_spec(OPTIONS)
    inputs = torch.from_numpy(data.select((1, 2, 3)).inputs(spec))
    assert _equal(made, pretrain(network, inputs, OPTIONS))
    assert not _equal(made, pretrain(network, inputs[:-1], OPTIONS))


def test_labels_are_never_looked_at(data: PackedData, done: Done, tmp_path: Path) -> None:
    blind = pretrain_in(tmp_path, OPTIONS, replace(data, targets={}, codes={}))
    assert _equal(done.start.weights(), blind.weights())


def test_what_it_leaves_says_what_it_is(data: PackedData, done: Done) -> None:
    folder, start = done.folder, done.start
    said = json.loads((folder / "start" / START).read_text())
    assert (said["name"], said["network"]) == ("clecg_resnet1d_wang", "resnet1d_wang")
    assert said["weights_sha256"] == start.weights_sha256
    assert said["data"] == {
        "files": "packed.npz", "sha256": data.sha256, "folds": [1, 2, 3],
        "records": len(data.select((1, 2, 3))),
    }  # fmt: skip
    assert said["last_epoch"]["epoch"] == 3
    assert said["spec"]["leads"] == ["I", "V2"]
    assert "answer nothing by themselves" in said["limits"][0]
    assert pretrain_options_from_json(said["options"]) == OPTIONS
    assert not any(name.startswith("head.") for name in load_file(folder / "start" / WEIGHTS))
    assert str(folder) not in json.dumps(said)


def test_another_run_is_not_continued(data: PackedData, done: Done, tmp_path: Path) -> None:
    copytree(done.folder, tmp_path, dirs_exist_ok=True)
    with pytest.raises(CheckpointError, match="other options"):
        pretrain_in(tmp_path, replace(OPTIONS, epochs=4), data)
    with pytest.raises(CheckpointError, match="on other data"):
        pretrain_in(tmp_path, OPTIONS, replace(data, sha256="another"))
    trained = TrainOptions(network="resnet1d_wang", label_set="superclasses", leads=("I", "V2"))
    with pytest.raises(CheckpointError, match="other options"):
        train(replace(trained, validation_folds=(9,)), data, tmp_path)
    whole = (tmp_path / CHECKPOINT).read_bytes()
    (tmp_path / CHECKPOINT).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CheckpointError, match="damaged"):
        pretrain_in(tmp_path, OPTIONS, data)


def test_records_that_are_not_there_are_asked_for(data: PackedData, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="is in fold 50; choose others"):
        pretrain_in(tmp_path, replace(OPTIONS, folds=(50,)), data)
    with pytest.raises(TrainingError, match="30 records make no batch of 64"):
        pretrain_in(tmp_path, replace(OPTIONS, batch=64), data)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"label_set": "form"}, "no option label_set; known: batch, epochs, folds"),
        ({"epochs": 0}, "epochs 0"),
        ({"epochs": 1.5}, "epochs 1.5; must be of the type int"),
        ({"batch": True}, "batch True; must be of the type int"),
        ({"views": 3}, "views 3; must be of the type ViewOptions"),
        ({"views": {"crop": 2}}, "crop 2; must lie in 0..1"),
        ({"leads": ["VX"]}, "leads VX; give at least one"),
        ({"sampling_rate": 0}, "sampling_rate 0; must lie in"),
        ({"seed": -1}, "seed -1; must not be below 0"),
    ],
)
def test_options_that_cannot_be_are_refused(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        pretrain_options_from_json({"network": "resnet1d_wang", **changes})


def test_a_network_that_cannot_be_pretrained_is_refused(data: PackedData, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="unknown network 'foo'; known: "):
        refuse_unfit(replace(OPTIONS, network="foo"))
    sentence = r"mlwgat is made for its labels not only in its head \(prior\)"
    with pytest.raises(TrainingError, match=sentence):
        pretrain_in(tmp_path, replace(OPTIONS, network="mlwgat"), data)
    with pytest.raises(ValueError, match="network hrnn is made for its labels"):
        refuse_unfit(replace(OPTIONS, network="hrnn"))
    short = replace(OPTIONS, network="vgg11", views=ViewOptions(crop=0.001))
    with pytest.raises(ValueError, match=r"cannot read a crop of 0\.001 of its input"):
        refuse_unfit(short)
    refuse_unfit(replace(short, views=ViewOptions(crop=0.001, keep_length=True)))
    assert not list(tmp_path.iterdir())
