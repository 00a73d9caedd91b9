"""The grid of ECG paper as a plotly axis: thin lines every 1 mm, thick ones every 5 mm."""

from __future__ import annotations

from typing import Any

from ecgcore.drawing.layout import MAJOR_MM
from ecgcore.drawing.palette import Palette

_THIN_MM = 0.13


def grid_axis(
    colours: Palette, ends: tuple[float, float], millimetre: float, pixels_per_mm: float
) -> dict[str, Any]:
    """An axis whose own grid is the paper: fixed steps of 1 and 5 mm at every zoom.

    ``ends`` are the axis' first and last value, ``millimetre`` is one millimetre in its unit.
    """
    thin = max(0.5, _THIN_MM * pixels_per_mm)
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
