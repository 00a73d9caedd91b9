"""Biomarkers: one value whatever the gain and the rate, the same for a recording and its pack."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ecgcore.datasets.packed_biomarkers import packed_biomarkers
from ecgcore.models import aside
from ecgcore.models import biomarkers as module
from ecgcore.models.aside import aside_columns
from ecgcore.models.biomarkers import BIOMARKERS, WAVE_LIMITS, biomarkers, limb_sizes
from ecgcore.models.input_spec import InputSpec, UnfitRecordingError, prepare
from ecgcore.recording import LEADS, Recording
from ecgcore.signal.amplitudes import FineBeat, lead_values
from ecgcore.signal.deflections import LEAST_MV
from ecgcore.signal.delineation import delineate
from ecgcore.signal.intervals import UsualBeat
from ecgcore.signal.measurements import measure
from tests.models.example import example_recording

SPEC = InputSpec(sampling_rate=100.0, aside=("biomarkers",))


def named(recording: Recording) -> dict[str, float]:
    row = prepare(recording, SPEC).aside
    return dict(zip(BIOMARKERS, row.tolist(), strict=True))


def test_they_are_the_recordings_own_measurements() -> None:
    """Times as on the recording itself, amplitudes in their proportions."""
    recording = example_recording()
    found, measured = named(recording), measure(recording, delineate(recording))
    for name, off in (("rate_bpm", 1.0), ("qrs_ms", 12.0), ("pr_ms", 12.0), ("qrs_axis_deg", 5.0)):
        assert found[name] == pytest.approx(measured.value(name).number, abs=off), name
    theirs = [measured.value(f"{lead}.qrs_net_mv").number for lead in ("I", "II")]
    ours = [found[f"{lead}.qrs_net_mv"] for lead in ("I", "II")]
    assert ours[0] / ours[1] == pytest.approx(theirs[0] / theirs[1], rel=0.15)
    assert max(found[f"{lead}.size"] for lead in LEADS[:6]) == 1.0
    assert "beats" not in found and len(set(BIOMARKERS)) == len(BIOMARKERS)


@pytest.mark.parametrize("gain", [0.5, 2.0])
def test_a_false_gain_changes_nothing(gain: float) -> None:
    recording = example_recording()
    louder = replace(recording, signal=recording.signal * np.float32(gain))
    one, other = named(recording), named(louder)
    np.testing.assert_allclose(list(other.values()), list(one.values()), rtol=1e-2, atol=1e-2)


def test_a_wave_just_large_enough_moves_no_value_far() -> None:
    """A tiny R, one part in fifty below and above the least height, before a deep S."""

    def values(r_mv: float, limits: tuple[float, ...]) -> dict[str, float]:
        parts = [(r_mv, 16), (-0.9, 60)]
        waves = [height * np.sin(np.pi * np.arange(ms) / ms) for height, ms in parts]
        signal = np.concatenate([np.zeros(50), *waves, np.zeros(200)])[None]
        beat = FineBeat(("V2",), signal, np.zeros(1), {"QRS": (48.0, 130.0)}, 60.0)
        none = np.empty(0, dtype=np.intp)
        usual = UsualBeat({"QRS": (0.0, 82.0)}, {}, {}, none, 0, none, none, pr_varies=False)
        found = lead_values(beat, "V2", usual, scale_unknown=False, limits=limits)
        return {name: found[name].number or 0.0 for name in ("q_mv", "r_mv", "s_mv", "qs")}

    below, above = (values(LEAST_MV * share, (1.0,)) for share in (0.98, 1.02))
    assert (below["qs"], above["qs"]) == (1, 0)
    assert above["s_mv"] - below["s_mv"] < -0.85
    below, above = (values(LEAST_MV * share, WAVE_LIMITS) for share in (0.98, 1.02))
    for name, most in (("q_mv", 0.03), ("r_mv", 0.002), ("s_mv", 0.03), ("qs", 0.04)):
        assert below[name] != above[name]
        assert abs(above[name] - below[name]) < most, name


def test_they_are_measured_with_these_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    recording = example_recording()
    signal = recording.signal.astype(np.float64)
    signal += np.random.default_rng(1).normal(0, 0.01, signal.shape)
    noisy = replace(recording, signal=signal.astype(np.float32))
    means = named(noisy)
    monkeypatch.setattr(module, "WAVE_LIMITS", (1.0,))
    aside._biomarkers.cache_clear()
    moved = [name for name, value in named(noisy).items() if not np.isclose(value, means[name])]
    assert {"q", "r", "s", "p"} & {name.partition(".")[2].partition("_")[0] for name in moved}
    assert "qrs_ms" not in moved


def test_limb_sizes_undo_a_scaling_lead_by_lead() -> None:
    limb = example_recording().signal[:6].astype(np.float64)
    limb -= limb.mean(axis=1, keepdims=True)
    deviations = limb.std(axis=1)
    np.testing.assert_allclose(
        limb_sizes(limb / deviations[:, None]), deviations / deviations.max(), rtol=1e-3
    )
    noise = np.random.default_rng(0).normal(size=(6, 1000))
    assert np.isnan(limb_sizes(noise)).all()
    assert np.isnan(limb_sizes(np.zeros((6, 1000)))).all()


def test_a_record_is_measured_once_and_packed_as_the_recording_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    prepared = prepare(example_recording(), SPEC)
    stored = np.round(prepared.values / 0.001).astype(np.int16)[None]
    found = packed_biomarkers(stored, 0.001, 100.0)
    close = np.isclose(found[0], prepared.aside, rtol=0.02, atol=0.05, equal_nan=True)
    assert close.mean() > 0.97

    def never(*given: object) -> None:
        raise AssertionError("measured twice")

    monkeypatch.setattr(module, "_measured", never)
    np.testing.assert_array_equal(packed_biomarkers(stored, 0.001, 100.0), found)
    np.testing.assert_array_equal(prepare(example_recording(), SPEC).aside, prepared.aside)
    turned = replace(example_recording(), signal=example_recording().signal[:, ::-1].copy())
    with pytest.raises(AssertionError, match="measured twice"):
        prepare(turned, SPEC)


def test_a_model_that_needs_them_refuses_where_there_is_no_beat() -> None:
    recording = example_recording()
    seconds = np.arange(recording.samples) / recording.sampling_rate
    hum = np.tile(0.3 * np.sin(2 * np.pi * 30 * seconds), (12, 1)).astype(np.float32)
    without = replace(recording, signal=hum)
    with pytest.raises(UnfitRecordingError, match="no heart beat can be measured"):
        prepare(without, SPEC)


def test_they_are_of_twelve_leads() -> None:
    assert aside_columns(("biomarkers",)) == BIOMARKERS
    with pytest.raises(ValueError, match="biomarkers of 8 leads"):
        biomarkers(np.zeros((8, 1000)), 100.0)
    with pytest.raises(ValueError, match="biomarkers of the leads I"):
        InputSpec(leads=("I",), aside=("biomarkers",))
