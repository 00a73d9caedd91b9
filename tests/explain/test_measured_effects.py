"""Measured values that moved an answer: every value in one group, and effects of a known size."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from ecgcore.explain.biomarker_groups import GROUPS, QRS, group_of
from ecgcore.explain.measured_effects import measured_effects
from ecgcore.explain.target import ExplanationError
from ecgcore.models.biomarkers import BIOMARKERS, as_measured
from ecgcore.models.forest import UNSEEN
from ecgcore.models.input_spec import Prepared
from ecgcore.models.predictor import Predictor
from tests.models.example import CODES, example_predictor
from tests.models.forest_example import QRS_MS, USUAL_QRS_MS, both_kinds_predictor, forest_predictor

TARGET = CODES.index("CD")


def prepared(qrs_ms: float = QRS_MS) -> Prepared:
    """An input whose values all differ from the medians, but for one that was not measured."""
    told = np.full(len(BIOMARKERS), 3.0, dtype=np.float32)
    told[BIOMARKERS.index("qrs_ms")] = qrs_ms
    told[BIOMARKERS.index("pr_ms")] = np.nan
    generator = np.random.default_rng(0)
    return Prepared(generator.normal(size=(12, 1000)).astype(np.float32), 0.0, 10.0, (), told)


def logit(share: float) -> float:
    return float(np.log((share + UNSEEN) / (1 - share + UNSEEN)))


def sigmoid(value: float) -> float:
    return float(1 / (1 + np.exp(-value)))


def test_every_biomarker_is_in_exactly_one_group() -> None:
    columns = [k for group in GROUPS.values() for k in group]
    assert sorted(columns) == list(range(len(BIOMARKERS)))
    assert all(BIOMARKERS.index(name) in GROUPS[group_of(name)] for name in BIOMARKERS)


@pytest.mark.parametrize(
    ("name", "group"),
    [
        ("rr_irregularity", "Rate and rhythm"),
        ("V1.p_terminal_mvms", "P wave"),
        ("pr_ms", "PR interval and delta wave"),
        ("qtc_bazett_ms", "QT interval"),
        ("qrs_axis_deg", "Axes and limb lead sizes"),
        ("aVF.q_ms", "Q waves, inferior leads (II, III, aVF)"),
        ("V6.r_mv", "R and S waves, lateral leads (I, aVL, V5, V6)"),
        ("V2.j60_mv", "ST segment, septal and anterior leads (V1, V2, V3, V4)"),
        ("aVR.t_mv", "T waves, aVR"),
    ],
)
def test_groups_are_those_of_a_clinician(name: str, group: str) -> None:
    assert group_of(name) == group


def test_only_the_asked_value_has_an_effect_and_that_of_the_known_size() -> None:
    """One tree: CD in 0.8 of the records of a wide QRS, in 0.1 of the others."""
    found = measured_effects(forest_predictor(), prepared(), "CD")
    first, *others = found.groups
    assert first.group == QRS
    wide, narrow = logit(0.8), logit(0.1)
    assert found.probability == pytest.approx(sigmoid(wide), abs=1e-6)
    assert first.probability == pytest.approx(sigmoid(wide) - sigmoid(narrow), abs=1e-6)
    assert first.log_odds == pytest.approx(wide - narrow, abs=1e-5)
    assert [one.probability for one in others] == pytest.approx([0.0] * len(others), abs=1e-6)
    assert not any(one.values for one in others)
    (value,) = first.values
    assert value.words == "QRS duration 148 ms (usual 92 ms)"
    assert (value.number, value.usual) == (QRS_MS, USUAL_QRS_MS)
    assert value.effect == pytest.approx(first.probability, abs=1e-9)


def test_a_value_on_the_usual_side_has_no_effect() -> None:
    found = measured_effects(forest_predictor(), prepared(qrs_ms=100.0), "CD")
    assert max(abs(one.probability) for one in found.groups) < 1e-6


def test_beside_networks_it_has_its_share_of_the_mean_and_the_answer_is_calibrated() -> None:
    """A network and a forest of weight 3: three quarters of the forest's logit."""
    predictor = forest_predictor(beside="inception", weight=3)
    labels = tuple(replace(one, shift=0.5) for one in predictor.card.labels)
    card = replace(predictor.card, labels=labels, temperature=2.0)
    predictor = Predictor(card, predictor.network, torch.device("cpu"))
    asked = prepared()
    found = measured_effects(predictor, asked, "CD")
    answer = predictor.probabilities(asked.values[None], asked.aside[None])[0, TARGET]
    assert found.probability == pytest.approx(float(answer), abs=1e-5)
    first, second = found.groups[:2]
    assert first.group == QRS
    assert first.log_odds == pytest.approx(0.75 * (logit(0.8) - logit(0.1)) / 2, abs=1e-4)
    assert abs(second.probability) < 1e-5
    usual = asked.aside.copy()
    usual[BIOMARKERS.index("qrs_ms")] = USUAL_QRS_MS
    other = predictor.probabilities(asked.values[None], usual[None])[0, TARGET]
    assert first.probability == pytest.approx(float(answer - other), abs=1e-5)


def test_all_kinds_of_trees_are_asked_again() -> None:
    """A forest, and a boosted tree of weight 3 that adds 2 to the logit where the QRS is wide."""
    found = measured_effects(both_kinds_predictor(added=2.0, weight=3), prepared(), "CD")
    (first, *others) = found.groups
    expected = (logit(0.8) - logit(0.1) + 3 * 2.0) / 4
    assert (first.group, first.log_odds) == (QRS, pytest.approx(expected, abs=1e-5))
    assert max(abs(one.probability) for one in others) < 1e-6


def test_groups_come_by_size_and_negative_effects_count() -> None:
    """NORM in 0.1 of the records of a wide QRS: the width speaks against it."""
    found = measured_effects(forest_predictor(), prepared(), "NORM")
    sizes = [abs(one.probability) for one in found.groups]
    assert sizes == sorted(sizes, reverse=True)
    assert found.groups[0].probability < -0.3
    assert "do not add up" in found.note
    assert "share an effect" in found.note


def test_amplitudes_are_never_called_millivolts() -> None:
    units = {name: as_measured(name, 1.0)[1] for name in BIOMARKERS}
    assert not [name for name, unit in units.items() if "mV" in unit]
    assert as_measured("V5.r_mv", 0.5) == (pytest.approx(2.5), "× lead SD")
    assert as_measured("III.q_mv", -0.3) == (pytest.approx(-2.0), "× limb-lead SD")
    assert as_measured("V1.p_terminal_mvms", 0.2)[1] == "× lead SD·ms"
    assert as_measured("aVL.q_ms", 40.0) == (40.0, "ms")
    assert as_measured("qrs_axis_deg", -45.0) == (-45.0, "deg")


def test_what_cannot_be_told_is_refused() -> None:
    with pytest.raises(ExplanationError, match="answers from the signal alone"):
        measured_effects(example_predictor("inception"), prepared(), "CD")
    with pytest.raises(ExplanationError, match="does not answer for HYP"):
        measured_effects(forest_predictor(), prepared(), "HYP")
    with pytest.raises(ExplanationError, match="has no label 'AFIB'"):
        measured_effects(forest_predictor(), prepared(), "AFIB")
