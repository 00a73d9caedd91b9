"""Grad-CAM equals a slow plain reference, lies where the signal is, and leaves the model alone."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ecgcore.explain.explanation import Explanation
from ecgcore.explain.grad_cam import grad_cam, grad_cam_maps
from ecgcore.explain.heat import HEAT_RATE
from ecgcore.explain.target import ExplanationError
from ecgcore.layers import pad_same
from ecgcore.models.ecgencode import ECGencode
from ecgcore.models.inception import Inception, InceptionOptions
from ecgcore.models.input_spec import InputSpec, UnfitRecordingError, prepare
from ecgcore.models.network import Network
from ecgcore.models.predictor import Predictor
from ecgcore.models.registry import build_network
from ecgcore.recording import LEADS, Recording
from tests.models.example import (
    CODES,
    UNANSWERED,
    example_card,
    example_predictor,
    example_recording,
    recording_of,
)

NETWORKS = ("ecgencode_m1", "ecgencode_m2", "inception")
CPU = torch.device("cpu")
SPIKE = 3.217
"""Seconds: on no cell's edge or centre."""


def plain_maps(network: Network, values: NDArray[np.float32], target: int) -> NDArray[np.float64]:
    """The definition, one feature map at a time."""
    caught: list[Tensor] = []

    def catch(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        output.retain_grad()
        caught.append(output)

    hook = network.cam_layer.register_forward_hook(catch)
    with network.as_published():
        network(torch.from_numpy(values)[None])[0, target].backward()
    hook.remove()
    activation, gradient = caught[0][0].detach().numpy(), caught[0].grad[0].numpy()
    weighted = np.zeros(activation.shape)
    for place in np.ndindex(activation.shape[:-1]):
        weighted[place] = gradient[place].mean() * activation[place]
    return weighted


@pytest.mark.parametrize("name", NETWORKS)
def test_weighted_maps_equal_the_definition(name: str) -> None:
    predictor = example_predictor(name)
    values = prepare(example_recording(), predictor.card.spec).values
    for target in (0, 3):
        found = grad_cam_maps(predictor, values, target)
        expected = plain_maps(predictor.network, values, target)
        assert np.abs(expected).max() > 0
        np.testing.assert_allclose(found, expected, atol=1e-5 * np.abs(expected).max())


def test_the_map_over_time_is_captums() -> None:
    from captum.attr import LayerGradCam

    predictor = example_predictor("inception")
    values = prepare(example_recording(), predictor.card.spec).values
    captum = LayerGradCam(predictor.network, predictor.network.cam_layer).attribute(
        torch.from_numpy(values)[None], target=1, relu_attributions=True
    )
    ours = np.maximum(grad_cam_maps(predictor, values, 1).sum(axis=0), 0)
    np.testing.assert_allclose(ours, captum[0, 0].detach().numpy(), rtol=1e-5, atol=1e-9)


def test_per_lead_weights_are_not_captums_mean_over_leads() -> None:
    """Averaged over leads, a weight would belong to no lead."""
    from captum.attr import LayerGradCam

    predictor = example_predictor("ecgencode_m2")
    values = prepare(example_recording(), predictor.card.spec).values
    with predictor.network.as_published():
        shared = LayerGradCam(predictor.network, predictor.network.cam_layer).attribute(
            torch.from_numpy(values)[None], target=1, attr_dim_summation=False
        )
    ours = grad_cam_maps(predictor, values, 1)
    assert ours.shape == tuple(shared.shape[1:]) == (16, 12, 625)
    assert not np.allclose(ours, shared[0].detach().numpy(), rtol=0.1)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_explanation_states_its_place_and_scale(name: str) -> None:
    predictor = example_predictor(name)
    found = grad_cam(predictor, example_recording(), "MI")
    assert (found.model, found.label, found.method) == (predictor.card.name, "MI", "Grad-CAM")
    assert found.leads == LEADS
    assert found.heat.shape == (12, 1000)
    assert (found.start, found.sampling_rate, found.seconds) == (0.0, HEAT_RATE, 10.0)
    assert not found.signed
    assert found.heat.min() >= 0
    assert found.heat.max() == 1
    assert found.peak > 0
    assert found.per_lead == name.startswith("ecgencode")
    assert bool(np.ptp(found.heat, axis=0).max()) == found.per_lead


def test_an_ignored_lead_has_no_heat() -> None:
    predictor = example_predictor("ecgencode_m2")
    network = predictor.network
    assert isinstance(network, ECGencode)
    with torch.no_grad():
        network.front.spatial[:, :, LEADS.index("V3")] = 0
    heat = grad_cam(predictor, example_recording(), "CD").heat
    assert not heat[LEADS.index("V3")].any()
    assert all(row.any() for lead, row in zip(LEADS, heat, strict=True) if lead != "V3")


def test_a_flat_lead_has_no_heat() -> None:
    """The lead norm moves a zero line to a constant, which is no evidence."""
    predictor = example_predictor("ecgencode_m2")
    heat = grad_cam(predictor, example_recording(flat=("V4",)), "CD").heat
    assert not heat[LEADS.index("V4")].any()
    assert heat[LEADS.index("V5")].any()


@pytest.mark.parametrize("name", ["ecgencode_m2", "inception"])
def test_heat_ends_with_the_recording(name: str) -> None:
    found = grad_cam(example_predictor(name), example_recording(seconds=6.5), "MI")
    assert (found.start, found.seconds) == (0.0, 6.5)
    assert found.heat.max() == 1


@pytest.mark.parametrize("name", ["ecgencode_m2", "inception"])
def test_a_long_recording_is_explained_from_its_middle(name: str) -> None:
    found = grad_cam(example_predictor(name), example_recording(seconds=20), "MI")
    assert (found.start, found.seconds) == (5.0, 10.0)


def test_a_network_without_evidence_gives_an_empty_map() -> None:
    predictor = example_predictor("inception")
    nn.init.zeros_(predictor.network.head.weight)
    found = grad_cam(predictor, example_recording(), "MI")
    assert found.peak == 0
    assert not found.heat.any()


def test_branches_joined_along_time_are_refused() -> None:
    options = {"concat": "time", "filters": 8}
    network = build_network("inception", leads=12, labels=5, options=options)
    predictor = Predictor(example_card("inception", options=options), network, CPU)
    with pytest.raises(ExplanationError, match="6000 places in time for 750 samples"):
        grad_cam(predictor, example_recording(), "MI")


def test_labels_without_an_answer_are_refused() -> None:
    predictor = example_predictor("inception")
    with pytest.raises(ExplanationError, match=r"not answer for HYP \(not enough data"):
        grad_cam(predictor, example_recording(), UNANSWERED)
    with pytest.raises(ExplanationError, match=f"no label 'AFIB'; known: {', '.join(CODES)}"):
        grad_cam(predictor, example_recording(), "AFIB")
    with pytest.raises(UnfitRecordingError, match="at least 5 s"):
        grad_cam(predictor, example_recording(seconds=3), "MI")


@pytest.mark.parametrize("name", NETWORKS)
def test_the_model_is_left_as_it_was(name: str) -> None:
    predictor = example_predictor(name)
    network = predictor.network
    values = prepare(example_recording(), predictor.card.spec).values[None]
    before = predictor.probabilities(values)
    weights = {key: value.clone() for key, value in network.state_dict().items()}
    wanted = [weight.requires_grad for weight in network.parameters()]
    grad_cam(predictor, example_recording(), "MI")
    assert not any(module.training for module in network.modules())
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in network.modules())
    assert [weight.requires_grad for weight in network.parameters()] == wanted
    assert all(weight.grad is None for weight in network.parameters())
    assert all(torch.equal(weights[key], value) for key, value in network.state_dict().items())
    assert not isinstance(network, ECGencode) or network.front.mix_first
    np.testing.assert_array_equal(predictor.probabilities(values), before)


class OneFilter(Network):
    """A single strided filter of ones, padded "same", whose output is the layer to explain."""

    def __init__(self, stride: int, kernel: int, lead: int) -> None:
        super().__init__()
        self.filter = nn.Conv1d(12, 1, kernel, stride=stride, bias=False)
        self.head = nn.Linear(1, 5)
        with torch.no_grad():
            self.filter.weight.zero_()
            self.filter.weight[0, lead] = 1 / kernel
            self.head.weight.fill_(1)

    def features(self, x: Tensor) -> Tensor:
        """The mean of what is positive."""
        stride, kernel = self.filter.stride[0], self.filter.kernel_size[0]
        out: Tensor = self.filter(pad_same(x, kernel, stride)).relu().mean(-1)
        return out

    @property
    def cam_layer(self) -> nn.Module:
        """The filter."""
        return self.filter


def with_spike(seconds: float, at: float) -> Recording:
    """One narrow wave in V2, small sines in the other leads."""
    time = np.arange(round(seconds * 500)) / 500
    rows = {lead: 0.1 * np.sin(2 * np.pi * 1.5 * time + row) for row, lead in enumerate(LEADS)}
    rows["V2"] = np.exp(-0.5 * ((time - at) / 0.012) ** 2)
    return recording_of(rows, 500.0)


def place(found: Explanation) -> float:
    """Seconds into the recording of the middle of V2's hottest stretch."""
    row = found.heat[LEADS.index("V2")]
    hottest = int(row.argmax())
    hot = [i for i in range(max(hottest - 30, 0), hottest + 30) if row[i] > 0.5 * row.max()]
    return found.start + float(np.average(hot, weights=row[hot])) / found.sampling_rate


@pytest.mark.parametrize(("seconds", "at"), [(10.0, SPIKE), (20.0, 5.0 + SPIKE), (7.0, SPIKE)])
@pytest.mark.parametrize(("stride", "kernel"), [(8, 16), (8, 9), (7, 15), (48, 64)])
def test_heat_lies_on_the_wave(stride: int, kernel: int, seconds: float, at: float) -> None:
    card = example_card("inception", spec=InputSpec())
    predictor = Predictor(card, OneFilter(stride, kernel, LEADS.index("V2")), CPU)
    found = grad_cam(predictor, with_spike(seconds, at), "MI")
    assert place(found) == pytest.approx(at, abs=0.2 * stride / 500)


def test_ecgencodes_heat_lies_on_the_wave() -> None:
    """Every filter a bump around its middle: the heat must stand where the wave does."""
    predictor = example_predictor("ecgencode_m2")
    network = predictor.network
    assert isinstance(network, ECGencode)
    with torch.no_grad():
        for kernels in network.front.temporal:
            offset = torch.arange(kernels.shape[-1]) - (kernels.shape[-1] - 1) / 2
            kernels.copy_(torch.exp(-0.5 * (offset / 5) ** 2).expand_as(kernels))
        network.head.weight[1] = -network.head.weight[0]
    recording = with_spike(10.0, SPIKE)
    values = prepare(recording, predictor.card.spec).values
    total = grad_cam_maps(predictor, values, 0).sum(axis=0)[LEADS.index("V2")]
    speaks_for = "NORM" if total[np.abs(total - np.median(total)).argmax()] > 0 else "MI"
    assert place(grad_cam(predictor, recording, speaks_for)) == pytest.approx(SPIKE, abs=0.004)


def test_inceptions_heat_lies_on_the_wave() -> None:
    """Every filter passes its middle sample on: the heat must stand where the wave does."""
    network = Inception(InceptionOptions(filters=4), leads=12, labels=5)
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, nn.Conv1d):
                module.weight.zero_()
                module.weight[:, :, module.kernel_size[0] // 2] = 1 / module.in_channels
                module.bias.zero_()
        stem = network.stem[0][0]
        stem.weight.zero_()
        stem.weight[:, LEADS.index("V2"), 3] = 1
        network.head.weight.fill_(1)
    predictor = Predictor(example_card("inception"), network, CPU)
    found = grad_cam(predictor, with_spike(10.0, SPIKE), "MI")
    assert place(found) == pytest.approx(SPIKE, abs=0.008)
