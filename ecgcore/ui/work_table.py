"""The table of the work list: one row a recording, a click opens it."""

from __future__ import annotations

import streamlit as st

from ecgcore.ui.navigation import open_review
from ecgcore.workspace import Entry

_HEIGHT = 560
_ORIGIN = {"demo": "Demo", "imported": "Imported", "simulated": "Simulated"}
_STATE = {"read": "", "refused": "refused: open to see why", "unstated": "needs rate and unit"}


def show_table(entries: tuple[Entry, ...]) -> None:
    """Draw the table; a click on a row goes to its review."""
    generation: int = st.session_state.setdefault("table", 0)
    chosen = st.dataframe(
        _columns(entries),
        height=min(_HEIGHT, 38 + 36 * len(entries)),
        row_height=36,
        hide_index=True,
        on_select="rerun",
        selection_mode="single-cell",
        key=f"table-{generation}",
        column_config={
            "Recording": st.column_config.TextColumn(width=250),
            "From": st.column_config.TextColumn(width=100),
            "Leads": st.column_config.NumberColumn(width=65),
            "Rate, Hz": st.column_config.NumberColumn(format="%g", width=80),
            "Length, s": st.column_config.NumberColumn(format="%.1f", width=85),
            "Remarks": st.column_config.NumberColumn(width=80),
            "State": st.column_config.TextColumn(width=160),
        },
        placeholder="",
        alt="Recordings of the work list",
    )
    rows = [cell[0] for cell in chosen.selection.cells]
    if rows and rows[0] < len(entries):
        # A new key leaves no row chosen when the reader comes back to the list.
        st.session_state["table"] = generation + 1
        open_review(entries[rows[0]])


def _columns(entries: tuple[Entry, ...]) -> dict[str, list[str | int | float | None]]:
    columns: dict[str, list[str | int | float | None]] = {
        name: []
        for name in (
            "Recording",
            "From",
            "Format",
            "Leads",
            "Rate, Hz",
            "Length, s",
            "Remarks",
            "State",
        )
    }
    for entry in entries:
        for column, value in zip(columns.values(), _row(entry), strict=True):
            column.append(value)
    return columns


def _row(entry: Entry) -> tuple[str | int | float | None, ...]:
    origin = _ORIGIN.get(entry.origin, entry.path.parent.name)
    summary = entry.summary
    if summary is None:
        return (entry.name, origin, "", None, None, None, None, "not read yet")
    if summary.state != "read":
        return (entry.name, origin, "", None, None, None, None, _STATE[summary.state])
    return (
        entry.name,
        origin,
        summary.format,
        summary.leads,
        summary.sampling_rate,
        summary.seconds,
        summary.warnings,
        "",
    )
