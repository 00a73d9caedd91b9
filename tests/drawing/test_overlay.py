"""Heat on the paper: at its time, behind its lead, with its scale."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from plotly.graph_objects import Figure

from ecgcore.drawing.overlay import pooled_heat
from ecgcore.drawing.paper import PaperOptions, draw_paper
from ecgcore.explain.explanation import Explanation
from ecgcore.recording import LEADS
from tests.drawing.figures import numbers, texts
from tests.drawing.recordings import flat, pulses, recording


def explanation(
    heat: NDArray[np.float32],
    *,
    rate: float = 100.0,
    start: float = 0.0,
    per_lead: bool = True,
    signed: bool = False,
    peak: float = 1.0,
    label: str = "MI",
) -> Explanation:
    return Explanation(
        "inception", label, "Grad-CAM", LEADS, heat, rate, start, per_lead, signed, peak, ""
    )


def spot(lead: str | None, second: float, value: float = 1.0) -> NDArray[np.float32]:
    heat = np.zeros((12, 1000), dtype=np.float32)
    rows = slice(None) if lead is None else LEADS.index(lead)
    heat[rows, round(second * 100)] = value
    return heat


def heat_map(figure: Figure) -> dict[str, NDArray[np.float64]] | None:
    for trace in figure.to_plotly_json()["data"]:
        if trace["type"] == "heatmap":
            return {key: numbers(trace[key]) for key in ("x", "y", "z")}
    return None


def hot_cells(figure: Figure) -> list[tuple[float, float, float]]:
    """(seconds, mm, value) of the middle of every cell that is not zero or see-through."""
    found = heat_map(figure)
    assert found is not None
    rows, columns = np.nonzero(np.nan_to_num(found["z"]))
    x, y = ((edges[:-1] + edges[1:]) / 2 for edges in (found["x"], found["y"]))
    return [(x[c], y[r], found["z"][r, c]) for r, c in zip(rows, columns, strict=True)]


def row_of(height: float, figure: Figure) -> int:
    """The row whose baseline lies nearest to a height in mm (rows are counted from the top)."""
    low = [figure.layout[f"yaxis{row + 2}"].range[0] for row in range(_rows(figure))]
    return int(np.argmin([abs(height + lowest / 100) for lowest in low]))


def _rows(figure: Figure) -> int:
    return sum(key.startswith("yaxis") for key in figure.layout.to_plotly_json()) - 1


def test_heat_is_at_its_time_behind_its_lead() -> None:
    figure = draw_paper(pulses(), PaperOptions("12x1"), explanation(spot("V4", 3.0)))
    (cell,) = hot_cells(figure)
    assert cell[0] == pytest.approx(3.0, abs=0.041)
    assert row_of(cell[1], figure) == LEADS.index("V4")


def test_heat_outside_a_leads_column_is_in_the_strip_or_not_at_all() -> None:
    figure = draw_paper(pulses(), PaperOptions("3x4+1"), explanation(spot("II", 3.0)))
    (cell,) = hot_cells(figure)
    assert row_of(cell[1], figure) == 3
    elsewhere = draw_paper(pulses(), PaperOptions("3x4+1"), explanation(spot("V1", 3.0)))
    assert hot_cells(elsewhere) == []
    both = draw_paper(pulses(), PaperOptions("3x4+1"), explanation(spot("II", 1.0)))
    assert sorted(row_of(height, both) for _, height, _ in hot_cells(both)) == [1, 3]


def test_heat_without_leads_is_one_band() -> None:
    heat = explanation(spot(None, 3.0), per_lead=False)
    figure = draw_paper(pulses(), PaperOptions("6x2"), heat)
    found = heat_map(figure)
    assert found is not None
    assert found["z"].shape == (1, 250)
    assert found["y"][1] - found["y"][0] > 100
    assert "all leads together" in " ".join(texts(figure))


def test_signed_heat_has_two_places() -> None:
    heat = spot("V4", 3.0, 0.8) + spot("V4", 6.0, -0.5)
    figure = draw_paper(pulses(), PaperOptions("12x1"), explanation(heat, signed=True))
    base = -0.01 * figure.layout[f"yaxis{LEADS.index('V4') + 2}"].range[0]
    against, favour = sorted(hot_cells(figure), key=lambda cell: cell[2])
    assert against[2] == pytest.approx(-0.5)
    assert against[1] < base < favour[1]
    assert "upper half for (+), lower half against (−)" in " ".join(texts(figure))


@pytest.mark.parametrize("signed", [False, True])
def test_the_scale_is_fixed_and_named(signed: bool) -> None:
    figure = draw_paper(pulses(), PaperOptions(), explanation(spot("II", 3.0, 0.4), signed=signed))
    (trace,) = (t for t in figure.data if t.type == "heatmap")
    assert (trace.zmin, trace.zmax) == ((-1.0 if signed else 0.0), 1.0)
    assert trace.colorbar.orientation == "h"
    assert "evidence for MI (Grad-CAM)" in " ".join(texts(figure))


def test_heat_moves_nothing() -> None:
    without = draw_paper(pulses(), PaperOptions())
    with_heat = draw_paper(pulses(), PaperOptions(), explanation(spot("II", 3.0)))
    for key in ("width", "height", "uirevision"):
        assert without.layout[key] == with_heat.layout[key]
    assert without.layout.xaxis == with_heat.layout.xaxis
    assert without.layout.yaxis == with_heat.layout.yaxis


@pytest.mark.parametrize("peak", [0.0, 1.0])
def test_an_empty_map_draws_nothing_and_says_so(peak: float) -> None:
    nothing = explanation(np.zeros((12, 1000), dtype=np.float32), peak=peak)
    figure = draw_paper(pulses(), PaperOptions(), nothing)
    assert heat_map(figure) is None
    assert "MI (Grad-CAM): no map to show" in " ".join(texts(figure))


def test_a_map_of_another_part_says_so() -> None:
    value = recording(flat(seconds=40.0))
    heat = explanation(spot("II", 3.0))
    figure = draw_paper(value, PaperOptions(start=20.0), heat)
    assert heat_map(figure) is None
    assert "explains a part that is not on this page" in " ".join(texts(figure))


def test_a_map_of_a_part_names_the_part() -> None:
    heat = explanation(spot("II", 1.0)[:, :250], start=4.0)
    figure = draw_paper(pulses(), PaperOptions("12x1"), heat)
    (cell,) = hot_cells(figure)
    assert cell[0] == pytest.approx(5.0, abs=0.041)
    found = heat_map(figure)
    assert found is not None
    seen = found["x"][:-1][~np.isnan(found["z"]).all(axis=0)]
    assert (seen.min(), seen.max()) == (pytest.approx(4.0, abs=0.04), pytest.approx(6.48, abs=0.04))
    assert "the model saw 4.0–6.5 s" in " ".join(texts(figure))
    whole = draw_paper(pulses(), PaperOptions("12x1"), explanation(spot("II", 1.0)))
    assert "the model saw" not in " ".join(texts(whole))


def test_the_label_cannot_become_markup() -> None:
    figure = draw_paper(pulses(), PaperOptions(), explanation(spot("II", 3.0), label="<b>x</b>"))
    assert "evidence for &lt;b&gt;x&lt;/b&gt; (Grad-CAM)" in " ".join(texts(figure))


def test_pooling_keeps_the_largest_size_and_its_sign() -> None:
    heat = np.array([[0.1, -0.9, 0.3, 0.2], [0.0, 0.5, 0.0, 0.0]], dtype=np.float32)
    pooled = pooled_heat(heat, 100.0, 0.0, np.array([0.0, 0.02, 0.04]))
    assert pooled == pytest.approx(np.array([[-0.9, 0.3], [0.5, 0.0]]))


def test_pooling_spreads_coarse_heat_and_leaves_the_rest_blank() -> None:
    heat = np.array([[0.2, 0.8]], dtype=np.float32)
    pooled = pooled_heat(heat, 1.0, 1.0, np.arange(0.0, 4.01, 0.5))[0]
    assert np.isnan(pooled[[0, 1, 6, 7]]).all()
    assert pooled[2:6] == pytest.approx([0.2, 0.2, 0.8, 0.8])


def test_the_map_is_bounded() -> None:
    generator = np.random.default_rng(1)
    heat = generator.uniform(0, 1, (12, 50_000)).astype(np.float32)
    figure = draw_paper(pulses(), PaperOptions("12x1"), explanation(heat, rate=5000.0))
    found = heat_map(figure)
    assert found is not None
    assert found["z"].size <= 250 * 23
