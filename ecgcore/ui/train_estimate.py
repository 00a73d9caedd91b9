"""How long the run that is put together will take, measured while the page stays usable."""

from __future__ import annotations

import json
from functools import cache
from html import escape
from threading import Thread
from typing import Any

import streamlit as st

from ecgcore.jobs.estimate import Estimate, estimate
from ecgcore.jobs.values import JobError, RunOrder
from ecgcore.ui import services
from ecgcore.ui.markdown import plain
from ecgcore.ui.memory import Memory
from ecgcore.workspace import Workspace

_LOOK_SECONDS = 1.0


@cache
def estimates() -> Memory[Estimate | str]:
    """What was measured lately, or why it could not be, by ``_key`` of the order."""
    return Memory(64)


@cache
def _measuring() -> dict[str, Thread]:
    """The threads that measure now."""
    return {}


def show_estimate(order: RunOrder | None) -> None:
    """Time and memory from measured steps, once asked for; another draft is asked anew."""
    st.button(
        "Estimate time and memory", key="train-estimate", disabled=order is None, width="stretch",
        on_click=_ask, args=(order,),
        help="Makes a few real steps in a process of its own; takes some seconds.",
    )  # fmt: skip
    if order is not None:
        pending = _is_pending(_key(order))
        st.fragment(_show, run_every=_LOOK_SECONDS if pending else None)(order, pending)


def _ask(order: RunOrder | None) -> None:
    """Begin to measure, where nobody does or did."""
    if order is None or _is_pending(_key(order)) or _key(order) in estimates():
        return
    key = _key(order)
    thread = Thread(
        target=_measure, args=(key, services.workspace(), order), daemon=True, name="estimate"
    )
    _measuring()[key] = thread
    thread.start()


def _measure(key: str, workspace: Workspace, order: RunOrder) -> None:
    def answer() -> Estimate | str:
        try:
            return estimate(workspace, order)
        except (JobError, OSError) as error:
            return str(error)

    estimates().get(key, answer)


def _is_pending(key: str) -> bool:
    thread = _measuring().get(key)
    if thread is not None and not thread.is_alive():
        del _measuring()[key]
        return False
    return thread is not None


def _show(order: RunOrder, pending: bool) -> None:
    """What is known; the page is drawn anew when the measuring is over."""
    key = _key(order)
    if pending:
        if not _is_pending(key):
            st.rerun()
        st.caption(":material/timer: Measuring a few steps; the page can be used meanwhile.")
        return
    if key not in estimates():
        return
    found = estimates().get(key, lambda: "")
    if isinstance(found, str):
        st.warning(plain(found))
        return
    trials = 1 if order.search is None else order.search["trials"]
    takes = "Takes about" if trials == 1 else "Takes at most"
    device = f", GPU memory {_bytes(found.device_bytes)}" if found.device_bytes else ""
    st.html(
        f'<dl class="train-facts"><dt>{takes}</dt><dd>{duration(trials * found.seconds)}</dd>'
        f"<dt>An epoch</dt><dd>{duration(found.epoch_seconds)}</dd>"
        f"<dt>A step</dt><dd>{_milliseconds(found.step_seconds)}</dd>"
        f"<dt>Memory</dt><dd>{_bytes(found.peak_bytes)}{device}</dd>"
        f"<dt>On</dt><dd>{escape(found.device)}</dd></dl>"
    )


def _key(order: RunOrder) -> str:
    told: dict[str, Any] = order.to_json()
    return json.dumps({k: told[k] for k in ("options", "data", "snapshot")}, sort_keys=True)


def duration(seconds: float) -> str:
    """A time in words: "40 s", "12 min", "3 h 20 min", "2 days 4 h"."""
    if seconds < 1:
        return "under a second"
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {rest} min" if rest else f"{hours} h"
    return f"{hours // 24} days {hours % 24} h"


def _milliseconds(seconds: float) -> str:
    return f"{1000 * seconds:.0f} ms" if seconds < 2 else f"{seconds:.1f} s"


def _bytes(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"
