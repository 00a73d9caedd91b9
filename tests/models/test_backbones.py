"""What MVKT-ECG's backbones have in common: feature sizes, lengths, options from a card."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest
import torch

from ecgcore.models.registry import build_network, network_entry
from tests.models.example import seeded_network

BACKBONES = {
    "cnn_hannun": 256,
    "resnet1d34": 512,
    "resnet1d_wang": 128,
    "inception1d": 128,
    "xresnet1d101_wide": 2048,
}
"""Section 3.5 of the paper."""

OTHERS = {
    "xresnet1d101": 128,
    "resnet1d_liu": 512,
    "densecnn_wang": 1024,
    "seresnet18": 512,
    "seresnet34": 512,
}
every_network = pytest.mark.parametrize("name", [*BACKBONES, *OTHERS])


@pytest.mark.parametrize(("name", "size"), [*BACKBONES.items(), *OTHERS.items()])
def test_feature_sizes(name: str, size: int) -> None:
    assert build_network(name, leads=1, labels=24).head.in_features == size


@pytest.mark.parametrize("name", ["resnet1d_wang", "inception1d"])
def test_averaged_channels_have_the_papers_size_too(name: str) -> None:
    network = build_network(name, leads=1, labels=24, options={"head": "average"})
    assert network.head.in_features == BACKBONES[name]
    x = torch.randn(2, 1, 250)
    with torch.inference_mode():
        features = network.eval().features(x)
        torch.testing.assert_close(features, network.cam_layer(x).mean(-1))


@every_network
def test_the_input_is_ten_seconds_at_100_hz(name: str) -> None:
    entry = network_entry(name)
    assert (entry.spec.sampling_rate, entry.spec.samples) == (100.0, 1000)
    assert entry.output == "sigmoid"
    assert entry.labels in (5, 71)


@every_network
@pytest.mark.parametrize("samples", [250, 601])
def test_other_lengths(name: str, samples: int) -> None:
    """2.5 s crops, as the PTB-XL benchmark trains on, and a length that halves unevenly."""
    network = seeded_network(name, leads=2, labels=3)
    with torch.inference_mode():
        assert network(torch.randn(2, 2, samples)).isfinite().all()


@every_network
def test_options_survive_a_card(name: str) -> None:
    options = json.loads(json.dumps(asdict(network_entry(name).options())))
    ours = build_network(name, leads=2, labels=3).state_dict()
    theirs = build_network(name, leads=2, labels=3, options=options).state_dict()
    assert {k: v.shape for k, v in ours.items()} == {k: v.shape for k, v in theirs.items()}
