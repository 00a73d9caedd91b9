"""The ECG on printed paper, at true scale: the same sheet as on the screen, as vectors.

Layout, samples, pulses, names and words are those of ``page``, ``layout`` and ``markings``; only
the ink differs. A sheet is as wide as 10 s whatever the recording, so that the smallest paper on
which a layout fits follows from layout, speed and gain alone: A4 for 3x4 at 25 mm/s and 10 mm/mV.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import ceil

import numpy as np
from numpy.typing import NDArray

from ecgcore.drawing.grid import THIN_MM
from ecgcore.drawing.layout import (
    CALIBRATION_MV,
    CALIBRATION_SECONDS,
    MAJOR_MM,
    PAGE_SECONDS,
    Sheet,
    Slot,
    lay_out,
    rhythm_strips,
    slots,
)
from ecgcore.drawing.markings import furniture, scale_words, second_marks
from ecgcore.drawing.page import (
    TRACE_MM,
    Page,
    PaperOptions,
    Stretch,
    compose_page,
    page_notices,
    stretch_of,
)
from ecgcore.drawing.palette import LIGHT
from ecgcore.drawing.print_page import Box, Fill, Mark, Stroke, Words
from ecgcore.drawing.print_words import fitted, wrapped
from ecgcore.recording import Recording

PAPER_SIZES = {
    "A4": (297.0, 210.0),
    "A3": (420.0, 297.0),
    "A2": (594.0, 420.0),
    "A1": (841.0, 594.0),
}
"""Landscape, in mm."""
MARGIN_MM = 5.0

_NAME_MM, _TEXT_MM, _SMALL_MM = 3.5, 2.8, 2.4
_UNDER_ROWS_MM, _OVER_ROWS_MM = 15.0, 10.0
_STRIP_MV, _SMALLEST_STRIP_MM = 2.5, 15.0
_Points = NDArray[np.float64]


def paper_name(options: PaperOptions, head_mm: float, foot_mm: float) -> str:
    """The smallest paper on which a layout fits below a head and above a foot, such as "A4"."""
    rhythm = rhythm_strips(options.layout, options.rhythm_leads)
    placed = slots(options.layout, rhythm, 0.0, PAGE_SECONDS)
    level = ((0.0, 0.0),) * len(placed)
    sheet = lay_out(options.layout, options.speed, options.gain, placed, level)
    return next(
        name
        for name, (width, height) in PAPER_SIZES.items()
        if sheet.width_mm <= width - 2 * MARGIN_MM and sheet.height_mm <= height - head_mm - foot_mm
    )


def compose_print(recording: Recording, options: PaperOptions, room_mm: float) -> Page:
    """The page at ``options.start``, in light colours, at most ``room_mm`` high.

    Where tall waves ask for more than that the paper is cut: the waves leave it, and the notices
    say which. Raises ValueError for a start past the end.
    """
    page = compose_page(recording, replace(options, dark=False))
    return replace(page, sheet=_cut(page.sheet, room_mm))


def _cut(sheet: Sheet, room_mm: float) -> Sheet:
    """The sheet without as much of its extra room, above and below, as is too much."""
    below = sheet.baselines[-1] - sheet.below_mm - _UNDER_ROWS_MM
    above = sheet.height_mm - sheet.baselines[0] - sheet.above_mm - _OVER_ROWS_MM
    squares = max(0, ceil((sheet.height_mm - room_mm) / MAJOR_MM))
    cut_below = cut_above = 0.0
    for _ in range(squares):
        if below - cut_below > above - cut_above:
            cut_below += MAJOR_MM
        else:
            cut_above += MAJOR_MM
    return replace(
        sheet,
        baselines=tuple(base - cut_below for base in sheet.baselines),
        height_mm=sheet.height_mm - cut_below - cut_above,
    )


def paper_marks(page: Page, left: float, bottom: float, size: str) -> tuple[Mark, ...]:
    """The sheet with its lower left corner at ``left``, ``bottom`` in mm of a paper of ``size``."""
    sheet = page.sheet
    corner = (left, bottom)
    box = (left, bottom, left + sheet.width_mm, bottom + sheet.height_mm)
    marks = [*_grid(box), *_pulses(page, corner)]
    marks += _seconds(page, corner) if _one_time(page) else []
    marks += [_trace(page, stretch, corner, box) for stretch in page.stretches]
    marks += [*_names(page, corner), *_scale(page, corner, size), *_notices(page, corner)]
    return tuple(marks)


def _grid(box: Box) -> Iterator[Mark]:
    """The paper with lines of 1 mm and, twice as thick, 5 mm."""
    yield Fill(box, LIGHT.paper)
    yield Stroke(_lines(box, 1.0), LIGHT.minor_grid, THIN_MM)
    yield Stroke(_lines(box, MAJOR_MM), LIGHT.major_grid, 2 * THIN_MM)


def _lines(box: Box, step: float) -> _Points:
    """Upright and level lines through a box, ``step`` mm apart from its lower left corner."""
    left, bottom, right, top = box
    gap = (np.nan, np.nan)
    points: list[tuple[float, float]] = []
    for x in left + step * np.arange(int((right - left) / step + 1e-6) + 1):
        points += [(x, bottom), (x, top), gap]
    for y in bottom + step * np.arange(int((top - bottom) / step + 1e-6) + 1):
        points += [(left, y), (right, y), gap]
    return np.array(points)


def _pulses(page: Page, corner: tuple[float, float]) -> Iterator[Mark]:
    """Calibration pulses and the marks between columns."""
    drawn = furniture(page)
    across = np.array([page.sheet.x_mm(float(x)) for x in drawn["x"]])
    points = np.column_stack([across, drawn["y"].astype(np.float64)]) + corner
    yield Stroke(points, LIGHT.trace, TRACE_MM)


def _seconds(page: Page, corner: tuple[float, float]) -> Iterator[Mark]:
    marks = second_marks(page)
    for x, y, text in zip(marks["x"], marks["y"], marks["text"], strict=True):
        at = corner[0] + page.sheet.x_mm(x)
        yield Words(at, corner[1] + y - 0.9, text, _SMALL_MM, LIGHT.quiet_text, align="center")


def _trace(page: Page, stretch: Stretch, corner: tuple[float, float], box: Box) -> Stroke:
    """Every sample of a stretch, on the paper only."""
    sheet = page.sheet
    times = stretch.x0 + stretch.dx * np.arange(stretch.values.size)
    across = sheet.left_mm + (times - _row_start(sheet, stretch.slot)) * sheet.speed
    up = sheet.baselines[stretch.slot.row] + stretch.values.astype(np.float64) * sheet.gain
    return Stroke(np.column_stack([across, up]) + corner, LIGHT.trace, TRACE_MM, box)


def _one_time(page: Page) -> bool:
    """Whether all rows share their time; on a rhythm page each strip has its own."""
    return all(stretch.slot.start < page.sheet.stop for stretch in page.stretches)


def _row_start(sheet: Sheet, slot: Slot) -> float:
    """The time at the left end of a slot's row: that of the sheet, but each strip of a rhythm page
    begins anew."""
    return slot.start if slot.start >= sheet.stop else sheet.start


def _names(page: Page, corner: tuple[float, float]) -> Iterator[Words]:
    """Each slot's name at its start, and again at a trace that lies outside its row."""
    sheet = page.sheet
    for stretch in page.stretches:
        slot = stretch.slot
        left = corner[0] + sheet.left_mm + 1.0
        left += (slot.start - _row_start(sheet, slot)) * sheet.speed
        base = corner[1] + sheet.baselines[slot.row]
        top = base + sheet.above_mm - 1.0 - 0.8 * _NAME_MM
        yield Words(left, top, stretch.title, _NAME_MM, LIGHT.text, bold=True)
        if page.strays(stretch):
            text = f"{slot.name} at {stretch.middle():+.1f} mV"
            height = base + stretch.middle() * sheet.gain + 1.5
            yield Words(left, height, text, _NAME_MM, LIGHT.notice, bold=True)


def _scale(page: Page, corner: tuple[float, float], size: str) -> Iterator[Mark]:
    """The drawn scale, what was done to the picture, and how to print it true."""
    drawn, details = scale_words(page)
    left, right = corner[0] + MAJOR_MM, corner[0] + page.sheet.width_mm - MAJOR_MM
    height = corner[1] + 7.5
    true = f"true scale printed at 100 % on {size}; squares of 1 and 5 mm"
    words = Words(left, height, drawn, _TEXT_MM, LIGHT.text, bold=True)
    yield from _on_veil(words)
    after = left + words.width_mm + 3
    yield from _on_veil(Words(after, height, details, _TEXT_MM, LIGHT.text))
    yield from _on_veil(Words(right, height, true, _SMALL_MM, LIGHT.quiet_text, align="right"))
    pulse = f"pulse: {CALIBRATION_MV:g} mV, {CALIBRATION_SECONDS:g} s"
    yield from _on_veil(Words(left, corner[1] + 3.0, pulse, _SMALL_MM, LIGHT.quiet_text))


def _on_veil(words: Words) -> Iterator[Mark]:
    """Words on a piece of bare paper, so that no trace crosses them."""
    left = words.at_mm - (words.width_mm if words.align == "right" else 0.0)
    right, foot = left + words.width_mm, words.baseline - 0.3 * words.size_mm
    yield Fill((left - 0.6, foot, right + 0.6, foot + 1.3 * words.size_mm), LIGHT.paper)
    yield words


def _notices(page: Page, corner: tuple[float, float]) -> Iterator[Mark]:
    """What the picture does not show as one would expect, above the rows."""
    notices = "   ·   ".join(page_notices(page))
    if not notices:
        return
    width = page.sheet.width_mm - 2 * MAJOR_MM
    lines = wrapped(notices, _TEXT_MM, width, bold=True)
    if len(lines) > 2:
        lines = (lines[0], fitted(" ".join(lines[1:]), _TEXT_MM, width, bold=True))
    for number, line in enumerate(lines):
        height = corner[1] + page.sheet.height_mm - 3.5 - 3.6 * number
        left = corner[0] + MAJOR_MM
        yield from _on_veil(Words(left, height, line, _TEXT_MM, LIGHT.notice, bold=True))


def compose_rhythm(
    recording: Recording,
    options: PaperOptions,
    lead: str,
    part: tuple[float, float],
    room_mm: float,
) -> Page:
    """Strips of 10 s of one lead from the first second of ``part`` on, as many as ``room_mm`` holds
    and at most to its last.

    Every strip's left end is its own beginning; the sheet's ``start`` and ``stop`` are those of the
    first strip.
    """
    first, last = part
    page = compose_page(recording, replace(options, dark=False, start=first))
    high = max(_SMALLEST_STRIP_MM, MAJOR_MM * round(_STRIP_MV * options.gain / MAJOR_MM))
    rows = int((room_mm - _UNDER_ROWS_MM - _OVER_ROWS_MM) / high)
    begins = [first + PAGE_SECONDS * row for row in range(rows)]
    placed = tuple(
        Slot(lead, row, begin, min(begin + PAGE_SECONDS, last), strip=True)
        for row, begin in enumerate(begins)
        if begin < last
    )
    return replace(
        page,
        sheet=_strips(options, placed, high),
        stretches=tuple(_strip(recording, page, slot) for slot in placed),
    )


def _strip(recording: Recording, page: Page, slot: Slot) -> Stretch:
    strip = stretch_of(recording, page.filtered.signal, slot)
    return replace(strip, title=f"{strip.title}   {slot.start:.0f}–{slot.stop:.0f} s")


def _strips(options: PaperOptions, placed: tuple[Slot, ...], high: float) -> Sheet:
    """A sheet of strips that are ``high`` mm each."""
    left = 2 * MAJOR_MM + CALIBRATION_SECONDS * options.speed
    below = MAJOR_MM * (high // (2 * MAJOR_MM))
    rows = len(placed)
    return Sheet(
        speed=options.speed,
        gain=options.gain,
        start=placed[0].start,
        stop=placed[0].start + PAGE_SECONDS,
        slots=placed[:1],
        baselines=tuple(_UNDER_ROWS_MM + below + high * (rows - 1 - row) for row in range(rows)),
        below_mm=below,
        above_mm=high - below,
        left_mm=left,
        width_mm=left + PAGE_SECONDS * options.speed + MAJOR_MM,
        height_mm=_UNDER_ROWS_MM + high * rows + _OVER_ROWS_MM,
    )
