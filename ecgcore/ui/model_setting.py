"""Setting the threshold of a label for the review page, and going back to the card's."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from ecgcore.model_shelf import ShelfModel
from ecgcore.model_thresholds import back_to_card, set_threshold
from ecgcore.models.card import CardError, LabelCard
from ecgcore.models.chosen_thresholds import ChosenThreshold, origin_of
from ecgcore.review.people import Forbidden
from ecgcore.review.values import ReviewError
from ecgcore.ui import label_services
from ecgcore.ui.markdown import plain
from ecgcore.ui.model_services import Visitor

_SAID = "model-said"
OPEN_NEXT = "model-open-next"
"""The model to open when the page is drawn anew."""


def offer_setting(
    model: ShelfModel,
    label: LabelCard,
    own: ChosenThreshold | None,
    value: float,
    visitor: Visitor,
) -> None:
    """The two buttons, for whoever may; else why not."""
    holds = own.value if own is not None else label.threshold
    st.html(f'<div class="lightbox-small">{escape(_origin(label, own))}</div>')
    if model.origin == "run" or not model.shown:
        st.caption("Publish the model to set thresholds for the review page.")
        return
    if not visitor.may("set thresholds"):
        st.caption(f"Your role is {visitor.role}; thresholds are set by an administrator.")
        return
    store = label_services.store()
    with st.container(horizontal=True, gap="small"):
        if st.button(
            f"Use {value:.3f} on the review page",
            type="primary",
            disabled=value == holds,
            key="threshold-set",
        ):
            done_and_said(
                lambda: set_threshold(
                    store, visitor.person, model.name, (label.set, label.code), value
                ),
                f"{label.code} is positive from {value:.3f} on, wherever this workspace asks "
                f"{model.name}.",
            )
        if own is not None and st.button("Back to the card’s", key="threshold-back"):
            done_and_said(
                lambda: back_to_card(store, visitor.person, model.name, (label.set, label.code)),
                f"{label.code} is judged by the card’s threshold again.",
            )


def _origin(label: LabelCard, own: ChosenThreshold | None) -> str:
    if own is None:
        return "In use: the card’s threshold."
    return f"In use: {origin_of(own, label.threshold)}."


def done_and_said(
    act: Callable[[], object],
    sentence: str,
    open_next: str = "",
    refused_in: DeltaGenerator | None = None,
) -> None:
    """Do what was asked, and draw the page anew with a sentence; or say why it was not done, in
    another place if one is given."""
    try:
        act()
    except (CardError, Forbidden, ReviewError, OSError) as error:
        (refused_in or st).error(plain(str(error)))
        return
    st.session_state[_SAID] = sentence
    if open_next:
        st.session_state[OPEN_NEXT] = open_next
    st.rerun()


def say_what_was_done() -> None:
    """The sentence of what was just done, once."""
    sentence = st.session_state.pop(_SAID, None)
    if sentence:
        st.toast(plain(sentence), icon=":material/check:")
