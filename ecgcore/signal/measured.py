"""Measured values: a number with its unit, or "N/A" with the reason. One flat set of names.

Names of the whole recording stand alone (``pr_ms``), those of a lead follow its name and a point
(``V1.r_mv``), so that a criterion, a table and the command line all ask by the same words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite


@dataclass(frozen=True)
class Value:
    """One measurement. ``number`` is None where nothing was measured, and ``reason`` says why.

    ``start`` and ``stop`` are the samples of the recording where it can be seen, if anywhere.
    """

    number: float | None
    unit: str
    reason: str | None = None
    start: float | None = None
    stop: float | None = None

    def __post_init__(self) -> None:
        if (self.number is None) == (self.reason is None):
            raise ValueError(f"either a number or a reason, not {self.number!r}, {self.reason!r}")
        if self.number is not None and not isfinite(self.number):
            raise ValueError(f"a measurement of {self.number!r} {self.unit}")


@dataclass(frozen=True)
class Measurements:
    """Everything measured on one recording.

    ``overall`` by name, see ``OVERALL_NAMES``; ``leads`` by lead, then by name, see ``LEAD_NAMES``.
    """

    overall: Mapping[str, Value]
    leads: Mapping[str, Mapping[str, Value]]
    warnings: tuple[str, ...] = ()

    def value(self, name: str) -> Value:
        """A value by its flat name (``qrs_ms``, ``V1.r_mv``). KeyError names what is known."""
        lead, _, inner = name.rpartition(".")
        known = self.leads.get(lead) if lead else self.overall
        if known is None and lead:
            return Value(None, unit_of(inner), f"lead {lead} was not recorded")
        if known is None or inner not in known:
            raise KeyError(f"no measurement {name!r}; known: {', '.join(known or ())}")
        return known[inner]


def unit_of(name: str) -> str:
    """The unit that a name ends in: ms, mV, degrees, beats a minute, or a bare number."""
    endings = {"ms": "ms", "mv": "mV", "deg": "deg", "bpm": "1/min", "mvms": "mV ms"}
    return endings.get(name.rpartition("_")[2], "")


# The whole recording. Times are of the dominant beat, by the CSE convention: from the earliest
# onset to the latest offset over the leads, outliers rejected.
OVERALL_NAMES: tuple[str, ...] = (
    "rate_bpm",  # ventricular, from the mean RR interval
    "atrial_rate_bpm",  # from the mean PP interval
    "rr_ms",
    "rr_sd_ms",
    "rr_min_ms",
    "rr_max_ms",
    "rr_irregularity",  # RMS of successive RR differences over the mean RR, ectopic beats left out
    "pp_ms",
    "pp_sd_ms",
    "p_ms",
    "pr_ms",
    "qrs_ms",
    "qt_ms",
    "qtc_bazett_ms",
    "qtc_fridericia_ms",
    "qtc_framingham_ms",
    "qtc_hodges_ms",
    "p_axis_deg",
    "qrs_axis_deg",
    "t_axis_deg",
    "beats",  # counted QRS complexes
    "p_share",  # share of beats with a P wave before them
    "p_per_qrs",  # P waves over QRS complexes
    "ventricular_ectopics",  # counted
    "atrial_ectopics",  # counted
    "paced_beats",  # counted
    "sinus_p",  # 1 if P is upright in II and inverted in aVR, else 0
    "delta_ms",  # duration of a slurred initial part of the QRS (pre-excitation), 0 if none
)
# One lead, on its median beat. Amplitudes are against the level just before the QRS (P: before
# the P); r2 and s2 are R' and S'. Q and S are stated as negative numbers, a wave that is not there
# is 0 mV and 0 ms, never N/A. A QS complex is a Q without R or S: its depth and duration are q_mv
# and q_ms, and qs is 1.
LEAD_NAMES: tuple[str, ...] = (
    "p_mv",  # highest positive part of P, 0 if it has none
    "p_neg_mv",  # deepest negative part of P (inverted, or biphasic in V1), 0 if it has none
    "p_ms",
    "p_terminal_mvms",  # depth times duration of the negative end of P, positive; 0 if none
    "q_mv",
    "q_ms",
    "r_mv",
    "r_ms",
    "s_mv",
    "s_ms",
    "r2_mv",
    "r2_ms",
    "s2_mv",
    "s2_ms",
    "qrs_net_mv",  # largest positive plus largest negative deflection of the QRS
    "qrs_pp_mv",  # from the deepest to the highest point of the QRS
    "qrs_area_mvms",
    "intrinsicoid_ms",  # QRS onset to the last R peak
    "j_mv",
    "j60_mv",
    "j80_mv",
    "st_slope_mv",  # j80 minus j
    "t_mv",  # the extreme of T, signed
    "t_neg_mv",  # deepest negative part of T (biphasic T)
    "t_ms",
    "qs",  # 1 if the QRS is one negative deflection without an R, else 0
    "notched_r",  # 1 if R is notched or slurred at its top, else 0
)
