"""How waves are smoothed before their heights are read, and the terminal force of P."""

from __future__ import annotations

import numpy as np
import pytest

from ecgcore.signal.amplitudes import FineBeat, _smooth_part, _terminal_force, lead_values
from ecgcore.signal.intervals import UsualBeat

QRS = (160.0, 240.0)


@pytest.mark.parametrize(
    ("wave", "borders"),
    [
        ("P", (60.0, 130.0)),  # with room to both sides
        ("P", (60.0, 160.0)),  # up to the QRS complex
        ("P", (5.0, 130.0)),  # from the beginning of what is known
        ("T", (290.0, 480.0)),
        ("T", (240.0, 480.0)),  # from the QRS complex on
        ("T", (290.0, 598.0)),  # to the end of what is known
    ],
)
def test_a_parabola_stays_as_it_is_wherever_the_wave_ends(
    wave: str, borders: tuple[float, float]
) -> None:
    at = np.arange(600.0)
    row = (0.2 + 1e-3 * at - 2e-6 * at**2)[None]
    beat = FineBeat(("II",), row, np.zeros(1), {wave: borders, "QRS": QRS}, 200.0)
    found = _smooth_part(beat, "II", wave)
    expected = beat.within(beat.above("II", borders[0] if wave == "P" else QRS[0]), wave)
    np.testing.assert_allclose(found, expected, atol=1e-12)


@pytest.mark.parametrize(
    ("halves", "force"),
    [
        ([0.1, -0.08], 0.08 * 49),
        ([-0.08, 0.1], 0.0),  # nothing negative ends it
        ([-0.09, 0.1, -0.05], 0.05 * 49),  # the deeper part does not
        ([-0.08], 0.08 * 49),
        ([-0.08, 0.01], 0.08 * 49),  # too little to count as a positive end
        ([-0.08, 0.03], 0.0),
        ([0.1, -0.01], 0.0),
        ([0.1], 0.0),
    ],
)
def test_the_terminal_force_is_that_of_the_negative_end(halves: list[float], force: float) -> None:
    half = np.sin(np.pi * np.arange(50) / 50)
    part = np.concatenate([*(height * half for height in halves), [0.0]])
    assert _terminal_force(part, 0.02) == pytest.approx(force, rel=0.03)


@pytest.mark.parametrize(("height", "ms"), [(0.0, 0.0), (0.01, 0.0), (0.1, None)])
def test_a_p_wave_that_only_other_leads_show_has_no_width(height: float, ms: float | None) -> None:
    """0 where there is nothing to be seen, unknown where something is that was not marked."""
    row = np.zeros(600)
    row[60:131] = height * np.sin(np.pi * np.arange(71) / 70)
    row[160:241] = np.sin(np.pi * np.arange(81) / 80)
    borders = {"P": (60.0, 130.0), "QRS": QRS}
    beat = FineBeat(("II",), row[None], np.zeros(1), borders, 200.0)
    none = np.zeros(0, dtype=np.intp)
    usual = UsualBeat(borders, {"II": {"QRS": QRS}}, {"T": "no T wave"}, none, 0, none, none, False)
    value = lead_values(beat, "II", usual, scale_unknown=False)["p_ms"]
    assert value.number == ms
    assert ms is not None or value.reason == "no P wave was delineated in lead II, only in others"
