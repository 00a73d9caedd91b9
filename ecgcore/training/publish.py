"""From the weights that a run kept to a trained model: thresholds, scores, card, folder."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save
from torch import Tensor

from ecgcore.datasets.packed import PackedData
from ecgcore.datasets.splits import Split
from ecgcore.labels import labels_of
from ecgcore.models.aside import rule_columns
from ecgcore.models.card import CARD, WEIGHTS, LabelCard, ModelCard
from ecgcore.models.input_spec import InputSpec
from ecgcore.models.network import count_flops
from ecgcore.models.registry import build_network, network_entry
from ecgcore.models.validation_answers import VALIDATION
from ecgcore.models.voltages import UNSEEN
from ecgcore.storage import write_bytes, write_json
from ecgcore.training.code_digest import code_digest
from ecgcore.training.judging import THRESHOLD_ORIGIN, judged
from ecgcore.training.loop import Trained
from ecgcore.training.members import member_options, whole_network, whole_spec
from ecgcore.training.options import TrainOptions
from ecgcore.training.records import start_of, teacher_card

LIMITS = (
    "Research use only; not a medical device.",
    "Thresholds were chosen on the records that are scored here, so F1, sensitivity, specificity "
    "and precision are optimistic; intervals resample these records.",
    "Trained on resting 12-lead ECGs of 10 s from one manufacturer's devices; other recordings may "
    "be answered worse, without notice.",
    UNSEEN,
)

RULES_NOT_LEARNED = (
    "No rule was known of any training record: where a label has a rule, the rule's weight was not "
    "learned, and the threshold was chosen without it."
)

_SPLITS: dict[Split, str] = {
    "published": "folds as published with the data",
    "by patient": "folds made by patient",
    "by record": "folds made by record, as not all patients are known: one person may be in "
    "training and in validation",
    "unknown": "folds as the file gives them",
}

LARGE_BYTES = 4_000_000
"""From this size in single precision on, weights are stored in half precision."""

_LARGEST_HALF = 65_504.0


def publish(
    name: str,
    options: TrainOptions,
    data: PackedData,
    trained: Trained,
    *,
    folder: Path,
    command: str,
    limits: tuple[str, ...] = (),
) -> ModelCard:
    """Write ``folder`` with weights, answers to the validation records and card, which tells of
    ``limits`` beside the usual ones; returns the card.

    What is judged is what is stored (see ``stored_weights``). The card is written last, so that a
    folder with a card is whole. Raises what ``evaluate`` raises.
    """
    spec = whole_spec(options)
    labels = data.labels(options.label_set)
    whole, told = whole_network(options, labels)
    entry = network_entry(whole)
    network = build_network(whole, leads=len(spec.leads), labels=len(labels), options=told)
    stored = stored_weights(trained.weights)
    network.load_state_dict(stored)
    flops = count_flops(network, len(spec.leads), spec.samples)
    weights = save(stored)
    card = ModelCard(
        name=name,
        network=whole,
        network_options=told,
        output=entry.output,
        spec=spec,
        labels=_unanswered(options, data),
        threshold_origin=f"{THRESHOLD_ORIGIN} (fold {_join(options.validation_folds)})",
        data=_data_card(options, data),
        training=_training_card(options, trained),
        metrics={},
        cost={"parameters": entry.count(network), "flops": flops, "bytes": len(weights)},
        paper=_papers(options, whole),
        limits=(*_limits(options, data, spec), *limits),
        command=command,
        weights_sha256=hashlib.sha256(weights).hexdigest(),
    )
    card, answers = judged(card, network, options, data.select(options.validation_folds))
    write_bytes(folder / WEIGHTS, weights)
    write_bytes(folder / VALIDATION, answers.to_bytes())
    write_json(folder / CARD, card.to_json())
    return card


def _papers(options: TrainOptions, whole: str) -> str:
    """Of the members' networks, and of how they answer together."""
    names = (*(member.network for member in member_options(options)), whole)
    return "; ".join(dict.fromkeys(network_entry(name).paper for name in names))


def stored_weights(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Weights as a file keeps them: on the CPU, those of a large network in half precision.

    A tensor with a number that half precision cannot hold, and whole numbers, stay as they are.
    """
    stored = {name: value.cpu().contiguous() for name, value in weights.items()}
    if sum(value.nbytes for value in stored.values()) < LARGE_BYTES:
        return stored
    return {
        name: value.half()
        if value.dtype == torch.float32 and bool((value.abs() <= _LARGEST_HALF).all())
        else value
        for name, value in stored.items()
    }


def _limits(options: TrainOptions, data: PackedData, spec: InputSpec) -> tuple[str, ...]:
    """What a reader must be told, and of rules that a model is told of but never learned with."""
    rules = rule_columns(spec.aside)
    known = np.isfinite(data.select(options.train_folds).aside_inputs(spec)[:, rules])
    return (*LIMITS, RULES_NOT_LEARNED) if rules and not known.any() else LIMITS


def _unanswered(options: TrainOptions, data: PackedData) -> tuple[LabelCard, ...]:
    """The labels with their counts, without thresholds yet."""
    known = {(one.set, one.code): one.description for one in labels_of(options.label_set)}
    labels = data.labels(options.label_set)
    training, validation = (
        data.select(folds).targets_of(options.label_set).sum(0)
        for folds in (options.train_folds, options.validation_folds)
    )
    return tuple(
        LabelCard(code, known.get((name, code), code), name, int(n_train), int(n_val), None)
        for (name, code), n_train, n_val in zip(labels, training, validation, strict=True)
    )


def _data_card(options: TrainOptions, data: PackedData) -> dict[str, Any]:
    return {
        "files": data.name,
        "sha256": data.sha256,
        "attribution": options.attribution,
        "folds": {"train": list(options.train_folds), "validation": list(options.validation_folds)},
        "n_train": len(data.select(options.train_folds)),
        "n_validation": len(data.select(options.validation_folds)),
        "split": "; ".join(_SPLITS[split] for split in data.splits),
    }


def _training_card(options: TrainOptions, trained: Trained) -> dict[str, Any]:
    """How it was trained; teacher and start by name and hash, not by their folders here."""
    named = named_sources(options)
    return {
        "options": options.to_json() | {role: name for role, (name, _) in named.items()},
        **{role: list(known) for role, known in named.items()},
        "epochs_run": trained.progress.epoch,
        "best_epoch": trained.progress.best_epoch,
        "seconds": round(trained.seconds, 1),
        "torch": version("torch"),
        "code_sha256": code_digest(),
    }


def named_sources(options: TrainOptions) -> dict[str, tuple[str, str]]:
    """Name and weights' hash of the ``teacher`` and the ``start`` that a run has."""
    card, start = teacher_card(options), start_of(options)
    taught = {} if card is None else {"teacher": (card.name, card.weights_sha256)}
    return taught | ({} if start is None else {"start": (start.name, start.weights_sha256)})


def _join(folds: tuple[int, ...]) -> str:
    return ", ".join(str(fold) for fold in folds)
