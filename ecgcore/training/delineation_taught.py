"""Recordings that nobody marked, as larger networks read them: more hearts to learn from.

A hundred marked patients hold few of the shapes that waves can have. Networks too large to ship
learn from them first and then say, for each sample of other recordings, how much of it lies in
which wave; the shipped one learns from both (Xie et al., Self-training with Noisy Student, CVPR
2020; Hinton et al., Distilling the Knowledge in a Neural Network, 2015).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from ecgcore.recording import LEADS, Recording
from ecgcore.signal.delineation.lead_input import NETWORK_RATE, lead_input
from ecgcore.signal.delineation.wave_network import WaveNetwork
from ecgcore.signal.quality import assess
from ecgcore.signal.resampling import resample
from ecgcore.training.delineation_data import FINE_RATE, MarkedSet, Values, fitted

_DOUBT = 0.02
"""Shares below this are the softmax's tail, not belief."""
_END_SECONDS = 0.5
"""What lies this near to an end was read without what came before or after it."""


def readable(recordings: Iterable[Recording]) -> list[Recording]:
    """Those that have twelve leads, none of which the quality gate calls unusable."""
    return [
        recording
        for recording in recordings
        if recording.leads == LEADS
        and not any(found.severity == "unusable" for found in assess(recording))
    ]


def taught_set(
    recordings: Sequence[Recording],
    teachers: Sequence[WaveNetwork],
    device: torch.device,
    seconds: float = 10.0,
) -> MarkedSet:
    """What the teachers believe on average; recordings as ``readable`` gives them."""
    samples = round(seconds * FINE_RATE)
    teachers = [teacher.to(device).eval() for teacher in teachers]
    signals, insides = [], []
    for recording in recordings:
        values = lead_input(recording.signal, recording.sampling_rate).values
        signals.append(fitted(_finer(values), samples))
        insides.append(fitted(_twice(_believed(values, teachers, device)), samples))
    known = np.ones((len(recordings), len(LEADS) + 1, samples), dtype=np.float32)
    end = round(_END_SECONDS * FINE_RATE)
    for row, recording in enumerate(recordings):
        last = min(samples, round(recording.seconds * FINE_RATE))
        known[row, :, :end] = known[row, :, last - end :] = 0
    names = tuple(recording.record_id for recording in recordings)
    return MarkedSet(np.stack(signals), np.stack(insides), known, names)


def _finer(values: Values) -> Values:
    return resample(values, NETWORK_RATE, FINE_RATE).astype(np.float32)


def _believed(values: Values, teachers: Sequence[WaveNetwork], device: torch.device) -> Values:
    """(leads, samples) to the shares of P, QRS, T, (leads + 1, 3, samples)."""
    samples = values.shape[1]
    filled = np.pad(values, ((0, 0), (0, -samples % max(t.options.multiple for t in teachers))))
    given = torch.from_numpy(filled)[None].to(device)
    said = []
    with torch.inference_mode():
        for teacher in teachers:
            leads, joint = teacher(given)
            said.append(torch.softmax(torch.cat([leads[0], joint]), dim=1)[:, 1:, :samples])
    mean = torch.stack(said).mean(dim=0).cpu().numpy()
    believed: Values = np.where(mean < _DOUBT, 0, mean).astype(np.float32)
    return believed


def _twice(shares: NDArray[np.float32]) -> Values:
    """At twice the rate: halves between samples are their mean."""
    between = (shares + np.concatenate([shares[..., 1:], shares[..., -1:]], axis=-1)) / 2
    finer: Values = np.stack([shares, between], axis=-1).reshape(*shares.shape[:-1], -1)
    return finer
