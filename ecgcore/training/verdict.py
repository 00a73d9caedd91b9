"""Fitting the verdict "fit to read" and scoring it honestly, by nested cross-validation.

The whole recording is judged by a logistic model of its ordered features, each lead by one under a
noisy-or over the leads (multiple-instance learning: people judged recordings, not leads), both with
an L2 penalty. Means, scales, weights, the penalty of the whole recording and the threshold are all
fitted inside the training folds, the last two by repeated inner cross-validation: the penalty of
the least log loss, then the best accuracy among the thresholds that reach the wanted sensitivity.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ecgcore.signal.verdict import CLIP, Logistic, VerdictModel
from ecgcore.signal.verdict_features import FEATURES, Values, ordered_features

Labels = NDArray[np.bool_]

LEAD_PENALTY = 8.0
WHOLE_PENALTIES = (30.0, 100.0, 300.0, 1000.0)
"""On standardised features; much for few: 186 of them against about a hundred unfit recordings."""
WANTED_SENSITIVITY = 0.85
FOLDS = 10
_INNER_FOLDS = 5
_INNER_REPEATS = 3
"""The middle of the thresholds of several divisions; that of one depends on how it fell."""
_CANDIDATES = np.round(np.arange(0.1, 0.9, 0.01), 2)


@dataclass(frozen=True)
class VerdictScores:
    """Out of fold, 0 to 1; each ``interval`` is 95 % of a bootstrap over recordings."""

    accuracy: float
    accuracy_interval: tuple[float, float]
    sensitivity: float
    sensitivity_interval: tuple[float, float]
    specificity: float
    specificity_interval: tuple[float, float]
    auroc: float
    auroc_interval: tuple[float, float]


def fit(
    features: Values, unfit: Labels, threshold: float = 0.5, penalty: float = 100.0
) -> VerdictModel:
    """Fit on (recordings, leads, features), ``unfit`` (recordings,).

    ``penalty`` is that of the whole recording.
    """
    whole = _fit_noisy_or(ordered_features(features)[:, None], unfit, penalty)
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


def out_of_fold(ordered: Values, unfit: Labels, ruled: Labels, penalty: float, seed: int) -> Values:
    """Scores (recordings,), each by a model that has not seen the recording.

    ``ordered`` is what ``ordered_features`` gives; ``ruled`` marks recordings with an empty lead:
    they are unfit by rule and score 1.
    """
    scores = np.empty(unfit.size)
    for train, test in _folds(unfit, _INNER_FOLDS, seed):
        whole = _fit_noisy_or(ordered[train][:, None], unfit[train], penalty)
        scores[test] = whole.scores(ordered[test])
    return np.where(ruled, 1.0, scores)


def choose_penalty(inner: Mapping[float, Values], unfit: Labels) -> float:
    """The penalty whose out-of-fold scores (recordings,) have the least log loss."""

    def likelihood(penalty: float) -> float:
        right = np.where(unfit, inner[penalty], 1 - inner[penalty])
        return float(np.log(np.maximum(right, 1e-9)).mean())

    return max(inner, key=likelihood)


def choose_threshold(scores: Values, unfit: Labels) -> float:
    """The most accurate threshold among those that reach ``WANTED_SENSITIVITY``."""
    reached = [t for t in _CANDIDATES if (scores >= t)[unfit].mean() >= WANTED_SENSITIVITY]
    candidates = reached or [_CANDIDATES[0]]
    return float(max(candidates, key=lambda t: ((scores >= t) == unfit).mean()))


def fit_with_threshold(features: Values, unfit: Labels, ruled: Labels, seed: int) -> VerdictModel:
    """Fit, with the penalty and the threshold chosen by inner cross-validations."""
    ordered = ordered_features(features)
    seeds = [seed + 1000 * repeat for repeat in range(_INNER_REPEATS)]
    inner = {
        penalty: np.stack([out_of_fold(ordered, unfit, ruled, penalty, one) for one in seeds])
        for penalty in WHOLE_PENALTIES
    }
    judged = {penalty: rows.mean(axis=0)[~ruled] for penalty, rows in inner.items()}
    penalty = choose_penalty(judged, unfit[~ruled])
    threshold = np.median([choose_threshold(row, unfit) for row in inner[penalty]])
    return fit(features, unfit, float(threshold), penalty)


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


def _auroc(scores: Values, unfit: Labels) -> Values:
    """(...), from (..., recordings); equal scores count half."""
    from scipy.stats import rankdata

    ranks = rankdata(scores, axis=-1)
    positive = unfit.sum(axis=-1)
    negative = unfit.shape[-1] - positive
    above = (ranks * unfit).sum(axis=-1) - positive * (positive + 1) / 2
    area: Values = above / (positive * negative)
    return area


def summarise(scores: Values, called: Labels, unfit: Labels) -> VerdictScores:
    """Figures of one cross-validation."""
    random = np.random.default_rng(0)
    draws = random.integers(0, unfit.size, (2000, unfit.size))

    def interval(values: Values) -> tuple[float, float]:
        low, high = np.percentile(values, (2.5, 97.5))
        return float(low), float(high)

    def share(among: Labels) -> Values:
        right = (called == unfit) & among
        shares: Values = right[draws].sum(axis=1) / among[draws].sum(axis=1)
        return shares

    return VerdictScores(
        accuracy=float((called == unfit).mean()),
        accuracy_interval=interval((called == unfit)[draws].mean(axis=1)),
        sensitivity=float(called[unfit].mean()),
        sensitivity_interval=interval(share(unfit)),
        specificity=float((~called[~unfit]).mean()),
        specificity_interval=interval(share(~unfit)),
        auroc=float(_auroc(scores, unfit)),
        auroc_interval=interval(_auroc(scores[draws], unfit[draws])),
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
