"""Criteria and measured values in words and numbers that a reader can check."""

from __future__ import annotations

from ecgcore.rules.expression import (
    BOUND,
    Absolute,
    Age,
    Chosen,
    Combined,
    Counted,
    Extreme,
    ExtremeOverLeads,
    Measured,
    Number,
    Quantity,
    ThresholdName,
)

_OVERALL_WORDS = {
    "rate_bpm": "ventricular rate",
    "atrial_rate_bpm": "atrial rate",
    "rr_ms": "RR interval",
    "rr_sd_ms": "SD of RR",
    "rr_min_ms": "shortest RR",
    "rr_max_ms": "longest RR",
    "rr_irregularity": "RR irregularity",
    "pp_ms": "PP interval",
    "pp_sd_ms": "SD of PP",
    "p_ms": "P duration",
    "pr_ms": "PR interval",
    "qrs_ms": "QRS duration",
    "qt_ms": "QT interval",
    "qtc_bazett_ms": "QTc (Bazett)",
    "qtc_fridericia_ms": "QTc (Fridericia)",
    "qtc_framingham_ms": "QTc (Framingham)",
    "qtc_hodges_ms": "QTc (Hodges)",
    "p_axis_deg": "P axis",
    "qrs_axis_deg": "QRS axis",
    "t_axis_deg": "T axis",
    "beats": "beats",
    "p_share": "share of beats with a P wave",
    "p_per_qrs": "P waves per QRS",
    "ventricular_ectopics": "ventricular ectopic beats",
    "atrial_ectopics": "atrial ectopic beats",
    "paced_beats": "paced beats",
    "sinus_p": "P upright in II and inverted in aVR",
    "delta_ms": "delta wave",
}
_LEAD_WORDS = {
    "p_mv": "P",
    "p_neg_mv": "negative P",
    "p_ms": "P duration",
    "p_terminal_mvms": "P terminal force",
    "q_mv": "Q",
    "q_ms": "Q duration",
    "r_mv": "R",
    "r_ms": "R duration",
    "s_mv": "S",
    "s_ms": "S duration",
    "r2_mv": "R'",
    "r2_ms": "R' duration",
    "s2_mv": "S'",
    "s2_ms": "S' duration",
    "qrs_net_mv": "net QRS",
    "qrs_pp_mv": "QRS peak to peak",
    "qrs_area_mvms": "QRS area",
    "intrinsicoid_ms": "R peak time",
    "j_mv": "J point",
    "j60_mv": "J+60 ms",
    "j80_mv": "J+80 ms",
    "st_slope_mv": "ST slope",
    "t_mv": "T",
    "t_neg_mv": "negative T",
    "t_ms": "T duration",
    "qs": "QS complex",
    "notched_r": "notched R",
}
_DIGITS = {"mV": 2, "ms": 0, "deg": 0, "1/min": 0, "years": 0, "mV ms": 1}


def measurement_words(name: str, lead: str | None) -> str:
    """What a measurement is called: ``r_mv`` in V5 is "V5 R"."""
    if lead is None:
        return _OVERALL_WORDS.get(name, name)
    return f"{lead} {_LEAD_WORDS.get(name, name)}"


def amount_words(number: float, unit: str, beside: float | None = None) -> str:
    """A number with its unit, in so many digits that it is told from the number ``beside`` it."""
    digits = _DIGITS.get(unit, 2)
    while beside is not None and digits < 6 and number != beside:
        if f"{number:.{digits}f}" != f"{beside:.{digits}f}":
            break
        digits += 1
    text = f"{number:.{digits}f}"
    if unit in ("", "deg", "1/min", "years") and "." in text:
        text = text.rstrip("0").rstrip(".")
    text = text.replace("-", "\N{MINUS SIGN}") if float(text) else text.lstrip("-")
    shown = {"deg": "°", "": ""}.get(unit, f" {unit}")
    return f"{text}{shown}"


def quantity_words(part: Quantity, lead: str | None) -> str:  # noqa: PLR0911  one case each
    """A quantity as a formula of its measurements, ``lead`` put in for the lead in turn."""
    match part:
        case Measured(lead=of, name=name):
            return measurement_words(name, lead if of == BOUND else of)
        case Number(number=number):
            return f"{number:g}"
        case ThresholdName(name=name):
            return name
        case Age():
            return "age"
        case Absolute(part=inner):
            return f"|{quantity_words(inner, lead)}|"
        case Combined(operator="*", left=Number(number=-1.0), right=right):
            return f"\N{MINUS SIGN}{_bracketed(right, lead)}"
        case Combined(operator=operator, left=left, right=right):
            sign = {"*": "×", "-": "\N{MINUS SIGN}"}.get(operator, operator)
            return f"{_bracketed(left, lead)} {sign} {_bracketed(right, lead)}"
        case Extreme(function=function, parts=parts):
            return f"{function} of {', '.join(quantity_words(one, lead) for one in parts)}"
        case ExtremeOverLeads(function=function, part=inner, leads=leads):
            return f"{function} over {_leads(leads)} of {quantity_words(inner, 'lead')}"
        case Counted(leads=leads):
            return f"number of leads of {_leads(leads)}"
        case Chosen(yes=yes, no=no):
            return f"{quantity_words(yes, lead)} or {quantity_words(no, lead)}"


def _leads(leads: tuple[str, ...]) -> str:
    return ", ".join(leads) if len(leads) <= 6 else f"{len(leads)} leads"


def _bracketed(part: Quantity, lead: str | None) -> str:
    text = quantity_words(part, lead)
    return f"({text})" if isinstance(part, Combined) and part.operator in "+-" else text
