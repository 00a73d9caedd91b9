"""The paper's figure: what is on it, and that it is what the recording says."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from ecgcore.drawing.layout import LAYOUTS, LayoutName
from ecgcore.drawing.paper import (
    CSS_PIXELS_PER_MM,
    DISCLAIMER,
    PaperOptions,
    draw_paper,
    latest_start,
    microvolts,
    paper_size,
)
from ecgcore.readers.opening import read_path
from ecgcore.readers.stated import Stated
from ecgcore.recording import LEADS, Recording, Source, complete_limb_leads
from ecgcore.signal.filters import DisplayFilter, apply_display_filter
from tests.drawing.figures import lines, texts
from tests.drawing.recordings import RATE, flat, pulses, recording


def noise(seconds: float = 10.0, leads: tuple[str, ...] = LEADS) -> Recording:
    generator = np.random.default_rng(0)
    signal = generator.normal(0, 0.3, (len(leads), round(seconds * RATE)))
    return recording(signal.astype(np.float32), leads)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_sample_of_every_slot_is_drawn_as_it_is(layout: LayoutName) -> None:
    value = noise()
    drawn = lines(draw_paper(value, PaperOptions(layout)))
    for trace in drawn:
        name = trace["name"]
        first = round(trace["x0"] * RATE)
        given = trace["y"]
        true = value.lead(name.removeprefix("-"))[first : first + given.size]
        true = -true if name.startswith("-") else true
        assert np.array_equal(given, (true.astype(np.float64) * 1000).astype(np.float32))
        assert trace["dx"] == 1 / RATE
    counted = sum(trace["y"].size for trace in drawn)
    assert counted == {"3x4+1": 20_000, "3x4+3": 30_000, "6x2": 30_000, "cabrera": 30_000}.get(
        layout, 60_000
    )


@pytest.mark.parametrize("layout", LAYOUTS)
def test_columns_share_no_sample_and_lose_none_at_odd_rates(layout: LayoutName) -> None:
    for rate, samples in ((257.0, 2570), (360.0, 3601), (100.0, 997)):
        value = recording(np.zeros((12, samples), dtype=np.float32), rate=rate)
        seen: dict[str, list[tuple[float, int]]] = {}
        for trace in lines(draw_paper(value, PaperOptions(layout))):
            seen.setdefault(trace["yaxis"], []).append(
                (trace["x0"], trace["y"].size)  # type: ignore[arg-type]
            )
        for row in seen.values():
            assert sum(size for _, size in row) == min(samples, round(10 * rate))
            starts = sorted(row)
            for (start, size), (following, _) in pairwise(starts):
                assert start + size / rate == pytest.approx(following)


def test_traces_are_typed_arrays_without_x() -> None:
    document = json.loads(draw_paper(pulses(), PaperOptions()).to_json())
    drawn = [trace for trace in document["data"] if "dx" in trace]
    assert len(drawn) == 13
    assert all(trace["y"]["dtype"] == "i2" and "x" not in trace for trace in drawn)
    assert all(trace["line"]["simplify"] is False for trace in drawn)
    assert all(trace["connectgaps"] is False for trace in drawn)
    assert all(trace["type"] == "scatter" for trace in drawn)


@pytest.mark.parametrize("speed", [25, 50])
@pytest.mark.parametrize("gain", [5, 10, 20])
def test_axes_have_the_scale_and_the_grid_of_the_paper(speed: int, gain: int) -> None:
    options = PaperOptions("3x4+1", speed, gain)  # type: ignore[arg-type]
    layout = draw_paper(noise(), options).layout
    pixels_a_second = layout.width / (layout.xaxis.range[1] - layout.xaxis.range[0])
    assert pixels_a_second == pytest.approx(speed * CSS_PIXELS_PER_MM)
    for row in range(4):
        low, high = layout[f"yaxis{row + 2}"].range
        assert layout.height / (high - low) * 1000 == pytest.approx(gain * CSS_PIXELS_PER_MM)
        assert layout[f"yaxis{row + 2}"].overlaying == "y"
    assert layout.xaxis.minor.dtick * speed == pytest.approx(1.0)
    assert layout.xaxis.dtick * speed == pytest.approx(5.0)
    assert (layout.yaxis.minor.dtick, layout.yaxis.dtick) == (1.0, 5.0)
    assert layout.yaxis.range[0] == 0.0
    assert (layout.margin.l, layout.margin.r, layout.margin.t, layout.margin.b) == (0, 0, 0, 0)
    assert layout.margin.autoexpand is False


def test_paper_size_is_the_size_of_the_figure() -> None:
    for options in (PaperOptions(), PaperOptions("12x1", 50, 20, pixels_per_mm=4.0)):
        width, height = paper_size(noise(), options)
        layout = draw_paper(noise(), options).layout
        assert 0 <= layout.width - width * options.pixels_per_mm < 1
        assert 0 <= layout.height - height * options.pixels_per_mm < 1


def test_scale_filter_and_disclaimer_are_on_the_paper() -> None:
    options = PaperOptions("6x2", 50, 20, DisplayFilter("0.5-40 Hz", 50))
    everything = " ".join(texts(draw_paper(noise(), options)))
    assert "50 mm/s   20 mm/mV" in everything
    assert "filter: 0.5-40 Hz, notch 50 Hz (display)" in everything
    assert DISCLAIMER == "Research use only; not a medical device"
    assert DISCLAIMER in everything
    assert "filter: none (display)" in " ".join(texts(draw_paper(noise(), PaperOptions())))


def test_a_filter_that_the_rate_cannot_carry_is_named_as_what_it_is() -> None:
    value = recording(flat(rate=250.0), rate=250.0)
    options = PaperOptions(display_filter=DisplayFilter("0.05-150 Hz"))
    everything = " ".join(texts(draw_paper(value, options)))
    assert "filter: 0.05 Hz high-pass (display)" in everything
    assert "no 150 Hz low-pass: sampled at 250 Hz" in everything


def test_the_filter_changes_the_picture_and_not_the_recording() -> None:
    value = noise()
    before = value.signal.copy()
    chosen = DisplayFilter("0.5-40 Hz", 60)
    drawn = lines(draw_paper(value, PaperOptions("12x1", display_filter=chosen)))
    assert np.array_equal(value.signal, before)
    expected = apply_display_filter(value.signal, RATE, chosen).signal
    for row, trace in enumerate(drawn):
        assert trace["y"] == pytest.approx(expected[row] * 1000, rel=1e-6, abs=1e-6)
    assert not np.allclose(expected, before, atol=0.05)


def test_a_missing_lead_is_named_as_not_recorded() -> None:
    value = noise(leads=("I", "II", "V1"))
    figure = draw_paper(value, PaperOptions("12x1"))
    assert "<b>V4</b> (not recorded)" in texts(figure)
    assert [trace["name"] for trace in lines(figure)] == ["I", "II", "V1"]


def test_a_lead_without_any_sample_says_so() -> None:
    signal = flat()
    signal[LEADS.index("V2")] = np.nan
    figure = draw_paper(recording(signal), PaperOptions("6x2"))
    assert "<b>V2</b> (no samples)" in texts(figure)
    assert len(lines(figure)) == 11


def test_computed_leads_are_marked_even_upside_down() -> None:
    eight = noise(leads=("I", "II", "V1", "V2", "V3", "V4", "V5", "V6"))
    figure = draw_paper(complete_limb_leads(eight), PaperOptions("cabrera"))
    assert "<b>III</b> (computed)" in texts(figure)
    assert "<b>-aVR</b> (computed)" in texts(figure)
    assert "<b>II</b>" in texts(figure)


def test_a_page_of_a_long_recording_begins_where_it_is_told() -> None:
    value = noise(seconds=30.0)
    figure = draw_paper(value, PaperOptions("12x1", start=12.5))
    first = lines(figure)[0]
    assert first["x0"] == 12.5
    assert first["y"] == pytest.approx(value.lead("I")[6250:11250] * 1000, rel=1e-6)
    assert "12.5–22.5 s of 30.0 s" in " ".join(texts(figure))
    assert latest_start(value) == 20.0
    assert latest_start(noise(seconds=4.0)) == 0.0


def test_a_page_after_the_end_is_refused() -> None:
    with pytest.raises(ValueError, match="start 10 s of a recording of 10 s; choose 0 to 0 s"):
        draw_paper(noise(), PaperOptions(start=10.0))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"layout": "4x3"}, "unknown layout '4x3'; known: 3x4"),
        ({"speed": 100}, "unknown speed in mm/s 100; known: 25, 50"),
        ({"gain": 1}, "unknown gain in mm/mV 1; known: 5, 10, 20"),
        ({"start": -1.0}, "start -1.0 s"),
        ({"pixels_per_mm": 0.0}, "0.0 pixels per mm"),
        ({"rhythm_leads": ("II", "V1")}, "2 rhythm leads"),
    ],
)
def test_unknown_options_are_refused(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(PaperOptions(), **wrong)  # type: ignore[arg-type]


def test_a_trace_that_leaves_the_paper_is_named() -> None:
    signal = flat()
    signal[LEADS.index("V2"), 3000:] = 60.0
    everything = " ".join(texts(draw_paper(recording(signal), PaperOptions())))
    assert "beyond the paper: V2 (" in everything
    assert "beyond" not in " ".join(texts(draw_paper(pulses(), PaperOptions())))


def test_a_trace_outside_its_row_is_named_where_it_lies() -> None:
    signal = flat()
    signal[LEADS.index("V4")] = 12.0
    figure = draw_paper(recording(signal), PaperOptions("cabrera"))
    everything = " ".join(texts(figure))
    assert "outside its row: V4" in everything
    (label,) = (a for a in figure.layout.annotations if a.text == "<b>V4</b> at +12.0 mV")
    low, high = figure.layout.yaxis5.range
    height = (12_000 - low) / (high - low) * figure.layout.yaxis.range[1]
    assert label.y == pytest.approx(height, abs=2.0)
    assert "outside its row" not in " ".join(texts(draw_paper(pulses(), PaperOptions("cabrera"))))


def test_infinite_samples_do_not_break_the_page() -> None:
    signal = flat()
    signal[0, 100] = np.inf
    signal[1, 100] = -np.inf
    figure = draw_paper(recording(signal), PaperOptions())
    assert figure.layout.height == draw_paper(recording(flat()), PaperOptions()).layout.height


def test_a_highlight_lies_only_where_its_lead_is() -> None:
    in_column = draw_paper(noise(), PaperOptions(), highlights=[("V3", 5.1, 5.5)])
    assert [(s.x0, s.x1) for s in in_column.layout.shapes] == [(5.1, 5.5)]
    twice = draw_paper(noise(), PaperOptions(), highlights=[("II", 2.0, 3.0)])
    assert [(s.x0, s.x1) for s in twice.layout.shapes] == [(2.0, 2.5), (2.0, 3.0)]
    everywhere = draw_paper(noise(), PaperOptions(), highlights=[(None, 2.0, 3.0)])
    assert len(everywhere.layout.shapes) == 1
    nowhere = draw_paper(noise(), PaperOptions(), highlights=[("V3", 1.0, 1.4)])
    assert len(nowhere.layout.shapes) == 0
    assert "V3 1.00–1.40 s is not on this page" in " ".join(texts(nowhere))


def test_text_from_a_file_cannot_become_markup() -> None:
    value = replace(noise(), record_id="<a href='x'>y</a>" + "z" * 200)
    shown = [text for text in texts(draw_paper(value, PaperOptions())) if "href" in text]
    assert len(shown) == 1
    assert shown[0].startswith("&lt;a href='x'&gt;y")
    assert len(shown[0]) < 100


def test_zoom_survives_a_filter_but_not_another_recording_or_layout() -> None:
    value, options = noise(), PaperOptions("12x1")
    kept = draw_paper(value, options).layout.uirevision
    dark = replace(options, dark=True)
    assert draw_paper(value, dark).layout.uirevision == kept
    others = [
        draw_paper(value, replace(options, gain=20)),
        draw_paper(value, replace(options, layout="6x2")),
        draw_paper(replace(value, source=Source("synthetic", "1" * 64)), options),
    ]
    assert all(other.layout.uirevision != kept for other in others)


def test_dark_paper_has_light_ink() -> None:
    def brightness(colour: str) -> int:
        return sum(int(colour[place : place + 2], 16) for place in (1, 3, 5))

    for dark in (False, True):
        figure = draw_paper(noise(), PaperOptions(dark=dark))
        trace = figure.data[-1].line.color
        assert (brightness(trace) > brightness(figure.layout.paper_bgcolor)) is dark


def test_microvolts_are_whole_numbers_only_where_that_loses_nothing() -> None:
    whole = np.array([0.0, 0.001, -1.234, 32.767, -32.767], dtype=np.float32)
    assert microvolts(whole).dtype == np.int16
    assert microvolts(whole).tolist() == [0, 1, -1234, 32767, -32767]
    for other in ([0.0015], [32.768], [np.nan, 0.1], [-40.0]):
        kept = microvolts(np.array(other, dtype=np.float32))
        assert kept.dtype == np.float32
        assert kept == pytest.approx(np.array(other) * 1000, nan_ok=True, rel=1e-6)
    assert microvolts(np.empty(0, dtype=np.float32)).size == 0


def test_real_records_are_drawn_whole(ecg_data: Path) -> None:
    import wfdb

    names = sorted((ecg_data / "ptbxl_raw500").glob("*.hea"))[:5]
    assert names
    for header in names:
        record = wfdb.rdrecord(str(header.with_suffix("")))
        value = Recording.from_leads(
            header.stem,
            record.p_signal.T.astype(np.float32),
            record.sig_name,
            record.fs,
            Source("WFDB", "0" * 64),
        )
        drawn = lines(draw_paper(value, PaperOptions("12x1")))
        assert [trace["name"] for trace in drawn] == list(LEADS)
        stacked = np.stack([trace["y"] for trace in drawn])
        assert stacked.dtype == np.int16
        assert np.array_equal((stacked / 1000.0).astype(np.float32), value.signal)


def test_the_paper_says_itself_that_its_voltages_are_not_true() -> None:
    told = Source("synthetic", "0" * 64, ("One size for all. Voltages are not true; times are.",))
    plain = " ".join(texts(draw_paper(noise(), PaperOptions())))
    assert "not true" not in plain
    doubted = " ".join(texts(draw_paper(replace(noise(), source=told), PaperOptions())))
    assert "voltages are not true" in doubted


def test_the_readers_words_of_doubt_are_those_that_the_paper_looks_for(ecg_data: Path) -> None:
    value = read_path(ecg_data / "ludb" / "1.hea", Stated())
    assert value.source.warnings
    assert "voltages are not true" in " ".join(texts(draw_paper(value, PaperOptions())))


def test_a_box_holds_a_wave_that_leaves_its_row() -> None:
    deep = flat()
    deep[LEADS.index("V1"), round(5.2 * RATE) : round(5.3 * RATE)] = -4.0
    figure = draw_paper(recording(deep), PaperOptions("12x1"), highlights=[("V1", 5.1, 5.4)])
    (box,) = figure.layout.shapes
    (line,) = [trace for trace in lines(figure) if trace["name"] == "V1"]
    scale = figure.layout[f"yaxis{line['yaxis'].removeprefix('y')}"].range
    height = figure.layout.yaxis.range[1]
    lowest = (-4000 - scale[0]) / (scale[1] - scale[0]) * height
    assert box.y0 < lowest < box.y1
