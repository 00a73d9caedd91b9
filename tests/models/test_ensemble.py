"""Members that answer together: their mean, their weights, and Grad-CAM through all of them."""

from __future__ import annotations

import pytest
import torch

from ecgcore.models.ensemble import Ensemble, EnsembleOptions, ensemble_weights
from ecgcore.models.network import Network
from ecgcore.models.registry import build_network

SMALL = {"filters": 4}


def members(count: int = 3) -> list[Network]:
    torch.manual_seed(0)
    return [
        build_network("inception", leads=2, labels=5, options=SMALL).eval() for _ in range(count)
    ]


def options(*networks: str, **told: int) -> EnsembleOptions:
    return EnsembleOptions([{"network": name, "options": told} for name in networks])


def together(parts: list[Network]) -> Ensemble:
    network = Ensemble(options(*["inception"] * len(parts), **SMALL), leads=2, labels=5)
    network.load_state_dict(ensemble_weights([part.state_dict() for part in parts]))
    return network.eval()


def test_the_answer_is_the_mean_of_the_members() -> None:
    parts, x = members(), torch.randn(4, 2, 750)
    with torch.inference_mode():
        expected = torch.stack([part(x) for part in parts]).mean(0)
        torch.testing.assert_close(together(parts)(x), expected)


def test_the_layer_of_grad_cam_holds_all_maps_and_leads_to_the_answer() -> None:
    network, x = together(members()), torch.randn(2, 2, 750)
    seen: list[torch.Tensor] = []
    network.cam_layer.register_forward_hook(lambda module, given, output: seen.append(output))
    logits = network(x)
    assert seen[0].shape[1] == 3 * 16
    gradients = torch.autograd.grad(logits[0, 0], seen[0])[0]
    for part in gradients[0].split(16):
        assert part.abs().sum() > 0
    assert gradients[1].abs().sum() == 0


def test_unlike_members_answer_together_each_kind_through_a_layer_of_its_own() -> None:
    torch.manual_seed(0)
    names = ("inception", "inception", "resnet1d_wang")
    parts = [
        build_network(name, leads=2, labels=5, options=SMALL if name == "inception" else {}).eval()
        for name in names
    ]
    told = [{"network": name, "options": SMALL if name == "inception" else {}} for name in names]
    network = Ensemble(EnsembleOptions(told), leads=2, labels=5).eval()
    network.load_state_dict(ensemble_weights([part.state_dict() for part in parts]))
    x, seen = torch.randn(2, 2, 1000), []
    for layer in network.cam_layers:
        layer.register_forward_hook(lambda module, given, output: seen.append(output))
    logits = network(x)
    torch.testing.assert_close(logits, torch.stack([part(x) for part in parts]).mean(0))
    assert [maps.shape[1] for maps in seen] == [2 * 16, 128]
    assert seen[0].shape[2] != seen[1].shape[2]
    for gradient in torch.autograd.grad(logits[0, 0], seen):
        assert gradient[0].abs().sum() > 0
    with pytest.raises(TypeError, match="2 kinds of members"):
        _ = network.cam_layer


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (options("hrnn"), "cannot be a member"),
        (options("ensemble"), "another network"),
        (EnsembleOptions([{"network": "inception"}]), "as network and options"),
        (EnsembleOptions([]), "give 1 or more"),
    ],
)
def test_what_cannot_answer_together_is_refused(wrong: EnsembleOptions, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Ensemble(wrong, leads=12, labels=3)
