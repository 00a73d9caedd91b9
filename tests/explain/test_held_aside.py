"""Explanations of a network that is told more than the signal: what it is told is held fixed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from ecgcore.explain.answers import label_log_odds
from ecgcore.explain.faithfulness import deletion_test
from ecgcore.explain.grad_cam import grad_cam_maps
from ecgcore.explain.methods import METHODS, explain
from ecgcore.models.held import HeldAside
from ecgcore.models.hrnn import HRNN
from ecgcore.models.input_spec import Prepared, prepare
from ecgcore.models.predictor import Predictor
from ecgcore.models.registry import build_network
from ecgcore.recording import Patient, Recording
from tests.models.example import CODES, example_card, example_predictor, example_recording

TARGET = CODES.index("CD")
OPTIONS = {"blocks": [1, 1], "channels": [8, 16], "rules": ["", "", "TACH", "LAD", ""]}
"""CD has a rule, LAD, that fires in the example recording."""


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    torch.manual_seed(2)
    network = build_network("hrnn", leads=12, labels=5, options=OPTIONS)
    card = example_card("hrnn", options=OPTIONS)
    return Predictor(card, network, torch.device("cpu"))


@pytest.fixture(scope="module")
def recording() -> Recording:
    return replace(example_recording(), patient=Patient(age=63.0, sex="F"))


@pytest.fixture(scope="module")
def told(predictor: Predictor, recording: Recording) -> Prepared:
    return prepare(recording, predictor.card.spec)


def test_a_held_network_answers_as_it_was_told(predictor: Predictor, told: Prepared) -> None:
    held = predictor.holding(told.aside)
    expected = predictor.probabilities(told.values[None], told.aside[None])
    np.testing.assert_array_equal(held.probabilities(told.values[None]), expected)
    assert not np.allclose(predictor.probabilities(told.values[None]), expected)
    assert isinstance(held.network, HeldAside)
    features = held.network.features(torch.from_numpy(told.values)[None])
    torch.testing.assert_close(features[:, 16:26].argmax(1), torch.tensor([6]))
    assert not held.network.training
    assert held.holding(told.aside) is held


def test_a_network_told_nothing_is_its_own() -> None:
    plain = example_predictor("inception")
    assert plain.holding(np.empty(0, dtype=np.float32)) is plain


def test_log_odds_of_altered_copies_keep_the_rules(predictor: Predictor, told: Prepared) -> None:
    """A copy of zeros still has the recording's rules and age."""
    copies = np.stack([told.values, np.zeros_like(told.values)])
    found = label_log_odds(predictor.holding(told.aside), copies, TARGET)
    expected = predictor.probabilities(copies, np.stack([told.aside] * 2))[:, TARGET]
    np.testing.assert_allclose(1 / (1 + np.exp(-found)), expected, rtol=1e-5)


def test_grad_cam_weighs_by_the_fused_logits_gradient(predictor: Predictor, told: Prepared) -> None:
    network = predictor.network
    assert isinstance(network, HRNN)
    caught: list[Tensor] = []

    def catch(module: torch.nn.Module, given: tuple[Tensor, ...], output: Tensor) -> None:
        output.retain_grad()
        caught.append(output)

    hook = network.cam_layer.register_forward_hook(catch)
    x, aside = torch.from_numpy(told.values)[None], torch.from_numpy(told.aside)[None]
    network(x, aside)[0, TARGET].backward()
    hook.remove()
    network.zero_grad()
    (activation,) = caught
    assert activation.grad is not None
    expected = (activation.grad.mean(-1, keepdim=True) * activation)[0].detach().numpy()
    found = grad_cam_maps(predictor.holding(told.aside), told.values, TARGET)
    np.testing.assert_allclose(found, expected, atol=1e-5 * np.abs(expected).max())
    alone = grad_cam_maps(predictor, told.values, TARGET)
    assert np.abs(alone - found).max() > 0.05 * np.abs(found).max()


@pytest.mark.parametrize("method", METHODS)
def test_every_method_runs_with_the_values_held(
    predictor: Predictor, recording: Recording, method: str
) -> None:
    found = explain(method, predictor, recording, "CD")
    assert (found.method, found.model) == (method, "example_hrnn")
    assert found.heat.shape == (12, 1000)
    assert found.note


@pytest.mark.parametrize("method", METHODS)
def test_the_map_itself_is_of_the_network_that_was_told(
    predictor: Predictor, recording: Recording, told: Prepared, method: str
) -> None:
    """Without the rule and the age the peak, which is in log-odds, is another."""
    stranger = replace(recording, patient=Patient())
    peaks = [METHODS[method](predictor, one, "STTC", None).peak for one in (recording, stranger)]
    assert peaks[0] > 0
    assert peaks[0] != peaks[1]
    found = METHODS[method](predictor, recording, "CD", None)
    test = deletion_test(predictor, recording, found)
    np.testing.assert_allclose(
        deletion_test(predictor.holding(told.aside), recording, found).drop, test.drop
    )


def test_the_model_is_left_as_it_was(predictor: Predictor, recording: Recording) -> None:
    before = {name: value.clone() for name, value in predictor.network.state_dict().items()}
    names = list(before)
    explain("Grad-CAM", predictor, recording, "CD")
    assert list(predictor.network.state_dict()) == names
    assert all(torch.equal(before[n], v) for n, v in predictor.network.state_dict().items())
    assert not any(m._forward_hooks for m in predictor.network.modules())
    assert all(weight.grad is None for weight in predictor.network.parameters())
