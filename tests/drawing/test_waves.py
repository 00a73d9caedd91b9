"""Wave marks on the paper: at the right time, in the right row, each kind with its own line."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ecgcore.drawing.paper import PaperOptions, WaveView, draw_paper
from ecgcore.recording import LEADS
from ecgcore.signal.delineation.waves import Delineation, Marks
from tests.drawing.figures import numbers, texts
from tests.drawing.recordings import RATE, pulses

DASHES = {"P": "dash", "QRS": "dot", "T": "dashdot"}


def marks(*seconds: tuple[float, float, float]) -> Marks:
    return np.array(seconds, dtype=np.float64).reshape(-1, 3) * RATE


def example() -> Delineation:
    """A wave of each kind a second; lead V1 shows no P and is 10 ms late."""
    starts = {"P": 0.3, "QRS": 0.5, "T": 0.8}
    overall = {
        wave: marks(*((k + at, k + at + 0.05, k + at + 0.1) for k in range(10)))
        for wave, at in starts.items()
    }
    leads = {lead: {wave: rows.copy() for wave, rows in overall.items()} for lead in LEADS}
    leads["V1"] = {wave: rows + 0.01 * RATE for wave, rows in leads["V1"].items()}
    leads["V1"]["P"] = np.full((10, 3), np.nan)
    return Delineation("network", RATE, round(10 * RATE), overall, leads)  # type: ignore[arg-type]


def traces(view: WaveView, layout: str = "12x1") -> dict[str, dict[str, Any]]:
    figure = draw_paper(pulses(), PaperOptions(layout), waves=view)  # type: ignore[arg-type]
    found = {}
    for trace in figure.to_plotly_json()["data"]:
        if trace["name"].endswith(" marks"):
            found[trace["name"].split()[0]] = trace | {
                axis: numbers(trace[axis]) for axis in ("x", "y")
            }
    return found


def test_each_kind_of_wave_has_its_own_line_at_its_onset_and_offset() -> None:
    drawn = traces(WaveView(example()))
    assert {wave: trace["line"]["dash"] for wave, trace in drawn.items()} == DASHES
    assert len({trace["line"]["color"] for trace in drawn.values()}) == 3
    at = drawn["QRS"]["x"]
    expected = sorted({round(k + at, 3) for k in range(10) for at in (0.5, 0.6, 0.51, 0.61)})
    assert sorted({round(float(x), 3) for x in at if np.isfinite(x)}) == expected


def test_a_lead_shows_its_own_marks_or_the_global_ones() -> None:
    own = traces(WaveView(example(), scope="lead"))["P"]["x"]
    everywhere = traces(WaveView(example(), scope="global"))["P"]["x"]
    beats, ends = 10, 2
    assert np.isfinite(own).sum() == 11 * beats * ends * 2  # V1 shows no P
    assert np.isfinite(everywhere).sum() == 12 * beats * ends * 2


def test_a_wave_that_one_lead_alone_marks_is_not_drawn() -> None:
    given = example()
    overall = {wave: rows.copy() for wave, rows in given.overall.items()}
    overall["P"][:] = np.nan
    lonely = Delineation("network", RATE, given.samples, overall, given.leads)
    assert set(traces(WaveView(lonely))) == {"QRS", "T"}


def test_a_mark_stands_in_its_own_row_and_column() -> None:
    figure = draw_paper(pulses(), PaperOptions("3x4+1"), waves=WaveView(example()))
    lead_v1 = next(note for note in figure.layout.annotations if note.text == "<b>V1</b>")
    (trace,) = [trace for trace in figure.data if trace.name == "QRS marks"]
    late = np.isclose(np.mod(trace.x, 1), 0.51)
    assert late.any()
    assert trace.x[late].min() >= 5.0
    assert trace.x[late].max() < 7.5
    assert lead_v1.y - 40 < trace.y[late].min() < trace.y[late].max() < lead_v1.y + 5


def test_bands_shade_from_onset_to_offset() -> None:
    band = traces(WaveView(example(), style="bands", scope="global"))["T"]
    assert band["fill"] == "toself"
    first = band["x"][:4]
    assert first == pytest.approx([0.8, 0.8, 0.9, 0.9])


def test_the_paper_says_whose_marks_they_are() -> None:
    figure = draw_paper(pulses(), PaperOptions(), waves=WaveView(example(), scope="global"))
    assert any(
        "P dashed, QRS dotted, T dash-dotted: global marks by network" in text
        for text in texts(figure)
    )


@pytest.mark.parametrize(("style", "scope"), [("dots", "lead"), ("lines", "all")])
def test_what_is_not_offered_is_refused_by_name(style: str, scope: str) -> None:
    with pytest.raises(ValueError, match="known: "):
        WaveView(example(), style, scope)  # type: ignore[arg-type]
