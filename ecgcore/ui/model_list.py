"""The models in a table: how good, how large, whether on the review page; one of them is open."""

from __future__ import annotations

from typing import Any

import streamlit as st

from ecgcore.labels import LabelSetName
from ecgcore.model_shelf import ShelfModel
from ecgcore.ui.model_setting import OPEN_NEXT

_CHOICE = "model-open"
ROW = 32
"""Pixels of a table's row, its head too."""
_MOST_ROWS = 8
_ORIGIN = {"shipped": "shipped", "published": "published", "run": "finished run"}


def choose_model(models: tuple[ShelfModel, ...]) -> ShelfModel:
    """The model that is open: chosen here by keyboard, or by a click on a row of the table."""
    keys = [one.key for one in models]
    asked = st.session_state.pop(OPEN_NEXT, None)
    if asked in keys:
        st.session_state[_CHOICE] = asked
    if st.session_state.get(_CHOICE) not in keys:
        st.session_state[_CHOICE] = keys[0]
    chosen: str = st.selectbox(
        "Open model",
        keys,
        key=_CHOICE,
        persist_state="session",
        width=230,
        label_visibility="collapsed",
    )
    return models[keys.index(chosen)]


def macro_auroc(model: ShelfModel, label_set: LabelSetName) -> str:
    """The mean AUROC of a label set with its 95 % interval, in words; "" where there is none."""
    macros = {} if model.card is None else model.card.metrics.get("macro")
    told = macros.get(label_set) if isinstance(macros, dict) else None
    return "" if not isinstance(told, dict) else score_words(told, "auroc")


def score_words(told: dict[str, Any], name: str) -> str:
    """A score of a card with its interval, such as "0.91 (0.89–0.93)"."""
    value, ends = told.get(name), told.get(f"{name}_interval")
    if not isinstance(value, int | float):
        return ""
    if not isinstance(ends, list | tuple) or len(ends) != 2:
        return f"{value:.3f}"
    return f"{value:.3f} ({ends[0]:.3f}–{ends[1]:.3f})"


def table_height(rows: int, most: int) -> int:
    """Pixels of a table of so many rows, of which ``most`` are seen at once."""
    return ROW * (1 + min(rows, most)) + 3


def show_table(models: tuple[ShelfModel, ...]) -> None:
    """One row a model; a click opens it."""
    generation: int = st.session_state.setdefault("model-table", 0)
    found = st.dataframe(
        _columns(models),
        height=table_height(len(models), _MOST_ROWS),
        row_height=ROW,
        hide_index=True,
        on_select="rerun",
        selection_mode="single-cell",
        key=f"model-table-{generation}",
        column_config={
            "Model": st.column_config.TextColumn(width=170),
            "Network": st.column_config.TextColumn(width=130),
            "From": st.column_config.TextColumn(width=100),
            "Labels": st.column_config.TextColumn(
                width=80, help="answered of all that it was trained on"
            ),
            "Statements, AUROC": st.column_config.TextColumn(width=170),
            "Superclasses, AUROC": st.column_config.TextColumn(width=170),
            "Parameters": st.column_config.NumberColumn(format="localized", width=110),
            "On the review page": st.column_config.TextColumn(width=210),
        },
        placeholder="",
        alt="Models with their scores; mean AUROC with 95 % interval on the validation records",
    )
    rows = [cell[0] for cell in found.selection.cells]
    if rows and rows[0] < len(models):
        # A new key leaves no cell chosen, so that the same row can be clicked again.
        st.session_state["model-table"] = generation + 1
        st.session_state[_CHOICE] = models[rows[0]].key
        st.rerun()


def _columns(models: tuple[ShelfModel, ...]) -> dict[str, list[str | int | None]]:
    rows = [_row(model) for model in models]
    return {name: [row[name] for row in rows] for name in rows[0]}


def _row(model: ShelfModel) -> dict[str, str | int | None]:
    card = model.card
    labels = () if card is None else card.labels
    parameters = None if card is None else card.cost.get("parameters")
    return {
        "Model": model.name,
        "Network": "damaged" if card is None else card.network,
        "From": _ORIGIN[model.origin],
        "Labels": f"{sum(one.answered for one in labels)} of {len(labels)}" if labels else "",
        "Statements, AUROC": macro_auroc(model, "statements"),
        "Superclasses, AUROC": macro_auroc(model, "superclasses"),
        "Parameters": parameters if isinstance(parameters, int) else None,
        "On the review page": shown_words(model),
    }


def shown_words(model: ShelfModel) -> str:
    """Whether a model is on the review page, and why not."""
    if model.shown:
        return "yes"
    return f"withdrawn {model.withdrawn}" if model.withdrawn else "not published"
