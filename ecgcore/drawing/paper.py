"""The ECG on paper, at true scale.

One plotly figure whose axes are the paper: 1 mm across is 1/25 (or 1/50) s, 1 mm up is 0.1 mV at
10 mm/mV, and a millimetre is 96/25.4 CSS pixels unless the caller says otherwise. The horizontal
axis is the recording's own time and every row has a voltage axis of its own over the whole paper,
so that what one reads off by hovering is the true time and voltage, nothing is cut off at a row's
edge, and zoom and pan move grid and traces alike. The grid is the axes' own: always 1 mm and 5 mm.

To the browser voltages go in microvolts, as 16-bit numbers where each is a whole number of them
(most recorders store such steps), else as 32-bit floating point.

Every sample is drawn: no down-sampling and no line simplification, because a pacemaker spike may be
one sample long. Paper, speed, gain and calibration pulse follow Kligfield et al., Circulation
2007;115:1306-1324.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ecgcore.drawing.grid import grid_axis, sheet_layout
from ecgcore.drawing.markings import (
    DISCLAIMER,
    Highlight,
    furniture,
    highlight_elsewhere,
    highlight_shapes,
    lead_names,
    second_marks,
    small_print,
    stray_names,
)
from ecgcore.drawing.overlay import draw_overlay
from ecgcore.drawing.page import (
    CSS_PIXELS_PER_MM,
    TRACE_MM,
    Page,
    PaperOptions,
    Stretch,
    compose_page,
    latest_start,
    page_notices,
    paper_size,
)
from ecgcore.drawing.waves import WaveView, wave_legend, wave_traces
from ecgcore.explain.explanation import Explanation
from ecgcore.recording import Recording

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

# For st.plotly_chart(..., config=PAPER_CONFIG, theme=None) and Figure.to_html(config=PAPER_CONFIG).
# Dragging moves the paper and the buttons, which appear over it, zoom all axes alike; a box zoom
# would bend the scale. The wheel scrolls the page: a paper that zoomed under it would catch the
# reader on the way down and quietly leave its true scale.
PAPER_CONFIG: dict[str, Any] = {
    "displaylogo": False,
    "modeBarButtons": [["zoomIn2d", "zoomOut2d", "resetScale2d"]],
    "scrollZoom": False,
    "doubleClick": "reset",
    "responsive": False,
    "showTips": False,
}

UV_PER_MV = 1000.0
_LARGEST_INT16 = 32767
# Single precision holds 30 mV to 0.002 uV.
_SAME_UV = 0.005
# Whole uV, at least four digits, in groups of three: with a point between the groups that reads as
# mV with three decimals (0.142, -1.420), which is how the hover text shows it.
_SEPARATORS = ".."
_UV_AS_MV = "05,.0f"

__all__ = [
    "CSS_PIXELS_PER_MM",
    "DISCLAIMER",
    "PAPER_CONFIG",
    "UV_PER_MV",
    "Highlight",
    "PaperOptions",
    "WaveView",
    "draw_paper",
    "latest_start",
    "microvolts",
    "paper_size",
]


def draw_paper(
    recording: Recording,
    options: PaperOptions,
    explanation: Explanation | None = None,
    highlights: Sequence[Highlight] = (),
    waves: WaveView | None = None,
) -> Figure:
    """The recording on paper; behind the trace an explanation and marked stretches, over it the
    marks of the waves, where given.

    A highlight is (lead or None for all leads, from, to), in seconds of the recording. The figure
    has a fixed size in pixels and no margins; show it with ``PAPER_CONFIG`` and without a theme.
    Raises ValueError when the page would begin after the end of the recording.
    """
    from plotly.graph_objects import Figure

    page = compose_page(recording, options)
    traces: list[dict[str, Any]] = []
    notices = page_notices(page)
    legend = None
    if explanation is not None:
        overlay = draw_overlay(explanation, page.sheet, page.colours, options.pixels_per_mm)
        traces += [overlay.trace] if overlay.trace else []
        notices += overlay.notices
        legend = overlay.legend
    shapes = [shape for highlight in highlights for shape in highlight_shapes(page, highlight)]
    if highlights and not shapes:
        notices += (highlight_elsewhere(highlights[0]),)
    traces += [furniture(page), second_marks(page)]
    traces += [_line(page, stretch) for stretch in page.stretches if stretch.values.size]
    if waves is not None:
        traces += wave_traces(page, waves)
    legends = (legend, wave_legend(waves) if waves is not None else None)
    texts = lead_names(page) + stray_names(page) + small_print(page, legends, notices)
    layout = _layout(page) | {"shapes": shapes, "annotations": texts}
    return Figure(data=traces, layout=layout)


def microvolts(values: NDArray[np.float32]) -> NDArray[np.int16] | NDArray[np.float32]:
    """Samples in mV as uV: int16 where that loses nothing, else float32 (gaps stay NaN)."""
    scaled = values.astype(np.float64) * UV_PER_MV
    if not np.isfinite(scaled).all() or np.abs(scaled).max(initial=0.0) > _LARGEST_INT16:
        return scaled.astype(np.float32)
    whole = np.rint(scaled)
    if np.abs(scaled - whole).max(initial=0.0) > _SAME_UV:
        return scaled.astype(np.float32)
    return whole.astype(np.int16)


def _line(page: Page, stretch: Stretch) -> dict[str, Any]:
    """One stretch of trace on the voltage axis of its row."""
    return {
        "type": "scatter",
        "mode": "lines",
        "name": stretch.title,
        "x0": stretch.x0,
        "dx": stretch.dx,
        "y": microvolts(stretch.values),
        "yaxis": f"y{stretch.slot.row + 2}",
        "connectgaps": False,
        "line": {
            "color": page.colours.trace,
            "width": round(TRACE_MM * page.options.pixels_per_mm, 2),
            "simplify": False,
            "shape": "linear",
        },
        "hovertemplate": (
            f"<b>{stretch.title}</b>  %{{x:.3f}} s  %{{y:{_UV_AS_MV}}} mV<extra></extra>"
        ),
    }


def _layout(page: Page) -> dict[str, Any]:
    """Axes of exact scale, their grid, size and behaviour."""
    sheet, options, colours = page.sheet, page.options, page.colours
    # Whole pixels keep the browser from rescaling; the ranges follow, so the scale stays exact.
    width, height = (
        ceil(round(mm * options.pixels_per_mm, 6)) for mm in (sheet.width_mm, sheet.height_mm)
    )
    right_mm, top_mm = width / options.pixels_per_mm, height / options.pixels_per_mm
    layout = sheet_layout(colours, width, height) | {
        "separators": _SEPARATORS,
        "hoverdistance": 12,
        "hoverlabel": {
            "bgcolor": colours.paper,
            "bordercolor": colours.quiet_text,
            "font": page.font(2.9, colours.text),
        },
        "modebar": {
            "orientation": "v",
            "bgcolor": colours.veil,
            "color": colours.quiet_text,
            "activecolor": colours.text,
        },
        "uirevision": _revision(page),
        "xaxis": grid_axis(
            colours,
            (sheet.seconds_at(0), sheet.seconds_at(right_mm)),
            1 / sheet.speed,
            options.pixels_per_mm,
        )
        | {"tick0": sheet.start},
        "yaxis": grid_axis(colours, (0.0, top_mm), 1.0, options.pixels_per_mm) | {"tick0": 0.0},
    }
    for row, base in enumerate(sheet.baselines):
        layout[f"yaxis{row + 2}"] = {
            "overlaying": "y",
            "range": [
                -base / sheet.gain * UV_PER_MV,
                (top_mm - base) / sheet.gain * UV_PER_MV,
            ],
            "visible": False,
        }
    return layout


def _revision(page: Page) -> str:
    """Zoom and pan survive a rerun as long as these stay."""
    recording, options = page.recording, page.options
    return "|".join(
        str(part)
        for part in (
            recording.record_id,
            recording.source.sha256,
            options.layout,
            options.rhythm_leads,
            options.speed,
            options.gain,
            options.start,
            options.pixels_per_mm,
            page.sheet.height_mm,
        )
    )
