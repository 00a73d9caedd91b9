"""Which recording of the queue is open, in an order that does not change under the reader."""

from __future__ import annotations

import time

import streamlit as st

from ecgcore.label_queue import ORDERS, PARTS, Order, Part, ordered
from ecgcore.labels import statements
from ecgcore.ui.label_picker import describe
from ecgcore.ui.label_services import Work

_AT, _ORDER, _SINCE, _ASKED = "label-at", "label-order", "label-since", "label-asked"
_COMPLAINT, _FROM, _KNOWN = "label-complaint", "label-from", "label-known"
_PART_NAMES = {"to do": "To do", "disputed": "Disputed", "decided": "Decided", "all": "All"}


def choose(work: Work) -> tuple[str, ...]:
    """The row of filters; answers the queue, which stays as it is until a filter changes."""
    with st.container(horizontal=True, key="label-filters", vertical_alignment="bottom"):
        part: Part = st.segmented_control(
            "Show", PARTS, default=PARTS[0], required=True, key="label-part",
            format_func=lambda name: _PART_NAMES[name], persist_state="session",
        )  # fmt: skip
        order: Order = st.selectbox(
            "Order", _orders(work), key="label-sort", persist_state="session", width=190,
            format_func=str.capitalize,
        )  # fmt: skip
        label: str | None = st.selectbox(
            "Label", [one.code for one in statements()], index=None, key="label-label",
            placeholder="Any label", format_func=describe, persist_state="session", width=260,
        )  # fmt: skip
        st.toggle(
            "Blind", key="label-blind", persist_state="session", on_change=forget_complaint,
            help="Read first: labels on file and evidence are shown after your answer; both "
            "answers are kept.",
        )  # fmt: skip
        _offer_sorting(work)
    asked = (part, order, label, len(work.items))
    if st.session_state.get(_ASKED) != asked or _ORDER not in st.session_state:
        st.session_state[_ASKED] = asked
        st.session_state[_KNOWN] = len(work.unasked)
        st.session_state[_ORDER] = tuple(
            one.recording for one in ordered(work.items, order, part, label)
        )
        go_to(next(iter(st.session_state[_ORDER]), None))
    queue: tuple[str, ...] = st.session_state[_ORDER]
    return queue


def _offer_sorting(work: Work) -> None:
    """The button stands out where something was found since."""
    news = len(work.unasked) < st.session_state.get(_KNOWN, 0)
    st.button(
        "Sort anew", key="label-again", icon=":material/refresh:", on_click=_sort_anew,
        args=(len(work.unasked),), type="primary" if news else "secondary",
        help="More was found about these labels since they were put in this order." if news
        else "Put the recordings in order as they stand now.",
    )  # fmt: skip


def _sort_anew(unasked: int) -> None:
    st.session_state.pop(_ASKED, None)
    st.session_state[_KNOWN] = unasked


def _orders(work: Work) -> tuple[Order, ...]:
    """Those that would order something."""
    if any(one.imported is not None for one in work.items):
        return ORDERS
    return tuple(one for one in ORDERS if one != "lowest imported score")


def current() -> str | None:
    """The open recording."""
    found: str | None = st.session_state.get(_AT)
    return found


def go_to(recording: str | None) -> None:
    """Open a recording of the queue; the time spent on it starts anew."""
    st.session_state[_AT] = recording
    st.session_state[_SINCE] = time.monotonic()
    forget_complaint()
    st.session_state.pop("label-shown", None)
    st.session_state.pop(_FROM, None)


def visit(recording: str) -> None:
    """Open another recording that a reason names, and remember from where."""
    origin = came_from() or current()
    go_to(recording)
    if origin != recording:
        st.session_state[_FROM] = origin


def came_from() -> str | None:
    """The recording whose reason led to the open one."""
    found: str | None = st.session_state.get(_FROM)
    return found


def step(by: int) -> None:
    """Go on in the queue, or back; at its end stay. From a recording that was only visited it goes
    on after, or back to, the one that led there."""
    queue: tuple[str, ...] = st.session_state.get(_ORDER, ())
    origin = came_from()
    if origin in queue and by < 0:
        go_to(origin)
        return
    at = origin or current()
    if at in queue:
        to = queue.index(at) + by
        if 0 <= to < len(queue):
            go_to(queue[to])
            return
    if by > 0:
        st.session_state["label-done"] = True


def following() -> str | None:
    """The recording after the open one."""
    queue: tuple[str, ...] = st.session_state.get(_ORDER, ())
    at = came_from() or current()
    to = queue.index(at) + 1 if at in queue else len(queue)
    return queue[to] if to < len(queue) else None


def seconds_spent() -> float:
    """How long the open recording has been on screen."""
    return float(time.monotonic() - st.session_state.get(_SINCE, time.monotonic()))


def complain(error: Exception) -> None:
    """Say why something was not done, until the next decision or recording."""
    st.session_state[_COMPLAINT] = str(error)


def complaint() -> str | None:
    """Why the last thing was not done."""
    found: str | None = st.session_state.get(_COMPLAINT)
    return found


def forget_complaint() -> None:
    """It is settled, or must not be seen: it may name what others decided."""
    st.session_state.pop(_COMPLAINT, None)
