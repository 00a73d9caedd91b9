"""The layouts' geometry: order, time, and room."""

from __future__ import annotations

from itertools import pairwise

import pytest

from ecgcore.drawing.layout import (
    CABRERA_LIMB_LEADS,
    LAYOUTS,
    LayoutName,
    Sheet,
    lay_out,
    rhythm_strips,
    slots,
)
from ecgcore.recording import LEADS


def sheet(layout: LayoutName, low: float = -0.5, high: float = 1.0, stop: float = 10.0) -> Sheet:
    placed = slots(layout, rhythm_strips(layout, None), 0.0, stop)
    return lay_out(layout, 25, 10, placed, tuple((low, high) for _ in placed))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_has_the_twelve_leads_once_besides_the_strips(layout: LayoutName) -> None:
    placed = sheet(layout).slots
    assert sorted(s.lead for s in placed if not s.strip) == sorted(LEADS)
    assert {s.lead for s in placed if s.inverted} == ({"aVR"} if layout == "cabrera" else set())


def test_the_3x4_columns_are_those_of_the_cart() -> None:
    placed = [s for s in sheet("3x4+1").slots if not s.strip]
    at = {(s.row, s.start): s.name for s in placed}
    assert [at[row, 0.0] for row in range(3)] == ["I", "II", "III"]
    assert [at[row, 2.5] for row in range(3)] == ["aVR", "aVL", "aVF"]
    assert [at[row, 5.0] for row in range(3)] == ["V1", "V2", "V3"]
    assert [at[row, 7.5] for row in range(3)] == ["V4", "V5", "V6"]


def test_the_strips_run_over_the_whole_page() -> None:
    one = [s for s in sheet("3x4+1").slots if s.strip]
    assert [(s.lead, s.row, s.start, s.stop) for s in one] == [("II", 3, 0.0, 10.0)]
    three = [s for s in sheet("3x4+3").slots if s.strip]
    assert [(s.lead, s.row) for s in three] == [("V1", 3), ("II", 4), ("V5", 5)]


def test_cabrera_names_the_inverted_lead() -> None:
    placed = sheet("cabrera").slots
    first = [s.name for s in placed if s.start == 0.0]
    assert first == ["aVL", "I", "-aVR", "II", "aVF", "III"]
    assert CABRERA_LIMB_LEADS[2] == "aVR"


def test_a_millimetre_is_a_millimetre() -> None:
    page = sheet("6x2")
    assert page.x_mm(4.0) - page.x_mm(3.0) == pytest.approx(25.0)
    assert page.seconds_at(page.x_mm(1.23)) == pytest.approx(1.23)
    low, high = page.row_range_mv(2)
    assert (high - low) * 10 == pytest.approx(page.height_mm)
    assert low == pytest.approx(-page.baselines[2] / 10)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_zero_lies_on_a_thick_line_and_rows_do_not_meet(layout: LayoutName) -> None:
    page = sheet(layout)
    assert all(base % 5.0 == 0.0 for base in page.baselines)
    steps = {a - b for a, b in pairwise(page.baselines)}
    assert steps == {page.above_mm + page.below_mm}
    assert page.left_mm % 5.0 == 0.0


def test_the_paper_grows_for_tall_outer_rows_but_not_without_end() -> None:
    usual, tall, huge = sheet("12x1"), sheet("12x1", high=3.0), sheet("12x1", -90.0, 90.0)
    assert tall.height_mm == usual.height_mm + 20.0
    assert tall.row_range_mv(0)[1] >= 3.0
    assert huge.height_mm == usual.height_mm + 80.0
    assert tall.width_mm == usual.width_mm


def test_a_short_recording_keeps_the_width() -> None:
    short = sheet("3x4+1", stop=4.0)
    assert short.width_mm == sheet("3x4+1").width_mm
    assert [s.start for s in short.slots if s.row == 0] == [0.0, 1.0, 2.0, 3.0]


def test_rhythm_leads_can_be_chosen_but_their_number_is_the_layouts() -> None:
    assert rhythm_strips("3x4+1", ("v1",)) == ("V1",)
    assert rhythm_strips("12x1", None) == ()
    with pytest.raises(ValueError, match=r"1 rhythm leads for layout 3x4\+3; it takes 3"):
        rhythm_strips("3x4+3", ("II",))
    with pytest.raises(ValueError, match="lead name"):
        rhythm_strips("3x4+1", ("V9",))
