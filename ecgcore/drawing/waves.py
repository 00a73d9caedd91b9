"""Delineation on the paper: where each P wave, QRS complex and T wave begins and ends.

Waves differ by the form of their lines, as HRNN's figures draw them (P dashed, QRS dotted, T
dash-dotted), and by colour only besides. As bands, each wave's time is shaded instead. The lines
are the lead's own marks of the waves that the leads agreed on, or the global ones in every row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from ecgcore.drawing.layout import Slot
from ecgcore.drawing.page import Page
from ecgcore.signal.delineation.waves import OFFSET, ONSET, PEAK, WAVES, Delineation, Wave

WaveStyle = Literal["lines", "bands"]
WaveScope = Literal["lead", "global"]
WAVE_DASHES: dict[Wave, str] = {"P": "dash", "QRS": "dot", "T": "dashdot"}
_WORDS: dict[Wave, str] = {"P": "P dashed", "QRS": "QRS dotted", "T": "T dash-dotted"}
# Lines stay near the trace, so that they are not taken for marks of the row above.
_UP_MM, _DOWN_MM = 11.0, 6.0
_BAND_OPACITY = 0.28


@dataclass(frozen=True)
class WaveView:
    """Which marks to draw and how; ``scope`` "global" draws the heart's marks in every row."""

    delineation: Delineation
    style: WaveStyle = "lines"
    scope: WaveScope = "lead"

    def __post_init__(self) -> None:
        for what, given, allowed in (
            ("style", self.style, get_args(WaveStyle)),
            ("scope", self.scope, get_args(WaveScope)),
        ):
            if given not in allowed:
                raise ValueError(f"unknown {what} {given!r}; known: {', '.join(allowed)}")


def wave_traces(page: Page, view: WaveView) -> list[dict[str, Any]]:
    """One plotly trace for each kind of wave, in s and mm; none for a kind without marks."""
    traces = []
    for wave in WAVES:
        spans = [
            (slot, span) for slot in page.sheet.slots for span in _spans(page, view, slot, wave)
        ]
        if spans:
            draw = _lines if view.style == "lines" else _bands
            traces.append(draw(page, wave, spans))
    return traces


def wave_legend(view: WaveView) -> str:
    """How to read the marks, in one line."""
    whose = "each lead's own" if view.scope == "lead" else "global"
    kinds = ", ".join(_WORDS[wave] for wave in WAVES)
    if view.style == "bands":
        kinds = "bands P, QRS, T in turn"
    return f"{kinds}: {whose} marks by {view.delineation.method}"


def _spans(page: Page, view: WaveView, slot: Slot, wave: Wave) -> list[tuple[float, float, float]]:
    """Onset, peak and offset in s of the waves that a slot shows; an unknown end is NaN."""
    given = view.delineation
    rate = given.sampling_rate
    agreed = given.overall[wave]
    marks = given.leads[slot.lead][wave] if slot.lead in given.leads else None
    if view.scope == "global":
        marks = agreed
    if marks is None or slot.lead not in page.recording.leads:
        return []
    # A wave that the leads did not agree on is not shown as one: in atrial fibrillation a lead
    # alone may mark a P wave where the heart has none.
    return [
        (float(row[ONSET] / rate), float(row[PEAK] / rate), float(row[OFFSET] / rate))
        for row in marks[np.isfinite(agreed[:, PEAK])]
        if slot.start <= row[PEAK] / rate < slot.stop
    ]


def _lines(
    page: Page, wave: Wave, spans: list[tuple[Slot, tuple[float, float, float]]]
) -> dict[str, Any]:
    xs: list[float] = []
    ys: list[float] = []
    hover: list[str] = []
    for slot, (onset, _, offset) in spans:
        low, high = _height(page, slot)
        for name, at in ((f"{wave} onset", onset), (f"{wave} offset", offset)):
            if slot.start <= at < slot.stop:
                xs += [at, at, np.nan]
                ys += [low, high, np.nan]
                hover += [f"{slot.name}: {name} {at:.3f} s"] * 3
    return _trace(page, wave, xs, ys) | {
        "mode": "lines",
        "line": {
            "color": page.colours.waves[wave],
            "width": 0.35 * page.options.pixels_per_mm,
            "dash": WAVE_DASHES[wave],
            "simplify": False,
        },
        "text": hover,
        "hovertemplate": "%{text}<extra></extra>",
    }


def _bands(
    page: Page, wave: Wave, spans: list[tuple[Slot, tuple[float, float, float]]]
) -> dict[str, Any]:
    xs: list[float] = []
    ys: list[float] = []
    for slot, (onset, _, offset) in spans:
        if np.isnan(onset) or np.isnan(offset):
            continue
        low, high = _height(page, slot)
        left, right = max(onset, slot.start), min(offset, slot.stop)
        xs += [left, left, right, right, left, np.nan]
        ys += [low, high, high, low, low, np.nan]
    return _trace(page, wave, xs, ys) | {
        "mode": "lines",
        "fill": "toself",
        "fillcolor": _see_through(page.colours.waves[wave]),
        "line": {"width": 0},
        "hoverinfo": "skip",
    }


def _trace(page: Page, wave: Wave, xs: list[float], ys: list[float]) -> dict[str, Any]:
    return {
        "type": "scatter",
        "name": f"{wave} marks",
        "x": _array(xs),
        "y": _array(ys),
        "connectgaps": False,
    }


def _array(values: list[float]) -> NDArray[np.float64]:
    return np.array(values, dtype=np.float64)


def _height(page: Page, slot: Slot) -> tuple[float, float]:
    base = page.sheet.baselines[slot.row]
    return base - min(_DOWN_MM, page.sheet.below_mm), base + min(_UP_MM, page.sheet.above_mm)


def _see_through(colour: str) -> str:
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red},{green},{blue},{_BAND_OPACITY})"
