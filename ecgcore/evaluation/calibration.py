"""Whether a probability of 0.8 is right eight times in ten, and the few numbers that mend it.

Reliability tables and the expected calibration error: Guo et al., On Calibration of Modern Neural
Networks, ICML 2017, here for each label of a multi-label model on its probability of "yes" (the
binary form of Naeini et al., AAAI 2015). The temperature divides every logit; it is fitted by
likelihood and changes neither the order of records nor any AUROC. A temperature alone cannot mend
what a loss that favours rare labels does to their probabilities: for this each label also has a
shift of its logits (Platt 1999, with one slope for all labels, as few positives fix no slope).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

Bins = Literal["uniform", "quantile"]

BINS = 10
LOWEST_TEMPERATURE, HIGHEST_TEMPERATURE = 0.05, 20.0
LARGEST_SHIFT = 20.0
# Probabilities of 0 and 1 have no logit; float32 tells none apart that is nearer to 1.
_EDGE = float(np.finfo(np.float32).eps)


@dataclass(frozen=True)
class ReliabilityTable:
    """Probabilities against what came true, by bins of the probability, (bins,) each.

    ``edges`` are (bins + 1,); an upper edge belongs to its bin, as scikit-learn has it. Where a bin
    is empty, ``mean_probability`` and ``share_positive`` are NaN.
    """

    edges: NDArray[np.float64]
    count: NDArray[np.int64]
    mean_probability: NDArray[np.float64]
    share_positive: NDArray[np.float64]

    @property
    def expected_error(self) -> float | None:
        """ECE: mean distance of the two over the records; None without any record."""
        filled = self.count > 0
        if not filled.any():
            return None
        distance = np.abs(self.mean_probability - self.share_positive)[filled]
        return float((distance * self.count[filled]).sum() / self.count.sum())


def reliability(
    target: NDArray[np.uint8],
    probability: NDArray[np.floating],
    bins: int = BINS,
    strategy: Bins = "uniform",
) -> ReliabilityTable:
    """The table of one label from (records,) targets 0/1 and probabilities 0..1.

    Bins are of equal width, or ("quantile") hold about equally many records; then equal edges are
    one, so there may be fewer. Raises ValueError for fewer than one bin, an unknown strategy, or
    numbers that are no probabilities.
    """
    if strategy not in get_args(Bins):
        raise ValueError(f"unknown strategy {strategy!r}; known: {', '.join(get_args(Bins))}")
    if bins < 1:
        raise ValueError(f"{bins} bins; give at least 1")
    values = _probabilities(probability)
    edges = np.linspace(0.0, 1.0, bins + 1)
    if strategy == "quantile" and len(values):
        edges = np.unique(np.quantile(values, edges))
    inner = edges[1:-1]
    place = np.searchsorted(inner, values, side="left")
    size = len(inner) + 1
    count = np.bincount(place, minlength=size)
    sums = np.bincount(place, weights=values, minlength=size)
    positives = np.bincount(place, weights=target != 0, minlength=size)
    filled = np.where(count > 0, count, np.nan)
    return ReliabilityTable(edges, count.astype(np.int64), sums / filled, positives / filled)


def expected_calibration_error(
    target: NDArray[np.uint8], probability: NDArray[np.floating], bins: int = BINS
) -> float | None:
    """ECE of one label over bins of equal width; None without any record."""
    return reliability(target, probability, bins).expected_error


def fit_temperature(targets: NDArray[np.uint8], probabilities: NDArray[np.floating]) -> float:
    """The temperature of the highest likelihood, one for all labels of (records, labels).

    Above 1 the model was too sure of itself. Searched from 0.05 to 20; where every record lies on
    its right side the likelihood has no maximum and the lowest is given. Raises ValueError without
    a record.
    """
    from scipy.optimize import minimize_scalar

    if not targets.size:
        raise ValueError("no record to fit a temperature on; give at least one")
    signed = np.where(targets != 0, 1.0, -1.0) * _logits(probabilities)

    def loss(log_temperature: float) -> float:
        return float(np.logaddexp(0.0, -signed / np.exp(log_temperature)).mean())

    bounds = (float(np.log(LOWEST_TEMPERATURE)), float(np.log(HIGHEST_TEMPERATURE)))
    found = minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 1e-8})
    return float(np.exp(found.x))


@dataclass(frozen=True)
class Calibration:
    """A probability is the sigmoid of logit / ``temperature`` + shift, ``shifts`` one a label."""

    temperature: float
    shifts: tuple[float, ...]

    def probabilities(self, logits: NDArray[np.floating]) -> NDArray[np.float64]:
        """(records, labels) logits to probabilities."""
        from scipy.special import expit

        return np.asarray(expit(logits.astype(np.float64) / self.temperature + self.shifts))


def fit_calibration(
    targets: NDArray[np.uint8], logits: NDArray[np.floating], shifting: bool = True
) -> Calibration:
    """The calibration of the highest likelihood on (records, labels) targets 0/1 and logits.

    Not ``shifting``, it is a temperature alone.

    Targets are those of Platt: (n + 1) / (n + 2) for n positive records and 1 / (n + 2) for n
    others, so that a few records make nobody sure, and a label whose records all lie on their right
    side stays finite. The temperature is searched from 0.05 to 20 and a shift from -20 to 20.
    Raises ValueError without a record.
    """
    from scipy.optimize import minimize
    from scipy.special import expit

    if not targets.size:
        raise ValueError("no record to calibrate on; give at least one")
    values, truth = logits.astype(np.float64), _platt_targets(targets)

    def loss(found: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        slope = np.exp(-found[0])
        z = values * slope + found[1:]
        apart = (expit(z) - truth) / truth.size
        value = float((np.logaddexp(0.0, z) - truth * z).sum() / truth.size)
        down = -float((apart * values).sum()) * slope
        return value, np.concatenate([[down], apart.sum(axis=0)])

    largest = LARGEST_SHIFT if shifting else 0.0
    scale = (float(np.log(LOWEST_TEMPERATURE)), float(np.log(HIGHEST_TEMPERATURE)))
    best = minimize(
        loss,
        np.zeros(truth.shape[1] + 1),
        jac=True,
        method="L-BFGS-B",
        bounds=[scale, *[(-largest, largest)] * truth.shape[1]],
        options={"maxiter": 1000, "ftol": 1e-12, "gtol": 1e-9},
    )
    return Calibration(float(np.exp(best.x[0])), tuple(float(shift) for shift in best.x[1:]))


def _platt_targets(targets: NDArray[np.uint8]) -> NDArray[np.float64]:
    positive = targets != 0
    count = positive.sum(axis=0)
    smoothed = (count + 1) / (count + 2), 1 / (len(targets) - count + 2)
    return np.asarray(np.where(positive, *smoothed))


def log_loss(targets: NDArray[np.uint8], probabilities: NDArray[np.floating]) -> float:
    """The mean negative log-likelihood over (records, labels)."""
    signed = np.where(targets != 0, 1.0, -1.0) * _logits(probabilities)
    return float(np.logaddexp(0.0, -signed).mean())


def cross_fitted(
    targets: NDArray[np.uint8],
    logits: NDArray[np.floating],
    parts: int = 5,
    shifting: bool = True,
) -> NDArray[np.float64]:
    """Probabilities of every record by the calibration of the others, (records, labels).

    What a calibration is worth on records that it was not fitted on. Record i is of part
    i modulo ``parts``. Raises ValueError for fewer records than parts or than two parts.
    """
    if not 2 <= parts <= len(targets):
        raise ValueError(f"{parts} parts of {len(targets)} records; give 2 parts or more")
    found = np.empty(targets.shape, dtype=np.float64)
    part = np.arange(len(targets)) % parts
    for one in range(parts):
        of, rest = part == one, part != one
        fitted = fit_calibration(targets[rest], logits[rest], shifting)
        found[of] = fitted.probabilities(logits[of])
    return found


def _logits(probabilities: NDArray[np.floating]) -> NDArray[np.float64]:
    inside = np.clip(_probabilities(probabilities), _EDGE, 1 - _EDGE)
    return np.asarray(np.log(inside) - np.log1p(-inside))


def _probabilities(values: NDArray[np.floating]) -> NDArray[np.float64]:
    wide = values.astype(np.float64)
    if not ((wide >= 0) & (wide <= 1)).all():
        raise ValueError("numbers outside 0..1 or NaN; give probabilities")
    return wide
