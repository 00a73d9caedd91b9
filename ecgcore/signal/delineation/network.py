"""Delineation by our own network, trained on LUDB's marks: see ``wave_network`` and the card.

A lead's marks come from that lead alone; the heart's marks from a second head over the features of
all leads that could be read, which two disagreeing leads do not confuse as they confuse a median.
A trained network is a folder of ``weights.safetensors`` and ``card.json``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ecgcore.labels import ASSETS
from ecgcore.signal.delineation.agreement import LeadsRead
from ecgcore.signal.delineation.decoding import decode
from ecgcore.signal.delineation.lead_input import LeadInput, lead_input
from ecgcore.signal.delineation.waves import OFFSET, ONSET, PEAK, WAVES, Marks, WaveMarks

if TYPE_CHECKING:
    from ecgcore.signal.delineation.wave_network import WaveNetwork

SHIPPED = ASSETS / "delineation"
WEIGHTS, CARD = "weights.safetensors", "card.json"

CHUNK_SAMPLES = 8192
"""33 s at the network's rate: longer recordings are read in pieces, to bound the memory."""
OVERLAP_SAMPLES = 1024
"""4 s: twice what the network looks at on either side of a sample."""


class DelineationCardError(ValueError):
    """A network folder that cannot be used: what is wrong and what to do."""


@dataclass(frozen=True)
class TrainedWaveNetwork:
    """A network with its card, ready to answer."""

    card: Mapping[str, Any]
    network: WaveNetwork

    def read_leads(
        self, signals: Mapping[str, NDArray[np.floating]], sampling_rate: float
    ) -> LeadsRead:
        """Marks by lead, each from its own samples, and of the heart; see ``read_leads``."""
        if not signals:
            return LeadsRead({})
        leads = tuple(signals)
        read = lead_input(np.stack([signals[lead] for lead in leads]), sampling_rate)
        by_lead, joint = self.probabilities(read.values)
        *rows, overall = decode(
            np.concatenate([by_lead, joint[None]]),
            np.concatenate([read.values, _together(read.values)[None]]),
        )
        for wave in WAVES:
            overall[wave] = _with_peaks_of(overall[wave], [row[wave] for row in rows])
        marks = {lead: _in_file(row, read) for lead, row in zip(leads, rows, strict=True)}
        return LeadsRead(marks, overall=_in_file(overall, read))

    def probabilities(
        self, values: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """(leads, samples) as ``lead_input`` gives them to the probabilities of none, P, QRS, T:
        (leads, 4, samples), and (4, samples) for the heart."""
        leads, samples = values.shape
        by_lead = np.empty((leads, 4, samples), dtype=np.float32)
        joint = np.empty((4, samples), dtype=np.float32)
        for first, last, kept_from, kept_to in _chunks(samples):
            lead_part, joint_part = self._chunk(values[:, first:last])
            kept = slice(kept_from - first, kept_to - first)
            by_lead[..., kept_from:kept_to] = lead_part[..., kept]
            joint[..., kept_from:kept_to] = joint_part[..., kept]
        return by_lead, joint

    def _chunk(
        self, values: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        import torch

        samples = values.shape[1]
        filled = np.pad(values, ((0, 0), (0, -samples % self.network.options.multiple)))
        with torch.inference_mode():
            by_lead, joint = self.network(torch.from_numpy(filled)[None])
            by_lead, joint = torch.softmax(by_lead[0], dim=1), torch.softmax(joint[0], dim=0)
        return by_lead.numpy()[..., :samples], joint.numpy()[..., :samples]


def read_leads(signals: Mapping[str, NDArray[np.floating]], sampling_rate: float) -> LeadsRead:
    """Marks of the shipped network: by lead in samples at ``sampling_rate`` Hz, and overall.

    ``signals`` by lead, (samples,) each, all of one length, in any unit; single NaN are bridged.
    Raises DelineationCardError where the shipped weights are missing or damaged.
    """
    return shipped_network().read_leads(signals, sampling_rate)


@cache
def shipped_network() -> TrainedWaveNetwork:
    """The shipped network, loaded once a process. Raises DelineationCardError."""
    return load_network(SHIPPED)


def load_network(folder: Path) -> TrainedWaveNetwork:
    """The network in a folder. Raises DelineationCardError where card and weights do not fit."""
    from safetensors import SafetensorError
    from safetensors.torch import load

    from ecgcore.signal.delineation.wave_network import WaveNetwork, WaveNetworkOptions, folded

    card = read_card(folder)
    try:
        data = (folder / WEIGHTS).read_bytes()
    except OSError as error:
        raise DelineationCardError(
            f"{folder.name}/{WEIGHTS} cannot be read: {error}; install the weights again"
        ) from error
    if hashlib.sha256(data).hexdigest() != card["weights_sha256"]:
        raise DelineationCardError(
            f"{folder.name}/{WEIGHTS} are not the weights that {folder.name}/{CARD} describes; "
            "install both again"
        )
    try:
        network = WaveNetwork(WaveNetworkOptions.from_json(card["network"]))
        network.load_state_dict(load(data))
    except (SafetensorError, RuntimeError, TypeError, ValueError) as error:
        raise DelineationCardError(
            f"{folder.name}: the weights do not fit the network that the card names: {error}"
        ) from error
    return TrainedWaveNetwork(card, folded(network))


def read_card(folder: Path) -> dict[str, Any]:
    """The card in a folder. Raises DelineationCardError where there is none or it is damaged."""
    try:
        card = json.loads((folder / CARD).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DelineationCardError(
            f"{folder.name}/{CARD} cannot be read: {error}; install the weights again"
        ) from error
    if not isinstance(card, dict) or not {"network", "weights_sha256"} <= card.keys():
        raise DelineationCardError(
            f"{folder.name}/{CARD} names no network and no weights_sha256; install it again"
        )
    return card


def _chunks(samples: int) -> Iterator[tuple[int, int, int, int]]:
    """First and end of each piece, and of the part of it that is kept."""
    step = CHUNK_SAMPLES - OVERLAP_SAMPLES
    first = 0
    while True:
        last = min(first + CHUNK_SAMPLES, samples)
        kept_from = first + OVERLAP_SAMPLES // 2 if first else 0
        if last == samples:
            yield first, last, kept_from, samples
            return
        yield first, last, kept_from, last - OVERLAP_SAMPLES // 2
        first += step


def _in_file(marks: WaveMarks, read: LeadInput) -> WaveMarks:
    return {wave: read.file_samples(rows) for wave, rows in marks.items()}


def _with_peaks_of(overall: Marks, leads: Sequence[Marks]) -> Marks:
    """The heart's waves, each with the median peak of the leads that show one within it.

    A lead's peak is a top; where the heart's is has no other meaning. A wave that no lead shows
    keeps the peak of the leads taken together.
    """
    peaks = np.sort(np.concatenate([marks[:, PEAK] for marks in leads]))
    marked = overall.copy()
    bounds = np.searchsorted(peaks, overall[:, [ONSET, OFFSET]])
    for row, (first, last) in enumerate(bounds.tolist()):
        if last > first:
            marked[row, PEAK] = (peaks[(first + last - 1) // 2] + peaks[(first + last) // 2]) / 2
    return marked


def _together(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """One trace for the heart's peaks: the root mean square over the leads."""
    together: NDArray[np.float32] = np.sqrt(np.mean(np.square(values), axis=0))
    return together
