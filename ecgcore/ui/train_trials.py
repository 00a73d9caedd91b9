"""The trials of a search: which values were tried, and how far they came."""

from __future__ import annotations

from typing import Any

import streamlit as st

from ecgcore.jobs.values import RunStatus
from ecgcore.training.option_kinds import label_of
from ecgcore.ui.train_course import best_trial, epochs, trials
from ecgcore.ui.train_options import shown
from ecgcore.ui.train_words import score_name

_ROW, _MOST_ROWS = 36, 8
_STATES = {
    "running": "not over", "waiting": "not over", "complete": "to its end",
    "pruned": "ended early: below the median", "fail": "could not be trained",
}  # fmt: skip


def show_trials(run: RunStatus) -> None:
    """A table of the trials, the best first; nothing of a run that is no search."""
    search = None if run.order is None else run.order.search
    if run.order is None or search is None:
        return
    rows = trials(run.folder)
    over = sum(row["state"] not in ("running", "waiting") for row in rows)
    best = best_trial(run.folder)
    said = "" if best is None else f"; the best so far is trial {best}"
    if run.state == "finished":
        said = f"; the model is that of trial {best}"
    st.html(
        f'<div class="lightbox-title">Trials of the search: {over} of {search.get("trials")} over'
        f"{said}</div>"
    )
    if not rows:
        st.caption("None has begun.")
        return
    score = f"Validation {score_name(run.order.options['best_by'])}"
    columns = columns_of(run, score)
    numbers = {name for name, column in columns.items() if _is_numbers(column)}
    st.dataframe(
        columns,
        height=38 + _ROW * min(_MOST_ROWS, len(rows)),
        row_height=_ROW,
        hide_index=True,
        key="train-trials",
        placeholder="–",
        column_config={name: st.column_config.NumberColumn(format="%.4g") for name in numbers},
        alt="Trials of the search, the best first",
    )


def columns_of(run: RunStatus, score: str) -> dict[str, list[Any]]:
    """The columns of the table."""
    rows = sorted(trials(run.folder), key=_worth, reverse=True)
    options = list(dict.fromkeys(name for row in rows for name in row["values"]))
    done = {row.get("trial"): row.get("epoch") for row in epochs(run.folder)}
    return {
        "Trial": [row["number"] for row in rows],
        score: [row["score"] for row in rows],
        **{
            _title(name, options): [_value(row["values"].get(name)) for row in rows]
            for name in options
        },
        "Epochs": [done.get(row["number"]) for row in rows],
        "How it ended": [
            f"{_STATES.get(row['state'], row['state'])}"
            + (f": {row['sentence']}" if row["sentence"] else "")
            for row in rows
        ],
    }


def _value(value: Any) -> Any:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else shown(value)


def _is_numbers(column: list[Any]) -> bool:
    return all(one is None or isinstance(one, int | float) for one in column)


def _worth(row: dict[str, Any]) -> tuple[int, float]:
    """Complete before pruned before open before failed; better before worse."""
    order = ("fail", "waiting", "running", "pruned", "complete")
    score = row["score"]
    return order.index(row["state"]), -row["number"] if score is None else score


def _title(name: str, names: list[str]) -> str:
    """An option's label, with its table where two would read alike."""
    labels = [label_of(one) for one in names]
    return label_of(name) if labels.count(label_of(name)) == 1 else name
