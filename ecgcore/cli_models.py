"""What the command line asks of networks and trained models."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ecgcore.cli_values import UsageError, refusal

if TYPE_CHECKING:
    from ecgcore.explain.explanation import Explanation
    from ecgcore.explain.measured_effects import MeasuredEffects
    from ecgcore.models.predictor import Predictor
    from ecgcore.recording import Recording
    from ecgcore.training.recipes import Fact, Recipe


def predictor_named(model: str) -> Predictor:
    """A model of the shelf by its name, or any by its folder (a name with a slash).

    Raises CardError; UsageError for the name of a network, which says nothing before it is trained.
    """
    from ecgcore.models.card import known_folders, trained_models
    from ecgcore.models.predictor import load_predictor, read_predictor
    from ecgcore.models.registry import network_names

    if os.sep in model:
        return read_predictor(Path(model))
    if model not in known_folders() and model in network_names():
        raise UsageError(
            f"network {model!r} is not trained and must not answer; train it (python -m ecgcore "
            "train) and name its folder, RUN/model, or choose a trained one: "
            f"{', '.join(trained_models()) or 'none is installed'}"
        )
    return load_predictor(model)


def asked(given: argparse.Namespace, predictor: Predictor) -> dict[str, Any]:
    """What decides a prediction beside the file: one folder of shards answers one such question."""
    from ecgcore.models.chosen_thresholds import to_json

    return {
        "model": predictor.card.name,
        "card_sha256": hashlib.sha256(
            json.dumps(predictor.card.to_json(), sort_keys=True).encode()
        ).hexdigest(),
        "sampling_rate": given.sampling_rate,
        "unit": given.unit,
        **({"thresholds": to_json(predictor.chosen)} if predictor.chosen else {}),
    }


def model_rows() -> Iterator[dict[str, Any]]:
    """Every network with its cost, then every trained model with its card."""
    from ecgcore.models.card import (
        CardError,
        is_shipped,
        load_card,
        model_folders,
        trained_models,
    )
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
        origin = "shipped" if is_shipped(model_folders()[name]) else "published"
        yield {"kind": "trained", "name": name, "network": card.network, "origin": origin,
               "card": card.to_json()}  # fmt: skip


@cache
def _cost(name: str) -> tuple[int, int]:
    """Parameters, and operations for one record, of a network as in its paper."""
    from ecgcore.models.network import count_flops
    from ecgcore.models.registry import build_network, network_entry

    entry = network_entry(name)
    leads = len(entry.spec.leads)
    network = build_network(name, leads=leads, labels=entry.labels)
    return entry.count(network), count_flops(network, leads, entry.spec.samples)


def recipe_rows(names: list[str], whole: bool) -> Iterator[dict[str, Any]]:
    """Recipes by name, none for all: in brief, or ``whole`` with every number and its source.

    Raises UsageError for an unknown name.
    """
    from ecgcore.training.recipes import recipe, recipes

    try:
        chosen = [recipe(name) for name in names] or list(recipes().values())
    except ValueError as error:
        raise UsageError(str(error)) from error
    for one in chosen:
        yield _whole(one) if whole else _brief(one)


def _brief(one: Recipe) -> dict[str, Any]:
    changes = ", ".join(
        change.option if change.option == "attribution" else f"{change.option} {change.value}"
        for change in one.changes
    )
    told = {"recipe": one.name, "title": one.title, "based_on": one.base}
    return told if one.base is None else {**told, "changes": changes or "nothing"}


def _whole(one: Recipe) -> dict[str, Any]:
    from ecgcore.training.objective_of import OBJECTIVES
    from ecgcore.training.options import CLECG

    taught = OBJECTIVES[one.options.objective].taught
    named = ["teacher=TEACHER/model"] if taught else []
    named += ["start=CLECG/start"] if one.options.start == CLECG else []
    sources = f" --set {' '.join(named)}" if named else ""
    return {
        "recipe": one.name,
        "title": one.title,
        "paper": one.paper,
        "based_on": one.base,
        "changes": [asdict(change) for change in one.changes],
        "numbers": [asdict(stated) for stated in one.stated],
        "defaults": _facts(one.defaults),
        "protocol": _facts(one.protocol),
        "not_done": dict(one.not_done),
        "options": one.options.to_json(),
        "command": f"python -m ecgcore train --recipe {one.name}{sources} --data PACKED.npz "
        f"--run runs/{one.name}",
    }


def _facts(facts: Mapping[str, Fact]) -> list[dict[str, Any]]:
    return [{"name": name, "value": fact.value, "why": fact.why} for name, fact in facts.items()]


HEAT_SECONDS = 0.1
"""A number of ``explain`` is the mean heat over so long."""


def explaining(given: argparse.Namespace) -> Callable[[Path, Recording], dict[str, Any]]:
    """What ``explain`` prints of a recording. Raises UsageError for a method, CardError."""
    from ecgcore.explain.measured_effects import has_measured_effects, measured_effects
    from ecgcore.explain.methods import METHODS, default_method, explain
    from ecgcore.explain.target import ExplanationError, label_target
    from ecgcore.models.input_spec import prepare

    predictor = predictor_named(given.model)
    known = {name.lower(): name for name in METHODS}
    method = (given.method or default_method(predictor.card)).lower().replace("_", "-")
    if method not in known:
        raise UsageError(f"unknown method {given.method!r}; known: {', '.join(known)}")
    try:
        label_target(predictor.card, given.label, given.label_set)
    except ExplanationError as error:
        raise UsageError(str(error)) from error

    def show(path: Path, recording: Recording) -> dict[str, Any]:
        found = explain(known[method], predictor, recording, given.label, given.label_set)
        told = {}
        if has_measured_effects(predictor.card):
            prepared = prepare(recording, predictor.card.spec)
            moved = measured_effects(predictor, prepared, given.label, given.label_set)
            told = {"measured": plain_effects(moved)}
        return plain_explanation(path, found) | told

    return show


def plain_effects(moved: MeasuredEffects) -> dict[str, Any]:
    """What each group of measured values does to the answer."""
    return {
        "note": moved.note,
        "groups": [
            {
                "group": one.group,
                "probability": round(one.probability, 4),
                "log_odds": round(one.log_odds, 4),
                "values": [value.words for value in one.values],
            }
            for one in moved.groups
        ],
    }


def plain_explanation(path: Path, found: Explanation) -> dict[str, Any]:
    """The map as numbers: the mean heat of each tenth of a second, by lead."""
    each = max(round(HEAT_SECONDS * found.sampling_rate), 1)
    whole = found.heat[:, : found.heat.shape[1] // each * each]
    means = whole.reshape(len(found.leads), -1, each).mean(2)
    return {
        "file": str(path),
        "model": found.model,
        "label": found.label,
        "method": found.method,
        "start": found.start,
        "seconds_each": each / found.sampling_rate,
        "per_lead": found.per_lead,
        "signed": found.signed,
        "shown": found.peak > 0,
        "note": found.note,
        "heat": {
            lead: [round(value, 4) for value in row]
            for lead, row in zip(found.leads, means.tolist(), strict=True)
        },
    }
