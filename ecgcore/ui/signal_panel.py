"""What our own signal analysis shows on the review page: headline, rules, marks, median beat."""

from __future__ import annotations

import streamlit as st

from ecgcore.drawing.paper import PaperOptions
from ecgcore.explain.explanation import Explanation
from ecgcore.recording import Recording
from ecgcore.signal.delineation import DEFAULT_METHOD, Method
from ecgcore.ui import beat_view, head, measured_view, readings, rules_panel, waves_control
from ecgcore.ui.paper_view import Marked
from ecgcore.ui.places import highlights

_BELOW = ("Measurements", "Median beat", "On file")


def _method() -> Method:
    """The chosen method of delineation, before its control is drawn."""
    return st.session_state.get("delineation") or DEFAULT_METHOD


def marked(recording: Recording, options: PaperOptions, explanation: Explanation | None) -> Marked:
    """What is to be drawn besides the trace."""
    method = _method()
    finding = rules_panel.chosen_finding(recording, method)
    return Marked(
        explanation,
        highlights(finding, recording, readings.beats(recording, method), options)
        if finding
        else (),
        waves_control.wave_view(recording, method),
    )


def show_rules(recording: Recording) -> None:
    """The rules of the chosen set."""
    criteria = rules_panel.chosen_criteria()
    rules_panel.show_rules(recording, _method(), criteria)


def show_below(recording: Recording, options: PaperOptions) -> None:
    """Below the paper: rate, intervals and axes; wave marks; then one of three views."""
    measured_view.show_headline(recording, _method())
    with st.container(horizontal=True, key="below-controls", gap="small"):
        chosen: str | None = st.segmented_control(
            "Below the paper",
            _BELOW,
            default=_BELOW[0],
            required=True,
            key="below-paper",
            persist_state="session",
        )
        waves_control.choose_marks()
    if chosen == "Median beat":
        beat_view.show_median_beat(recording, _method(), options.dark)
    elif chosen == "On file":
        head.show_file_facts(recording)
    else:
        measured_view.show_matrix(recording, _method())
