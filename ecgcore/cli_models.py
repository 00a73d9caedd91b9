"""What the command line asks of networks and trained models."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ecgcore.cli_values import UsageError, refusal, setting

if TYPE_CHECKING:
    from ecgcore.datasets.packed import PackedData
    from ecgcore.models.predictor import Predictor
    from ecgcore.training.options import TrainOptions


def predictor_named(model: str) -> Predictor:
    """A shipped model by its name, or any by its folder (a name with a slash).

    Raises CardError; UsageError for the name of a network, which says nothing before it is trained.
    """
    from ecgcore.models.card import trained_models
    from ecgcore.models.predictor import load_predictor, read_predictor
    from ecgcore.models.registry import network_names

    if os.sep in model:
        return read_predictor(Path(model))
    if model not in trained_models() and model in network_names():
        raise UsageError(
            f"network {model!r} is not trained and must not answer; train it (python -m ecgcore "
            "train) and name its folder, RUN/model, or choose a trained one: "
            f"{', '.join(trained_models()) or 'none is installed'}"
        )
    return load_predictor(model)


def asked(given: argparse.Namespace, predictor: Predictor) -> dict[str, Any]:
    """What decides a prediction beside the file: one folder of shards answers one such question."""
    return {
        "model": predictor.card.name,
        "weights_sha256": predictor.card.weights_sha256,
        "sampling_rate": given.sampling_rate,
        "unit": given.unit,
    }


def model_rows() -> Iterator[dict[str, Any]]:
    """Every network with its cost, then every trained model with its card."""
    from ecgcore.models.card import CardError, load_card, model_folders, trained_models
    from ecgcore.models.registry import network_entry, network_names

    for name in network_names():
        entry = network_entry(name)
        parameters, flops = _cost(name)
        yield {
            "kind": "network",
            "name": name,
            "parameters": parameters,
            "flops": flops,
            "labels": entry.labels,
            "paper": entry.paper,
        }
    for name in trained_models():
        try:
            card = load_card(name)
        except CardError as error:
            yield refusal(model_folders()[name], error)
            continue
        yield {"kind": "trained", "name": name, "network": card.network, "card": card.to_json()}


@cache
def _cost(name: str) -> tuple[int, int]:
    """Parameters, and operations for one record, of a network as in its paper."""
    from ecgcore.models.network import count_flops
    from ecgcore.models.registry import build_network, network_entry

    entry = network_entry(name)
    leads = len(entry.spec.leads)
    network = build_network(name, leads=leads, labels=entry.labels)
    return entry.count(network), count_flops(network, leads, entry.spec.samples)


def joined(paths: list[Path]) -> PackedData:
    """Several packed files as one. Raises PackedDataError."""
    from ecgcore.datasets.packed import join, load_packed

    return join([load_packed(path) for path in paths])


def reproducing(given: argparse.Namespace, name: str) -> list[str]:
    """The words that repeat this run, with file names instead of this machine's paths."""
    words = ["--recipe", given.recipe] if given.recipe else []
    words += ["--options", given.options.name] if given.options else []
    words += ["--set", *given.set] if given.set else []
    words += ["--name", name] if given.name else []
    return [*words, "--data", *(path.name for path in given.data), "--run", f"runs/{name}"]


def train_options(given: argparse.Namespace) -> TrainOptions:
    """What a run is told, from recipe or file and the changes. Raises UsageError."""
    from ecgcore.models.registry import build_network
    from ecgcore.training.options import options_from_json
    from ecgcore.training.recipes import recipe

    if (given.recipe is None) == (given.options is None):
        raise UsageError("give either --recipe or --options")
    try:
        options = (
            recipe(given.recipe)
            if given.recipe
            else options_from_json(json.loads(given.options.read_text(encoding="utf-8")))
        )
        changes = dict(setting(word) for word in given.set)
        options = options_from_json({**options.to_json(), **changes})
    except (OSError, ValueError, TypeError) as error:
        raise UsageError(str(error)) from error
    try:
        build_network(options.network, leads=1, labels=1, options=options.network_options)
    except (ValueError, TypeError, RuntimeError) as error:
        told = f"network {options.network!r} with {options.network_options}: {error}"
        raise UsageError(told) from error
    return options
