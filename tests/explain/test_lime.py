"""LIME finds what a hand-made model looks at, repeats itself, and withholds chance."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from ecgcore.explain.answers import log_odds
from ecgcore.explain.lime import (
    RELIABLE,
    Segments,
    cut,
    draw_masks,
    fit_weights,
    lime,
    masked,
    reliability,
)
from ecgcore.explain.target import ExplanationError
from ecgcore.models.input_spec import InputSpec, Prepared, UnfitRecordingError
from ecgcore.models.network import Network
from ecgcore.models.predictor import Predictor, to_probabilities
from ecgcore.recording import LEADS
from tests.models.example import UNANSWERED, example_card, example_recording

SPEC = InputSpec(sampling_rate=100.0)
LEAD, FIRST, LAST = LEADS.index("V3"), 400, 500
"""What the hand-made model looks at: 4 to 5 s of V3."""


class ByHand(Network):
    """Logits for MI, and their negatives for the other labels, from a formula."""

    def __init__(self, formula: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.formula = formula

    def forward(self, x: Tensor) -> Tensor:
        """(batch, leads, samples) to (batch, 5)."""
        logit = self.formula(x)
        return torch.stack([-logit, logit, -logit, -logit, -logit], dim=1)


def predictor(formula: Callable[[Tensor], Tensor]) -> Predictor:
    return Predictor(example_card("inception", spec=SPEC), ByHand(formula), torch.device("cpu"))


def one_segment(x: Tensor) -> Tensor:
    """The energy of one second of one lead; nothing else matters."""
    return x[:, LEAD, FIRST:LAST].square().mean(-1) - 0.4


def chaos(x: Tensor) -> Tensor:
    """Another answer for every copy, whatever was left out."""
    return torch.sin(1e5 * x.double().square().sum((1, 2))).float()


def test_the_segment_that_matters_is_found() -> None:
    found = lime(predictor(one_segment), example_recording(), "MI", copies=300)
    inside = np.zeros((12, 1000), dtype=bool)
    inside[LEAD, FIRST:LAST] = True
    assert (found.method, found.label, found.leads) == ("LIME", "MI", LEADS)
    assert found.signed
    assert found.per_lead
    np.testing.assert_allclose(found.heat[inside], 1.0)
    assert np.abs(found.heat[~inside]).max() < 0.1
    assert "reliability over copies" in found.note


def test_weights_are_log_odds() -> None:
    """The model is linear in the segment: the weight is what leaving it out takes away."""
    values = np.ones((12, 1000), dtype=np.float32)
    segments = cut(Prepared(values, 0.0, 10.0), SPEC, 1.0)
    kept = draw_masks(segments.count, 400, seed=0)
    answers = np.where(kept[:, 10 * LEAD + 4], 1.3, -0.4)
    weights = fit_weights(kept, answers)
    assert weights[10 * LEAD + 4] == pytest.approx(1.7, rel=0.05)
    found = lime(
        predictor(lambda x: x[:, 0, 0] * 0 + 1.7 * (x[:, LEAD, 450] != 0)),
        example_recording(),
        "MI",
        copies=300,
    )
    assert found.peak == pytest.approx(1.7, rel=0.05)
    assert f"the odds {np.exp(found.peak):.3g}-fold" in found.note


def test_what_speaks_against_a_label_is_negative() -> None:
    found = lime(predictor(one_segment), example_recording(), "CD", copies=300)
    assert found.heat[LEAD, 450] == pytest.approx(-1.0)


@pytest.mark.parametrize("target", [0, 2])
def test_log_odds_are_the_probabilitys(target: int) -> None:
    logits = torch.tensor([[0.3, -1.0, 2.0], [5.0, 1.0, -3.0]], dtype=torch.float64)
    for output in ("sigmoid", "softmax"):
        probability = to_probabilities(logits, output)[:, target]
        torch.testing.assert_close(log_odds(logits, output, target), torch.logit(probability))


def test_a_sure_model_still_has_a_map() -> None:
    """At log-odds of 40 every probability is 1."""
    found = lime(predictor(lambda x: one_segment(x) + 40), example_recording(), "MI", copies=300)
    assert found.heat[LEAD, 450] == 1
    assert found.peak > 0.1


def test_a_seed_repeats_the_map() -> None:
    model = predictor(one_segment)
    maps = [lime(model, example_recording(), "MI", copies=200, seed=s).heat for s in (3, 3, 4)]
    np.testing.assert_array_equal(maps[0], maps[1])
    assert not np.array_equal(maps[0], maps[2])


def test_a_map_that_is_chance_is_withheld() -> None:
    found = lime(predictor(chaos), example_recording(), "MI", copies=300)
    assert found.peak == 0
    assert not found.heat.any()
    assert found.note.startswith("No map for MI: two halves of the flattened copies disagree")


def test_a_model_that_does_not_listen_gives_an_empty_map() -> None:
    found = lime(predictor(lambda x: torch.full((len(x),), 0.3)), example_recording(), "MI")
    assert found.peak == 0
    assert found.note == "Flattening segments did not change the answer for MI: nothing to show."


def test_reliability_tells_signal_from_chance() -> None:
    kept = draw_masks(60, 400, seed=0)
    random = np.random.default_rng(1)
    noise, signal = random.normal(size=400), kept @ random.normal(size=60)
    assert reliability(kept, signal) > 0.95
    assert reliability(kept, noise) < RELIABLE
    assert reliability(kept, np.full(400, 0.2)) == 0


def test_masks_flatten_whole_segments() -> None:
    values = np.arange(1, 61, dtype=np.float32).reshape(3, 20)
    segments = Segments(np.array([0, 5, 16]), np.array([0, 2]))
    kept = np.array([[True, True, True, True], [False, True, True, False]])
    copies = masked(values, segments, kept)
    np.testing.assert_array_equal(copies[0], values)
    expected = values.copy()
    expected[0, :5] = 0
    expected[2, 5:16] = 0
    np.testing.assert_array_equal(copies[1], expected)
    assert values.all()


def test_the_first_copy_is_the_recording_and_a_fifth_is_left_out() -> None:
    kept = draw_masks(120, 500, seed=0)
    assert kept[0].all()
    assert kept[1:].mean() == pytest.approx(0.8, abs=0.01)


def test_segments_cover_the_recorded_part() -> None:
    values = np.ones((3, 1000), dtype=np.float32)
    values[1] = 0
    segments = cut(Prepared(values, 0.0, 7.3), SPEC, 1.0)
    assert (segments.edges[0], segments.edges[-1], segments.parts) == (0, 730, 7)
    assert set(np.diff(segments.edges)) <= {104, 105}
    np.testing.assert_array_equal(segments.rows, [0, 2])
    assert segments.count == 14


def test_a_flat_lead_has_no_weight() -> None:
    found = lime(predictor(one_segment), example_recording(flat=("V1",)), "MI", copies=200)
    assert not found.heat[LEADS.index("V1")].any()
    assert found.heat[LEAD, 450] == 1


@pytest.mark.parametrize(("seconds", "start", "length"), [(6.5, 0.0, 6.5), (20.0, 5.0, 10.0)])
def test_heat_covers_what_the_model_saw(seconds: float, start: float, length: float) -> None:
    found = lime(predictor(one_segment), example_recording(seconds=seconds), "MI", copies=200)
    assert (found.start, found.seconds) == (start, length)


def test_copies_are_answered_in_batches() -> None:
    sizes: list[int] = []

    def count(x: Tensor) -> Tensor:
        sizes.append(len(x))
        return one_segment(x)

    lime(predictor(count), example_recording(), "MI", copies=150)
    assert sizes == [64, 64, 22]


def test_what_cannot_be_explained_is_refused() -> None:
    model = predictor(one_segment)
    with pytest.raises(ExplanationError, match="does not answer for HYP"):
        lime(model, example_recording(), UNANSWERED)
    with pytest.raises(UnfitRecordingError, match="at least 5 s"):
        lime(model, example_recording(seconds=4), "MI")
    with pytest.raises(ValueError, match="at least 10 copies"):
        lime(model, example_recording(), "MI", copies=5)
    with pytest.raises(ValueError, match=r"and 0\.1 s are needed"):
        lime(model, example_recording(), "MI", segment_seconds=float("nan"))
