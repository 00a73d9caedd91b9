"""Where rhythm and QT are refused rather than guessed, and what is said instead."""

from __future__ import annotations

import pytest

from ecgcore.recording import Patient
from ecgcore.rules.applying import apply_rules
from ecgcore.rules.criteria import criteria_set
from ecgcore.rules.finding import Finding
from ecgcore.signal.measured import Measurements
from ecgcore.signal.measurements import measure
from ecgcore.signal.simulator import SimulationOptions, simulate
from tests.rules.measured_example import MAN, WOMAN, measured

QT_RULES = ("long_qt", "short_qt", "short_qt_syndrome")
SHORT_QT = {"qtc_framingham_ms": 330.0, "qtc_fridericia_ms": 330.0}
NO_P = {"p_share": 0.0, "p_per_qrs": 0.0}


def _found(values: Measurements, patient: Patient = MAN) -> dict[str, Finding]:
    found = apply_rules(values, patient, criteria_set("clinical"))
    return {finding.criterion: finding for finding in found}


def _simulated(options: SimulationOptions) -> dict[str, Finding]:
    simulated = simulate(options)
    return _found(measure(simulated.recording, simulated.truth))


def _fired(found: dict[str, Finding]) -> set[str]:
    return {name for name, finding in found.items() if finding.fired}


@pytest.mark.parametrize("dropped", [2, 3, 4])
def test_dropped_beats_are_a_block_and_no_sinus_bradycardia(dropped: int) -> None:
    found = _simulated(SimulationOptions(seed=18, dropped_every=dropped))
    fired = _fired(found)
    assert "higher_degree_block" in fired
    assert not fired & {"sinus_rhythm", "sinus_bradycardia", "sinus_arrhythmia", *QT_RULES}
    assert all(found[rule].fired is None for rule in QT_RULES)


def test_a_rare_dropped_beat_is_named_without_a_degree() -> None:
    fired = _fired(_simulated(SimulationOptions(seed=18, dropped_every=5)))
    assert "unfollowed_p_waves" in fired
    assert not fired & {"higher_degree_block", "sinus_bradycardia", "sinus_arrhythmia", *QT_RULES}


def test_a_p_wave_whose_beat_lies_after_the_end_is_no_block() -> None:
    options = SimulationOptions(seed=18, rate_bpm=20, qt_ms=520)
    simulated = simulate(options)
    values = measure(simulated.recording, simulated.truth)
    assert values.overall["p_per_qrs"].number == pytest.approx(4 / 3)
    fired = _fired(_found(values))
    assert "sinus_bradycardia" in fired
    assert not fired & {"higher_degree_block", "unfollowed_p_waves", "bradycardia_origin_open"}


def test_flutter_with_two_to_one_conduction_is_no_block() -> None:
    found = _found(measured(p_per_qrs=2.0, rate_bpm=150.0))
    assert found["higher_degree_block"].fired is False
    assert found["sinus_tachycardia"].fired is False
    assert found["tachycardia_origin_open"].fired is True


def test_more_p_waves_than_beats_keep_their_name_where_the_rest_is_unknown() -> None:
    found = _found(
        measured(
            {"atrial_rate_bpm": "too few P waves", "sinus_p": "no P wave"},
            p_per_qrs=2.0,
            p_share=0.3,
            rate_bpm=38.0,
        )
    )
    assert {"higher_degree_block", "bradycardia_origin_open"} <= _fired(found)
    assert found["atrial_fibrillation"].fired is False


@pytest.mark.parametrize("rate", [60.0, 125.0])
def test_slight_irregularity_without_p_waves_is_not_called_fibrillation(rate: float) -> None:
    slight = _found(measured(rr_irregularity=0.1499, rate_bpm=rate, **NO_P))
    assert slight["atrial_fibrillation"].fired is None
    assert "No P wave was found" in (slight["atrial_fibrillation"].reason or "")
    assert slight["irregular_without_p"].fired is True
    assert slight["tachycardia_origin_open"].fired is (rate > 100)
    clear = _found(measured(rr_irregularity=0.15, rate_bpm=rate, **NO_P))
    assert clear["atrial_fibrillation"].fired is True
    assert clear["irregular_without_p"].fired is False
    assert clear["tachycardia_origin_open"].fired is False
    regular = _found(measured(rr_irregularity=0.1, rate_bpm=rate, **NO_P))
    assert regular["atrial_fibrillation"].fired is False


def test_p_waves_elsewhere_are_not_fibrillation() -> None:
    found = _found(measured(p_share=0.0, p_per_qrs=0.5, rr_irregularity=0.3))
    assert found["atrial_fibrillation"].fired is None
    assert "not before the beats" in (found["atrial_fibrillation"].reason or "")
    assert found["irregular_without_p"].fired is True


def test_what_p_waves_would_tell_is_refused_for_want_of_them() -> None:
    refused = _found(measured(rr_irregularity=0.3, pr_ms=230.0, **NO_P))["first_degree_block"]
    assert refused.fired is None
    assert "No P wave was found" in (refused.reason or "")


def test_a_fast_rhythm_without_p_waves_has_a_finding() -> None:
    narrow = SimulationOptions(seed=18, rate_bpm=160, qt_ms=220, p_mv=0, pr_ms=110, p_ms=80)
    fired = _fired(_simulated(narrow))
    assert "tachycardia_origin_open" in fired
    assert not fired & {"wide_qrs_tachycardia", "atrial_fibrillation", *QT_RULES}


def test_a_fast_wide_rhythm_without_p_waves_has_a_finding_of_its_own() -> None:
    wide = SimulationOptions(
        seed=18,
        rate_bpm=140,
        qt_ms=290,
        p_mv=0,
        pr_ms=100,
        p_ms=60,
        qrs_ms=150,
        conduction="left bundle",
    )
    assert {"wide_qrs_tachycardia", "tachycardia_origin_open"} <= _fired(_simulated(wide))


def test_irregular_wide_tachycardia_is_named_beside_fibrillation() -> None:
    fired = _fired(_found(measured(rr_irregularity=0.3, rate_bpm=170.0, qrs_ms=150.0, **NO_P)))
    assert {"wide_qrs_tachycardia", "atrial_fibrillation"} <= fired


def test_a_slow_rhythm_without_p_waves_has_a_finding() -> None:
    fired = _fired(_simulated(SimulationOptions(seed=18, rate_bpm=40, p_mv=0)))
    assert "bradycardia_origin_open" in fired
    assert not fired & {"sinus_bradycardia", *QT_RULES}


@pytest.mark.parametrize(("rate", "qt"), [(30, 520), (20, 520), (30, 595)])
def test_a_slow_heart_has_no_short_qt(rate: float, qt: float) -> None:
    found = _simulated(SimulationOptions(seed=18, rate_bpm=rate, qt_ms=qt))
    assert "sinus_bradycardia" in _fired(found)
    for rule in ("short_qt", "short_qt_syndrome"):
        assert found[rule].fired is None
        assert "formulas" in (found[rule].reason or "")


def test_a_slow_heart_with_a_long_qt_is_not_called_normal() -> None:
    simulated = simulate(SimulationOptions(seed=18, rate_bpm=30, qt_ms=595))
    values = measure(simulated.recording, simulated.truth)
    for patient in (MAN, WOMAN):
        long = _found(values, patient)["long_qt"]
        assert long.fired is None
        assert "Judge the QT interval itself" in (long.reason or "")


@pytest.mark.parametrize("rate", [49.9, 100.1])
@pytest.mark.parametrize(
    ("framingham", "fridericia", "fired"),
    [(470, 450, True), (450, 470, True), (449, 449, False), (449, 450, None), (450, 449, None)],
)
def test_outside_the_usual_rates_two_formulas_must_agree(
    rate: float, framingham: float, fridericia: float, fired: bool | None
) -> None:
    changes = {"qtc_framingham_ms": float(framingham), "qtc_fridericia_ms": float(fridericia)}
    assert _found(measured(rate_bpm=rate, **changes))["long_qt"].fired is fired
    usual = _found(measured(rate_bpm=75.0, **changes))["long_qt"]
    assert usual.fired is (framingham >= 450)


@pytest.mark.parametrize(
    ("name", "edge", "inside"),
    [("rate_bpm", 50.0, 1), ("rate_bpm", 100.0, -1), ("rr_max_ms", 1.5 * 833.0, -1)],
)
def test_short_qt_is_refused_beyond_a_limit_of_rate_or_pause(
    name: str, edge: float, inside: int
) -> None:
    for rule in ("short_qt", "short_qt_syndrome"):
        decided = _found(measured(**SHORT_QT, **{name: edge + 0.01 * inside}))[rule]
        refused = _found(measured(**SHORT_QT, **{name: edge - 0.01 * inside}))[rule]
        assert decided.fired is True
        assert refused.fired is None


def test_qt_in_fibrillation_is_refused_if_short_and_said_to_be_unsure_if_long() -> None:
    short = _found(measured(rr_irregularity=0.3, **NO_P, **SHORT_QT))
    assert short["short_qt"].fired is None
    assert short["short_qt_syndrome"].fired is None
    long = _found(measured(rr_irregularity=0.3, qtc_framingham_ms=490.0, **NO_P))["long_qt"]
    assert long.fired is True
    assert "unreliable" in (long.reason or "")


@pytest.mark.parametrize("change", [{"rr_max_ms": 1300.0}, {"p_per_qrs": 1.3}])
def test_a_pause_or_unfollowed_p_waves_refuse_every_qt_rule(change: dict[str, float]) -> None:
    for corrected in (330.0, 500.0):
        values = measured(qtc_framingham_ms=corrected, qtc_fridericia_ms=corrected, **change)
        found = _found(values)
        assert [found[rule].fired for rule in QT_RULES] == [None, None, None]
