"""Two models beside each other: what differs on their cards, and whose answers are better."""

from __future__ import annotations

from html import escape

import streamlit as st

from ecgcore.evaluation.comparison import Difference
from ecgcore.evaluation.side_by_side import (
    NotComparableError,
    SetComparison,
    differing_facts,
)
from ecgcore.model_shelf import ShelfModel
from ecgcore.models.card import CardError
from ecgcore.ui import model_services
from ecgcore.ui.markdown import plain
from ecgcore.ui.model_list import ROW, table_height

_TITLES = {"superclasses": "Diagnostic superclasses", "statements": "Statements"}


def show_side_by_side(models: tuple[ShelfModel, ...]) -> None:
    """Choose two, and see both."""
    sound = [one for one in models if one.card is not None]
    if len(sound) < 2:
        st.info("Two models are needed to compare; publish another, or finish a training run.")
        return
    with st.container(horizontal=True, gap="medium"):
        names = [one.key for one in sound]
        first = sound[names.index(_choose("First model", names, 0))]
        second = sound[names.index(_choose("Second model", names, 1))]
    if first.key == second.key:
        st.info("Choose two different models.")
        return
    _differences(first, second)
    _facts(first, second)


def _choose(title: str, names: list[str], place: int) -> str:
    chosen: str = st.selectbox(
        title, names, index=place, key=f"compare-{place}", persist_state="session", width=320
    )
    return chosen


def _differences(first: ShelfModel, second: ShelfModel) -> None:
    st.subheader("Scores, second minus first", anchor=False)
    try:
        found = model_services.compared(first, second)
    except (NotComparableError, CardError) as error:
        st.info(plain(str(error)))
        return
    st.caption(
        "On the same validation recordings, over the labels that both answer: paired bootstrap, in "
        "brackets the 95 % interval. An interval that holds 0 tells no "
        "difference; of twenty labels one is expected to seem different by chance."
    )
    for one in sorted(found, key=lambda each: each.set != "superclasses"):
        _set(one)


def _set(one: SetComparison) -> None:
    st.markdown(
        f"**{_TITLES.get(one.set, one.set)}**, mean of {len(one.labels)}: AUROC "
        f"{difference_words(one.result.macro_auroc)}, AUPRC "
        f"{difference_words(one.result.macro_auprc)}"
    )
    st.dataframe(
        {
            "Label": [label.code for label in one.labels],
            "Description": [label.description for label in one.labels],
            "With the label": [label.n_validation for label in one.labels],
            "AUROC": [difference_words(row) for row in one.result.auroc],
            "AUPRC": [difference_words(row) for row in one.result.auprc],
            "Better (AUROC)": [_better(row) for row in one.result.auroc],
        },
        hide_index=True,
        height=table_height(len(one.labels), 10),
        row_height=ROW,
        width=1100,
        column_config={
            "Description": st.column_config.TextColumn(width=280),
            "AUROC": st.column_config.TextColumn(width=190),
            "AUPRC": st.column_config.TextColumn(width=190),
        },
        key=f"compare-{one.set}",
        alt=f"Differences of each label, {_TITLES.get(one.set, one.set)}",
    )


def difference_words(one: Difference) -> str:
    """Such as "+0.026 (+0.010 to +0.044)"; with a true minus sign."""
    if one.difference is None or one.interval is None:
        return "not defined"
    low, high = one.interval
    text = f"{one.difference:+.3f} ({low:+.3f} to {high:+.3f})"
    return text.replace("-", "\N{MINUS SIGN}")


def _better(one: Difference) -> str:
    if one.interval is None:
        return ""
    low, high = one.interval
    return "second" if low > 0 else "first" if high < 0 else "not told apart"


def _facts(first: ShelfModel, second: ShelfModel) -> None:
    st.subheader("Facts that differ", anchor=False)
    if first.card is None or second.card is None:
        return
    rows = "".join(
        f"<tr><th scope='row'>{escape(name)}</th><td>{escape(one)}</td>"
        f"<td>{escape(other)}</td></tr>"
        for name, one, other in differing_facts(first.card, second.card)
    )
    st.html(
        "<div class='lightbox-matrix model-facts-table'><table><thead><tr><th></th>"
        f"<th scope='col'>{escape(first.key)}</th><th scope='col'>{escape(second.key)}</th></tr>"
        f"</thead><tbody>{rows}</tbody></table></div>"
    )
