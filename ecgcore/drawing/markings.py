"""What is printed on the paper besides the traces: names, scale, pulses, notices, marked parts."""

from __future__ import annotations

from html import escape
from math import ceil
from typing import Any

import numpy as np

from ecgcore.drawing.layout import CALIBRATION_MV, CALIBRATION_SECONDS, MAJOR_MM
from ecgcore.drawing.page import TRACE_MM, Page, Stretch
from ecgcore.drawing.palette import Palette
from ecgcore.recording import standard_lead

DISCLAIMER = "Research use only; not a medical device"
Highlight = tuple[str | None, float, float]

_NAME_FONT_MM = 3.5
_TEXT_FONT_MM = 2.8
_SMALL_FONT_MM = 2.4
# Characters of notices that fit beside the recording's name.
_LONGEST_LINE = 90
_NOTICES_AT = 0.36  # of the paper's width
_WAVE_LEGEND_AT = 0.27


def furniture(page: Page) -> dict[str, Any]:
    """Calibration pulses and the marks between columns: one line with gaps, in s and mm."""
    sheet = page.sheet
    xs: list[float] = []
    ys: list[float] = []
    pulse = CALIBRATION_MV * sheet.gain
    end = MAJOR_MM + CALIBRATION_SECONDS * sheet.speed
    for base in sheet.baselines:
        xs += [MAJOR_MM - 2, MAJOR_MM, MAJOR_MM, end, end, end + 2, np.nan]
        ys += [base, base, base + pulse, base + pulse, base, base, np.nan]
    for slot in sheet.slots:
        if slot.start > sheet.start:
            border, base = sheet.x_mm(slot.start), sheet.baselines[slot.row]
            for room in (sheet.above_mm, -sheet.below_mm):
                xs += [border, border, np.nan]
                ys += [base + 0.35 * room, base + 0.52 * room, np.nan]
    return {
        "type": "scatter",
        "mode": "lines",
        "name": "calibration 1 mV, 0.2 s",
        "x": np.array([sheet.seconds_at(x) for x in xs]),
        "y": np.array(ys, dtype=np.float32),
        "hoverinfo": "skip",
        "line": {
            "color": page.colours.trace,
            "width": round(TRACE_MM * page.options.pixels_per_mm, 2),
            "simplify": False,
        },
    }


def lead_names(page: Page) -> list[dict[str, Any]]:
    """Each slot's name at its start, on the paper (it moves with the trace)."""
    sheet = page.sheet
    return [
        {
            "x": sheet.seconds_at(sheet.x_mm(stretch.slot.start) + 1.0),
            "y": sheet.baselines[stretch.slot.row] + sheet.above_mm - 1.0,
            "xref": "x",
            "yref": "y",
            "text": f"<b>{stretch.slot.name}</b>{stretch.title.removeprefix(stretch.slot.name)}",
            "showarrow": False,
            "xanchor": "left",
            "yanchor": "top",
            "borderpad": 0,
            "font": page.font(_NAME_FONT_MM, page.colours.text),
        }
        for stretch in page.stretches
    ]


def stray_names(page: Page) -> list[dict[str, Any]]:
    """A second name at each trace that lies outside its row, where it could pass for another."""
    sheet = page.sheet
    return [
        {
            "x": sheet.seconds_at(sheet.x_mm(stretch.slot.start) + 1.0),
            "y": sheet.baselines[stretch.slot.row] + stretch.middle() * sheet.gain + 1.5,
            "xref": "x",
            "yref": "y",
            "text": f"<b>{stretch.slot.name}</b> at {stretch.middle():+.1f} mV",
            "showarrow": False,
            "xanchor": "left",
            "yanchor": "bottom",
            "borderpad": 0,
            "font": page.font(_NAME_FONT_MM, page.colours.notice),
        }
        for stretch in page.stretches
        if page.strays(stretch)
    ]


def second_marks(page: Page) -> dict[str, Any]:
    """The recording's whole seconds along the lower edge of the rows."""
    sheet = page.sheet
    seconds = list(range(ceil(sheet.start), int(sheet.stop) + 1))
    return {
        "type": "scatter",
        "mode": "text",
        "name": "seconds",
        "x": seconds,
        "y": [sheet.baselines[-1] - sheet.below_mm + 1.5] * len(seconds),
        "text": [f"{second} s" for second in seconds],
        "textfont": page.font(_SMALL_FONT_MM, page.colours.quiet_text),
        "hoverinfo": "skip",
    }


def scale_words(page: Page) -> tuple[str, str]:
    """The drawn scale; and filter, sampling rate and the part that is shown."""
    recording, options = page.recording, page.options
    stop = max(stretch.slot.stop for stretch in page.stretches)
    drawn = f"{options.speed} mm/s   {options.gain} mm/mV"
    details = (
        f"filter: {page.filtered.name} (display)   {recording.sampling_rate:g} Hz   "
        f"{page.sheet.start:.1f}–{stop:.1f} s of {recording.seconds:.1f} s"
    )
    return drawn, details


def small_print(
    page: Page, legends: tuple[str | None, str | None], notices: tuple[str, ...]
) -> list[dict[str, Any]]:
    """Scale, filter, disclaimer and legends below, the recording and the notices above.

    ``legends`` are of the evidence and of the wave marks, None without any.
    """
    recording, sheet = page.recording, page.sheet
    drawn, details = scale_words(page)
    scale = f"<b>{drawn}</b>   {escape(details, quote=False)}"
    who = escape(recording.record_id[:60], quote=False)
    if recording.recorded_at is not None:
        who += f"   {recording.recorded_at:%Y-%m-%d %H:%M}"
    lines = [
        _fixed_text(page, 8.5, "left", scale, page.colours.text),
        _fixed_text(page, 4.0, "left", DISCLAIMER, page.colours.quiet_text),
        _fixed_text(page, sheet.height_mm - 3.5, "left", who, page.colours.quiet_text),
    ]
    evidence, waves = legends
    if evidence:
        lines.append(_fixed_text(page, 8.5, "right", evidence, page.colours.text))
    if waves:  # between the disclaimer and the evidence's colour bar
        legend = _fixed_text(page, 4.0, "left", waves, page.colours.text)
        lines.append(legend | {"x": _WAVE_LEGEND_AT})
    if notices:
        together = "   ·   ".join(notices)
        text = together if len(together) < _LONGEST_LINE else "<br>".join(notices)
        top = _fixed_text(page, sheet.height_mm - 1.2, "left", text, page.colours.notice)
        # In the left half, which a narrow window shows too, beside the recording's name.
        lines.append(top | {"x": _NOTICES_AT, "yanchor": "top", "text": f"<b>{text}</b>"})
    return lines


def _fixed_text(page: Page, height_mm: float, side: str, text: str, colour: str) -> dict[str, Any]:
    """A line of text that stays where it is under zoom and pan."""
    from_left = MAJOR_MM if side == "left" else page.sheet.width_mm - MAJOR_MM
    return {
        "x": from_left / page.sheet.width_mm,
        "y": height_mm / page.sheet.height_mm,
        "xref": "paper",
        "yref": "paper",
        "text": text,
        "showarrow": False,
        "xanchor": side,
        "yanchor": "middle",
        "align": side,
        "borderpad": 1,
        "bgcolor": page.colours.veil,
        "font": page.font(_TEXT_FONT_MM, colour),
    }


def highlight_shapes(page: Page, highlight: Highlight) -> list[dict[str, Any]]:
    """A box around the stretch wherever its lead is on the page; around all rows for no lead."""
    lead, begin, end = highlight
    sheet = page.sheet
    if lead is None:
        left, right = max(begin, sheet.start), min(end, sheet.stop)
        if right < left:
            return []
        bottom, top = sheet.baselines[-1] - sheet.below_mm, sheet.baselines[0] + sheet.above_mm
        return [_box(page, (left, right), (bottom, top))]
    wanted = standard_lead(lead.removeprefix("-"))
    shapes = []
    for stretch in page.stretches:
        slot = stretch.slot
        left, right = max(begin, slot.start), min(end, slot.stop)
        if slot.lead == wanted and left <= right:
            base = sheet.baselines[slot.row]
            low, high = _reach_mm(page, stretch, left, right)
            bottom, top = min(low, 1 - sheet.below_mm), max(high, sheet.above_mm - 1)
            shapes.append(_box(page, (left, right), (base + bottom, base + top)))
    return shapes


def _reach_mm(page: Page, stretch: Stretch, left: float, right: float) -> tuple[float, float]:
    """How far a trace goes below and above its line between two times, in mm, with a little room:
    a tall wave leaves its row, and the box goes with it."""
    first, last = (round((at - stretch.x0) / stretch.dx) for at in (left, right))
    values = stretch.values[max(0, first) : last + 1]
    values = values[np.isfinite(values)]
    if not values.size:
        return 0.0, 0.0
    low, high = (float(value) * page.sheet.gain for value in (values.min(), values.max()))
    return low - 1.0, high + 1.0


def _box(page: Page, across: tuple[float, float], up: tuple[float, float]) -> dict[str, Any]:
    """A filled, outlined box behind the trace, in s and mm."""
    return {
        "type": "rect",
        "layer": "between",
        "xref": "x",
        "yref": "y",
        "x0": across[0],
        "x1": across[1],
        "y0": up[0],
        "y1": up[1],
        "fillcolor": page.colours.highlight_fill,
        "line": {"color": page.colours.highlight, "width": 0.4 * page.options.pixels_per_mm},
    }


def highlight_elsewhere(highlight: Highlight) -> str:
    lead, begin, end = highlight
    where = f"{escape(lead)} " if lead else ""
    return f"{where}{begin:.2f}–{end:.2f} s is not on this page: try 12x1"


def disclaimer_below(colours: Palette) -> dict[str, Any]:
    """The disclaimer under a chart, as an annotation of plotly."""
    return {
        "text": DISCLAIMER,
        "x": 0.0,
        "y": 0.0,
        "yshift": -80,
        "xref": "paper",
        "yref": "paper",
        "xanchor": "left",
        "yanchor": "bottom",
        "showarrow": False,
        "font": {"size": 11, "color": colours.quiet_text},
    }
