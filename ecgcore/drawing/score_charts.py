"""How good a model is, as charts: precision over recall, ROC, thresholds, calibration, labels.

The figures of the five papers and of a calibration report, from values: CNN-TE's precision-recall
curves and its thresholds against the share of positives, ROC curves, F1 over the threshold, the
reliability diagram, and how often labels come together. Curves differ by dash as well as by
colour; the colours are those of the paper (Okabe-Ito, 3:1 on it).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from ecgcore.drawing.grid import FONT_FAMILY
from ecgcore.drawing.markings import disclaimer_below
from ecgcore.drawing.palette import Palette, palette

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_WIDTH, _HEIGHT = 640, 520
_CELL, _LEAST_CELLS_PX, _MOST_CELLS_PX = 22, 260, 900
_DASHES = ("solid", "dash", "dot", "dashdot", "longdash")
_SYMBOLS = ("circle", "square", "diamond", "triangle-up", "x")
_FULL = (-0.02, 1.02)

Values = NDArray[np.floating]
Corner = Literal["top left", "top right", "bottom left", "bottom right", "above"]


@dataclass(frozen=True)
class ScoreCurve:
    """One line of a chart: its name, and ``x`` and ``y`` (points,)."""

    name: str
    x: Values
    y: Values

    def __post_init__(self) -> None:
        if self.x.ndim != 1 or self.x.shape != self.y.shape:
            raise ValueError(
                f"curve {self.name!r} of x {self.x.shape} and y {self.y.shape}; "
                "give as many of both, in one row"
            )


@dataclass(frozen=True)
class ScoreMark:
    """A point on a curve, as the one of a threshold: ``name`` says which."""

    name: str
    x: float
    y: float


def draw_precision_recall(
    curves: Sequence[ScoreCurve], marks: Sequence[ScoreMark] = (), *, dark: bool = False
) -> Figure:
    """Precision (``y``) over recall (``x``), with falling recall as scikit-learn gives them."""
    colours = palette(dark)
    hover = "recall %{x:.3f}<br>precision %{y:.3f}"
    traces = [*_lines(colours, curves, "hv", hover), *_marks(colours, marks, hover)]
    axes = _axis(colours, "recall (share of positives found, 0 to 1)", _FULL)
    up = _axis(colours, "precision (share of answers that are right, 0 to 1)", _FULL)
    return _figure(colours, "Precision and recall", traces, axes, up)


def draw_roc(
    curves: Sequence[ScoreCurve], marks: Sequence[ScoreMark] = (), *, dark: bool = False
) -> Figure:
    """Sensitivity (``y``) over 1 - specificity (``x``), and the diagonal of chance."""
    colours = palette(dark)
    hover = "1 − specificity %{x:.3f}<br>sensitivity %{y:.3f}"
    lines = _lines(colours, curves, "linear", hover)
    traces = [_diagonal(colours, "chance"), *lines, *_marks(colours, marks, hover)]
    axes = _axis(colours, "1 − specificity (share of negatives flagged, 0 to 1)", _FULL)
    up = _axis(colours, "sensitivity (share of positives flagged, 0 to 1)", _FULL)
    return _figure(colours, "Receiver operating characteristic", traces, axes, up)


def draw_thresholds(
    label: str,
    threshold: Values,
    scores: Mapping[str, Values],
    chosen: float | None,
    *,
    dark: bool = False,
) -> Figure:
    """``scores`` by name (F1, precision, recall) over the threshold, (thresholds,) each.

    The ``chosen`` threshold is a vertical line with its value.
    """
    colours = palette(dark)
    curves = [ScoreCurve(name, threshold, values) for name, values in scores.items()]
    traces = _lines(colours, curves, "vh", "threshold %{x:.3f}<br>%{y:.3f}")
    figure = _figure(
        colours,
        f"Scores over the threshold: {label}",
        traces,
        _axis(colours, "threshold (probability, 0 to 1)", _FULL),
        _axis(colours, "score (0 to 1)", _FULL),
    )
    if chosen is not None:
        figure.add_vline(
            x=chosen,
            line={"color": colours.text, "width": 1.5, "dash": "dash"},
            annotation={
                "text": f"threshold {chosen:.3f}",
                "y": 0.02,
                "yanchor": "bottom",
                "xanchor": "left" if chosen < 0.5 else "right",
                "bgcolor": colours.veil,
                "font": {"size": 12, "color": colours.text},
            },
        )
    return figure


def draw_reliability(
    names: Sequence[str],
    mean_probability: Sequence[Values],
    share_positive: Sequence[Values],
    count: Sequence[NDArray[np.integer]],
    *,
    dark: bool = False,
) -> Figure:
    """What came true over what was said, (bins,) each for every name; empty bins are left out.

    A marker's area grows with its records; the diagonal is a model that means what it says.
    """
    colours = palette(dark)
    traces = [_diagonal(colours, "perfect")]
    most = max((int(counts.max()) for counts in count if counts.size), default=1)
    rows = zip(names, mean_probability, share_positive, count, strict=True)
    for place, (name, said, came, counts) in enumerate(rows):
        filled = counts > 0
        curve = ScoreCurve(name, said[filled], came[filled])
        trace = _line(colours, place, curve, "linear", "said %{x:.3f}<br>came true %{y:.3f}")
        trace["mode"] = "lines+markers"
        trace["cliponaxis"] = False
        trace["customdata"] = counts[filled].astype(np.int32)
        trace["hovertemplate"] = (
            f"<b>{escape(name)}</b><br>said %{{x:.3f}}<br>came true %{{y:.3f}}<br>"
            "%{customdata} recordings<extra></extra>"
        )
        trace["marker"] = {
            "color": _colours(colours)[place % len(_colours(colours))],
            "symbol": _SYMBOLS[place % len(_SYMBOLS)],
            "size": (5 + 15 * np.sqrt(counts[filled] / max(most, 1))).astype(np.float32),
        }
        traces.append(trace)
    axes = _axis(colours, "mean probability (0 to 1)", _FULL)
    up = _axis(colours, "share of positives (0 to 1)", _FULL)
    return _figure(colours, "Reliability (marker area: recordings)", traces, axes, up)


def compact(figure: Figure, width: int, height: int, legend: Corner) -> Figure:
    """The same chart in less room, its legend in a corner of the plot that its curves leave, or
    above the plot."""
    up, side = ("bottom", "right") if legend == "above" else legend.split()
    figure.update_layout(
        width=width,
        height=height,
        margin={"l": 60, "r": 12, "t": 60 if legend == "above" else 42, "b": 78},
        title={"font": {"size": 14}, "y": 1 - 10 / height, "yanchor": "top"},
        legend={
            "x": 0.02 if side == "left" else 0.98,
            "xanchor": side,
            "y": 1.01 if legend == "above" else 0.98 if up == "top" else 0.02,
            "yanchor": up,
            "orientation": "h" if legend == "above" else "v",
            "font": {"size": 11},
        },
    )
    figure.update_xaxes(title={"font": {"size": 12}})
    figure.update_yaxes(title={"font": {"size": 12}})
    figure.layout.annotations[0].yshift = -70
    return figure


def draw_threshold_prevalence(
    codes: Sequence[str],
    prevalence: Values,
    threshold: Values,
    correlation: float | None,
    *,
    dark: bool = False,
) -> Figure:
    """The threshold of each label over its share of positives, (labels,) in 0..1 each.

    The share is drawn in per cent on a logarithmic axis; labels without either are left out.
    """
    colours = palette(dark)
    there = np.isfinite(prevalence) & np.isfinite(threshold) & (prevalence > 0)
    points = {
        "type": "scatter",
        "mode": "markers+text",
        "name": "labels",
        "x": (100 * prevalence[there]).astype(np.float32),
        "y": threshold[there].astype(np.float32),
        "text": [escape(code) for code, shown in zip(codes, there, strict=True) if shown],
        "textposition": "top center",
        "textfont": {"size": 11, "color": colours.text},
        "marker": {"color": colours.waves["P"], "size": 8},
        "hovertemplate": "<b>%{text}</b><br>%{x:.2f} % positive<br>threshold %{y:.3f}"
        "<extra></extra>",
    }
    said = "no correlation" if correlation is None else f"Pearson r = {correlation:.2f}"
    axes = _axis(colours, "share of positives (%, logarithmic)") | {"type": "log"}
    up = _axis(colours, "threshold (probability, 0 to 1)", (-0.02, 1.08))
    return _figure(colours, f"Threshold and prevalence: {said}", [points], axes, up)


def draw_co_occurrence(
    codes: Sequence[str], counts: NDArray[np.integer], *, dark: bool = False
) -> Figure:
    """Of the recordings with the row's label, the per cent that also have the column's.

    ``counts`` (labels, labels) holds the recordings with both, those of a label on the diagonal.
    Rows without a recording are empty. Raises ValueError for another shape.
    """
    if counts.shape != (len(codes), len(codes)):
        raise ValueError(f"counts {counts.shape} of {len(codes)} labels; give a square of them")
    colours = palette(dark)
    own = np.diagonal(counts)[:, None].astype(np.float64)
    share = np.where(own > 0, 100 * counts / np.maximum(own, 1), np.nan)
    names = [escape(code) for code in codes]
    squares = {
        "type": "heatmap",
        "x": names,
        "y": names,
        "z": share.astype(np.float32),
        "customdata": counts.astype(np.int32),
        "zmin": 0.0,
        "zmax": 100.0,
        "colorscale": colours.rising(),
        "hoverongaps": False,
        "hovertemplate": "%{y} and %{x}: %{customdata} recordings, %{z:.1f} % of %{y}"
        "<extra></extra>",
        "colorbar": {
            "title": {"text": "% of the row's recordings", "side": "right"},
            "tickfont": {"color": colours.text},
        },
    }
    side = min(_MOST_CELLS_PX, max(_LEAST_CELLS_PX, _CELL * len(codes)))
    axes = _axis(colours, "also labelled (code)") | {"type": "category", "showgrid": False}
    up = _axis(colours, "labelled (code)")
    up |= {"type": "category", "showgrid": False, "autorange": "reversed"}
    figure = _figure(colours, "Labels that come together", [squares], axes, up)
    figure.update_layout(width=side + 260, height=side + 170)
    return figure


def _colours(colours: Palette) -> tuple[str, ...]:
    return (*colours.waves.values(), colours.trace)


def _lines(
    colours: Palette, curves: Sequence[ScoreCurve], shape: str, hover: str
) -> list[dict[str, Any]]:
    return [_line(colours, place, curve, shape, hover) for place, curve in enumerate(curves)]


def _line(
    colours: Palette, place: int, curve: ScoreCurve, shape: str, hover: str
) -> dict[str, Any]:
    """The curve in the next colour and dash; twenty differ."""
    colour = _colours(colours)[place % len(_colours(colours))]
    return {
        "type": "scatter",
        "mode": "lines",
        "name": escape(curve.name),
        "x": curve.x.astype(np.float32),
        "y": curve.y.astype(np.float32),
        "line": {
            "color": colour,
            "width": 2,
            "dash": _DASHES[place % len(_DASHES)],
            "shape": shape,
        },
        "hovertemplate": f"<b>{escape(curve.name)}</b><br>{hover}<extra></extra>",
    }


def _marks(colours: Palette, marks: Sequence[ScoreMark], hover: str) -> list[dict[str, Any]]:
    """Open symbols that differ in shape, ringed in the colour of the text."""
    return [
        {
            "type": "scatter",
            "mode": "markers",
            "cliponaxis": False,
            "name": escape(mark.name),
            "x": np.array([mark.x], dtype=np.float32),
            "y": np.array([mark.y], dtype=np.float32),
            "marker": {
                "symbol": ("circle", "diamond", "square", "triangle-up")[place % 4],
                "size": 13,
                "color": colours.paper,
                "line": {"color": _colours(colours)[(place + 1) % 4], "width": 3},
            },
            "hovertemplate": f"<b>{escape(mark.name)}</b><br>{hover}<extra></extra>",
        }
        for place, mark in enumerate(marks)
    ]


def _diagonal(colours: Palette, name: str) -> dict[str, Any]:
    ends = np.array([0.0, 1.0], dtype=np.float32)
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": ends,
        "y": ends,
        "hoverinfo": "skip",
        "line": {"color": colours.quiet_text, "width": 1, "dash": "dot"},
    }


def _axis(colours: Palette, title: str, ends: tuple[float, float] | None = None) -> dict[str, Any]:
    axis = {
        "title": {"text": title, "font": {"size": 13, "color": colours.text}},
        "tickfont": {"size": 11, "color": colours.text},
        "gridcolor": colours.minor_grid,
        "linecolor": colours.quiet_text,
        "showline": True,
        "zeroline": False,
        "automargin": True,
    }
    return axis if ends is None else axis | {"range": list(ends)}


def _figure(
    colours: Palette,
    title: str,
    traces: list[dict[str, Any]],
    across: dict[str, Any],
    up: dict[str, Any],
) -> Figure:
    """Traces on two axes, with a title, a legend and what the chart must not be taken for."""
    from plotly.graph_objects import Figure
    from plotly.graph_objs.layout import Template

    return Figure(
        data=traces,
        layout={
            "template": Template(),
            "width": _WIDTH,
            "height": _HEIGHT,
            "margin": {"l": 70, "r": 20, "t": 50, "b": 95},
            "paper_bgcolor": colours.paper,
            "plot_bgcolor": colours.paper,
            "font": {"family": FONT_FAMILY, "color": colours.text},
            "title": {"text": f"<b>{escape(title)}</b>", "font": {"size": 15}, "x": 0.02},
            "showlegend": len(traces) > 1,
            "legend": {"bgcolor": colours.veil, "font": {"size": 12}},
            "xaxis": across,
            "yaxis": up,
            "annotations": [disclaimer_below(colours)],
        },
    )
