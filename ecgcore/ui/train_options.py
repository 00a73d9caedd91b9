"""Every option of a run with its words beside it; what was changed is marked and can be put back.

The draft in the session is what counts. A field shows it and changes it in a callback, so that a
run of the page always draws one whole draft, and leaving the page loses nothing.
"""

from __future__ import annotations

import json
from html import escape
from typing import Any

import streamlit as st

from ecgcore.training.draft import FIXED, Draft, option_names
from ecgcore.training.option_kinds import OptionKind, kind_of, label_of, words_of
from ecgcore.training.option_words import GROUP_OF, GROUPS, OBJECTIVE_WORDS

DRAFT, GENERATION, WRONG = "train-draft", "train-generation", "train-wrong"
ELSEWHERE = (
    "network", "label_set", "train_folds", "validation_folds", "leads", "sampling_rate", "teacher",
    "start",
)  # fmt: skip
"""Options that are chosen on the left."""

_ORIGINS = {
    "paper": "the paper", "settled": "settled", "scaled": "for small data", "own": "our own",
}  # fmt: skip


def draft() -> Draft:
    """The run that is being put together."""
    found: Draft = st.session_state[DRAFT]
    return found


def put(new: Draft, *, anew: bool = False) -> None:
    """Another draft; ``anew``: every field shows it (only before they are drawn)."""
    st.session_state[DRAFT] = new
    if anew:
        st.session_state[GENERATION] = st.session_state.get(GENERATION, 0) + 1
        st.session_state[WRONG] = {}


def wrong() -> dict[str, str]:
    """What was typed into a field and cannot be read, by option."""
    found: dict[str, str] = st.session_state.setdefault(WRONG, {})
    return {option: said for option, said in found.items() if option in set(_all_names())}


def show_options(varied: frozenset[str] = frozenset()) -> None:
    """Every option but those chosen on the left, in groups; ``varied`` are those of a search."""
    now = draft()
    names = [name for name in option_names(now.options) if name not in ELSEWHERE]
    network = [name for name in names if name.startswith("network_options.")]
    changed = set(now.changed())
    # By a style: a row whose key changed would be mounted anew and lose the keyboard's focus.
    rows = ", ".join(f".st-key-train-row-{slug(name)}" for name in names if name in changed)
    mark = f"{rows or '.none'} {{ box-shadow: -3px 0 0 0 var(--warn); }}"
    st.html(f"<style>{mark}</style>")
    if network:
        _group(f"Network {now.value('network')}", network, changed, varied)
    for group in GROUPS:
        of = [n for n in names if n not in network and GROUP_OF[n.partition(".")[0]] == group]
        if of:
            _group(group, of, changed, varied)


def _group(title: str, names: list[str], changed: set[str], varied: frozenset[str]) -> None:
    count = len(changed & set(names))
    said = f" <i>{count} changed</i>" if count else ""
    st.html(f'<div class="train-group" role="heading" aria-level="3">{escape(title)}{said}</div>')
    for name in names:
        _row(name, name in changed, name in varied)


def _row(option: str, changed: bool, varied: bool) -> None:
    now = draft()
    with st.container(horizontal=True, vertical_alignment="top", key=f"train-row-{slug(option)}"):
        with st.container(width=230):
            _field(option, now)
        with st.container(width="stretch", gap=None):
            st.html(_words(option, now, changed, varied))
            if changed:
                st.button(
                    "Put back", key=f"train-back-{slug(option)}", type="tertiary",
                    on_click=put_back, args=(option,),
                    help=f"{label_of(option)} as it was: {shown(now.base_value(option))}",
                )  # fmt: skip


def _words(option: str, now: Draft, changed: bool, varied: bool) -> str:
    told = words_of(option, now.options)
    if option == "objective":
        told = f"{told} It is what is made small in training."
    parts = [escape(told)]
    if varied:
        parts.append("<b>Varied by the search above.</b>")
    stated = now.stated(option)
    if changed:
        before = shown(now.base_value(option))
        parts.append(f"<b>Changed; the recipe has {escape(before)}.</b>")
    if stated is not None:
        origin = _ORIGINS[stated.origin]
        parts.append(
            f'<span class="why">Recipe: {escape(shown(stated.value))}, {escape(origin)}: '
            f"{escape(stated.why)}.</span>"
        )
    said = wrong().get(option)
    if said:
        parts.append(f'<span class="wrong">{escape(said)}</span>')
    return f'<div class="train-words">{" ".join(parts)}</div>'


def _field(option: str, now: Draft) -> None:
    """The field of one option."""
    value, kind, key = now.value(option), kind_of(option, now.options), key_of(option)
    name = label_of(option)
    if value is FIXED:
        st.text_input(name, value="as its paper has it", disabled=True, key=f"{key}-fixed")
        return
    st.session_state.setdefault(key, shown_in_field(value, kind))
    if kind.kind == "choice":
        said = OBJECTIVE_WORDS if option == "objective" else {}
        st.selectbox(
            name, kind.choices, key=key, on_change=take, args=(option,),
            help="  \n".join(f"**{k}**: {v}" for k, v in said.items()) or None,
        )  # fmt: skip
    elif kind.kind == "yes or no":
        st.toggle(name, key=key, on_change=take, args=(option,))
    elif kind.kind == "whole number":
        st.number_input(
            name, key=key, on_change=take, args=(option,), step=1, format="%d",
            min_value=None if kind.least is None else int(kind.least),
        )  # fmt: skip
    elif kind.kind == "number":
        st.number_input(
            name, key=key, on_change=take, args=(option,), step=step_of(value), format="%g",
            min_value=None if kind.least is None else float(kind.least),
            max_value=None if kind.most is None else float(kind.most),
            placeholder="left to it" if kind.empty else None,
        )  # fmt: skip
    else:
        st.text_input(name, key=key, on_change=take, args=(option,))


def take(option: str) -> None:
    """What stands in a field comes into the draft."""
    now = draft()
    kind = kind_of(option, now.options)
    given = st.session_state[key_of(option)]
    noted: dict[str, str] = st.session_state.setdefault(WRONG, {})
    noted.pop(option, None)
    try:
        value = _read(given, kind)
    except ValueError as error:
        noted[option] = f"{label_of(option)}: {error}."
        return
    if value is None and not kind.empty:
        value = now.base_value(option)
        st.session_state[key_of(option)] = shown_in_field(value, kind)
    put(now.with_value(option, value))


def put_back(option: str) -> None:
    """An option as it was, also in its field."""
    new = draft().reset(option)
    put(new)
    st.session_state.get(WRONG, {}).pop(option, None)
    st.session_state[key_of(option)] = shown_in_field(
        new.value(option), kind_of(option, new.options)
    )


def put_all_back() -> None:
    """Every option as the recipe has it."""
    now = draft()
    for option in now.changed():
        now = now.reset(option)
    put(now, anew=True)


def key_of(option: str) -> str:
    """The key of an option's field; another network's or objective's is another field."""
    now, table = draft(), option.partition(".")[0]
    owner = {"network_options": "network", "objective_options": "objective"}.get(table)
    of = f"-{now.value(owner)}" if owner else ""
    kind = kind_of(option, now.options).kind.replace(" ", "-")
    return f"train-{st.session_state.get(GENERATION, 0)}{of}-{slug(option)}-{kind}"


def shown_in_field(value: Any, kind: OptionKind) -> Any:
    """A value as its field takes it."""
    if kind.kind == "number":
        return None if value is None else float(value)
    if kind.kind == "json":
        return "" if value is None else value if isinstance(value, str) else json.dumps(value)
    return value


def shown(value: Any) -> str:
    """A value in words."""
    if value is None or value == "":
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list):
        return ", ".join(shown(one) for one in value) or "nothing"
    return value if isinstance(value, str) else json.dumps(value)


def _read(given: Any, kind: OptionKind) -> Any:
    """What a field gives as a value of the draft. Raises ValueError."""
    if kind.kind != "json" or not isinstance(given, str):
        return given
    text = given.strip()
    if not text:
        return None
    if not text.startswith(("[", "{", '"')) and not text[0].isdigit():
        return text  # a name
    try:
        return json.loads(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is no JSON; write a list as [1, 2, 3]") from error


def step_of(value: Any) -> float:
    """The step of a field: a tenth of the value's own size."""
    size = abs(float(value)) if value else 0.1
    return float(f"{size / 10:.0e}")


def slug(option: str) -> str:
    """An option as part of a key."""
    return option.replace(".", "-")


def _all_names() -> list[str]:
    return list(option_names(draft().options))
