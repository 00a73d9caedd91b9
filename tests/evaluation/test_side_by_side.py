"""Two models beside each other: what differs, and paired differences where there can be any."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from ecgcore.evaluation.side_by_side import (
    Judged,
    NotComparableError,
    compare_answers,
    differing_facts,
)
from ecgcore.models.card import CARD, card_from_json, load_card, model_folders
from ecgcore.models.card_facts import card_facts
from ecgcore.models.validation_answers import ValidationAnswers, read_validation
from tests.models.shelf_example import example_answers, model_files


def _mine() -> Judged:
    return card_from_json(json.loads(model_files()[CARD])), example_answers()


def test_a_model_against_itself_differs_by_nothing() -> None:
    (found,) = compare_answers(_mine(), _mine())
    assert found.set == "superclasses"
    assert [one.code for one in found.labels] == ["NORM", "MI", "STTC", "CD", "HYP"]
    assert found.result.macro_auroc.difference == 0
    assert found.result.macro_auroc.interval == (0, 0) and found.result.macro_auroc.p_value == 1
    assert differing_facts(_mine()[0], _mine()[0]) == []


def test_a_better_model_is_better_on_the_same_records_in_any_order_of_labels() -> None:
    card, answers = _mine()
    assert answers is not None
    sure = np.clip(0.2 + 0.6 * answers.targets, 0, 1).astype(np.float32)
    order = [4, 2, 0, 1, 3]
    other = replace(card, name="other", labels=tuple(card.labels[i] for i in order))
    better = ValidationAnswers(answers.targets[:, order], sure[:, order], answers.folds)
    (found,) = compare_answers((card, answers), (other, better))
    assert found.result.macro_auroc.difference is not None
    assert found.result.macro_auroc.difference > 0.1
    for row in found.result.auroc:
        assert row.interval is not None and row.interval[0] > 0


def test_other_records_or_labels_or_none_cannot_be_compared() -> None:
    card, answers = _mine()
    assert answers is not None
    with pytest.raises(NotComparableError, match="without its answers"):
        compare_answers((card, answers), (card, None))
    turned = ValidationAnswers(answers.targets[::-1], answers.probabilities, answers.folds)
    with pytest.raises(NotComparableError, match="different validation records"):
        compare_answers((card, answers), (card, turned))
    others = tuple(replace(one, code=f"X{one.code}") for one in card.labels)
    with pytest.raises(NotComparableError, match="no label in common"):
        compare_answers((card, answers), (replace(card, labels=others), answers))


def test_shipped_models_are_compared_on_what_both_answer() -> None:
    judged = []
    for name in ("inception", "mvkt"):
        card = load_card(name)
        judged.append((card, read_validation(model_folders()[name], card.labels)))
    sets = {one.set: one for one in compare_answers(judged[0], judged[1])}
    assert set(sets) == {"statements", "superclasses"}
    assert sets["superclasses"].result.macro_auroc.difference is not None
    facts = {name: (one, other) for name, one, other in differing_facts(judged[0][0], judged[1][0])}
    assert facts["Network"] == ("inception", "xresnet1d101")
    assert facts["Teacher"] == ("none", "mvkt_teacher")
    assert "Split" not in facts


def test_facts_of_a_card_that_holds_nonsense_are_left_out() -> None:
    card = replace(
        _mine()[0],
        data={"folds": 3, "n_train": "many"},
        training={"options": [], "seconds": "long", "teacher": 5},
        calibration={"ece_uncalibrated": "low"},
        cost={"bytes": "few", "parameters": None},
    )
    facts = card_facts(card)
    assert "Training time" not in facts and "Weights" not in facts
    assert facts["Trained on"] == "many recordings"
