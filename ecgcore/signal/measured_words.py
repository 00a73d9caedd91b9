"""How measured values are printed: their names, units and digits, on the page and on paper."""

from __future__ import annotations

HEADLINE = {
    "rate_bpm": "Rate",
    "pr_ms": "PR",
    "qrs_ms": "QRS",
    "qt_ms": "QT",
    "qtc_bazett_ms": "QTc Bazett",
    "qtc_fridericia_ms": "Fridericia",
    "qtc_framingham_ms": "Framingham",
    "qtc_hodges_ms": "Hodges",
    "p_axis_deg": "P axis",
    "qrs_axis_deg": "QRS axis",
    "t_axis_deg": "T axis",
}
"""What an electrocardiograph prints of the whole recording."""
STATED_AS = {"qtc_bazett_ms": "qtc_ms"}
"""A file names no formula for its QTc; carts print Bazett's unless they say otherwise."""
UNITS = {"deg": "°", "1/min": "/min"}
"""As units are printed, where plain ASCII is not enough."""
DIGITS = {"ms": 0, "deg": 0, "1/min": 0, "mV": 2, "mV ms": 1, "": 2}


def amount(number: float, unit: str) -> str:
    """A number in its unit, such as "162 ms"."""
    shown = round(number, DIGITS.get(unit, 2)) + 0.0  # no minus nought
    printed = f"{shown:.{DIGITS.get(unit, 2)}f}".replace("-", "−")
    return f"{printed}{UNITS.get(unit, f' {unit}')}".strip()
