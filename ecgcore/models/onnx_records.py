"""Records to check an exported model on: simulated hearts, prepared as the model wants them.

Sixteen hearts, or as many as records are wanted, are prepared as any recording is; a hundred
records come of them by shifting in time, scaling and noise, drawn with a fixed seed. What is told
beside the signal is one heart's, in a fifth of its columns not known.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ecgcore.models.input_spec import InputSpec, Prepared, UnfitRecordingError, prepare
from ecgcore.signal.simulator import PRESETS, simulate

_UNKNOWN = 0.2


def simulated_records(
    spec: InputSpec, count: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(count, leads, samples) inputs and (count, columns) values beside them."""
    hearts: list[Prepared] = []
    for name, options in PRESETS.items():
        if len(hearts) == count:
            break
        try:
            hearts.append(prepare(simulate(options, name).recording, spec))
        except UnfitRecordingError:
            continue  # some hearts cannot be measured, and who is told biomarkers needs that
    generator = np.random.default_rng(0)
    inputs, aside = [], []
    for number in range(count):
        heart = hearts[number % len(hearts)]
        moved = np.roll(heart.values, int(generator.integers(spec.samples)), axis=1)
        noise = generator.normal(0.0, 0.1, moved.shape)
        inputs.append((generator.uniform(0.5, 2.0) * moved + noise).astype(np.float32))
        unknown = generator.random(heart.aside.shape) < _UNKNOWN
        aside.append(np.where(unknown, np.nan, heart.aside).astype(np.float32))
    return np.stack(inputs), np.stack(aside)
