"""Where each lead lies on the paper: pure geometry, in millimetres and seconds.

The layouts are those of ECG carts: 3x4 and its rhythm strips, 6x2, 12x1, and the Cabrera order
(aVL, I, -aVR, II, aVF, III, the limb leads in the order of their angles, with aVR turned round; see
Kligfield et al., Circulation 2007;115:1306-1324). Time runs on across the columns: in 3x4 over 10 s
the second column shows 2.5 to 5 s, of all its leads alike and of the rhythm strip below.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Literal, get_args

from ecgcore.recording import CHEST_LEADS, LEADS, LIMB_LEADS, standard_lead

LayoutName = Literal["3x4+1", "3x4+3", "6x2", "12x1", "cabrera"]
Speed = Literal[25, 50]
Gain = Literal[5, 10, 20]

LAYOUTS: tuple[LayoutName, ...] = get_args(LayoutName)
CABRERA_LIMB_LEADS = ("aVL", "I", "aVR", "II", "aVF", "III")

PAGE_SECONDS = 10.0
CALIBRATION_SECONDS = 0.2
CALIBRATION_MV = 1.0
MAJOR_MM = 5.0

_COLUMNS: dict[str, tuple[tuple[str, ...], ...]] = {
    "3x4+1": (LEADS[0:3], LEADS[3:6], LEADS[6:9], LEADS[9:12]),
    "3x4+3": (LEADS[0:3], LEADS[3:6], LEADS[6:9], LEADS[9:12]),
    "6x2": (LIMB_LEADS, CHEST_LEADS),
    "12x1": (LEADS,),
    "cabrera": (CABRERA_LIMB_LEADS, CHEST_LEADS),
}
_RHYTHM_LEADS: dict[str, tuple[str, ...]] = {"3x4+1": ("II",), "3x4+3": ("V1", "II", "V5")}
# Room of one row in mV: +-1.5 mV in the usual layouts; the tall ones share room, as on paper.
_ROW_MV = {"3x4+1": 3.0, "3x4+3": 3.0, "6x2": 2.5, "cabrera": 2.5, "12x1": 2.0}
_SMALLEST_ROW_MM = 15.0

_HEADER_MM = 10.0
_FOOTER_MM = 15.0
_RIGHT_MM = 5.0
_LARGEST_EXTENSION_MM = 40.0


@dataclass(frozen=True)
class Slot:
    """One stretch of one lead: in ``row`` (0 on top), from ``start`` to ``stop`` seconds.

    ``inverted`` leads are drawn upside down and named with a minus.
    """

    lead: str
    row: int
    start: float
    stop: float
    inverted: bool = False
    strip: bool = False

    @property
    def name(self) -> str:
        """The name on the paper, such as "V1" or "-aVR"."""
        return f"-{self.lead}" if self.inverted else self.lead


@dataclass(frozen=True)
class Sheet:
    """A laid-out page. Lengths in mm from the lower left corner; times in s of the recording.

    The drawn ``slots`` share the time from ``start`` to ``stop``, whose left end lies at
    ``left_mm``. ``baselines[row]`` is the height of that row's zero; a row has ``below_mm`` of
    room under it and ``above_mm`` over it.
    """

    speed: Speed
    gain: Gain
    start: float
    stop: float
    slots: tuple[Slot, ...]
    baselines: tuple[float, ...]
    below_mm: float
    above_mm: float
    left_mm: float
    width_mm: float
    height_mm: float

    def x_mm(self, seconds: float) -> float:
        """Where a time of the recording lies, in mm from the left."""
        return self.left_mm + (seconds - self.start) * self.speed

    def seconds_at(self, x_mm: float) -> float:
        """The time that lies ``x_mm`` from the left (before ``start`` in the margin)."""
        return self.start + (x_mm - self.left_mm) / self.speed

    def row_range_mv(self, row: int) -> tuple[float, float]:
        """The voltages at the lower and the upper edge of the paper on this row's scale."""
        base = self.baselines[row]
        return -base / self.gain, (self.height_mm - base) / self.gain


def rhythm_strips(layout: LayoutName, chosen: tuple[str, ...] | None) -> tuple[str, ...]:
    """The leads of the long strips below: the chosen ones, or the layout's usual ones.

    Raises ValueError when the number does not fit the layout.
    """
    usual = _RHYTHM_LEADS.get(layout, ())
    if chosen is None:
        return usual
    if len(chosen) != len(usual):
        raise ValueError(
            f"{len(chosen)} rhythm leads for layout {layout}; it takes {len(usual)}: "
            "leave the rhythm leads out for the usual ones"
        )
    return tuple(standard_lead(name) for name in chosen)


def slots(
    layout: LayoutName, rhythm: tuple[str, ...], start: float, stop: float
) -> tuple[Slot, ...]:
    """All stretches of a layout, column by column, then the strips; times in s."""
    columns = _COLUMNS[layout]
    width = (stop - start) / len(columns)
    placed = [
        Slot(
            lead,
            row,
            start + width * column,
            stop if column == len(columns) - 1 else start + width * (column + 1),
            inverted=layout == "cabrera" and lead == "aVR",
        )
        for column, leads in enumerate(columns)
        for row, lead in enumerate(leads)
    ]
    rows = len(columns[0])
    placed += [
        Slot(lead, rows + strip, start, stop, strip=True) for strip, lead in enumerate(rhythm)
    ]
    return tuple(placed)


def lay_out(
    layout: LayoutName,
    speed: Speed,
    gain: Gain,
    placed: tuple[Slot, ...],
    reach: tuple[tuple[float, float], ...],
) -> Sheet:
    """The page of the slots that ``slots`` gave for this layout.

    ``reach`` holds the lowest and highest voltage in mV as drawn in each slot; the paper grows, by
    whole 5 mm and at most 40 mm at either end, until the outer rows fit. The width is always that
    of 10 s, so that a short recording moves nothing.
    """
    rows = 1 + max(slot.row for slot in placed)
    row_mm = MAJOR_MM * round(max(_SMALLEST_ROW_MM, _ROW_MV[layout] * gain) / MAJOR_MM)
    below = MAJOR_MM * (row_mm // (2 * MAJOR_MM))
    above = row_mm - below
    more_below = more_above = 0.0
    for slot, (low, high) in zip(placed, reach, strict=True):
        more_below = max(more_below, -low * gain - below - row_mm * (rows - 1 - slot.row))
        more_above = max(more_above, high * gain - above - row_mm * slot.row)
    lowest = _FOOTER_MM + _whole_squares(more_below) + below
    left = 2 * MAJOR_MM + CALIBRATION_SECONDS * speed
    return Sheet(
        speed=speed,
        gain=gain,
        start=min(slot.start for slot in placed),
        stop=max(slot.stop for slot in placed),
        slots=placed,
        baselines=tuple(lowest + row_mm * (rows - 1 - row) for row in range(rows)),
        below_mm=below,
        above_mm=above,
        left_mm=left,
        width_mm=left + PAGE_SECONDS * speed + _RIGHT_MM,
        height_mm=lowest + row_mm * rows - below + _whole_squares(more_above) + _HEADER_MM,
    )


def _whole_squares(more_mm: float) -> float:
    """The next whole number of 5 mm squares, as far as the paper may grow."""
    return min(_LARGEST_EXTENSION_MM, MAJOR_MM * ceil(more_mm / MAJOR_MM))
