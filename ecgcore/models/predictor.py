"""A trained network answering for recordings."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from torch import Tensor

from ecgcore.models.card import (
    WEIGHTS,
    CardError,
    ModelCard,
    Output,
    card_digest,
    model_folder,
    read_card,
)
from ecgcore.models.chosen_thresholds import ChosenThreshold, chosen_for, with_chosen
from ecgcore.models.device import best_device, device_name
from ecgcore.models.held import HeldAside
from ecgcore.models.input_spec import Prepared, prepare
from ecgcore.models.network import AsideNetwork, Network, logits_of
from ecgcore.models.prediction import LabelPrediction, Prediction
from ecgcore.models.registry import build_network
from ecgcore.models.trust import Known, doubts, look, require_heart, too_short
from ecgcore.models.voltages import judged_by_shape
from ecgcore.recording import Recording

_BATCH = 64
"""Records a forward pass; fixed, so that an evaluation repeats to the digit."""

_LOADED = 16
"""Networks that a process keeps: more than are shipped."""


class Predictor:
    """A network with its card, on a device, in eval mode.

    ``chosen`` are thresholds that people have set in place of the card's; they judge what
    ``predict`` answers, and nothing else.
    """

    def __init__(
        self,
        card: ModelCard,
        network: Network,
        device: torch.device,
        chosen: tuple[ChosenThreshold, ...] = (),
    ) -> None:
        self.card, self.device, self.chosen = card, device, chosen
        self.network = network.to(device).eval()

    def predict(self, recording: Recording, known: Known | None = None) -> Prediction:
        """Every label's probability. Raises UnfitRecordingError where the model must not answer.

        ``known`` is ``trust.look(recording)`` where that was done already.
        """
        began = time.perf_counter()
        prepared = prepare(recording, self.card.spec)
        signs = require_heart(recording, prepared)
        probabilities = self.probabilities(prepared.values[None], prepared.aside[None])[0]
        milliseconds = 1000 * (time.perf_counter() - began)
        short = too_short(prepared.seconds, self.card.spec.seconds)
        doubted = (*short, *doubts(recording, signs, known or look(recording)))
        return self._prediction(prepared, probabilities, milliseconds, doubted)

    def warm_up(self) -> None:
        """Answer once to nothing, so that a first answer's time is not the libraries' start."""
        from scipy import signal as _signal  # noqa: F401 - prepare needs it; its import takes a second

        spec = self.card.spec
        self.probabilities(np.zeros((1, len(spec.leads), spec.samples), dtype=np.float32))

    def probabilities(
        self, inputs: NDArray[np.float32], aside: NDArray[np.float32] | None = None
    ) -> NDArray[np.float32]:
        """(records, leads, samples) prepared inputs to (records, labels) calibrated probabilities.

        ``aside`` is (records, columns) for a model that is told more than the signal; without it
        nothing of that is known.
        """
        logits = self.calibrated(torch.from_numpy(self.logits(inputs, aside)))
        return to_probabilities(logits, self.card.output).numpy()

    def calibrated(self, logits: Tensor) -> Tensor:
        """The network's logits (records, labels) as the card calibrates them, on the CPU."""
        card = self.card
        if card.output != "sigmoid":
            return logits
        return logits / card.temperature + torch.tensor([one.shift for one in card.labels])

    def logits(
        self, inputs: NDArray[np.float32], aside: NDArray[np.float32] | None = None
    ) -> NDArray[np.float32]:
        """The same, as the network gives them: before any calibration."""
        parts = []
        with torch.inference_mode():
            for first in range(0, len(inputs), _BATCH):
                rows = slice(first, first + _BATCH)
                batch = torch.from_numpy(inputs[rows]).to(self.device)
                told = None if aside is None else torch.from_numpy(aside[rows]).to(self.device)
                logits = logits_of(self.network, batch, told)
                parts.append(logits.cpu().numpy())
        return np.concatenate(parts)

    def holding(self, aside: NDArray[np.float32]) -> Predictor:
        """This predictor with one recording's aside values (columns,) held for whatever it is
        asked, so that altered signals alone change its answer; itself where it takes none."""
        if not isinstance(self.network, AsideNetwork) or not self.network.aside:
            return self
        held = HeldAside(self.network, torch.from_numpy(aside))
        return Predictor(self.card, held, self.device, self.chosen)

    def _prediction(
        self,
        prepared: Prepared,
        probabilities: NDArray[np.float32],
        milliseconds: float,
        doubted: tuple[str, ...],
    ) -> Prediction:
        labels = tuple(
            LabelPrediction(
                code=label.code,
                description=label.description,
                set=label.set,
                probability=float(probability) if label.answered else None,
                threshold=label.threshold if label.answered else None,
                reason=label.reason,
            )
            for label, probability in zip(self.card.labels, probabilities, strict=True)
        )
        answer = Prediction(
            model=self.card.name,
            labels=labels,
            threshold_origin=self.card.threshold_origin,
            start=prepared.start,
            seconds=prepared.seconds,
            device=device_name(self.device),
            milliseconds=milliseconds,
            warnings=prepared.warnings,
            doubts=doubted,
            by_shape=judged_by_shape(self.card.labels, self.card.spec),
        )
        return with_chosen(answer, self.chosen)


def to_probabilities(logits: Tensor, output: Output) -> Tensor:
    """Logits (batch, labels) to probabilities."""
    return torch.sigmoid(logits) if output == "sigmoid" else torch.softmax(logits, dim=1)


def load_predictor(name: str) -> Predictor:
    """A model of the shelf by name, its network loaded once a process and warm, with the thresholds
    that people have set for it. Raises CardError."""
    folder = model_folder(name)
    loaded = loaded_network(folder, card_digest(folder))
    return Predictor(loaded.card, loaded.network, loaded.device, chosen_for(name, loaded.card))


@lru_cache(maxsize=_LOADED)
def loaded_network(folder: Path, card: str) -> Predictor:
    """What ``read_predictor`` gives, warm. ``card`` is the card's hash: a model that was published
    anew under an old name is another one. Raises CardError."""
    predictor = read_predictor(folder)
    predictor.warm_up()
    return predictor


def read_predictor(folder: Path) -> Predictor:
    """The model in a folder, on the best device. Raises CardError where weights and card
    disagree.
    """
    card = read_card(folder)
    try:
        data = (folder / WEIGHTS).read_bytes()
    except OSError as error:
        raise CardError(f"{folder.name}/{WEIGHTS} cannot be read: {error}") from error
    if hashlib.sha256(data).hexdigest() != card.weights_sha256:
        raise CardError(
            f"{folder.name}/{WEIGHTS} are not the weights that {folder.name}/card.json describes; "
            "install the model again"
        )
    try:
        network = fitted_network(card, load_tensors(data))
    except (RuntimeError, TypeError, ValueError, SafetensorError) as error:
        raise CardError(f"{folder.name}: weights do not fit {card.network}: {error}") from error
    return Predictor(card, network, best_device())


def fitted_network(card: ModelCard, weights: Mapping[str, Tensor]) -> Network:
    """A card's network with these weights, on the CPU.

    Raises RuntimeError, TypeError or ValueError where one does not fit the other.
    """
    network = build_network(
        card.network,
        leads=len(card.spec.leads),
        labels=len(card.labels),
        options=card.network_options,
    )
    network.load_state_dict(weights)
    told = network.aside if isinstance(network, AsideNetwork) else ()
    if card.spec.aside != told:
        raise ValueError(f"its aside inputs are {told}, not {card.spec.aside}")
    return network
