"""Which recording is open, and the way to its neighbours in the work list; which run is open.

The open recording stands in the page's address by its key, so that a reload, a bookmark or a second
window show it again. The order is the work list's, as the reader last filtered it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from ecgcore.ui import services
from ecgcore.workspace import Entry, Listing

REVIEW_PAGE = "pages/review.py"
WORK_LIST_PAGE = "pages/worklist.py"
TRAIN_PAGE = "pages/train.py"
PARAMETER = "recording"

OPEN_RUN, TRAIN_VIEW, RUNS = "train-open", "train-view", "Runs"
"""Session state of the Train page: the run that is open, and the view; and the view of runs."""


@dataclass(frozen=True)
class Position:
    """The open recording among its neighbours; ``number`` counts from 1 of ``total``."""

    entry: Entry
    previous: Entry | None
    following: Entry | None
    number: int
    total: int


def remember_order(entries: tuple[Entry, ...]) -> None:
    """Keep the work list's order for leafing; only recordings that can be opened."""
    st.session_state["order"] = entries


def choose_run(run_id: str) -> None:
    """The Train page shows this run when it is next looked at."""
    st.session_state[OPEN_RUN], st.session_state[TRAIN_VIEW] = run_id, RUNS


def open_review(entry: Entry) -> None:
    """Go to the review page of a recording."""
    st.session_state["opened"] = entry.key
    st.switch_page(REVIEW_PAGE, query_params={PARAMETER: entry.key})


def position() -> Position | None:
    """The open recording and its neighbours, or None when none is open."""
    key = st.query_params.get(PARAMETER) or st.session_state.get("opened")
    if not key:
        return None
    order: tuple[Entry, ...] = st.session_state.get("order", ())
    if all(entry.key != key for entry in order):
        order = in_reading_order(services.workspace().entries())
        remember_order(order)
    at = next((i for i, entry in enumerate(order) if entry.key == key), None)
    if at is None:
        return None
    st.session_state["opened"] = key
    if st.query_params.get(PARAMETER) != key:
        st.query_params[PARAMETER] = key
    return Position(
        entry=order[at],
        previous=order[at - 1] if at > 0 else None,
        following=order[at + 1] if at + 1 < len(order) else None,
        number=at + 1,
        total=len(order),
    )


def _go(key: str) -> None:
    st.session_state["opened"] = key
    st.query_params[PARAMETER] = key


def follow(entry: Entry) -> None:
    """Within a fragment that shows ``entry``: draw the whole page anew if another one was opened.

    Streamlit sends clicks that come at once as one, and where one of them is in a fragment it runs
    that alone: the leafing button's callback has then opened another recording, and the page
    around the fragment would go on showing this one.
    """
    if st.session_state.get("opened") != entry.key:
        st.rerun(scope="app")


def leaf_buttons(here: Position) -> None:
    """Previous (K) and next (J), always in the same place."""
    with st.container(
        horizontal=True, width="content", gap="small", vertical_alignment="center", key="leaf"
    ):
        for name, entry, shortcut in (
            ("Previous", here.previous, "K"),
            ("Next", here.following, "J"),
        ):
            st.button(
                name,
                key=f"leaf-{name.lower()}",
                shortcut=shortcut,
                disabled=entry is None,
                on_click=_go,
                args=(entry.key if entry else "",),
            )


def listing_with(listing: Listing, text: str) -> tuple[Entry, ...]:
    """The entries whose name or folder contains a text, upper or lower case alike."""
    wanted = text.strip().casefold()
    return in_reading_order(
        tuple(
            entry
            for entry in listing.entries
            if wanted in entry.name.casefold() or wanted in str(entry.path.parent).casefold()
        )
    )


def in_reading_order(entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
    """The demo, the imported ones, then folder by folder; in each by name, 9 before 10."""
    groups: dict[tuple[str, Path | None], int] = {}
    for entry in entries:
        groups.setdefault(_group(entry), len(groups))
    return tuple(sorted(entries, key=lambda entry: (groups[_group(entry)], _by_number(entry.name))))


def _group(entry: Entry) -> tuple[str, Path | None]:
    # Each imported recording lies in a folder of its own, named by its content.
    return entry.origin, entry.path.parent if entry.origin == "folder" else None


def _by_number(name: str) -> list[tuple[int, int, str]]:
    """A sorting key that takes runs of digits as numbers."""
    return [
        (0, int(part), "") if part.isdecimal() else (1, 0, part)
        for part in re.split(r"(\d+)", name.casefold())
        if part
    ]
