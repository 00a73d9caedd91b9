"""A search in place of one run: which options are varied, within what, how many trials.

What the session holds under ``SEARCH`` is what counts, as JSON of a ``Search``; fields show it and
change it in callbacks, as those of the options do.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import streamlit as st

from ecgcore.jobs.search_space import MOST_TRIALS, USUAL_TRIALS, search_from_json
from ecgcore.training.draft import FIXED, Draft, option_names
from ecgcore.training.option_kinds import OptionKind, kind_of, labels_of_options, words_of
from ecgcore.ui.markdown import plain
from ecgcore.ui.train_options import ELSEWHERE, GENERATION, draft, shown, slug, step_of
from ecgcore.ui.train_words import score_name

SEARCH = "train-search"
_NUMBERS = ("number", "whole number")
_KINDS = (*_NUMBERS, "choice", "yes or no")
_LEFT_OUT = ("members", "best_by", "keep", "fewest_positives", "fewest_validation_positives")
"""They decide what is scored or kept, not how well a network learns."""
_RANGE, _VALUES = "a range", "these values"

Asked = dict[str, Any]
"""A search as JSON."""


def chosen_search() -> Asked | None:
    """What is asked for; None where nothing is varied. Options that the network or objective chosen
    now does not have are left out."""
    kept, offered = _kept(), searchable(draft())
    space = {name: one for name, one in kept["space"].items() if name in offered}
    return {"space": deepcopy(space), "trials": kept["trials"]} if space else None


def put_search(value: Asked | None) -> None:
    """Ask for another search, or for none. Raises JobError. Before the fields are drawn anew."""
    if value is None:
        kept: Asked = {"space": {}, "trials": USUAL_TRIALS}
    else:
        kept = search_from_json(value).to_json()
    st.session_state[SEARCH] = {**kept, "open": value is not None}


def searchable(now: Draft) -> dict[str, OptionKind]:
    """The options that a search can vary."""
    kinds = {
        name: kind_of(name, now.options)
        for name in option_names(now.options)
        if name not in (*ELSEWHERE, *_LEFT_OUT) and now.value(name) is not FIXED
    }
    return {name: kind for name, kind in kinds.items() if kind.kind in _KINDS}


def show_search() -> None:
    """Choose what is varied."""
    now, kept = draft(), _kept()
    offered = searchable(now)
    titles = labels_of_options(offered)
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
            format_func=lambda name: titles.get(name, name),
            placeholder="None: one run with the options below",
        )  # fmt: skip
        key = _key("trials")
        st.session_state.setdefault(key, kept["trials"])
        right.number_input(
            "Trials", 1, MOST_TRIALS, key=key, on_change=_take_trials, disabled=not names,
            help="How many sets of values are tried. Ten for each option are a fair start.",
        )  # fmt: skip
        idle = [name for name in kept["space"] if name not in offered]
        if idle:
            st.caption(
                f":material/info: Not varied: {plain(', '.join(idle))}. This page cannot vary it "
                "with the network and objective chosen now."
            )
        for name in names:
            _row(name, titles[name], offered[name], now)


def bounds_about(value: float | None, kind: OptionKind) -> Asked:
    """Bounds to begin with about an option's own value, within what it may be."""
    whole = kind.kind == "whole number"
    here = float(value or 0)
    if whole:
        low = max(here // 2, 1)
        high = max(2 * here, low + 1)
    elif kind.most is not None and kind.most <= 1:  # a share
        low, high = 0.0, min(kind.most, max(1.5 * here, 0.5))
    elif here > 0:
        low, high = max(here / 10, kind.least or 0), here * 10
    else:
        low, high = kind.least or 0.0, (kind.least or 0.0) + 1
    log = not whole and here > 0 and low > 0
    as_shown = int if whole else lambda one: float(f"{one:.6g}")
    return {"low": as_shown(low), "high": as_shown(high), "log": log, "whole": whole, "choices": []}


def _row(name: str, title: str, kind: OptionKind, now: Draft) -> None:
    """What one option is varied within."""
    held = _kept()["space"][name]
    with st.container(horizontal=True, vertical_alignment="bottom", key=f"train-vary-{slug(name)}"):
        if kind.kind in _NUMBERS:
            listed = held["low"] is None
            key = _key(f"{name}-how")
            st.session_state[key] = _VALUES if listed else _RANGE
            st.segmented_control(
                title, (_RANGE, _VALUES), key=key, required=True, on_change=_take_how, args=(name,),
                help=words_of(name, now.options),
            )  # fmt: skip
            (_values if listed else _bounds)(name, kind, held)
        else:
            key = _key(f"{name}-choices")
            st.session_state.setdefault(key, list(held["choices"]))
            st.pills(
                f"{title}, one of", _choices(kind), selection_mode="multi", key=key,
                on_change=_take_choices, args=(name,), format_func=shown,
                help=words_of(name, now.options),
            )  # fmt: skip
        st.caption(f"Without a search: {plain(shown(now.value(name)))}.")


def _bounds(name: str, kind: OptionKind, held: Asked) -> None:
    whole = kind.kind == "whole number"
    for end in ("low", "high"):
        key = _key(f"{name}-{end}")
        st.session_state.setdefault(key, held[end] if whole else float(held[end]))
        st.number_input(
            "from" if end == "low" else "to", key=key, on_change=_take_bounds, args=(name,),
            width=140, format="%d" if whole else "%g", step=1 if whole else step_of(held[end]),
        )  # fmt: skip
    key = _key(f"{name}-log")
    st.session_state.setdefault(key, bool(held["log"]))
    st.toggle(
        "on a log scale", key=key, on_change=_take_bounds, args=(name,),
        help="As many values between 0.001 and 0.01 as between 0.01 and 0.1.",
    )  # fmt: skip


def _values(name: str, kind: OptionKind, held: Asked) -> None:
    key = _key(f"{name}-values")
    texts = [f"{value:g}" for value in held["choices"]]
    st.session_state.setdefault(key, texts)
    st.multiselect(
        "Values", sorted({*texts, *st.session_state[key]}), key=key, accept_new_options=True,
        on_change=_take_values, args=(name, kind.kind == "whole number"), width=330,
        placeholder="Type a number and press Enter",
    )  # fmt: skip


def _kept() -> Asked:
    if SEARCH not in st.session_state:
        put_search(None)
    found: Asked = st.session_state[SEARCH]
    return found


def _take_names() -> None:
    now, kept = draft(), _kept()
    offered = searchable(now)
    elsewhere = {name: one for name, one in kept["space"].items() if name not in offered}
    chosen = {
        name: kept["space"].get(name) or _begun(name, offered[name], now)
        for name in st.session_state[_key("options")]
        if name in offered
    }
    kept["space"] = {**elsewhere, **chosen}


def _begun(name: str, kind: OptionKind, now: Draft) -> Asked:
    if kind.kind in _NUMBERS:
        return bounds_about(now.value(name), kind)
    return _listed(_choices(kind))


def _listed(values: list[Any]) -> Asked:
    return {"choices": values, "low": None, "high": None, "log": False, "whole": False}


def _take_how(name: str) -> None:
    """From bounds to values, which begin as both ends, or back to bounds about the option."""
    now, space = draft(), _kept()["space"]
    held = space.get(name)
    if held is None or name not in searchable(now):
        return
    if st.session_state[_key(f"{name}-how")] == _VALUES:
        space[name] = _listed([held["low"], held["high"]])
    else:
        space[name] = bounds_about(now.value(name), searchable(now)[name])


def _take_bounds(name: str) -> None:
    held = _kept()["space"].get(name)
    if held is None:
        return  # taken out by the same change of the page
    for end in ("low", "high"):
        held[end] = st.session_state[_key(f"{name}-{end}")]
    held["log"] = st.session_state[_key(f"{name}-log")]


def _take_values(name: str, whole: bool) -> None:
    """What is a number is taken; what is none is taken out of the field."""
    held, key = _kept()["space"].get(name), _key(f"{name}-values")
    if held is None:
        return
    numbers = [_number(text, whole) for text in st.session_state[key]]
    held["choices"] = sorted({one for one in numbers if one is not None})
    st.session_state[key] = [f"{value:g}" for value in held["choices"]]


def _number(text: str, whole: bool) -> float | None:
    try:
        return int(text) if whole else float(text)
    except ValueError:
        return None


def _take_choices(name: str) -> None:
    held = _kept()["space"].get(name)
    if held is not None:
        held["choices"] = list(st.session_state[_key(f"{name}-choices")])


def _take_trials() -> None:
    _kept()["trials"] = int(st.session_state[_key("trials")])


def _choices(kind: OptionKind) -> list[Any]:
    return [False, True] if kind.kind == "yes or no" else list(kind.choices)


def _key(part: str) -> str:
    return f"train-search-{st.session_state.get(GENERATION, 0)}-{slug(part)}"
