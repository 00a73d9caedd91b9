"""How well a run tells each label, after its newest epoch."""

from __future__ import annotations

from functools import cache

import streamlit as st

from ecgcore.jobs.answers import card_of
from ecgcore.jobs.values import RunStatus
from ecgcore.labels import label_set
from ecgcore.ui.train_course import LabelCourse, is_grown, labels_now

_HEIGHT, _ROW = 300, 36
ABSENT = "not scored: the validation records are all with it, or all without it"


def show_labels(run: RunStatus, trial: int) -> None:
    """The table (of a trial of a search, 0: no search); of a fixed height, before the first epoch
    too."""
    now = labels_now(run.folder, trial)
    rows = () if now is None else now.labels
    said = "after the first epoch" if now is None else f"after epoch {now.epoch}"
    if run.live is not None and run.live.members > 1 and now is not None:
        said += f" of member {now.member}"
    said += f" of trial {trial}" if trial else ""
    _show_table(run, said, rows)


def show_labels_of_card(run: RunStatus) -> None:
    """The table of a run without epochs, once its model is judged."""
    card = card_of(run) if run.state == "finished" else None
    if card is None:
        return
    scores = {(row["set"], row["code"]): row for row in card.metrics["labels"]}
    rows = tuple(
        LabelCourse(label.set, label.code, row.get("auroc"), row.get("auprc"), ())
        for label in card.labels
        if (row := scores.get((label.set, label.code))) is not None
    )
    _show_table(run, "by its trees", rows)


def _show_table(run: RunStatus, said: str, rows: tuple[LabelCourse, ...]) -> None:
    st.html(f'<div class="lightbox-title">Labels on the validation records, {said}</div>')
    reasons = reasons_of(run)
    epochs = {} if is_grown(run) else {"AUROC by epoch, 0 to 1": [list(x.course) for x in rows]}
    st.dataframe(
        {
            "Label": [one.code for one in rows],
            "Description": [_descriptions(one.set).get(one.code, "") for one in rows],
            "AUROC": [one.auroc for one in rows],
            "AUPRC": [one.auprc for one in rows],
            **epochs,
            "Remark": [_remark(one, reasons) for one in rows],
        },
        height=_HEIGHT,
        row_height=_ROW,
        hide_index=True,
        key="train-labels",
        placeholder="–",
        column_config={
            "Label": st.column_config.TextColumn(width=90),
            "Description": st.column_config.TextColumn(width=260),
            "AUROC": st.column_config.NumberColumn(format="%.3f", width=80),
            "AUPRC": st.column_config.NumberColumn(format="%.3f", width=80),
            "AUROC by epoch, 0 to 1": st.column_config.LineChartColumn(
                y_min=0.0, y_max=1.0, width=240
            ),
            "Remark": st.column_config.TextColumn(width=620),
        },
        alt="AUROC and AUPRC of each label",
    )


def reasons_of(run: RunStatus) -> dict[tuple[str, str], str]:
    """Why a finished model does not answer for a label, by set and code."""
    card = card_of(run) if run.state == "finished" else None
    if card is None:
        return {}
    return {
        (label.set, label.code): label.reason or "too few recordings"
        for label in card.labels
        if not label.answered
    }


def _remark(one: LabelCourse, reasons: dict[tuple[str, str], str]) -> str:
    reason = reasons.get((one.set, one.code))
    if reason is not None:
        return f"not answered: {reason}"
    return ABSENT if one.auroc is None else ""


@cache
def _descriptions(name: str) -> dict[str, str]:
    return {label.code: label.description for label in label_set(name)}
