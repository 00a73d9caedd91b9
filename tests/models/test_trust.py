"""What is no ECG gets no answer; what is doubtful gets one with the doubt beside it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ecgcore.explain.methods import explain
from ecgcore.models.input_spec import InputSpec, UnfitRecordingError, prepare
from ecgcore.models.predictor import load_predictor
from ecgcore.models.trust import doubts, look, require_heart
from ecgcore.readers.opening import find_recordings, read_path
from ecgcore.recording import Recording
from ecgcore.signal.foreign import signs_of_a_heart
from ecgcore.signal.simulator import PRESETS, simulate
from tests.models.example import example_recording

SPEC = InputSpec(sampling_rate=100.0)
ROWS = np.random.default_rng(0).normal(size=(12, 5000))
SECONDS = np.arange(5000) / 500


def with_signal(signal: NDArray[np.floating], rate: float = 500.0) -> Recording:
    return replace(
        example_recording(), signal=np.ascontiguousarray(signal, np.float32), sampling_rate=rate
    )


def doubted(recording: Recording) -> tuple[str, ...]:
    signs = require_heart(recording, prepare(recording, SPEC))
    return doubts(recording, signs, look(recording))


@pytest.mark.parametrize(
    ("signal", "said"),
    [
        (0.2 * ROWS, "could be a heart beat|hardly two are alike"),
        (np.tile((SECONDS % 1 < 0.3) * 1.0, (12, 1)), "all show the same signal"),
        (np.tile(example_recording().signal[1], (12, 1)), "all show the same signal"),
        (
            0.3 * np.sin(2 * np.pi * 30 * SECONDS + np.arange(12)[:, None]),
            "a hum of one frequency",
        ),
    ],
    ids=["noise", "calibration pulses", "one lead everywhere", "hum"],
)
def test_what_is_no_ecg_is_refused_by_every_road(signal: NDArray[np.floating], said: str) -> None:
    recording = with_signal(signal)
    for name in ("inception", "mvkt", "lightbox"):
        with pytest.raises(UnfitRecordingError, match=said if name != "lightbox" else "."):
            load_predictor(name).predict(recording)
    with pytest.raises(UnfitRecordingError, match=said):
        explain("Grad-CAM", load_predictor("inception"), recording, "MI")


@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_every_simulated_heart_is_answered(preset: str) -> None:
    recording = simulate(PRESETS[preset]).recording
    signs = require_heart(recording, prepare(recording, SPEC))
    assert signs.beats >= 2 and signs.likeness > 0.75
    assert not any("contradict" in one or "turned over" in one for one in doubted(recording))


def test_limb_leads_that_contradict_each_other_are_doubted() -> None:
    recording = example_recording()
    assert not any("limb leads" in one for one in doubted(recording))
    swapped = recording.signal.copy()
    swapped[[2, 4]] = swapped[[4, 2]]
    assert any("limb leads contradict" in one for one in doubted(with_signal(swapped)))


def test_a_doubt_stands_with_the_answer() -> None:
    recording = example_recording()
    swapped = recording.signal.copy()
    swapped[[2, 4]] = swapped[[4, 2]]
    answer = load_predictor("inception").predict(with_signal(swapped))
    assert answer.labels and any("contradict" in doubt for doubt in answer.doubts)


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.floats(0.2, 5.0), min_size=12, max_size=12),
    st.lists(st.floats(-1.0, 1.0), min_size=12, max_size=12),
)
def test_gain_and_offset_of_a_lead_change_nothing(gains: list[float], offsets: list[float]) -> None:
    recording = example_recording()
    moved = recording.signal * np.array(gains)[:, None] + np.array(offsets)[:, None]
    one, other = (signs_of_a_heart(r) for r in (recording, with_signal(moved)))
    assert one.beats == other.beats
    assert other.likeness == pytest.approx(one.likeness, abs=0.01)
    assert other.sameness == pytest.approx(one.sameness, abs=0.01)
    assert other.limb_misfit == pytest.approx(one.limb_misfit, abs=0.02)


def test_no_recording_of_a_clinical_cart_is_refused(ecg_data: Path) -> None:
    for path in find_recordings(ecg_data / "ptbxl_raw500"):
        recording = read_path(path)
        require_heart(recording, prepare(recording, SPEC))
