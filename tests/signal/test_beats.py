"""Beats of simulated recordings, whose kinds and places are known; the median beat by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from ecgcore.recording import Recording, Source
from ecgcore.signal.beat_alignment import beat_windows
from ecgcore.signal.beats import Beats, find_beats, median_beat
from ecgcore.signal.delineation.waves import Delineation
from ecgcore.signal.ectopy import BeatFacts, ectopic_kinds
from ecgcore.signal.pacing import paced_before
from ecgcore.signal.simulator import PRESETS, simulate

RATE = 500.0
NO_WAVES = {"P": np.empty((0, 3)), "QRS": np.empty((0, 3)), "T": np.empty((0, 3))}


def recording_of(signal: NDArray[np.floating], rate: float = RATE) -> Recording:
    leads = ("I", "II", "V1", "V2", "V3")[: len(signal)]
    return Recording("test", signal.astype(np.float32), rate, leads, Source("test", ""))


def undelineated(recording: Recording) -> Delineation:
    return Delineation("none", recording.sampling_rate, recording.samples, NO_WAVES, {})


def facts(
    positions: list[float],
    groups: list[int] | None = None,
    widths: list[float] | None = None,
    p_before: list[bool] | None = None,
) -> BeatFacts:
    count = len(positions)
    p_before = p_before or [True] * count
    peaks = [t - 0.16 for t, there in zip(positions, p_before, strict=True) if there]
    return BeatFacts(
        np.array(positions),
        np.array(widths or [0.09] * count),
        np.array(groups or [0] * count, dtype=np.intp),
        np.array(peaks),
    )


def bells(positions: NDArray[np.float64], height: float = 1.0, width: float = 8.0) -> NDArray:
    at = np.arange(int(10 * RATE))
    return height * np.exp(-(((at[:, None] - positions) / width) ** 2) / 2).sum(axis=1)


@pytest.mark.parametrize("name", ["sinus", "left bundle branch block", "atrial fibrillation"])
def test_one_morphology_is_one_dominant_group(name: str) -> None:
    simulated = simulate(replace(PRESETS[name], muscle_uv=25.0, seed=3), name)
    beats = find_beats(simulated.recording, simulated.truth)
    assert len(beats) >= 8
    assert set(beats.kinds) == {"dominant"}
    assert not beats.groups.any()


def test_ventricular_ectopics_are_told_by_shape() -> None:
    simulated = simulate(PRESETS["ventricular ectopics"], "ventricular ectopics")
    beats = find_beats(simulated.recording, simulated.truth)
    assert set(beats.kinds) == {"dominant", "ventricular ectopic"}
    widths = simulated.truth.overall["QRS"][:, 2] - simulated.truth.overall["QRS"][:, 0]
    ectopic = np.array([kind == "ventricular ectopic" for kind in beats.kinds])
    assert widths[ectopic].min() > widths[~ectopic].max()
    assert (beats.groups[ectopic] > 0).all()


def test_atrial_ectopics_are_told_by_timing() -> None:
    simulated = simulate(PRESETS["atrial ectopics"], "atrial ectopics")
    beats = find_beats(simulated.recording, simulated.truth)
    assert set(beats.kinds) == {"dominant", "atrial ectopic"}
    early = np.flatnonzero([kind == "atrial ectopic" for kind in beats.kinds])
    rr = np.diff(beats.positions)
    assert (rr[early[early > 0] - 1] < 0.85 * np.median(rr)).all()
    assert not set(early.tolist()) & set(beats.members(0).tolist())


@pytest.mark.parametrize("rate", [500.0, 1000.0])
def test_every_paced_beat_is_told_by_its_spike(rate: float) -> None:
    simulated = simulate(replace(PRESETS["paced"], sampling_rate=rate), "paced")
    beats = find_beats(simulated.recording, simulated.truth)
    assert set(beats.kinds) == {"paced"}


def test_no_spike_is_looked_for_at_250_hz() -> None:
    simulated = simulate(replace(PRESETS["paced"], sampling_rate=250.0), "paced")
    assert "paced" not in find_beats(simulated.recording, simulated.truth).kinds


def test_noise_is_no_spike() -> None:
    simulated = simulate(replace(PRESETS["sinus"], muscle_uv=100.0, seed=5), "sinus")
    assert "paced" not in find_beats(simulated.recording, simulated.truth).kinds


def test_jumps_anywhere_are_artefacts() -> None:
    rng = np.random.default_rng(1)
    signal = np.tile(bells(np.arange(400.0, 4800, 400)), (4, 1))
    onsets = np.arange(375.0, 4775, 400)
    spiked = signal.copy()
    spiked[:, (onsets - 10).astype(int)] += 0.8
    assert paced_before(spiked, onsets, RATE).all()
    artefacts = signal.copy()
    artefacts[:, rng.choice(artefacts.shape[1], 150, replace=False)] += 0.8
    assert not paced_before(artefacts, onsets, RATE).any()
    single = signal.copy()
    single[:, int(onsets[3]) - 10] += 0.8
    assert not paced_before(single, onsets, RATE).any()


def test_groups_do_not_depend_on_lead_order() -> None:
    simulated = simulate(PRESETS["ventricular ectopics"], "ventricular ectopics").recording
    signal = simulated.signal.astype(np.float64)
    truth = simulate(PRESETS["ventricular ectopics"], "ventricular ectopics").truth
    found = find_beats(simulated, truth)
    from ecgcore.signal.beat_groups import group_beats

    widths = np.full(len(found), np.nan)
    one = group_beats(signal, found.positions.copy(), widths, RATE)
    other = group_beats(signal[::-1], found.positions.copy(), widths, RATE)
    assert (one == other).all()


def test_the_more_frequent_shape_is_dominant_and_ties_go_to_the_narrower() -> None:
    from ecgcore.signal.beat_groups import group_beats

    positions = np.arange(400.0, 4400, 400)
    narrow, wide = positions[::2], positions[1::2]
    signal = np.stack([bells(narrow), bells(narrow) * 0.5]) - np.stack(
        [bells(wide, width=25), bells(wide, width=25)]
    )
    widths = np.where(np.arange(10) % 2, 0.16, 0.09)
    assert (group_beats(signal, positions, widths, RATE) == np.arange(10) % 2).all()
    swapped = group_beats(signal, positions, widths[::-1].copy(), RATE)
    assert (swapped == (np.arange(10) + 1) % 2).all()
    most = group_beats(signal, positions[1:], widths[1:], RATE)
    assert (most == np.arange(9) % 2).all()


def test_without_marks_the_beats_are_detected() -> None:
    positions = np.arange(400.0, 4800, 400)
    recording = recording_of(np.stack([bells(positions), bells(positions, 0.5)]))
    beats = find_beats(recording, undelineated(recording))
    assert np.allclose(beats.positions, positions, atol=5)
    assert np.isnan(beats.onsets).all()


def test_nothing_there_gives_no_beats() -> None:
    recording = recording_of(np.zeros((2, 5000)))
    beats = find_beats(recording, undelineated(recording))
    assert len(beats) == 0
    with pytest.raises(ValueError, match="no beats in group 0; 0 beats"):
        median_beat(recording, beats)


def test_a_delineation_of_another_recording_is_refused() -> None:
    recording = recording_of(np.zeros((2, 5000)))
    other = Delineation("none", RATE, 4000, NO_WAVES, {})
    with pytest.raises(ValueError, match="a delineation of 4000 samples"):
        find_beats(recording, other)


def test_steady_beats_are_dominant() -> None:
    assert set(ectopic_kinds(facts([0.8 * k for k in range(12)]))) == {"dominant"}


def test_an_early_usual_beat_with_a_pause_is_atrial() -> None:
    positions = [0.0, 0.8, 1.6, 2.1, 3.0, 3.8, 4.6, 5.4]
    kinds = ectopic_kinds(facts(positions))
    assert kinds[3] == "atrial ectopic"
    assert kinds.count("dominant") == 7


def test_nothing_is_atrial_in_atrial_fibrillation() -> None:
    rng = np.random.default_rng(2)
    positions = np.cumsum(rng.uniform(0.4, 1.2, 16)).tolist()
    kinds = ectopic_kinds(facts(positions, p_before=[False] * 16))
    assert set(kinds) == {"dominant"}


def test_breathing_makes_no_ectopics() -> None:
    rr = 0.9 + 0.12 * np.sin(2 * np.pi * np.arange(14) / 5)
    assert set(ectopic_kinds(facts(np.cumsum(rr).tolist()))) == {"dominant"}


def test_a_wide_different_beat_is_ventricular_unless_in_time_with_its_p() -> None:
    positions = [0.0, 0.8, 1.6, 2.1, 3.2, 4.0, 4.8]
    groups = [0, 0, 0, 1, 0, 0, 0]
    widths = [0.09, 0.09, 0.09, 0.15, 0.09, 0.09, 0.09]
    with_p = [True] * 7
    early = ectopic_kinds(facts(positions, groups, widths, with_p))
    assert early[3] == "ventricular ectopic"
    positions[3] = 2.4
    in_time = ectopic_kinds(facts(positions, groups, widths, with_p))
    assert in_time[3] == "other"
    with_p[3] = False
    alone = ectopic_kinds(facts(positions, groups, widths, with_p))
    assert alone[3] == "ventricular ectopic"
    narrow = ectopic_kinds(facts(positions, groups, [0.09] * 7, with_p))
    assert narrow[3] == "other"


def test_ventricular_bigeminy_is_ventricular() -> None:
    positions = np.cumsum([0.0] + [0.5, 1.1] * 5).tolist()
    groups = [k % 2 for k in range(11)]
    widths = [0.15 if group else 0.09 for group in groups]
    p_before = [not group for group in groups]
    kinds = ectopic_kinds(facts(positions, groups, widths, p_before))
    assert kinds[1::2] == ("ventricular ectopic",) * 5
    assert kinds[0::2] == ("dominant",) * 6


def test_the_median_beat_is_the_clean_beat() -> None:
    """Beats between the samples are brought over each other, offset and breathing are off."""
    positions = 400 + 373.37 * np.arange(11)
    at = np.arange(5000)
    clean = bells(positions, 1.2, 9.0)
    wander = 0.3 * np.sin(2 * np.pi * 0.2 * at / RATE) + 1.7
    recording = recording_of(np.stack([clean + wander, -0.5 * clean + wander]))
    beats = Beats(
        RATE,
        np.round(positions),
        np.round(positions) - 40.0,
        np.zeros(11, dtype=np.intp),
        ("dominant",) * 11,
    )
    beat = median_beat(recording, beats)
    assert beat.count == 11
    lags = np.arange(beat.signal.shape[1]) - beat.fiducial
    near = np.abs(lags) < 60
    # Alignment leaves the whole where it was, up to the median of the rounding.
    shift = float(np.median(np.round(positions) - positions))
    expected = 1.2 * np.exp(-(((lags + shift) / 9.0) ** 2) / 2)
    assert np.abs(beat.signal[0] - expected)[near].max() < 0.015
    assert np.abs(beat.signal[1] + 0.5 * expected)[near].max() < 0.015
    residual = np.round(positions) + beat.shifts - positions
    assert np.ptp(residual) < 0.1


def test_the_median_beat_ignores_ectopic_beats_and_missing_samples() -> None:
    simulated = simulate(PRESETS["ventricular ectopics"], "ventricular ectopics")
    beats = find_beats(simulated.recording, simulated.truth)
    whole = median_beat(simulated.recording, beats)
    assert whole.count == beats.kinds.count("dominant")
    signal = simulated.recording.signal.copy()
    start = int(beats.positions[beats.members(0)[1]])
    signal[2, start : start + 100] = np.nan
    holed = median_beat(replace(simulated.recording, signal=signal), beats)
    known = np.isfinite(whole.signal)
    assert np.isfinite(holed.signal[known]).all()
    assert np.abs(holed.signal - whole.signal)[known].max() < 0.05


def test_a_window_between_samples_keeps_its_gaps() -> None:
    at = np.arange(400) / RATE
    values = np.stack([np.sin(2 * np.pi * 9 * at)] * 3)
    values[1, 195:199] = np.nan
    values[2] = np.nan
    (window,) = beat_windows(values, np.array([200.4]), 30, 30)
    expected = np.sin(2 * np.pi * 9 * (np.arange(170, 231) + 0.4) / RATE)
    np.testing.assert_allclose(window[0], expected, atol=2e-3)
    assert np.flatnonzero(np.isnan(window[1])).tolist() == [25, 26, 27, 28]
    assert np.isnan(window[2]).all()
    far = np.r_[0:10, 45:61]  # the line across the gap is felt beside it
    np.testing.assert_allclose(window[1, far], expected[far], atol=5e-3)


def test_a_single_beat_is_its_own_median() -> None:
    recording = recording_of(bells(np.array([2500.0]))[None, :])
    beats = Beats(
        RATE, np.array([2500.0]), np.array([2460.0]), np.zeros(1, dtype=np.intp), ("dominant",)
    )
    beat = median_beat(recording, beats)
    assert beat.count == 1 and beat.noise[0] == 0
    assert beat.signal[0, int(beat.fiducial)] == pytest.approx(1.0, abs=1e-6)


def test_counts_that_differ_are_refused() -> None:
    with pytest.raises(ValueError, match="2 positions, 1 onsets"):
        Beats(RATE, np.zeros(2), np.zeros(1), np.zeros(2, dtype=np.intp), ("other", "other"))
