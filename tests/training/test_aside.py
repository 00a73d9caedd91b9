"""Training a network that is told things beside the signal: they reach every step of the way."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ecgcore.datasets.packed import PackedData, load_packed
from ecgcore.evaluation.evaluate import evaluate
from ecgcore.models.aside import PAPER_RULES
from ecgcore.models.hrnn import HRNN_ASIDE
from ecgcore.models.predictor import read_predictor
from ecgcore.training.loop import train
from ecgcore.training.options import TrainOptions
from ecgcore.training.publish import LIMITS, RULES_NOT_LEARNED, publish
from ecgcore.training.records import split
from ecgcore.training.scoring import infer
from tests.packed_example import packed_arrays, write_packed

OPTIONS = TrainOptions(
    network="hrnn",
    label_set="superclasses",
    network_options={
        "blocks": [1, 1],
        "channels": [4, 4],
        "rules": ["", "LAD", "", "", ""],
    },
    train_folds=(1, 2, 3, 4, 5, 6),
    validation_folds=(7, 8, 9),
    batch=10,
    epochs=6,
    learning_rate=0.1,
    fewest_positives=5,
)


def arrays() -> dict[str, Any]:
    """Noise in which nothing can be learned: STTC is the sex, and MI what rule LAD says."""
    made = packed_arrays()
    draws = np.random.default_rng(3)
    rules = np.full((90, 15), np.nan)
    rules[:, PAPER_RULES.index("LAD")] = draws.random(90) < 0.4
    made["X"] = np.round(draws.normal(0, 500, made["X"].shape)).astype(np.int16)
    made["sex"] = (draws.random(90) < 0.5).astype(np.int8)
    made["age"] = np.float32(draws.uniform(20, 90, 90))
    made["y5"][:, 2] = made["sex"]
    made["y5"][:, 1] = rules[:, PAPER_RULES.index("LAD")]
    return made | {"rules_paper": rules, "classes_rules_paper": np.array(PAPER_RULES)}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> PackedData:
    return load_packed(write_packed(tmp_path_factory.mktemp("packed") / "packed.npz", **arrays()))


def test_sex_and_rules_are_learned_from(data: PackedData, tmp_path: Path) -> None:
    trained = train(OPTIONS, data, tmp_path)
    card = publish("made", OPTIONS, data, trained, folder=tmp_path / "model", command="-")
    rows = {row["code"]: row for row in card.metrics["labels"]}
    assert rows["STTC"]["auroc"] > 0.95
    assert rows["MI"]["auroc"] > 0.95
    assert (trained.weights["trust"] < 0).tolist() == [False, True, False, False, False]
    assert card.spec.aside == HRNN_ASIDE
    assert card.limits[:-1] == LIMITS
    predictor = read_predictor(tmp_path / "model")
    validation = data.select(OPTIONS.validation_folds)
    assert evaluate(predictor, validation) == card.metrics
    unaware = evaluate(predictor, replace(validation, aside={}))["labels"]
    assert max(row["auroc"] for row in unaware if row["code"] in ("STTC", "MI")) < 0.75


def test_a_run_goes_on_where_it_stopped(data: PackedData, tmp_path: Path) -> None:
    options = replace(OPTIONS, epochs=2)
    whole = train(options, data, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        train(options, data, tmp_path / "parts", report=_stop)
    parts = train(options, data, tmp_path / "parts")
    assert all(torch.equal(whole.weights[name], parts.weights[name]) for name in whole.weights)


def _stop(row: dict[str, Any]) -> None:
    raise KeyboardInterrupt


def test_rules_that_no_record_tells_are_stated_as_a_limit(data: PackedData, tmp_path: Path) -> None:
    told = {name: values for name, values in data.aside.items() if name != "rules:paper"}
    without, options = replace(data, aside=told), replace(OPTIONS, epochs=1)
    trained = train(options, without, tmp_path)
    card = publish("made", options, without, trained, folder=tmp_path / "model", command="-")
    assert card.limits[:-1] == (*LIMITS, RULES_NOT_LEARNED)
    assert not trained.weights["trust"].any()


def test_inference_is_in_batches_with_their_own_values(data: PackedData, tmp_path: Path) -> None:
    trained = train(replace(OPTIONS, epochs=1), data, tmp_path)
    publish("made", OPTIONS, data, trained, folder=tmp_path / "model", command="-")
    network = read_predictor(tmp_path / "model").network.cpu()
    records = split(data, OPTIONS, tuple(range(1, 10)))
    assert len(records) > 64
    together = infer(network, records.inputs, torch.device("cpu"), records.aside)
    with torch.inference_mode():
        last = network(records.inputs[-3:], records.aside[-3:])
    torch.testing.assert_close(together[-3:], last, rtol=1e-4, atol=1e-4)


def test_each_label_gets_the_rule_that_is_known_for_it(data: PackedData, tmp_path: Path) -> None:
    small = {"blocks": [1, 1], "channels": [4, 4], "rules": "by_label"}
    options = replace(OPTIONS, label_set="statements", network_options=small, epochs=1)
    trained = train(options, data, tmp_path)
    card = publish("made", options, data, trained, folder=tmp_path / "model", command="-")
    rules = dict(zip(data.codes["statements"], card.network_options["rules"], strict=True))
    assert rules["STACH"] == "TACH" and rules["1AVB"] == "1AVB" and rules["NORM"] == ""
    assert card.training["options"]["network_options"] == small
    assert read_predictor(tmp_path / "model").card == card
