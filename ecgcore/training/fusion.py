"""A trained HRNN's super learner, fitted afterwards and scored on records it was not fitted to.

A network that was trained where no rule is known has its weights w at their start. Here the network
stays as it is and w is fitted, with both lambdas of the paper, on recordings in millivolts whose
rules were measured. Everything that is scored is cross-fitted: each fold's answers come of a w that
the other folds gave. The lambda with the higher macro AUROC is taken, the labels' own of equals.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from ecgcore.datasets.packed import PackedData
from ecgcore.evaluation.bootstrap import (
    Interval,
    bootstrap_weights,
    interval,
    macro,
    resampled_areas,
)
from ecgcore.evaluation.comparison import Difference, paired_difference
from ecgcore.models.card import LabelCard
from ecgcore.models.hrnn import HRNN
from ecgcore.models.predictor import Predictor
from ecgcore.training.checkpoint import TrainingError
from ecgcore.training.fusion_records import FitRecords, class_answers, fit_records
from ecgcore.training.super_learner import (
    START,
    ClassAnswers,
    cross_fitted,
    fit_trust,
    fused,
    too_few,
)

LAMBDAS = (0.0, 1.0)
"""The paper's, Tables III to VI."""

Way = Literal["network", "rule", "start", "lambda_0", "lambda_1"]
WAYS: tuple[Way, ...] = get_args(Way)
"""What is scored: the network alone, the rule alone, both with w at its start, and cross-fitted w
with lambda 0 and 1."""
WAY_OF_LAMBDA: dict[float, Way] = {0.0: "lambda_0", 1.0: "lambda_1"}


@dataclass(frozen=True)
class Score:
    """AUROC, its 95 % interval, and what it is more than the network's alone, paired."""

    auroc: float
    interval: Interval | None
    more_than_network: Difference


@dataclass(frozen=True)
class FittedClass:
    """A class whose weight was fitted: ``trust`` is w for each of LAMBDAS, on all its records.

    ``logits`` are the answers of each way, ``scores`` what they are worth.
    """

    label: LabelCard
    rule: str
    answers: ClassAnswers
    trust: tuple[float, float]
    logits: dict[Way, NDArray[np.float64]]
    scores: dict[Way, Score]


@dataclass(frozen=True)
class Fusion:
    """``fitted`` by the place of a label; ``kept`` says of the others with a rule why their weight
    stays at its start. ``macro`` are means over the fitted classes."""

    lambda_: float
    fitted: dict[int, FittedClass]
    kept: dict[int, str]
    macro: dict[Way, Score]
    records: FitRecords

    @property
    def way(self) -> Way:
        """What is scored of the lambda that was taken."""
        return WAY_OF_LAMBDA[self.lambda_]

    def trust(self, place: int) -> float:
        """The w of a label."""
        known = self.fitted.get(place)
        return START if known is None else known.trust[LAMBDAS.index(self.lambda_)]


def fuse(predictor: Predictor, parts: Sequence[PackedData], learned: PackedData) -> Fusion:
    """Fit the super learner of a trained HRNN on ``parts``; ``learned`` is what it was trained on.

    Raises TrainingError for another network, one without rules, or where not one class has cases
    enough; PackedDataError as ``fit_records``.
    """
    network = predictor.network
    if not isinstance(network, HRNN) or not network.get_buffer("ruled").any():
        raise TrainingError(
            f"{predictor.card.name} is of the network {predictor.card.network} and has no rules to "
            "be fused with; train hrnn with the option rules (python -m ecgcore train --recipe "
            "hrnn) and name its folder"
        )
    if network.trust.any():
        raise TrainingError(
            f"{predictor.card.name} has learned what its rules weigh; fuse fits that only where no "
            "rule was known in training: name the folder that train wrote there"
        )
    records = fit_records(parts, learned, predictor)
    answers = class_answers(predictor, records)
    kept = {place: why for place, one in answers.items() if (why := too_few(one)) is not None}
    chosen = {place: one for place, one in answers.items() if place not in kept}
    codes = {place: predictor.card.labels[place].code for place in answers}
    if not chosen:
        raise TrainingError(
            "no class has recordings enough to fit: "
            + "; ".join(f"{codes[place]}: {why}" for place, why in kept.items())
            + "; give more recordings in millivolts, packed with data pack --rules"
        )
    whole = [codes[place] for place, one in chosen.items() if len(np.unique(one.fold)) < 2]
    if whole:
        raise TrainingError(
            f"the recordings of {', '.join(whole)} are all of one fold, so that none can be held "
            "out; pack them anew with data pack, which deals them out by patient"
        )
    return _fitted(predictor, chosen, kept, records)


def _fitted(
    predictor: Predictor,
    chosen: dict[int, ClassAnswers],
    kept: dict[int, str],
    records: FitRecords,
) -> Fusion:
    logits = {place: _ways(one) for place, one in chosen.items()}
    scores, together = ablation(list(chosen.values()), list(logits.values()), len(records.data))
    rules = predictor.card.network_options["rules"]
    fitted = {
        place: FittedClass(
            predictor.card.labels[place],
            rules[place],
            one,
            (fit_trust(one, LAMBDAS[0]), fit_trust(one, LAMBDAS[1])),
            logits[place],
            mine,
        )
        for (place, one), mine in zip(chosen.items(), scores, strict=True)
    }
    best = LAMBDAS[0] if together["lambda_0"].auroc >= together["lambda_1"].auroc else LAMBDAS[1]
    return Fusion(best, fitted, kept, together, records)


def _ways(answers: ClassAnswers) -> dict[Way, NDArray[np.float64]]:
    return {
        "network": answers.logits,
        "rule": answers.rule,
        "start": fused(answers, START),
        "lambda_0": cross_fitted(answers, LAMBDAS[0]),
        "lambda_1": cross_fitted(answers, LAMBDAS[1]),
    }


def ablation(
    answers: Sequence[ClassAnswers],
    logits: Sequence[dict[Way, NDArray[np.float64]]],
    records: int,
) -> tuple[list[dict[Way, Score]], dict[Way, Score]]:
    """The scores of each class, and of their mean; all ways on the same resamples.

    Each class has records of its own among all ``records``; a resample draws from all of them.
    """
    weights = bootstrap_weights(records)
    every = np.ones((1, records), dtype=np.int32)
    drawn = {way: _areas(answers, logits, way, weights) for way in WAYS}
    whole = {way: _areas(answers, logits, way, every) for way in WAYS}
    rows = [
        {way: _score(whole, drawn, way, column) for way in WAYS} for column in range(len(answers))
    ]
    means = {way: macro(values)[:, None] for way, values in drawn.items()}
    whole_means = {way: macro(values)[:, None] for way, values in whole.items()}
    return rows, {way: _score(whole_means, means, way, 0) for way in WAYS}


def _areas(
    answers: Sequence[ClassAnswers],
    logits: Sequence[dict[Way, NDArray[np.float64]]],
    way: Way,
    weights: NDArray[np.int32],
) -> NDArray[np.float64]:
    """AUROC of each class in each resample, (resamples, classes)."""
    columns = [
        resampled_areas(
            one.target.astype(np.uint8)[:, None], said[way][:, None], weights[:, one.place]
        ).auroc[:, 0]
        for one, said in zip(answers, logits, strict=True)
    ]
    return np.stack(columns, axis=1)


def _score(
    whole: dict[Way, NDArray[np.float64]],
    drawn: dict[Way, NDArray[np.float64]],
    way: Way,
    column: int,
) -> Score:
    mine, networks = (whole[name][0, column] for name in (way, "network"))
    more = paired_difference(mine - networks, drawn["network"][:, column], drawn[way][:, column])
    return Score(float(mine), interval(drawn[way][:, column]), more)
