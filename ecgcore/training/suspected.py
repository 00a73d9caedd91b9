"""The suspicion of a packed data set's labels: from answers that did not learn from them."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ecgcore.datasets.packed import PackedData, PackedDataError
from ecgcore.evaluation.evaluate import probabilities_on
from ecgcore.labels import LabelSetName, label_set
from ecgcore.models.predictor import Predictor, read_predictor
from ecgcore.review.suspicion import Evidence, Suspicion, suspicions
from ecgcore.signal.same_tracing import same_tracings
from ecgcore.training.learned_records import learned_records
from ecgcore.training.members import train_model
from ecgcore.training.out_of_fold import PARTS, measured, out_of_fold, parts_of
from ecgcore.training.publish import publish
from ecgcore.training.recipes import recipe

BIOMARKERS = "biomarkers"
"""The cross-validated learners by default: see ``out_of_fold``."""
FEWEST = 20
"""Positives that a label needs to be judged: fewer teach nothing out of fold."""
Told = dict[str, NDArray[np.float32]]


def suspected(data: PackedData, name: LabelSetName, told: Told) -> tuple[Suspicion, ...]:
    """The suspicion of each record from probabilities (records, labels of the set) by source."""
    labels = label_set(name)
    given = data.target(name, tuple(one.code for one in labels)).astype(bool)
    known = np.broadcast_to(given.sum(axis=0) >= FEWEST, given.shape)
    return suspicions(
        Evidence(
            labels,
            given,
            known,
            told,
            duplicates=same_tracings(data.stored),
            names=tuple(str(one) for one in data.record_ids),
        )
    )


def cross_validated(data: PackedData, name: LabelSetName, learner: str) -> Told:
    """Out-of-fold probabilities of the learners on biomarkers, or of a recipe's network, each of
    five parts (by fold, and so by patient) from the other four.

    Raises PackedDataError where there are too few folds, RecipeError, TrainingError.
    """
    parts = parts_of(data.fold)
    codes = tuple(one.code for one in label_set(name))
    if learner == BIOMARKERS:
        given = data.target(name, codes).astype(bool)
        return out_of_fold(measured(data), given, parts)
    return {learner: _network(data, name, learner, parts)}


def _network(
    data: PackedData, name: LabelSetName, learner: str, parts: NDArray[np.intp]
) -> NDArray[np.float32]:
    options = replace(recipe(learner).options, label_set=name, fewest_validation_positives=1)
    every = sorted({int(fold) for fold in data.fold})
    if len(every) < 3:
        raise PackedDataError(
            f"{data.name} has {len(every)} folds; a network is trained, watched and asked on three"
        )
    told = np.full((len(data), len(label_set(name))), np.nan, dtype=np.float32)
    for part in range(PARTS):
        held = tuple(fold for fold in every if (fold - 1) % PARTS == part)
        rest = tuple(fold for fold in every if fold not in held)
        if not held:
            continue
        # Another fold is watched: the labels under judgement choose no epoch and no threshold.
        watched = (rest[part % len(rest)],)
        with tempfile.TemporaryDirectory() as folder:
            learned = tuple(fold for fold in rest if fold not in watched)
            now = replace(options, train_folds=learned, validation_folds=watched)
            run = Path(folder)
            publish(learner, now, data, train_model(now, data, run), folder=run / "model",
                    command="-")  # fmt: skip
            told[parts == part] = answers_of(
                read_predictor(run / "model"), data.rows(np.flatnonzero(parts == part)), name
            )
    return told


def of_model(predictor: Predictor, data: PackedData, name: LabelSetName) -> Told:
    """A trained model's probabilities. Raises PackedDataError where it has learned from some of
    the records: it would agree with their labels, right or wrong."""
    seen = learned_records(predictor.card, data)
    if seen is not None and seen.any():
        raise PackedDataError(
            f"{predictor.card.name} has learned from {seen.sum()} of the {len(data)} records of "
            f"{data.name} with the labels on file, and agrees with them; use --cross-validate"
        )
    return {predictor.card.name: answers_of(predictor, data, name)}


def answers_of(predictor: Predictor, data: PackedData, name: LabelSetName) -> NDArray[np.float32]:
    """Probabilities (records, labels of the set); NaN where the model does not answer."""
    found = probabilities_on(predictor, data)
    columns = {
        one.code: at
        for at, one in enumerate(predictor.card.labels)
        if one.set == name and one.answered
    }
    told = np.full((len(data), len(label_set(name))), np.nan, dtype=np.float32)
    for at, label in enumerate(label_set(name)):
        if label.code in columns:
            told[:, at] = found[:, columns[label.code]]
    return told
