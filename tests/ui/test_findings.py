"""The order and the text of the findings."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ecgcore.models.prediction import LabelPrediction, Prediction
from ecgcore.ui.findings import _origin, _row_text, sort_findings


def _label(code: str, probability: float | None, threshold: float | None) -> LabelPrediction:
    return LabelPrediction(code, f"what {code} is", "statements", probability, threshold)


def _prediction(*labels: LabelPrediction) -> Prediction:
    return Prediction("model", labels, "chosen", 0.0, 10.0, "CPU", 1.0)


def test_positives_come_first_and_silence_last() -> None:
    low, high = _label("LOW", 0.3, 0.2), _label("HIGH", 0.8, 0.7)
    negative, silent = _label("NEG", 0.9, 0.95), _label("SILENT", None, None)
    positive, below, without = sort_findings(_prediction(silent, negative, low, high))
    assert positive == [high, low]
    assert below == [negative]
    assert without == [silent]


def test_below_the_findings_stands_what_voltages_would_tell() -> None:
    assert "No voltages" not in _origin(_prediction())
    assert "HYP, LVH by shape alone" in _origin(replace(_prediction(), by_shape=("HYP", "LVH")))


def test_a_probability_at_its_threshold_is_positive() -> None:
    positive, _, _ = sort_findings(_prediction(_label("EDGE", 0.5, 0.5)))
    assert [label.code for label in positive] == ["EDGE"]


def test_a_row_says_code_description_probability_and_threshold() -> None:
    text = _row_text(_label("IMI", 0.876, 0.34))
    assert text == "**● IMI** *what IMI is* `0.88` ~~threshold 0.34~~"


def test_a_superclass_among_statements_is_named_so() -> None:
    text = _row_text(_label("NORM", 0.876, 0.34), superclass=True)
    assert text == "**● NORM** *what NORM is (superclass)* `0.88` ~~threshold 0.34~~"


def test_characters_of_markdown_stay_characters() -> None:
    text = _row_text(LabelPrediction("NST_", "a*b [c](d)", "statements", 0.1, 0.5))
    assert r"**NST\_**" in text
    assert r"*a\*b \[c\]\(d\)*" in text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0.00"),
        (0.0004, "<0.001"),
        (0.003, "0.003"),
        (0.01, "0.01"),
        (0.994, "0.99"),
        (0.9996, ">0.99"),
        (1.0, "1.00"),
    ],
)
def test_a_small_or_large_share_is_not_rounded_to_nothing_or_all(value: float, text: str) -> None:
    assert f"`{text}`" in _row_text(_label("ANY", value, 0.5))
    assert f"threshold {text}~~" in _row_text(_label("ANY", 0.5, value))
