"""Four charts of a label: ROC, precision over recall, scores over the threshold, reliability."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from ecgcore.drawing.score_charts import (
    Corner,
    ScoreCurve,
    ScoreMark,
    compact,
    draw_precision_recall,
    draw_reliability,
    draw_roc,
    draw_thresholds,
)
from ecgcore.evaluation.label_curves import LabelCurves
from ecgcore.evaluation.operating_point import OperatingPoint
from ecgcore.ui import style
from ecgcore.ui.paper_view import finish_pandas

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_CHART = (455, 385)


def show_charts(
    found: LabelCurves,
    marked: Mapping[str, OperatingPoint],
    code: str,
    places: tuple[DeltaGenerator, DeltaGenerator],
) -> None:
    """The charts in two columns; ``marked`` are points on the curves by name, the first of them the
    threshold that is looked at."""
    finish_pandas()
    dark, over, table = style.dark(), found.over_thresholds, found.reliability
    scores = {"F1": over.f1, "precision": over.precision, "recall": over.recall}
    now = next(iter(marked.values())).threshold
    roc = ScoreCurve(code, found.false_positive_rate, found.sensitivity)
    precise = ScoreCurve(code, found.recall, found.precision)
    left, right = places
    with left:
        figure = draw_roc([roc], _on_roc(marked), dark=dark)
        _chart(figure, "bottom right", "roc", f"ROC curve of {code}")
        figure = draw_thresholds(code, over.threshold, scores, now, dark=dark)
        _chart(figure, "above", "over", f"F1, precision and recall over the threshold, {code}")
    with right:
        figure = draw_precision_recall([precise], _on_precision(marked), dark=dark)
        _chart(figure, "bottom left", "pr", f"Precision over recall of {code}")
        figure = draw_reliability(
            [code], [table.mean_probability], [table.share_positive], [table.count], dark=dark
        )
        _chart(figure, "top left", "reliability", f"Reliability of {code}")


def _on_roc(marked: Mapping[str, OperatingPoint]) -> list[ScoreMark]:
    return [
        ScoreMark(name, at.false_positive_rate, at.sensitivity.value)
        for name, at in marked.items()
        if at.sensitivity.value is not None and at.false_positive_rate is not None
    ]


def _on_precision(marked: Mapping[str, OperatingPoint]) -> list[ScoreMark]:
    return [
        ScoreMark(name, at.sensitivity.value, at.ppv.value)
        for name, at in marked.items()
        if at.sensitivity.value is not None and at.ppv.value is not None
    ]


def _chart(figure: Figure, legend: Corner, key: str, alt: str) -> None:
    st.plotly_chart(
        compact(figure, *_CHART, legend),
        theme=None,
        width="content",
        key=f"scores-{key}",
        config={"displayModeBar": False},
        alt=alt,
    )
