"""Where a finding is pointed at: on the page, on a beat that shows the same."""

from __future__ import annotations

import numpy as np
import pytest

from ecgcore.drawing.paper import PaperOptions
from ecgcore.rules.finding import Finding, Place
from ecgcore.signal.beats import Beats
from ecgcore.ui.places import highlights
from tests.drawing.recordings import RATE, pulses

POSITIONS = np.arange(0.5, 10.0)


def beats(*kinds: str) -> Beats:
    given = kinds or ("dominant",) * len(POSITIONS)
    return Beats(
        RATE,
        POSITIONS * RATE,
        POSITIONS * RATE - 20,
        np.zeros(len(POSITIONS), dtype=np.intp),
        given,  # type: ignore[arg-type]
    )


def finding(lead: str, start: float, stop: float) -> Finding:
    return Finding(
        "one", "ONE", "one", True, "", None, None, "", "", (Place(lead, start * RATE, stop * RATE),)
    )


def at(lead: str, start: float, stop: float, layout: str, given: Beats) -> tuple[object, ...]:
    options = PaperOptions(layout)  # type: ignore[arg-type]
    ((shown, left, right),) = highlights(finding(lead, start, stop), pulses(), given, options)
    return shown, round(left, 3), round(right, 3)


def test_a_place_on_the_page_stays_where_it_is() -> None:
    assert at("V1", 0.4, 0.6, "12x1", beats()) == ("V1", 0.4, 0.6)


def test_a_place_off_the_page_moves_to_the_same_part_of_a_beat_on_it() -> None:
    # In 3x4 lead V1 is drawn from 5.0 to 7.5 s.
    assert at("V1", 0.4, 0.6, "3x4+1", beats()) == ("V1", 5.4, 5.6)


def test_an_ectopic_beat_does_not_stand_for_a_usual_one() -> None:
    kinds = ["dominant"] * len(POSITIONS)
    kinds[5] = "ventricular ectopic"  # at 5.5 s
    assert at("V1", 0.4, 0.6, "3x4+1", beats(*kinds)) == ("V1", 6.4, 6.6)


def test_a_stretch_of_rhythm_is_not_moved() -> None:
    assert at("V1", 0.4, 4.6, "3x4+1", beats()) == ("V1", 0.4, 4.6)


@pytest.mark.parametrize("layout", ["3x4+1", "12x1"])
def test_without_beats_the_place_is_left(layout: str) -> None:
    empty = np.empty(0)
    none = Beats(RATE, empty, empty.copy(), np.empty(0, dtype=np.intp), ())
    assert at("V1", 0.4, 0.6, layout, none) == ("V1", 0.4, 0.6)
