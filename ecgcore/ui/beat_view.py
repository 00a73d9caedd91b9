"""The median beat below the paper: large, one lead or all superimposed, with the global marks."""

from __future__ import annotations

import streamlit as st

from ecgcore.drawing.median_beat import draw_median_beat
from ecgcore.recording import Recording
from ecgcore.signal.delineation import Method
from ecgcore.signal.delineation.waves import Wave
from ecgcore.signal.intervals import UsualBeat
from ecgcore.ui import readings
from ecgcore.ui.paper_view import finish_pandas
from ecgcore.ui.style import of

_ALL = "All leads"


def show_median_beat(recording: Recording, method: Method, dark: bool) -> None:
    """The median beat with its choice of leads; a sentence where there are no beats."""
    beat, usual = readings.median_beat(recording, method), readings.usual_beat(recording, method)
    if beat is None or usual is None:
        st.html('<div class="lightbox-none">No beats were found: there is no median beat.</div>')
        return
    chosen: str | None = st.segmented_control(
        "Leads of the median beat",
        (_ALL, *beat.leads),
        default=_ALL,
        required=True,
        key="beat-leads",
        persist_state="session",
        label_visibility="collapsed",
    )
    leads = (chosen,) if chosen in beat.leads and chosen is not None else beat.leads
    finish_pandas()
    figure = draw_median_beat(beat, leads, _marks(usual, beat.sampling_rate), recording, dark=dark)
    st.plotly_chart(
        figure,
        theme=None,
        width=int(figure.layout.width),
        height=int(figure.layout.height),
        key=f"median-beat-{of(recording)}",
        config={"displayModeBar": False},
        alt=f"Median beat of {recording.record_id}, {', '.join(leads)}",
    )


def _marks(usual: UsualBeat, rate: float) -> dict[tuple[Wave, str], float]:
    """The global onsets and offsets in s from the beat's position."""
    found: dict[tuple[Wave, str], float] = {}
    for wave, (onset, offset) in usual.borders.items():
        if wave != "T":  # where T begins in the ST segment is not measured
            found[(wave, "onset")] = onset / rate
        found[(wave, "offset")] = offset / rate
    return found
