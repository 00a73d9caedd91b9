"""Models: what each is, how good, its thresholds, two side by side, on or off the review page."""

import streamlit as st

from ecgcore.models.card import CardError
from ecgcore.ui import model_services, style
from ecgcore.ui.model_open import show_models
from ecgcore.ui.model_setting import say_what_was_done
from ecgcore.ui.model_shelf_view import show_bringing_in
from ecgcore.ui.model_side_by_side import show_side_by_side
from ecgcore.ui.reviewer import reviewer

VIEWS = ("Models", "Side by side", "Bring in a model")

style.dress_page()
visitor = model_services.visitor(reviewer())
view = st.segmented_control(
    "View",
    VIEWS,
    default=VIEWS[0],
    required=True,
    key="models-view",
    persist_state="session",
    label_visibility="collapsed",
)
if visitor.trouble:
    st.warning(visitor.trouble)
say_what_was_done()
try:
    models = model_services.models()
except CardError as error:
    st.error(str(error))
    st.stop()
if view == "Bring in a model":
    show_bringing_in(visitor)
elif not models:
    st.info("No model yet. Train one, or bring one in.")
elif view == "Side by side":
    show_side_by_side(models)
else:
    show_models(models, visitor)
