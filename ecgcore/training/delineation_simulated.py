"""Simulated hearts for the delineation network: rare rhythms whose P waves are known.

They teach whether a wave is there. Where it begins and ends is left to the recordings that people
marked: the simulator's borders are the first and last trace of a wave, a cardiologist's are where
one sees it, and what lies near a border, or is too faint to be seen, is therefore unknown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from ecgcore.datasets.ludb import LeadMarks, MarkedRecording
from ecgcore.signal.delineation.waves import WAVES, Delineation, Wave, shown
from ecgcore.signal.simulator import Simulated, random_options, simulate
from ecgcore.training.delineation_data import FINE_RATE, MarkedSet, Values, marked_set

_BORDER_SECONDS = 0.024
"""To either side of a border nothing is known."""


def simulated_set(count: int, seed: int) -> MarkedSet:
    """Hearts by chance; the same seed gives the same ones."""
    data = marked_set(list(_hearts(count, seed)))
    return MarkedSet(data.signal, data.inside, _certain(data), data.names)


def _hearts(count: int, seed: int) -> Iterator[MarkedRecording]:
    for number in range(count):
        heart = simulate(random_options(np.random.default_rng([seed, number])), str(number))
        yield MarkedRecording(heart.recording, _marks(heart), "", bool(heart.spikes))


def _marks(heart: Simulated) -> dict[str, LeadMarks]:
    truth: Delineation = heart.truth
    return {
        lead: LeadMarks(_shown(truth.leads[lead]), heart.start, heart.stop) for lead in truth.leads
    }


def _shown(marks: Mapping[Wave, NDArray[np.float64]]) -> dict[Wave, NDArray[np.float64]]:
    return {wave: shown(marks[wave]) for wave in WAVES}


def _certain(data: MarkedSet) -> Values:
    """``known`` without what is near a border, and without waves that other leads show better."""
    from scipy.ndimage import maximum_filter1d

    reach = 2 * round(_BORDER_SECONDS * FINE_RATE) + 1
    inside = data.inside > 0.5
    changes = np.abs(np.diff(inside.astype(np.int8), axis=-1, prepend=0)).max(axis=2)
    near = maximum_filter1d(changes, reach, axis=-1) > 0
    elsewhere = maximum_filter1d(inside.any(axis=(1, 2)).astype(np.int8), reach, axis=-1) > 0
    faint = elsewhere[:, None] & ~inside.any(axis=2)
    known: Values = data.known * ~(near | faint)
    return known
