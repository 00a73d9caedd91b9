"""Changes of a training batch that leave its labels true, or mix them as they mix the signals.

All act on (batch, leads, samples) scaled signals and draw from one generator, so that a run
repeats. A change of no strength draws nothing, so that the others' draws do not depend on it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Generator, Tensor


@dataclass(frozen=True)
class Augmentation:
    """How much to change; zeros change nothing.

    ``shift`` is the largest circular shift as a share of the length, ``gain`` the standard
    deviation of a lead's log gain, ``lead_dropout`` the probability of silencing each lead,
    ``noise`` the largest standard deviation of white noise (the signal's is 1). ``crop`` is the
    largest share of the length that is cut off, ``scale`` the standard deviation of the log gain
    that a record's leads share. ``uniform_noise`` and ``baseline_wander`` are Equations 3 and 4 of
    Singstad et al. 2022 with the record's standard deviation times this share; 1 is the paper's.
    ``mixup`` is alpha of Zhang et al. 2018: the records of a batch and their labels are mixed in
    pairs, by shares of the Beta distribution (alpha, alpha). It alone changes labels, in ``mixed``.
    """

    shift: float = 0.0
    gain: float = 0.0
    lead_dropout: float = 0.0
    noise: float = 0.0
    crop: float = 0.0
    scale: float = 0.0
    uniform_noise: float = 0.0
    baseline_wander: float = 0.0
    mixup: float = 0.0

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
    if options.crop:
        batch = cropped(batch, options.crop, generator)
    if options.gain:
        gains = torch.randn(records, leads, 1, generator=generator) * options.gain
        batch = batch * gains.exp()
    if options.scale:
        batch = batch * (torch.randn(records, 1, 1, generator=generator) * options.scale).exp()
    if options.noise:
        level = torch.rand(records, 1, 1, generator=generator) * options.noise
        batch = batch + torch.randn(batch.shape, generator=generator) * level
    if options.uniform_noise or options.baseline_wander:
        deviation = batch.std((1, 2), correction=0, keepdim=True)
        if options.uniform_noise:
            batch = with_uniform_noise(batch, deviation * options.uniform_noise, generator)
        if options.baseline_wander:
            batch = with_baseline_wander(batch, deviation * options.baseline_wander, generator)
    if options.lead_dropout:
        kept = torch.rand(records, leads, 1, generator=generator) >= options.lead_dropout
        batch = batch * kept
    return batch


def mixed(
    batch: Tensor, targets: Tensor, alpha: float, generator: Generator
) -> tuple[Tensor, Tensor]:
    """(batch, leads, samples) and (batch, labels), each record mixed with another of the batch.

    Zhang, Cisse, Dauphin and Lopez-Paz, mixup, ICLR 2018: one share a batch, ``alpha`` in 0..1 (0
    excluded). Targets then lie between 0 and 1.
    """
    share = _beta(alpha, generator)
    others = torch.randperm(len(batch), generator=generator)
    return (
        share * batch + (1 - share) * batch[others],
        share * targets + (1 - share) * targets[others],
    )


def _beta(alpha: float, generator: Generator) -> float:
    """A draw of Beta(alpha, alpha), alpha in 0..1 (Johnk, Metrika 1964;8:5-15)."""
    while True:
        one, two = (torch.rand(2, generator=generator, dtype=torch.float64) ** (1 / alpha)).tolist()
        if 0 < one + two <= 1:
            return float(one / (one + two))


def cropped(batch: Tensor, largest: float, generator: Generator) -> Tensor:
    """A window of each record, moved to its start and followed by zeros.

    That is how a model sees a recording that is too short (see ``prepare``). Up to a share
    ``largest`` of (batch, leads, samples) is cut off, at least one sample kept.
    """
    records, leads, samples = batch.shape
    most = min(int(largest * samples), samples - 1)
    cut = torch.randint(0, most + 1, (records,), generator=generator)
    first = (torch.rand(records, generator=generator) * (cut + 1)).long().clamp(max=cut)
    columns = torch.arange(samples)
    moved = batch.gather(
        2, ((columns + first[:, None]) % samples)[:, None, :].expand(-1, leads, -1)
    )
    return moved * (columns < samples - cut[:, None])[:, None, :]


def with_uniform_noise(batch: Tensor, largest: Tensor, generator: Generator) -> Tensor:
    """Noise drawn alike between -``largest`` and ``largest`` (batch, 1, 1), on each sample."""
    return batch + largest * _between_ones(batch.shape, generator)


def with_baseline_wander(batch: Tensor, largest: Tensor, generator: Generator) -> Tensor:
    """One period of a cosine over the record is added, of random phase, and of an amplitude drawn
    between -``largest`` and ``largest`` (batch, 1, 1).

    Equation 4 prints the sample's value where its number belongs, and leaves out the signal that
    the text says is added to. Settled: one wave a record, the same in each lead, as the standard
    deviation is said to be that of the whole recording.
    """
    records, _, samples = batch.shape
    phase = torch.rand(records, 1, 1, generator=generator) * 2 * math.pi
    amplitude = largest * _between_ones(torch.Size((records, 1, 1)), generator)
    turns = torch.arange(samples) / samples * 2 * math.pi
    return batch + amplitude * torch.cos(turns + phase)


def _between_ones(shape: torch.Size, generator: Generator) -> Tensor:
    return 2 * torch.rand(shape, generator=generator) - 1
