"""HiRes-CAM is activation times gradient, place by place, and leaves the model alone."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from ecgcore.explain.grad_cam import grad_cam_maps
from ecgcore.explain.heat import HEAT_RATE
from ecgcore.explain.hires_cam import hires_cam, hires_maps
from ecgcore.models.ecgencode import ECGencode
from ecgcore.models.input_spec import prepare
from ecgcore.recording import LEADS
from tests.models.example import example_predictor, example_recording

NETWORKS = ("ecgencode_m1", "ecgencode_m2", "inception")


@pytest.mark.parametrize("name", NETWORKS)
def test_maps_equal_the_definition(name: str) -> None:
    predictor = example_predictor(name)
    network = predictor.network
    values = prepare(example_recording(), predictor.card.spec).values
    caught: list[Tensor] = []

    def catch(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        output.retain_grad()
        caught.append(output)

    hook = network.cam_layer.register_forward_hook(catch)
    with network.as_published():
        network(torch.from_numpy(values)[None])[0, 3].backward()
    hook.remove()
    expected = (caught[0] * caught[0].grad)[0].detach().numpy()
    assert np.abs(expected).max() > 0
    found = hires_maps(predictor, values, 3)
    np.testing.assert_allclose(found, expected, atol=1e-5 * np.abs(expected).max())


@pytest.mark.parametrize("name", NETWORKS)
def test_maps_are_not_grad_cams(name: str) -> None:
    """They would be, did the network pool linearly after the layer."""
    predictor = example_predictor(name)
    values = prepare(example_recording(), predictor.card.spec).values
    assert hires_maps(predictor, values, 1).shape == grad_cam_maps(predictor, values, 1).shape
    assert not np.allclose(
        hires_maps(predictor, values, 1), grad_cam_maps(predictor, values, 1), rtol=0.05
    )


@pytest.mark.parametrize(("seconds", "start", "length"), [(6.5, 0.0, 6.5), (20.0, 5.0, 10.0)])
def test_heat_covers_what_the_model_saw(seconds: float, start: float, length: float) -> None:
    found = hires_cam(example_predictor("ecgencode_m2"), example_recording(seconds=seconds), "MI")
    assert (found.method, found.sampling_rate) == ("HiRes-CAM", HEAT_RATE)
    assert (found.start, found.seconds) == (start, length)
    assert (found.heat.min(), found.heat.max()) == (0, 1)
    assert found.per_lead


def test_an_ignored_lead_has_no_heat() -> None:
    predictor = example_predictor("ecgencode_m1")
    network = predictor.network
    assert isinstance(network, ECGencode)
    with torch.no_grad():
        network.front.spatial[:, :, LEADS.index("aVL")] = 0
    heat = hires_cam(predictor, example_recording(), "CD").heat
    assert not heat[LEADS.index("aVL")].any()
    assert heat[LEADS.index("V2")].any()


@pytest.mark.parametrize("name", NETWORKS)
def test_the_model_is_left_as_it_was(name: str) -> None:
    predictor = example_predictor(name)
    hires_cam(predictor, example_recording(), "MI")
    modules = list(predictor.network.modules())
    assert not any(module.training for module in modules)
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in modules)
    assert all(weight.grad is None for weight in predictor.network.parameters())
