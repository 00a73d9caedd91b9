"""The median beat, large: one lead or all of them superimposed, with the global marks.

Four times the usual paper in time and twice in voltage (100 mm/s, 20 mm/mV), so that an onset can
be judged by eye; superimposed leads show why a global interval is longer than any lead's own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np

from ecgcore.drawing.grid import grid_axis, sheet_layout
from ecgcore.drawing.markings import DISCLAIMER
from ecgcore.drawing.page import CSS_PIXELS_PER_MM
from ecgcore.drawing.palette import Palette, palette
from ecgcore.drawing.waves import WAVE_DASHES
from ecgcore.recording import LIMB_LEADS, Recording
from ecgcore.signal.beats import MedianBeat
from ecgcore.signal.delineation.waves import Wave

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

SPEED_MM_S, GAIN_MM_MV = 100.0, 20.0
_ROOM_MM = 8.0
_FOOT_MM = 9.0
_LEAST_MM, _MOST_MM = 60.0, 130.0
_TRACE_MM = 0.35


def draw_median_beat(
    beat: MedianBeat,
    leads: Sequence[str],
    marks: Mapping[tuple[Wave, str], float],
    recording: Recording,
    *,
    dark: bool = False,
) -> Figure:
    """The median beat of ``leads``, superimposed.

    ``marks`` are the global marks in s from the beat's fiducial, by wave and end ("P", "onset").
    The horizontal axis is in s from the fiducial too. Raises ValueError for a lead that is not in
    the beat, or without any lead.
    """
    from plotly.graph_objects import Figure

    if not leads or any(lead not in beat.leads for lead in leads):
        known = ", ".join(beat.leads)
        raise ValueError(f"median beat of {', '.join(leads) or 'no leads'}; known: {known}")
    colours, scale = palette(dark), CSS_PIXELS_PER_MM
    rows = np.stack([beat.signal[beat.leads.index(lead)] for lead in leads])
    count = np.arange(rows.shape[1], dtype=np.float64)
    seconds = (count - beat.fiducial) / beat.sampling_rate
    low, high = _reach(rows)
    width = ceil(((seconds[-1] - seconds[0]) * SPEED_MM_S + 2 * _ROOM_MM) * scale)
    height = ceil(((high - low) * GAIN_MM_MV + _FOOT_MM) * scale)
    left = seconds[0] - _ROOM_MM / SPEED_MM_S
    bottom = low - _FOOT_MM / GAIN_MM_MV
    traces = [_line(colours, lead, seconds, row) for lead, row in zip(leads, rows, strict=True)]
    return Figure(
        data=traces,
        layout=sheet_layout(colours, width, height)
        | {
            "xaxis": grid_axis(
                colours, (left, left + width / scale / SPEED_MM_S), 1 / SPEED_MM_S, scale
            )
            | {"tick0": 0.0},
            "yaxis": grid_axis(
                colours, (bottom, bottom + height / scale / GAIN_MM_MV), 1 / GAIN_MM_MV, scale
            )
            | {"tick0": 0.0},
            "shapes": [_mark(colours, wave, at) for (wave, _), at in marks.items()],
            "annotations": [
                *(_mark_name(colours, wave, end, at) for (wave, end), at in marks.items()),
                _foot(colours, beat, leads, recording),
            ],
        },
    )


def _reach(rows: np.ndarray[Any, np.dtype[np.float64]]) -> tuple[float, float]:
    """Lowest and highest mV to show: all of the beat, at least and at most a page's height."""
    finite = rows[np.isfinite(rows)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    room = 2 * _ROOM_MM / GAIN_MM_MV
    low, high = min(low, 0.0) - room / 2, max(high, 0.0) + room
    lacking = _LEAST_MM / GAIN_MM_MV - (high - low)
    if lacking > 0:
        low, high = low - lacking / 2, high + lacking / 2
    excess = (high - low) - _MOST_MM / GAIN_MM_MV
    return (low, high) if excess <= 0 else (low + excess / 2, high - excess / 2)


def _line(
    colours: Palette,
    lead: str,
    seconds: np.ndarray[Any, np.dtype[np.float64]],
    row: np.ndarray[Any, np.dtype[np.float64]],
) -> dict[str, Any]:
    """Limb leads in full lines, chest leads in a thinner one, so that the two planes differ."""
    thin = 1.0 if lead in LIMB_LEADS else 0.7
    return {
        "type": "scatter",
        "mode": "lines",
        "name": lead,
        "x": seconds.astype(np.float32),
        "y": row.astype(np.float32),
        "line": {
            "color": colours.trace,
            "width": round(thin * _TRACE_MM * CSS_PIXELS_PER_MM, 2),
            "simplify": False,
        },
        "hovertemplate": f"<b>{lead}</b>  %{{x:.3f}} s  %{{y:.3f}} mV<extra></extra>",
    }


def _mark(colours: Palette, wave: Wave, at: float) -> dict[str, Any]:
    return {
        "type": "line",
        "x0": at,
        "x1": at,
        "xref": "x",
        "yref": "paper",
        "y0": 0.1,
        "y1": 0.95,
        "line": {"color": colours.waves[wave], "width": 1.5, "dash": WAVE_DASHES[wave]},
    }


def _mark_name(colours: Palette, wave: Wave, end: str, at: float) -> dict[str, Any]:
    side = "right" if end == "onset" else "left"
    return {
        "x": at,
        "xref": "x",
        "y": 0.97 if wave != "QRS" else 0.93,
        "yref": "paper",
        "text": f"{wave} {end}",
        "showarrow": False,
        "xanchor": side,
        "yanchor": "middle",
        "font": {"size": 11, "color": colours.waves[wave]},
    }


def _foot(
    colours: Palette, beat: MedianBeat, leads: Sequence[str], recording: Recording
) -> dict[str, Any]:
    doubt = "   voltages are not true" if recording.source.voltages_in_doubt else ""
    which = ", ".join(leads) if len(leads) < len(beat.leads) else "all leads"
    return {
        "x": 0.02,
        "y": 0.01,
        "xref": "paper",
        "yref": "paper",
        "xanchor": "left",
        "yanchor": "bottom",
        "align": "left",
        "showarrow": False,
        "text": (
            f"<b>median of {beat.count} beats, {which}</b>   {SPEED_MM_S:g} mm/s   "
            f"{GAIN_MM_MV:g} mm/mV{doubt}<br>{DISCLAIMER}"
        ),
        "font": {"size": 11, "color": colours.text},
    }
