"""From the weights that a run kept to a trained model: thresholds, scores, card, folder."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.torch import save

from ecgcore.datasets.packed import PackedData
from ecgcore.datasets.splits import Split
from ecgcore.evaluation.calibration import (
    Calibration,
    cross_fitted,
    expected_calibration_error,
    fit_calibration,
    log_loss,
)
from ecgcore.evaluation.evaluate import evaluate
from ecgcore.evaluation.metrics import LabelScores, best_f1_threshold, score_label
from ecgcore.labels import labels_of
from ecgcore.models.aside import PAPER_RULES, aside_columns
from ecgcore.models.card import CARD, WEIGHTS, LabelCard, ModelCard
from ecgcore.models.device import best_device
from ecgcore.models.input_spec import InputSpec
from ecgcore.models.network import Network, count_flops
from ecgcore.models.predictor import Predictor
from ecgcore.models.registry import build_network, network_entry
from ecgcore.storage import write_bytes, write_json
from ecgcore.training.loop import Trained
from ecgcore.training.members import whole_network
from ecgcore.training.options import TrainOptions
from ecgcore.training.records import network_spec, start_of, teacher_card

THRESHOLD_ORIGIN = "best F1 on the validation records"

LIMITS = (
    "Research use only; not a medical device.",
    "Thresholds were chosen on the records that are scored here, so F1, sensitivity, specificity "
    "and precision are optimistic; intervals resample these records.",
    "Trained on resting 12-lead ECGs of 10 s from one manufacturer's devices; other recordings may "
    "be answered worse, without notice.",
)

NO_CALIBRATION = (
    "none: neither a temperature nor shifts make records likelier that they are not fitted on"
)
OWN_PROBABILITIES = (
    "Probabilities are the network's own: a calibration gained nothing on records that it was not "
    "fitted on."
)
CALIBRATED = "The calibration was fitted on the records that are scored here, too."
NOT_CALIBRATED = "Probabilities are not calibrated: compare each with its own threshold only."

RULES_NOT_LEARNED = (
    "No rule was known of any training record: where a label has a rule, the rule's weight was not "
    "learned, and the threshold was chosen without it."
)

CALIBRATION_ORIGINS = {
    True: "one temperature, and a shift for each label that is answered",
    False: "one temperature",
}
"""With shifts or without; that which makes records likelier that it was not fitted on is taken."""

NO_CALIBRATION = (
    "none: neither a temperature nor shifts make records likelier that they are not fitted on"
)
OWN_PROBABILITIES = (
    "Probabilities are the network's own: a calibration gained nothing on records that it was not "
    "fitted on."
)
CALIBRATED = "The calibration was fitted on the records that are scored here, too."
NOT_CALIBRATED = "Probabilities are not calibrated: compare each with its own threshold only."

RULES_NOT_LEARNED = (
    "No rule was known of any training record: where a label has a rule, the rule's weight was not "
    "learned, and the threshold was chosen without it."
)

CALIBRATION_ORIGIN = (
    "one temperature, and a shift for each label that is answered, of highest likelihood on the "
    "validation records; ece_cross_fitted is of records that it was not fitted on, a fifth "
    "at a time"
)

_CROSS_FITTED_PARTS = 5

CHANCE = 0.5
"""A label speaks only where the whole interval of its AUROC lies above this."""

_SPLITS: dict[Split, str] = {
    "published": "folds as published with the data",
    "by patient": "folds made by patient",
    "by record": "folds made by record, as not all patients are known: one person may be in "
    "training and in validation",
    "unknown": "folds as the file gives them",
}

_PACKAGE = Path(__file__).resolve().parent.parent


def publish(
    name: str,
    options: TrainOptions,
    data: PackedData,
    trained: Trained,
    *,
    folder: Path,
    command: str,
) -> ModelCard:
    """Write ``folder`` with weights and card; returns the card.

    The card is written last, so that a folder with a card is whole. Raises what ``evaluate``
    raises.
    """
    entry, spec = network_entry(options.network), network_spec(options)
    labels = data.labels(options.label_set)
    whole, told = whole_network(options, labels)
    network = build_network(whole, leads=len(spec.leads), labels=len(labels), options=told)
    network.load_state_dict(trained.weights)
    flops = count_flops(network, len(spec.leads), spec.samples)
    weights = save({key: value.cpu().contiguous() for key, value in trained.weights.items()})
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
        paper="; ".join(dict.fromkeys((entry.paper, network_entry(whole).paper))),
        limits=_limits(options, data, spec),
        command=command,
        weights_sha256=hashlib.sha256(weights).hexdigest(),
    )
    card = judged(card, network, options, data.select(options.validation_folds))
    write_bytes(folder / WEIGHTS, weights)
    write_json(folder / CARD, card.to_json())
    return card


def judged(
    card: ModelCard, network: Network, options: TrainOptions, validation: PackedData
) -> ModelCard:
    """The card with what the validation records say: thresholds, calibration, scores and limits.

    Calibrated on the labels that are answered, where that is worth something on records that it was
    not fitted on.
    """
    device, spec = best_device(), card.spec
    given = validation.inputs(spec), validation.aside_inputs(spec)

    def with_thresholds(card: ModelCard) -> ModelCard:
        probabilities = Predictor(card, network, device).probabilities(*given)
        return replace(card, labels=_with_thresholds(card, options, validation, probabilities))

    card = with_thresholds(card)
    card = _calibrated(card, validation, Predictor(card, network, device).logits(*given))
    card = with_thresholds(card)
    metrics = evaluate(Predictor(card, network, device), validation)
    origin = card.calibration.get("origin")
    told = {None: NOT_CALIBRATED, NO_CALIBRATION: OWN_PROBABILITIES}.get(origin, CALIBRATED)
    return replace(card, metrics=metrics, limits=(*card.limits, told))


def _limits(options: TrainOptions, data: PackedData, spec: InputSpec) -> tuple[str, ...]:
    """What a reader must be told, and of rules that a model is told of but never learned with."""
    named = aside_columns(spec.aside)
    rules = [column for column, name in enumerate(named) if name in PAPER_RULES]
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


def _calibrated(card: ModelCard, validation: PackedData, logits: NDArray[np.float32]) -> ModelCard:
    """The card with temperature and shifts; as it was for softmax, where no label is answered, or
    where records that a calibration was not fitted on would become less likely by it.
    """
    answered = [i for i, label in enumerate(card.labels) if label.answered]
    if card.output != "sigmoid" or not answered or len(validation) < _CROSS_FITTED_PARTS:
        return card
    named = [card.labels[i] for i in answered]
    targets = np.stack([validation.target(one.set, (one.code,))[:, 0] for one in named], axis=1)
    known = logits[:, answered]
    raw = Calibration(1.0, (0.0,) * len(answered)).probabilities(known)
    crossed = {
        shifting: cross_fitted(targets, known, _CROSS_FITTED_PARTS, shifting)
        for shifting in CALIBRATION_ORIGINS
    }
    best = min(crossed, key=lambda shifting: log_loss(targets, crossed[shifting]))
    worth = {"ece_uncalibrated": _mean_error(targets, raw)}
    if log_loss(targets, crossed[best]) >= log_loss(targets, raw):
        return replace(card, calibration={"origin": NO_CALIBRATION, **worth})
    found = fit_calibration(targets, known, best)
    labels = list(card.labels)
    for place, shift in zip(answered, found.shifts, strict=True):
        labels[place] = replace(labels[place], shift=round(shift, 6) or 0.0)
    return replace(
        card,
        labels=tuple(labels),
        temperature=round(found.temperature, 6),
        calibration={
            "origin": f"{CALIBRATION_ORIGINS[best]}, of highest likelihood on the validation "
            "records; ece_cross_fitted is of records that it was not fitted on, a fifth at a time",
            **worth,
            "ece_cross_fitted": _mean_error(targets, crossed[best]),
        },
    )


def _mean_error(targets: NDArray[np.uint8], probabilities: NDArray[np.float64]) -> float:
    """The expected calibration error, mean over the labels."""
    pairs = zip(targets.T, probabilities.T, strict=True)
    return round(float(np.mean([expected_calibration_error(*pair) for pair in pairs])), 6)


def _with_thresholds(
    card: ModelCard,
    options: TrainOptions,
    validation: PackedData,
    probabilities: NDArray[np.float32],
) -> tuple[LabelCard, ...]:
    """Labels with a threshold of best F1, or with the reason for which they are not answered."""
    labels = []
    for column, label in enumerate(card.labels):
        reason = _too_few(label, options)
        if reason is not None:
            labels.append(replace(label, reason=reason))
            continue
        target = validation.target(label.set, (label.code,))[:, 0]
        threshold = best_f1_threshold(target, probabilities[:, column])
        reason = _like_chance(score_label(target, probabilities[:, column], threshold))
        labels.append(replace(label, threshold=threshold, reason=reason))
    return tuple(labels)


def _too_few(label: LabelCard, options: TrainOptions) -> str | None:
    """Why a label is neither scored nor answered: its positives are too few."""
    fewest, fewest_validation = options.fewest_positives, options.fewest_validation_positives
    if label.n_train >= fewest and label.n_validation >= fewest_validation:
        return None
    return (
        f"not enough data: {label.n_train} positive recordings in training, "
        f"{label.n_validation} in validation (at least {fewest} and {fewest_validation} are needed)"
    )


def _like_chance(scores: LabelScores) -> str | None:
    """Why a label is not answered although it was scored: its AUROC may be chance's."""
    if scores.auroc is None or scores.auroc_interval is None or scores.auroc_interval[0] > CHANCE:
        return None
    low, high = scores.auroc_interval
    return (
        f"not enough data to tell the answer from chance: AUROC {scores.auroc:.2f} "
        f"({low:.2f} to {high:.2f}) on {scores.n_positive} positive recordings in validation"
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


def digested_files() -> list[Path]:
    """The source of everything that decides a trained model's numbers, recipes included."""
    files = [_PACKAGE / "layers.py", _PACKAGE / "signal" / "resampling.py"]
    for part in ("models", "datasets", "training", "evaluation"):
        files += sorted((_PACKAGE / part).rglob("*.py"))
    return files + sorted((_PACKAGE / "training" / "recipes").glob("*.toml"))


def code_digest() -> str:
    """SHA-256 over ``digested_files``, names and contents."""
    digest = hashlib.sha256()
    for path in digested_files():
        digest.update(path.relative_to(_PACKAGE).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _join(folds: tuple[int, ...]) -> str:
    return ", ".join(str(fold) for fold in folds)
