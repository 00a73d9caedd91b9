"""The challenge score: a case by hand, random tables against the published text, the table."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from ecgcore.evaluation.challenge import (
    FOLDER,
    challenge_classes,
    challenge_columns,
    challenge_score,
    statement_classes,
    statement_columns,
)

NSR, AF, AFL = "426783006", "164889003", "164890007"
PAC, SVPB = "284470004", "63593006"


def answers(*records: tuple[str, ...]) -> NDArray[np.bool_]:
    """(records, 26) from the SNOMED CT codes of each record."""
    codes = sorted({code for record in records for code in record})
    values = np.array([[code in record for code in codes] for record in records], dtype=bool)
    return challenge_columns(codes, values.reshape(len(records), len(codes)))


def published(targets: NDArray[np.bool_], predicted: NDArray[np.bool_]) -> float:
    """The definition of Reyna et al. 2021, entry by entry: a_ij sums 1 / |x_k or y_k| over the
    recordings k with c_i in the labels x_k and c_j in the outputs y_k; s = sum w_ij a_ij."""
    classes = challenge_classes()

    def unnormalised(outputs: list[set[int]]) -> float:
        total = 0.0
        for x, y in zip(truth, outputs, strict=True):
            for i in x:
                for j in y:
                    total += classes.weights[i, j] / len(x | y)
        return total

    truth = [set(np.flatnonzero(row).tolist()) for row in targets]
    said = [set(np.flatnonzero(row).tolist()) for row in predicted]
    inactive = unnormalised([{classes.normal}] * len(truth))
    return (unnormalised(said) - inactive) / (unnormalised(truth) - inactive)


def test_a_case_by_hand() -> None:
    # Weights: AF-AF 1, AF-NSR 0.25, NSR-NSR 1, AF-AFL 0.5, NSR-AF 0.25, PAC-PAC 1, PAC-NSR 0.4125.
    targets = answers((AF,), (NSR,), (AF, PAC))
    said = answers((AF, AFL), (NSR,), (PAC,))
    # Record 1: labels and outputs are AF, AFL: (1 + 0.5) / 2. Record 2: 1.
    # Record 3: AF, PAC: PAC for PAC 1, PAC for AF 0.3375, halved.
    earned = 1.5 / 2 + 1 + (1 + 0.3375) / 2
    # Right answers: 1, 1, and (1 + 1 + 2 * 0.3375) / 2 for AF and PAC.
    right = 1 + 1 + (2 + 2 * 0.3375) / 2
    # Sinus rhythm always: AF-NSR over two classes, 1, and AF-NSR and PAC-NSR over three.
    inactive = 0.25 / 2 + 1 + (0.25 + 0.4125) / 3
    expected = (earned - inactive) / (right - inactive)
    assert challenge_score(targets, said) == pytest.approx(expected, abs=1e-12)


def test_right_answers_score_one_sinus_rhythm_zero_and_worse_ones_less() -> None:
    targets = answers((AF,), (NSR,), (AFL, PAC), (PAC,))
    assert challenge_score(targets, targets) == pytest.approx(1.0)
    inactive = np.broadcast_to(answers((NSR,)), targets.shape)
    assert challenge_score(targets, inactive) == pytest.approx(0.0)
    assert challenge_score(targets, np.zeros_like(targets)) < 0


@pytest.mark.parametrize("seed", range(5))
def test_random_tables_equal_the_published_text(seed: int) -> None:
    generator = np.random.default_rng(seed)
    targets = generator.random((80, 26)) < generator.uniform(0.01, 0.3, 26)
    said = np.where(generator.random((80, 26)) < 0.2, ~targets, targets)
    targets[3], said[4] = False, False
    assert challenge_score(targets, said) == pytest.approx(published(targets, said), abs=1e-12)


def test_where_right_answers_earn_no_more_than_sinus_rhythm_the_score_is_zero() -> None:
    targets = answers((NSR,), (NSR,))
    assert challenge_score(targets, answers((AF,), (NSR,))) == 0.0


def test_the_classes_are_the_organisers() -> None:
    classes = challenge_classes()
    assert len(classes.codes) == len(classes.names) == 26
    assert sum(len(codes) for codes in classes.codes) == 30
    assert classes.names[classes.normal] == "NSR"
    assert [name for name in classes.names if "|" in name] == [
        "CLBBB|LBBB",
        "CRBBB|RBBB",
        "PAC|SVPB",
        "PVC|VPB",
    ]
    np.testing.assert_array_equal(np.diagonal(classes.weights), np.ones(26))
    np.testing.assert_array_equal(classes.weights, classes.weights.T)
    names = list(classes.names)
    assert classes.weights[names.index("QAb"), names.index("NSR")] == 0.15
    assert "BSD 2-Clause" in (FOLDER / "LICENSE.txt").read_text(encoding="utf-8")


def test_codes_of_one_class_are_one_and_unscored_ones_are_dropped() -> None:
    values = np.array([[1, 0, 1], [0, 1, 0], [0, 0, 1]], dtype=np.uint8)
    columns = challenge_columns([PAC, SVPB, "55827005"], values)
    place = challenge_classes().index(SVPB)
    assert place == challenge_classes().index(PAC) is not None
    assert columns[:, place].tolist() == [True, True, False]
    assert columns.sum() == 2


def test_statements_set_the_classes_that_they_mean_exactly() -> None:
    values = np.array([[1, 0, 1, 0], [0, 1, 0, 1], [0, 0, 0, 1]], dtype=np.uint8)
    columns = statement_columns(["AFIB", "SR", "PVC", "LOWT"], values)
    places = [challenge_classes().index(code) for code in (AF, NSR, "427172004")]
    assert columns[:, places].tolist() == [[True, False, True], [False, True, False], [False] * 3]
    assert columns.sum() == 3  # low T waves are narrower than the abnormal T waves of the challenge
    assert statement_classes("LOWT") == statement_classes("no such statement") == frozenset()


def test_wrong_input_is_refused() -> None:
    with pytest.raises(ValueError, match="one code a column"):
        challenge_columns([AF, AF], np.zeros((2, 2), dtype=bool))
    with pytest.raises(ValueError, match=r"give \(records, 26\)"):
        challenge_score(np.zeros((2, 26), dtype=bool), np.zeros((2, 25), dtype=bool))
    with pytest.raises(ValueError, match="at least one record"):
        challenge_score(np.zeros((0, 26), dtype=bool), np.zeros((0, 26), dtype=bool))
