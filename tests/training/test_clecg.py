"""CLECG's views, and a pre-training that repeats, teaches, and leaves everything else alone."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Generator, Tensor

from ecgcore.models.registry import build_network
from ecgcore.training.checkpoint import TrainingError
from ecgcore.training.clecg import Pretraining, PretrainOptions, pretrain, start_from
from ecgcore.training.clecg_views import (
    ViewOptions,
    perturb_bands,
    random_crop,
    view,
    wavelet_bands,
)
from tests.training.objectives.example import Small

FEW = PretrainOptions(epochs=2, batch=8, size=8, queue=32, views=ViewOptions(levels=3))


def signals(records: int = 24, leads: int = 2, samples: int = 64) -> Tensor:
    """Each record repeats a wave of its own, so that any crop tells which it is."""
    generator = Generator().manual_seed(0)
    rates = torch.rand(records, leads, 1, generator=generator) * 0.8 + 0.1
    phases = torch.rand(records, leads, 1, generator=generator) * 6
    return torch.sin(torch.arange(samples) * rates + phases)


@settings(deadline=None)
@given(st.integers(2, 80), st.integers(0, 6))
def test_bands_add_up_to_the_signal(samples: int, levels: int) -> None:
    signal = torch.randn(2, 3, samples, generator=Generator().manual_seed(samples))
    bands = wavelet_bands(signal, levels)
    assert len(bands) == levels + 1
    torch.testing.assert_close(sum(bands), signal)


def test_bands_part_fast_from_slow() -> None:
    time = torch.arange(2000) / 100.0
    fast, slow = torch.sin(2 * torch.pi * 35 * time), torch.sin(2 * torch.pi * 0.1 * time)
    bands = wavelet_bands((fast + slow)[None, None], 6)
    inner = slice(500, 1500)  # whole periods of both, energy 0.5 each
    energy = [float(band[..., inner].square().mean()) for band in bands]
    assert energy[0] > 0.45 and energy[-1] > 0.45
    assert max(energy[2:-1]) < 0.05


def test_leads_share_gains_so_that_what_binds_them_holds() -> None:
    one, two = torch.randn(2, 4, 100, generator=Generator().manual_seed(0))
    three = torch.stack([one, two, two - one], dim=1)
    changed = view(three, ViewOptions(), Generator().manual_seed(1))
    torch.testing.assert_close(changed[:, 2], changed[:, 1] - changed[:, 0], atol=1e-5, rtol=1e-5)
    assert changed.shape == (4, 3, 50)


def test_crops_are_stretches_from_different_starts() -> None:
    ramp = torch.arange(100.0).expand(20, 2, 100)
    crops = random_crop(ramp, 0.3, Generator().manual_seed(0))
    assert crops.shape == (20, 2, 30)
    assert torch.equal(crops.diff(dim=-1), torch.ones(20, 2, 29))
    assert torch.equal(crops[:, 0], crops[:, 1])
    assert len(set(crops[:, 0, 0].tolist())) > 10
    assert float(random_crop(ramp, 1.0, Generator().manual_seed(0)).sub(ramp).abs().max()) == 0


def test_no_spread_changes_nothing_and_the_length_can_be_kept() -> None:
    batch = signals(3)
    same = perturb_bands(batch, 4, 0.0, Generator().manual_seed(0))
    torch.testing.assert_close(same, batch, atol=1e-6, rtol=1e-5)
    padded = view(batch, ViewOptions(crop=0.25, keep_length=True), Generator().manual_seed(0))
    assert padded.shape == batch.shape
    assert float(padded[..., 16:].abs().max()) == 0


def test_wrong_options_are_refused() -> None:
    for wrong in ({"crop": 0.0}, {"crop": 1.5}, {"levels": -1}, {"spread": 2.0}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            ViewOptions(**wrong)
    wrongs: tuple[dict[str, Any], ...] = (
        {"batch": 1}, {"epochs": 0}, {"learning_rate": 0}, {"momentum": 1.0},
    )  # fmt: skip
    for wrong_ in wrongs:
        with pytest.raises(ValueError, match=next(iter(wrong_))):
            PretrainOptions(**wrong_)
    with pytest.raises(TrainingError, match="3 records make no batch of 8"):
        pretrain(Small(leads=2), signals(3), FEW)


def test_a_seed_repeats_and_the_world_outside_stays_as_it_was() -> None:
    torch.manual_seed(0)
    network = Small(leads=2)
    before = {name: v.clone() for name, v in network.state_dict().items()}
    state, rows = torch.get_rng_state(), []
    first = pretrain(network, signals(), FEW, rows.append)
    assert torch.equal(torch.get_rng_state(), state)
    torch.rand(3)
    second = pretrain(network, signals(), FEW)
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert all(torch.equal(v, before[name]) for name, v in network.state_dict().items())
    other = pretrain(network, signals(), PretrainOptions(**{**vars(FEW), "seed": 1}))
    assert not torch.equal(first["first.weight"], other["first.weight"])
    assert [row["epoch"] for row in rows] == [1, 2]
    assert set(rows[0]) == {"epoch", "loss", "found", "seconds"}


def test_what_is_kept_has_no_head_and_starts_another_network() -> None:
    torch.manual_seed(0)
    weights = pretrain(Small(leads=2), signals(), FEW)
    assert not any(name.startswith("head") for name in weights)
    student = Small(leads=2, labels=7)
    head = student.head.weight.clone()
    start_from(student, weights)
    assert torch.equal(student.head.weight, head)
    kept = student.state_dict()
    assert all(torch.equal(kept[name], value) for name, value in weights.items())
    with pytest.raises(ValueError, match=r"do not fit Small: first.weight; pre-train"):
        start_from(Small(leads=1), weights)
    with pytest.raises(ValueError, match="do not fit Small"):
        start_from(student, {})


def test_the_key_network_follows_and_is_never_trained() -> None:
    torch.manual_seed(0)
    run = Pretraining(Small(leads=2), signals(), FEW)
    start = {name: v.clone() for name, v in run.key.state_dict().items()}
    run._step(torch.arange(8))
    learnt, key = run.query.state_dict(), run.key.state_dict()
    share = 2 / 11  # (1 + 1) / (10 + 1): the short memory of the first step
    for name, value in key.items():
        if value.is_floating_point():
            expected = share * start[name] + (1 - share) * learnt[name]
            torch.testing.assert_close(value, expected)
    assert not run.key.training
    assert not any(p.requires_grad or p.grad is not None for p in run.key.parameters())


def test_records_are_told_apart_after_a_while() -> None:
    """By chance a query finds its key among 24 once in 24 times, at a loss of log 24 = 3.18."""
    torch.manual_seed(0)
    rows: list[dict[str, Any]] = []
    options = PretrainOptions(
        epochs=20, batch=8, size=16, queue=24, learning_rate=3e-3, views=ViewOptions(spread=0.2)
    )
    network = build_network("resnet1d_wang", leads=2, labels=2)
    pretrain(network, signals(samples=128), options, rows.append)
    last = rows[-5:]
    assert sum(row["found"] for row in last) / 5 > 5 / 24
    assert sum(row["loss"] for row in last) / 5 < 2.6


def test_a_registered_network_of_one_length_can_be_pretrained() -> None:
    torch.manual_seed(0)
    network = build_network("ecgencode_m1", leads=1, labels=2)
    views = ViewOptions(keep_length=True, levels=2)
    options = PretrainOptions(epochs=1, batch=2, size=8, queue=4, views=views)
    weights = pretrain(network, torch.randn(2, 1, 5000), options)
    start_from(network, weights)
