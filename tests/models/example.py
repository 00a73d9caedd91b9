"""Small models and recordings that the tests build themselves."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ecgcore.models.card import LabelCard, ModelCard
from ecgcore.models.input_spec import InputSpec
from ecgcore.models.network import Network
from ecgcore.models.predictor import Predictor
from ecgcore.models.registry import build_network, network_entry
from ecgcore.recording import LEADS, Recording, Source, complete_limb_leads

CODES = ("NORM", "MI", "STTC", "CD", "HYP")
UNANSWERED = "HYP"
"""A label of the example cards that has no threshold."""


def label_card(code: str) -> LabelCard:
    """A label with a threshold, but for UNANSWERED."""
    few = code == UNANSWERED
    return LabelCard(
        code,
        code.lower(),
        "superclasses",
        3 if few else 100,
        1 if few else 20,
        None if few else 0.5,
        "not enough data (3 positives)" if few else None,
    )


def example_card(
    network: str,
    *,
    spec: InputSpec | None = None,
    labels: tuple[LabelCard, ...] = tuple(label_card(code) for code in CODES),
    options: dict[str, Any] | None = None,
) -> ModelCard:
    """A card for a network without training."""
    entry = network_entry(network)
    return ModelCard(
        name=f"example_{network}",
        network=network,
        network_options=options or {},
        output=entry.output,
        spec=spec or entry.spec,
        labels=labels,
        threshold_origin="chosen",
        data={},
        training={},
        metrics={},
        cost={},
        paper=entry.paper,
        limits=(),
        command="",
        weights_sha256="",
    )


def seeded_network(name: str, *, leads: int = 12, labels: int = 5, seed: int = 0) -> Network:
    """A network with random weights and batch norms as if trained: none is at its start value."""
    torch.manual_seed(seed)
    network = build_network(name, leads=leads, labels=labels)
    for module in network.modules():
        if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
            torch.nn.init.normal_(module.weight, 1.0, 0.2)
            torch.nn.init.normal_(module.bias, 0.0, 0.2)
            module.running_mean.normal_(0.0, 0.2)
            module.running_var.uniform_(0.5, 1.5)
    return network.eval()


def example_predictor(name: str, *, seed: int = 0) -> Predictor:
    """A seeded network that answers for five superclasses (HYP has no threshold)."""
    return Predictor(example_card(name), seeded_network(name, seed=seed), torch.device("cpu"))


def example_recording(
    seconds: float = 10.0,
    rate: float = 500.0,
    leads: tuple[str, ...] = LEADS,
    flat: tuple[str, ...] = (),
) -> Recording:
    """A synthetic ECG: beats of Gaussian waves, another shape and size in each recorded lead."""
    time = np.arange(round(seconds * rate)) / rate
    names = ["I", "II", *LEADS[6:]]
    signal = np.stack([_beats(time, number) for number in range(len(names))])
    samples = dict(zip(names, signal, strict=True))
    whole = complete_limb_leads(recording_of(samples, rate))
    rows = {lead: whole.lead(lead) * (0.0 if lead in flat else 1.0) for lead in leads}
    return recording_of(rows, rate)


def recording_of(
    samples: dict[str, NDArray[np.floating]], rate: float, record_id: str = "synthetic"
) -> Recording:
    """A recording from leads in mV by name."""
    return Recording.from_leads(
        record_id,
        np.stack(list(samples.values())).astype(np.float32),
        list(samples),
        rate,
        Source("synthetic", "0" * 64),
    )


def _beats(time: NDArray[np.float64], number: int) -> NDArray[np.float64]:
    waves = ((-0.16, 0.1, 0.025), (0.0, 0.9, 0.012), (0.03, -0.25, 0.012), (0.28, 0.3, 0.05))
    total = 0.02 * np.sin(2 * np.pi * (1.3 + 0.1 * number) * time)
    for beat in np.arange(0.4, time[-1], 0.83):
        for wave, (delay, height, width) in enumerate(waves):
            size = height * (1.0 + 0.3 * np.sin(1.0 + number * (wave + 1)))
            total += size * np.exp(-0.5 * ((time - beat - delay) / width) ** 2)
    return total
