"""A search in place of one run: which options are varied, within what, how many trials.

What the session holds under ``SEARCH`` is what counts, as JSON of a ``Search``; fields show it and
change it in callbacks, as those of the options do.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import streamlit as st

from ecgcore.jobs.search_space import MOST_TRIALS, refuse_unfit, search_from_json
from ecgcore.jobs.values import JobError
from ecgcore.training.draft import FIXED, Draft, option_names
from ecgcore.training.option_kinds import OptionKind, kind_of, label_of, words_of
from ecgcore.ui.markdown import plain
from ecgcore.ui.train_options import ELSEWHERE, GENERATION, draft, shown, slug, step_of
from ecgcore.ui.train_words import score_name

SEARCH = "train-search"
_TRIALS = 20
_NUMBERS = ("number", "whole number")
_KINDS = (*_NUMBERS, "choice", "yes or no")
_LEFT_OUT = ("members", "best_by")
"""Members end no trial early, and scores by different measures cannot be compared."""


def chosen_search() -> dict[str, Any] | None:
    """What is asked for, as JSON; None where nothing is varied. Options that the network or
    objective chosen now does not have are left out."""
    space = {name: one for name, one in _kept()["space"].items() if name in searchable(draft())}
    return {"space": deepcopy(space), "trials": _kept()["trials"]} if space else None


def put_search(value: dict[str, Any] | None) -> None:
    """Ask for another search, or for none; fields are drawn anew."""
    kept = {"space": {}, "trials": _TRIALS} if value is None else search_from_json(value).to_json()
    st.session_state[SEARCH] = {**kept, "open": value is not None}


def search_refusal(options: dict[str, Any]) -> str | None:
    """Why the search cannot begin with a run's options; None where it can, or none is asked for."""
    asked = chosen_search()
    if asked is None:
        return None
    try:
        refuse_unfit(search_from_json(asked), options)
    except JobError as error:
        return f"Search: {error}."
    return None


def searchable(now: Draft) -> dict[str, OptionKind]:
    """The options that a search can vary."""
    return {
        name: kind_of(name, now.options)
        for name in option_names(now.options)
        if name not in (*ELSEWHERE, *_LEFT_OUT)
        and now.value(name) is not FIXED
        and kind_of(name, now.options).kind in _KINDS
    }


def show_search() -> None:
    """Choose what is varied."""
    now, kept = draft(), _kept()
    offered = searchable(now)
    with st.expander("Search over options", expanded=kept["open"], key="train-search-part"):
        st.caption(
            "Instead of one run, several trials, one after the other, each with other values of "
            "these options (tree-structured Parzen estimators propose them). A trial that falls "
            "below the median of those before it ends early. The best by validation "
            f"{score_name(now.value('best_by'))} becomes the model; its score is then too good by "
            "the choosing, so judge it on records that it was not chosen on."
        )
        names = [name for name in kept["space"] if name in offered]
        key = _key("options")
        st.session_state[key] = names
        left, right = st.columns((4, 1), vertical_alignment="bottom")
        left.multiselect(
            "Options to vary", list(offered), key=key, on_change=_take_names,
            format_func=_title, placeholder="None: one run with the options below",
        )  # fmt: skip
        key = _key("trials")
        st.session_state.setdefault(key, kept["trials"])
        right.number_input(
            "Trials", 1, MOST_TRIALS, key=key, on_change=_take_trials, disabled=not names,
            help="How many sets of values are tried. Ten for each option are a fair start.",
        )  # fmt: skip
        for name in names:
            _row(name, offered[name], now)


def bounds_about(value: float | None, kind: OptionKind) -> dict[str, Any]:
    """Bounds to begin with about an option's own value, within what it may be."""
    whole = kind.kind == "whole number"
    here = float(value or 0)
    if whole:
        low, high = max(here // 2, kind.least or 0), max(2 * here, 1)
    elif kind.most is not None and kind.most <= 1:  # a share
        low, high = 0.0, min(kind.most, max(2 * here, 0.5))
    elif here > 0:
        low, high = max(here / 10, kind.least or 0), here * 10
    else:
        low, high = kind.least or 0.0, (kind.least or 0.0) + 1
    log = not whole and here > 0 and low > 0
    as_shown = int if whole else lambda one: float(f"{one:.6g}")
    return {"low": as_shown(low), "high": as_shown(high), "log": log, "whole": whole}


def _row(name: str, kind: OptionKind, now: Draft) -> None:
    """Bounds or choices of one option."""
    held = _kept()["space"][name]
    with st.container(horizontal=True, vertical_alignment="bottom", key=f"train-vary-{slug(name)}"):
        title = label_of(name)
        if kind.kind in _NUMBERS:
            whole = kind.kind == "whole number"
            for end, said in (("low", "from"), ("high", "to")):
                key = _key(f"{name}-{end}")
                st.session_state.setdefault(key, held[end] if whole else float(held[end]))
                st.number_input(
                    f"{title}, {said}", key=key, on_change=_take_bounds, args=(name,), width=150,
                    format="%d" if whole else "%g", step=1 if whole else step_of(held[end]),
                    help=words_of(name, now.options),
                )  # fmt: skip
            key = _key(f"{name}-log")
            st.session_state.setdefault(key, bool(held["log"]))
            st.toggle(
                "on a log scale", key=key, on_change=_take_bounds, args=(name,),
                help="As many values between 0.001 and 0.01 as between 0.01 and 0.1.",
            )  # fmt: skip
        else:
            key = _key(f"{name}-choices")
            st.session_state.setdefault(key, list(held["choices"]))
            st.pills(
                f"{title}, one of", _choices(kind), selection_mode="multi", key=key,
                on_change=_take_choices, args=(name,), format_func=shown,
                help=words_of(name, now.options),
            )  # fmt: skip
        st.caption(f"Without a search: {plain(shown(now.value(name)))}.")


def _kept() -> dict[str, Any]:
    if SEARCH not in st.session_state:
        put_search(None)
    found: dict[str, Any] = st.session_state[SEARCH]
    return found


def _take_names() -> None:
    now, kept = draft(), _kept()
    offered = searchable(now)
    elsewhere = {name: one for name, one in kept["space"].items() if name not in offered}
    chosen = {
        name: kept["space"].get(name) or _begun(name, offered[name], now)
        for name in st.session_state[_key("options")]
    }
    kept["space"] = {**elsewhere, **chosen}


def _begun(name: str, kind: OptionKind, now: Draft) -> dict[str, Any]:
    if kind.kind in _NUMBERS:
        return {**bounds_about(now.value(name), kind), "choices": []}
    return {"choices": _choices(kind), "low": None, "high": None, "log": False, "whole": False}


def _take_bounds(name: str) -> None:
    held = _kept()["space"][name]
    for end in ("low", "high"):
        given = st.session_state[_key(f"{name}-{end}")]
        if given is not None:
            held[end] = given
    held["log"] = st.session_state[_key(f"{name}-log")]


def _take_choices(name: str) -> None:
    _kept()["space"][name]["choices"] = list(st.session_state[_key(f"{name}-choices")])


def _take_trials() -> None:
    _kept()["trials"] = int(st.session_state[_key("trials")])


def _choices(kind: OptionKind) -> list[Any]:
    return [False, True] if kind.kind == "yes or no" else list(kind.choices)


def _title(name: str) -> str:
    table = name.partition(".")[0].replace("_options", "") if "." in name else ""
    return f"{table.capitalize()}: {label_of(name).lower()}" if table else label_of(name)


def _key(part: str) -> str:
    return f"train-search-{st.session_state.get(GENERATION, 0)}-{slug(part)}"
