"""A page of the paper before it is drawn: what is asked for, and which samples lie where.

Every sample of the window is kept. Filtering happens here, on a copy for the picture.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import ceil
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from ecgcore.drawing.layout import (
    CALIBRATION_MV,
    LAYOUTS,
    PAGE_SECONDS,
    Gain,
    LayoutName,
    Sheet,
    Slot,
    Speed,
    lay_out,
    rhythm_strips,
    slots,
)
from ecgcore.drawing.palette import Palette, palette
from ecgcore.recording import Recording
from ecgcore.signal.filters import NO_FILTER, DisplayFilter, FilteredSignal, apply_display_filter

CSS_PIXELS_PER_MM = 96 / 25.4
TRACE_MM = 0.3


@dataclass(frozen=True)
class PaperOptions:
    """How to draw: layout, ``speed`` in mm/s, ``gain`` in mm/mV, filter of the picture.

    ``start`` is the second of the recording at which the page begins; the page shows up to 10 s.
    ``rhythm_leads`` replaces the layout's usual strips (one lead for "3x4+1", three for "3x4+3").
    Raises ValueError for anything that is not offered.
    """

    layout: LayoutName = "3x4+1"
    speed: Speed = 25
    gain: Gain = 10
    display_filter: DisplayFilter = field(default=NO_FILTER)
    dark: bool = False
    start: float = 0.0
    rhythm_leads: tuple[str, ...] | None = None
    pixels_per_mm: float = CSS_PIXELS_PER_MM

    def __post_init__(self) -> None:
        _require("layout", self.layout, LAYOUTS)
        _require("speed in mm/s", self.speed, get_args(Speed))
        _require("gain in mm/mV", self.gain, get_args(Gain))
        if not (np.isfinite(self.start) and self.start >= 0):
            raise ValueError(f"start {self.start} s; it must be 0 or more")
        if not 0.5 <= self.pixels_per_mm <= 100:
            raise ValueError(f"{self.pixels_per_mm} pixels per mm; allowed: 0.5 to 100")
        rhythm_strips(self.layout, self.rhythm_leads)


@dataclass(frozen=True)
class Stretch:
    """What one slot shows: ``values`` in mV as drawn, the first at ``x0`` s, ``dx`` s apart."""

    slot: Slot
    values: NDArray[np.float32]
    x0: float
    dx: float
    title: str

    def middle(self) -> float:
        """The median of the finite samples in mV, 0 without any."""
        finite = self.values[np.isfinite(self.values)]
        return float(np.median(finite)) if finite.size else 0.0


@dataclass(frozen=True)
class Page:
    """Everything that the drawing functions share."""

    recording: Recording
    options: PaperOptions
    colours: Palette
    sheet: Sheet
    stretches: tuple[Stretch, ...]
    filtered: FilteredSignal

    def strays(self, stretch: Stretch) -> bool:
        """Whether most of a trace lies outside its row, so that one could take it for another."""
        middle_mm = stretch.middle() * self.sheet.gain
        return not -self.sheet.below_mm <= middle_mm <= self.sheet.above_mm

    def font(self, size_mm: float, colour: str) -> dict[str, Any]:
        """A plotly font of a size in mm (its family is the figure's)."""
        return {
            "size": max(1.0, round(size_mm * self.options.pixels_per_mm, 2)),
            "color": colour,
        }


def latest_start(recording: Recording) -> float:
    """The last second at which a page may begin and still be full (0 for up to 10 s)."""
    return max(0.0, recording.seconds - PAGE_SECONDS)


def paper_size(recording: Recording, options: PaperOptions) -> tuple[float, float]:
    """Width and height of the paper in mm."""
    sheet = compose_page(recording, options).sheet
    return sheet.width_mm, sheet.height_mm


def _require(what: str, given: object, allowed: tuple[object, ...]) -> None:
    if given not in allowed:
        known = ", ".join(str(each) for each in allowed)
        raise ValueError(f"unknown {what} {given!r}; known: {known}")


def compose_page(recording: Recording, options: PaperOptions) -> Page:
    """Filter, cut into the layout's stretches and lay out; ValueError for a start past the end."""
    if options.start >= recording.seconds:
        raise ValueError(
            f"start {options.start:g} s of a recording of {recording.seconds:g} s; "
            f"choose 0 to {latest_start(recording):g} s"
        )
    stop = min(recording.seconds, options.start + PAGE_SECONDS)
    rhythm = rhythm_strips(options.layout, options.rhythm_leads)
    placed = slots(options.layout, rhythm, options.start, stop)
    filtered = apply_display_filter(
        recording.signal, recording.sampling_rate, options.display_filter
    )
    stretches = tuple(stretch_of(recording, filtered.signal, slot) for slot in placed)
    extents = tuple(reach(stretch.values) for stretch in stretches)
    sheet = lay_out(options.layout, options.speed, options.gain, placed, extents)
    return Page(recording, options, palette(options.dark), sheet, stretches, filtered)


def stretch_of(recording: Recording, signal: NDArray[np.float32], slot: Slot) -> Stretch:
    """The samples of a slot; a lead without any says why in its title."""
    rate = recording.sampling_rate
    nothing = np.empty(0, dtype=np.float32)
    if slot.lead not in recording.leads:
        return Stretch(slot, nothing, slot.start, 1 / rate, f"{slot.name} (not recorded)")
    # Rounding must neither lose nor double the sample on the border of two columns.
    first, end = (ceil(round(time * rate, 6)) for time in (slot.start, slot.stop))
    values = signal[recording.leads.index(slot.lead), first:end]
    if not np.isfinite(values).any():
        return Stretch(slot, nothing, slot.start, 1 / rate, f"{slot.name} (no samples)")
    title = f"{slot.name} (computed)" if slot.lead in recording.computed else slot.name
    values = -values if slot.inverted else values
    return Stretch(slot, values, first / rate, 1 / rate, title)


def reach(values: NDArray[np.float32]) -> tuple[float, float]:
    """Lowest and highest voltage in mV, always including the calibration pulse."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        return 0.0, CALIBRATION_MV
    return min(0.0, float(finite.min())), max(CALIBRATION_MV, float(finite.max()))


def page_notices(page: Page) -> tuple[str, ...]:
    """What the picture does not show as one would expect."""
    # A paper is copied and cut out: it must say itself that its millivolts are not to be read.
    notices = ["voltages are not true"] if page.recording.source.voltages_in_doubt else []
    notices += [page.filtered.note] if page.filtered.note else []
    beyond: list[str] = []
    stray: list[str] = []
    for stretch in page.stretches:
        low, high = reach(stretch.values)
        bottom, top = page.sheet.row_range_mv(stretch.slot.row)
        if low < bottom or high > top:
            beyond.append(stretch.slot.name)
        if page.strays(stretch):
            stray.append(stretch.slot.name)
    if beyond:
        names = ", ".join(dict.fromkeys(beyond))
        notices.append(f"beyond the paper: {names} (lower the gain, filter, or pan)")
    if stray:
        notices.append(f"outside its row: {', '.join(dict.fromkeys(stray))}")
    return tuple(notices)
