"""The drawn scale is the true scale: measured in the pixels of a browser's picture."""

from __future__ import annotations

import re

import numpy as np
import pytest
from numpy.typing import NDArray

from ecgcore.drawing.page import compose_page
from ecgcore.drawing.paper import CSS_PIXELS_PER_MM, PaperOptions, draw_paper
from ecgcore.explain.explanation import Explanation
from ecgcore.recording import LEADS
from tests.drawing.conftest import Easel
from tests.drawing.recordings import flat, lead_height, pulses, recording

pytestmark = pytest.mark.browser

# A line is about one pixel wide, so that its place is known to about one.
PIXEL = 0.6
SCALES = [
    ("3x4+1", 25, 10, CSS_PIXELS_PER_MM),
    ("3x4+3", 50, 20, CSS_PIXELS_PER_MM),
    ("6x2", 50, 10, CSS_PIXELS_PER_MM),
    ("12x1", 25, 5, CSS_PIXELS_PER_MM),
    ("cabrera", 25, 20, CSS_PIXELS_PER_MM),
    ("3x4+1", 25, 10, 8.0),
]


def ink(picture: NDArray[np.int16]) -> NDArray[np.float64]:
    """How dark the green of each pixel is beyond the darkest grid line: 0 on paper and grid."""
    return np.clip(175.0 - picture[..., 1], 0.0, None)


def centre(darkness: NDArray[np.float64]) -> float:
    """The centre of the ink along a line of pixels, from the left edge of the first."""
    assert darkness.sum() > 0, "no trace where one must be"
    return float((darkness * (np.arange(darkness.size) + 0.5)).sum() / darkness.sum())


class Ruler:
    """Finds a page's places in a picture of it."""

    def __init__(self, options: PaperOptions, picture: NDArray[np.int16]) -> None:
        self.sheet = compose_page(pulses(), options).sheet
        self.scale = options.pixels_per_mm
        self.ink = ink(picture)

    def column(self, seconds: float) -> float:
        return self.sheet.x_mm(seconds) * self.scale

    def trace_height(self, seconds: float, row: int) -> float:
        """mm above the row's baseline of the trace at a time, measured in the picture."""
        column = round(self.column(seconds))
        zero = self.ink.shape[0] - self.sheet.baselines[row] * self.scale
        reach = round(self.sheet.above_mm * self.scale) - 2
        top = max(0, round(zero) - reach)
        strip = self.ink[top : round(zero) + 6, column - 1 : column + 2].sum(axis=1)
        return (zero - (top + centre(strip))) / self.scale

    def edge(self, seconds: float, row: int, height_mm: float, side: int = 6) -> float:
        """The pixel column near a time where the trace crosses a height over the baseline."""
        line = round(self.ink.shape[0] - (self.sheet.baselines[row] + height_mm) * self.scale)
        near = round(self.column(seconds))
        part = self.ink[line - 1 : line + 2, near - side : near + side].sum(axis=0)
        return near - side + centre(part)


@pytest.mark.parametrize(("layout", "speed", "gain", "scale"), SCALES)
def test_millivolts_and_seconds_are_true_in_every_slot(
    easel: Easel, layout: str, speed: int, gain: int, scale: float
) -> None:
    options = PaperOptions(layout, speed, gain, pixels_per_mm=scale)  # type: ignore[arg-type]
    ruler = Ruler(options, easel.paint(draw_paper(pulses(), options)))
    assert len({slot.lead for slot in ruler.sheet.slots}) == 12
    for slot in ruler.sheet.slots:
        if slot.inverted:
            continue
        # The first pulse clear of the lead's name, which stands at the start of the slot.
        first = np.ceil(slot.start - 0.05) + 0.6
        height = lead_height(slot.lead)
        measured = ruler.trace_height(first + 0.1, slot.row) / gain
        rest = ruler.trace_height(first + 0.3, slot.row) / gain
        assert measured - rest == pytest.approx(height, abs=PIXEL / (gain * scale)), slot
        assert rest == pytest.approx(0.0, abs=PIXEL / (gain * scale)), slot
        up, down, again = (
            ruler.edge(first + delay, slot.row, height * gain / 2) for delay in (0, 0.2, 1)
        )
        assert (down - up) / (speed * scale) == pytest.approx(0.2, abs=2 * PIXEL / (speed * scale))
        assert (again - up) / (speed * scale) == pytest.approx(1.0, abs=PIXEL / (speed * scale))
        assert up == pytest.approx(ruler.column(first), abs=1.0), slot


@pytest.mark.parametrize(("layout", "speed", "gain", "scale"), SCALES)
def test_the_calibration_pulse_is_one_millivolt_and_a_fifth_of_a_second(
    easel: Easel, layout: str, speed: int, gain: int, scale: float
) -> None:
    options = PaperOptions(layout, speed, gain, pixels_per_mm=scale)  # type: ignore[arg-type]
    ruler = Ruler(options, easel.paint(draw_paper(pulses(), options)))
    start = ruler.sheet.seconds_at(5.0)
    for row in range(len(ruler.sheet.baselines)):
        assert ruler.trace_height(start + 0.1, row) == pytest.approx(gain, abs=PIXEL / scale)
        up = ruler.edge(start, row, gain / 2)
        down = ruler.edge(start + 0.2, row, gain / 2)
        assert (down - up) / scale == pytest.approx(0.2 * speed, abs=PIXEL / scale)
        assert up / scale == pytest.approx(5.0, abs=1 / scale)


def test_an_inverted_lead_points_down(easel: Easel) -> None:
    signal = flat()
    signal[LEADS.index("aVR"), :] = -0.5
    options = PaperOptions("cabrera")
    ruler = Ruler(options, easel.paint(draw_paper(recording(signal), options)))
    assert ruler.trace_height(2.0, row=2) == pytest.approx(5.0, abs=PIXEL / CSS_PIXELS_PER_MM)
    upright = PaperOptions("6x2")
    picture = ink(easel.paint(draw_paper(recording(signal), upright)))
    sheet = compose_page(recording(signal), upright).sheet
    column = round(sheet.x_mm(2.0) * CSS_PIXELS_PER_MM)
    line = picture.shape[0] - (sheet.baselines[3] - 5.0) * CSS_PIXELS_PER_MM
    assert picture[round(line) - 2 : round(line) + 2, column].sum() > 0


@pytest.mark.parametrize("rate", [500.0, 1000.0])
@pytest.mark.parametrize("layout", ["3x4+1", "12x1"])
def test_a_spike_of_one_sample_reaches_its_full_height(
    easel: Easel, layout: str, rate: float
) -> None:
    signal = flat(rate=rate)
    spike = round(1.3 * rate)
    signal[:, spike] = 0.9
    options = PaperOptions(layout)  # type: ignore[arg-type]
    figure = draw_paper(recording(signal, rate=rate), options)
    ruler = Ruler(options, easel.paint(figure))
    column, zero = round(ruler.column(1.3)), ruler.ink.shape[0]
    for row in (0, len(ruler.sheet.baselines) - 1):
        for height_mm in (2.0, 5.0, 8.0, 8.8):
            line = round(zero - (ruler.sheet.baselines[row] + height_mm) * ruler.scale)
            around = ruler.ink[line - 1 : line + 2, column - 2 : column + 3]
            assert around.sum() > 20, f"row {row}: no spike at {height_mm} mm"


def test_missing_samples_are_a_gap(easel: Easel) -> None:
    signal = flat()
    signal[:, 500:1000] = np.nan
    options = PaperOptions("12x1")
    ruler = Ruler(options, easel.paint(draw_paper(recording(signal), options)))
    for row in range(12):
        line = round(ruler.ink.shape[0] - ruler.sheet.baselines[row] * ruler.scale)
        band = ruler.ink[line - 3 : line + 4]
        gap = band[:, round(ruler.column(1.03)) : round(ruler.column(1.97))]
        drawn = band[:, round(ruler.column(2.05)) : round(ruler.column(2.95))]
        assert gap.sum() == 0
        assert (drawn.sum(axis=0) > 0).all()


def grid_lines(picture: NDArray[np.int16], line: int) -> NDArray[np.float64]:
    """The places of the grid lines that cross one pixel row of bare paper."""
    green = picture[line - 2 : line + 3, :, 1].max(axis=0).astype(np.float64)
    depth = np.clip(green.max() - green - 2, 0, None)
    starts = np.flatnonzero((depth > 0) & (np.roll(depth, 1) == 0))
    return np.array([start + centre(depth[start : start + 4]) for start in starts[1:-1]])


def test_the_grid_follows_zoom_and_pan(easel: Easel) -> None:
    options = PaperOptions("6x2", pixels_per_mm=6.0)
    figure = draw_paper(recording(flat()), options)
    easel.paint(figure)
    for action in ("none", "zoom", "pan"):
        easel.page.mouse.move(800, 300)
        if action == "zoom":
            easel.page.mouse.wheel(0, -500)  # the wheel belongs to the page
            easel.page.wait_for_timeout(200)
            assert easel.layout("xaxis.range")[0] == figure.layout.xaxis.range[0]
            easel.page.locator('.modebar-btn[data-title="Zoom in"]').click()
        if action == "pan":
            easel.page.mouse.down()
            easel.page.mouse.move(930, 360, steps=4)
            easel.page.mouse.up()
        easel.page.wait_for_timeout(400)
        picture = easel.picture()
        low, high = easel.layout("xaxis.range")
        bottom, top = easel.layout("yaxis.range")
        if action != "none":
            assert (low, bottom) != (figure.layout.xaxis.range[0], 0.0)
        per_mm = picture.shape[1] / ((high - low) * 25)
        assert per_mm == pytest.approx(picture.shape[0] / (top - bottom), rel=1e-3)
        row_low, row_high = easel.layout("yaxis4.range")
        base = -row_low / 100 + bottom
        assert row_high - row_low == pytest.approx((top - bottom) * 100)
        assert base == pytest.approx(compose_page(recording(flat()), options).sheet.baselines[2])
        free = round(picture.shape[0] - (base + 4.5 - bottom) * per_mm)
        steps = np.diff(grid_lines(picture, free))
        assert steps.size > 60
        assert np.median(steps) == pytest.approx(per_mm, abs=1.0)
        assert steps.mean() == pytest.approx(per_mm, rel=0.02)


@pytest.mark.parametrize("step", [0.0, 0.0004])
@pytest.mark.parametrize("millivolts", [0.0, 0.142, -0.005, -0.142, 1.42, -1.42, 12.345, -12.345])
def test_hover_shows_lead_time_and_true_voltage(
    easel: Easel, millivolts: float, step: float
) -> None:
    """``step`` makes the samples no whole uV, so that they go as floating point."""
    signal = flat()
    signal[LEADS.index("aVF"), :] = millivolts + step
    options = PaperOptions("12x1", gain=5)
    easel.paint(draw_paper(recording(signal), options))
    sheet = compose_page(recording(signal), options).sheet
    height = sheet.baselines[LEADS.index("aVF")] + 5 * millivolts
    easel.page.mouse.move(
        sheet.x_mm(4.0) * CSS_PIXELS_PER_MM, (sheet.height_mm - height) * CSS_PIXELS_PER_MM
    )
    easel.page.wait_for_timeout(150)
    label = easel.page.evaluate(
        "() => [...document.querySelectorAll('.hoverlayer .hovertext text')]"
        ".map(e => e.textContent).join('')"
    )
    found = re.fullmatch(r"aVF  ([\d.]+) s  (.+) mV", label)
    assert found, label
    assert float(found[1]) == pytest.approx(4.0, abs=0.011)
    assert found[2].replace("−", "-") == f"{millivolts:.3f}"


def test_heat_lies_behind_its_lead_at_its_time_only(easel: Easel) -> None:
    heat = np.zeros((12, 1000), dtype=np.float32)
    heat[LEADS.index("II"), 300] = 1.0
    explanation = Explanation("m", "MI", "Grad-CAM", LEADS, heat, 100.0, 0.0, True, False, 1.0, "")
    options = PaperOptions("3x4+1")
    picture = easel.paint(draw_paper(recording(flat()), options, explanation))
    ruler = Ruler(options, picture)
    blueness = picture[..., 2] - picture[..., 0]
    blueness[round(blueness.shape[0] - 15 * ruler.scale) :] = 0
    rows, columns = np.nonzero(blueness > 40)
    assert columns.min() >= ruler.column(3.0) - 0.04 * 25 * ruler.scale - 1
    assert columns.max() <= ruler.column(3.01) + 0.04 * 25 * ruler.scale + 1
    base = picture.shape[0] - ruler.sheet.baselines[3] * ruler.scale
    assert rows.min() >= base - ruler.sheet.above_mm * ruler.scale
    assert rows.max() <= base + ruler.sheet.below_mm * ruler.scale
