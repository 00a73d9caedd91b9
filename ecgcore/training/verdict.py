"""Fitting the verdict "fit to read" and scoring it honestly, by nested cross-validation.

The whole recording is judged by a logistic model of its ordered features, each lead by one under a
noisy-or over the leads (multiple-instance learning: people judged recordings, not leads), both with
an L2 penalty. Means, scales, weights and the threshold are all fitted inside the training folds;
the threshold by an inner cross-validation: the best accuracy among the thresholds that reach the
wanted sensitivity.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ecgcore.signal.verdict import CLIP, Logistic, VerdictModel
from ecgcore.signal.verdict_features import FEATURES, Values, ordered_features

Labels = NDArray[np.bool_]

LEAD_PENALTY = 8.0
WHOLE_PENALTY = 333.0
"""On standardised features; much for few: 186 of them against about a hundred unfit recordings."""
WANTED_SENSITIVITY = 0.85
FOLDS = 10
_INNER_FOLDS = 5
_CANDIDATES = np.round(np.arange(0.1, 0.9, 0.01), 2)


@dataclass(frozen=True)
class VerdictScores:
    """Shares of the recordings, out of fold; ``interval`` is 95 % of bootstrap over recordings."""

    accuracy: float
    accuracy_interval: tuple[float, float]
    sensitivity: float
    sensitivity_interval: tuple[float, float]
    specificity: float
    auroc: float


def fit(features: Values, unfit: Labels, threshold: float = 0.5) -> VerdictModel:
    """Fit on (recordings, leads, features), ``unfit`` (recordings,)."""
    whole = _fit_noisy_or(ordered_features(features)[:, None], unfit, WHOLE_PENALTY)
    return VerdictModel(_fit_noisy_or(features, unfit, LEAD_PENALTY), whole, threshold)


def _fit_noisy_or(features: Values, unfit: Labels, penalty: float) -> Logistic:
    """Logistic on (recordings, instances, features), unfit where any instance is.

    With one instance this is the usual logistic regression.
    """
    from scipy.optimize import minimize

    flat = features.reshape(-1, features.shape[2])
    mean, scale = flat.mean(axis=0), flat.std(axis=0) + 1e-6
    inputs = np.clip((features - mean) / scale, -CLIP, CLIP)
    width = inputs.shape[2]

    def loss(theta: Values) -> tuple[float, Values]:
        odds = inputs @ theta[:width] + theta[width]
        fine = np.clip(np.logaddexp(0, odds).sum(axis=1), 1e-9, 50)  # -log P(every lead is fit)
        cost = np.where(unfit, -np.log(-np.expm1(-fine)), fine)
        slope = np.where(unfit, -1 / np.expm1(fine), 1.0)[:, None] / (1 + np.exp(-odds))
        gradient = np.append(np.einsum("rl,rlf->f", slope, inputs), slope.sum())
        gradient[:width] += penalty * theta[:width]
        return float(cost.sum() + penalty / 2 * (theta[:width] ** 2).sum()), gradient

    start = np.append(np.zeros(width), -4.0)
    theta = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 200}).x
    return Logistic(mean, scale, theta[:width], float(theta[width]))


def _folds(unfit: Labels, count: int, seed: int) -> Iterator[tuple[Labels, Labels]]:
    """Stratified folds as (train, test) masks."""
    random = np.random.default_rng(seed)
    fold = np.empty(unfit.size, dtype=int)
    for label in (False, True):
        places = random.permutation(np.flatnonzero(unfit == label))
        fold[places] = np.arange(places.size) % count
    for number in range(count):
        yield fold != number, fold == number


def out_of_fold(features: Values, unfit: Labels, ruled: Labels, folds: int, seed: int) -> Values:
    """Scores (recordings,), each by a model that has not seen the recording.

    ``ruled`` marks recordings with an empty lead: they are unfit by rule and score 1.
    """
    scores = np.empty(unfit.size)
    for train, test in _folds(unfit, folds, seed):
        scores[test] = fit(features[train], unfit[train]).scores(features[test])
    return np.where(ruled, 1.0, scores)


def choose_threshold(scores: Values, unfit: Labels) -> float:
    """The most accurate threshold among those that reach ``WANTED_SENSITIVITY``."""
    reached = [t for t in _CANDIDATES if (scores >= t)[unfit].mean() >= WANTED_SENSITIVITY]
    candidates = reached or [_CANDIDATES[0]]
    return float(max(candidates, key=lambda t: ((scores >= t) == unfit).mean()))


def fit_with_threshold(features: Values, unfit: Labels, ruled: Labels, seed: int) -> VerdictModel:
    """Fit, with the threshold chosen by an inner cross-validation."""
    inner = out_of_fold(features, unfit, ruled, _INNER_FOLDS, seed)
    return fit(features, unfit, choose_threshold(inner, unfit))


def cross_validate(
    features: Values, unfit: Labels, ruled: Labels, seed: int
) -> tuple[Values, Labels]:
    """Nested: out-of-fold scores and out-of-fold decisions (True: unfit), each (recordings,)."""
    scores, called = np.empty(unfit.size), np.empty(unfit.size, dtype=bool)
    for train, test in _folds(unfit, FOLDS, seed):
        model = fit_with_threshold(features[train], unfit[train], ruled[train], seed)
        scores[test] = np.where(ruled[test], 1.0, model.scores(features[test]))
        called[test] = scores[test] >= model.threshold
    return scores, called


def summarise(scores: Values, called: Labels, unfit: Labels) -> VerdictScores:
    """Figures of one cross-validation."""
    random = np.random.default_rng(0)
    draws = random.integers(0, unfit.size, (2000, unfit.size))
    right = (called == unfit)[draws].mean(axis=1)
    found = (called & unfit)[draws].sum(axis=1) / unfit[draws].sum(axis=1)
    above = (scores[unfit][:, None] > scores[~unfit][None, :]).mean()

    def interval(values: Values) -> tuple[float, float]:
        low, high = np.percentile(values, (2.5, 97.5))
        return float(low), float(high)

    return VerdictScores(
        accuracy=float((called == unfit).mean()),
        accuracy_interval=interval(right),
        sensitivity=float(called[unfit].mean()),
        sensitivity_interval=interval(found),
        specificity=float((~called[~unfit]).mean()),
        auroc=float(above),
    )


def _numbers(part: Logistic) -> dict[str, object]:
    arrays = {"mean": part.mean, "scale": part.scale, "weights": part.weights}
    rounded = {name: values.round(6).tolist() for name, values in arrays.items()}
    return rounded | {"bias": round(part.bias, 6)}


def write(model: VerdictModel, card: dict[str, object], path: Path) -> None:
    """Write the model and what is said of it as one JSON file."""
    held = card | {
        "features": list(FEATURES),
        "lead": _numbers(model.lead),
        "whole": _numbers(model.whole),
        "threshold": model.threshold,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(held, indent=1) + "\n", encoding="utf-8")
