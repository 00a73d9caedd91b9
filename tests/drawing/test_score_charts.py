"""Charts of scores: the values as given, axes that say what they are, curves that differ."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from plotly.graph_objects import Figure

from ecgcore.drawing.markings import DISCLAIMER
from ecgcore.drawing.palette import DARK, LIGHT, Palette
from ecgcore.drawing.score_charts import (
    Corner,
    ScoreCurve,
    ScoreMark,
    compact,
    draw_co_occurrence,
    draw_precision_recall,
    draw_reliability,
    draw_roc,
    draw_threshold_prevalence,
    draw_thresholds,
)
from tests.drawing.figures import numbers, texts
from tests.drawing.test_palette import contrast, parsed

X, Y = np.array([0.0, 0.25, 1.0]), np.array([0.0, 0.75, 1.0])
COUNTS = np.array([[10, 4, 0], [4, 5, 0], [0, 0, 0]])


def many(count: int) -> list[ScoreCurve]:
    return [ScoreCurve(f"label {i}", X, Y) for i in range(count)]


def co_occurrence(dark: bool) -> Figure:
    return draw_co_occurrence(["AF", "LVH", "PACE"], COUNTS, dark=dark)


def prevalence(dark: bool) -> Figure:
    shares, thresholds = np.array([0.5, 0.01, 0.0]), np.array([0.4, 0.9, np.nan])
    return draw_threshold_prevalence(["NORM", "WPW", "3AVB"], shares, thresholds, -0.68, dark=dark)


def reliability(dark: bool) -> Figure:
    said, came = np.array([0.1, np.nan, 0.9]), np.array([0.2, np.nan, 0.6])
    return draw_reliability(["AF"], [said], [came], [np.array([100, 0, 25])], dark=dark)


def over_threshold(dark: bool) -> Figure:
    scores = {"F1": Y, "precision": Y[::-1], "recall": X}
    return draw_thresholds("AF", X, scores, 0.25, dark=dark)


CHARTS: dict[str, tuple[Callable[[bool], Figure], str, str]] = {
    "precision and recall": (
        lambda dark: draw_precision_recall(many(2), dark=dark),
        "recall (share of positives found, 0 to 1)",
        "precision (share of answers that are right, 0 to 1)",
    ),
    "roc": (
        lambda dark: draw_roc(many(2), dark=dark),
        "1 − specificity (share of negatives flagged, 0 to 1)",
        "sensitivity (share of positives flagged, 0 to 1)",
    ),
    "thresholds": (over_threshold, "threshold (probability, 0 to 1)", "score (0 to 1)"),
    "reliability": (reliability, "mean probability (0 to 1)", "share of positives (0 to 1)"),
    "prevalence": (
        prevalence,
        "share of positives (%, logarithmic)",
        "threshold (probability, 0 to 1)",
    ),
    "co-occurrence": (co_occurrence, "also labelled (code)", "labelled (code)"),
}


@pytest.mark.parametrize("chart", CHARTS)
@pytest.mark.parametrize(("dark", "colours"), [(False, LIGHT), (True, DARK)])
def test_every_chart_names_its_axes_and_what_it_is_not(
    chart: str, dark: bool, colours: Palette
) -> None:
    draw, across, up = CHARTS[chart]
    figure = draw(dark)
    assert figure.layout.xaxis.title.text == across
    assert figure.layout.yaxis.title.text == up
    assert DISCLAIMER in texts(figure)
    assert figure.layout.paper_bgcolor == colours.paper


@pytest.mark.parametrize("chart", CHARTS)
def test_values_are_sent_as_typed_arrays(chart: str) -> None:
    for trace in CHARTS[chart][0](False).to_plotly_json()["data"]:
        for axis in ("z", "customdata") if trace["type"] == "heatmap" else ("x", "y"):
            sent = trace[axis]
            assert isinstance(sent, np.ndarray | dict)
            assert not isinstance(sent, np.ndarray) or sent.dtype.itemsize == 4


def test_curves_hold_the_values_given() -> None:
    figure = draw_precision_recall([ScoreCurve("AF <0.5>", X, Y)])
    (trace,) = figure.to_plotly_json()["data"]
    np.testing.assert_allclose(numbers(trace["x"]), X)
    np.testing.assert_allclose(numbers(trace["y"]), Y)
    assert trace["name"] == "AF &lt;0.5&gt;"
    # A precision holds until the next lower recall, as the area counts it.
    assert trace["line"]["shape"] == "hv"


def test_twenty_curves_differ_in_dash_or_colour_and_neighbours_in_both() -> None:
    for dark, colours in ((False, LIGHT), (True, DARK)):
        drawn = draw_roc(many(20), dark=dark).data[1:]
        looks = [(trace.line.color, trace.line.dash) for trace in drawn]
        assert len(set(looks)) == 20
        for one, other in pairwise(looks):
            assert one[0] != other[0] and one[1] != other[1]
        paper = parsed(colours.paper)[0]
        assert all(contrast(parsed(colour)[0], paper) > 3 for colour, _ in looks)


@pytest.mark.parametrize("draw", [draw_roc, draw_precision_recall])
def test_a_threshold_is_marked_on_a_curve_by_shape_and_colour(
    draw: Callable[..., Figure],
) -> None:
    marks = (ScoreMark("now <1>", 0.25, 0.75), ScoreMark("the card's", 1.0, 0.5))
    one, other = draw([ScoreCurve("AF", X, Y)], marks).data[-2:]
    assert one.name == "now &lt;1&gt;" and (one.x[0], one.y[0]) == (0.25, 0.75)
    assert one.mode == "markers" and one.marker.symbol != other.marker.symbol
    assert one.marker.line.color != other.marker.line.color


def test_chance_is_the_diagonal() -> None:
    trace = draw_roc(many(1)).to_plotly_json()["data"][0]
    assert trace["name"] == "chance"
    np.testing.assert_array_equal(numbers(trace["x"]), numbers(trace["y"]))


def test_the_chosen_threshold_is_marked_with_its_value() -> None:
    figure = over_threshold(False)
    assert [trace.name for trace in figure.data] == ["F1", "precision", "recall"]
    (line,) = figure.layout.shapes
    assert line.x0 == line.x1 == 0.25
    assert "threshold 0.250" in texts(figure)
    without = draw_thresholds("AF", X, {"F1": Y}, None)
    assert not without.layout.shapes


def test_reliability_leaves_empty_bins_out_and_areas_are_counts() -> None:
    trace = reliability(False).to_plotly_json()["data"][1]
    np.testing.assert_allclose(numbers(trace["x"]), [0.1, 0.9], rtol=1e-6)
    np.testing.assert_allclose(numbers(trace["y"]), [0.2, 0.6], rtol=1e-6)
    np.testing.assert_array_equal(numbers(trace["customdata"]), [100, 25])
    sizes = numbers(trace["marker"]["size"])
    assert (sizes[0] - 5) / (sizes[1] - 5) == pytest.approx(2.0)


def test_prevalence_is_in_per_cent_without_the_absent_and_says_the_correlation() -> None:
    figure = prevalence(False)
    trace = figure.to_plotly_json()["data"][0]
    np.testing.assert_allclose(numbers(trace["x"]), [50.0, 1.0])
    np.testing.assert_allclose(numbers(trace["y"]), [0.4, 0.9], rtol=1e-6)
    assert list(trace["text"]) == ["NORM", "WPW"]
    assert "Pearson r = -0.68" in figure.layout.title.text
    nothing = draw_threshold_prevalence([], np.empty(0), np.empty(0), None)
    assert "no correlation" in nothing.layout.title.text


def test_co_occurrence_is_the_share_of_the_rows_recordings() -> None:
    trace = co_occurrence(False).to_plotly_json()["data"][0]
    share = numbers(trace["z"])
    np.testing.assert_allclose(share[:2], [[100, 40, 0], [80, 100, 0]])
    assert np.isnan(share[2]).all()
    np.testing.assert_array_equal(numbers(trace["customdata"]), COUNTS)
    assert co_occurrence(False).layout.yaxis.autorange == "reversed"


def test_wrong_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="curve 'a' of x"):
        ScoreCurve("a", X, Y[:2])
    with pytest.raises(ValueError, match="a square of them"):
        draw_co_occurrence(["AF"], COUNTS)


@pytest.mark.parametrize("corner", ["top left", "bottom right", "above"])
def test_a_compact_chart_is_smaller_and_keeps_its_words(corner: Corner) -> None:
    whole, small = draw_roc(many(1)), compact(draw_roc(many(1)), 455, 385, corner)
    assert (small.layout.width, small.layout.height) == (455, 385)
    assert small.layout.xaxis.title.text == whole.layout.xaxis.title.text
    assert DISCLAIMER in texts(small)
    legend = small.layout.legend
    if corner == "above":
        assert legend.orientation == "h" and legend.y > 1
    else:
        assert f"{legend.yanchor} {legend.xanchor}" == corner
