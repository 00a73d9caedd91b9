"""Which records a trained model must not judge."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ecgcore.datasets.packed import load_packed
from ecgcore.models.card import load_card
from ecgcore.training.learned_records import has_learned, learned_records
from tests.packed_example import write_packed


def test_records_are_known_by_the_hash_of_the_data_and_the_folds(tmp_path: Path) -> None:
    data = load_packed(write_packed(tmp_path / "p.npz"))
    card = load_card("inception")
    mine = replace(card, data=card.data | {"sha256": data.sha256})
    found = learned_records(mine, data)
    assert found is not None and np.array_equal(found, data.fold <= 8)


def test_the_shipped_models_know_the_names_of_their_records(tmp_path: Path) -> None:
    ids = np.arange(90) + 10_000_000
    ids[:2] = 24, 43  # folds 3 and 8 of ptbxl_1625
    data = load_packed(write_packed(tmp_path / "p.npz", ecg_id=ids))
    found = learned_records(load_card("lightbox"), data)
    assert found is not None and found[:2].all() and not found.all()
    elsewhere = replace(data, origins=np.full(90, "ludb"))
    assert not np.any(learned_records(load_card("lightbox"), elsewhere))


def test_training_data_tell_by_their_signals(tmp_path: Path) -> None:
    data = load_packed(write_packed(tmp_path / "p.npz"))
    part = replace(data.rows(np.array([8, 3, 50])), record_ids=np.array(["a", "b", "c"]))
    card = load_card("inception")
    found = learned_records(card, part, data)  # row 8 is of fold 9, that is not trained on
    assert found is not None and found.tolist() == [False, True, True]


def test_where_nothing_tells_it_is_not_known(tmp_path: Path) -> None:
    data = load_packed(write_packed(tmp_path / "p.npz"))
    card = load_card("inception")
    other = replace(card, data=card.data | {"attribution": "elsewhere"})
    assert learned_records(other, data) is None


@pytest.mark.parametrize(
    ("name", "learned"),
    [("HR00024", True), ("00024_hr", True), ("00043_lr", True), ("24", False), ("HR99999", False),
     ("JS00024", False)],
)  # fmt: skip
def test_a_recordings_name_tells_where_it_is_of_ptbxl(name: str, learned: bool) -> None:
    assert has_learned(load_card("lightbox"), name) is learned
