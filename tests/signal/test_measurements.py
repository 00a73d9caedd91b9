"""Measurements against the simulator's truth, by properties, and the reasons for what is N/A."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ecgcore.recording import LEADS, VOLTAGES_IN_DOUBT, Recording, Source
from ecgcore.signal.amplitudes import FineBeat
from ecgcore.signal.beats import Beats, find_beats
from ecgcore.signal.delineation.waves import WAVES, Delineation
from ecgcore.signal.intervals import over_leads
from ecgcore.signal.measured import LEAD_NAMES, OVERALL_NAMES, Measurements, Value
from ecgcore.signal.measurements import measure
from ecgcore.signal.simulator import PRESETS, Simulated, simulate
from ecgcore.signal.slurring import initial_slur_ms

# IEC 60601-2-25:2011, intervals on analytical ECGs, in ms.
LIMITS = {"p_ms": 10.0, "pr_ms": 10.0, "qrs_ms": 6.0, "qt_ms": 12.0}
NOISY = {"muscle_uv": 25.0, "mains_uv": 50.0, "wander_mv": 1.0, "wander_hz": 0.3}
SINUS = [name for name, options in PRESETS.items() if options.has_p]


_MEASURED: dict[int, tuple[Simulated, Measurements]] = {}


@cache
def simulated(name: str, **changes: float) -> Simulated:
    return simulate(replace(PRESETS[name], **changes), name)


def measured(given_ecg: Simulated) -> Measurements:
    """What is measured with the true waves, once for each heart of ``simulated``."""
    if id(given_ecg) not in _MEASURED:  # the heart is kept, so that none takes its number
        found = measure(given_ecg.recording, given_ecg.truth)
        _MEASURED[id(given_ecg)] = (given_ecg, found)
    return _MEASURED[id(given_ecg)][1]


def number(found: Measurements, name: str) -> float:
    value = found.value(name)
    assert value.number is not None, f"{name}: {value.reason}"
    return value.number


def with_signal(ecg: Simulated, signal: NDArray[np.floating]) -> Recording:
    return replace(ecg.recording, signal=signal.astype(np.float32))


def only(truth: Delineation, leads: tuple[str, ...]) -> Delineation:
    return replace(truth, leads={lead: truth.leads[lead] for lead in leads})


@pytest.mark.parametrize("name", SINUS)
@pytest.mark.parametrize("rate", [250.0, 500.0, 1000.0])
def test_intervals_of_the_dominant_beat_are_the_true_ones(name: str, rate: float) -> None:
    options = PRESETS[name]
    found = measured(simulated(name, sampling_rate=rate))
    for interval, limit in LIMITS.items():
        assert number(found, interval) == pytest.approx(getattr(options, interval), abs=limit)


@pytest.mark.parametrize("name", ["sinus", "left axis", "right axis", "left bundle branch block"])
@pytest.mark.parametrize("noise", [{}, NOISY], ids=["clean", "noisy"])
def test_axes_are_the_true_ones(name: str, noise: dict[str, float]) -> None:
    options = PRESETS[name]
    found = measured(simulated(name, **noise))
    within = 8.0 if noise else 2.0
    assert number(found, "qrs_axis_deg") == pytest.approx(options.qrs_axis_deg, abs=within)
    assert number(found, "p_axis_deg") == pytest.approx(options.p_axis_deg, abs=3 * within)


def test_every_name_has_a_number_or_a_reason() -> None:
    for name in ("sinus", "atrial fibrillation", "paced"):
        found = measured(simulated(name))
        assert tuple(found.overall) == OVERALL_NAMES
        assert tuple(found.leads) == LEADS
        for key in [*OVERALL_NAMES, *(f"{lead}.{n}" for lead in LEADS for n in LEAD_NAMES)]:
            value = found.value(key)
            assert value.number is not None or len(str(value.reason)) > 10


def test_rate_and_corrected_qt_follow_their_formulas() -> None:
    found = measured(simulated("bradycardia"))
    rr, qt = number(found, "rr_ms") / 1000, number(found, "qt_ms")
    assert number(found, "rate_bpm") == pytest.approx(60 / rr)
    assert number(found, "qtc_bazett_ms") == pytest.approx(qt / np.sqrt(rr))
    assert number(found, "qtc_fridericia_ms") == pytest.approx(qt / np.cbrt(rr))
    assert number(found, "qtc_framingham_ms") == pytest.approx(qt + 154 * (1 - rr))
    assert number(found, "qtc_hodges_ms") == pytest.approx(qt + 1.75 * (60 / rr - 60))
    assert any("Bazett" in warning for warning in found.warnings)


def test_atrial_fibrillation_has_no_p_values_and_an_irregular_rhythm() -> None:
    found = measured(simulated("atrial fibrillation"))
    for name in ("p_ms", "pr_ms", "p_axis_deg", "pp_ms", "atrial_rate_bpm", "sinus_p", "V1.p_mv"):
        value = found.value(name)
        assert value.number is None and "P wave" in str(value.reason)
    assert number(found, "p_share") == 0
    assert number(found, "rr_irregularity") > 0.1
    assert number(found, "rr_irregularity") > 3 * number(
        measured(simulated("sinus")), "rr_irregularity"
    )
    assert any("irregular" in warning for warning in found.warnings)


def test_ectopic_beats_are_counted_and_left_out() -> None:
    found = measured(simulated("ventricular ectopics"))
    assert number(found, "ventricular_ectopics") >= 2
    assert number(found, "qrs_ms") == pytest.approx(
        PRESETS["ventricular ectopics"].qrs_ms, abs=LIMITS["qrs_ms"]
    )
    assert number(measured(simulated("atrial ectopics")), "atrial_ectopics") >= 2
    assert number(measured(simulated("paced")), "paced_beats") == number(
        measured(simulated("paced")), "beats"
    )


def test_paced_beats_cannot_be_counted_at_250_hz() -> None:
    value = measured(simulated("sinus", sampling_rate=250.0)).value("paced_beats")
    assert value.number is None and "250 Hz" in str(value.reason)


def test_textbook_facts_of_each_conduction() -> None:
    left = measured(simulated("left bundle branch block"))
    assert number(left, "V6.q_mv") == 0 and number(left, "I.q_mv") == 0
    assert number(left, "V6.notched_r") or number(left, "I.notched_r")
    assert number(left, "V1.s_mv") < -0.5 or number(left, "V1.qs")
    assert number(left, "V6.intrinsicoid_ms") > 60
    right = measured(simulated("right bundle branch block"))
    assert number(right, "V1.r2_mv") > 0.3 and number(right, "I.s_ms") > 30
    assert number(measured(simulated("pre-excitation")), "delta_ms") > 30
    assert number(measured(simulated("sinus")), "delta_ms") == 0
    assert number(measured(simulated("sinus")), "sinus_p") == 1


def test_st_elevation_is_where_it_is_and_only_there() -> None:
    found = measured(simulated("inferior ST elevation"))
    usual = measured(simulated("sinus"))
    for lead in ("II", "III", "aVF"):
        assert number(found, f"{lead}.j60_mv") > 0.1
        assert abs(number(usual, f"{lead}.j60_mv")) < 0.06
    assert number(found, "aVL.j60_mv") < -0.05


@pytest.mark.parametrize("lead", ["I", "II", "V1", "V2", "V5"])
def test_r_and_s_are_the_extremes_of_the_clean_complex(lead: str) -> None:
    ecg = simulated("sinus")
    found = measured(ecg)
    row = ecg.recording.lead(lead).astype(np.float64)
    marks = ecg.truth.overall["QRS"]
    inside = (marks[:, 0] > 100) & (marks[:, 2] < ecg.recording.samples - 100)
    parts = [row[round(on) : round(off) + 1] - row[round(on) - 4] for on, _, off in marks[inside]]
    high = float(np.median([part.max() for part in parts]))
    low = float(np.median([part.min() for part in parts]))
    up = max(number(found, f"{lead}.r_mv"), number(found, f"{lead}.r2_mv"))
    down = min(number(found, f"{lead}.{n}_mv") for n in ("q", "s", "s2"))
    assert up == pytest.approx(max(high, 0.0), abs=0.03)
    assert down == pytest.approx(min(low, 0.0), abs=0.03)
    assert number(found, f"{lead}.qrs_pp_mv") == pytest.approx(high - low, abs=0.04)


@settings(max_examples=8, deadline=None)
@given(factor=st.floats(0.3, 4.0), seed=st.integers(0, 50))
def test_scaling_scales_voltages_and_moves_no_time(factor: float, seed: int) -> None:
    ecg = simulated("sinus", seed=seed)
    one = measured(ecg)
    other = measure(with_signal(ecg, ecg.recording.signal * factor), ecg.truth)
    for name in ("p_ms", "pr_ms", "qrs_ms", "qt_ms", "rr_ms", "qrs_axis_deg"):
        assert number(other, name) == pytest.approx(number(one, name), abs=0.1)
    for name in ("qrs_pp_mv", "j60_mv", "t_mv", "qrs_area_mvms"):
        for lead in LEADS:
            expected = factor * number(one, f"{lead}.{name}")
            assert number(other, f"{lead}.{name}") == pytest.approx(expected, rel=1e-3, abs=1e-4)


@settings(max_examples=8, deadline=None)
@given(offsets=st.lists(st.floats(-3, 3), min_size=12, max_size=12), seed=st.integers(0, 50))
def test_an_offset_changes_nothing(offsets: list[float], seed: int) -> None:
    ecg = simulated("ventricular ectopics", seed=seed)
    one = measured(ecg)
    shifted = ecg.recording.signal + np.array(offsets)[:, None]
    other = measure(with_signal(ecg, shifted), ecg.truth)
    for name in OVERALL_NAMES:
        if one.overall[name].number is not None:
            assert number(other, name) == pytest.approx(number(one, name), abs=0.2)
    for lead in LEADS:
        for name in ("r_mv", "s_mv", "j_mv", "t_mv", "p_mv"):
            expected = number(one, f"{lead}.{name}")
            assert number(other, f"{lead}.{name}") == pytest.approx(expected, abs=0.002)


@pytest.mark.parametrize("missing", [("V3",), ("aVR", "V1", "V6"), ("III", "aVR", "aVL", "aVF")])
def test_missing_leads_change_no_other_lead(missing: tuple[str, ...]) -> None:
    ecg = simulated("sinus", muscle_uv=10.0)
    kept = tuple(lead for lead in LEADS if lead not in missing)
    fewer = replace(
        ecg.recording,
        signal=np.stack([ecg.recording.lead(lead) for lead in kept]),
        leads=kept,
    )
    one, other = measured(ecg), measure(fewer, only(ecg.truth, kept))
    for lead in kept:
        for name in ("r_mv", "s_mv", "j60_mv", "t_mv"):
            expected = number(one, f"{lead}.{name}")
            assert number(other, f"{lead}.{name}") == pytest.approx(expected, abs=0.02)
    gone = other.value(f"{missing[0]}.r_mv")
    assert gone.number is None and gone.reason == f"lead {missing[0]} was not recorded"


def test_a_single_lead_is_measured_and_names_what_it_lacks() -> None:
    ecg = simulated("sinus")
    one = replace(ecg.recording, signal=ecg.recording.signal[1:2].copy(), leads=("II",))
    found = measure(one, only(ecg.truth, ("II",)))
    assert number(found, "qrs_ms") == pytest.approx(92, abs=10)
    assert number(found, "II.r_mv") > 0.3
    assert found.value("qrs_axis_deg").reason == (
        "an axis needs two limb leads; there is no I and no aVF"
    )
    assert "lead aVR" in str(found.value("sinus_p").reason)


def test_an_unread_lead_says_why() -> None:
    ecg = simulated("sinus")
    kept = tuple(lead for lead in LEADS if lead != "V2")
    truth = replace(only(ecg.truth, kept), unread={"V2": "Lead V2 is flat."})
    value = measure(ecg.recording, truth).value("V2.r_mv")
    assert value.reason == "lead V2 was not delineated: Lead V2 is flat."


def test_voltages_in_doubt_are_never_numbers_but_axes_are() -> None:
    ecg = simulated("left axis")
    gains = np.random.default_rng(4).uniform(0.2, 5, 12)[:, None]
    doubt = Source("test", "", (f"The gains are false. {VOLTAGES_IN_DOUBT}",))
    recording = replace(with_signal(ecg, ecg.recording.signal * gains), source=doubt)
    found = measure(recording, ecg.truth)
    for lead in LEADS:
        for name in LEAD_NAMES:
            value = found.value(f"{lead}.{name}")
            if value.unit in ("mV", "mV ms"):
                assert value.number is None and "gains" in str(value.reason)
    for name, degrees in (("qrs_axis_deg", -50), ("p_axis_deg", 55)):
        assert number(found, name) == pytest.approx(degrees, abs=2)
    assert number(found, "I.r_ms") == pytest.approx(number(measured(ecg), "I.r_ms"), abs=4)
    assert any("No voltage" in warning for warning in found.warnings)


def test_no_beats_no_numbers() -> None:
    recording = Recording(
        "flat", np.zeros((2, 5000), np.float32), 500.0, ("I", "II"), Source("test", "")
    )
    empty = {wave: np.empty((0, 3)) for wave in WAVES}
    found = measure(recording, Delineation("none", 500.0, 5000, empty, {"I": empty, "II": empty}))
    assert found.value("beats").number == 0
    for name in OVERALL_NAMES:
        if name != "beats":
            value = found.value(name)
            assert value.number is None and "QRS complex" in str(value.reason)
    assert found.value("II.r_mv").reason == "no QRS complex was found"


def test_detected_but_undelineated_beats_have_a_rate_and_no_intervals() -> None:
    ecg = simulated("sinus")
    empty = {wave: np.empty((0, 3)) for wave in WAVES}
    blank = Delineation("none", 500.0, 5000, empty, dict.fromkeys(LEADS, empty))
    found = measure(ecg.recording, blank)
    assert number(found, "rate_bpm") == pytest.approx(70, abs=2)
    assert "no QRS complex was delineated" in str(found.value("qrs_ms").reason)
    assert found.value("V1.r_mv").number is None


def test_places_lie_in_the_recording_on_the_waves() -> None:
    ecg = simulated("sinus")
    found = measured(ecg)
    onsets, offsets = ecg.truth.overall["QRS"][:, 0], ecg.truth.overall["T"][:, 2]
    value = found.value("qt_ms")
    assert value.start is not None and value.stop is not None
    assert np.abs(onsets - value.start).min() < 4 and np.abs(offsets - value.stop).min() < 6
    for lead in LEADS:
        for name in LEAD_NAMES:
            place = found.value(f"{lead}.{name}")
            if place.number is not None:
                assert place.start is not None and place.stop is not None
                assert 0 <= place.start < place.stop < ecg.recording.samples


def test_dissociated_p_waves_give_no_pr_interval() -> None:
    ecg = simulated("sinus", rr_sd_ms=0.0, respiratory_share=0.0)
    marks = {wave: rows.copy() for wave, rows in ecg.truth.overall.items()}
    drift = np.linspace(-80, 10, len(marks["P"]))[:, None]
    moved = {**marks, "P": marks["P"] + drift}
    leads = {lead: {**rows, "P": rows["P"] + drift} for lead, rows in ecg.truth.leads.items()}
    found = measure(ecg.recording, replace(ecg.truth, overall=moved, leads=leads))
    assert found.value("pr_ms").reason == "the PR interval changes from beat to beat"


def test_a_quarter_of_the_leads_is_rejected_at_either_end() -> None:
    onsets = [-60.0, -45, -40, -39, -38, -38, -37, -36, -36, -35, -34, -33]
    borders = [(onset, 50.0 + k) for k, onset in enumerate(onsets)]
    assert over_leads(borders) == (-39.0, 58.0)
    assert over_leads(borders[:3]) == (-60.0, 52.0)
    assert over_leads(borders[:1]) == (-60.0, 50.0)
    assert over_leads([]) is None


def test_known_names_never_raise_and_unknown_ones_say_what_is_known() -> None:
    found = measured(simulated("sinus"))
    assert found.value("V9.r_mv") == Value(None, "mV", "lead V9 was not recorded")
    with pytest.raises(KeyError, match="no measurement 'pq_ms'"):
        found.value("pq_ms")


@pytest.mark.parametrize("name", ["pre-excitation", "sinus"])
def test_of_several_limits_each_value_is_the_mean(name: str) -> None:
    ecg = simulated(name)
    one, other, both = (
        measure(ecg.recording, ecg.truth, limits=limits) for limits in ((0.5,), (2.0,), (0.5, 2.0))
    )
    moved = 0
    for lead, values in both.leads.items():
        for value_name, value in values.items():
            apart = [found.leads[lead][value_name].number for found in (one, other)]
            if value_name == "intrinsicoid_ms":  # without R it is at QRS onset
                apart = [0.0 if number is None else number for number in apart]
            known = [number for number in apart if number is not None]
            moved += len(set(known)) > 1
            expected = pytest.approx(np.mean(known)) if known else None
            assert value.number == expected, f"{lead}.{value_name}"
    assert moved > 3
    deltas = [number(found, "delta_ms") for found in (one, other)]
    assert number(both, "delta_ms") == pytest.approx(np.mean(deltas))


def test_a_slur_counts_from_a_share_of_the_least_on() -> None:
    """30 ms slow, then steep: no delta wave by the limit of 36 ms, one by half of it."""
    slow, steep = np.linspace(0, 0.03, 30), np.linspace(0.05, 1.0, 20)
    row = np.concatenate([np.zeros(20), slow, steep, steep[::-1], np.zeros(30)])[None]
    beat = FineBeat(("II",), row, np.zeros(1), {"QRS": (20.0, 90.0)}, 50.0)
    assert initial_slur_ms(beat) == 0 == initial_slur_ms(beat, (2.0,))
    found = initial_slur_ms(beat, (0.5,))
    assert found == pytest.approx(29, abs=5)
    assert initial_slur_ms(beat, (0.5, 1.0)) == pytest.approx(found / 2)


def test_given_beats_are_used() -> None:
    ecg = simulated("sinus")
    beats = find_beats(ecg.recording, ecg.truth)
    half = Beats(
        beats.sampling_rate,
        beats.positions[::2].copy(),
        beats.onsets[::2].copy(),
        beats.groups[::2].copy(),
        beats.kinds[::2],
    )
    found = measure(ecg.recording, ecg.truth, half)
    assert number(found, "beats") == len(half)
    assert number(found, "rate_bpm") == pytest.approx(35, abs=2)


@pytest.mark.parametrize("lead", ["II", "aVL", "V3"])
def test_st_levels_are_read_where_they_are_named(lead: str) -> None:
    ecg = simulated("inferior ST elevation")
    found = measured(ecg)
    row = ecg.recording.lead(lead).astype(np.float64)
    marks = ecg.truth.overall["QRS"]
    inside = marks[(marks[:, 0] > 100) & (marks[:, 2] < ecg.recording.samples - 200)]
    for name, later, within in (("j_mv", 0, 0.03), ("j60_mv", 30, 0.01), ("j80_mv", 40, 0.01)):
        levels = [row[round(off) + later] - row[round(on) - 4] for on, _, off in inside]
        expected = float(np.median(levels))
        assert number(found, f"{lead}.{name}") == pytest.approx(expected, abs=within)
    slope = number(found, f"{lead}.j80_mv") - number(found, f"{lead}.j_mv")
    assert number(found, f"{lead}.st_slope_mv") == pytest.approx(slope)


def test_irregularity_leaves_ectopic_beats_out() -> None:
    found = measured(simulated("ventricular ectopics"))
    assert number(found, "rr_sd_ms") > 100
    assert number(found, "rr_irregularity") < 0.06


@pytest.mark.parametrize("noise_uv", [25.0, 80.0])
def test_noise_does_not_raise_p_and_t(noise_uv: float) -> None:
    clean = measured(simulated("sinus"))
    noisy = [measured(simulated("sinus", muscle_uv=noise_uv, seed=seed)) for seed in range(8)]
    for name, within in (("II.p_mv", 0.1), ("II.t_mv", 0.05), ("V5.t_mv", 0.05)):
        mean = np.mean([number(found, name) for found in noisy])
        assert mean == pytest.approx(number(clean, name), rel=within)


def test_smoothing_keeps_the_height_of_p() -> None:
    options = PRESETS["sinus"]
    assert number(measured(simulated("sinus")), "II.p_mv") == pytest.approx(options.p_mv, rel=0.02)
