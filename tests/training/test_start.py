"""A run that begins from weights: those of a pre-training or of a trained model, and no others."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from ecgcore.datasets.packed import PackedData, load_packed
from ecgcore.models.card import CARD, WEIGHTS
from ecgcore.models.predictor import read_predictor
from ecgcore.training.checkpoint import CheckpointError, TrainingError, Weights
from ecgcore.training.loop import Run, train
from ecgcore.training.options import CLECG, TrainOptions
from ecgcore.training.pretraining import PretrainRunOptions, pretrain_in
from ecgcore.training.publish import publish
from ecgcore.training.records import learned_from, split
from ecgcore.training.start import START, read_start
from tests.packed_example import write_packed

PRETRAINED = PretrainRunOptions(
    network="inception", network_options={"filters": 8}, leads=("V2", "I"), epochs=1, batch=8,
    size=8, queue=16, folds=(1, 2, 3),
)  # fmt: skip
OPTIONS = TrainOptions(
    network="inception", label_set="superclasses", network_options={"filters": 8},
    leads=("V2", "I"), train_folds=(1, 2, 3, 4, 5, 6), validation_folds=(7, 8, 9), batch=10,
    epochs=2, learning_rate=1e-2, average=0.9, fewest_positives=5,
)  # fmt: skip


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> PackedData:
    return load_packed(write_packed(tmp_path_factory.mktemp("packed") / "packed.npz"))


def _pretrained(data: PackedData, folder: Path, seed: int = 0) -> Path:
    pretrain_in(folder, replace(PRETRAINED, seed=seed), data)
    return folder / "start"


def _model(options: TrainOptions, data: PackedData, folder: Path) -> Path:
    trained = train(options, data, folder)
    publish("made", options, data, trained, folder=folder / "model", command="-")
    return folder / "model"


def _run(options: TrainOptions, data: PackedData, folder: Path) -> Run:
    folds = (options.train_folds, options.validation_folds)
    learnt, validation = (split(data, options, some) for some in folds)
    return Run(options, learnt, validation, folder, data_sha256=data.sha256)


def _same_body(one: Weights, two: Weights) -> bool:
    return all(torch.equal(one[name], two[name]) for name in one if not name.startswith("head."))


def test_a_run_begins_from_a_pretraining_with_the_head_it_would_have_had(
    data: PackedData, tmp_path: Path
) -> None:
    folder = _pretrained(data, tmp_path / "clecg")
    plain = _run(OPTIONS, data, tmp_path / "plain").network.state_dict()
    run = _run(replace(OPTIONS, start=str(folder)), data, tmp_path / "started")
    begun, weights = run.network.state_dict(), read_start(folder).weights()
    assert _same_body(weights, begun) and not _same_body(weights, plain)
    assert torch.equal(begun["head.weight"], plain["head.weight"])
    assert _same_body(weights, run.averaged)  # what is averaged begins there too


def test_a_run_begins_from_a_trained_model_without_its_head(
    data: PackedData, tmp_path: Path
) -> None:
    folder = _model(replace(OPTIONS, epochs=1), data, tmp_path / "trained")
    options = replace(OPTIONS, label_set="statements", start=str(folder))
    begun = _run(options, data, tmp_path / "started").network.state_dict()
    assert _same_body(read_predictor(folder).network.state_dict(), begun)
    assert begun["head.weight"].shape[0] == 71


def test_an_interrupted_run_with_a_start_ends_with_the_same_weights(
    data: PackedData, tmp_path: Path
) -> None:
    options = replace(OPTIONS, start=str(_pretrained(data, tmp_path / "clecg")))
    whole = train(options, data, tmp_path / "whole")
    _run(options, data, tmp_path / "parts").epoch()
    parts = train(options, data, tmp_path / "parts")
    assert all(torch.equal(whole.weights[name], parts.weights[name]) for name in whole.weights)


def test_a_run_does_not_go_on_when_its_start_changed(data: PackedData, tmp_path: Path) -> None:
    folder = _pretrained(data, tmp_path / "clecg")
    options = replace(OPTIONS, start=str(folder), epochs=1)
    train(options, data, tmp_path / "run")
    assert train(options, data, tmp_path / "run").progress.epoch == 1
    other = _pretrained(data, tmp_path / "other", seed=1)
    (folder / WEIGHTS).write_bytes((other / WEIGHTS).read_bytes())
    with pytest.raises(TrainingError, match="not the weights that its JSON names"):
        train(options, data, tmp_path / "run")
    (folder / START).write_bytes((other / START).read_bytes())
    with pytest.raises(CheckpointError, match="another teacher or start"):
        train(options, data, tmp_path / "run")


def test_a_teacher_in_place_of_a_start_is_another_run(data: PackedData, tmp_path: Path) -> None:
    folder = str(_model(replace(OPTIONS, epochs=1), data, tmp_path / "trained"))
    taught, started = replace(OPTIONS, teacher=folder), replace(OPTIONS, start=folder)
    assert len({learned_from(o, data.sha256) for o in (OPTIONS, taught, started)}) == 3


def test_the_card_names_the_start_and_not_its_folder(data: PackedData, tmp_path: Path) -> None:
    folder = _pretrained(data, tmp_path / "clecg")
    model = _model(replace(OPTIONS, start=str(folder), epochs=1), data, tmp_path / "run")
    training = read_predictor(model).card.training
    assert training["start"] == ["clecg_inception", read_start(folder).weights_sha256]
    assert training["options"]["start"] == "clecg_inception"
    assert str(tmp_path) not in (model / CARD).read_text()


def test_a_start_that_does_not_fit_is_refused(data: PackedData, tmp_path: Path) -> None:
    folder = _pretrained(data, tmp_path / "clecg")
    told = replace(OPTIONS, start=str(folder), epochs=1)

    def refused(options: TrainOptions, sentence: str) -> None:
        with pytest.raises(TrainingError, match=sentence):
            train(options, data, tmp_path / "another")

    refused(
        replace(told, network="resnet1d34", network_options={}),
        "is of the network inception, the run of resnet1d34; choose",
    )
    refused(
        replace(told, leads=("I", "V2")), "saw V2, I at 75 Hz, the run sees I, V2 at 75 Hz; choose"
    )
    refused(replace(told, sampling_rate=100), "at 75 Hz, the run sees V2, I at 100 Hz")
    refused(
        replace(told, network_options={"filters": 4}),
        r"with {'filters': 8}, the run has {'filters': 4}; choose a start of the same network_opt",
    )
    refused(replace(told, start=str(tmp_path)), "neither start.json nor card.json; name a folder")
    refused(replace(told, start=CLECG), "from CLECG's weights; pre-train inception .* --set start=")


def test_a_default_that_is_named_is_the_same_option(data: PackedData, tmp_path: Path) -> None:
    pretrain_in(tmp_path / "clecg", replace(PRETRAINED, network_options={}), data)
    told = replace(OPTIONS, start=str(tmp_path / "clecg" / "start"))
    _run(replace(told, network_options={"filters": 64}), data, tmp_path / "run")
    with pytest.raises(TrainingError, match="same network_options"):
        _run(told, data, tmp_path / "other")


def _without(key: str) -> Callable[[dict[str, object]], str]:
    return lambda value: json.dumps({k: v for k, v in value.items() if k != key})


@pytest.mark.parametrize(
    "damaged",
    [_without("spec"), _without("weights_sha256"), lambda _: "{", lambda _: "[]",
     lambda value: json.dumps({**value, "network_options": 3}),
     lambda value: json.dumps({**value, "network": None})],
)  # fmt: skip
def test_a_damaged_description_is_refused(
    damaged: Callable[[dict[str, object]], str], data: PackedData, tmp_path: Path
) -> None:
    folder = _pretrained(data, tmp_path / "clecg")
    (folder / START).write_text(damaged(json.loads((folder / START).read_text())))
    with pytest.raises(TrainingError, match=r"start/start\.json cannot be read"):
        read_start(folder)
    (folder / START).unlink()
    with pytest.raises(TrainingError, match=r"neither start\.json nor card\.json"):
        read_start(folder)
