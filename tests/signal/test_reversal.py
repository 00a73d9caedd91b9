"""Lead reversal: the lead algebra of an exchange, and what real recordings are warned of."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ecgcore.readers.opening import find_recordings, read_path
from ecgcore.recording import LEADS, Recording, RecordingError, Source, limb_lead_residuals
from ecgcore.signal.reversal import (
    KINDS,
    Electrode,
    Reversal,
    arrangements,
    exchange_electrodes,
    load_reversal_model,
    margins,
    median_beats,
    suspect_exchange,
)

ELECTRODES = ("RA", "LA", "LL", "V1", "V2", "V3", "V4", "V5", "V6")


def from_potentials(potentials: dict[str, NDArray[np.float64]], rate: float = 100.0) -> Recording:
    """The twelve leads of nine electrodes' potentials."""
    ra, la, ll = (potentials[name] for name in ("RA", "LA", "LL"))
    central = (ra + la + ll) / 3
    limb = [la - ra, ll - ra, ll - la, ra - (la + ll) / 2, la - (ra + ll) / 2, ll - (ra + la) / 2]
    chest = [potentials[f"V{number}"] - central for number in range(1, 7)]
    signal = np.stack(limb + chest).astype(np.float32)
    return Recording("r", signal, rate, LEADS, Source("test", ""))


def potentials(seed: int = 0) -> dict[str, NDArray[np.float64]]:
    random = np.random.default_rng(seed)
    return {name: random.normal(size=300) for name in ELECTRODES}


@pytest.mark.parametrize(("a", "b"), KINDS)
def test_an_exchange_is_what_the_exchanged_potentials_give(a: Electrode, b: Electrode) -> None:
    true = potentials()
    exchanged = true | {a: true[b], b: true[a]}
    made = exchange_electrodes(from_potentials(true), a, b).signal
    np.testing.assert_allclose(made, from_potentials(exchanged).signal, atol=1e-6)


@pytest.mark.parametrize(("a", "b"), KINDS)
def test_an_exchange_made_twice_is_none(a: Electrode, b: Electrode) -> None:
    recording = from_potentials(potentials())
    twice = exchange_electrodes(exchange_electrodes(recording, a, b), b, a)
    np.testing.assert_array_equal(twice.signal, recording.signal)


def test_an_exchange_keeps_einthoven() -> None:
    made = exchange_electrodes(from_potentials(potentials()), "RA", "LL")
    residuals = limb_lead_residuals(made.signal, made.leads)
    assert max(float(np.abs(values).max()) for values in residuals.values()) < 1e-5


def test_two_limb_leads_are_enough() -> None:
    whole = from_potentials(potentials())
    two = Recording("r", whole.signal[:2].copy(), 100.0, ("I", "II"), whole.source)
    made = exchange_electrodes(two, "RA", "LA")
    expected = exchange_electrodes(whole, "RA", "LA").signal[:2]
    np.testing.assert_allclose(made.signal, expected, atol=1e-6)


def test_one_limb_lead_is_not() -> None:
    whole = from_potentials(potentials())
    one = Recording("r", whole.signal[1:2].copy(), 100.0, ("II",), whole.source)
    with pytest.raises(RecordingError, match="lead III, which II would show"):
        exchange_electrodes(one, "RA", "LA")


@pytest.mark.parametrize(("a", "b"), [("RA", "V1"), ("RA", "RA"), ("I", "II"), ("V7", "V1")])
def test_other_electrodes_are_refused(a: Electrode, b: Electrode) -> None:
    with pytest.raises(ValueError, match="two different ones of RA, LA, LL"):
        exchange_electrodes(from_potentials(potentials()), a, b)


def test_arrangements_are_the_exchanges() -> None:
    recording = from_potentials(potentials())
    made = arrangements(recording.signal.astype(np.float64))
    for row, (a, b) in zip(made[1:], KINDS, strict=True):
        np.testing.assert_allclose(row, exchange_electrodes(recording, a, b).signal, atol=1e-6)


def suspected(recording: Recording) -> Reversal | None:
    """The exchange that a recording looks like, if it can be judged."""
    beats = median_beats(recording)
    return None if beats is None else suspect_exchange(load_reversal_model(), beats)


def heart(seconds: float = 10.0, rate: float = 500.0) -> Recording:
    """A plain upright heart: P, QRS and T of a fixed axis, R growing and S shrinking to V5."""
    times = np.arange(round(seconds * rate)) / rate
    phase = (times + 0.45) % 0.9 - 0.45

    def wave(centre: float, width: float) -> NDArray[np.float64]:
        return np.exp(-((phase - centre) ** 2) / (2 * width**2))

    p, r, s, t = wave(-0.16, 0.02), wave(0, 0.012), wave(0.035, 0.012), wave(0.26, 0.04)
    one = 0.08 * p + 0.7 * r - 0.1 * s + 0.18 * t
    two = 0.14 * p + 1.1 * r - 0.15 * s + 0.28 * t
    limb = [one, two, two - one, -(one + two) / 2, one - two / 2, two - one / 2]
    heights = ((0.2, 0.9, -0.05), (0.5, 1.5, 0.3), (0.8, 1.0, 0.4), (1.4, 0.6, 0.4),
               (1.5, 0.3, 0.35), (1.2, 0.1, 0.3))  # fmt: skip
    chest = [0.06 * p + up * r - down * s + last * t for up, down, last in heights]
    noise = np.random.default_rng(3).normal(0, 0.004, (12, times.size))
    signal = (np.stack(limb + chest) + noise).astype(np.float32)
    return Recording("r", signal, rate, LEADS, Source("test", ""))


def test_arms_exchanged_are_named_with_what_can_be_seen() -> None:
    assert suspected(heart()) is None
    found = suspected(exchange_electrodes(heart(), "RA", "LA"))
    assert found is not None
    assert found.kind == "RA/LA"
    assert found.margin > np.log(9)
    assert "P and QRS in I are inverted" in found.reason
    assert "right arm and left arm electrodes may be exchanged" in found.reason


def test_leads_or_beats_that_are_missing_say_nothing() -> None:
    whole = heart()
    eleven = Recording("r", whole.signal[:11].copy(), 500.0, LEADS[:11], whole.source)
    empty = whole.signal.copy()
    empty[7] = 0
    unknown = whole.signal.copy()
    unknown[7] = np.nan
    assert median_beats(eleven) is None
    assert median_beats(Recording("r", empty, 500.0, LEADS, whole.source)) is None
    assert median_beats(Recording("r", unknown, 500.0, LEADS, whole.source)) is None
    assert median_beats(heart(seconds=2.0)) is None


@settings(max_examples=10, deadline=None)
@given(
    scales=st.lists(st.floats(0.2, 5.0), min_size=12, max_size=12),
    offset=st.floats(-2.0, 2.0),
)
def test_gains_and_offsets_of_the_leads_change_nothing(scales: list[float], offset: float) -> None:
    whole = heart()
    changed = (np.array(scales)[:, None] * whole.signal + offset).astype(np.float32)
    beats = median_beats(whole)
    other = median_beats(Recording("r", changed, 500.0, LEADS, whole.source))
    assert beats is not None
    assert other is not None
    model = load_reversal_model()
    np.testing.assert_allclose(margins(model, other), margins(model, beats), atol=0.15)


@pytest.mark.parametrize("rate", [100.0, 250.0, 1000.0])
def test_the_sampling_rate_changes_no_warning(rate: float) -> None:
    assert suspected(heart(rate=rate)) is None
    found = suspected(exchange_electrodes(heart(rate=rate), "RA", "LL"))
    assert found is not None
    assert found.kind == "RA/LL"


def test_real_recordings(ecg_data: Path) -> None:
    recordings = [read_path(path) for path in find_recordings(ecg_data / "ptbxl_raw500")[:30]]
    false = sum(suspected(recording) is not None for recording in recordings)
    assert false <= 1
    named: dict[tuple[str, str], int] = dict.fromkeys(KINDS[:2], 0)
    for recording, kind in product(recordings, named):
        found = suspected(exchange_electrodes(recording, *kind))
        named[kind] += found is not None and found.kind == "/".join(kind)
    assert all(count >= 0.85 * len(recordings) for count in named.values())
