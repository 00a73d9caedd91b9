"""Crops for training: what a recorder, a filter, a heart could have made of the same beats.

Rate and polarity, gain, remaining wander, mains, muscle noise and coarse filters change the signal
only; a P wave taken out (with atrial fibrillation's ripple in its place, at times) changes the
truth too, and teaches that a P wave is where it is seen and not where it is expected. So does
shortening the pause between T and P, and lengthening or shortening that between P and QRS
(``delineation_time``): fast hearts and slow conduction are rare among the marked ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ecgcore.signal.delineation.lead_input import NETWORK_RATE
from ecgcore.training.delineation_data import FINE_RATE, MarkedSet, Values
from ecgcore.training.delineation_time import other_pauses, window

Floats = NDArray[np.floating]

_P = 0  # row of the P waves in MarkedSet.inside
_HARDLY_INSIDE = 0.02
"""Shares that a network gave have long tails; marks by people have none."""


@dataclass(frozen=True)
class CropOptions:
    """Length of a crop at NETWORK_RATE, and how often and how far it is changed.

    Amplitudes are shares of a lead's usual peak-to-peak; each is drawn anew for each lead.
    """

    samples: int = 1024
    stretch: float = 0.15
    gain: float = 0.25
    flip: float = 0.5
    wander: float = 0.06
    mains: float = 0.03
    muscle: float = 0.03
    filtered: float = 0.3
    without_p: float = 0.12
    other_pauses: float = 0.0
    fewer_leads: float = 0.3


@dataclass(frozen=True)
class Crops:
    """``values`` (records, leads, samples); ``target`` (records, leads + 1, 4, samples) shares of
    none, P, QRS, T; ``known`` (records, leads + 1, samples); ``present`` (records, leads) bool."""

    values: Tensor
    target: Tensor
    known: Tensor
    present: Tensor

    def to(self, device: torch.device) -> Crops:
        """The same on a device."""
        return Crops(*(part.to(device, non_blocking=True) for part in self._parts))

    @property
    def _parts(self) -> tuple[Tensor, ...]:
        return self.values, self.target, self.known, self.present


def together(parts: Sequence[Crops]) -> Crops:
    """Several crops of records as one batch."""
    columns = zip(*(part._parts for part in parts), strict=True)
    return Crops(*(torch.cat(column) for column in columns))


def draw_crops(
    data: MarkedSet, records: NDArray[np.intp], options: CropOptions, rng: np.random.Generator
) -> Crops:
    """One crop of each of ``records``, at a random place with marks."""
    parts = [_crop(data, int(record), options, rng) for record in records]
    values = np.stack([part[0] for part in parts])
    inside = np.stack([part[1] for part in parts])
    known = np.stack([part[2] for part in parts])
    values = _disturb(values, options, rng)
    none = np.clip(1 - inside.sum(axis=2, keepdims=True), 0, 1)
    target = np.concatenate([none, inside], axis=2)
    target /= target.sum(axis=2, keepdims=True)
    present = _present(len(values), values.shape[1], options, rng)
    return Crops(_tensor(values), _tensor(target), _tensor(known), torch.from_numpy(present))


def _tensor(values: NDArray[np.floating]) -> Tensor:
    return torch.from_numpy(values.astype(np.float32))


def _crop(
    data: MarkedSet, record: int, options: CropOptions, rng: np.random.Generator
) -> tuple[Values, Values, Values]:
    """Signal, shares and knowledge of one stretched window that holds known samples."""
    stretch = FINE_RATE / NETWORK_RATE * np.exp(rng.uniform(-options.stretch, options.stretch))
    inside = data.inside[record]
    pauses = other_pauses(inside, rng) if rng.random() < options.other_pauses else 1.0
    steps = stretch * pauses * np.ones(inside.shape[-1])
    marked = np.flatnonzero(data.known[record, -1])
    at = window(steps, options.samples, (int(marked[0]), int(marked[-1])), rng)
    end = data.signal.shape[-1] - 1
    beyond = at >= end
    left = np.minimum(at.astype(np.intp), end - 1)
    share = np.minimum(at - left, 1).astype(np.float32)

    def read(values: Values) -> Values:
        between: Values = values[..., left] * (1 - share) + values[..., left + 1] * share
        return between

    signal = data.signal[record]
    if rng.random() < options.without_p:
        signal, inside = _without_p(signal, inside, rng)
    known = read(data.known[record]) > 0.99
    known[:, beyond] = False
    return read(signal), read(inside), known.astype(np.float32)


def _without_p(signal: Values, inside: Values, rng: np.random.Generator) -> tuple[Values, Values]:
    """P waves (all, or some) replaced by straight lines in all leads, perhaps with fibrillation."""
    signal, inside = signal.copy(), inside.copy()
    any_lead = inside[:, _P].max(axis=0) > _HARDLY_INSIDE
    edges = np.flatnonzero(np.diff(any_lead.astype(np.int8)))
    share = 1.0 if rng.random() < 0.6 else rng.uniform(0.2, 0.8)
    for first, last in zip(edges[:-1:2], edges[1::2], strict=False):
        if any_lead[first] or rng.random() > share:
            continue
        span = slice(first, last + 2)
        slope = np.linspace(0, 1, len(range(*span.indices(signal.shape[1]))), dtype=np.float32)
        ends = signal[:, [first]], signal[:, [min(last + 1, signal.shape[1] - 1)]]
        signal[:, span] = ends[0] + (ends[1] - ends[0]) * slope
        inside[:, _P, span] = 0
    if share == 1.0 and rng.random() < 0.5:
        signal += _fibrillation(signal.shape[0], signal.shape[1], rng)
    return signal, inside


def _fibrillation(leads: int, samples: int, rng: np.random.Generator) -> Values:
    """Atrial fibrillation's or flutter's ripple: 4 to 9 a second, of drifting rate and height."""
    time = np.arange(samples) / FINE_RATE
    hertz = rng.uniform(4, 9) + rng.uniform(0, 1.5) * np.sin(
        2 * np.pi * rng.uniform(0.1, 0.6) * time
    )
    phase = 2 * np.pi * np.cumsum(hertz) / FINE_RATE
    height = rng.uniform(0, 0.08, (leads, 1)) * (1 + 0.5 * np.sin(2 * np.pi * 0.3 * time))
    shift = rng.uniform(0, 2 * np.pi, (leads, 1))
    ripple = height * (np.sin(phase + shift) + 0.4 * np.sin(2 * phase + 2 * shift))
    return np.asarray(ripple, dtype=np.float32)


def _disturb(clean: Values, options: CropOptions, rng: np.random.Generator) -> Values:
    """Polarity, gain, filters, wander, mains and muscle noise, lead by lead."""
    shape = (*clean.shape[:2], 1)
    record = (len(clean), 1, 1)
    time = np.arange(clean.shape[-1]) / NETWORK_RATE
    sign = np.where(rng.random(shape) < options.flip, -1.0, 1.0)
    values: Floats = clean * sign * np.exp(rng.normal(0, options.gain, shape))
    values = np.where(rng.random(record) < options.filtered, _low_passed(values, rng), values)

    def wave(hertz: Floats, height: Floats) -> Floats:
        swing: Floats = height * np.sin(2 * np.pi * (hertz * time + rng.random(shape)))
        return swing

    def height(most: float) -> Floats:
        """Often nothing, seldom much: disturbances come in recordings, not evenly in all."""
        there = rng.random(record) < 0.5
        drawn: Floats = there * most * np.abs(rng.normal(0, 1, shape))
        return drawn

    for _ in range(2):
        values = values + wave(rng.uniform(0.1, 0.9, shape), height(options.wander))
    values = values + wave(np.where(rng.random(record) < 0.5, 50.0, 60.0), height(options.mains))
    noise = rng.standard_normal(values.shape, dtype=np.float32)
    softer = (noise[..., 1:] + noise[..., :-1]) / np.sqrt(2)
    noise[..., 1:] = np.where(rng.random(record) < 0.5, softer, noise[..., 1:])
    return np.asarray(values + noise * height(options.muscle), dtype=np.float32)


def _low_passed(values: NDArray[np.floating], rng: np.random.Generator) -> Floats:
    """A recorder's filter: 25 to 100 Hz, softly."""
    spectrum = np.fft.rfft(values, axis=-1)
    hertz = np.fft.rfftfreq(values.shape[-1], 1 / NETWORK_RATE)
    corner = rng.uniform(25, 100, (len(values), 1, 1))
    filtered: Floats = np.fft.irfft(
        spectrum / np.sqrt(1 + (hertz / corner) ** 8), values.shape[-1], axis=-1
    )
    return filtered


def _present(
    records: int, leads: int, options: CropOptions, rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Which leads the joint answer sees: all, or now and then a few."""
    present = np.ones((records, leads), dtype=bool)
    for row in present:
        if rng.random() < options.fewer_leads:
            kept = rng.permutation(leads)[: rng.integers(1, leads + 1)]
            row[:] = False
            row[kept] = True
    return present
