"""The contract that every registered network keeps; a new one is tested by being registered."""

from __future__ import annotations

from copy import deepcopy

import pytest
import torch
from torch import Tensor, nn

from ecgcore.models import registry
from ecgcore.models.measured import COLUMNS, MeasuredNetwork
from ecgcore.models.network import Network, logits_of
from ecgcore.models.registry import build_network, network_entry, network_names, register
from ecgcore.models.trees import GROWN, TreeNetwork
from tests.models.example import seeded_network

every_network = pytest.mark.parametrize("name", network_names(), scope="module")
every_one_that_sees_the_signal = pytest.mark.parametrize(
    "name", [name for name in network_names() if name not in GROWN], scope="module"
)


def inputs(name: str, leads: int, records: int = 2) -> Tensor:
    """Random inputs of the network's own length."""
    torch.manual_seed(7)
    return torch.randn(records, leads, network_entry(name).spec.samples)


@pytest.fixture(scope="module")
def network(name: str) -> Network:
    """One of twelve leads and five labels, in eval mode; built once for the tests of its name,
    which leave it as it is."""
    return seeded_network(name)


@pytest.fixture(scope="module")
def logits(name: str, network: Network) -> Tensor:
    """What the network answers on its inputs."""
    with torch.inference_mode():
        return network(inputs(name, 12))


@every_network
def test_what_is_made_of_trees_is_grown(name: str, network: Network) -> None:
    assert isinstance(network, TreeNetwork) == (name in GROWN)


def test_the_known_networks() -> None:
    assert set(network_names()) >= {"ecgencode_m1", "ecgencode_m2", "inception"}
    assert list(network_names()) == sorted(network_names())


@every_network
@pytest.mark.parametrize(("leads", "labels"), [(1, 1), (3, 71)])
def test_shape(name: str, leads: int, labels: int) -> None:
    network = build_network(name, leads=leads, labels=labels).eval()
    with torch.inference_mode():
        answer = network(inputs(name, leads))
    assert answer.shape == (2, labels)
    assert answer.dtype == torch.float32


@every_network
def test_shape_of_five_labels_on_twelve_leads(name: str, logits: Tensor) -> None:
    assert logits.shape == (2, 5)
    assert logits.dtype == torch.float32


@every_one_that_sees_the_signal
def test_a_record_does_not_depend_on_its_neighbours(name: str, network: Network) -> None:
    """In 64 bits: some answers of random weights differ by little more than 32 bits round off."""
    x, exact = inputs(name, 12).double(), deepcopy(network).double()
    with torch.inference_mode():
        logits = exact(x)
        alone = torch.cat([exact(record[None]) for record in x])
        turned = exact(x.flip(0)).flip(0)
    spread = logits.std(0).min()
    assert spread > 0
    torch.testing.assert_close(logits, alone, rtol=0, atol=float(1e-3 * spread))
    torch.testing.assert_close(logits, turned, rtol=0, atol=float(1e-3 * spread))


@every_one_that_sees_the_signal
def test_gradient_reaches_every_weight(name: str, network: Network) -> None:
    network = deepcopy(network).train()
    torch.manual_seed(3)
    told = torch.randn(2, COLUMNS) if isinstance(network, MeasuredNetwork) else None
    (logits_of(network, inputs(name, 12), told) * torch.randn(2, 5)).sum().backward()
    without = [
        key
        for key, weight in network.named_parameters()
        if weight.requires_grad and (weight.grad is None or not weight.grad.any())
    ]
    assert without == []


@every_one_that_sees_the_signal
def test_every_lead_matters(name: str, network: Network) -> None:
    x = inputs(name, 12, records=1).requires_grad_()
    (gradient,) = torch.autograd.grad(network(x).square().sum(), x)
    assert gradient.abs().sum(-1).min() > 0


@every_network
def test_features_times_head_are_the_logits(name: str, network: Network, logits: Tensor) -> None:
    x = inputs(name, 12)
    torch.manual_seed(1)  # whatever is drawn, as by a dropout that is left on, is not the same
    with torch.inference_mode():
        features = network.features(x)
        assert features.shape == (2, network.head.in_features)
        torch.testing.assert_close(network.head(features), logits)


@every_one_that_sees_the_signal
def test_the_layer_for_grad_cam_has_the_promised_axes(name: str, network: Network) -> None:
    seen: list[Tensor] = []

    def keep(module: nn.Module, given: tuple[Tensor, ...], output: Tensor) -> None:
        seen.append(output)

    hook = network.cam_layer.register_forward_hook(keep)
    with torch.inference_mode(), network.as_published():
        network(inputs(name, 12))
    hook.remove()
    (output,) = seen
    assert output.shape[0] == 2
    assert output.ndim == (4 if network.cam_keeps_leads else 3)
    assert not network.cam_keeps_leads or output.shape[2] == 12
    assert 1 < output.shape[-1] <= network_entry(name).spec.samples


@every_network
def test_the_entry_states_paper_and_output(name: str) -> None:
    entry = network_entry(name)
    assert entry.paper
    assert entry.output in ("sigmoid", "softmax")
    assert entry.spec.leads == registry.InputSpec().leads


def test_an_unknown_name_lists_the_known() -> None:
    with pytest.raises(ValueError, match=r"unknown network 'resnet'; known: .*ecgencode_m1, "):
        network_entry("resnet")
    with pytest.raises(ValueError, match="unknown network 'resnet'"):
        build_network("resnet", leads=12, labels=5)


def test_a_name_is_registered_once() -> None:
    entry = network_entry("inception")
    with pytest.raises(ValueError, match="'inception' is registered twice"):
        register(
            "inception",
            options=entry.options,
            paper="another",
            spec=entry.spec,
            labels=30,
            output="sigmoid",
            count=entry.count,
        )
    assert network_entry("inception") is entry


def test_a_value_that_is_no_choice_is_refused() -> None:
    with pytest.raises(ValueError, match="concat of 'inception' cannot be 'up'; known: channels"):
        build_network("inception", leads=12, labels=5, options={"concat": "up"})


@every_network
def test_an_unknown_option_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"network '{name}' has no option dept; known: "):
        build_network(name, leads=12, labels=5, options={"dept": 3})
