"""Which wave marks the reader wants over the trace, and by which method."""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

import streamlit as st

from ecgcore.drawing.waves import WaveScope, WaveStyle, WaveView
from ecgcore.recording import Recording
from ecgcore.signal.delineation import Method
from ecgcore.ui import readings

_OFF = "off"
_STYLES = {_OFF: "No marks", "lines": "Lines", "bands": "Bands"}
_SCOPES: dict[str, str] = {"lead": "Per lead", "global": "Global"}
_METHODS = {"network": "Network", "gradient": "Gradient", "neurokit": "NeuroKit2"}


def choose_marks() -> None:
    """How marks are drawn, whose they are, and by which method everything is measured."""
    _choose("Wave marks", _STYLES, "wave-style")
    _choose("Marks of", _SCOPES, "wave-scope")
    _choose("Waves found by", _METHODS, "delineation")


def _choose(label: str, names: Mapping[str, str], key: str) -> None:
    st.segmented_control(
        label,
        tuple(names),
        default=next(iter(names)),
        required=True,
        format_func=lambda one: names[one],
        key=key,
        persist_state="session",
    )


def wave_view(recording: Recording, method: Method) -> WaveView | None:
    """The marks to draw; None where the reader wants none."""
    style = st.session_state.get("wave-style")
    styles: dict[str, WaveStyle] = {one: one for one in get_args(WaveStyle)}
    if style not in styles:
        return None
    scope: WaveScope = st.session_state.get("wave-scope") or "lead"
    return WaveView(readings.delineation(recording, method), styles[style], scope)
