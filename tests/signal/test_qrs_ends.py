"""A QRS complex marked too widely is trimmed to what is seen, and never widened."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from ecgcore.recording import LEADS as LEADS_12
from ecgcore.signal.amplitudes import FineBeat
from ecgcore.signal.delineation.waves import OFFSET, ONSET, Delineation
from ecgcore.signal.measurements import measure
from ecgcore.signal.qrs_ends import MOST_TRIMMED_MS, trimmed_qrs
from ecgcore.signal.simulator import PRESETS, simulate

LEADS = ("I", "II", "V1")


def fine(signal: NDArray[np.float64], onset: float, offset: float, noise: float = 0.0) -> FineBeat:
    return FineBeat(
        LEADS[: len(signal)],
        signal,
        np.full(len(signal), noise),
        {"QRS": (onset, offset)},
        350.0,
    )


def triangles(leads: int = 3, start: int = 300, stop: int = 390) -> NDArray[np.float64]:
    """Triangles of 1 mV from ``start`` to ``stop`` on a level line."""
    at = np.arange(700)
    one = np.clip(1 - np.abs(at - (start + stop) / 2) / ((stop - start) / 2), 0, None)
    return np.tile(one, (leads, 1))


def test_a_margin_is_taken_off() -> None:
    onset, offset = trimmed_qrs(fine(triangles(), 290, 402), True)
    assert onset == pytest.approx(300, abs=2)
    assert offset == pytest.approx(390, abs=2)


def test_true_borders_stay_and_narrow_ones_are_not_widened() -> None:
    assert trimmed_qrs(fine(triangles(), 300, 390), True) == (300, 390)
    assert trimmed_qrs(fine(triangles(), 320, 370), True) == (320, 370)


def test_no_more_than_a_margin_is_taken_off() -> None:
    assert trimmed_qrs(fine(triangles(), 250, 440), True) == (
        250 + MOST_TRIMMED_MS,
        440 - MOST_TRIMMED_MS,
    )


def test_noise_at_few_samples_is_no_end_of_the_complex() -> None:
    """At 250 Hz the line before and after is drawn through six samples."""
    generator, deviation = np.random.default_rng(0), 0.01
    ends = []
    for _ in range(40):
        noise = generator.normal(0, deviation, (12, 175))
        at, coarse = np.arange(697), np.arange(175) * 4
        rough = np.array([np.interp(at, coarse, row) for row in noise])
        beat = FineBeat(
            LEADS_12,
            triangles(12)[:, :697] + rough,
            np.full(12, deviation),
            {"QRS": (288, 402)},
            350.0,
            4.0,
        )
        ends.append(trimmed_qrs(beat, True))
    onsets, offsets = np.array(ends).T
    assert np.abs(onsets - 300).max() <= 4
    assert np.abs(offsets - 390).max() <= 4


def test_a_slope_after_the_complex_is_followed() -> None:
    at = np.arange(700)
    sloping = triangles() + np.clip(at - 345, 0, None) * 0.003
    assert trimmed_qrs(fine(sloping, 300, 400), True)[1] == pytest.approx(390, abs=3)


def test_one_lead_decides_for_none_but_itself() -> None:
    early = triangles()
    early[0] = triangles(1, 288, 400)[0]
    assert trimmed_qrs(fine(early, 284, 404), True)[0] == pytest.approx(300, abs=2)
    assert trimmed_qrs(fine(early[:1], 284, 404), True)[0] == pytest.approx(288, abs=3)


def test_missing_samples_leave_the_marks() -> None:
    holed = triangles()
    holed[:, 280:300] = np.nan
    assert trimmed_qrs(fine(holed, 290, 390), True)[0] == 290


def test_without_true_heights_the_size_of_the_complex_decides() -> None:
    for factor in (0.01, 1.0, 50.0):
        found = trimmed_qrs(fine(factor * triangles(), 290, 402), False)
        assert found == trimmed_qrs(fine(triangles(), 290, 402), True)


@pytest.mark.parametrize("name", ["sinus", "left bundle branch block", "low voltage"])
def test_intervals_are_true_even_with_marks_that_are_wide(name: str) -> None:
    simulated = simulate(replace(PRESETS[name], muscle_uv=15.0), name)
    found = measure(simulated.recording, _widened(simulated.truth, 5.0))
    assert found.overall["qrs_ms"].number == pytest.approx(PRESETS[name].qrs_ms, abs=6)


def _widened(truth: Delineation, samples: float) -> Delineation:
    by = np.zeros(3)
    by[ONSET], by[OFFSET] = -samples, samples
    overall = {**truth.overall, "QRS": truth.overall["QRS"] + by}
    leads = {lead: {**rows, "QRS": rows["QRS"] + by} for lead, rows in truth.leads.items()}
    return replace(truth, overall=overall, leads=leads)
