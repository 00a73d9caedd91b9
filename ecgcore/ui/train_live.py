"""The open run: what it does this second, how it goes, and the buttons that change it.

It is drawn anew every second while its process is at work. Every place keeps its height, whatever
there is to say, and every element its key, so that nothing jumps.
"""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Literal

import streamlit as st

from ecgcore.drawing.training_charts import HEIGHT, draw_auroc, draw_loss, draw_rate
from ecgcore.jobs import control
from ecgcore.jobs.folder import log_of, read_wish
from ecgcore.jobs.values import JobError, Live, RunStatus, State
from ecgcore.review.connection import StoreError
from ecgcore.review.people import LEAST_ROLE, Forbidden, Role, may
from ecgcore.ui import label_services, services, style
from ecgcore.ui.markdown import plain
from ecgcore.ui.navigation import TRAIN_VIEW
from ecgcore.ui.train_course import (
    Course,
    course_of,
    is_grown,
    member_curves,
    steps_curve,
    trial_curves,
)
from ecgcore.ui.train_labels import show_labels, show_labels_of_card
from ecgcore.ui.train_trials import show_trials
from ecgcore.ui.train_words import STATES, time_left

MODELS_PAGE = "pages/models.py"
Act = Literal["pause", "resume", "stop"]

_REPOSITORY = Path(__file__).resolve().parent.parent.parent
_EVEN = "display: grid; grid-template-columns: repeat(auto-fit, minmax(8rem, 1fr))"
_PHASE, _WIDE = "Phase", 'style="grid-column: span 2"'  # it may be a sentence
_SAID = "train-said"
_FEWEST_EPOCHS = 10
_LOG_LINES = 60
_ICONS: dict[Act, str] = {"pause": "pause", "resume": "play_arrow", "stop": "stop"}
_HELP: dict[Act, str] = {
    "pause": "It finishes its step, saves, and waits to be resumed.",
    "resume": "It goes on from its last save.",
    "stop": "It finishes its step, saves and ends; it can be resumed later.",
}
_CAN: dict[Act, tuple[State, ...]] = {
    "pause": ("queued", "running"),
    "resume": ("paused", "stopped", "interrupted", "failed"),
    "stop": ("queued", "running", "paused", "interrupted"),
}


def show_live(person: str, role: Role, run_id: str, state: State) -> None:
    """The run; the page is drawn anew once it is no longer in ``state``."""
    try:
        run = control.status(services.workspace(), run_id)
    except JobError as error:
        st.error(plain(str(error)))
        return
    if run.state != state:
        st.rerun()
    _show_buttons(person, role, run)
    _show_now(run)
    if is_grown(run):
        st.caption("Trees are grown at once: there is no epoch, loss or learning rate to draw.")
        show_labels_of_card(run)
    else:
        course = course_of(run)
        _show_charts(run, course)
        show_trials(run, course)
        show_labels(run, course.shown)
    with st.expander("Log of its process", key="train-log"):
        st.code(log_of(run.folder, _LOG_LINES) or "Nothing yet.", language=None, height=240)


def _show_buttons(person: str, role: Role, run: RunStatus) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key="train-buttons"):
        # Pause becomes Resume in place, so that the keyboard's focus stays where it was.
        goes_on: Act = "pause" if run.at_work else "resume"
        for place, act in (("go", goes_on), ("stop", "stop")):
            why = why_not(act, role, run)
            st.button(
                act.capitalize(), icon=f":material/{_ICONS[act]}:", key=f"train-{place}",
                # With a help always: Streamlit would mount the button anew for the first one.
                help=why or _HELP[act],
                disabled=why is not None, on_click=_act, args=(act, person, run.id),
            )  # fmt: skip
        why = _why_not_repeat(role, run)
        if st.button(
            "Repeat with changes", icon=":material/replay:", key="train-repeat-button",
            help=why or "A new run, its fields filled from this one.",
            disabled=why is not None, on_click=_repeat, args=(run,),
        ):  # fmt: skip
            st.rerun()  # the whole page, not this part alone: another view is shown
        if run.state == "finished" and (_REPOSITORY / MODELS_PAGE).is_file():
            st.page_link(MODELS_PAGE, label="Its model", icon=":material/deployed_code:")


def why_not(act: Act, role: Role, run: RunStatus) -> str | None:
    """Why a button cannot be pressed; None where it can."""
    if not may(role, "train"):
        return f"Training takes the role {LEAST_ROLE['train']}; yours is {role}."
    if run.state not in _CAN[act]:
        return f"A run that is {STATES[run.state]} cannot be told to {act}."
    if act == "resume" and run.order is None:
        return "It was started in a terminal; the same command there goes on from its last save."
    return None


def _why_not_repeat(role: Role, run: RunStatus) -> str | None:
    if not may(role, "train"):
        return f"Training takes the role {LEAST_ROLE['train']}; yours is {role}."
    return "It was started in a terminal." if run.order is None else None


def _act(act: Act, person: str, run_id: str) -> None:
    acts: dict[Act, Callable[..., None]] = {
        "pause": control.pause, "resume": control.resume, "stop": control.stop,
    }  # fmt: skip
    st.session_state.pop(_SAID, None)
    try:
        acts[act](services.workspace(), label_services.store(), run_id, person)
    except (JobError, Forbidden, StoreError, OSError) as error:
        st.session_state[_SAID] = (run_id, str(error))


def _repeat(run: RunStatus) -> None:
    if run.order is not None:
        st.session_state["train-repeat"] = run.order.to_json()
        st.session_state[TRAIN_VIEW] = "New run"


def _show_now(run: RunStatus) -> None:
    """Where the run stands, in one row of facts and one sentence."""
    facts = "".join(
        f"<div {_WIDE if name == _PHASE else ''}><span>{escape(name)}</span>"
        f"<b>{escape(value)}</b></div>"
        for name, value in facts_of(run)
    )
    st.html(f'<div class="lightbox-headline" style="{_EVEN}">{facts}</div>')
    failed, refused = run.state == "failed", st.session_state.get(_SAID)
    sentence = refused[1] if refused and refused[0] == run.id else sentence_of(run)
    kind = " unusable" if failed or (refused and refused[0] == run.id) else ""
    # One line of fixed height; the whole sentence is told by the pointer and below.
    st.html(
        f'<div class="lightbox-remark{kind}" role="status" title="{escape(sentence)}">'
        f"{escape(sentence) or '&nbsp;'}</div>"
    )
    if failed:
        st.error(plain(run.sentence or "It failed without a word; see its log."))


def sentence_of(run: RunStatus) -> str:
    """What is going on, where the facts do not say it."""
    wish = read_wish(run.folder) if run.at_work else "run"
    if wish != "run":
        return f"Asked to {wish}: it finishes its step and saves."
    if run.state == "failed":
        return "It failed; why stands below. Resume tries again from its last save."
    return run.sentence


def facts_of(run: RunStatus) -> tuple[tuple[str, str], ...]:
    """Name and value of each fact; "–" where there is none."""
    live, working = run.live, run.state == "running"
    known = live if live is not None and live.epochs else None
    rate = live.records_per_second if live is not None and working else None
    left = time_left(live.seconds_left) if live is not None and working else ""
    part = f", {part_of(known)}" if known and part_of(known) else ""
    return (
        ("State", STATES[run.state]),
        (_PHASE, live.phase if live is not None and run.at_work else "–"),
        ("Epoch", f"{known.epoch} of {known.epochs}{part}" if known else "–"),
        ("Step of the epoch", f"{known.step} of {known.steps}" if known else "–"),
        ("Loss", f"{known.loss:.4g}" if known and known.loss is not None else "–"),
        ("Learning rate", _rate(known.learning_rate if known else None)),
        ("Throughput, records/s", "–" if rate is None else f"{rate:.3g}"),
        ("Time left", left or "–"),
    )


def part_of(live: Live) -> str:
    """Which trial and member is at work, "" where there is only one."""
    parts = (("trial", live.trial, live.trials), ("member", live.member, live.members))
    return ", ".join(f"{name} {at} of {count}" for name, at, count in parts if count > 1)


def _rate(value: float | None) -> str:
    return "–" if value is None else f"{value:.3g}"


def shown_epochs(done: int, epochs: int) -> int:
    """How far the axis of epochs reaches: it doubles when what is done has filled it, so that the
    first epochs of many can be seen; never beyond ``epochs`` (0: not known) of the run."""
    reach = _FEWEST_EPOCHS
    while reach < done:
        reach *= 2
    return min(reach, epochs) if epochs else max(done, 1)


def _show_charts(run: RunStatus, course: Course) -> None:
    dark, mine = style.dark(), course.of_shown()
    last = max((row.get("epoch", 0) for row in course.rows), default=1)
    whole = run.live.epochs if run.live is not None else 0
    # Trials may be of unlike lengths.
    span = shown_epochs(last, max(whole, last) if course.shown else whole)
    member = run.live.member if run.live is not None else 1
    of_member = tuple(row for row in mine if row.get("member", 1) == member)
    losses = [
        *member_curves(of_member, "loss", "training, by epoch"),
        *member_curves(of_member, "validation_loss", "validation"),
    ]
    areas = (
        trial_curves(course) if course.shown
        else member_curves(mine, "validation_auroc", "mean of the labels")
    )  # fmt: skip
    charts = {
        "Loss": draw_loss(steps_curve(run, course.shown), losses, span, dark=dark),
        "Validation AUROC": draw_auroc(areas, span, dark=dark),
        "Learning rate": draw_rate(
            member_curves(mine, "learning_rate", "at the end of each epoch"), span, dark=dark
        ),
    }
    for column, (name, spec) in zip(st.columns(3), charts.items(), strict=True):
        column.echarts_chart(
            spec, height=HEIGHT, theme=None, key=f"train-chart-{name}", alt=f"{name} by epoch"
        )
