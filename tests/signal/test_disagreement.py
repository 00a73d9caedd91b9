"""Waves that are taken for beats and do not stand out are told of; real rhythms are not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ecgcore.recording import LEADS, Recording, Source
from ecgcore.signal.delineation import delineate
from ecgcore.signal.measurements import measure
from ecgcore.signal.simulator import PRESETS, simulate

RATE = 500.0
TIMES = np.arange(5000) / RATE
DIPOLES = {
    "V1": (-0.45, 0.1, 0.9), "V2": (-0.05, 0.1, 1.2), "V3": (0.35, 0.15, 1.2),
    "V4": (0.8, 0.2, 0.9), "V5": (0.95, 0.2, 0.35), "V6": (0.9, 0.2, 0.0),
}  # fmt: skip


def recording(dipole: np.ndarray) -> Recording:
    """Twelve leads of a dipole (3, samples) in mV, with 10 uV of noise."""
    dipole = dipole + np.random.default_rng(0).normal(0, 0.01, dipole.shape)
    one, two = dipole[0], dipole[0] / 2 + 0.866 * dipole[1]
    rows = {"I": one, "II": two, "III": two - one, "aVR": -(one + two) / 2}
    rows |= {"aVL": one - two / 2, "aVF": two - one / 2}
    rows |= {lead: np.asarray(seen) @ dipole for lead, seen in DIPOLES.items()}
    signal = np.stack([rows[lead] for lead in LEADS]).astype(np.float32)
    return Recording("made", signal, RATE, LEADS, Source("test", "0" * 64))


def flutter() -> np.ndarray:
    """Ventricular flutter of 210 a minute."""
    turn = 2 * np.pi * 3.5 * TIMES
    x = np.sin(turn) + 0.2 * np.sin(2 * turn + 0.5)
    y = -1.1 * np.sin(turn + 0.6) - 0.2 * np.sin(2 * turn + 1.2)
    return 0.9 * np.stack([x, y, 0.8 * np.cos(turn + 0.3) + 0.15 * np.sin(2 * turn)])


def spikes() -> np.ndarray:
    """A pacemaker's spikes, 70 a minute, and no heart that answers."""
    at = (TIMES[None] >= np.arange(0.5, 10, 60 / 70)[:, None]) & (
        TIMES[None] < np.arange(0.5, 10, 60 / 70)[:, None] + 0.002
    )
    return np.outer((0.68, -1.88, 1.0), at.any(axis=0))


@pytest.mark.parametrize("made", [flutter, spikes])
def test_what_is_no_qrs_complex_is_told(made: object) -> None:
    assert callable(made)
    found = recording(made())
    told = measure(found, delineate(found)).warnings
    assert any("Two ways of finding QRS complexes disagree" in one for one in told)


@pytest.mark.parametrize("name", PRESETS)
def test_simulated_hearts_are_not_doubted(name: str) -> None:
    found = simulate(PRESETS[name], name).recording
    cut = replace(found, signal=found.signal[:, 300:4100])
    told = measure(cut, delineate(cut)).warnings
    assert not any("disagree" in said for said in told), told
