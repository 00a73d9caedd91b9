"""A link of the chain sees the recording and the links before it, and nothing after it."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from ecgcore.models.classifier_chain import Chain, ClassifierChain
from ecgcore.models.network import count_parameters
from ecgcore.models.registry import build_network
from tests.models.weights_by_hand import encoder_blocks

DENSE = 512 * 512 + 512 + 2 * 512
"""The ReLU dense layer of a network and its norm."""


def chain(labels: int = 4, **options: object) -> ClassifierChain:
    """The network with seeded weights, in eval."""
    torch.manual_seed(0)
    network = build_network("classifier_chain", leads=12, labels=labels, options=options).eval()
    assert isinstance(network, ClassifierChain)
    return network


def links(features: int, labels: int) -> int:
    """Weights of the links: a square layer of the earlier answers, one output on all."""
    return sum(n * n + n + features + n + 1 for n in range(labels))


def test_weights_by_hand() -> None:
    assert count_parameters(chain(30)) == encoder_blocks(12) + DENSE + links(512, 30)


def test_the_program_s_link_by_hand() -> None:
    """With own networks and flat readout, each link has the program's 4 million numbers."""
    one = encoder_blocks(12) + DENSE
    assert one + 640_000 + 1 == 4_027_905
    options = {"networks": "own", "readout": "flat"}
    assert count_parameters(chain(3, **options)) == 3 * one + links(640_000, 3)


def test_links_by_hand() -> None:
    """Each logit is an output on the features and a ReLU layer of the earlier probabilities."""
    torch.manual_seed(1)
    head = Chain(3, 4, own=False)
    features = torch.randn(2, 3)
    logits = head(features)
    for number, link in enumerate(head.links):
        seen = features
        if number:
            probabilities = 1 / (1 + torch.exp(-logits[:, :number]))
            hidden = probabilities @ link.earlier.weight.T + link.earlier.bias
            seen = torch.cat([features, hidden.clamp(min=0)], dim=1)
        expected = (seen * link.output.weight[0]).sum(1) + link.output.bias[0]
        torch.testing.assert_close(logits[:, number], expected)


@pytest.mark.parametrize("networks", ["shared", "own"])
def test_a_link_changes_later_answers_and_no_earlier_one(networks: str) -> None:
    network = chain(networks=networks)
    x = torch.randn(2, 12, 200)
    with torch.inference_mode():
        before = network(x)
        network.head.links[1].output.bias.add_(5.0)
        after = network(x)
    changed = (before - after).abs().amax(0) > 1e-6
    assert changed.tolist() == [False, True, True, True]


def test_no_link_starts_deaf() -> None:
    """Whatever the seed, every earlier answer moves every later link."""
    for seed in range(20):
        torch.manual_seed(seed)
        head = Chain(3, 4, own=False)
        for number, link in enumerate(head.links):
            earlier = [torch.zeros(1, 1, requires_grad=True) for _ in range(number)]
            if earlier:
                slopes = torch.autograd.grad(link(torch.zeros(1, 3), earlier).sum(), earlier)
                assert all(slope.abs() > 0 for slope in slopes)


def test_own_networks_answer_for_one_label_each() -> None:
    """An answer is learnt by its own network and the earlier ones, and by none behind it."""
    network = chain(labels=3, networks="own")
    assert len(network.convolutions) == 3
    assert network.head.in_features == 3 * 512
    x = torch.randn(2, 12, 200)
    features = network.features(x)
    torch.testing.assert_close(network.head(features), network(x))
    network(x)[:, 1].sum().backward()
    reached = [bool(one[0][0].weight.grad.any()) for one in network.convolutions]
    assert reached == [True, True, False]


@pytest.mark.parametrize("networks", ["shared", "own"])
def test_the_layer_for_grad_cam_is_called_once(networks: str) -> None:
    network = chain(labels=3, networks=networks)
    seen: list[torch.Size] = []

    def keep(module: nn.Module, given: tuple[Tensor, ...], output: Tensor) -> None:
        seen.append(output.shape)

    network.cam_layer.register_forward_hook(keep)
    network(torch.randn(2, 12, 200))
    assert seen == [(2, 512 if networks == "shared" else 3 * 512, 50)]


def test_whole_channels_are_dropped_but_in_the_last_block() -> None:
    kinds = [type(block[3]) for block in chain().convolutions[0]]
    assert kinds == [nn.Dropout1d, nn.Dropout1d, nn.Dropout]


def test_one_label_is_a_chain_of_one() -> None:
    assert chain(labels=1)(torch.randn(2, 12, 100)).shape == (2, 1)


def test_unknown_networks_are_refused() -> None:
    with pytest.raises(ValueError, match="cannot be 'none'; known: shared, own"):
        build_network("classifier_chain", leads=12, labels=3, options={"networks": "none"})
