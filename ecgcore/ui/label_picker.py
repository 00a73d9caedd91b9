"""The picker of labels: SCP-ECG codes, found by code or words of SNOMED CT and AHA too."""

from __future__ import annotations

from functools import cache

import streamlit as st

from ecgcore.labels import CodeSystem, map_code, mapped_codes, statements

_OTHERS: tuple[CodeSystem, ...] = ("SNOMED CT", "AHA")


@cache
def _names() -> dict[str, str]:
    """What the picker shows, and searches, for each code."""
    known = mapped_codes("SCP-ECG")
    found = {}
    for label in statements():
        others = []
        for system in _OTHERS if label.code in known else ():
            mapped = map_code(label.code, "SCP-ECG", system)
            if mapped:
                mark = "" if mapped[0].match == "exact" else "⊂"
                others.append(f"{system} {mark}{'/'.join(one.code for one in mapped)}")
        found[label.code] = " · ".join((label.code, label.description, *others))
    return found


def describe(code: str) -> str:
    """A code with its words and its codes in the other systems."""
    return _names().get(code, code)


def words(code: str) -> str:
    """The description of a code."""
    return next((one.description for one in statements() if one.code == code), code)


def pick(key: str, proposed: tuple[str, ...]) -> tuple[str, ...]:
    """The labels that hold, as the reader has them now; starts with the proposed ones."""
    st.session_state.setdefault(key, list(proposed))
    chosen: list[str] = st.multiselect(
        "Labels that hold",
        [label.code for label in statements()],
        key=key,
        format_func=describe,
        placeholder="Type a code or a word: AFIB, fibrillation, 164889003 …",
        filter_mode="contains",
    )
    return tuple(chosen)


def toggle(key: str, code: str) -> None:
    """Add a label to the picker, or take it away."""
    now: list[str] = list(st.session_state.get(key, []))
    st.session_state[key] = [one for one in now if one != code] if code in now else [*now, code]
