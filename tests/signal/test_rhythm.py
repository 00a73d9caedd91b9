"""Rate and rhythm where intervals are missing, cut, ectopic, or the beats are not alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from ecgcore.signal.beats import find_beats
from ecgcore.signal.delineation.waves import PEAK, Delineation, Marks, Wave
from ecgcore.signal.ectopy import unbroken
from ecgcore.signal.measured import Measurements
from ecgcore.signal.measurements import measure
from ecgcore.signal.simulator import PRESETS, Simulated, simulate
from ecgcore.signal.simulator_options import Ectopics, SimulationOptions


def sinus(ectopics: Ectopics = "none", every: int = 5) -> Simulated:
    return simulate(SimulationOptions(seed=18, ectopics=ectopics, ectopic_every=every), "sinus")


def number(found: Measurements, name: str) -> float:
    value = found.value(name)
    assert value.number is not None, f"{name}: {value.reason}"
    return value.number


def kept(truth: Delineation, first: int, last: int, samples: int) -> Delineation:
    """Without the waves that peak from ``first`` to ``last``, of a recording of ``samples``."""
    stays = {w: (m[:, PEAK] < first) | (m[:, PEAK] > last) for w, m in truth.overall.items()}

    def rows(marks: Mapping[Wave, Marks]) -> dict[Wave, Marks]:
        return {wave: part[stays[wave]] for wave, part in marks.items()}

    leads = {lead: rows(marks) for lead, marks in truth.leads.items()}
    return replace(truth, samples=samples, overall=rows(truth.overall), leads=leads)


def test_a_gap_is_no_interval() -> None:
    ecg = sinus()
    signal = ecg.recording.signal.copy()
    signal[:, 500:3000] = np.nan
    recording = replace(ecg.recording, signal=signal)
    found = measure(recording, kept(ecg.truth, 500, 3000, recording.samples))
    assert number(found, "rate_bpm") == pytest.approx(69.7, abs=1.5)
    assert number(found, "atrial_rate_bpm") == pytest.approx(69.7, abs=1.5)
    assert number(found, "rr_max_ms") < 1000
    assert number(found, "rr_sd_ms") < 30 and number(found, "pp_sd_ms") < 30
    assert number(found, "rr_irregularity") < 0.05
    qt = number(found, "qt_ms")
    assert number(found, "qtc_framingham_ms") == pytest.approx(qt + 154 * (1 - 60 / 69.7), abs=4)


def test_a_gap_in_some_leads_breaks_no_interval() -> None:
    ecg = sinus()
    signal = ecg.recording.signal.copy()
    signal[:11, 500:3000] = np.nan
    recording = replace(ecg.recording, signal=signal)
    assert not len(find_beats(recording, ecg.truth).gaps)


def test_where_all_intervals_are_broken_there_is_no_rate() -> None:
    ecg = sinus()
    peaks = ecg.truth.overall["QRS"][:, PEAK]
    first, last = round(peaks[0]) + 300, round(peaks[-1]) - 300
    signal = ecg.recording.signal.copy()
    signal[:, first:last] = np.nan
    recording = replace(ecg.recording, signal=signal)
    found = measure(recording, kept(ecg.truth, first, last, recording.samples))
    assert number(found, "beats") == 2
    for name in ("rate_bpm", "rr_ms", "rr_sd_ms", "rr_irregularity", "qtc_fridericia_ms"):
        assert "missing" in str(found.value(name).reason)


def test_a_gap_breaks_the_intervals_it_reaches_into() -> None:
    places, gaps = np.array([0.0, 1.0, 2.0, 3.0]), np.array([[0.9, 1.5]])
    assert unbroken(places, gaps, 0.2).tolist() == [True, False, True]
    assert unbroken(places, np.empty((0, 2)), 0.2).all()


def test_a_beat_cut_by_the_end_is_of_no_kind() -> None:
    ecg = sinus()
    peak = round(ecg.truth.overall["QRS"][-1, PEAK])
    for later in (4, 10, 30):
        samples = peak + later
        recording = replace(ecg.recording, signal=ecg.recording.signal[:, :samples].copy())
        beats = find_beats(recording, kept(ecg.truth, samples, 10_000, samples))
        assert beats.kinds[-1] == "incomplete" and beats.groups[-1] == -1
        assert set(beats.kinds[:-1]) == {"dominant"}
        assert len(beats) - 1 not in beats.members(0)


@pytest.mark.parametrize("seed", [5, 6, 8, 10])
def test_coarse_fibrillation_is_irregular_and_has_no_atrial_ectopics(seed: int) -> None:
    options = replace(PRESETS["atrial fibrillation"], fibrillation_mv=0.4, seed=seed)
    ecg = simulate(options, "coarse")
    assert find_beats(ecg.recording, ecg.truth).groups.max() > 0  # the beats are not alike
    found = measure(ecg.recording, ecg.truth)
    assert number(found, "rr_irregularity") > 0.1
    assert number(found, "atrial_ectopics") == 0


def test_pp_intervals_leave_ectopic_beats_out() -> None:
    ecg = sinus("ventricular", 3)
    found = measure(ecg.recording, ecg.truth)
    assert number(found, "atrial_rate_bpm") == pytest.approx(70, abs=2)
    assert number(found, "pp_sd_ms") < 40
    ecg = sinus("atrial", 3)
    found = measure(ecg.recording, ecg.truth)
    assert number(found, "atrial_ectopics") >= 3
    assert number(found, "pp_sd_ms") < 40


def test_bigeminy_hides_every_pp_interval() -> None:
    ecg = sinus("ventricular", 2)
    found = measure(ecg.recording, ecg.truth)
    for name in ("atrial_rate_bpm", "pp_ms", "pp_sd_ms"):
        assert "ectopic" in str(found.value(name).reason)
