"""How training runs go, as charts: loss, validation AUROC and learning rate over the epochs.

Option objects of Apache ECharts, from values: a chart that changes every second must change in
place, which Streamlit's Plotly element does not do (it is mounted anew for every new figure).
Nothing is animated, the axis of epochs spans the whole run from its start, and lines differ by
dash as well as by colour (Okabe-Ito).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecgcore.drawing.palette import Palette, palette

Spec = dict[str, Any]
MOST_POINTS = 600
"""A line of more is drawn by the means of as many stretches."""
HEIGHT = 260

_DASHES = ("solid", "dashed", "dotted")
_SYMBOLS = ("circle", "rect", "triangle", "diamond", "pin")


@dataclass(frozen=True)
class Curve:
    """A line: its name, and ``x`` and ``y`` (points,); NaN is a gap."""

    name: str
    x: NDArray[np.floating]
    y: NDArray[np.floating]
    faint: bool = False

    def __post_init__(self) -> None:
        if self.x.ndim != 1 or self.x.shape != self.y.shape:
            raise ValueError(f"curve {self.name!r} of x {self.x.shape} and y {self.y.shape}")


def curve_of(name: str, points: Sequence[tuple[float, float | None]]) -> Curve:
    """A curve from (x, y); None is a gap."""
    told = [(x, np.nan if y is None else y) for x, y in points]
    values = np.array(told, dtype=np.float64).reshape(-1, 2)
    return Curve(name, values[:, 0], values[:, 1])


def draw_loss(
    each: Curve | None, by_epoch: Sequence[Curve], epochs: int, *, dark: bool = False
) -> Spec:
    """The loss of each step, faint, and the means of each epoch, over the epochs."""
    lines = [*([each] if each is not None else []), *by_epoch]
    return _chart(lines, "loss (mean a recording)", epochs, dark=dark)


def draw_auroc(curves: Sequence[Curve], epochs: int, *, dark: bool = False) -> Spec:
    """Mean AUROC on the validation records after each epoch."""
    values = np.concatenate([np.array([0.5]), *(curve.y for curve in curves)])
    low = np.floor(10 * np.nanmin(values)) / 10
    return _chart(curves, "validation AUROC (0 to 1)", epochs, dark=dark, ends=(float(low), 1.0))


def draw_rate(curves: Sequence[Curve], epochs: int, *, dark: bool = False) -> Spec:
    """The learning rate at the end of each epoch."""
    return _chart(curves, "learning rate", epochs, dark=dark)


def thinned(curve: Curve, most: int = MOST_POINTS) -> Curve:
    """A curve of at most ``most`` points: the means of stretches alike in number of points."""
    if len(curve.x) <= most:
        return curve
    edges = np.linspace(0, len(curve.x), most + 1).astype(int)[:-1]
    counts = np.diff(np.append(edges, len(curve.x)))
    x, y = (np.add.reduceat(values, edges) / counts for values in (curve.x, curve.y))
    return Curve(curve.name, x, y, curve.faint)


def _chart(
    curves: Sequence[Curve],
    title: str,
    epochs: int,
    *,
    dark: bool,
    ends: tuple[float, float] | None = None,
) -> Spec:
    colours = palette(dark)
    up = {"type": "value", "scale": True, **_axis(colours, title)}
    up |= {"nameLocation": "end", "nameTextStyle": _name(colours, "left")}
    if ends is not None:
        up |= {"min": ends[0], "max": ends[1]}
    across = {"type": "value", "min": 0, "max": max(epochs, 1), "minInterval": 1}
    across |= _axis(colours, "epoch") | {"nameLocation": "middle", "nameGap": 26}
    return {
        "animation": False,
        "aria": {"enabled": True},
        "color": list(_colours(colours)),
        "grid": {"left": 52, "right": 16, "top": 64 if len(curves) > 1 else 40, "bottom": 46},
        "legend": {
            "show": len(curves) > 1, "type": "scroll", "top": 0, "left": 0, "itemWidth": 26,
            "textStyle": {"color": colours.text, "fontSize": 12},
        },
        "tooltip": {"trigger": "axis", "confine": True, "valueFormatter": "%.4g"},
        "xAxis": across,
        "yAxis": up,
        "series": [_line(place, thinned(curve), colours) for place, curve in enumerate(curves)],
    }  # fmt: skip


def _line(place: int, curve: Curve, colours: Palette) -> Spec:
    colour = colours.quiet_text if curve.faint else _colours(colours)[place % _count(colours)]
    few = len(curve.x) <= 60 and not curve.faint
    return {
        "name": curve.name,
        "type": "line",
        "showSymbol": few,
        "symbol": _SYMBOLS[place % len(_SYMBOLS)],
        "symbolSize": 6,
        "itemStyle": {"color": colour},
        "lineStyle": {
            "color": colour,
            "width": 1 if curve.faint else 2,
            "opacity": 0.55 if curve.faint else 1,
            "type": "solid" if curve.faint else _DASHES[place % len(_DASHES)],
        },
        "data": [
            [round(float(x), 4), float(f"{y:.6g}") if np.isfinite(y) else None]
            for x, y in zip(curve.x, curve.y, strict=True)
        ],
    }


def _axis(colours: Palette, title: str) -> Spec:
    return {
        "name": title,
        "nameTextStyle": _name(colours, "center"),
        "axisLabel": {"color": colours.text, "fontSize": 11},
        "axisLine": {"show": True, "lineStyle": {"color": colours.quiet_text}},
        "splitLine": {"lineStyle": {"color": colours.minor_grid}},
    }


def _name(colours: Palette, align: str) -> Spec:
    return {"color": colours.text, "fontSize": 12, "align": align}


def _colours(colours: Palette) -> tuple[str, ...]:
    return (*colours.waves.values(), colours.highlight, colours.trace)


def _count(colours: Palette) -> int:
    return len(_colours(colours))
