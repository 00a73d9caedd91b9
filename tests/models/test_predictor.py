"""A trained model answers with its own weights, thresholds and reasons, or is refused whole."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save

from ecgcore.models.card import CARD, WEIGHTS, CardError, card_from_json, load_card, read_card
from ecgcore.models.input_spec import UnfitRecordingError, prepare
from ecgcore.models.prediction import LabelPrediction
from ecgcore.models.predictor import Predictor, read_predictor, to_probabilities
from tests.models.example import (
    CODES,
    UNANSWERED,
    example_card,
    example_predictor,
    example_recording,
    label_card,
    seeded_network,
)


def write_model(folder: Path, name: str = "inception") -> Predictor:
    """A model folder as training writes it, and the predictor it holds."""
    predictor = example_predictor(name)
    weights = save(
        {key: value.contiguous() for key, value in predictor.network.state_dict().items()}
    )
    card = replace(predictor.card, weights_sha256=hashlib.sha256(weights).hexdigest())
    (folder / WEIGHTS).write_bytes(weights)
    (folder / CARD).write_text(json.dumps(card.to_json()), encoding="utf-8")
    return Predictor(card, predictor.network, torch.device("cpu"))


def test_a_model_folder_is_read_back(tmp_path: Path) -> None:
    written = write_model(tmp_path, "ecgencode_m2")
    read = read_predictor(tmp_path)
    assert read.card == written.card
    given, expected = read.predict(example_recording()), written.predict(example_recording())
    assert [answer.code for answer in given.labels] == list(CODES)
    for answer, other in zip(given.labels, expected.labels, strict=True):
        assert answer.probability == (
            None if other.probability is None else pytest.approx(other.probability, abs=1e-5)
        )


def test_other_weights_are_refused(tmp_path: Path) -> None:
    write_model(tmp_path)
    data = bytearray((tmp_path / WEIGHTS).read_bytes())
    data[-1] ^= 1
    (tmp_path / WEIGHTS).write_bytes(bytes(data))
    with pytest.raises(CardError, match="are not the weights that"):
        read_predictor(tmp_path)


def test_weights_of_another_shape_are_refused(tmp_path: Path) -> None:
    written = write_model(tmp_path)
    fewer = replace(written.card, labels=written.card.labels[:3])
    (tmp_path / CARD).write_text(json.dumps(fewer.to_json()), encoding="utf-8")
    with pytest.raises(CardError, match="weights do not fit inception"):
        read_predictor(tmp_path)


def test_missing_parts_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CardError, match=r"card\.json cannot be read"):
        read_predictor(tmp_path)
    write_model(tmp_path)
    (tmp_path / WEIGHTS).unlink()
    with pytest.raises(CardError, match=r"weights\.safetensors cannot be read"):
        read_predictor(tmp_path)
    (tmp_path / CARD).write_text("{}", encoding="utf-8")
    with pytest.raises(CardError, match="not a model card"):
        read_card(tmp_path)


def test_an_unknown_model_lists_the_known() -> None:
    with pytest.raises(CardError, match="no trained model 'nothing'; known: "):
        load_card("nothing")


def test_a_card_survives_json() -> None:
    card = example_card("ecgencode_m2")
    assert card_from_json(json.loads(json.dumps(card.to_json()))) == card


def test_an_answer_has_probability_threshold_and_decision() -> None:
    predictor = example_predictor("inception")
    answer = predictor.predict(example_recording()).label("MI")
    assert answer.probability is not None
    assert answer.threshold == 0.5
    assert answer.positive is (answer.probability >= 0.5)
    assert answer.set == "superclasses"


def test_a_probability_at_its_threshold_is_positive() -> None:
    at = LabelPrediction("MI", "myocardial infarction", "superclasses", 0.5, 0.5)
    assert at.positive is True
    assert replace(at, probability=0.4999).positive is False


def test_what_was_not_learned_has_a_reason_and_no_number() -> None:
    answer = example_predictor("inception").predict(example_recording()).label(UNANSWERED)
    assert (answer.probability, answer.positive) == (None, None)
    assert answer.reason == "not enough data (3 positives)"


def test_each_label_has_its_own_output() -> None:
    """Raising one output's bias raises that label alone."""
    predictor = example_predictor("inception")
    before = predictor.predict(example_recording())
    with torch.no_grad():
        predictor.network.head.bias[CODES.index("CD")] += 3
    after = predictor.predict(example_recording())
    for code in CODES[:4]:
        rise = after.label(code).probability - before.label(code).probability
        assert rise > 0.3 if code == "CD" else rise == 0


def test_a_batch_of_many_is_the_same_as_one_by_one() -> None:
    predictor = example_predictor("inception")
    inputs = np.random.default_rng(0).normal(size=(70, 12, 750)).astype(np.float32)
    together = predictor.probabilities(inputs)
    assert together.shape == (70, 5)
    alone = np.concatenate([predictor.probabilities(one[None]) for one in inputs[60:]])
    np.testing.assert_allclose(together[60:], alone, atol=1e-5)


def test_the_answer_states_what_was_seen() -> None:
    found = example_predictor("inception").predict(example_recording(seconds=15))
    assert (found.start, found.seconds) == (2.5, 10.0)
    assert found.warnings == ("the model saw 2.5 to 12.5 s of 15.0 s",)
    assert found.model == "example_inception"
    assert found.milliseconds > 0


def test_an_unfit_recording_gets_no_answer() -> None:
    with pytest.raises(UnfitRecordingError, match="without V6"):
        example_predictor("inception").predict(
            example_recording(leads=("I", "II", "V1", "V2", "V3", "V4", "V5"))
        )


def test_an_unknown_code_lists_the_known() -> None:
    found = example_predictor("inception").predict(example_recording())
    with pytest.raises(KeyError, match="no label 'AFIB'; known: NORM, MI, STTC, CD, HYP"):
        found.label("AFIB")


def test_softmax_shares_one() -> None:
    labels = (label_card("NORM"), label_card("MI"))
    card = example_card("ecgencode_m1", labels=labels)
    network = seeded_network("ecgencode_m1", labels=2)
    predictor = Predictor(card, network, torch.device("cpu"))
    values = prepare(example_recording(), card.spec).values[None]
    assert card.output == "softmax"
    assert predictor.probabilities(values).sum() == pytest.approx(1.0, abs=1e-6)


def test_probabilities_by_hand() -> None:
    logits = torch.tensor([[0.0, 1.0]])
    torch.testing.assert_close(
        to_probabilities(logits, "sigmoid"), torch.tensor([[0.5, 0.7310586]])
    )
    torch.testing.assert_close(
        to_probabilities(logits, "softmax"), torch.tensor([[0.2689414, 0.7310586]])
    )
