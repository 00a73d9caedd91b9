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


def test_answers_together_are_of_the_labels_with_a_threshold(data: PackedData) -> None:
    probabilities = np.random.default_rng(0).random((len(data), 5))
    scores = evaluate_probabilities("made", labels(), probabilities, data)["answers"]
    assert list(scores) == ["superclasses"]
    answers = scores["superclasses"]
    kept = [0, 1, 2, 4]
    targets = data.targets["superclasses"][:, kept]
    said = probabilities[:, kept] >= 0.5
    assert answers["n_labels"] == 4
    hamming = np.mean(said != targets)
    assert answers["at_thresholds"]["hamming"] == pytest.approx(hamming, abs=1e-6)
    assert answers["at_half"] == answers["at_thresholds"]
    low, high = answers["intervals"]["hamming"]
    assert low < hamming < high
    low, high = answers["intervals"]["f1"]
    assert low < high
    assert answers["threshold_prevalence_correlation"] is None
    calibration = answers["calibration"]
    assert [row["code"] for row in calibration["labels"]] == ["NORM", "MI", "STTC", "HYP"]
    for place, row in enumerate(calibration["labels"]):
        square = np.mean((probabilities[:, kept[place]] - targets[:, place]) ** 2)
        assert row["brier"] == pytest.approx(square, abs=1e-6)
    assert calibration["ece"] == pytest.approx(
        np.mean([row["ece"] for row in calibration["labels"]]), abs=1e-6
    )
    assert calibration["temperature"] > 1


def test_a_set_without_a_threshold_has_no_scores(data: PackedData) -> None:
    untold = tuple(replace(label, threshold=None, reason="not enough data") for label in labels())
    scores = evaluate_probabilities("made", untold, np.zeros((len(data), 5)), data)
    assert scores["macro"]["n_labels"] == 0 and scores["macro"]["auroc"] is None
    answers = scores["answers"]["superclasses"]
    assert answers["intervals"] == {} and answers["at_half"]["hamming"] is None
    assert answers["calibration"]["ece"] is None


def test_the_challenge_score_takes_what_the_model_leaves_out_for_no(data: PackedData) -> None:
    def card(code: str, threshold: float | None) -> LabelCard:
        return LabelCard(code, code, "statements", 100, 10, threshold)

    targets = np.zeros_like(data.targets["statements"])
    codes = data.codes["statements"]
    targets[: len(data) // 2, codes.index("AFIB")] = 1
    targets[len(data) // 2 :, codes.index("SR")] = 1
    data = replace(data, targets={**data.targets, "statements": targets})
    truth = data.target("statements", ("AFIB", "SR")).astype(float)
    both = (card("AFIB", 0.5), card("SR", 0.5))
    scores = evaluate_probabilities("made", both, truth, data)["answers"]["statements"]
    assert scores["challenge"] == {
        "score": 1.0,
        "classes": ["AF", "NSR"],
        "answered": ["AF", "NSR"],
    }
    withheld = replace(card("SR", 0.5), reason="not enough data")
    for untold in (card("SR", None), withheld):
        scores = evaluate_probabilities("made", (both[0], untold), truth, data)
        found = scores["answers"]["statements"]["challenge"]
        assert found["answered"] == ["AF"]
        # Half earns 1 for AF; sinus rhythm for all earns 1 for half and 0.25 / 2 for the other.
        assert found["score"] == pytest.approx((0.5 - 0.5625) / (1 - 0.5625), abs=1e-6)
