"""Fit to read: what makes a lead unfit, what must not matter, and real recordings."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ecgcore.readers.opening import find_recordings, read_path
from ecgcore.recording import LEADS, VOLTAGES_IN_DOUBT, Recording, Source
from ecgcore.signal.verdict import _GROUPS, judge, load_model
from ecgcore.signal.verdict_features import FEATURES, ordered_features, verdict_features
from tests.signal.test_reversal import heart


def changed(signal: NDArray[np.floating], rate: float = 500.0) -> Recording:
    return Recording("r", signal.astype(np.float32), rate, LEADS, Source("test", ""))


@pytest.mark.parametrize("rate", [100.0, 250.0, 257.0, 500.0, 1000.0])
@pytest.mark.parametrize("seconds", [4.0, 10.0, 33.0])
def test_a_clean_recording_is_fit(rate: float, seconds: float) -> None:
    verdict = judge(heart(seconds, rate))
    assert verdict.acceptable
    assert verdict.score < verdict.threshold
    assert verdict.reason == ""
    assert tuple(verdict.leads) == LEADS
    assert all(lead.acceptable and lead.reason == "" for lead in verdict.leads.values())


@pytest.mark.parametrize("row", [0, 5, 8])
def test_an_empty_lead_is_named(row: int) -> None:
    signal = heart().signal.copy()
    signal[row] = 0.4
    verdict = judge(changed(signal))
    assert not verdict.acceptable
    assert not verdict.leads[LEADS[row]].acceptable
    assert verdict.leads[LEADS[row]].reason == f"{LEADS[row]}: no signal."
    assert verdict.reason.startswith(f"{LEADS[row]}: no signal.")


def test_a_long_flat_stretch_is_named_with_its_length() -> None:
    signal = heart().signal.copy()
    signal[8, 1000:4500] = 0.0
    verdict = judge(changed(signal))
    assert not verdict.acceptable
    assert verdict.leads["V3"].reason == "V3: no signal for 7.0 s of 10 s."
    assert verdict.leads["I"].acceptable


def test_a_recording_that_stops_halfway_is_unfit_in_all_leads() -> None:
    signal = heart(12.0).signal.copy()
    signal[:, 3000:] = 0.1
    verdict = judge(changed(signal))
    assert not verdict.acceptable
    assert verdict.score == 1.0
    assert all("no signal for 6.0 s of 12 s" in lead.reason for lead in verdict.leads.values())


def test_missing_samples_are_no_signal() -> None:
    signal = heart().signal.copy()
    signal[8, 500:4000] = np.nan
    signal[9] = np.nan
    verdict = judge(changed(signal))
    assert not verdict.acceptable
    assert verdict.leads["V3"].reason == "V3: 70% of the samples are missing."
    assert verdict.leads["V4"].reason == "V4: 100% of the samples are missing."
    nothing = judge(changed(np.full((12, 5000), np.nan)))
    assert not any(lead.acceptable for lead in nothing.leads.values())
    endless = judge(changed(np.full((12, 5000), np.inf)))
    assert not any(lead.acceptable for lead in endless.leads.values())


def test_a_noisy_lead_is_unfit_and_the_others_are_not() -> None:
    signal = heart().signal.copy()
    signal[6] += np.random.default_rng(1).normal(0, 1.5, signal.shape[1])
    verdict = judge(changed(signal))
    assert [lead for lead, one in verdict.leads.items() if not one.acceptable] == ["V1"]
    assert "hides them" in verdict.leads["V1"].reason
    assert "V1: noise" in verdict.reason


def test_a_quiet_lead_without_qrs_complexes_is_not_drowned() -> None:
    signal = heart().signal.copy()
    signal[4] = np.random.default_rng(1).normal(0, 0.015, signal.shape[1])
    assert judge(changed(signal)).leads["aVL"].acceptable


def test_a_lead_swept_off_its_line_is_unfit() -> None:
    signal = heart().signal.copy()
    random = np.random.default_rng(2)
    signal[10] += np.repeat(random.choice([-6.0, 0.0, 6.0], 25), 200)
    verdict = judge(changed(signal))
    assert not verdict.acceptable
    assert "V5" in verdict.reason


def test_what_is_too_short_or_too_slow_is_refused() -> None:
    assert "at least 2 s" in judge(heart(1.9)).reason
    assert not judge(heart(1.9)).acceptable
    slow = changed(heart(10.0, 100.0).signal[:, ::4], 25.0)
    assert "at least 50 Hz" in judge(slow).reason


def test_an_empty_recording_is_refused() -> None:
    verdict = judge(changed(np.zeros((12, 5000))))
    assert not verdict.acceptable
    assert all(not lead.acceptable for lead in verdict.leads.values())


@pytest.mark.parametrize("count", [1, 2, 3, 8])
def test_fewer_leads_can_be_judged(count: int) -> None:
    whole = heart()
    fewer = Recording("r", whole.signal[:count].copy(), 500.0, LEADS[:count], whole.source)
    verdict = judge(fewer)
    assert tuple(verdict.leads) == LEADS[:count]
    assert verdict.acceptable


@settings(max_examples=10, deadline=None)
@given(scale=st.floats(0.05, 1000.0), offset=st.floats(-5.0, 5.0))
def test_one_gain_and_an_offset_change_nothing(scale: float, offset: float) -> None:
    signal = heart().signal.astype(np.float64)
    signal[6] += np.random.default_rng(1).normal(0, 0.1, signal.shape[1])
    one = verdict_features(signal, 500.0)
    other = verdict_features(scale * (signal + offset), 500.0)
    np.testing.assert_allclose(other, one, atol=1e-3)


def test_small_voltages_in_doubt_are_not_called_empty() -> None:
    small = replace(heart(), signal=heart().signal * np.float32(0.01))
    doubtful = small.with_warnings(f"The gains contradict each other. {VOLTAGES_IN_DOUBT}")
    assert "no signal" in judge(small).reason
    assert judge(doubtful).acceptable


@settings(max_examples=20, deadline=None)
@given(st.permutations(range(12)))
def test_the_order_of_the_leads_changes_nothing(order: list[int]) -> None:
    features = np.random.default_rng(0).normal(size=(12, len(FEATURES)))
    np.testing.assert_allclose(ordered_features(features[order]), ordered_features(features))


def test_the_model_fits_its_features_and_every_feature_has_its_words() -> None:
    model = load_model()
    assert model.lead.weights.shape == (len(FEATURES),)
    assert model.whole.weights.shape == (6 * len(FEATURES),)
    assert sorted(name for names in _GROUPS.values() for name in names) == sorted(FEATURES)


def test_a_model_of_other_features_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "verdict.json"
    path.write_text('{"features": ["height"]}', encoding="utf-8")
    with pytest.raises(ValueError, match="fitted on other features"):
        load_model(path)


def test_recordings_of_the_challenge(ecg_data: Path) -> None:
    held = np.load(ecg_data / "cinc2011" / "development.npz", allow_pickle=False)
    unfit = held["quality"] == 1
    chosen = np.r_[np.flatnonzero(unfit)[:15], np.flatnonzero(~unfit)[:15]]
    signals = held["X"][chosen] * float(held["scale"])
    called = np.array([not judge(changed(signal.T)).acceptable for signal in signals])
    assert called[:15].mean() >= 0.8
    assert called[15:].mean() <= 0.15


@pytest.mark.parametrize("name", ["ptbxl_raw500", "ludb"])
def test_recordings_of_clinical_carts_are_fit(ecg_data: Path, name: str) -> None:
    recordings = [read_path(path) for path in find_recordings(ecg_data / name)[:40]]
    assert sum(not judge(recording).acceptable for recording in recordings) <= 1
