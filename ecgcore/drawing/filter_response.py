"""What the temporal filters of a network let through, over the frequency.

One panel a kernel length, side by side on the same axes: gain in decibels below each filter's own
maximum, over the frequency in Hz on a logarithmic axis. The band that the input holds at all is
shaded: outside it a filter has nothing to let through. Lines differ by dash as well as by colour.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ecgcore.drawing.grid import FONT_FAMILY
from ecgcore.drawing.markings import disclaimer_below
from ecgcore.drawing.palette import Palette, palette
from ecgcore.explain.explanation import FilterResponses

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

LOWEST_DECIBELS = -40.0
_LOWEST_HZ, _BEYOND = 0.3, 1.5
"""The axis ends so far beyond the input's band: what is above takes no part in any answer."""
_DASHES = ("solid", "dash", "dot", "dashdot", "longdash")
_PANEL, _HEIGHT, _GAP = 318, 400, 0.03


def draw_filter_responses(value: FilterResponses, *, dark: bool = False) -> Figure:
    """The figure; filters of one kernel length share a panel."""
    from plotly.graph_objects import Figure
    from plotly.graph_objs.layout import Template

    colours = palette(dark)
    lengths = sorted(set(value.kernels))
    width = (1 - _GAP * (len(lengths) - 1)) / len(lengths)
    layout: dict[str, Any] = {}
    traces: list[dict[str, Any]] = []
    notes = [disclaimer_below(colours)]
    for panel, length in enumerate(lengths):
        left = panel * (width + _GAP)
        end = "" if panel == 0 else str(panel + 1)
        layout |= _axes(value, colours, end, (left, left + width), first=panel == 0)
        traces += _panel(value, colours, length, end)
        notes.append(_title(value, colours, length, left + width / 2))
    return Figure(
        data=traces,
        layout={
            "template": Template(),
            "width": 90 + _PANEL * len(lengths),
            "height": _HEIGHT,
            "margin": {"l": 70, "r": 20, "t": 50, "b": 95},
            "paper_bgcolor": colours.paper,
            "plot_bgcolor": colours.paper,
            "font": {"family": FONT_FAMILY, "color": colours.text},
            "showlegend": False,
            "annotations": notes,
            "shapes": [_band(value, colours, panel) for panel in range(len(lengths))],
            **layout,
        },
    )


def decibels(gain: NDArray[np.float64]) -> NDArray[np.float64]:
    """Gain (filters, frequencies) in dB below each filter's own maximum, never below the chart."""
    most = np.maximum(gain.max(axis=1, keepdims=True), np.finfo(np.float64).tiny)
    share = np.maximum(gain / most, 10 ** (LOWEST_DECIBELS / 20))
    return np.asarray(20 * np.log10(share))


def _panel(value: FilterResponses, colours: Palette, length: int, end: str) -> list[dict[str, Any]]:
    """The lines of the filters of one kernel length, at frequencies that the axis shows."""
    shown = value.frequencies > 0
    level = decibels(value.gain)
    hues = (*colours.waves.values(), colours.trace)
    mine = [place for place, kernel in enumerate(value.kernels) if kernel == length]
    return [
        {
            "type": "scatter",
            "mode": "lines",
            "name": f"filter {place + 1}",
            "x": value.frequencies[shown].astype(np.float32),
            "y": level[place][shown].astype(np.float32),
            "xaxis": f"x{end}",
            "yaxis": f"y{end}",
            "line": {
                "color": hues[number % len(hues)],
                "dash": _DASHES[number % len(_DASHES)],
                "width": 1.6,
            },
            "hovertemplate": f"<b>filter {place + 1}</b>, most at {value.peaks[place]:.1f} Hz<br>"
            "%{x:.1f} Hz: %{y:.1f} dB<extra></extra>",
        }
        for number, place in enumerate(mine)
    ]


def _axes(
    value: FilterResponses,
    colours: Palette,
    end: str,
    domain: tuple[float, float],
    first: bool,
) -> dict[str, Any]:
    common = {
        "tickfont": {"size": 11, "color": colours.text},
        "gridcolor": colours.minor_grid,
        "linecolor": colours.quiet_text,
        "showline": True,
        "zeroline": False,
    }
    font = {"size": 13, "color": colours.text}
    highest = min(value.sampling_rate / 2, _BEYOND * value.band[1])
    return {
        f"xaxis{end}": common
        | {
            "type": "log",
            "domain": list(domain),
            "anchor": f"y{end}",
            "range": [float(np.log10(_LOWEST_HZ)), float(np.log10(highest))],
            "tickvals": [
                hertz for hertz in (0.5, 1, 2, 5, 10, 20, 50, 100, 200) if hertz < highest
            ],
            "title": {"text": "frequency (Hz, logarithmic)", "font": font},
        },
        f"yaxis{end}": common
        | {
            "anchor": f"x{end}",
            "range": [LOWEST_DECIBELS, 2.0],
            "showticklabels": first,
            "title": {"text": "gain (dB, 0 = the filter’s most)" if first else "", "font": font},
        },
    }


def _band(value: FilterResponses, colours: Palette, panel: int) -> dict[str, Any]:
    """The frequencies that the input holds."""
    end = "" if panel == 0 else str(panel + 1)
    return {
        "type": "rect",
        "layer": "below",
        "xref": f"x{end}",
        "yref": f"y{end} domain",
        "x0": value.band[0],
        "x1": value.band[1],
        "y0": 0,
        "y1": 1,
        "line": {"width": 0},
        "fillcolor": colours.minor_grid,
        "opacity": 0.6,
    }


def _title(value: FilterResponses, colours: Palette, length: int, middle: float) -> dict[str, Any]:
    milliseconds = 1000 * length / value.sampling_rate
    return {
        "text": f"<b>{length} samples, {milliseconds:g} ms</b>",
        "x": middle,
        "y": 1.0,
        "yshift": 8,
        "xref": "paper",
        "yref": "paper",
        "xanchor": "center",
        "yanchor": "bottom",
        "showarrow": False,
        "font": {"size": 13, "color": colours.text},
    }
