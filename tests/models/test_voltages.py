"""What is defined by millivolts is named beside every answer, as no network sees them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ecgcore.cli_values import plain_prediction
from ecgcore.models.card import LabelCard, model_folder, read_card, trained_models
from ecgcore.models.input_spec import InputSpec, prepare
from ecgcore.models.predictor import load_predictor
from ecgcore.models.voltages import UNSEEN, judged_by_shape
from ecgcore.training.publish import LIMITS
from tests.models.example import example_recording


def test_a_network_sees_the_same_whatever_the_voltages() -> None:
    spec, recording = InputSpec(sampling_rate=100.0), example_recording()
    louder = replace(recording, signal=recording.signal * 3)
    assert prepare(louder, spec).values == pytest.approx(prepare(recording, spec).values, abs=1e-4)


def test_every_card_says_so() -> None:
    assert UNSEEN in LIMITS
    for name in trained_models():
        assert UNSEEN in read_card(model_folder(name)).limits, name


@pytest.mark.parametrize("name", trained_models())
def test_answered_labels_of_voltages_are_named(name: str) -> None:
    card = read_card(model_folder(name))
    found = judged_by_shape(card.labels, card.spec)
    answered = {one.code for one in card.labels if one.answered}
    assert {"HYP", "LVH"} & answered == {"HYP", "LVH"} & set(found)
    assert set(found) <= answered


def test_a_rule_that_measures_them_takes_a_label_off() -> None:
    labels = tuple(
        LabelCard(code, code, "statements", 30, 5, 0.5, reason)
        for code, reason in (
            ("VCLVH", None),
            ("LVH", None),
            ("RVH", "not enough data"),
            ("MI", None),
        )
    )
    assert judged_by_shape(labels, InputSpec()) == ("VCLVH", "LVH")
    assert judged_by_shape(labels, InputSpec(aside=("rules:paper",))) == ("LVH",)


def test_a_prediction_says_it_in_words_and_as_a_value() -> None:
    answer = load_predictor("inception").predict(example_recording())
    assert "HYP" in answer.by_shape
    assert f"No voltages are seen: {', '.join(answer.by_shape)} by shape" in answer.by_shape_words
    assert replace(answer, by_shape=()).by_shape_words == ""
    plain = plain_prediction(Path("case.hea"), answer)
    assert plain["judged_by_shape"] == list(answer.by_shape)
