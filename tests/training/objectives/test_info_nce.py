"""InfoNCE by hand and against a slow plain reference; whose keys count."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from ecgcore.training.objectives.info_nce import KeyQueue, info_nce, info_nce_logits

CPU = torch.device("cpu")


def test_equals_the_formula() -> None:
    generator = torch.Generator().manual_seed(0)
    queries, keys = functional.normalize(torch.randn(2, 3, 4, generator=generator), dim=2)
    negatives = functional.normalize(torch.randn(5, 4, generator=generator), dim=1)
    allowed = torch.rand(3, 5, generator=generator) < 0.6
    total = 0.0
    for i in range(3):
        own = math.exp(float(queries[i] @ keys[i]) / 0.07)
        others = sum(
            math.exp(float(queries[i] @ negatives[j]) / 0.07) for j in range(5) if allowed[i, j]
        )
        total -= math.log(own / (own + others))
    got = info_nce(info_nce_logits(queries, keys, negatives, allowed, 0.07))
    assert float(got) == pytest.approx(total / 3, rel=1e-4)


def test_by_hand() -> None:
    """An own key at similarity 1 and two others at 0 and 1, of which the last does not count."""
    query, negatives = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0], [1.0, 0.0]])
    logits = info_nce_logits(query, query, negatives, torch.tensor([[True, False]]), 1.0)
    assert float(info_nce(logits)) == pytest.approx(math.log(1 + math.exp(-1)))


@given(st.integers(1, 9), st.lists(st.integers(1, 9), min_size=1, max_size=5))
def test_a_queue_holds_the_last_keys(length: int, batches: list[int]) -> None:
    queue, added = KeyQueue(length, 1, CPU), []
    for count in batches:
        count_ = min(count, length)
        rows = torch.arange(len(added), len(added) + count_)
        queue.add(rows[:, None].float(), rows)
        added += rows.tolist()
    held = sorted(row for row in queue.rows.tolist() if row >= 0)
    assert held == added[-length:]
    assert all(
        row == key for row, key in zip(queue.rows, queue.keys[:, 0], strict=True) if row >= 0
    )


def test_neither_empty_places_nor_the_records_own_keys_count() -> None:
    queue = KeyQueue(4, 2, CPU)
    queue.add(torch.ones(3, 2), torch.tensor([5, 7, 5]))
    others = queue.others(torch.tensor([5, 7, 0]))
    assert others.tolist() == [
        [False, True, False, False],
        [True, False, True, False],
        [True, True, True, False],
    ]
