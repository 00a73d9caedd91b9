"""Which records an epoch shows."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ecgcore.training.sampling import Sampling, epoch_order, record_weights

KINDS: tuple[Sampling, ...] = ("uniform", "oversampling", "class_balanced")
every_kind = pytest.mark.parametrize("kind", KINDS)


def _targets(seed: int, records: int, labels: int, share: float) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return (torch.rand(records, labels, generator=generator) < share).float()


@every_kind
@settings(max_examples=25, deadline=None, derandomize=True)
@given(seed=st.integers(0, 99), records=st.integers(1, 60), share=st.floats(0, 1))
def test_an_epoch_keeps_its_length_and_repeats(
    kind: Sampling, seed: int, records: int, share: float
) -> None:
    targets = _targets(seed, records, 3, share)
    one, two = (epoch_order(kind, targets, torch.Generator().manual_seed(seed)) for _ in range(2))
    assert torch.equal(one, two)
    assert one.shape == (records,) and int(one.min()) >= 0 and int(one.max()) < records
    assert (record_weights(kind, targets) > 0).all()  # no record is never seen


def test_uniform_is_the_plain_shuffle() -> None:
    shuffled = torch.randperm(50, generator=torch.Generator().manual_seed(3))
    order = epoch_order("uniform", torch.zeros(50, 2), torch.Generator().manual_seed(3))
    assert torch.equal(order, shuffled)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(positives=st.integers(1, 50))
def test_oversampling_balances_one_rare_label(positives: int) -> None:
    targets = torch.zeros(100, 1)
    targets[:positives] = 1
    weights = record_weights("oversampling", targets)
    assert float(weights[:positives].sum() / weights.sum()) == pytest.approx(0.5)


def test_oversampling_takes_a_records_rarest_label() -> None:
    targets = torch.tensor([[1, 1], [1, 0], [0, 0], [0, 0]]).float()
    assert record_weights("oversampling", targets).tolist() == [3.0, 1.0, 1.0, 1.0]


def test_class_balanced_draws_each_label_alike() -> None:
    targets = torch.zeros(100, 3)
    targets[:60, 0], targets[60:62, 1], targets[62:65, 2] = 1, 1, 1
    order = epoch_order("class_balanced", targets.repeat(40, 1), torch.Generator().manual_seed(0))
    drawn = targets.repeat(40, 1)[order]
    shares = [*drawn.mean(0).tolist(), float((drawn.sum(1) == 0).float().mean())]
    assert shares == pytest.approx([0.25] * 4, abs=0.03)
