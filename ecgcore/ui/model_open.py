"""The open model: its name, what can be done with it, and the parts of its card."""

from __future__ import annotations

from html import escape

import streamlit as st

from ecgcore.explain.topography import has_topography
from ecgcore.model_shelf import ShelfModel
from ecgcore.models.card import CardError
from ecgcore.ui import model_services
from ecgcore.ui.markdown import plain
from ecgcore.ui.model_card_view import show_card
from ecgcore.ui.model_filters import show_filters
from ecgcore.ui.model_list import choose_model, show_table, shown_words
from ecgcore.ui.model_scores import show_scores
from ecgcore.ui.model_services import Visitor
from ecgcore.ui.model_shelf_view import show_actions

_CARD, _SCORES, _FILTERS = "Card", "Curves and thresholds", "Filters and leads"


def show_models(models: tuple[ShelfModel, ...], visitor: Visitor) -> None:
    """The table, and the model that is open."""
    show_table(models)
    head = st.container(
        horizontal=True, vertical_alignment="center", gap="medium", key="model-head"
    )
    below = st.container(key="model-refused")
    with head:
        model = choose_model(models)
        st.html(
            f'<div class="lightbox-small model-state">On the review page: '
            f"{escape(shown_words(model))}</div>",
            width="content",
        )
        show_actions(model, visitor, below)
    if model.card is None:
        st.error(plain(model.trouble))
        return
    parts = [_CARD, _SCORES, *([_FILTERS] if has_topography(model.card) else [])]
    part = st.segmented_control(
        "Part of the card",
        parts,
        default=_CARD,
        required=True,
        key=f"model-part-{len(parts)}",
        persist_state="session",
        label_visibility="collapsed",
    )
    if part == _SCORES:
        show_scores(model, model.card, visitor)
    elif part == _FILTERS:
        show_filters(model)
    else:
        try:
            chosen = model_services.chosen(model)
        except CardError as error:
            st.error(plain(str(error)))
            chosen = ()
        show_card(model.card, chosen)
