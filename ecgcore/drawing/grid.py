"""ECG paper for plotly: a sheet of fixed size, and its grid of 1 and 5 mm as an axis."""

from __future__ import annotations

from typing import Any

from ecgcore.drawing.layout import MAJOR_MM
from ecgcore.drawing.palette import Palette

FONT_FAMILY = "Inter, 'Source Sans 3', 'Helvetica Neue', Arial, sans-serif"
THIN_MM = 0.13


def sheet_layout(colours: Palette, width: int, height: int) -> dict[str, Any]:
    """A plotly layout of fixed size in pixels without margins, so that its scale stays true."""
    from plotly.graph_objs.layout import Template

    return {
        "template": Template(),
        "width": width,
        "height": height,
        "autosize": False,
        "margin": {"l": 0, "r": 0, "t": 0, "b": 0, "pad": 0, "autoexpand": False},
        "paper_bgcolor": colours.paper,
        "plot_bgcolor": colours.paper,
        "font": {"family": FONT_FAMILY},
        "showlegend": False,
        "dragmode": "pan",
        "hovermode": "closest",
    }


def grid_axis(
    colours: Palette, ends: tuple[float, float], millimetre: float, pixels_per_mm: float
) -> dict[str, Any]:
    """An axis whose own grid is the paper: fixed steps of 1 and 5 mm at every zoom.

    ``ends`` are the axis' first and last value, ``millimetre`` is one millimetre in its unit.
    """
    thin = max(0.5, THIN_MM * pixels_per_mm)
    return {
        "range": list(ends),
        "showgrid": True,
        "gridcolor": colours.major_grid,
        "gridwidth": 2 * thin,
        "tickmode": "linear",
        "dtick": MAJOR_MM * millimetre,
        "minor": {
            "tickmode": "linear",
            "dtick": millimetre,
            "showgrid": True,
            "gridcolor": colours.minor_grid,
            "gridwidth": thin,
        },
        "showticklabels": False,
        "ticks": "",
        "zeroline": False,
        "showline": False,
    }
