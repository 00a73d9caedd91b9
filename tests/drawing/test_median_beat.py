"""The median beat's figure: true scale, the leads asked for, marks where they are."""

from __future__ import annotations

import numpy as np
import pytest

from ecgcore.drawing.median_beat import GAIN_MM_MV, SPEED_MM_S, draw_median_beat
from ecgcore.drawing.page import CSS_PIXELS_PER_MM
from ecgcore.drawing.paper import DISCLAIMER
from ecgcore.recording import LEADS, VOLTAGES_IN_DOUBT
from ecgcore.signal.beats import MedianBeat
from ecgcore.signal.delineation.waves import Wave
from tests.drawing.figures import texts
from tests.drawing.recordings import RATE, pulses

MARKS: dict[tuple[Wave, str], float] = {("QRS", "onset"): -0.04, ("T", "offset"): 0.36}


def beat() -> MedianBeat:
    signal = np.zeros((12, 400))
    signal[:, 150:160] = np.arange(12)[:, None] / 10
    empty = np.empty(0)
    return MedianBeat(
        LEADS, RATE, signal, 150.0, 9, np.empty(0, dtype=np.intp), empty, np.zeros(12)
    )


def test_a_millimetre_is_a_hundredth_second_and_a_twentieth_millivolt() -> None:
    figure = draw_median_beat(beat(), LEADS, MARKS, pulses())
    across = figure.layout.xaxis.range[1] - figure.layout.xaxis.range[0]
    up = figure.layout.yaxis.range[1] - figure.layout.yaxis.range[0]
    assert figure.layout.width / across == pytest.approx(SPEED_MM_S * CSS_PIXELS_PER_MM)
    assert figure.layout.height / up == pytest.approx(GAIN_MM_MV * CSS_PIXELS_PER_MM)
    assert figure.layout.xaxis.dtick == pytest.approx(5 / SPEED_MM_S)
    assert figure.layout.yaxis.dtick == pytest.approx(5 / GAIN_MM_MV)


def test_the_leads_asked_for_are_drawn_from_the_fiducial() -> None:
    figure = draw_median_beat(beat(), ["V1", "V6"], MARKS, pulses())
    assert [trace.name for trace in figure.data] == ["V1", "V6"]
    assert figure.data[1].x[150] == pytest.approx(0.0)
    assert figure.data[1].y[150] == pytest.approx(1.1)
    assert figure.data[0].y[150] == pytest.approx(0.6)


def test_marks_stand_at_their_times_with_their_names() -> None:
    figure = draw_median_beat(beat(), LEADS, MARKS, pulses())
    assert [shape.x0 for shape in figure.layout.shapes] == [-0.04, 0.36]
    assert {"QRS onset", "T offset"} <= set(texts(figure))


def test_the_figure_says_what_it_is() -> None:
    said = " ".join(texts(draw_median_beat(beat(), LEADS, MARKS, pulses())))
    assert "median of 9 beats, all leads" in said
    assert "100 mm/s" in said
    assert "20 mm/mV" in said
    assert DISCLAIMER in said
    assert "not true" not in said


def test_false_voltages_are_named() -> None:
    doubted = pulses().with_warnings(f"Gains contradict each other. {VOLTAGES_IN_DOUBT}")
    said = " ".join(texts(draw_median_beat(beat(), LEADS, MARKS, doubted)))
    assert "voltages are not true" in said


@pytest.mark.parametrize("leads", [[], ["V9"]])
def test_leads_that_are_not_there_are_refused(leads: list[str]) -> None:
    with pytest.raises(ValueError, match="known: I, II"):
        draw_median_beat(beat(), leads, MARKS, pulses())
