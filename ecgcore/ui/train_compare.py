"""Several runs side by side: curves, options that differ, final numbers, and a paired test of two.

Final numbers are those of the models' cards. The test is of both models' answers to the validation
records that they share, and is remembered.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import streamlit as st

from ecgcore.drawing.training_charts import HEIGHT, draw_auroc, draw_loss
from ecgcore.evaluation.comparison import Difference
from ecgcore.evaluation.run_comparison import RunComparison, Score, compare_runs
from ecgcore.jobs import control
from ecgcore.jobs.answers import answers_of, card_of
from ecgcore.jobs.search_space import search_from_json, with_values
from ecgcore.jobs.values import JobError, RunStatus
from ecgcore.review.connection import StoreError
from ecgcore.review.people import Forbidden
from ecgcore.ui import services, style
from ecgcore.ui.markdown import plain
from ecgcore.ui.memory import Memory
from ecgcore.ui.train_course import course_of, member_curves
from ecgcore.ui.train_words import STATES, flat, title

MOST_RUNS = 8
_CHOSEN = "train-compare"


def show_compare(person: str) -> None:
    """Choose runs, and everything about them."""
    try:
        found = {one.id: one for one in control.runs(services.workspace()) if course_of(one).rows}
    except (StoreError, Forbidden, OSError) as error:
        st.error(plain(str(error)))
        return
    if not found:
        st.info("No run has finished an epoch yet; there is nothing to compare.")
        return
    kept = [one for one in st.session_state.get(_CHOSEN, _first_two(found)) if one in found]
    st.session_state[_CHOSEN] = kept
    chosen = st.multiselect(
        "Runs", list(found), format_func=lambda one: title(found[one]), key=_CHOSEN,
        max_selections=MOST_RUNS, persist_state="session",
    )  # fmt: skip
    runs = [found[one] for one in chosen]
    if not runs:
        st.info("Choose the runs to compare.")
        return
    _show_curves(runs)
    _show_options(runs)
    _show_numbers(runs)
    _show_test([one for one in runs if one.state == "finished"])


def _first_two(found: dict[str, RunStatus]) -> list[str]:
    """The newest two that have finished, else the newest."""
    return sorted(found, key=lambda one: found[one].state != "finished")[:2]


def names_of(runs: list[RunStatus]) -> list[str]:
    """Short names: that of the model where it is the only one, else with its moment."""
    names = [one.name for one in runs]
    return [title(one) if names.count(one.name) > 1 else one.name for one in runs]


def _show_curves(runs: list[RunStatus]) -> None:
    rows = [course_of(one).of_model() for one in runs]
    span = max(row.get("epoch", 0) for of_run in rows for row in of_run)
    areas, losses = (
        [
            line
            for of_run, name in zip(rows, names_of(runs), strict=True)
            for line in member_curves(of_run, field, name)
        ]
        for field in ("validation_auroc", "validation_loss")
    )
    charts = {
        "Validation AUROC": draw_auroc(areas, span, dark=style.dark()),
        "Validation loss": draw_loss(None, losses, span, dark=style.dark()),
    }
    for column, (name, spec) in zip(st.columns(2), charts.items(), strict=True):
        column.markdown(f"**{name}**")
        column.echarts_chart(
            spec, height=HEIGHT + 60, theme=None, key=f"train-overlay-{name}",
            alt=f"{name} of the runs by epoch",
        )  # fmt: skip


def differing_options(runs: list[RunStatus]) -> dict[str, list[str]]:
    """Options in which runs differ, by name, a value a run; "–" where it has none.

    Of a run that was started in a terminal no options are known here, which is no difference.
    """
    told = [_options(one) for one in runs if one.order is not None]
    every = dict.fromkeys(key for one in told for key in one)
    values = {key: [one.get(key, "–") for one in told] for key in every}
    return {key: of_runs for key, of_runs in values.items() if len(set(of_runs)) > 1}


def _options(run: RunStatus) -> dict[str, str]:
    assert run.order is not None
    data = {"data": ", ".join(run.order.data), "snapshot": run.order.snapshot or "–"}
    options, search = run.order.options, run.order.search
    if search is not None:
        asked = search_from_json(search)
        data["search"] = f"{asked.trials} trials over {', '.join(asked.space)}"
        course = course_of(run)
        best = next((row for row in course.trials if row["number"] == course.best), None)
        if best is not None:
            options = with_values(options, best["values"])
    return {**flat(options), **data}


def _show_options(chosen: list[RunStatus]) -> None:
    runs = [one for one in chosen if one.order is not None]
    if len(runs) < 2:
        return
    st.subheader("Options that differ", anchor=False)
    if len(runs) < len(chosen):
        st.caption("Of runs that were started in a terminal the options are not known here.")
    options = differing_options(runs)
    if not options:
        st.caption("None: the runs have the same options.")
        return
    names = names_of(runs)
    st.dataframe(
        {
            "Option": list(options),
            **{name: [row[at] for row in options.values()] for at, name in enumerate(names)},
        },
        hide_index=True, key="train-options-differ", alt="Options in which the runs differ",
    )  # fmt: skip


def _show_numbers(runs: list[RunStatus]) -> None:
    st.subheader("Final numbers", anchor=False)
    rows = [row for one, name in zip(runs, names_of(runs), strict=True) for row in _rows(one, name)]
    st.dataframe(
        {key: [row[key] for row in rows] for key in rows[0]},
        hide_index=True, key="train-final", alt="Final numbers of the runs",
    )  # fmt: skip
    st.caption(
        "Means over the labels, on each run's own validation records, with 95 % intervals. "
        "Numbers of two runs may be compared only where these records are the same."
    )


def _rows(run: RunStatus, name: str) -> list[dict[str, Any]]:
    card = card_of(run)
    told = {} if card is None else card.metrics.get("macro", {})
    sets = {key: one for key, one in told.items() if isinstance(one, dict)}
    records = "–" if card is None else str(card.metrics.get("n", "–"))
    return [
        {
            "Run": name,
            "State": STATES[run.state],
            "Label set": key,
            "Labels": str(one.get("n_labels", "–")),
            "Validation records": records,
            "AUROC": _with_interval(one.get("auroc"), one.get("auroc_interval")),
            "AUPRC": _with_interval(one.get("auprc"), one.get("auprc_interval")),
            "F1": _with_interval(one.get("f1"), None),
        }
        for key, one in (sets or {"–": {}}).items()
    ]


def _with_interval(value: float | None, interval: tuple[float, float] | None) -> str:
    if value is None:
        return "–"
    return f"{value:.3f}" + ("" if not interval else f" [{interval[0]:.3f}, {interval[1]:.3f}]")


@cache
def _tests() -> Memory[RunComparison]:
    return Memory(16)


def _show_test(finished: list[RunStatus]) -> None:
    st.subheader("Paired test of two runs", anchor=False)
    if len(finished) < 2:
        st.caption("Choose two runs that have finished.")
        return
    names = dict(zip([one.id for one in finished], names_of(finished), strict=True))
    with st.container(horizontal=True, vertical_alignment="bottom", key="train-test"):
        first, second = (
            st.selectbox(
                label, list(names), index=at, format_func=lambda one: names.get(one, one),
                key=f"train-{label.lower()}-{len(names)}", width=300,
            )
            for at, label in enumerate(("First", "Second"))
        )  # fmt: skip
        asked = st.button("Test the difference", key="train-test-now", disabled=first == second)
    if first == second:
        st.caption("Choose two different runs.")
        return
    pair = [next(one for one in finished if one.id == at) for at in (first, second)]
    key = tuple((str(one.folder), _weights(one)) for one in pair)
    if not asked and key not in _tests():
        st.caption("Both are scored on the validation records that they share.")
        return
    try:
        with st.spinner("Drawing both models' records again and again …"):
            found = _tests().get(key, lambda: compare_runs([answers_of(one) for one in pair]))
    except (JobError, ValueError) as error:
        st.error(plain(str(error)))
        return
    _show_found(found, [names[first], names[second]])


def _weights(run: RunStatus) -> str:
    card = card_of(run)
    return "" if card is None else card.weights_sha256


def _show_found(found: RunComparison, names: list[str]) -> None:
    first, second = found.runs
    st.markdown(
        f"On the same {found.records} validation records, {plain(names[1])} minus "
        f"{plain(names[0])}: mean AUROC {_difference(second.auroc_gain)}, mean AUPRC "
        f"{_difference(second.auprc_gain)}. 95 % intervals; paired bootstrap."
    )
    st.dataframe(
        {
            "Label": [code for _, code in found.labels],
            "Positives": list(found.positives),
            f"AUROC, {names[0]}": [_score(one) for one in first.auroc],
            f"AUROC, {names[1]}": [_score(one) for one in second.auroc],
            "AUROC, difference": [_difference(one) for one in second.label_gains or ()],
            f"AUPRC, {names[0]}": [_score(one) for one in first.auprc],
            f"AUPRC, {names[1]}": [_score(one) for one in second.auprc],
        },
        hide_index=True, key="train-tested", alt="Scores of both runs for each label",
    )  # fmt: skip


def _score(one: Score) -> str:
    return _with_interval(one.value, one.interval)


def _difference(one: Difference | None) -> str:
    if one is None or one.difference is None or one.interval is None or one.p_value is None:
        return "not known"
    low, high = one.interval
    return f"{one.difference:+.3f} [{low:+.3f}, {high:+.3f}], p = {one.p_value:.3f}"
