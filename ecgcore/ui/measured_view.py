"""What was measured: a headline as a cart prints it, and the matrix of all leads."""

from __future__ import annotations

from html import escape

import streamlit as st

from ecgcore.recording import Recording
from ecgcore.signal.delineation import Method
from ecgcore.signal.measured import Measurements, Value
from ecgcore.signal.measured_words import HEADLINE, STATED_AS, UNITS
from ecgcore.ui import readings
from ecgcore.ui.style import of

_ROWS = {
    "p_mv": "P",
    "p_neg_mv": "P, negative part",
    "q_mv": "Q",
    "r_mv": "R",
    "s_mv": "S",
    "r2_mv": "R′",
    "s2_mv": "S′",
    "j_mv": "J",
    "j60_mv": "J + 60 ms",
    "t_mv": "T",
    "p_ms": "P",
    "q_ms": "Q",
    "r_ms": "R",
    "s_ms": "S",
    "r2_ms": "R′",
    "t_ms": "T",
    "intrinsicoid_ms": "to the R peak",
}


def show_headline(recording: Recording, method: Method) -> None:
    """Rate, intervals and axes, each with what the file states for it."""
    measured = readings.measurements(recording, method)
    stated = {one.name: one.number for one in recording.measurements}
    cells = "".join(
        _cell(title, measured.overall[name], stated.get(STATED_AS.get(name, name)))
        for name, title in HEADLINE.items()
    )
    note = " ".join(measured.warnings)
    st.html(
        f'<div class="lightbox-headline {of(recording)}">{cells}</div>'
        f'<div class="lightbox-small {of(recording)}">{escape(note)}</div>'
    )


def _cell(title: str, value: Value, stated: float | None) -> str:
    unit = UNITS.get(value.unit, f" {value.unit}")
    number = "N/A" if value.number is None else f"{value.number:.0f}{unit}"
    on_file = "" if stated is None else f"<i>file: {stated:.0f}{unit}</i>"
    why = escape(value.reason or "", quote=True)
    return f'<div title="{why}"><span>{escape(title)}</span><b>{number}</b>{on_file}</div>'


def show_matrix(recording: Recording, method: Method) -> None:
    """Amplitudes in mV and durations in ms, lead by lead, on the median beat."""
    measured = readings.measurements(recording, method)
    if not measured.leads:
        st.html('<div class="lightbox-none">No lead could be measured.</div>')
        return
    doubted = readings.doubted_leads(recording)
    heads = "".join(
        f'<th class="doubted" title="not fit to read">{lead} ⚠</th>'
        if lead in doubted
        else f"<th>{lead}</th>"
        for lead in measured.leads
    )
    rows = ""
    for unit, names in (
        ("mV", [n for n in _ROWS if n.endswith("mv")]),
        ("ms", [n for n in _ROWS if n.endswith("ms")]),
    ):
        rows += f'<tr class="unit"><th>{unit}</th>{heads}</tr>'
        rows += "".join(_row(name, measured, unit) for name in names)
    reasons = dict.fromkeys(
        value.reason
        for lead in measured.leads.values()
        for name, value in lead.items()
        if name in _ROWS and value.reason
    )
    notes = "; ".join(escape(reason) for reason in reasons if reason)
    st.html(
        f'<div class="lightbox-matrix {of(recording)}"><table>{rows}</table></div>'
        f'<div class="lightbox-small {of(recording)}">{notes}</div>'
    )


def _row(name: str, measured: Measurements, unit: str) -> str:
    cells = ""
    for values in measured.leads.values():
        value = values[name]
        if value.number is None:
            cells += f'<td title="{escape(value.reason or "", quote=True)}">N/A</td>'
        else:
            # Adding 0 turns a rounded minus nought into nought.
            rounded = round(value.number, 2 if unit == "mV" else 0) + 0.0
            text = f"{rounded:.2f}" if unit == "mV" else f"{rounded:.0f}"
            text = text.replace("-", "−")
            absent = value.number == 0 and not name.startswith("j")
            cells += f"<td>{'·' if absent else text}</td>"
    return f"<tr><th>{_ROWS[name]}</th>{cells}</tr>"
