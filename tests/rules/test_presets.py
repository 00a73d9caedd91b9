"""Simulated hearts, read from their true waves, get the findings that they were made for."""

from __future__ import annotations

import pytest

from ecgcore.rules.applying import apply_rules
from ecgcore.rules.criteria import criteria_set
from ecgcore.signal.measurements import measure
from ecgcore.signal.simulator import simulate
from ecgcore.signal.simulator_presets import PRESETS

EXPECTED = {
    "sinus": {"sinus_rhythm"},
    "bradycardia": {"sinus_bradycardia"},
    "tachycardia": {"sinus_tachycardia"},
    "atrial fibrillation": {"atrial_fibrillation"},
    "first-degree block": {"sinus_rhythm", "first_degree_block"},
    "left bundle branch block": {"sinus_rhythm", "left_bundle_branch_block"},
    "right bundle branch block": {"sinus_rhythm", "right_bundle_branch_block"},
    "left ventricular hypertrophy": {"sinus_rhythm", "lvh_sokolow_lyon"},
    "inferior ST elevation": {"sinus_rhythm", "st_elevation_inferior"},
    "low voltage": {"sinus_rhythm", "low_voltage_limb", "low_voltage_chest"},
    "left axis": {"sinus_rhythm", "left_axis"},
    "right axis": {"sinus_rhythm", "right_axis"},
    "ventricular ectopics": {"sinus_rhythm", "ventricular_ectopy"},
    "atrial ectopics": {"sinus_rhythm", "atrial_ectopy"},
    "pre-excitation": {"sinus_rhythm", "preexcitation", "short_pr"},
    "paced": {"paced_rhythm"},
}
# What may be found beside it: what such a heart has too, or what depends on how tall P was drawn.
COMPANIONS = {
    "left_atrial_enlargement",
    "short_qt",
}
BESIDE = {
    "right bundle branch block": {"right_axis"},
    "left ventricular hypertrophy": {
        "t_inversion_anterior",
        "t_inversion_lateral",
        "lvh_peguero",
        "lvh_cornell",
        "st_depression_lateral",
    },
    "inferior ST elevation": {"st_depression_lateral"},
    "low voltage": {"poor_r_progression"},
    "left axis": {"left_anterior_fascicular_block"},
    "right axis": {"left_posterior_fascicular_block"},
    "paced": {"left_axis"},
}


def test_every_preset_has_an_expectation() -> None:
    assert set(EXPECTED) == set(PRESETS)


@pytest.mark.parametrize("name", EXPECTED)
def test_a_preset_is_recognised(name: str) -> None:
    simulated = simulate(PRESETS[name])
    values = measure(simulated.recording, simulated.truth)
    found = apply_rules(values, simulated.recording.patient, criteria_set("clinical"))
    fired = {finding.criterion for finding in found if finding.fired}
    assert EXPECTED[name] <= fired
    assert fired - EXPECTED[name] - BESIDE.get(name, set()) <= COMPANIONS
    for finding in found:
        for place in finding.where:
            assert 0 <= place.start < place.stop <= simulated.recording.samples
