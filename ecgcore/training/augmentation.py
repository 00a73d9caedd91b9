"""Changes of a training batch that leave its labels true.

All act on (batch, leads, samples) scaled signals and draw from one generator, so that a run
repeats.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Generator, Tensor


@dataclass(frozen=True)
class Augmentation:
    """How much to change; zeros change nothing.

    ``shift`` is the largest circular shift as a share of the length, ``gain`` the standard
    deviation of a lead's log gain, ``lead_dropout`` the probability of silencing each lead,
    ``noise`` the largest standard deviation of white noise (the signal's is 1).
    """

    shift: float = 0.0
    gain: float = 0.0
    lead_dropout: float = 0.0
    noise: float = 0.0

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not isinstance(value, int | float) or not 0 <= value <= 1:
                raise ValueError(f"augmentation {name} {value!r}; must be a number in 0..1")


def augment(batch: Tensor, options: Augmentation, generator: Generator) -> Tensor:
    """A changed copy of (batch, leads, samples); each record is changed in its own way."""
    records, leads, samples = batch.shape
    if options.shift:
        largest = int(options.shift * samples)
        shifts = torch.randint(-largest, largest + 1, (records,), generator=generator)
        columns = (torch.arange(samples) - shifts[:, None]) % samples
        batch = batch.gather(2, columns[:, None, :].expand(-1, leads, -1))
    if options.gain:
        gains = torch.randn(records, leads, 1, generator=generator) * options.gain
        batch = batch * gains.exp()
    if options.noise:
        level = torch.rand(records, 1, 1, generator=generator) * options.noise
        batch = batch + torch.randn(batch.shape, generator=generator) * level
    if options.lead_dropout:
        kept = torch.rand(records, leads, 1, generator=generator) >= options.lead_dropout
        batch = batch * kept
    return batch
