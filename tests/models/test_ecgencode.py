"""ECGencode is the published network: numbers, shapes, cost, regularisation and order of steps."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from ecgcore.layers import SpatialDropout, SpatialGaussianNoise
from ecgcore.models.ecgencode import ECGencode
from ecgcore.models.network import count_flops, count_numbers
from ecgcore.models.registry import build_network
from tests.models.example import seeded_network


def published(name: str) -> ECGencode:
    network = build_network(name, leads=12, labels=2 if name == "ecgencode_m1" else 71)
    assert isinstance(network, ECGencode)
    return network


def seeded(name: str) -> ECGencode:
    network = seeded_network(name)
    assert isinstance(network, ECGencode)
    return network


@pytest.mark.parametrize(
    ("name", "encoder", "whole"),
    [("ecgencode_m1", 6_960, 8_242), ("ecgencode_m2", 8_624, 133_495)],
)
def test_numbers_are_the_papers(name: str, encoder: int, whole: int) -> None:
    network = published(name)
    blocks = nn.ModuleList([network.front, network.feature_1, network.feature_2])
    assert count_numbers(blocks) == encoder
    assert count_numbers(network) == whole


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("ecgencode_m1", {"temporal": 5440, "lead_norm": 48, "spatial": 768}),
        ("ecgencode_m2", {"temporal": 5440, "lead_norm": 48, "spatial": 960}),
    ],
)
def test_numbers_of_the_front(name: str, parts: dict[str, int]) -> None:
    front = published(name).front
    assert count_numbers(front.temporal) == parts["temporal"]
    assert count_numbers(front.lead_norm) == parts["lead_norm"]
    assert front.spatial.numel() == parts["spatial"]


@pytest.mark.parametrize(
    ("name", "shape"), [("ecgencode_m1", (4, 40, 4)), ("ecgencode_m2", (5, 79, 32))]
)
def test_latents_are_the_papers(name: str, shape: tuple[int, int, int]) -> None:
    network = seeded(name)
    with torch.inference_mode():
        latent = network.encode(torch.randn(2, 12, 5000))
    assert latent.shape == (2, *shape)
    assert latent.min() >= 0
    assert latent.max() <= 1


def test_cost_is_the_papers() -> None:
    """About 83 MFLOP, 81.6 of them in the temporal kernels: 5440 x 625 places x 12 leads x 2."""
    network = published("ecgencode_m1")
    whole = count_flops(network, leads=12, samples=5000)
    head = 2 * network.head.weight.numel()
    assert 2 * 5440 * 625 * 12 == 81_600_000
    assert whole - head == pytest.approx(82.94e6, abs=0.01e6)


def test_counting_leaves_the_mode() -> None:
    network = published("ecgencode_m1").train()
    count_flops(network, leads=12, samples=5000)
    assert network.training
    assert network.front.mix_first


@pytest.mark.parametrize("name", ["ecgencode_m1", "ecgencode_m2"])
def test_mixing_leads_first_changes_nothing(name: str) -> None:
    network = seeded(name)
    torch.manual_seed(1)
    x = torch.randn(2, 12, 5000)
    with torch.inference_mode():
        fast, front = network(x), network.front(x)
        with network.as_published():
            slow, apart = network(x), network.front(x)
    assert (fast - slow).abs().max() < 1e-5
    assert (front - apart).abs().max() < 1e-5 * apart.abs().max()
    assert front.std() > 0.1


def test_published_order_ends_with_its_block() -> None:
    network = seeded("ecgencode_m1")
    with pytest.raises(KeyError), network.as_published():
        assert not network.front.mix_first
        raise KeyError
    assert network.front.mix_first


def test_the_training_path_is_the_published_order() -> None:
    """In training long kernels go through the frequency domain; the norm uses the batch."""
    network = seeded("ecgencode_m1")
    x = torch.randn(2, 12, 5000)
    with torch.no_grad():
        norm = network.front.lead_norm.norm
        norm.momentum = 1.0
        trained = network.front.train()(x)
        variance = norm.running_var * (1 - 1 / (2 * 16 * 625))  # the batch's own is the biased one
        norm.running_var.copy_(variance)
        apart = network.front.eval().leads_apart(x)
    torch.testing.assert_close(trained, apart, rtol=1e-4, atol=1e-4)


def test_regularisation_stands_on_the_published_axes() -> None:
    """Leads in feature 1, channels in feature 2, for (batch, channels, leads, time)."""
    network = published("ecgencode_m2")
    for block, axis in ((network.feature_1, 2), (network.feature_2, 1)):
        assert isinstance(block.noise, SpatialGaussianNoise)
        assert isinstance(block.dropout, SpatialDropout)
        assert block.noise.axis == block.dropout.axis == axis
        assert (block.noise.probability, block.noise.mean, block.noise.deviation) == (0.5, 1.0, 0.1)


def test_noise_and_dropout_rest_in_eval() -> None:
    network = seeded("ecgencode_m2")
    x = torch.randn(3, 12, 5000)
    with torch.inference_mode():
        assert torch.equal(network(x), network(x))


def test_the_lead_axis_is_noised_in_feature_1() -> None:
    """Without norm and drop-out, a record's changed slices are whole augmented leads."""
    block = published("ecgencode_m2").feature_1.train()
    block.norm, block.dropout = nn.Identity(), nn.Identity()
    seen: list[torch.Tensor] = []
    block.noise.register_forward_hook(lambda module, inputs, output: seen.append(output))
    torch.manual_seed(0)
    with torch.no_grad():
        block(torch.ones(32, 16, 5, 50))
    changed = (seen[0] != 1).transpose(1, 2).flatten(2)
    assert torch.equal(changed.any(-1), changed.float().mean(-1) > 0.9)
    assert 0.3 < changed.any(-1).float().mean() < 0.7


def test_the_second_lstm_bias_stays_zero() -> None:
    """Keras has one bias a gate: torch's second one is frozen and left out of the count."""
    network = published("ecgencode_m2").train()
    assert network.lstm is not None
    optimiser = torch.optim.AdamW(network.parameters(), lr=0.1, weight_decay=0.1)
    before = network.lstm.bias_ih_l0.detach().clone()
    network(torch.randn(2, 12, 5000)).square().sum().backward()
    optimiser.step()
    for name, weight in network.lstm.named_parameters():
        assert weight.requires_grad != name.startswith("bias_hh")
        assert weight.any() or name.startswith("bias_hh")
        assert not (name.startswith("bias_hh") and weight.any())
    assert not torch.equal(before, network.lstm.bias_ih_l0)


def test_the_lead_norm_has_one_scale_a_lead() -> None:
    """Two leads at other scales come out alike; channels keep their ratio."""
    norm = published("ecgencode_m1").front.lead_norm.train()
    torch.manual_seed(0)
    x = torch.randn(4, 16, 12, 100)
    x[:, :, 3] *= 50
    x[:, 5] *= 3
    out = norm(x).detach()
    assert out[:, :, 3].std() == pytest.approx(float(out[:, :, 4].std()), rel=0.01)
    assert out[:, 5].std() > 2 * out[:, 6].std()


@pytest.mark.parametrize("name", ["ecgencode_m1", "ecgencode_m2"])
def test_changed_weights_are_noticed_without_gradients(name: str) -> None:
    """The kernels' spectra are kept between answers; weights loaded in between must count."""
    network, other = (seeded(name).eval() for _ in range(2))
    torch.manual_seed(1)
    with torch.no_grad():
        for kernels in other.front.temporal:
            kernels.normal_()  # far from the weights that are cached
    x = torch.randn(1, 12, 5000)
    with torch.inference_mode():
        before = network(x)
        network.load_state_dict(other.state_dict())
        after = network(x)
        with network.as_published():
            expected = network(x)
    torch.testing.assert_close(after, expected, atol=1e-5, rtol=1e-5)
    assert not torch.allclose(after, before, atol=1e-4)
