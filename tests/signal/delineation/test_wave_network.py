"""The network's shape: a lead alone for its own answer, all leads in any order for the heart's."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor

from ecgcore.signal.delineation.wave_network import WaveNetwork, WaveNetworkOptions, folded

SMALL = WaveNetworkOptions(lead_channels=(4, 6, 8), joint_channels=(5, 6))


@pytest.fixture
def network() -> WaveNetwork:
    """A small network whose normalisations have seen something."""
    torch.manual_seed(0)
    made = WaveNetwork(SMALL)
    with torch.no_grad():
        for _ in range(20):
            made(torch.randn(3, 5, 64))
    return made.eval()


def ask(
    network: WaveNetwork, values: Tensor, present: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    with torch.inference_mode():
        leads, joint = network(values, present)
    return leads, joint


def test_an_answer_for_each_sample_of_each_lead_and_of_the_heart(network: WaveNetwork) -> None:
    leads, joint = ask(network, torch.randn(2, 5, 128))
    assert leads.shape == (2, 5, 4, 128)
    assert joint.shape == (2, 4, 128)


def test_a_lead_is_answered_from_itself_alone(network: WaveNetwork) -> None:
    values = torch.randn(1, 5, 64)
    changed = values.clone()
    changed[0, [0, 1, 3, 4]] = torch.randn(4, 64)
    torch.testing.assert_close(ask(network, values)[0][0, 2], ask(network, changed)[0][0, 2])
    torch.testing.assert_close(
        ask(network, values)[0][:, 2], ask(network, values[:, 2:3])[0][:, 0], atol=1e-5, rtol=1e-4
    )


def test_the_order_of_leads_does_not_matter(network: WaveNetwork) -> None:
    values = torch.randn(1, 5, 64)
    order = [3, 1, 4, 0, 2]
    leads, joint = ask(network, values)
    leads_then, joint_then = ask(network, values[:, order])
    torch.testing.assert_close(leads_then, leads[:, order], atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(joint_then, joint, atol=1e-5, rtol=1e-4)


def test_a_lead_said_to_be_absent_is_as_if_it_were_not_there(network: WaveNetwork) -> None:
    values = torch.randn(1, 5, 64)
    present = torch.tensor([[True, False, True, True, False]])
    joint = ask(network, values, present)[1]
    torch.testing.assert_close(joint, ask(network, values[:, [0, 2, 3]])[1], atol=1e-5, rtol=1e-4)
    assert (joint - ask(network, values)[1]).abs().max() > 1e-3


def test_folding_changes_no_answer_and_leaves_no_normalisation(network: WaveNetwork) -> None:
    values = torch.randn(1, 5, 64)
    quick = folded(copy.deepcopy(network))
    for before, after in zip(ask(network, values), ask(quick, values), strict=True):
        torch.testing.assert_close(after, before, atol=1e-4, rtol=1e-4)
    assert not any(isinstance(part, torch.nn.BatchNorm2d) for part in quick.modules())


@pytest.mark.parametrize(
    "value",
    [None, {}, {"lead_channels": [4]}, {"lead_channels": [], "joint_channels": [4]},
     {"lead_channels": ["4"], "joint_channels": [4]},
     {"lead_channels": [4], "joint_channels": [4], "depth": 3}],
)  # fmt: skip
def test_options_that_name_no_network_are_refused(value: object) -> None:
    with pytest.raises(ValueError, match="expected"):
        WaveNetworkOptions.from_json(value)


def test_options_come_back_from_a_card() -> None:
    card = {"lead_channels": [4, 6, 8], "joint_channels": [5, 6]}
    assert WaveNetworkOptions.from_json(card) == SMALL
