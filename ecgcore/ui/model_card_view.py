"""The card of a model: what it must not do, its facts, and the numbers of each label."""

from __future__ import annotations

from html import escape
from typing import Any

import streamlit as st

from ecgcore.models.card import ModelCard
from ecgcore.models.card_facts import card_facts
from ecgcore.models.chosen_thresholds import ChosenThreshold
from ecgcore.ui.model_list import ROW, score_words, table_height

_SETS = {"superclasses": "Diagnostic superclasses", "statements": "Statements"}


def show_card(card: ModelCard, chosen: tuple[ChosenThreshold, ...]) -> None:
    """Limits first, then facts beside the labels' numbers."""
    limits = "".join(f"<li>{escape(limit)}</li>" for limit in card.limits)
    st.html(f'<div class="model-limits"><b>Limits</b><ul>{limits}</ul></div>')
    facts, numbers = st.columns([4, 9.4], gap="medium")
    with facts:
        st.subheader("Facts", anchor=False)
        items = "".join(
            f"<dt>{escape(name)}</dt><dd>{escape(words)}</dd>"
            for name, words in card_facts(card).items()
        )
        st.html(f'<dl class="lightbox-facts model-facts">{items}</dl>')
        if card.command:
            st.markdown("Command that trains it again")
            st.code(card.command, language="bash", wrap_lines=True)
    with numbers:
        _numbers(card, chosen)


def _numbers(card: ModelCard, chosen: tuple[ChosenThreshold, ...]) -> None:
    """A row for each label that is answered; the others folded away with their reasons."""
    rows = _metric_rows(card)
    own = {one.label: one.value for one in chosen}
    count = card.metrics.get("n")
    st.subheader("Labels", anchor=False)
    st.caption(
        "The card has no scores."
        if not rows
        else f"On {count} validation recordings; in brackets the 95 % interval (bootstrap)."
    )
    for name, title in _SETS.items():
        labels = [one for one in card.labels if one.set == name and one.answered]
        if not labels:
            continue
        told = [rows.get((name, one.code), {}) for one in labels]
        st.markdown(f"**{title}**")
        st.dataframe(
            {
                "Label": [one.code for one in labels],
                "Description": [one.description for one in labels],
                "Training": [one.n_train for one in labels],
                "Validation": [one.n_validation for one in labels],
                "AUROC": [score_words(row, "auroc") for row in told],
                "AUPRC": [score_words(row, "auprc") for row in told],
                "Sens.": [_number(row.get("sensitivity")) for row in told],
                "Spec.": [_number(row.get("specificity")) for row in told],
                "Threshold": [own.get((one.set, one.code), one.threshold) for one in labels],
                "Set by": [_set_by(chosen, one.set, one.code) for one in labels],
            },
            hide_index=True,
            height=table_height(len(labels), 14),
            row_height=ROW,
            column_config={
                "Label": st.column_config.TextColumn(width=75),
                "Description": st.column_config.TextColumn(width=150),
                "Training": st.column_config.NumberColumn(
                    width=75, help="recordings with the label in training"
                ),
                "Validation": st.column_config.NumberColumn(
                    width=80, help="recordings with the label in validation"
                ),
                "AUROC": st.column_config.TextColumn(width=145),
                "AUPRC": st.column_config.TextColumn(width=145),
                "Sens.": st.column_config.NumberColumn(
                    format="%.2f", width=60, help="sensitivity at the card's threshold"
                ),
                "Spec.": st.column_config.NumberColumn(
                    format="%.2f", width=60, help="specificity at the card's threshold"
                ),
                "Threshold": st.column_config.NumberColumn(format="%.3f", width=80),
            },
            key=f"model-labels-{name}",
            alt=f"Scores of each label, {title.lower()}",
        )
    _silent(card)


def _set_by(chosen: tuple[ChosenThreshold, ...], label_set: str, code: str) -> str:
    mine = [one for one in chosen if (one.set, one.code) == (label_set, code)]
    return f"{mine[0].by}, {mine[0].at[:10]}" if mine else "the card"


def _metric_rows(card: ModelCard) -> dict[tuple[str, str], dict[str, Any]]:
    told = card.metrics.get("labels")
    return {
        (str(row.get("set")), str(row.get("code"))): row
        for row in (told if isinstance(told, list) else ())
        if isinstance(row, dict)
    }


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _silent(card: ModelCard) -> None:
    silent = [one for one in card.labels if not one.answered]
    if not silent:
        return
    with st.expander(f"{len(silent)} labels without an answer, and why"):
        items = "".join(
            f"<dt>{escape(one.code)}</dt><dd>{escape(one.description)} "
            f'<span class="lightbox-small">{escape(one.reason or "no threshold")}</span></dd>'
            for one in silent
        )
        st.html(f'<dl class="lightbox-facts">{items}</dl>')
