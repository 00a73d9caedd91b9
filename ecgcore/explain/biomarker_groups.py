"""Biomarkers as a clinician reads an ECG: rhythm, P, PR, QRS, QT, axes, then Q, R and S, ST and T
of the leads that look at one wall of the heart.

Hundreds of values are too many to read, and those of one wall say nearly the same; contiguous leads
are the inferior, lateral, and anteroseptal ones of the Fourth Universal Definition of Myocardial
Infarction (Thygesen et al. 2018). aVR looks at none of them and stands alone.
"""

from __future__ import annotations

from ecgcore.models.biomarkers import BIOMARKERS

RHYTHM = "Rate and rhythm"
P_WAVE = "P wave"
PR = "PR interval and delta wave"
QRS = "QRS duration"
QT = "QT interval"
AXES = "Axes and limb lead sizes"

_OVERALL: dict[str, tuple[str, ...]] = {
    RHYTHM: (
        "rate_bpm", "atrial_rate_bpm", "rr_ms", "rr_sd_ms", "rr_min_ms", "rr_max_ms",
        "rr_irregularity", "pp_ms", "pp_sd_ms", "ventricular_ectopics", "atrial_ectopics",
        "paced_beats",
    ),
    P_WAVE: ("p_ms", "p_share", "p_per_qrs", "sinus_p"),
    PR: ("pr_ms", "delta_ms"),
    QRS: ("qrs_ms",),
    QT: ("qt_ms", "qtc_bazett_ms", "qtc_fridericia_ms", "qtc_framingham_ms", "qtc_hodges_ms"),
    AXES: ("p_axis_deg", "qrs_axis_deg", "t_axis_deg"),
}  # fmt: skip

_TERRITORIES: dict[str, tuple[str, ...]] = {
    "inferior": ("II", "III", "aVF"),
    "lateral": ("I", "aVL", "V5", "V6"),
    "septal and anterior": ("V1", "V2", "V3", "V4"),
    "": ("aVR",),
}
_WAVES: dict[str, tuple[str, ...]] = {
    "Q waves": ("q_mv", "q_ms", "qs"),
    "R and S waves": (
        "r_mv", "r_ms", "s_mv", "s_ms", "r2_mv", "r2_ms", "s2_mv", "s2_ms", "qrs_net_mv",
        "qrs_pp_mv", "qrs_area_mvms", "intrinsicoid_ms", "notched_r",
    ),
    "ST segment": ("j_mv", "j60_mv", "j80_mv", "st_slope_mv"),
    "T waves": ("t_mv", "t_neg_mv", "t_ms"),
}  # fmt: skip
_P_OF_LEADS = ("p_mv", "p_neg_mv", "p_ms", "p_terminal_mvms")
_SIZE = "size"


def group_of(name: str) -> str:
    """The group of one of ``BIOMARKERS``. KeyError for another name."""
    return _GROUP_OF[name]


def _grouped(name: str) -> str:
    lead, _, inner = name.rpartition(".")
    if not lead:
        return next(group for group, names in _OVERALL.items() if name in names)
    if inner in _P_OF_LEADS:
        return P_WAVE
    if inner == _SIZE:
        return AXES
    wave = next(wave for wave, names in _WAVES.items() if inner in names)
    wall = next(wall for wall, leads in _TERRITORIES.items() if lead in leads)
    leads = ", ".join(_TERRITORIES[wall])
    return f"{wave}, {wall} leads ({leads})" if wall else f"{wave}, {leads}"


_GROUP_OF = {name: _grouped(name) for name in BIOMARKERS}

GROUPS: dict[str, tuple[int, ...]] = {
    group: tuple(k for k, name in enumerate(BIOMARKERS) if _GROUP_OF[name] == group)
    for group in dict.fromkeys(_GROUP_OF.values())
}
"""Columns of ``BIOMARKERS`` by the group's name; each column stands in one group."""
