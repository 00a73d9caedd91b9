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


def together(parts: list[Network]) -> Ensemble:
    network = Ensemble(EnsembleOptions("inception", SMALL, len(parts)), leads=2, labels=5)
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


def test_members_of_other_kinds() -> None:
    pooled = Ensemble(EnsembleOptions("resnet1d_wang", {}, 2), leads=1, labels=3).eval()
    with torch.inference_mode():
        assert pooled(torch.randn(1, 1, 1000)).shape == (1, 3)
    with pytest.raises(ValueError, match="cannot be a member"):
        Ensemble(EnsembleOptions("hrnn", {}, 2), leads=12, labels=3)
    with pytest.raises(ValueError, match="1 or more of another network"):
        Ensemble(EnsembleOptions("ensemble", {}, 2), leads=12, labels=3)
    with pytest.raises(ValueError, match="1 or more of another network"):
        Ensemble(EnsembleOptions(members=0), leads=12, labels=3)
