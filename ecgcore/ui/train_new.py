"""A new run: choices on the left, every option in the middle, what it comes to on the right."""

from __future__ import annotations

from typing import Any

import streamlit as st

from ecgcore.datasets.data_facts import DataFacts
from ecgcore.review.people import Forbidden, require
from ecgcore.review.values import ReviewError
from ecgcore.training.draft import draft_of_options, draft_of_recipe
from ecgcore.training.recipes import recipes
from ecgcore.ui import label_services, train_data
from ecgcore.ui.markdown import plain
from ecgcore.ui.train_choices import show_choices, show_seen
from ecgcore.ui.train_options import DRAFT, draft, put, show_options
from ecgcore.ui.train_search import chosen_search, put_search, show_search
from ecgcore.ui.train_style import dress_train
from ecgcore.ui.train_summary import chosen_facts, show_summary

REPEAT = "train-repeat"
FIRST_RECIPE = "inception"


def show_new(person: str) -> None:
    """The whole view. ``REPEAT`` in the session is an order to begin from, as JSON."""
    dress_train()
    _begin()
    forbidden = _forbidden(person)
    with st.container(key="train-new"):
        left, middle, right = st.columns((1.05, 2.1, 1.0), gap="medium")
    with left:
        show_choices(person, forbidden is None)
    facts, search = chosen_facts(), chosen_search()
    with middle, st.container(key="train-options"):
        known = facts if isinstance(facts, DataFacts) else None
        show_seen(known)
        _counts(known)
        show_search()
        show_options(frozenset(search["space"] if search is not None else ()))
    with right, st.container(key="train-summary"):
        show_summary(person, facts, search, forbidden)


def _begin() -> None:
    """A draft to work on: an earlier run's, or a recipe with what data there are."""
    repeated = st.session_state.pop(REPEAT, None)
    if repeated is not None:
        _repeat(repeated)
    if DRAFT not in st.session_state:
        name = FIRST_RECIPE if FIRST_RECIPE in recipes() else next(iter(recipes()))
        put(draft_of_recipe(name), anew=True)


def _repeat(order: dict[str, Any]) -> None:
    try:
        earlier = draft_of_options(
            order["options"], recipe_name=_known(order.get("recipe")),
            data=tuple(order.get("data", ())), snapshot=order.get("snapshot"), name=order["name"],
        )  # fmt: skip
        put_search(order.get("search"))
    except (ValueError, KeyError, TypeError) as error:
        st.warning(f"The options of that run cannot be repeated: {plain(str(error))}")
        return
    put(earlier, anew=True)
    st.session_state["train-name"] = order["name"]
    st.session_state["train-data-files"] = list(draft().data)


def _known(name: str | None) -> str | None:
    return name if name in recipes() else None


def _forbidden(person: str) -> str | None:
    """Why this person may not start a run, None where they may."""
    try:
        require(person, label_services.store().role_of(person), "train")
    except (Forbidden, ReviewError) as error:
        return f"{error}."
    return None


def _counts(facts: DataFacts | None) -> None:
    if facts is None:
        return
    with st.expander("Recordings with each label, by fold"):
        now = draft()
        names = "+".join(n for n in now.value("label_set").split("+") if n in facts.codes)
        if names:
            train_data.show_counts(
                facts, names, now.value("train_folds"), now.value("validation_folds")
            )
        train_data.show_left_out(facts)
