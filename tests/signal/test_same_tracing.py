"""One tracing under two names."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ecgcore.signal.same_tracing import same_tracings
from tests.packed_example import packed_arrays


def test_a_tracing_that_stands_twice_is_found_however_noisy_and_scaled() -> None:
    stored = packed_arrays(600)["X"].transpose(0, 2, 1).astype(np.int16)
    random = np.random.default_rng(0)
    for one, two in ((3, 590), (300, 310)):
        noisy = stored[one] * 0.9 + random.normal(0, 200, stored[one].shape)
        stored[two] = noisy.round().astype(np.int16)
    stored[5:7] = 0  # two flat ones are not one tracing
    assert same_tracings(stored) == ((3, 590), (300, 310))


def test_real_recordings_are_all_different(ecg_data: Path) -> None:
    with np.load(ecg_data / "ptbxl_1625" / "val.npz") as held:
        stored = held["X"].transpose(0, 2, 1)
    assert same_tracings(stored) == ()
