"""An explanation laid under the trace of the paper.

The heat is pooled to cells of one millimetre (the largest absolute value of each stays, so that no
peak is lost) and drawn as one see-through heat map behind the trace. Where a method tells leads
apart, each lead's heat lies only behind that lead, at its own time; where it does not, one band
runs over all rows. Signed heat uses place as well as colour: evidence for the label fills the upper
half of a row, evidence against it the lower half.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from math import floor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecgcore.drawing.layout import Sheet, Slot
from ecgcore.drawing.palette import Palette
from ecgcore.explain.explanation import Explanation

CELL_MM = 1.0
_GAP_MM = 0.5
_BAR_LENGTH_MM = 60.0
_BAR_THICKNESS_MM = 2.0
_BAR_INSET_MM = 7.0
_LONGEST_NAME = 40


@dataclass(frozen=True)
class Overlay:
    """``trace`` is a plotly heat map (None: nothing to draw), ``legend`` says what its scale means.

    ``notices`` go on the paper.
    """

    trace: dict[str, Any] | None
    notices: tuple[str, ...] = ()
    legend: str | None = None


def pooled_heat(
    heat: NDArray[np.float32], sampling_rate: float, start: float, edges: NDArray[np.float64]
) -> NDArray[np.float32]:
    """The value of largest size in each cell, shape (leads, cells).

    ``heat`` is (leads, samples) at ``sampling_rate`` Hz; its sample i covers the time from
    ``start + i / sampling_rate`` to the next one. ``edges`` are the cells' rising edges in s. A
    cell that no sample touches is NaN.
    """
    samples = heat.shape[1]
    # A cell edge that lies on a sample edge up to rounding must not draw in that sample.
    touching = 1e-6
    first = np.floor((edges[:-1] - start) * sampling_rate + touching).astype(int)
    last = np.ceil((edges[1:] - start) * sampling_rate - touching).astype(int)
    cells = np.full((heat.shape[0], len(edges) - 1), np.nan, dtype=np.float32)
    for cell, (lower, upper) in enumerate(zip(first, last, strict=True)):
        part = heat[:, max(0, lower) : max(0, min(samples, upper))]
        if part.shape[1]:
            cells[:, cell] = part[np.arange(len(part)), np.abs(part).argmax(axis=1)]
    return cells


def draw_overlay(
    explanation: Explanation, sheet: Sheet, colours: Palette, pixels_per_mm: float
) -> Overlay:
    """The heat map of an explanation on a sheet, in seconds and in mm on the base axes."""
    what = _what(explanation)
    if not explanation.peak > 0 or not np.any(explanation.heat):
        return Overlay(None, (f"{what}: no map to show",))
    count = round((sheet.stop - sheet.start) * sheet.speed / CELL_MM)
    edges = np.linspace(sheet.start, sheet.stop, max(1, count) + 1)
    cells = pooled_heat(explanation.heat, explanation.sampling_rate, explanation.start, edges)
    if np.isnan(cells).all():
        return Overlay(None, (f"{what}: explains a part that is not on this page",))
    if explanation.per_lead:
        rows, heights = _lead_bands(cells, explanation, sheet, (edges[:-1] + edges[1:]) / 2)
    else:
        rows, heights = _time_band(cells[0], explanation.signed, sheet)
    trace: dict[str, Any] = {
        "type": "heatmap",
        "z": rows,
        "x": edges,
        "y": heights,
        "zmin": -1.0 if explanation.signed else 0.0,
        "zmax": 1.0,
        "colorscale": colours.diverging() if explanation.signed else colours.rising(),
        "zsmooth": False,
        "hoverinfo": "skip",
        "name": "evidence",
        "colorbar": _colour_bar(explanation, sheet, colours, pixels_per_mm),
    }
    return Overlay(trace, _window_notice(explanation, what, sheet), _legend(explanation))


def _window_notice(explanation: Explanation, what: str, sheet: Sheet) -> tuple[str, ...]:
    """Says so when the explained part does not fill the page."""
    stop = explanation.start + explanation.seconds
    slack = 1.0 / explanation.sampling_rate
    if explanation.start <= sheet.start + slack and stop >= sheet.stop - slack:
        return ()
    return (f"{what}: the model saw {explanation.start:.1f}–{stop:.1f} s",)


def _time_band(
    values: NDArray[np.float32], signed: bool, sheet: Sheet
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """One band over all rows (two, above and below the middle, for signed heat)."""
    bottom = sheet.baselines[-1] - sheet.below_mm
    top = sheet.baselines[0] + sheet.above_mm
    if not signed:
        return values[None], np.array([bottom, top])
    return np.stack(_halves(values)), np.array([bottom, (bottom + top) / 2, top])


def _lead_bands(
    cells: NDArray[np.float32],
    explanation: Explanation,
    sheet: Sheet,
    centres: NDArray[np.float64],
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """A band for each row of the page, from the lead that is drawn there at each time."""
    blank = np.full(cells.shape[1], np.nan, dtype=np.float32)
    bands: list[NDArray[np.float32]] = []
    heights: list[float] = []
    for row in reversed(range(len(sheet.baselines))):
        values = blank.copy()
        for slot in sheet.slots:
            if slot.row == row and slot.lead in explanation.leads:
                here = _within(slot, centres)
                values[here] = cells[explanation.leads.index(slot.lead), here]
        base = sheet.baselines[row]
        bottom = base - sheet.below_mm + _GAP_MM
        heights += [bottom, base] if explanation.signed else [bottom]
        heights.append(base + sheet.above_mm - _GAP_MM)
        bands += [*_halves(values), blank] if explanation.signed else [values, blank]
    return np.stack(bands[:-1]), np.array(heights)


def _within(slot: Slot, centres: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which cells belong to a slot: those whose middle it holds."""
    return np.asarray((centres >= slot.start) & (centres < slot.stop))


def _halves(values: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The negative and the positive part of signed heat, each NaN where the other one is."""
    nothing = np.float32(np.nan)
    return np.where(values < 0, values, nothing), np.where(values > 0, values, nothing)


def _legend(explanation: Explanation) -> str:
    """What the scale means, in one line."""
    what = f"evidence for {_what(explanation)}"
    together = "" if explanation.per_lead else ", all leads together"
    if explanation.signed:
        return f"{what}{together}: upper half for (+), lower half against (−); 1 = its peak"
    return f"{what}{together}: 0..1 of its peak"


def _what(explanation: Explanation) -> str:
    """Label and method, safe to print."""
    label, method = (
        escape(text[:_LONGEST_NAME], quote=False)
        for text in (explanation.label, explanation.method)
    )
    return f"{label} ({method})"


def _colour_bar(
    explanation: Explanation, sheet: Sheet, colours: Palette, pixels_per_mm: float
) -> dict[str, Any]:
    """A lying scale at the lower right, inside the paper so that nothing moves."""
    signed = explanation.signed
    return {
        "orientation": "h",
        "x": (sheet.width_mm - _BAR_INSET_MM) / sheet.width_mm,
        "xanchor": "right",
        "xpad": 0,
        "y": 2.0 / sheet.height_mm,
        "yanchor": "bottom",
        "ypad": 0,
        "lenmode": "pixels",
        "len": floor(_BAR_LENGTH_MM * pixels_per_mm),
        "thicknessmode": "pixels",
        "thickness": round(_BAR_THICKNESS_MM * pixels_per_mm),
        "outlinewidth": 1,
        "outlinecolor": colours.quiet_text,
        "bgcolor": colours.veil,
        "tickmode": "array",
        "tickvals": [-1, 0, 1] if signed else [0, 0.5, 1],
        "ticktext": ["−1", "0", "+1"] if signed else ["0", "0.5", "1"],
        "tickfont": {"size": 2.4 * pixels_per_mm, "color": colours.text},
    }
