"""The chart of filters: panels by kernel length, decibels, Hz, and the band of the input."""

from __future__ import annotations

import numpy as np
import pytest

from ecgcore.drawing.filter_response import LOWEST_DECIBELS, decibels, draw_filter_responses
from ecgcore.drawing.markings import DISCLAIMER
from ecgcore.drawing.palette import DARK, LIGHT
from ecgcore.explain.explanation import FilterResponses
from tests.drawing.figures import numbers, texts


def responses() -> FilterResponses:
    frequencies = np.linspace(0, 250, 501)
    gain = np.stack([np.exp(-(((frequencies - middle) / 10) ** 2)) for middle in (5, 10, 20, 40)])
    return FilterResponses("m", 500.0, (16, 16, 64, 64), frequencies, gain * 3, (0.5, 40.0))


@pytest.mark.parametrize("dark", [False, True])
def test_filters_of_a_length_share_a_panel(dark: bool) -> None:
    figure = draw_filter_responses(responses(), dark=dark)
    assert [trace.xaxis for trace in figure.data] == ["x", "x", "x2", "x2"]
    assert figure.layout.xaxis.title.text == "frequency (Hz, logarithmic)"
    assert figure.layout.xaxis2.type == "log"
    assert "dB" in figure.layout.yaxis.title.text
    assert "<b>16 samples, 32 ms</b>" in texts(figure) and DISCLAIMER in texts(figure)
    assert [(band.x0, band.x1) for band in figure.layout.shapes] == [(0.5, 40.0)] * 2
    assert figure.layout.paper_bgcolor == (DARK if dark else LIGHT).paper
    looks = {(trace.line.color, trace.line.dash) for trace in figure.data[:2]}
    assert len(looks) == 2


def test_levels_are_decibels_below_each_filters_own_most() -> None:
    level = decibels(np.array([[2.0, 1.0, 0.2, 0.0], [0.0, 0.0, 0.0, 0.0]]))
    np.testing.assert_allclose(level[0], [0, -6.0206, -20, LOWEST_DECIBELS], atol=1e-4)
    assert np.isfinite(level).all()
    trace = draw_filter_responses(responses()).to_plotly_json()["data"][1]
    x, y = numbers(trace["x"]), numbers(trace["y"])
    assert x[y.argmax()] == pytest.approx(10.0) and y.max() == pytest.approx(0.0)
    assert x.dtype == y.dtype == np.float32 and x[0] > 0
    assert "most at 10.0 Hz" in trace["hovertemplate"]
