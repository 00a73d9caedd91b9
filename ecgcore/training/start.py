"""Weights to start from: a folder with ``weights.safetensors`` and ``start.json``, or a trained
model's.

Pre-training writes the first: a network without its head, which answers nothing by itself. Of a
trained model everything but its head is taken.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load, save

from ecgcore.models.card import CARD, WEIGHTS, CardError, read_card
from ecgcore.models.input_spec import InputSpec
from ecgcore.models.network import Network
from ecgcore.models.registry import network_entry
from ecgcore.storage import write_bytes, write_json
from ecgcore.training.checkpoint import TrainingError, Weights
from ecgcore.training.clecg import HEAD, start_from

START = "start.json"

ANSWERS_NOTHING = (
    "Weights of a network without its head, to start a training run from: they answer nothing by "
    "themselves. Research use only; not a medical device."
)


@dataclass(frozen=True)
class Start:
    """Weights in a folder, with what they fit; the file had ``weights_sha256`` when it was read."""

    folder: Path
    name: str
    network: str
    network_options: dict[str, Any]
    spec: InputSpec
    weights_sha256: str

    def weights(self) -> Weights:
        """Those of the network without its head. Raises TrainingError."""
        try:
            tensors = load((self.folder / WEIGHTS).read_bytes())
        except (OSError, SafetensorError) as error:
            raise _unusable(str(error)) from error
        return {name: value for name, value in tensors.items() if not name.startswith(HEAD)}


def write_start(folder: Path, weights: Weights, facts: dict[str, Any]) -> str:
    """Write the folder, the JSON last, so that a folder with it is whole; the weights' hash.

    ``facts`` are what the JSON says beside the hash and that it answers nothing; ``read_start``
    needs name, network, network_options and spec.
    """
    content = save({name: value.contiguous() for name, value in weights.items()})
    digest = hashlib.sha256(content).hexdigest()
    write_bytes(folder / WEIGHTS, content)
    write_json(folder / START, {**facts, "weights_sha256": digest, "limits": [ANSWERS_NOTHING]})
    return digest


def read_start(folder: Path) -> Start:
    """What a folder offers to start from. Raises TrainingError where it cannot be used, or where
    its weights are not those that its JSON names.
    """
    start = _of_pretraining(folder) if (folder / START).exists() else _of_model(folder)
    try:
        with (folder / WEIGHTS).open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise _unusable(str(error)) from error
    if digest != start.weights_sha256:
        raise _unusable(
            f"{folder.name}/{WEIGHTS} holds not the weights that its JSON names; make it anew"
        )
    return start


def _of_pretraining(folder: Path) -> Start:
    try:
        value = json.loads((folder / START).read_text(encoding="utf-8"))
        texts = [value[key] for key in ("name", "network", "weights_sha256")]
        told = value["network_options"]
        if not (all(isinstance(text, str) for text in texts) and isinstance(told, dict)):
            raise TypeError("name, network and hash must be texts, network_options an object")
        name, network, digest = texts
        return Start(folder, name, network, told, InputSpec.from_json(value["spec"]), digest)
    except (OSError, ValueError, KeyError, IndexError, TypeError, RecursionError) as error:
        raise _unusable(f"{folder.name}/{START} cannot be read: {error}") from error


def _of_model(folder: Path) -> Start:
    if not (folder / CARD).exists():
        raise _unusable(
            f"{folder} has neither {START} nor {CARD}; name a folder that pretrain or train wrote, "
            "RUN/start or RUN/model"
        )
    try:
        card = read_card(folder)
    except CardError as error:
        raise _unusable(str(error)) from error
    return Start(
        folder, card.name, card.network, card.network_options, card.spec, card.weights_sha256
    )


def begin_from(network: Network, start: Start, told: dict[str, Any]) -> None:
    """Give a network, built with the options ``told``, the start's weights; its head stays as it
    is. Raises TrainingError where they do not fit.
    """
    own, its = (_whole(start.network, options) for options in (told, start.network_options))
    if own != its:
        raise TrainingError(
            f"the start {start.name} is of {start.network} with {start.network_options}, the run "
            f"has {told}; choose a start of the same network_options"
        )
    try:
        start_from(network, start.weights())
    except ValueError as error:
        raise _unusable(str(error)) from error


def _whole(network: str, told: dict[str, Any]) -> Any:
    """The network's options with those that were left at their defaults, as JSON has them."""
    return json.loads(json.dumps({**asdict(network_entry(network).options()), **told}))


def _unusable(why: str) -> TrainingError:
    return TrainingError(f"the start cannot be used: {why}")
