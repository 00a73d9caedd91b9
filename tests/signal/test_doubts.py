"""Sentences beside the numbers: they come where something is wrong, and only there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from ecgcore.signal.delineation.waves import OFFSET, ONSET, PEAK, Delineation
from ecgcore.signal.measurements import measure
from ecgcore.signal.simulator import PRESETS, Simulated, simulate
from ecgcore.signal.simulator_options import SimulationOptions

NOISY = {"muscle_uv": 25.0, "mains_uv": 50.0}
GOES_ON, SLOPES, SILENT, MISSING = (
    "goes on after the marked end of T",
    "is not level",
    "No QRS complex is in the",
    "Samples are missing in all leads",
)


def sinus(**changes: float) -> Simulated:
    return simulate(replace(SimulationOptions(seed=18), **changes), "sinus")


def selected(truth: Delineation, first: float, last: float) -> Delineation:
    """The marks of the waves that peak between two samples."""
    inside = {
        wave: (marks[:, PEAK] >= first) & (marks[:, PEAK] < last)
        for wave, marks in truth.overall.items()
    }
    return replace(
        truth,
        overall={wave: marks[inside[wave]] for wave, marks in truth.overall.items()},
        leads={
            lead: {wave: marks[inside[wave]] for wave, marks in rows.items()}
            for lead, rows in truth.leads.items()
        },
    )


def said(ecg: Simulated, signal: NDArray[np.floating], truth: Delineation, words: str) -> list[str]:
    recording = replace(ecg.recording, signal=signal.astype(np.float32))
    return [one for one in measure(recording, truth).warnings if words in one]


def all_said(ecg: Simulated) -> str:
    """All that is said of the recording with its true waves."""
    return "\n".join(measure(ecg.recording, ecg.truth).warnings)


@pytest.mark.parametrize("noise", [{}, NOISY], ids=["clean", "noisy"])
@pytest.mark.parametrize("name", list(PRESETS))
def test_usual_recordings_are_not_doubted(name: str, noise: dict[str, float]) -> None:
    found = all_said(simulate(replace(PRESETS[name], **noise), name))
    assert not any(words in found for words in (GOES_ON, SLOPES, SILENT, MISSING))


@pytest.mark.parametrize("every", [2, 3])
def test_an_ectopic_beat_is_no_part_of_t(every: int) -> None:
    options = SimulationOptions(seed=18, ectopics="ventricular", ectopic_every=every)
    found = all_said(simulate(options, "ectopics"))
    assert not any(words in found for words in (GOES_ON, SLOPES, SILENT))


def test_a_flat_end_or_beginning_is_told() -> None:
    ecg = sinus()
    signal = ecg.recording.signal.copy()
    signal[:, 2600:] = signal[:, 2600:2601]
    (sentence,) = said(ecg, signal, selected(ecg.truth, 0, 2500), SILENT)
    assert "in the last 5." in sentence
    signal = ecg.recording.signal.copy()
    signal[:, :2000] = signal[:, 2000:2001]
    (sentence,) = said(ecg, signal, selected(ecg.truth, 2100, 5000), SILENT)
    assert "in the first 4." in sentence


def test_what_is_missing_is_no_silence() -> None:
    ecg = sinus()
    signal = ecg.recording.signal.copy()
    signal[:, 2600:] = np.nan
    truth = selected(ecg.truth, 0, 2500)
    assert not said(ecg, signal, truth, SILENT)
    (sentence,) = said(ecg, signal, truth, MISSING)
    assert "for 4.8 s" in sentence


def test_a_second_part_of_t_after_its_marked_end_is_told() -> None:
    ecg = sinus(t_second=-0.5)

    def shorter(marks: NDArray[np.float64]) -> NDArray[np.float64]:
        changed = marks.copy()
        changed[:, OFFSET] -= 0.055 * ecg.recording.sampling_rate
        assert (changed[:, OFFSET] > changed[:, ONSET]).all()
        return changed

    early = replace(
        ecg.truth,
        overall={**ecg.truth.overall, "T": shorter(ecg.truth.overall["T"])},
        leads={lead: {**rows, "T": shorter(rows["T"])} for lead, rows in ecg.truth.leads.items()},
    )
    (sentence,) = said(ecg, ecg.recording.signal, early, GOES_ON)
    assert "V5" in sentence
    assert not said(ecg, ecg.recording.signal, ecg.truth, GOES_ON)


def test_wander_in_step_with_the_beats_is_told() -> None:
    ecg = sinus(wander_mv=2.0, wander_hz=0.5, qt_ms=370.0)
    wrong = measure(ecg.recording, ecg.truth).value("III.j_mv").number
    assert wrong is not None and wrong > 0.2  # what the sentence warns of
    (sentence,) = said(ecg, ecg.recording.signal, ecg.truth, SLOPES)
    assert "III" in sentence
    slow = sinus(wander_mv=1.0, wander_hz=0.3)
    assert not said(slow, slow.recording.signal, slow.truth, SLOPES)
