"""A model as ONNX answers as torch does, says what it is, and is refused where it does not."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from numpy.typing import NDArray

from ecgcore.models import onnx_export
from ecgcore.models.aside import aside_columns
from ecgcore.models.card import LabelCard
from ecgcore.models.chosen_thresholds import ChosenThreshold
from ecgcore.models.onnx_export import LARGEST_DIFFERENCE, ExportError, export_onnx, session_of
from ecgcore.models.onnx_parts import WindowMeans
from ecgcore.models.onnx_records import simulated_records
from ecgcore.models.predictor import Predictor, load_predictor
from ecgcore.models.registry import network_entry, network_names
from tests.models.example import example_card, example_predictor, seeded_network
from tests.models.forest_example import both_kinds_predictor, forest_predictor

REFUSED = {"wavelet_nn": "searchsorted"}
"""Networks that ONNX cannot hold, and why."""
LARGE = ("se_ecgnet", "xresnet1d101_wide")
"""Left out here for their time; they are convolutions as the others are."""


def records(predictor: Predictor, count: int = 3) -> tuple[NDArray[Any], NDArray[Any]]:
    spec = predictor.card.spec
    generator = np.random.default_rng(0)
    inputs = generator.normal(size=(count, len(spec.leads), spec.samples))
    aside = generator.normal(size=(count, len(aside_columns(spec.aside))))
    aside[0] = np.nan
    return inputs.astype(np.float32), aside.astype(np.float32)


@cache
def hearts_for(name: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Twenty simulated hearts as a shipped model wants them; to be measured takes their time."""
    return simulated_records(load_predictor(name).card.spec, 20)


def wide_predictor(name: str) -> Predictor:
    """A network with as many labels and leads as in its paper, calibrated if it can be."""
    entry = network_entry(name)
    shifting = entry.output == "sigmoid"
    labels = tuple(
        LabelCard(f"L{i}", "", "superclasses", 30, 3, 0.5, None, 0.1 * i if shifting else 0.0)
        for i in range(entry.labels)
    )
    card = replace(example_card(name, labels=labels), temperature=1.5 if shifting else 1.0)
    network = seeded_network(name, leads=len(entry.spec.leads), labels=entry.labels)
    return Predictor(card, network, torch.device("cpu"))


@pytest.mark.parametrize("name", [one for one in network_names() if one not in LARGE])
def test_every_network_is_written_or_refused_with_a_sentence(name: str) -> None:
    predictor = wide_predictor(name)
    inputs, aside = records(predictor)
    if name in REFUSED:
        with pytest.raises(ExportError, match=f"cannot be written as ONNX.*{REFUSED[name]}"):
            export_onnx(predictor, inputs, aside)
        return
    exported = export_onnx(predictor, inputs, aside)
    assert exported.difference <= LARGEST_DIFFERENCE and exported.records == 3


@pytest.mark.parametrize("name", ["inception", "mvkt", "ecgencode_m2", "lightbox"])
def test_shipped_models_answer_simulated_hearts_as_torch_does(name: str) -> None:
    predictor = load_predictor(name)
    inputs, aside = hearts_for(name)
    exported = export_onnx(predictor, inputs, aside)
    assert exported.difference < 2e-5
    session = session_of(exported.data)
    given = {"signal": inputs[:3], "aside": aside[:3]}
    (said,) = session.run(None, {one.name: given[one.name] for one in session.get_inputs()})
    answers = predictor.probabilities(inputs, aside)
    np.testing.assert_allclose(said, answers[:3], atol=2e-5)
    assert np.ptp(answers, axis=0).max() > 0.1


def test_the_file_says_what_it_is() -> None:
    predictor = example_predictor("attia")
    chosen = ChosenThreshold("attia", "", "superclasses", "MI", 0.25, "ann", "2026-01-02T03:04:05")
    predictor = Predictor(predictor.card, predictor.network, predictor.device, (chosen,))
    exported = export_onnx(predictor, *records(predictor))
    told = {one.key: one.value for one in onnx.load_from_string(exported.data).metadata_props}
    assert told["disclaimer"] == "Research use only; not a medical device."
    labels = {one["code"]: one for one in json.loads(told["labels"])}
    assert labels["NORM"]["threshold"] == 0.5 and labels["NORM"]["threshold_origin"] == "chosen"
    assert labels["MI"]["threshold"] == 0.25
    assert labels["MI"]["threshold_origin"].startswith("0.250 set by ann on 2026-01-02")
    assert not labels["HYP"]["answered"] and labels["HYP"]["threshold"] is None
    assert json.loads(told["input"]) == json.loads(json.dumps(predictor.card.spec.to_json()))
    assert told["weights_sha256"] == predictor.card.weights_sha256


def test_a_file_that_answers_otherwise_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    predictor = example_predictor("attia")
    inputs, aside = records(predictor)
    real = onnx_export._answers

    def other(*given: Any) -> NDArray[np.float32]:
        return real(*given) + np.float32(2e-4)

    monkeypatch.setattr(onnx_export, "_answers", other)
    with pytest.raises(ExportError, match=r"differ by up to 0\.0002 on 3 records"):
        export_onnx(predictor, inputs, aside)
    monkeypatch.setattr(onnx_export, "_answers", lambda *given: real(*given) * np.nan)
    with pytest.raises(ExportError, match="answers otherwise in ONNX"):
        export_onnx(predictor, inputs, aside)


def test_exporting_leaves_the_predictor_as_it_was() -> None:
    predictor = forest_predictor(beside="inception")
    inputs, aside = records(predictor)
    before = predictor.probabilities(inputs, aside)
    names = [name for name, _ in predictor.network.named_modules()]
    export_onnx(predictor, inputs, aside)
    assert [name for name, _ in predictor.network.named_modules()] == names
    np.testing.assert_array_equal(predictor.probabilities(inputs, aside), before)


@pytest.mark.parametrize(("length", "size"), [(100, 7), (7, 7), (3, 7), (12, 4)])
def test_window_means_are_adaptive_pooling(length: int, size: int) -> None:
    x = torch.randn(2, 3, length)
    expected = torch.nn.functional.adaptive_avg_pool1d(x, size)
    torch.testing.assert_close(WindowMeans(size)(x), expected)


@pytest.mark.parametrize("levels", [1, 3])
def test_trees_of_both_kinds_answer_alike_in_onnx(levels: int) -> None:
    predictor = both_kinds_predictor(added=2.0, weight=3)
    forest, head = predictor.network.head.heads  # type: ignore[attr-defined]
    forest.load_state_dict(forest.state_dict() | {"width": torch.full_like(forest.width, 50)})
    generator, shape = torch.Generator().manual_seed(0), (1, 5, 2**levels - 1)
    head.column = torch.randint(0, head.in_features, shape, generator=generator)
    head.threshold = torch.randn(shape, generator=generator).double()
    head.added = torch.randn((1, 5, 2**levels), generator=generator)
    head.width *= 50
    inputs, aside = records(predictor)
    aside[0] = np.nan
    assert export_onnx(predictor, inputs, aside).difference < 1e-6


def test_simulated_records_differ_and_are_the_same_each_time() -> None:
    spec = load_predictor("lightbox").card.spec
    inputs, aside = hearts_for("lightbox")
    fewer = simulated_records(spec, 3)  # of three hearts: what is drawn does not tell how many
    np.testing.assert_array_equal(fewer[0], inputs[:3])
    np.testing.assert_array_equal(fewer[1], aside[:3])
    assert inputs.shape == (20, 12, spec.samples) and np.isfinite(inputs).all()
    assert len(np.unique(inputs.reshape(20, -1)[:, 0])) == 20
    assert 0.1 < np.isnan(aside).mean() < 0.9
