"""How far the gathering of evidence is, on the page while it goes on beside it."""

from __future__ import annotations

import streamlit as st

from ecgcore.ui import label_services
from ecgcore.ui.markdown import plain

_EVERY_SECONDS = 1.0
_WIDTH = 640
"""In pixels: beside the name, so that nothing moves when it comes and goes."""
_WATCHED = "label-gathering-watched"


def is_gathering() -> bool:
    """Whether evidence is being gathered now."""
    found = label_services.gatherer().progress()
    return found is not None and found.running


def show_gathering() -> None:
    """The progress of a gathering, and why the last one ended early, if it did."""
    found = label_services.gatherer().progress()
    if found is None:
        return
    if found.running:
        st.session_state[_WATCHED] = True
        _show_progress()
    elif found.trouble:
        st.error(plain(found.trouble))
    elif st.session_state.pop(_WATCHED, False):
        st.toast(
            f"{found.done} of {found.asked} recordings looked at. Sort anew to see the "
            "most suspicious first."
        )


@st.fragment(run_every=_EVERY_SECONDS)
def _show_progress() -> None:
    """Drawn again every second; when it has ended, the page is."""
    found = label_services.gatherer().progress()
    if found is None or not found.running:
        st.rerun()
    with st.container(
        horizontal=True, vertical_alignment="center", key="label-gathering", width=_WIDTH
    ):
        st.progress(
            found.done / max(found.asked, 1),
            text=f"Looking for suspicious labels: {found.done} of {found.asked} recordings. It "
            "goes on when you leave this page.",
        )
        st.button("Stop", key="label-gathering-stop", on_click=label_services.gatherer().stop)
