"""The facts of a model's card in words, by name. A card that others made may hold anything in its
free parts: what is not of the expected form is left out."""

from __future__ import annotations

from typing import Any, TypeGuard

from ecgcore.models.card import ModelCard


def card_facts(card: ModelCard) -> dict[str, str]:
    """Name of the fact to its words; what a card does not say is left out."""
    told = _what(card) | _input(card) | _data(card) | _training(card) | _calibration(card)
    return {name: words for name, words in (told | _cost(card)).items() if words}


def _what(card: ModelCard) -> dict[str, str]:
    answered = sum(label.answered for label in card.labels)
    options = ", ".join(f"{name} {_brief(value)}" for name, value in card.network_options.items())
    return {
        "Network": card.network,
        "Its options": options or "as in its paper",
        "Paper": card.paper,
        "Labels": f"{answered} answered of {len(card.labels)}",
        "Thresholds": card.threshold_origin,
    }


def _input(card: ModelCard) -> dict[str, str]:
    spec = card.spec
    (low, high), lowpass = spec.conditioning.band, spec.conditioning.lowpass
    first = f" after a low-pass at {lowpass:g} Hz" if lowpass else ""
    return {
        "Input": f"{len(spec.leads)} leads ({', '.join(spec.leads)}), {spec.seconds:g} s at "
        f"{spec.sampling_rate:g} Hz, band {low:g} to {high:g} Hz{first}",
        "Told beside the signal": ", ".join(spec.aside) or "nothing",
    }


def _data(card: ModelCard) -> dict[str, str]:
    data = card.data
    folds = _object(data.get("folds"))
    told = {
        "Trained on": _records(data.get("n_train"), folds.get("train")),
        "Validated on": _records(data.get("n_validation"), folds.get("validation")),
        "Split": str(data.get("split", "")),
        "Data": str(data.get("attribution", "")),
        "Hash of the data": str(data.get("sha256", "")),
    }
    return told if data else {}


def _records(count: Any, folds: Any) -> str:
    if count is None:
        return ""
    where = f", folds {', '.join(map(str, folds))}" if isinstance(folds, list) else ""
    return f"{count} recordings{where}"


def _training(card: ModelCard) -> dict[str, str]:
    told = card.training
    sources = {
        role: told[role][0]
        for role in ("teacher", "start")
        if isinstance(told.get(role), list) and told[role]
    }
    options = _object(told.get("options"))
    seconds = told.get("seconds")
    chosen = {
        "Objective": options.get("objective"),
        "Optimiser": options.get("optimiser"),
        "Learning rate": options.get("learning_rate"),
        "Batch": options.get("batch"),
        "Epochs run": told.get("epochs_run"),
        "Best epoch": told.get("best_epoch"),
        "Teacher": sources.get("teacher"),
        "Started from": sources.get("start"),
        "Training time": f"{seconds / 60:.1f} minutes" if _number(seconds) else None,
        "Hash of the code": told.get("code_sha256"),
    }
    return {name: str(value) for name, value in chosen.items() if value is not None}


def _calibration(card: ModelCard) -> dict[str, str]:
    told = card.calibration
    if not told:
        return {"Calibration": "none was tried"}
    before, after = told.get("ece_uncalibrated"), told.get("ece_cross_fitted")
    words = str(told.get("origin", ""))
    numbers = f"{before:.3f} before" if _number(before) else ""
    numbers += f", {after:.3f} after, on records it was not fitted on" if _number(after) else ""
    return {
        "Calibration": words,
        "Temperature": f"{card.temperature:g}",
        "Expected calibration error": numbers,
    }


def _cost(card: ModelCard) -> dict[str, str]:
    cost = card.cost
    told = {
        "Parameters": _count(cost.get("parameters")),
        "Operations a recording": _count(cost.get("flops")),
        "Weights": f"{cost['bytes'] / 1e6:.1f} MB" if _number(cost.get("bytes")) else "",
        "Hash of the weights": card.weights_sha256,
    }
    return told


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float)


def _count(value: Any) -> str:
    if not isinstance(value, int):
        return ""
    for size, word in ((1e9, "billion"), (1e6, "million")):
        if value >= size:
            return f"{value / size:.3g} {word}"
    return f"{value:,}"


def _brief(value: Any) -> str:
    """A number or text as it is; of what is nested, how much there is."""
    if isinstance(value, list | tuple) and value and isinstance(value[0], dict):
        names = [str(one.get("network", "part")) for one in value]
        return " + ".join(f"{names.count(one)} {one}" for one in dict.fromkeys(names))
    if isinstance(value, list | tuple):
        value = ", ".join(str(one) for one in value if one != "")
    text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
