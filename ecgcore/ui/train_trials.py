"""The trials of a search: which values were tried, and how far they came."""

from __future__ import annotations

from typing import Any

import streamlit as st

from ecgcore.jobs.search_space import search_from_json
from ecgcore.jobs.values import RunStatus
from ecgcore.training.option_kinds import labels_of_options
from ecgcore.ui.train_course import Course
from ecgcore.ui.train_options import shown
from ecgcore.ui.train_words import score_name

_ROW, _MOST_ROWS = 36, 8
_ENDS = {
    "fail": "could not be trained: ", "running": "not over", "pruned": "ended early: below the "
    "median", "complete": "to its end",
}  # fmt: skip
"""What is said of each state, the worst first."""


def show_trials(run: RunStatus, course: Course) -> None:
    """A table of the trials, the best first; nothing of a run that is no search."""
    if run.order is None or run.order.search is None:
        return
    count = search_from_json(run.order.search).trials
    over = sum(row["state"] != "running" for row in course.trials)
    said = "" if course.best is None else f"; the best so far is trial {course.best}"
    if run.state == "finished":
        said = f"; the model is that of trial {course.best}"
    st.html(f'<div class="lightbox-title">Trials of the search: {over} of {count} over{said}</div>')
    score = f"Validation {score_name(run.order.options.get('best_by', 'auroc'))}"
    columns = columns_of(course, score)
    numbers = {name for name, column in columns.items() if _is_numbers(column)}
    st.dataframe(
        columns,
        height=38 + _ROW * min(_MOST_ROWS, count),
        row_height=_ROW,
        hide_index=True,
        key="train-trials",
        placeholder="–",
        column_config={name: st.column_config.NumberColumn(format="%.4g") for name in numbers},
        alt="Trials of the search, the best first",
    )


def columns_of(course: Course, score: str) -> dict[str, list[Any]]:
    """The columns of the table."""
    rows = sorted(course.trials, key=_worth, reverse=True)
    titles = labels_of_options(dict.fromkeys(name for row in rows for name in row["values"]))
    done = {row.get("trial"): row.get("epoch") for row in course.rows}
    return {
        "Trial": [row["number"] for row in rows],
        score: [row["score"] for row in rows],
        **{
            title: [_value(row["values"].get(name)) for row in rows]
            for name, title in titles.items()
        },
        "Epochs done": [done.get(row["number"]) for row in rows],
        "How it ended": [_ENDS[row["state"]] + row["sentence"] for row in rows],
    }


def _value(value: Any) -> Any:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else shown(value)


def _is_numbers(column: list[Any]) -> bool:
    return all(one is None or isinstance(one, int | float) for one in column)


def _worth(row: dict[str, Any]) -> tuple[int, float]:
    """Better before worse, and of those without a score the first before the last."""
    score = row["score"]
    return list(_ENDS).index(row["state"]), -row["number"] if score is None else score
