"""What the validation records say of a trained network: thresholds, calibration, scores, and which
labels it may answer for.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ecgcore.datasets.packed import PackedData
from ecgcore.evaluation.calibration import (
    Calibration,
    cross_fitted,
    expected_calibration_error,
    fit_calibration,
    log_loss,
)
from ecgcore.evaluation.evaluate import evaluate_probabilities, probabilities_on
from ecgcore.evaluation.metrics import LabelScores, best_f1_threshold, score_label
from ecgcore.models.card import LabelCard, ModelCard
from ecgcore.models.device import best_device
from ecgcore.models.network import Network
from ecgcore.models.predictor import Predictor
from ecgcore.models.validation_answers import ValidationAnswers
from ecgcore.training.options import TrainOptions

THRESHOLD_ORIGIN = "best F1 on the validation records"

CHANCE = 0.5
"""A label speaks only where the whole interval of its AUROC lies above this."""

_CROSS_FITTED_PARTS = 5
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


def judged(
    card: ModelCard, network: Network, options: TrainOptions, validation: PackedData
) -> tuple[ModelCard, ValidationAnswers]:
    """The card with what the validation records say: thresholds, calibration, scores and limits;
    and the answers that it was judged by.

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
    probabilities = probabilities_on(Predictor(card, network, device), validation)
    metrics = evaluate_probabilities(card.name, card.labels, probabilities, validation)
    origin = card.calibration.get("origin")
    told = {None: NOT_CALIBRATED, NO_CALIBRATION: OWN_PROBABILITIES}.get(origin, CALIBRATED)
    card = replace(card, metrics=metrics, limits=(*card.limits, told))
    targets = [validation.target(one.set, (one.code,)) for one in card.labels]
    return card, ValidationAnswers(np.concatenate(targets, axis=1), probabilities, validation.fold)


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
