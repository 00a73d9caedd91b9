"""The charts of training runs say what the values say, in place and without hurry."""

from __future__ import annotations

import json

import numpy as np
import pytest

from ecgcore.drawing.training_charts import (
    MOST_POINTS,
    Curve,
    curve_of,
    draw_auroc,
    draw_loss,
    draw_rate,
    thinned,
)


def test_points_are_drawn_as_they_are_and_gaps_stay_gaps() -> None:
    spec = draw_auroc([curve_of("run", [(1, 0.71), (2, None), (3, 0.9)])], 12)
    assert spec["series"][0]["data"] == [[1.0, 0.71], [2.0, None], [3.0, 0.9]]
    assert (spec["xAxis"]["min"], spec["xAxis"]["max"]) == (0, 12)
    assert (spec["yAxis"]["min"], spec["yAxis"]["max"]) == (0.5, 1.0)
    assert "0 to 1" in spec["yAxis"]["name"] and spec["animation"] is False
    json.dumps(spec, allow_nan=False)


def test_an_auroc_below_chance_stays_on_the_chart() -> None:
    spec = draw_auroc([curve_of("run", [(1, 0.37)])], 3)
    assert spec["yAxis"]["min"] == pytest.approx(0.3)


def test_before_the_first_epoch_there_is_a_chart_already() -> None:
    assert draw_auroc([curve_of("run", [])], 3)["series"][0]["data"] == []
    assert draw_loss(None, [], 3)["series"] == []
    assert draw_rate([], 0)["xAxis"]["max"] == 1


def test_each_step_lies_faint_under_the_means_of_epochs() -> None:
    steps = Curve("each step", np.array([0.5, 1.0]), np.array([2.0, 1.0]), faint=True)
    spec = draw_loss(steps, [curve_of("training", [(1, 1.4)]), curve_of("validation", [(1, 2)])], 2)
    names = [one["name"] for one in spec["series"]]
    assert names == ["each step", "training", "validation"]
    assert spec["series"][0]["lineStyle"]["width"] < spec["series"][1]["lineStyle"]["width"]
    assert spec["legend"]["show"]


def test_lines_differ_by_dash_or_mark_where_colours_come_again() -> None:
    spec = draw_auroc([curve_of(str(at), [(1, 0.8)]) for at in range(15)], 2)
    looks = {
        (one["itemStyle"]["color"], one["lineStyle"]["type"], one["symbol"])
        for one in spec["series"]
    }
    assert len(looks) == 15


def test_a_long_line_is_drawn_by_means() -> None:
    many = Curve("steps", np.arange(10_000.0), np.arange(10_000.0))
    few = thinned(many)
    assert len(few.x) == MOST_POINTS
    np.testing.assert_allclose(few.y.mean(), many.y.mean(), rtol=0.01)
    assert thinned(few) is few


def test_the_dark_chart_has_light_text_and_a_wrong_curve_is_refused() -> None:
    light, dark = (draw_rate([curve_of("x", [(1, 1)])], 1, dark=one) for one in (False, True))
    assert light["xAxis"]["axisLabel"]["color"] != dark["xAxis"]["axisLabel"]["color"]
    with pytest.raises(ValueError, match="'odd'"):
        Curve("odd", np.zeros(2), np.zeros(3))
