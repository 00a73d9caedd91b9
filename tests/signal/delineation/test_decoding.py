"""Probabilities to marks: borders by expectation, gaps, cut waves, peaks."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from ecgcore.signal.delineation import decoding
from ecgcore.signal.delineation.waves import WAVES, Marks, Wave

SAMPLES = 200


def decode(probabilities: NDArray[np.float32], values: NDArray[np.float32]) -> dict[Wave, Marks]:
    """One lead's waves, between two leads full of others."""
    other = np.random.default_rng(1).dirichlet([0.3] * 4, SAMPLES).T[None]
    rows = np.concatenate([other, probabilities[None], other])
    return decoding.decode(rows, np.stack([values] * 3))[1]


def inside(onset: float, offset: float) -> NDArray[np.float32]:
    """The share of each sample that lies between two places."""
    at = np.arange(SAMPLES)
    share = np.minimum(offset, at + 0.5) - np.maximum(onset, at - 0.5)
    return np.clip(share, 0, 1).astype(np.float32)


def probabilities(**waves: NDArray[np.float32]) -> NDArray[np.float32]:
    """(4, samples) from the probability of each wave."""
    rows = [waves.get(wave, np.zeros(SAMPLES, dtype=np.float32)) for wave in WAVES]
    return np.stack([1 - np.sum(rows, axis=0), *rows]).astype(np.float32)


def bump(centre: float) -> NDArray[np.float32]:
    """A smooth deflection."""
    return np.exp(-(((np.arange(SAMPLES) - centre) / 6) ** 2)).astype(np.float32)


@pytest.mark.parametrize(("onset", "offset"), [(50.0, 80.0), (50.25, 79.6), (49.9, 90.1)])
def test_borders_are_found_to_a_fraction_of_a_sample(onset: float, offset: float) -> None:
    (row,) = decode(probabilities(QRS=inside(onset, offset)), bump(65))["QRS"]
    assert row[0] == pytest.approx(onset, abs=1e-3)
    assert row[2] == pytest.approx(offset, abs=1e-3)


def test_a_soft_border_is_its_expected_place() -> None:
    belief = np.mean([inside(onset, 90) for onset in (40, 44, 60)], axis=0)
    (row,) = decode(probabilities(T=belief.astype(np.float32)), bump(70))["T"]
    assert row[0] == pytest.approx(48, abs=0.01)


def test_the_peak_is_found_to_a_fraction_of_a_sample_whichever_way_it_points() -> None:
    for sign in (1, -1):
        (row,) = decode(probabilities(P=inside(50, 80)), sign * bump(64.3))["P"]
        assert row[1] == pytest.approx(64.3, abs=0.05)


def test_pieces_of_one_wave_are_joined_and_far_ones_are_not() -> None:
    near = inside(50, 60) + inside(64, 80)
    far = inside(50, 65) + inside(85, 100)
    assert len(decode(probabilities(QRS=near), bump(65))["QRS"]) == 1
    assert len(decode(probabilities(QRS=far), bump(65))["QRS"]) == 2


def test_a_wave_cut_by_an_end_is_left_out() -> None:
    cut = inside(-10, 20) + inside(180, 260) + inside(90, 110)
    (row,) = decode(probabilities(T=cut), bump(100))["T"]
    assert row[0] == pytest.approx(90, abs=1e-3)


def test_a_flicker_is_no_wave() -> None:
    assert len(decode(probabilities(P=inside(50, 53)), bump(51))["P"]) == 0


def test_nothing_gives_no_wave_of_any_kind() -> None:
    found = decode(probabilities(), bump(50))
    assert {wave: rows.shape for wave, rows in found.items()} == dict.fromkeys(WAVES, (0, 3))


def test_marks_are_in_order() -> None:
    rng = np.random.default_rng(0)
    noise = rng.random((4, SAMPLES)).astype(np.float32)
    smooth = np.stack([np.convolve(row, np.ones(15) / 15, "same") for row in noise])
    sharp = (smooth / smooth.sum(axis=0)) ** 8
    for rows in decode((sharp / sharp.sum(axis=0)).astype(np.float32), noise[0]).values():
        assert (np.diff(rows, axis=1) >= 0).all()
