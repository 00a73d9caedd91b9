"""HRNN's super learner fitted to a network that stays as it is (Bian et al. 2022, Equations 3-6).

A class has one weight w: its answer is y = h s(w) + r (1 - s(w)) where its rule r is known, s the
sigmoid. Given the network's answers h, each w is found for itself, by the least of L(labels, y) +
lambda L(r, y), L the class-weighted cross-entropy with M / M_i of the records that are fitted. Both
y and 1 - y are linear in s(w), so that the loss is convex in s(w): it has one least point, which a
bounded search finds.

Settled where the paper is silent, as it fits w with the network: w stays within +-6 (a share of
0.25 % for the lesser learner), for a rule without an error would drive it to infinity.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ecgcore.models.hrnn import fused_logits
from ecgcore.training.objectives.weighted import class_weights, weighted_terms

START = 0.0
"""Where w begins, both learners weighed alike; a class that is not fitted stays there."""
LARGEST = 6.0
_TOLERANCE = 1e-4
_NEAR_BOUND = 0.01

FEWEST_POSITIVE = FEWEST_NEGATIVE = 5
"""Recordings with and without the label, their rule known, that fitting one number asks for."""
FEWEST_FIRED = 3
"""Recordings in which the rule fired: of one that never does, nothing is learned but its misses."""


@dataclass(frozen=True)
class ClassAnswers:
    """What is said of one class in the records that count for it, each (records,).

    ``logits`` are the network's own, ``rule`` its rule's 0 or 1 (it is known in all of them),
    ``target`` the label's. Records of one ``fold`` are held out together; ``place`` is where each
    stands among all records of the fit.
    """

    logits: NDArray[np.float64]
    rule: NDArray[np.float64]
    target: NDArray[np.float64]
    fold: NDArray[np.int64]
    place: NDArray[np.intp]

    def __len__(self) -> int:
        return len(self.logits)

    def rows(self, chosen: NDArray[np.bool_]) -> ClassAnswers:
        """Some of the records."""
        return ClassAnswers(
            self.logits[chosen],
            self.rule[chosen],
            self.target[chosen],
            self.fold[chosen],
            self.place[chosen],
        )


def too_few(answers: ClassAnswers) -> str | None:
    """Why a class's weight stays at its start, None where there are cases enough to fit it."""
    found = {
        "with the label": (int(answers.target.sum()), FEWEST_POSITIVE),
        "without it": (int((1 - answers.target).sum()), FEWEST_NEGATIVE),
        "in which the rule fired": (int(answers.rule.sum()), FEWEST_FIRED),
    }
    if all(count >= fewest for count, fewest in found.values()):
        return None
    counts = ", ".join(f"{count} {what}" for what, (count, _) in found.items())
    needed = ", ".join(str(fewest) for _, fewest in found.values())
    return f"{len(answers)} recordings, {counts} (at least {needed} are needed)"


def fused(answers: ClassAnswers, trust: float) -> NDArray[np.float64]:
    """logit(y) of each record with the weight w = ``trust``."""
    found: NDArray[np.float64] = _fused(*_tensors(answers)[:2], trust).numpy()
    return found


def loss(answers: ClassAnswers, trust: float, lambda_: float) -> float:
    """Equation 6 of one class, a mean over its records."""
    logits, rule, target = _tensors(answers)
    y, weight = _fused(logits, rule, trust), class_weights(target[:, None])
    terms = weighted_terms(y, target, weight) + lambda_ * weighted_terms(y, rule, weight)
    return float(terms.mean())


def fit_trust(answers: ClassAnswers, lambda_: float) -> float:
    """The w of the least loss within +-LARGEST; START where either label is missing.

    Raises ValueError for a negative ``lambda_``.
    """
    from scipy.optimize import minimize_scalar

    if not lambda_ >= 0:
        raise ValueError(f"lambda {lambda_}; give 0 (labels alone) or more")
    if not 0 < answers.target.sum() < len(answers):
        return START
    found = minimize_scalar(
        lambda trust: loss(answers, float(trust), lambda_),
        bounds=(-LARGEST, LARGEST),
        method="bounded",
        options={"xatol": _TOLERANCE},
    )
    return float(found.x)


def at_bound(trust: float) -> bool:
    """Whether a weight would have gone further, had it been let."""
    return abs(trust) > LARGEST - _NEAR_BOUND


def cross_fitted(answers: ClassAnswers, lambda_: float) -> NDArray[np.float64]:
    """logit(y) of each record with the w that was fitted to the other folds.

    Raises ValueError where all records are of one fold.
    """
    found = np.empty(len(answers))
    for held in _folds(answers):
        found[held] = fused(answers.rows(held), fit_trust(answers.rows(~held), lambda_))
    return found


def _folds(answers: ClassAnswers) -> Iterator[NDArray[np.bool_]]:
    folds = np.unique(answers.fold)
    if len(folds) < 2:
        raise ValueError(f"all records are of fold {folds}; two or more folds are held out in turn")
    for fold in folds:
        yield answers.fold == fold


def _fused(logits: Tensor, rule: Tensor, trust: float) -> Tensor:
    return fused_logits(logits, rule, torch.tensor(trust, dtype=logits.dtype))


def _tensors(answers: ClassAnswers) -> tuple[Tensor, Tensor, Tensor]:
    return (
        torch.from_numpy(answers.logits),
        torch.from_numpy(answers.rule),
        torch.from_numpy(answers.target),
    )
