"""What ``evaluate`` prints: means over the labels that can be scored, and nothing invented."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ecgcore.datasets.packed import PackedData, load_packed
from ecgcore.evaluation.evaluate import evaluate_probabilities
from ecgcore.labels import SUPERCLASSES
from ecgcore.models.card import LabelCard
from tests.packed_example import write_packed


@pytest.fixture
def data(tmp_path: Path) -> PackedData:
    """90 records without a single HYP."""
    data = load_packed(write_packed(tmp_path / "packed.npz"))
    targets = data.targets["superclasses"].copy()
    targets[:, 4] = 0
    return replace(data, targets={**data.targets, "superclasses": targets})


def labels() -> tuple[LabelCard, ...]:
    """Five labels; CD has no threshold and STTC is scored but not answered."""
    return tuple(
        LabelCard(
            label.code,
            label.description,
            label.set,
            100,
            10,
            None if label.code == "CD" else 0.5,
            reason={"CD": "not enough data", "STTC": "like chance"}.get(label.code),
        )
        for label in SUPERCLASSES
    )


def test_a_label_without_both_classes_or_a_threshold_is_in_no_mean(data: PackedData) -> None:
    probabilities = np.random.default_rng(0).random((len(data), 5))
    probabilities[:, 1] = data.targets["superclasses"][:, 1]
    scores = evaluate_probabilities("made", labels(), probabilities, data)
    rows = {row["code"]: row for row in scores["labels"]}
    assert [row["code"] for row in scores["labels"]] == [label.code for label in SUPERCLASSES]
    assert rows["MI"]["auroc"] == 1.0 and rows["MI"]["f1"] == 1.0
    assert rows["HYP"]["auroc"] is None and rows["HYP"]["n_positive"] == 0
    assert "auroc" not in rows["CD"] and rows["CD"]["reason"] == "not enough data"
    assert rows["STTC"]["auroc"] is not None and rows["STTC"]["reason"] == "like chance"
    macro = scores["macro"]
    assert macro["n_labels"] == 3
    mean = np.mean([rows[code]["auroc"] for code in ("NORM", "MI", "STTC")])
    assert macro["auroc"] == pytest.approx(mean, abs=1e-6)
    assert macro["superclasses"]["auroc"] == macro["auroc"]


def test_a_label_is_scored_on_its_own_column_whatever_the_order(data: PackedData) -> None:
    probabilities = np.random.default_rng(0).random((len(data), 5))
    straight = evaluate_probabilities("made", labels(), probabilities, data)
    turned = evaluate_probabilities("made", labels()[::-1], probabilities[:, ::-1], data)
    assert {row["code"]: row for row in turned["labels"]} == {
        row["code"]: row for row in straight["labels"]
    }
