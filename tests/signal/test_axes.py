"""Axes from net areas, and true proportions brought back from false gains."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecgcore.recording import LIMB_LEADS
from ecgcore.signal.axes import axis, true_proportions
from ecgcore.signal.simulator import PRESETS, simulate

SHARES = dict(
    zip(
        LIMB_LEADS,
        [(1, 0), (0, 1), (-1, 1), (-0.5, -0.5), (1, -0.5), (-0.5, 1)],
        strict=True,
    )
)


def areas_of(degrees: float, size: float = 50.0) -> dict[str, float]:
    """Einthoven's leads as projections of a vector: I at 0, II at 60, III at 120 degrees."""
    one = size * np.cos(np.radians(degrees))
    two = size * np.cos(np.radians(degrees - 60))
    return {lead: a * one + b * two for lead, (a, b) in SHARES.items()}


@given(st.floats(-179.9, 180), st.floats(1, 100))
def test_the_axis_is_the_direction_of_the_vector(degrees: float, size: float) -> None:
    found = axis(areas_of(degrees, size), 0.1)
    assert found.number is not None
    assert abs((found.number - degrees + 180) % 360 - 180) < 1e-6
    assert -180 < found.number <= 180


@pytest.mark.parametrize("pair", [("I", "aVF"), ("I", "II"), ("III", "aVR"), ("II", "aVL")])
def test_any_two_limb_leads_suffice(pair: tuple[str, str]) -> None:
    given_areas = {lead: areas_of(-35.0)[lead] for lead in pair}
    assert axis(given_areas, 0.1).number == pytest.approx(-35)


def test_isoelectric_leads_have_no_axis() -> None:
    found = axis(areas_of(40.0, 0.01), 0.1)
    assert found.number is None and "indeterminate" in str(found.reason)


def test_one_limb_lead_has_no_axis() -> None:
    found = axis({"II": 3.0}, 0.1)
    assert found.number is None
    assert found.reason == "an axis needs two limb leads; there is no I and no aVF"


def test_straight_left_is_plus_180() -> None:
    assert axis(areas_of(180.0), 0.1).number == pytest.approx(180)
    assert axis(areas_of(-180.0), 0.1).number == pytest.approx(180)


@given(st.lists(st.floats(0.05, 20), min_size=6, max_size=6))
def test_false_gains_are_found_up_to_one_factor(gains: list[float]) -> None:
    clean = SIMULATED[:6]
    found = true_proportions(np.array(gains)[:, None] * clean, LIMB_LEADS)
    assert isinstance(found, dict)
    products = np.array([found[lead] * gain for lead, gain in zip(LIMB_LEADS, gains, strict=True)])
    assert np.ptp(products) / products.mean() < 1e-4


def test_three_limb_leads_suffice_and_two_do_not() -> None:
    gains = np.array([2.0, 0.5, 3.0])[:, None]
    found = true_proportions(gains * SIMULATED[:3], ("I", "II", "III"))
    assert isinstance(found, dict)
    assert found["I"] * 2.0 == pytest.approx(found["II"] * 0.5, rel=1e-4)
    assert found["I"] * 2.0 == pytest.approx(found["III"] * 3.0, rel=1e-4)
    assert "three limb leads" in str(true_proportions(SIMULATED[:2], ("I", "II")))


def test_leads_that_contradict_each_other_are_refused() -> None:
    noise = np.random.default_rng(0).normal(size=(6, 400))
    assert "contradict Einthoven" in str(true_proportions(noise, LIMB_LEADS))
    reversed_lead = SIMULATED[:6].copy()
    reversed_lead[0] *= -1
    assert isinstance(true_proportions(reversed_lead, LIMB_LEADS), str)


SIMULATED = simulate(PRESETS["sinus"], "sinus").recording.signal[:, :1000].astype(np.float64)
