"""Contrast of what must be read (WCAG 2.2, relative luminance)."""

from __future__ import annotations

import re

import pytest

from ecgcore.drawing.palette import DARK, LIGHT, Palette, palette

Colour = tuple[float, ...]


def parsed(colour: str) -> tuple[Colour, float]:
    """(red, green, blue) of 0 to 255 and opacity, from "#rrggbb" or "rgba(...)"."""
    if colour.startswith("#"):
        return tuple(float(int(colour[place : place + 2], 16)) for place in (1, 3, 5)), 1.0
    red, green, blue, opacity = (float(part) for part in re.findall(r"[\d.]+", colour))
    return (red, green, blue), opacity


def over(top: str, below: Colour) -> Colour:
    """A colour laid over an opaque one."""
    colour, opacity = parsed(top)
    return tuple(a * opacity + b * (1 - opacity) for a, b in zip(colour, below, strict=True))


def luminance(colour: Colour) -> float:
    linear = [
        part / 3294.6 if part <= 10.31 else ((part / 255 + 0.055) / 1.055) ** 2.4 for part in colour
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: Colour, other: Colour) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_trace_and_text_stand_out_on_paper_grid_and_heat(colours: Palette) -> None:
    paper = parsed(colours.paper)[0]
    trace = parsed(colours.trace)[0]
    assert contrast(trace, paper) > 12
    assert contrast(trace, parsed(colours.major_grid)[0]) > 7
    for words in (colours.text, colours.quiet_text, colours.notice):
        assert contrast(parsed(words)[0], paper) > 4.5
    strongest = [colours.rising()[-1][1], colours.diverging()[0][1], colours.diverging()[-1][1]]
    for heat in (*strongest, colours.highlight_fill):
        assert contrast(trace, over(heat, paper)) > 4
    assert contrast(parsed(colours.highlight)[0], paper) > 3


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_strong_heat_stands_out_and_zero_heat_is_nothing(colours: Palette) -> None:
    paper = parsed(colours.paper)[0]
    for scale in (colours.rising(), colours.diverging()):
        for place, colour in scale:
            seen = contrast(over(colour, paper), paper)
            if parsed(colour)[1] == 0:
                assert seen == 1
            else:
                assert place in (0.0, 1.0)
                assert seen > 1.8


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_the_grid_is_subtle_and_its_thick_lines_are_stronger(colours: Palette) -> None:
    paper = parsed(colours.paper)[0]
    minor = contrast(parsed(colours.minor_grid)[0], paper)
    major = contrast(parsed(colours.major_grid)[0], paper)
    assert 1.1 < minor < 1.3 < major < 2.0


def test_dark_gives_the_dark_palette() -> None:
    assert palette(True) is DARK
    assert palette(False) is LIGHT
