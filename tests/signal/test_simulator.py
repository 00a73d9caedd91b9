"""Simulated recordings: exact identities and truth, the same at every rate, helpful refusals."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ecgcore.recording import LEADS, limb_lead_residuals
from ecgcore.signal.delineation.waves import OFFSET, ONSET, PEAK, WAVES, shown
from ecgcore.signal.simulator import (
    PRESETS,
    SIMULATED,
    SimulationOptions,
    random_options,
    simulate,
)
from ecgcore.signal.simulator_presets import preset
from ecgcore.signal.simulator_waves import usual_beat

RANDOM = [random_options(np.random.default_rng(seed)) for seed in range(60)]
ALL = {**PRESETS, **{f"random {i}": options for i, options in enumerate(RANDOM)}}


@pytest.mark.parametrize("name", ALL)
def test_limb_leads_obey_einthoven_and_goldberger_to_the_last_bit(name: str) -> None:
    noisy = replace(ALL[name], muscle_uv=30, mains_uv=50, wander_mv=1)
    recording = simulate(noisy).recording
    residuals = limb_lead_residuals(recording.signal, recording.leads)
    assert set(residuals) == {"III", "aVR", "aVL", "aVF"}
    for residual in residuals.values():
        assert np.array_equal(residual, np.zeros_like(residual))


@pytest.mark.parametrize("name", ALL)
def test_waves_are_in_order_and_never_overlap(name: str) -> None:
    made = simulate(ALL[name])
    overall = made.truth.overall
    rows = np.concatenate([overall[wave] for wave in WAVES])
    assert np.isfinite(rows).all()
    assert (rows[:, ONSET] < rows[:, PEAK]).all()
    assert (rows[:, PEAK] < rows[:, OFFSET]).all()
    rows = rows[np.argsort(rows[:, ONSET])]
    assert (rows[1:, ONSET] >= rows[:-1, OFFSET] - 1e-6).all()
    assert rows.min() >= 0
    assert rows.max() <= made.recording.samples - 1
    assert len(overall["QRS"]) >= 4
    for marks in made.truth.leads.values():
        for wave in WAVES:
            assert np.array_equal(np.isnan(marks[wave]).any(axis=1), np.isnan(marks[wave][:, PEAK]))
            there = ~np.isnan(marks[wave][:, PEAK])
            seen, heart = marks[wave][there], overall[wave][there]
            assert (seen[:, ONSET] <= seen[:, PEAK]).all()
            assert (seen[:, PEAK] <= seen[:, OFFSET]).all()
            assert (seen[:, ONSET] >= heart[:, ONSET] - 1e-6).all()
            assert (seen[:, OFFSET] <= heart[:, OFFSET] + 1e-6).all()


def _intervals(options: SimulationOptions, wave: str) -> np.ndarray:
    marks = simulate(options).truth.overall[wave]  # type: ignore[index]
    return (marks[:, OFFSET] - marks[:, ONSET]) / options.sampling_rate * 1000


@pytest.mark.parametrize(
    "name", [n for n, o in PRESETS.items() if o.has_p and o.ectopics == "none"]
)
def test_the_truth_is_what_was_asked_for(name: str) -> None:
    options = PRESETS[name]
    overall = simulate(options).truth.overall
    p, qrs, t = (overall[wave] for wave in WAVES)
    assert _intervals(options, "P") == pytest.approx(options.p_ms)
    assert _intervals(options, "QRS") == pytest.approx(options.qrs_ms)
    ms = 1000 / options.sampling_rate
    for onset in qrs[1:-1, ONSET]:
        before = p[p[:, ONSET] < onset][-1]
        after = t[t[:, ONSET] > onset][0]
        assert (onset - before[ONSET]) * ms == pytest.approx(options.pr_ms)
        assert (after[OFFSET] - onset) * ms == pytest.approx(options.qt_ms)
    rr = np.diff(qrs[:, ONSET]) * ms
    assert 60_000 / rr.mean() == pytest.approx(options.rate_bpm, rel=0.03)


@pytest.mark.parametrize("name", ["sinus", "left bundle branch block", "low voltage", "paced"])
def test_between_the_waves_there_is_nothing_and_edges_are_soon_seen(name: str) -> None:
    # Spikes would stand before the QRS complex, and an ST level between it and T.
    made = simulate(replace(PRESETS[name], sampling_rate=1000, spike_mv=0))
    has_st = PRESETS[name].conduction != "normal"
    signal = np.abs(made.recording.signal).max(axis=0)
    time = np.arange(signal.size)
    outside = (time > made.start) & (time < made.stop)
    p, qrs, t = (made.truth.overall[wave] for wave in WAVES)
    for onset, _, offset in np.concatenate([p, t]):
        outside &= ~((time > onset) & (time < offset))
    for onset, _, offset in qrs:
        t_onset = np.append(t[t[:, ONSET] > onset, ONSET], np.inf)[0]
        outside &= ~((time > onset) & (time < (t_onset if has_st else offset)))
        first = time[(time > onset) & (signal > 0.02)][0]
        assert first - onset < (4.5 if name == "low voltage" else 3.0)
        if not has_st:
            last = time[(time < offset) & (signal > 0.02)][-1]
            assert offset - last < (5.5 if name == "low voltage" else 3.0)
    assert outside.sum() > 500
    assert signal[outside].max() == 0


@pytest.mark.parametrize("name", ALL)
def test_the_same_heart_at_every_rate(name: str) -> None:
    clean = replace(ALL[name], muscle_uv=0)
    fine = simulate(replace(clean, sampling_rate=1000))
    for rate, step in ((500, 2), (250, 4), (100, 10)):
        coarse = simulate(replace(clean, sampling_rate=rate))
        every = fine.recording.signal[:, ::step]
        assert np.allclose(coarse.recording.signal, every, atol=1e-6)
        for wave in WAVES:
            # A wave that ends between the last samples of the two is marked in one only.
            rows = min(len(coarse.truth.overall[wave]), len(fine.truth.overall[wave]))
            assert rows >= len(fine.truth.overall[wave]) - 1
            wide = coarse.truth.overall[wave][:rows] / rate
            assert wide == pytest.approx(fine.truth.overall[wave][:rows] / 1000, abs=1e-9)


def test_the_seed_decides_everything() -> None:
    options = replace(RANDOM[0], muscle_uv=20, rr_sd_ms=10)
    one, same = simulate(options), simulate(options)
    other = simulate(replace(options, seed=options.seed + 1))
    assert np.array_equal(one.recording.signal, same.recording.signal)
    assert one.recording.source.sha256 == same.recording.source.sha256
    assert not np.allclose(one.recording.signal, other.recording.signal, atol=0.05)
    drawn = [random_options(np.random.default_rng(5)) for _ in range(2)]
    assert drawn[0] == drawn[1]


def test_noise_changes_neither_rhythm_nor_heart() -> None:
    clean = replace(PRESETS["sinus"], muscle_uv=0)
    noisy = replace(clean, muscle_uv=25, mains_uv=50, wander_mv=1)
    one, two = simulate(clean), simulate(noisy)
    assert np.array_equal(one.truth.overall["T"], two.truth.overall["T"])
    assert not np.array_equal(one.recording.signal, two.recording.signal)


NOISES = [
    ({"muscle_uv": 25}, 0.025),
    ({"mains_uv": 50}, 0.025 / np.sqrt(2)),  # peak to peak, so RMS is less by twice the root of 2
    ({"wander_mv": 1, "wander_hz": 0.3}, 0.5 / np.sqrt(2)),
]


@pytest.mark.parametrize(("noise", "rms_mv"), NOISES)
def test_noise_has_the_size_asked_for_in_every_independent_lead(
    noise: dict[str, float], rms_mv: float
) -> None:
    clean = PRESETS["sinus"]
    noisy = simulate(replace(clean, **noise)).recording  # type: ignore[arg-type]
    added = (noisy.signal - simulate(clean).recording.signal).astype(np.float64)
    for lead in TABLE:
        found = added[LEADS.index(lead)]
        assert np.sqrt((found**2).mean()) == pytest.approx(rms_mv, rel=0.03), lead
    rows = [added[LEADS.index(lead)] for lead in TABLE]
    assert not np.allclose(rows[0], rows[1], atol=rms_mv / 10)


# Dower, Machado and Osborne 1980, the leads that are recorded.
TABLE = {
    "I": (0.632, -0.235, 0.059),
    "II": (0.235, 1.066, -0.132),
    "V1": (-0.515, 0.157, -0.917),
    "V2": (0.044, 0.164, -1.387),
    "V3": (0.882, 0.098, -1.277),
    "V4": (1.213, 0.127, -0.601),
    "V5": (1.125, 0.127, -0.086),
    "V6": (0.831, 0.076, 0.230),
}


@pytest.mark.parametrize("name", PRESETS)
def test_every_lead_is_a_view_of_one_dipole(name: str) -> None:
    signal = simulate(PRESETS[name]).recording.signal.astype(np.float64)
    rows = signal[[LEADS.index(lead) for lead in TABLE]]
    table = np.array(list(TABLE.values()))
    dipole = np.linalg.lstsq(table, rows, rcond=None)[0]
    assert np.abs(table @ dipole - rows).max() < 1e-6
    assert np.linalg.matrix_rank(rows, tol=1e-3) == 3


def test_a_wave_is_exactly_nothing_at_its_ends_and_beyond() -> None:
    for options in RANDOM[:20]:
        beat = usual_beat(options, np.random.default_rng(options.seed))
        for shape in (beat.p, beat.qrs, beat.t):
            if shape is not None:
                assert not shape.dipole(np.array([-0.2, 0.0, 1.0, 1.3])).any()
                assert shape.dipole(np.array([0.5])).any()


@pytest.mark.parametrize("name", ["sinus", "right bundle branch block", "low voltage"])
def test_a_lead_shows_a_wave_from_5_uv_to_5_uv(name: str) -> None:
    made = simulate(replace(PRESETS[name], sampling_rate=4000))
    for lead in LEADS:
        for wave in WAVES:
            for onset, _, offset in shown(made.truth.leads[lead][wave])[:2]:
                signal = np.abs(made.recording.lead(lead))
                # The marks are read off in steps of a two-thousandth of the wave.
                step = (offset - onset) / 1000 + 1
                assert signal[int(onset - step)] < 0.0051, (lead, wave)
                first, last = int(np.ceil(onset + step)), int(offset - step)
                assert signal[first] > 0.0049, (lead, wave)
                assert signal[last] > 0.0049, (lead, wave)
                assert signal[int(offset + step) + 1] < 0.0051, (lead, wave)


def test_a_simulation_is_named_one_wherever_it_goes() -> None:
    recording = simulate(PRESETS["sinus"], "sinus").recording
    assert recording.record_id.startswith("simulated-sinus")
    assert recording.source.format == "simulated"
    assert SIMULATED in recording.source.warnings
    assert not recording.source.voltages_in_doubt


def test_a_lead_that_does_not_show_a_wave_has_it_absent() -> None:
    made = simulate(replace(PRESETS["sinus"], t_axis_deg=90, sampling_rate=1000))
    for lead in LEADS:
        for wave in WAVES:
            for row, (onset, _, offset) in enumerate(made.truth.overall[wave]):
                inside = made.recording.lead(lead)[int(onset) : int(offset) + 2]
                largest = float(np.abs(inside).max())
                absent = np.isnan(made.truth.leads[lead][wave][row, PEAK])
                if abs(largest - 0.02) > 0.001:
                    assert absent == (largest < 0.02), (lead, wave)
    assert len(shown(made.truth.leads["I"]["T"])) == 0
    assert len(shown(made.truth.leads["aVF"]["T"])) > 5


def test_waves_cut_by_the_edges_are_drawn_but_not_marked() -> None:
    cut_at_start = cut_at_stop = 0
    for seed in range(12):
        made = simulate(replace(PRESETS["sinus"], seed=seed))
        for marks in made.truth.overall.values():
            assert (marks[:, ONSET] >= made.start).all()
            assert (marks[:, OFFSET] <= made.stop).all()
        if made.start > 0:
            cut_at_start += 1
            assert np.abs(made.recording.signal[:, : int(made.start)]).max() > 0
        if made.stop < made.recording.samples - 1:
            cut_at_stop += 1
            assert np.abs(made.recording.signal[:, int(made.stop) + 1 :]).max() > 0
    assert cut_at_start > 2
    assert cut_at_stop > 2


def test_a_dropped_beat_leaves_its_p_wave_and_nothing_after_it() -> None:
    made = simulate(replace(PRESETS["sinus"], dropped_every=4, seconds=20))
    p, qrs, t = (made.truth.overall[wave] for wave in WAVES)
    assert len(p) - len(qrs) in (4, 5, 6)
    alone = [row for row in p if not np.any(np.abs(qrs[:, ONSET] - row[ONSET] - 80) < 1)]
    for row in alone[:-1]:
        following = made.recording.signal[:, int(row[OFFSET]) + 1 : int(row[OFFSET]) + 200]
        assert not following.any()
        assert not np.any((t[:, ONSET] > row[ONSET]) & (t[:, ONSET] < row[ONSET] + 300))
    assert len(alone) >= 4


def test_softer_waves_are_seen_later_and_end_sooner() -> None:
    seen = []
    for softness in (1.0, 1.3, 2.0):
        options = replace(PRESETS["sinus"], softness=softness, qrs_softness=softness)
        leads = simulate(replace(options, sampling_rate=1000)).truth.leads
        seen.append([leads["V4"][wave][1, OFFSET] - leads["V4"][wave][1, ONSET] for wave in WAVES])
    assert (np.diff(seen, axis=0) < 0).all()


@pytest.mark.parametrize("wave", ["qrs_axis_deg", "p_axis_deg", "t_axis_deg"])
@pytest.mark.parametrize("axis", [-150.0, -60.0, 0.0, 45.0, 100.0, 170.0])
def test_axes_are_those_asked_for(wave: str, axis: float) -> None:
    options = replace(PRESETS["sinus"], **{wave: axis}, sampling_rate=1000)  # type: ignore[arg-type]
    made = simulate(options)
    name = {"q": "QRS", "p": "P", "t": "T"}[wave[0]]
    onset, _, offset = made.truth.overall[name][3]  # type: ignore[index]
    part = slice(int(np.ceil(onset)), int(offset) + 1)
    one, foot = (float(made.recording.lead(lead)[part].sum()) for lead in ("I", "aVF"))
    found = np.degrees(np.arctan2(2 * foot, np.sqrt(3) * one))
    assert (found - axis + 180) % 360 - 180 == pytest.approx(0, abs=1.5)


WRONG = [
    ({"rate_bpm": 400}, r"rate_bpm 400; allowed: 20 to 220"),
    ({"pr_ms": float("nan")}, r"pr_ms nan; allowed: 60 to 500"),
    ({"rhythm": "flutter"}, r"rhythm 'flutter'; allowed: 'sinus', 'atrial fibrillation'"),
    ({"conduction": "none"}, r"conduction 'none'; allowed: 'normal', 'left bundle'"),
    ({"st_mv": 0.2}, r"st_mv 0.2 without st_at; say where: 'inferior', 'lateral', 'anterior'"),
    ({"p_ms": 180}, r"p_ms 180 is longer than pr_ms 160"),
    ({"qrs_ms": 200, "qt_ms": 300}, r"allowed: qt_ms of at least 320"),
    ({"rate_bpm": 140}, r"allowed: a rate of at most 106.8"),
    ({"rhythm": "atrial fibrillation", "ectopics": "atrial"}, r"simulated in sinus only"),
    ({"dropped_every": 1}, r"allowed: 0 \(none\) or 2 and more"),
]


@pytest.mark.parametrize(("given", "message"), WRONG)
def test_a_refusal_says_what_is_allowed(given: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SimulationOptions(**given)  # type: ignore[arg-type]


def test_an_unknown_preset_names_the_known_ones() -> None:
    with pytest.raises(ValueError, match="unknown preset 'heart'; known: sinus, bradycardia"):
        preset("heart")
