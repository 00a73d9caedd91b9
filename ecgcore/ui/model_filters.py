"""What ECGencode's first layers listen to: frequencies by filter, leads by augmented lead."""

from __future__ import annotations

import streamlit as st

from ecgcore.explain.target import ExplanationError
from ecgcore.model_shelf import ShelfModel
from ecgcore.models.card import CardError
from ecgcore.ui import model_services, style
from ecgcore.ui.paper_view import finish_pandas


def show_filters(model: ShelfModel) -> None:
    """The frequency responses, and below them the torso."""
    from ecgcore.drawing.filter_response import draw_filter_responses
    from ecgcore.drawing.topography import draw_topography

    try:
        responses, leads = model_services.filters(model), model_services.topography(model)
    except (CardError, ExplanationError) as error:
        st.error(str(error))
        return
    finish_pandas()
    low, high = responses.band
    st.subheader("Temporal filters", anchor=False)
    st.caption(
        f"{len(responses.kernels)} filters along time, the same for every lead, at the network’s "
        f"{responses.sampling_rate:g} Hz. Shaded: the {low:g} to {high:g} Hz that its input holds; "
        "outside, a filter has nothing to let through."
    )
    st.plotly_chart(
        draw_filter_responses(responses, dark=style.dark()),
        theme=None,
        width="content",
        key="model-filters",
        config={"displayModeBar": False},
        alt="Gain of each temporal filter in dB over the frequency in Hz, by kernel length",
    )
    st.subheader("Leads", anchor=False)
    chosen: int = st.segmented_control(
        "Augmented lead of the network",
        range(leads.weights.shape[0]),
        default=0,
        required=True,
        format_func=lambda lead: str(lead + 1),
        key=f"model-augmented-{model.key}",
        persist_state="session",
    )
    st.plotly_chart(
        draw_topography(leads, chosen, style.dark()),
        theme=None,
        width="content",
        key="model-topography",
        config={"displayModeBar": False},
        alt=f"Weights of the leads in augmented lead {chosen + 1} on a torso",
    )
