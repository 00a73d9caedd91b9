"""The right of a new run: what it comes to, how long it takes, why it could not begin, Start."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from html import escape
from typing import Any

import streamlit as st

from ecgcore.datasets.data_facts import DataFacts
from ecgcore.jobs.control import submit
from ecgcore.jobs.search_space import refuse_unfit, search_from_json
from ecgcore.jobs.values import JobError, RunOrder
from ecgcore.jobs.values import now as now_
from ecgcore.review.people import Forbidden
from ecgcore.review.values import ReviewError
from ecgcore.training.draft import Draft
from ecgcore.training.option_kinds import labels_of_options
from ecgcore.training.options import TrainOptions
from ecgcore.training.refusals import answered_labels, refusals
from ecgcore.ui import label_services, services, train_data
from ecgcore.ui.markdown import plain
from ecgcore.ui.memory import Memory
from ecgcore.ui.navigation import choose_run
from ecgcore.ui.train_estimate import show_estimate
from ecgcore.ui.train_options import draft, put_all_back, wrong
from ecgcore.ui.train_search import Asked


@cache
def _refusals() -> Memory[tuple[str, ...]]:
    return Memory(256)


def chosen_facts() -> DataFacts | str:
    """The facts of the chosen data, or why there are none."""
    now = draft()
    if not now.data and not now.snapshot:
        return "Choose data to learn from, or add some from a folder."
    try:
        return train_data.facts_of(now.data, now.snapshot)
    except (ValueError, ReviewError) as error:
        return str(error)


def show_summary(
    person: str, facts: DataFacts | str, search: Asked | None, forbidden: str | None
) -> None:
    """Everything on the right."""
    now = draft()
    st.session_state.setdefault("train-name", now.name)
    st.text_input(
        "Name of the model", key="train-name", max_chars=60,
        help="1 to 60 of a-z, 0-9, _ and -. The review page offers the model under this name.",
    )  # fmt: skip
    options, said = _checked(now, facts, search)
    _facts_list(now, facts, options, search)
    changed = now.changed()
    if changed:
        st.button(
            f"Put all {len(changed)} changes back" if len(changed) > 1 else "Put the change back",
            key="train-all-back", on_click=put_all_back,
        )  # fmt: skip
    order = None if said or options is None else _order(now, options, search, person)
    if isinstance(order, str):
        said, order = (order,), None
    if said:
        lines = "".join(f"<li>{escape(one)}</li>" for one in said)
        st.html(f'<div class="lightbox-title">Cannot begin yet</div>'
                f'<ul class="train-refusals">{lines}</ul>')  # fmt: skip
    show_estimate(order)
    if forbidden:
        st.warning(plain(forbidden))
    st.button(
        "Start", type="primary", key="train-start", width="stretch",
        disabled=order is None or forbidden is not None, on_click=_start, args=(order,),
        help="The run is a process of its own: page, browser and server may be closed.",
    )  # fmt: skip
    failed = st.session_state.pop("train-not-started", None)
    if failed:
        st.error(plain(failed))


def _checked(
    now: Draft, facts: DataFacts | str, search: Asked | None
) -> tuple[TrainOptions | None, tuple[str, ...]]:
    """The options where they can be used, and every reason against a start."""
    unread = tuple(wrong().values())
    try:
        options = now.train_options()
    except ValueError as error:
        text = str(error)
        return None, (*unread, text[:1].upper() + text[1:] + ".")
    if isinstance(facts, str):
        return options, (*unread, facts[:1].upper() + facts[1:] + ("" if facts[-1] == "." else "."))
    told = options.to_json()
    key = json.dumps([told, now.data, now.snapshot, facts.records, search], sort_keys=True)

    def found() -> tuple[str, ...]:
        return (*refusals(options, facts), *_of_search(search, told))

    return options, (*unread, *_refusals().get(key, found))


def _of_search(search: Asked | None, options: dict[str, Any]) -> tuple[str, ...]:
    if search is None:
        return ()
    try:
        refuse_unfit(search_from_json(search), options)
    except JobError as error:
        return (f"Search: {error}.",)
    return ()


def _order(now: Draft, options: TrainOptions, search: Asked | None, person: str) -> RunOrder | str:
    """What would be asked for, or why it cannot be."""
    try:
        return RunOrder(
            st.session_state["train-name"].strip(), options.to_json(), now.data, now.snapshot,
            now.recipe, person, search=search,
        )  # fmt: skip
    except JobError as error:
        text = str(error)
        return text[:1].upper() + text[1:] + "."


def _facts_list(
    now: Draft, facts: DataFacts | str, options: TrainOptions | None, search: Asked | None
) -> None:
    rows: list[tuple[str, str]] = []
    if isinstance(facts, DataFacts):
        people = "not told" if facts.patients is None else f"{facts.patients:,}"
        training = facts.records_in(now.value("train_folds"))
        scored = facts.records_in(now.value("validation_folds"))
        rows += [
            ("Recordings", f"{facts.records:,}"), ("Patients", people),
            ("To learn from", f"{training:,}"), ("To validate on", f"{scored:,}"),
        ]  # fmt: skip
        if options is not None:
            enough, every = answered_labels(options, facts)
            rows.append(("Labels with enough", f"{enough} of {every}"))
    members = now.value("members")
    count = members if isinstance(members, int) else len(members)
    rows.append(("Network", str(now.value("network")) + (f", {count} members" * (count > 1))))
    rows.append(("Changed options", str(len(now.changed())) if now.recipe else "no recipe"))
    if search is not None:
        names = ", ".join(labels_of_options(search["space"]).values())
        rows.append(("Search", f"{search['trials']} trials over {names}"))
    told = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in rows)
    st.html(f'<dl class="train-facts">{told}</dl>')


def _start(order: RunOrder | None) -> None:
    """Start, and go to the run."""
    if order is None:
        return
    try:
        run_id = submit(
            services.workspace(), label_services.store(), replace(order, asked_at=now_())
        )
    except (JobError, Forbidden, ReviewError, OSError) as error:
        st.session_state["train-not-started"] = str(error)
        return
    choose_run(run_id)
