"""How long the run that is put together will take, measured while the page stays usable."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from html import escape
from threading import Lock, Thread
from typing import Any

import streamlit as st

from ecgcore.jobs.estimate import Estimate, estimate
from ecgcore.jobs.values import JobError, RunOrder
from ecgcore.ui import services
from ecgcore.ui.markdown import plain
from ecgcore.ui.memory import Memory
from ecgcore.ui.train_words import duration
from ecgcore.workspace import Workspace

_LOOK_SECONDS = 1.0


@dataclass
class _Desk:
    """What is measured now and what could not be, by ``_key``; ``turn`` is of who measures, as two
    at once would slow each other down."""

    pending: set[str] = field(default_factory=set)
    failed: dict[str, str] = field(default_factory=dict)
    turn: Lock = field(default_factory=Lock)


@cache
def estimates() -> Memory[Estimate]:
    """What was measured lately, by ``_key`` of the order."""
    return Memory(64)


@cache
def _desk() -> _Desk:
    return _Desk()


def show_estimate(order: RunOrder | None) -> None:
    """Time and memory from measured steps, once asked for; another draft is asked anew."""
    st.button(
        "Estimate time and memory", key="train-estimate", disabled=order is None, width="stretch",
        on_click=_ask, args=(order,),
        help="Makes a few real steps in a process of its own; takes some seconds.",
    )  # fmt: skip
    if order is not None:
        pending = _key(order) in _desk().pending
        st.fragment(_show, run_every=_LOOK_SECONDS if pending else None)(order, pending)


def _ask(order: RunOrder | None) -> None:
    """Begin to measure, where nobody does or did."""
    if order is None:
        return
    key, desk = _key(order), _desk()
    if key in desk.pending or key in estimates():
        return
    desk.failed.pop(key, None)
    desk.pending.add(key)
    Thread(
        target=_measure, args=(key, services.workspace(), order), daemon=True, name="estimate"
    ).start()


def _measure(key: str, workspace: Workspace, order: RunOrder) -> None:
    desk = _desk()
    said = "Measuring ended with an error that nobody foresaw; the server's log says where."
    try:
        with desk.turn:
            estimates().get(key, lambda: estimate(workspace, order))
        said = ""
    except (JobError, OSError) as error:
        said = str(error)
    finally:
        if said:
            desk.failed[key] = said
        desk.pending.discard(key)


def _show(order: RunOrder, pending: bool) -> None:
    """What is known; the page is drawn anew when the measuring is over."""
    key = _key(order)
    if pending:
        if key not in _desk().pending:
            st.rerun()
        st.caption(":material/timer: Measuring a few steps; the page can be used meanwhile.")
        return
    if key in _desk().failed:
        st.warning(plain(_desk().failed[key]))
    if key not in estimates():
        return
    found = estimates().get(key, lambda: estimate(services.workspace(), order))
    rows = [
        ("Takes about", duration(found.seconds)),
        ("An epoch", duration(found.epoch_seconds)),
        ("A step", _milliseconds(found.step_seconds)),
        ("Memory", _bytes(found.peak_bytes)),
        ("On", found.device),
    ]
    if found.device_bytes:
        rows.insert(4, ("GPU memory", _bytes(found.device_bytes)))
    if order.search is not None:
        trials = order.search["trials"]
        rows[0] = ("A trial takes about", rows[0][1])
        rows.insert(1, (f"All {trials}", duration(trials * found.seconds)))
    told = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in rows)
    st.html(f'<dl class="train-facts">{told}</dl>')
    if order.search is not None:
        st.caption(
            "By the options as they stand: trials that end early take less, those of more "
            "epochs or larger networks take more."
        )


def _key(order: RunOrder) -> str:
    told: dict[str, Any] = order.to_json()
    return json.dumps({k: told[k] for k in ("options", "data", "snapshot")}, sort_keys=True)


def _milliseconds(seconds: float) -> str:
    return f"{1000 * seconds:.0f} ms" if seconds < 2 else f"{seconds:.1f} s"


def _bytes(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"
