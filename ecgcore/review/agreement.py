"""How far people agree beyond chance, label by label, and how each does against what was settled.

Cohen's kappa (Cohen 1960) for two people, Fleiss' (Fleiss 1971) for several, here with as many
readers a recording as there happen to be (two at least; Gwet, Handbook of Inter-Rater Reliability,
chapter 2). Intervals are percentiles over resampled recordings (Efron and Tibshirani 1993).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RESAMPLES, SEED, COVERAGE = 2000, 0, 0.95
Interval = tuple[float, float]
_Statistic = Callable[[NDArray[np.int64], NDArray[np.float64]], NDArray[np.float64]]
"""Kappas of what was told, (cells, columns), as often as each row of weights says, (resamples,
cells)."""
Answers = Mapping[str, Mapping[str, frozenset[str]]]
"""Each person's codes by recording."""


@dataclass(frozen=True)
class Kappa:
    """``value`` and its 95 % ``interval``, None where chance alone would agree always (nobody ever
    gave the label, or all gave it each time). ``recordings`` were read by two people or more;
    ``agreed`` is the share of pairs of readers that said the same."""

    value: float | None
    interval: Interval | None
    recordings: int
    agreed: float | None


def cohen_kappa(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> Kappa:
    """Of two people's yes and no, (recordings,) each."""
    told = np.stack([first, second], axis=1).astype(np.int64)
    both = told.sum(axis=1)
    return _kappa(told, np.full(len(told), 2), both, _cohen)


def fleiss_kappa(readers: NDArray[np.int64], yes: NDArray[np.int64]) -> Kappa:
    """Of ``yes`` answers among so many ``readers``, (recordings,) each; recordings with one reader
    say nothing and are left out."""
    kept = readers >= 2
    readers, yes = readers[kept], yes[kept]
    return _kappa(np.stack([readers, yes], axis=1), readers, yes, _fleiss)


def _cohen(told: NDArray[np.int64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    first, second = (weights @ told / weights.sum(axis=1, keepdims=True)).T
    same = weights @ (told[:, 0] == told[:, 1]) / weights.sum(axis=1)
    return _beyond(same, first * second + (1 - first) * (1 - second))


def _fleiss(told: NDArray[np.int64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    readers, yes = told.T
    observed = weights @ _agreed(readers, yes) / weights.sum(axis=1)
    share = weights @ yes / (weights @ readers)
    return _beyond(observed, share**2 + (1 - share) ** 2)


def _agreed(readers: NDArray[np.int64], yes: NDArray[np.int64]) -> NDArray[np.float64]:
    """The share of pairs of readers that said the same."""
    no = readers - yes
    shares: NDArray[np.float64] = (yes * (yes - 1) + no * (no - 1)) / (readers * (readers - 1))
    return shares


def _beyond(observed: NDArray[np.float64], chance: NDArray[np.float64]) -> NDArray[np.float64]:
    left = 1 - chance
    return np.divide(observed - chance, left, out=np.full_like(left, np.nan), where=left > 1e-12)


def _kappa(
    told: NDArray[np.int64],
    readers: NDArray[np.int64],
    yes: NDArray[np.int64],
    statistic: _Statistic,
) -> Kappa:
    if not len(told):
        return Kappa(None, None, 0, None)
    agreed = float(_agreed(readers, yes).mean())
    cells, counts = np.unique(told, axis=0, return_counts=True)
    value = float(statistic(cells, counts[None].astype(np.float64))[0])
    if np.isnan(value):
        return Kappa(None, None, len(told), agreed)
    generator = np.random.default_rng(SEED)
    drawn = generator.multinomial(len(told), counts / len(told), RESAMPLES)
    values = statistic(cells, drawn.astype(np.float64))
    edge = (1 - COVERAGE) / 2
    low, high = np.quantile(values[np.isfinite(values)], [edge, 1 - edge])
    return Kappa(value, (float(low), float(high)), len(told), agreed)


def label_kappas(answers: Answers, codes: tuple[str, ...]) -> dict[str, Kappa]:
    """Each label's kappa over everybody: Cohen's for two people, Fleiss' for more."""
    people = sorted(answers)
    shared = [set(answers[one]) for one in people]
    if len(people) == 2:
        both = sorted(shared[0] & shared[1])
        told = [
            np.array([[code in answers[one][key] for code in codes] for key in both], dtype=bool)
            for one in people
        ]
        if not both:
            return {code: Kappa(None, None, 0, None) for code in codes}
        return {code: cohen_kappa(told[0][:, at], told[1][:, at]) for at, code in enumerate(codes)}
    every = sorted(set().union(*shared))
    readers = np.array([sum(key in one for one in shared) for key in every], dtype=np.int64)
    found = {}
    for code in codes:
        yes = [sum(code in answers[one].get(key, ()) for one in people) for key in every]
        found[code] = fleiss_kappa(readers, np.array(yes, dtype=np.int64))
    return found


@dataclass(frozen=True)
class Calibration:
    """One person against what was settled without them: over all labels how many they ``gave``
    that hold, ``missed``, and ``added`` that do not hold; of ``exact`` of so many ``recordings``
    the codes were just those."""

    person: str
    recordings: int
    exact: int
    gave: int
    missed: int
    added: int

    @property
    def sensitivity(self) -> float | None:
        """The share of the labels that hold which the person gave."""
        return self.gave / (self.gave + self.missed) if self.gave + self.missed else None

    @property
    def precision(self) -> float | None:
        """The share of the labels that the person gave which hold."""
        return self.gave / (self.gave + self.added) if self.gave + self.added else None


def calibration(answers: Answers, known: Mapping[str, frozenset[str]]) -> tuple[Calibration, ...]:
    """Each person against ``known`` (adjudications, honeypots), and elsewhere against what all the
    others agree about; recordings that nobody else read or others disagree about do not count."""
    found = []
    for person in sorted(answers):
        exact = gave = missed = added = count = 0
        for recording, own in answers[person].items():
            truth = known.get(recording)
            if truth is None:
                others = {
                    told[recording] for name, told in answers.items()
                    if name != person and recording in told
                }  # fmt: skip
                if len(others) != 1:
                    continue
                (truth,) = others
            count += 1
            exact += own == truth
            gave += len(own & truth)
            missed += len(truth - own)
            added += len(own - truth)
        found.append(Calibration(person, count, exact, gave, missed, added))
    return tuple(found)
