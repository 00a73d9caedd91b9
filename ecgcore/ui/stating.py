"""Refusals as sentences, and the question for a rate and a unit that a file does not state."""

from __future__ import annotations

import streamlit as st

from ecgcore.readers.stated import Stated, UnstatedError
from ecgcore.recording import Recording, RecordingError
from ecgcore.ui import services
from ecgcore.workspace import Entry

UNITS = ("mV", "uV", "V")


def show_refusal(name: str, refusal: RecordingError) -> None:
    """Why a file is not shown: what was given, what is allowed, what to do."""
    st.error(f"**{name}** was not read. {refusal}", icon=":material/block:")


def ask_to_state(entry: Entry, refusal: RecordingError) -> None:
    """The refusal of a recording; if it only lacks rate or unit, ask and read it again."""
    workspace = services.workspace()
    if isinstance(refusal, UnstatedError):
        st.warning(
            f"**{entry.name}** cannot be shown yet: {refusal.given}.", icon=":material/help:"
        )
    else:
        show_refusal(entry.name, refusal)
        if workspace.stated(entry) is None:
            return
    stated = state_form(f"state-{entry.key}")
    if stated is not None:
        workspace.state(entry, stated)
        st.rerun()


def offer_to_restate(entry: Entry, recording: Recording) -> None:
    """What was stated of the open recording, and the form that puts it right."""
    told = recording.source.stated
    if not told:
        return
    with st.popover(f"Stated: {told.replace('u', 'µ')}", icon=":material/edit:"):
        stated = state_form(f"restate-{entry.key}")
    if stated is not None:
        services.workspace().state(entry, stated)
        st.rerun()


def state_form(key: str) -> Stated | None:
    """Ask for rate and unit; the answer once it is given."""
    with st.form(key, border=True, width=480):
        st.markdown(
            "State what the file does not say. A wrong number gives wrong voltages and times."
        )
        rate = st.number_input(
            "Sampling rate, Hz", min_value=50.0, max_value=20_000.0, value=None, step=1.0
        )
        unit = st.selectbox(
            "Unit of the numbers",
            UNITS,
            index=None,
            format_func=lambda name: name.replace("u", "µ"),
            placeholder="Choose the unit",
        )
        asked = st.form_submit_button("Read with these", type="primary")
    if asked and (rate is None or unit is None):
        st.warning("Give both the sampling rate and the unit.")
        return None
    return Stated(rate, unit) if asked else None
