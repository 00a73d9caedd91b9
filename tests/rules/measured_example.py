"""Measurements of a normal heart, with single values changed."""

from __future__ import annotations

from ecgcore.recording import LEADS, Patient
from ecgcore.signal.measured import LEAD_NAMES, OVERALL_NAMES, Measurements, Value, unit_of

MAN = Patient("someone", 55.0, "M")
WOMAN = Patient("someone", 55.0, "F")

_OVERALL = {
    "rate_bpm": 72.0,
    "atrial_rate_bpm": 72.0,
    "rr_ms": 833.0,
    "rr_sd_ms": 20.0,
    "rr_min_ms": 800.0,
    "rr_max_ms": 860.0,
    "rr_irregularity": 0.03,
    "pp_ms": 833.0,
    "pp_sd_ms": 20.0,
    "p_ms": 100.0,
    "pr_ms": 160.0,
    "qrs_ms": 90.0,
    "qt_ms": 390.0,
    "qtc_bazett_ms": 427.0,
    "qtc_fridericia_ms": 414.0,
    "qtc_framingham_ms": 416.0,
    "qtc_hodges_ms": 411.0,
    "p_axis_deg": 55.0,
    "qrs_axis_deg": 45.0,
    "t_axis_deg": 40.0,
    "beats": 12.0,
    "p_share": 1.0,
    "p_per_qrs": 1.0,
    "ventricular_ectopics": 0.0,
    "atrial_ectopics": 0.0,
    "paced_beats": 0.0,
    "sinus_p": 1.0,
    "delta_ms": 0.0,
}
# Q, R, S and T in mV, as in a healthy adult with an axis of 45 degrees.
_WAVES = {
    "I": (-0.05, 0.80, -0.10, 0.25),
    "II": (-0.05, 1.10, -0.15, 0.35),
    "III": (-0.05, 0.40, -0.15, 0.10),
    "aVR": (-0.90, 0.05, 0.0, -0.30),
    "aVL": (-0.05, 0.35, -0.10, 0.10),
    "aVF": (-0.05, 0.75, -0.10, 0.22),
    "V1": (0.0, 0.20, -0.80, 0.05),
    "V2": (0.0, 0.50, -1.20, 0.45),
    "V3": (0.0, 0.90, -0.80, 0.45),
    "V4": (-0.05, 1.50, -0.40, 0.40),
    "V5": (-0.10, 1.40, -0.20, 0.35),
    "V6": (-0.10, 1.10, -0.10, 0.30),
}


def measured(missing: dict[str, str] | None = None, **changes: float) -> Measurements:
    """Measurements of a normal heart; ``V1__r_mv=2`` changes V1.r_mv, ``missing`` gives reasons."""
    numbers = _OVERALL | {
        f"{lead}.{name}": number for lead in LEADS for name, number in _lead(lead).items()
    }
    assert set(_OVERALL) == set(OVERALL_NAMES)
    named = {name.replace("__", "."): number for name, number in changes.items()}
    assert set(named) | set(missing or {}) <= set(numbers), "a name that is not measured"
    numbers |= named
    reasons = missing or {}
    places = {name: (100.0 * at, 100.0 * at + 50) for at, name in enumerate(numbers)}

    def value(name: str) -> Value:
        unit = unit_of(name.rpartition(".")[2])
        if name in reasons:
            return Value(None, unit, reasons[name])
        return Value(numbers[name], unit, None, *places[name])

    return Measurements(
        overall={name: value(name) for name in OVERALL_NAMES},
        leads={lead: {name: value(f"{lead}.{name}") for name in LEAD_NAMES} for lead in LEADS},
    )


def _lead(lead: str) -> dict[str, float]:
    q, r, s, t = _WAVES[lead]
    numbers = dict.fromkeys(LEAD_NAMES, 0.0)
    numbers |= {"q_mv": q, "r_mv": r, "s_mv": s, "t_mv": t}
    numbers |= {"q_ms": 15.0 if q else 0.0, "r_ms": 40.0, "s_ms": 30.0 if s else 0.0}
    numbers |= {"qrs_pp_mv": r - min(q, s), "qrs_net_mv": r + min(q, s), "intrinsicoid_ms": 38.0}
    numbers |= {"p_mv": 0.12, "p_ms": 95.0, "t_ms": 160.0, "j_mv": 0.02, "j60_mv": 0.03}
    return numbers | {"j80_mv": 0.04, "st_slope_mv": 0.02}
