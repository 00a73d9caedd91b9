"""The value that every explaining method gives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Explanation:
    """Where in a recording a model found its evidence for one label.

    ``heat`` is (leads, samples) float32 at ``sampling_rate`` Hz, row i for ``leads[i]``, its first
    sample ``start`` seconds into the recording. It lies in 0..1 (``signed`` False: more is more
    evidence for the label) or in -1..1 (``signed`` True: negative speaks against the label), scaled
    by ``peak``, the largest absolute raw value (0: the map is empty and says nothing).
    ``per_lead`` False means that the method cannot tell leads apart: all rows are equal and the
    drawing shows one band over time. ``note`` says in one sentence how to read the map.
    """

    model: str
    label: str
    method: str
    leads: tuple[str, ...]
    heat: NDArray[np.float32]
    sampling_rate: float
    start: float
    per_lead: bool
    signed: bool
    peak: float
    note: str

    def __post_init__(self) -> None:
        if self.heat.shape[0] != len(self.leads):
            raise ValueError(f"heat of shape {self.heat.shape} for {len(self.leads)} leads")
        if not np.isfinite(self.heat).all():
            raise ValueError("a heat map must be finite")

    @property
    def seconds(self) -> float:
        """Length of the explained part in seconds."""
        return float(self.heat.shape[1] / self.sampling_rate)


@dataclass(frozen=True)
class FilterResponses:
    """What a network's first filters let through: ``gain`` (filters, frequencies) at each of
    ``frequencies`` (Hz), a number the input is multiplied by; ``kernels`` are the filters' lengths
    in samples at ``sampling_rate`` (Hz). ``band`` (Hz) is what the input holds at all."""

    model: str
    sampling_rate: float
    kernels: tuple[int, ...]
    frequencies: NDArray[np.float64]
    gain: NDArray[np.float64]
    band: tuple[float, float]

    @property
    def peaks(self) -> NDArray[np.float64]:
        """The frequency (Hz) that each filter lets through best, (filters,)."""
        return np.asarray(self.frequencies[self.gain.argmax(axis=1)])


@dataclass(frozen=True)
class LeadTopography:
    """How strongly each recorded lead enters each augmented lead of a network.

    ``weights`` is (augmented leads, leads): the mean over channels of the absolute spatial weights,
    each row scaled to a maximum of 1; ``signed`` is the same shape, the mean signed weight over the
    channels divided by the same scale (-1..1).
    """

    model: str
    leads: tuple[str, ...]
    weights: NDArray[np.float32]
    signed: NDArray[np.float32]
