"""A P wave marked too early begins where two leads leave the line, and never earlier."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from ecgcore.signal.amplitudes import FineBeat
from ecgcore.signal.delineation.waves import ONSET, Delineation
from ecgcore.signal.measurements import measure
from ecgcore.signal.p_onset import MOST_TRIMMED_MS, trimmed_p_onset
from ecgcore.signal.simulator import PRESETS, simulate

LEADS = ("I", "II", "V1")
TRUE_ONSET = 150


def humps(leads: int = 3, height: float = 0.15) -> NDArray[np.float64]:
    """P waves of 100 ms that begin in a corner, on a level line, and QRS complexes of 1 mV."""
    at = np.arange(700)
    one = height * np.sin(np.pi * np.clip((at - TRUE_ONSET) / 100, 0, 1))
    complex_ = np.sin(np.pi * np.clip((at - 300) / 90, 0, 1))
    return np.tile(one + complex_, (leads, 1))


def fine(signal: NDArray[np.float64], onset: float) -> FineBeat:
    borders = {"P": (onset, 250.0), "QRS": (300.0, 390.0)}
    return FineBeat(LEADS[: len(signal)], signal, np.zeros(len(signal)), borders, 350.0)


def test_an_early_mark_moves_to_where_the_wave_is_seen() -> None:
    assert trimmed_p_onset(fine(humps(), 144)) == pytest.approx(TRUE_ONSET, abs=2)


def test_the_gain_moves_no_onset() -> None:
    assert trimmed_p_onset(fine(0.1 * humps(), 144)) == trimmed_p_onset(fine(humps(), 144))


def test_a_true_or_late_mark_stays() -> None:
    assert trimmed_p_onset(fine(humps(), TRUE_ONSET)) == TRUE_ONSET
    assert trimmed_p_onset(fine(humps(), 160)) == 160


def test_no_more_than_a_margin_is_taken_off() -> None:
    assert trimmed_p_onset(fine(humps(), 120)) == 120 + MOST_TRIMMED_MS
    assert trimmed_p_onset(fine(humps(height=0.0), 120)) == 120 + MOST_TRIMMED_MS


def test_two_leads_are_needed_and_computed_ones_do_not_count() -> None:
    early = humps()
    early[0] = np.roll(early[0], -6)
    assert trimmed_p_onset(fine(early, 144)) == pytest.approx(TRUE_ONSET, abs=2)
    assert trimmed_p_onset(fine(early, 144), ("II", "V1")) == pytest.approx(144, abs=2)


def test_without_a_p_wave_there_is_no_onset() -> None:
    beat = fine(humps(), 144)
    without = replace(beat, borders={"QRS": beat.borders["QRS"]})
    assert trimmed_p_onset(without) is None


def test_marks_that_are_early_in_every_lead_do_not_lengthen_pr() -> None:
    ecg = simulate(PRESETS["sinus"], "sinus")
    per_ms = ecg.recording.sampling_rate / 1000

    def earlier(waves: dict[str, NDArray[np.float64]]) -> dict[str, NDArray[np.float64]]:
        moved = waves["P"].copy()
        moved[:, ONSET] -= 5 * per_ms
        return {**waves, "P": moved}

    early: Delineation = replace(
        ecg.truth,
        overall=earlier(dict(ecg.truth.overall)),
        leads={lead: earlier(dict(waves)) for lead, waves in ecg.truth.leads.items()},
    )
    for marks in (ecg.truth, early):
        found = measure(ecg.recording, marks).overall["pr_ms"].number
        assert found == pytest.approx(PRESETS["sinus"].pr_ms, abs=3)
