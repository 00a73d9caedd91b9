"""From recording to rules: what must not matter does not, what must does so as much as it should.

Measured on simulated hearts with the shipped network, the way that the pages and the command go.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecgcore.recording import LEADS, Recording, complete_limb_leads
from ecgcore.rules.applying import apply_rules
from ecgcore.rules.criteria import criteria_set
from ecgcore.signal.beats import find_beats
from ecgcore.signal.delineation import delineate
from ecgcore.signal.delineation.waves import PEAK, Delineation, shown
from ecgcore.signal.measured import Measurements
from ecgcore.signal.measurements import measure, usual_waves
from ecgcore.signal.simulator import PRESETS, simulate

HEARTS = ("sinus", "first-degree block", "left bundle branch block", "left axis")
INTERVALS = ("pr_ms", "qrs_ms", "qt_ms")
AXES = ("p_axis_deg", "qrs_axis_deg", "t_axis_deg")


@dataclass(frozen=True)
class Reading:
    delineation: Delineation
    measurements: Measurements
    fired: frozenset[str]

    def number(self, name: str) -> float:
        number = self.measurements.value(name).number
        assert number is not None, f"{name}: {self.measurements.value(name).reason}"
        return number


def read(recording: Recording) -> Reading:
    found = delineate(recording)
    measured = measure(recording, found, find_beats(recording, found))
    findings = apply_rules(measured, recording.patient, criteria_set("clinical"))
    return Reading(found, measured, frozenset(f.criterion for f in findings if f.fired))


@cache
def heart(name: str, rate: float = 500.0) -> Recording:
    quiet = {"wander_mv": 0.0, "mains_uv": 0.0, "muscle_uv": 0.0}
    return simulate(replace(PRESETS[name], sampling_rate=rate, **quiet), name).recording


@cache
def reading(name: str, rate: float = 500.0) -> Reading:
    return read(heart(name, rate))


def changed(recording: Recording, signal: np.ndarray) -> Recording:
    return replace(recording, signal=signal.astype(np.float32))


@settings(max_examples=8, deadline=None)
@given(st.sampled_from(HEARTS), st.lists(st.floats(-0.4, 0.4), min_size=12, max_size=12))
def test_a_constant_in_each_lead_changes_nothing(name: str, offsets: list[float]) -> None:
    before, after = (
        reading(name),
        read(changed(heart(name), heart(name).signal + np.array(offsets)[:, None])),
    )
    assert after.fired == before.fired
    for value in (*INTERVALS, *AXES):
        assert after.number(value) == pytest.approx(before.number(value), abs=2)
    for lead in LEADS:
        ours, theirs = (r.measurements.value(f"{lead}.qrs_pp_mv").number for r in (before, after))
        assert ours == pytest.approx(theirs, abs=0.02)


@settings(max_examples=8, deadline=None)
@given(st.sampled_from(HEARTS), st.floats(0.6, 1.6))
def test_a_factor_scales_voltages_and_leaves_times(name: str, factor: float) -> None:
    before, after = reading(name), read(changed(heart(name), heart(name).signal * factor))
    for value in (*INTERVALS, *AXES):
        assert after.number(value) == pytest.approx(before.number(value), abs=3)
    for lead in LEADS:
        ours = before.measurements.value(f"{lead}.qrs_pp_mv").number
        theirs = after.measurements.value(f"{lead}.qrs_pp_mv").number
        assert ours is not None
        assert theirs == pytest.approx(ours * factor, rel=0.03, abs=0.01)


@settings(max_examples=8, deadline=None)
@given(st.sampled_from(HEARTS), st.integers(1, 400))
def test_marks_move_with_the_recording(name: str, shift: int) -> None:
    recording = heart(name)
    before, after = reading(name), read(changed(recording, recording.signal[:, shift:]))
    edge = 0.7 * recording.sampling_rate  # a beat cut by either end is seen otherwise
    ours = shown(before.delineation.overall["QRS"])[:, PEAK] - shift
    ours = ours[(ours > edge) & (ours < recording.samples - shift - edge)]
    theirs = shown(after.delineation.overall["QRS"])[:, PEAK]
    apart = np.abs(ours[:, None] - theirs).min(axis=1)
    assert apart.max() <= 0.006 * recording.sampling_rate
    for value in INTERVALS:
        assert after.number(value) == pytest.approx(before.number(value), abs=6)


@pytest.mark.parametrize("name", HEARTS)
@pytest.mark.parametrize("rate", [250.0, 1000.0])
def test_the_sampling_rate_changes_no_finding(name: str, rate: float) -> None:
    before, after = reading(name), reading(name, rate)
    for value in INTERVALS:
        assert after.number(value) == pytest.approx(before.number(value), abs=6)
    assert after.fired == before.fired


@pytest.mark.parametrize("name", HEARTS)
@pytest.mark.parametrize("gone", ["V2", "V6"])
def test_a_missing_lead_changes_no_other_leads_values(name: str, gone: str) -> None:
    recording = heart(name)
    kept = tuple(lead for lead in LEADS if lead != gone)
    rows = [LEADS.index(lead) for lead in kept]
    less = replace(recording, signal=recording.signal[rows].copy(), leads=kept)
    before, after = reading(name), read(less)
    for lead in kept:
        for wave, marks in before.delineation.leads[lead].items():
            theirs = after.delineation.leads[lead][wave]
            np.testing.assert_allclose(shown(theirs), shown(marks), atol=1e-6)


@pytest.mark.parametrize("name", HEARTS)
def test_computed_limb_leads_change_no_interval(name: str) -> None:
    recording = heart(name)
    kept = ("I", "II", "V1")
    rows = [LEADS.index(lead) for lead in kept]
    three = replace(recording, signal=recording.signal[rows].copy(), leads=kept)
    before, after = read(three), read(complete_limb_leads(three))
    assert after.number("qrs_ms") == pytest.approx(before.number("qrs_ms"), abs=3)
    assert after.number("qt_ms") == pytest.approx(before.number("qt_ms"), abs=6)
    for told in (before, after):
        assert any("3 recorded leads only" in text for text in told.measurements.warnings)
    assert not any("recorded lead" in text for text in reading(name).measurements.warnings)


@pytest.mark.parametrize("name", HEARTS)
def test_the_median_beats_marks_are_the_measured_ones(name: str) -> None:
    recording, found = heart(name), reading(name).delineation
    usual = usual_waves(recording, found, find_beats(recording, found))
    assert usual is not None
    onset, offset = usual.borders["QRS"]
    milliseconds = (offset - onset) / recording.sampling_rate * 1000
    assert milliseconds == pytest.approx(reading(name).number("qrs_ms"), abs=0.01)
