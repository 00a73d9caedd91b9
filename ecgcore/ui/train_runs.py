"""Every training run of the workspace, the newest first, and one of them opened.

Runs are started from any machine that shares the workspace: the list looks again by itself, often
while a run is at work.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

from ecgcore.jobs import control
from ecgcore.jobs.reproducing import torchrun_command
from ecgcore.jobs.values import JobError, RunStatus
from ecgcore.review.connection import StoreError
from ecgcore.review.people import Forbidden, Role
from ecgcore.ui import label_services, services
from ecgcore.ui.markdown import plain
from ecgcore.ui.navigation import OPEN_RUN
from ecgcore.ui.train_course import best_auroc, course_of
from ecgcore.ui.train_live import part_of, show_live
from ecgcore.ui.train_style import dress_train
from ecgcore.ui.train_words import STATES, asked_by, moment, time_left, title

NEW_RUN = "New run"
_TABLE, _CHOICE, _LISTED = "train-table", "train-choice", "train-listed"
_ROW, _MOST_ROWS = 36, 6
_BUSY_SECONDS, _IDLE_SECONDS = 5.0, 15.0


def show_runs(person: str) -> None:
    """The list of runs and the open one."""
    here = services.workspace()
    try:
        role = label_services.store().role_of(person)
        control.tend(here)
        found = control.runs(here)
    except (StoreError, Forbidden, OSError) as error:
        st.error(plain(str(error)))
        return
    if not found:
        st.info(f"No run yet. Choose “{NEW_RUN}” above to start one.")
        return
    opened = _opened(found)
    at_work = any(one.at_work for one in found)
    every = _BUSY_SECONDS if at_work else _IDLE_SECONDS
    seen = tuple((one.id, one.state) for one in found)
    dress_train()
    with st.container(key="train-runs"):
        st.fragment(_show_table, run_every=every)(seen, opened.id)
        _choose(found, opened)
        # While nothing is at work nothing changes, and nothing is drawn anew.
        live = st.fragment(show_live, run_every=1.0 if opened.at_work else None)
        live(person, role, opened.id, opened.state)
        _show_beyond(opened, role)


def _opened(found: tuple[RunStatus, ...]) -> RunStatus:
    wanted = st.session_state.get(OPEN_RUN)
    opened = next((one for one in found if one.id == wanted), found[0])
    st.session_state[OPEN_RUN] = opened.id
    return opened


def _show_table(seen: tuple[tuple[str, str], ...], opened: str) -> None:
    """The list; the whole page is drawn anew where it no longer fits the list."""
    found = control.runs(services.workspace())
    now = tuple((one.id, one.state) for one in found)
    if now != seen or st.session_state.get(OPEN_RUN) != opened:
        st.rerun()
    st.session_state[_LISTED] = tuple(one.id for one in found)
    st.dataframe(
        columns_of(found),
        height=38 + _ROW * min(_MOST_ROWS, len(found)),
        row_height=_ROW,
        hide_index=True,
        placeholder="–",
        on_select=_open_clicked,
        selection_mode="single-cell",
        key=_TABLE,
        column_config={
            "Best validation AUROC": st.column_config.NumberColumn(format="%.3f"),
        },
        alt="Training runs, the newest first",
    )


def columns_of(found: tuple[RunStatus, ...]) -> dict[str, list[Any]]:
    """The columns of the list."""
    return {
        "Name": [one.name for one in found],
        "State": [STATES[one.state].capitalize() for one in found],
        "Epoch": [_epoch(one) for one in found],
        "Best validation AUROC": [best_auroc(course_of(one).of_model()) for one in found],
        "Time left": [
            time_left(one.live.seconds_left) if one.at_work and one.live else "" for one in found
        ],
        "Started by": [asked_by(one) for one in found],
        "Started, UTC": ["" if one.order is None else moment(one.order.asked_at) for one in found],
    }


def _epoch(run: RunStatus) -> str:
    live = run.live
    if live is None or not live.epochs:
        return ""
    part = f" ({part_of(live)})" if part_of(live) else ""
    return f"{live.epoch} of {live.epochs}{part}"


def _open_clicked() -> None:
    """A click on a row opens its run."""
    cells = st.session_state[_TABLE]["selection"]["cells"]
    listed = st.session_state.get(_LISTED, ())
    if cells and cells[0][0] < len(listed):
        st.session_state[OPEN_RUN] = listed[cells[0][0]]


def _choose(found: tuple[RunStatus, ...], opened: RunStatus) -> None:
    """The open run by keyboard, and what can be made of it."""
    names = {one.id: title(one) for one in found}
    st.session_state[_CHOICE] = opened.id
    st.selectbox(
        "Open run", list(names), format_func=lambda one: names.get(one, one), key=_CHOICE,
        on_change=_open_chosen, width=420,
    )  # fmt: skip


def _open_chosen() -> None:
    st.session_state[OPEN_RUN] = st.session_state[_CHOICE]


def _show_beyond(run: RunStatus, role: Role) -> None:
    """How to do the run elsewhere."""
    if run.order is None or run.order.search is not None:  # a search is one machine's
        return
    with st.expander("On several GPUs or machines", key="train-torchrun"):
        st.markdown(
            "Pause or stop this run first. Then give this command in a terminal, in the folder of "
            "ECG Lightbox; on a machine that shares this workspace the run is watched here."
        )
        workers = st.number_input(
            "Workers", 1, 64, 2, key="train-workers", width=140,
            help="Processes on one machine; with GPUs, their number.",
        )  # fmt: skip
        try:
            command = torchrun_command(run.order, run.folder, int(workers))
        except (JobError, ValueError, OSError) as error:
            st.error(plain(str(error)))
            return
        st.code(command, language="bash", wrap_lines=True)
