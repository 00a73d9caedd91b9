"""For every criterion: what makes it fire, and the one value that decides, at its limit.

``edge`` is the limit; ``fires`` says on which side the criterion fires, and whether at the limit.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from ecgcore.recording import Patient
from tests.rules.measured_example import MAN, WOMAN


@dataclass(frozen=True)
class Case:
    """``name`` is varied around ``edge``, everything else stays as in ``others``."""

    criterion: str
    name: str
    edge: float
    fires: Literal["<", "<=", ">", ">="]
    others: dict[str, float] = field(default_factory=dict)
    patient: Patient = MAN


_YOUNG = Patient("someone", 30.0, "M")
_LEFT_AXIS = {"aVL__q_mv": -0.05, "aVL__q_ms": 15.0, "aVL__r_mv": 0.8, "aVL__intrinsicoid_ms": 50.0}
_RIGHT = {"qrs_axis_deg": 110.0}
_RBBB = {"V1__r2_ms": 30.0, "I__s_ms": 50.0, "V6__s_ms": 50.0}
_NO_P = {"p_share": 0.0, "p_per_qrs": 0.0}
_LBBB = {
    "I__q_ms": 0.0,
    "V5__q_ms": 0.0,
    "V6__q_ms": 0.0,
    "V1__s_ms": 80.0,
    "V5__intrinsicoid_ms": 70.0,
    "V6__intrinsicoid_ms": 70.0,
}
_LPFB = {
    "I__q_mv": 0.0,
    "I__r_mv": 0.2,
    "I__s_mv": -0.8,
    "aVL__q_mv": 0.0,
    "aVL__r_mv": 0.1,
    "aVL__s_mv": -0.8,
}

PAPER: tuple[Case, ...] = (
    Case(
        "poor_r_progression",
        "V3__r_mv",
        0.5,
        "<",
        {"V1__r_mv": 0.9, "V2__r_mv": 0.5, "V4__r_mv": 0.1},
    ),
    Case("poor_r_progression", "V1__r_mv", 0.12, "<", {"V2__r_mv": 0.04, "V3__r_mv": 0.04}),
    Case("arrhythmia", "pp_sd_ms", 120, ">"),
    Case("tachycardia", "rate_bpm", 120, ">"),
    Case("bradycardia", "rate_bpm", 60, "<"),
    Case("right_axis", "I__s_mv", -0.75, "<"),
    Case("right_axis", "I__s_mv", -1.15, ">"),
    Case("left_axis", "III__r_mv", 0.85, "<"),
    Case("low_voltage", "II__qrs_pp_mv", 0.5, "<", {"I__qrs_pp_mv": 0.3, "III__qrs_pp_mv": 0.3}),
    Case("low_voltage", "V3__qrs_pp_mv", 1.0, "<", {"V1__qrs_pp_mv": 0.9, "V2__qrs_pp_mv": 0.9}),
    Case("long_qt", "qt_ms", 400, ">", {"qtc_bazett_ms": 440.0}),
    Case("long_qt", "qtc_bazett_ms", 430, ">", {"qt_ms": 420.0}),
    Case("clockwise_rotation", "V1__r_mv", 0.72, ">", {"V2__r_mv": 1.2}),
    Case("clockwise_rotation", "V1__r_mv", 0.88, "<", {"V2__r_mv": 1.2}),
    Case("clockwise_rotation", "V2__r_mv", 1.08, ">", {"V1__r_mv": 0.8}),
    Case("clockwise_rotation", "V2__r_mv", 1.32, "<", {"V1__r_mv": 0.8}),
    Case("counterclockwise_rotation", "V4__r_mv", 0.4, "<", {"V3__r_mv": 0.5}),
    Case("first_degree_block", "pr_ms", 200, ">"),
    Case("abnormal_q", "II__q_mv", -0.275, "<"),
    Case("abnormal_q", "aVF__q_ms", 40, ">"),
    Case("t_wave_change", "V6__t_mv", 0.11, "<"),
    Case("t_wave_change", "V2__t_mv", 0.5, ">"),
    Case("right_atrial_enlargement", "V1__p_mv", 0.15, ">=", {"II__p_mv": 0.3}),
    Case("right_atrial_enlargement", "II__p_mv", 0.25, ">=", {"V2__p_mv": 0.2}),
    Case("left_ventricular_high_voltage", "V5__r_mv", 2.5, ">", {"V6__r_mv": 2.6}),
    Case("left_ventricular_high_voltage", "V1__s_mv", -2.6, "<"),
    Case("left_ventricular_high_voltage", "V1__s_mv", -2.1, "<", patient=WOMAN),
    Case("left_ventricular_high_voltage", "I__r_mv", 1.5, ">"),
    Case("left_ventricular_high_voltage", "aVL__r_mv", 1.2, ">"),
    Case("left_ventricular_high_voltage", "aVF__r_mv", 2.0, ">"),
    Case("left_ventricular_high_voltage", "III__s_mv", -1.7, "<"),
)

CLINICAL: tuple[Case, ...] = (
    Case("sinus_rhythm", "rate_bpm", 60, ">="),
    Case("sinus_rhythm", "rate_bpm", 100, "<="),
    Case("sinus_rhythm", "p_share", 0.75, ">="),
    Case("sinus_bradycardia", "rate_bpm", 60, "<"),
    Case("sinus_tachycardia", "rate_bpm", 100, ">"),
    Case("sinus_arrhythmia", "rr_max_ms", 920, ">"),
    Case("sinus_rhythm", "p_per_qrs", 1.2, "<", {"beats": 20.0}),
    Case("sinus_arrhythmia", "p_per_qrs", 1.2, "<", {"beats": 20.0, "rr_max_ms": 1000.0}),
    Case("sinus_bradycardia", "p_per_qrs", 1.2, "<", {"beats": 20.0, "rate_bpm": 40.0}),
    Case("tachycardia_origin_open", "rate_bpm", 100, ">", _NO_P),
    Case("tachycardia_origin_open", "p_share", 0.75, "<", {"rate_bpm": 120.0}),
    Case("tachycardia_origin_open", "rr_irregularity", 0.15, "<", _NO_P | {"rate_bpm": 120.0}),
    Case("wide_qrs_tachycardia", "rate_bpm", 100, ">", _NO_P | {"qrs_ms": 150.0}),
    Case("wide_qrs_tachycardia", "qrs_ms", 120, ">=", _NO_P | {"rate_bpm": 150.0}),
    Case("wide_qrs_tachycardia", "p_share", 0.75, "<", {"rate_bpm": 120.0, "qrs_ms": 150.0}),
    Case("bradycardia_origin_open", "rate_bpm", 50, "<", _NO_P),
    Case("bradycardia_origin_open", "p_share", 0.75, "<", {"rate_bpm": 40.0}),
    Case("atrial_fibrillation", "p_share", 0.5, "<", {"rr_irregularity": 0.25, "p_per_qrs": 0.4}),
    Case("irregular_without_p", "rr_irregularity", 0.1, ">", _NO_P),
    Case("irregular_without_p", "rr_irregularity", 0.15, "<", _NO_P),
    Case("irregular_without_p", "p_per_qrs", 0.5, ">=", {"p_share": 0.0, "rr_irregularity": 0.3}),
    Case("higher_degree_block", "p_per_qrs", 1.3, ">="),
    Case("higher_degree_block", "beats", 5, ">", {"p_per_qrs": 1.3}),
    Case("higher_degree_block", "rate_bpm", 100, "<", {"p_per_qrs": 2.0}),
    Case("unfollowed_p_waves", "p_per_qrs", 1.2, ">="),
    Case("unfollowed_p_waves", "p_per_qrs", 1.3, "<"),
    Case("paced_rhythm", "paced_beats", 0, ">"),
    Case("ventricular_ectopy", "ventricular_ectopics", 1, ">="),
    Case("atrial_ectopy", "atrial_ectopics", 1, ">="),
    Case("first_degree_block", "pr_ms", 200, ">"),
    Case("short_pr", "pr_ms", 120, "<"),
    Case("preexcitation", "pr_ms", 120, "<", {"delta_ms": 40.0, "qrs_ms": 130.0}),
    Case("preexcitation", "delta_ms", 20, ">=", {"pr_ms": 100.0, "qrs_ms": 130.0}),
    Case("preexcitation", "qrs_ms", 120, ">", {"pr_ms": 100.0, "delta_ms": 40.0}),
    Case("right_bundle_branch_block", "qrs_ms", 120, ">=", _RBBB),
    Case("right_bundle_branch_block", "V1__r2_ms", 30, ">=", _RBBB | {"qrs_ms": 140.0}),
    Case(
        "right_bundle_branch_block",
        "V2__r2_mv",
        0.05,
        ">=",
        _RBBB | {"qrs_ms": 140.0, "V1__r2_ms": 8.0, "V1__r2_mv": 0.03, "V2__r2_ms": 12.0},
    ),
    Case("right_bundle_branch_block", "V6__s_ms", 40, ">", _RBBB | {"qrs_ms": 140.0}),
    Case(
        "right_bundle_branch_block",
        "V1__intrinsicoid_ms",
        50,
        ">",
        {"V1__r_mv": 1.0, "qrs_ms": 140.0, "I__s_ms": 50.0, "V6__s_ms": 50.0},
    ),
    Case("incomplete_right_bundle_branch_block", "qrs_ms", 110, ">=", _RBBB),
    Case("incomplete_right_bundle_branch_block", "qrs_ms", 120, "<", _RBBB),
    Case("left_bundle_branch_block", "qrs_ms", 120, ">=", _LBBB),
    Case("left_bundle_branch_block", "V1__s_ms", 40, ">", _LBBB | {"qrs_ms": 140.0}),
    Case(
        "left_bundle_branch_block",
        "V6__q_mv",
        -0.05,
        ">",
        _LBBB | {"qrs_ms": 140.0, "V6__q_ms": 12.0},
    ),
    Case(
        "left_bundle_branch_block",
        "V6__q_ms",
        30,
        "<",
        _LBBB | {"qrs_ms": 140.0, "V6__q_mv": -0.03},
    ),
    Case(
        "incomplete_left_bundle_branch_block",
        "V6__q_mv",
        -0.05,
        ">",
        _LBBB | {"qrs_ms": 115.0, "V6__q_ms": 12.0, "V4__intrinsicoid_ms": 70.0, "V1__s_mv": -3.0},
    ),
    Case(
        "left_bundle_branch_block",
        "V6__intrinsicoid_ms",
        60,
        ">",
        _LBBB | {"qrs_ms": 140.0, "V5__intrinsicoid_ms": 50.0},
    ),
    Case(
        "incomplete_left_bundle_branch_block",
        "qrs_ms",
        110,
        ">=",
        _LBBB | {"V4__intrinsicoid_ms": 70.0, "V1__s_mv": -3.0},
    ),
    Case(
        "incomplete_left_bundle_branch_block",
        "qrs_ms",
        120,
        "<",
        _LBBB | {"V4__intrinsicoid_ms": 70.0, "V1__s_mv": -3.0},
    ),
    Case("intraventricular_delay", "qrs_ms", 110, ">"),
    Case("left_anterior_fascicular_block", "qrs_axis_deg", -45, "<=", _LEFT_AXIS),
    Case("left_anterior_fascicular_block", "qrs_axis_deg", -90, ">=", _LEFT_AXIS),
    Case(
        "left_anterior_fascicular_block",
        "aVL__intrinsicoid_ms",
        45,
        ">=",
        _LEFT_AXIS | {"qrs_axis_deg": -60.0},
    ),
    Case("left_posterior_fascicular_block", "qrs_axis_deg", 90, ">=", _LPFB),
    Case("left_posterior_fascicular_block", "qrs_axis_deg", 180, "<=", _LPFB),
    Case("left_axis", "qrs_axis_deg", -30, "<"),
    Case("left_axis", "qrs_axis_deg", -90, ">="),
    Case("right_axis", "qrs_axis_deg", 90, ">"),
    Case("right_axis", "qrs_axis_deg", -150, "<="),
    Case("extreme_axis", "qrs_axis_deg", -90, "<"),
    Case("extreme_axis", "qrs_axis_deg", -150, ">"),
    Case(
        "low_voltage_limb", "I__qrs_pp_mv", 0.5, "<", {"II__qrs_pp_mv": 0.4, "III__qrs_pp_mv": 0.3}
    ),
    Case(
        "low_voltage_chest",
        "V4__qrs_pp_mv",
        1.0,
        "<",
        {f"{lead}__qrs_pp_mv": 0.8 for lead in ("V1", "V2", "V3", "V5", "V6")},
    ),
    Case("poor_r_progression", "V3__r_mv", 0.3, "<=", {"V2__r_mv": 0.2}),
    Case("lvh_sokolow_lyon", "V1__s_mv", -2.1, "<"),
    Case("lvh_cornell", "V3__s_mv", -2.45, "<"),
    Case("lvh_cornell", "V3__s_mv", -1.65, "<", patient=WOMAN),
    Case("lvh_r_avl", "aVL__r_mv", 1.1, ">"),
    Case("lvh_peguero", "V2__s_mv", -2.4, "<="),
    Case("lvh_peguero", "V2__s_mv", -1.9, "<=", patient=WOMAN),
    Case("rvh_sokolow_lyon", "V1__r_mv", 0.85, ">", _RIGHT),
    Case("rvh_sokolow_lyon", "qrs_axis_deg", 90, ">", {"V1__r_mv": 1.0}),
    Case("rvh_tall_r", "V1__r_mv", 0.6, ">", _RIGHT | {"V1__s_mv": -0.2}),
    Case("left_atrial_enlargement", "V1__p_terminal_mvms", 4, ">="),
    Case("right_atrial_enlargement", "II__p_mv", 0.25, ">"),
    Case("right_atrial_enlargement", "V1__p_mv", 0.15, ">"),
    Case(
        "q_inferior", "III__q_ms", 30, ">=", {"III__q_mv": -0.2, "II__q_mv": -0.2, "II__q_ms": 35.0}
    ),
    Case("q_inferior", "III__q_mv", -0.1, "<=", {"III__q_ms": 40.0, "aVF__qs": 1.0}),
    Case("q_anterior", "V2__q_ms", 20, ">"),
    Case("q_anterior", "V5__q_ms", 30, ">=", {"V5__q_mv": -0.2, "V4__qs": 1.0}),
    Case("q_lateral", "I__q_ms", 30, ">=", {"I__q_mv": -0.2, "aVL__qs": 1.0}),
    Case(
        "r_posterior",
        "V1__r_ms",
        40,
        ">",
        {"V1__r_mv": 0.9, "V2__r_mv": 1.5, "V2__r_ms": 45.0},
    ),
    Case("st_elevation_anterior", "V2__j_mv", 0.2, ">=", {"V3__j_mv": 0.3}),
    Case("st_elevation_anterior", "V2__j_mv", 0.25, ">=", {"V3__j_mv": 0.3}, _YOUNG),
    Case("st_elevation_anterior", "V2__j_mv", 0.15, ">=", {"V3__j_mv": 0.3}, WOMAN),
    Case("st_elevation_anterior", "V4__j_mv", 0.1, ">=", {"V5__j_mv": 0.3}),
    Case("st_elevation_inferior", "aVF__j_mv", 0.1, ">=", {"II__j_mv": 0.2}),
    Case("st_elevation_lateral", "aVL__j_mv", 0.1, ">=", {"I__j_mv": 0.2}),
    Case("st_elevation_lateral", "V5__j_mv", 0.1, ">=", {"V6__j_mv": 0.2}),
    Case(
        "st_depression_anterior",
        "V3__j80_mv",
        -0.05,
        "<=",
        {"V3__j_mv": -0.06, "V4__j_mv": -0.1, "V4__j80_mv": -0.1},
    ),
    Case(
        "st_depression_anterior",
        "V3__j80_mv",
        -0.08,
        "<=",
        {"V3__j_mv": -0.1, "V4__j_mv": -0.1, "V4__j80_mv": -0.1},
    ),
    Case(
        "st_depression_inferior",
        "aVF__j_mv",
        -0.05,
        "<=",
        {"aVF__j80_mv": -0.1, "III__j_mv": -0.1, "III__j80_mv": -0.1},
    ),
    Case(
        "st_depression_lateral",
        "V6__j_mv",
        -0.05,
        "<=",
        {"V6__j80_mv": -0.1, "V5__j_mv": -0.1, "V5__j80_mv": -0.1},
    ),
    Case(
        "st_depression_inferior",
        "aVF__j80_mv",
        -0.13,
        "<=",
        {"aVF__j_mv": -0.15, "III__j_mv": -0.1, "III__j80_mv": -0.1},
    ),
    Case(
        "st_depression_lateral",
        "V6__j80_mv",
        -0.13,
        "<=",
        {"V6__j_mv": -0.15, "V5__j_mv": -0.1, "V5__j80_mv": -0.1},
    ),
    Case("t_inversion_anterior", "V3__t_neg_mv", -0.1, "<=", {"V4__t_neg_mv": -0.2}),
    Case("t_inversion_inferior", "aVF__t_mv", -0.1, "<=", {"II__t_mv": -0.2}),
    Case("t_inversion_lateral", "V6__t_mv", -0.1, "<=", {"V5__t_mv": -0.2}),
    Case("t_inversion_lateral", "aVL__t_mv", -0.1, "<=", {"I__t_mv": -0.2}),
    Case("long_qt", "qtc_framingham_ms", 450, ">="),
    Case("long_qt", "qtc_framingham_ms", 460, ">=", patient=WOMAN),
    Case("short_qt_syndrome", "qtc_framingham_ms", 340, "<="),
    Case("short_qt", "qtc_framingham_ms", 390, "<="),
)
