"""What augmentation changes, and what it leaves."""

from __future__ import annotations

import math
from dataclasses import fields

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from ecgcore.training.augmentation import Augmentation, augment, mixed

NAMES = [field.name for field in fields(Augmentation)]


def _batch(records: int = 5, leads: int = 3, samples: int = 50) -> Tensor:
    return torch.randn(records, leads, samples, generator=torch.Generator().manual_seed(1))


def _augment(batch: Tensor, seed: int = 0, **amounts: float) -> Tensor:
    return augment(batch, Augmentation(**amounts), torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=15, deadline=None, derandomize=True)
@given(amount=st.floats(0.05, 1), seed=st.integers(0, 50))
def test_each_change_repeats_keeps_the_shape_and_spares_what_it_was_given(
    name: str, amount: float, seed: int
) -> None:
    batch = _batch()
    one, two = (_augment(batch, seed, **{name: amount}) for _ in range(2))
    assert torch.equal(one, two) and one.shape == batch.shape and one.dtype == batch.dtype
    assert torch.equal(batch, _batch())
    assert torch.isfinite(one).all()


def test_a_change_of_no_strength_draws_nothing() -> None:
    generator = torch.Generator().manual_seed(0)
    before = generator.get_state()
    assert torch.equal(augment(_batch(), Augmentation(), generator), _batch())
    assert torch.equal(generator.get_state(), before)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(amount=st.floats(0.01, 1), seed=st.integers(0, 50))
def test_equation_3_stays_within_the_records_deviation(amount: float, seed: int) -> None:
    batch = _batch() * torch.arange(1, 6)[:, None, None]
    added = _augment(batch, seed, uniform_noise=amount) - batch
    largest = amount * batch.flatten(1).std(1, correction=0)
    shares = added.abs().flatten(1) / largest[:, None]
    assert float(shares.max()) <= 1 + 1e-4
    assert float(shares.amax(1).min()) > 0.8  # and reaches out to it
    assert float(added.mean()) == pytest.approx(0, abs=0.3 * float(largest.max()))


@settings(max_examples=25, deadline=None, derandomize=True)
@given(seed=st.integers(0, 50))
def test_equation_4_is_one_period_of_a_cosine_in_each_lead(seed: int) -> None:
    batch = _batch()
    added = (_augment(batch, seed, baseline_wander=1) - batch).double()
    assert torch.allclose(added, added[:, :1].expand_as(added), atol=1e-5)
    spectrum = torch.fft.rfft(added, dim=2).abs()
    assert float(spectrum[:, :, 2:].max()) < 1e-4 and float(spectrum[:, :, 0].max()) < 1e-4
    amplitude = spectrum[:, 0, 1] * 2 / 50
    assert (amplitude <= batch.flatten(1).std(1, correction=0) * (1 + 1e-4)).all()


def test_equation_4_draws_phases_of_the_whole_circle() -> None:
    added = _augment(_batch(400, 1), baseline_wander=1) - _batch(400, 1)
    phases = torch.fft.rfft(added[:, 0].double())[:, 1].angle()
    quarters = torch.histc(phases, 4, -math.pi, math.pi)
    assert (quarters > 60).all()


@settings(max_examples=25, deadline=None, derandomize=True)
@given(largest=st.floats(0.05, 1), seed=st.integers(0, 50))
def test_a_crop_is_a_window_moved_to_the_start_and_zeros(largest: float, seed: int) -> None:
    batch = _batch()
    for before, after in zip(batch, _augment(batch, seed, crop=largest), strict=True):
        kept = int((after.abs().sum(0) > 0).sum())
        assert kept >= max(50 - int(largest * 50), 1)
        assert not after[:, kept:].any()
        starts = range(50 - kept + 1)
        assert any(torch.equal(before[:, k : k + kept], after[:, :kept]) for k in starts)


def test_scale_is_one_gain_a_record_and_gain_one_a_lead() -> None:
    batch = _batch()
    scaled, gained = _augment(batch, scale=0.3) / batch, _augment(batch, gain=0.3) / batch
    assert torch.allclose(scaled, scaled[:, :1, :1].expand_as(scaled), rtol=1e-4)
    assert float(scaled[:, 0, 0].std()) > 0.05
    assert torch.allclose(gained, gained[:, :, :1].expand_as(gained), rtol=1e-4)
    assert float(gained[:, :, 0].std(1).min()) > 0.01
    assert (scaled > 0).all() and (gained > 0).all()


def test_an_amount_outside_its_range_is_refused() -> None:
    with pytest.raises(ValueError, match=r"augmentation crop 2; must be a number in 0\.\.1"):
        Augmentation(crop=2)


@pytest.mark.parametrize("alpha", [0.2, 0.5, 1.0])
def test_mixing_takes_shares_of_the_beta_distribution(alpha: float) -> None:
    generator = torch.Generator().manual_seed(0)
    one = torch.zeros(2, 1, 1)
    one[0] = 1
    shares = []
    for _ in range(3000):
        batch, targets = mixed(one, one[:, :, 0], alpha, generator)
        assert torch.equal(batch[:, :, 0], targets)
        shares.append(float(batch[0, 0, 0]))
    # Half of the pairs are a record with itself, whose share is 1 whatever was drawn.
    drawn = torch.tensor([share for share in shares if share != 1], dtype=torch.float64)
    assert len(drawn) == pytest.approx(1500, abs=150)
    assert float(drawn.mean()) == pytest.approx(0.5, abs=0.03)
    assert float(drawn.var()) == pytest.approx(1 / (4 * (2 * alpha + 1)), rel=0.1)


def test_mixed_records_keep_their_labels_with_them() -> None:
    batch = _batch(records=6)
    targets = batch[:, :, 0]  # a label that says what the record holds
    for seed in range(5):
        signals, labels = mixed(batch, targets, 0.4, torch.Generator().manual_seed(seed))
        torch.testing.assert_close(signals[:, :, 0], labels)
        assert torch.equal(batch, _batch(records=6))
