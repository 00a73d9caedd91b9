"""The colours of the paper, light and dark.

Marks use the Okabe-Ito palette (Okabe and Ito, Color Universal Design, 2008), which people with
every common colour vision tell apart; blue and vermillion reach 3:1 on the pink paper. Heat is one
hue whose opacity grows with the value, so that it never hides the trace and prints in grey; signed
heat adds the second hue and a second place (see ``overlay``).
"""

from __future__ import annotations

from dataclasses import dataclass

from ecgcore.signal.delineation.waves import Wave

BLUE = (0, 114, 178)
SKY = (86, 180, 233)
VERMILLION = (213, 94, 0)
ORANGE = (230, 159, 0)
# Strong enough to see on the grid, weak enough for the trace to keep 4:1 over it.
_STRONGEST = 0.62

ColourScale = list[tuple[float, str]]


@dataclass(frozen=True)
class Palette:
    """CSS colours of one appearance; ``heat_for`` and ``heat_against`` are (red, green, blue)."""

    paper: str
    veil: str
    minor_grid: str
    major_grid: str
    trace: str
    text: str
    quiet_text: str
    notice: str
    highlight: str
    highlight_fill: str
    body: str
    body_line: str
    heat_for: tuple[int, int, int]
    heat_against: tuple[int, int, int]
    waves: dict[Wave, str]

    def rising(self) -> ColourScale:
        """0 (see-through) to 1 (full ``heat_for``)."""
        return [(0.0, _rgba(self.heat_for, 0.0)), (1.0, _rgba(self.heat_for, _STRONGEST))]

    def diverging(self) -> ColourScale:
        """-1 (full ``heat_against``) through 0 (see-through) to 1 (full ``heat_for``)."""
        return [
            (0.0, _rgba(self.heat_against, _STRONGEST)),
            (0.5, _rgba(self.heat_against, 0.0)),
            (0.5, _rgba(self.heat_for, 0.0)),
            (1.0, _rgba(self.heat_for, _STRONGEST)),
        ]


LIGHT = Palette(
    paper="#fff6f4",
    veil="rgba(255,246,244,0.85)",
    minor_grid="#fae0db",
    major_grid="#efb5ab",
    trace="#15151c",
    text="#2b1f1f",
    quiet_text="#6b5652",
    notice="#a33f00",
    highlight="#00664a",
    highlight_fill="rgba(240,228,66,0.45)",
    body="#fbeae4",
    body_line="#b58f84",
    heat_for=BLUE,
    heat_against=VERMILLION,
    waves={"P": "#0072b2", "QRS": "#b34700", "T": "#007a55"},
)
DARK = Palette(
    paper="#14181b",
    veil="rgba(20,24,27,0.85)",
    minor_grid="#20272b",
    major_grid="#364147",
    trace="#eef4ee",
    text="#e3e8e6",
    quiet_text="#9aa6aa",
    notice="#f0b060",
    highlight="#f0e442",
    highlight_fill="rgba(240,228,66,0.2)",
    body="#1d2428",
    body_line="#5f7078",
    heat_for=SKY,
    heat_against=ORANGE,
    waves={"P": "#56b4e9", "QRS": "#e69f00", "T": "#2fd0a0"},
)


def palette(dark: bool) -> Palette:
    """The light or the dark appearance."""
    return DARK if dark else LIGHT


def _rgba(colour: tuple[int, int, int], opacity: float) -> str:
    return f"rgba({colour[0]},{colour[1]},{colour[2]},{opacity:g})"
