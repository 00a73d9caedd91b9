"""Finished runs side by side on the validation records that they share.

Every run gets its scores with intervals; each is tested against the first by paired bootstrap, both
scored on the same resamples (see ``comparison``). Runs are of the same records when they have as
many, in the same folds, with the same truth in every label that all answer for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ecgcore.evaluation.bootstrap import (
    RESAMPLES,
    SEED,
    Interval,
    ResampledAreas,
    bootstrap_areas,
    interval,
    macro,
    resampled_areas,
)
from ecgcore.evaluation.comparison import Difference, paired_difference

Labels = tuple[tuple[str, str], ...]
"""Set and code of each label."""


@dataclass(frozen=True)
class RunAnswers:
    """What a run's model says of its validation records: ``targets`` (records, labels) of 0 and 1,
    ``probabilities`` alike, ``folds`` (records,)."""

    name: str
    labels: Labels
    targets: NDArray[np.uint8]
    probabilities: NDArray[np.floating]
    folds: NDArray[np.integer]

    def columns(self, labels: Labels) -> RunAnswers:
        """Of some of the labels."""
        at = [self.labels.index(label) for label in labels]
        return RunAnswers(
            self.name, labels, self.targets[:, at], self.probabilities[:, at], self.folds
        )


@dataclass(frozen=True)
class Score:
    """One value with its 95 % interval."""

    value: float
    interval: Interval | None


@dataclass(frozen=True)
class RunScores:
    """A run's mean AUROC and average precision (AUPRC), those of each label, and how much more
    they are than the first run's; None of the first itself."""

    name: str
    macro_auroc: Score
    macro_auprc: Score
    auroc: tuple[Score, ...]
    auprc: tuple[Score, ...]
    auroc_gain: Difference | None
    auprc_gain: Difference | None
    label_gains: tuple[Difference, ...] | None


@dataclass(frozen=True)
class RunComparison:
    """``records`` validation records, the ``labels`` that all runs have a score for and of which
    both classes are among them, with their ``positives``; the runs in the order given."""

    records: int
    labels: Labels
    positives: tuple[int, ...]
    runs: tuple[RunScores, ...]


def compare_runs(
    answers: Sequence[RunAnswers], resamples: int = RESAMPLES, seed: int = SEED
) -> RunComparison:
    """Compare two or more runs. Raises ValueError where they have not the same records or labels
    that can be scored."""
    if len(answers) < 2:
        raise ValueError("one run alone; choose at least two to compare")
    shared = [answer.columns(_shared(answers)) for answer in answers]
    _refuse_other_records(shared)
    truth = shared[0].targets
    scored = np.flatnonzero((truth.min(axis=0) == 0) & (truth.max(axis=0) == 1))
    if not len(scored):
        raise ValueError("no label of the runs has recordings with and without it in validation")
    labels = tuple(shared[0].labels[at] for at in scored)
    shared = [answer.columns(labels) for answer in shared]
    every = np.ones((1, len(truth)), dtype=np.int32)
    whole = [resampled_areas(one.targets, one.probabilities, every) for one in shared]
    drawn = [bootstrap_areas(one.targets, one.probabilities, resamples, seed) for one in shared]
    return RunComparison(
        records=len(truth),
        labels=labels,
        positives=tuple(int(count) for count in shared[0].targets.sum(0)),
        runs=tuple(
            _scores(one.name, whole[at], drawn[at], (whole[0], drawn[0]) if at else None)
            for at, one in enumerate(shared)
        ),
    )


def _shared(answers: Sequence[RunAnswers]) -> Labels:
    """The labels of all, in the first's order. Raises ValueError where there is none."""
    others = [set(answer.labels) for answer in answers[1:]]
    shared = tuple(label for label in answers[0].labels if all(label in one for one in others))
    if not shared:
        raise ValueError("the runs answer for no label in common; choose runs of one label set")
    return shared


def _refuse_other_records(shared: Sequence[RunAnswers]) -> None:
    first = shared[0]
    for other in shared[1:]:
        same = (
            other.targets.shape == first.targets.shape
            and np.array_equal(other.folds, first.folds)
            and np.array_equal(other.targets, first.targets)
        )
        if not same:
            raise ValueError(
                f"{other.name} and {first.name} were not validated on the same recordings "
                f"({len(other.targets)} and {len(first.targets)}) with the same labels; a paired "
                "test needs that: choose runs of the same data and validation folds"
            )


def _scores(
    name: str,
    whole: ResampledAreas,
    drawn: ResampledAreas,
    first: tuple[ResampledAreas, ResampledAreas] | None,
) -> RunScores:
    gains: tuple[Difference, ...] | None = None
    auroc_gain = auprc_gain = None
    if first is not None:
        base, resampled = first
        auroc_gain = _macro_gain(whole.auroc, drawn.auroc, base.auroc, resampled.auroc)
        auprc_gain = _macro_gain(whole.auprc, drawn.auprc, base.auprc, resampled.auprc)
        gains = tuple(
            paired_difference(float(apart), mine, its)
            for apart, mine, its in zip(
                (whole.auroc - base.auroc)[0], resampled.auroc.T, drawn.auroc.T, strict=True
            )
        )
    return RunScores(
        name,
        Score(float(macro(whole.auroc)[0]), interval(macro(drawn.auroc))),
        Score(float(macro(whole.auprc)[0]), interval(macro(drawn.auprc))),
        _each(whole.auroc, drawn.auroc),
        _each(whole.auprc, drawn.auprc),
        auroc_gain, auprc_gain, gains,
    )  # fmt: skip


def _macro_gain(
    whole: NDArray[np.float64],
    drawn: NDArray[np.float64],
    base: NDArray[np.float64],
    resampled: NDArray[np.float64],
) -> Difference:
    return paired_difference(
        float(macro(whole)[0] - macro(base)[0]), macro(resampled), macro(drawn)
    )


def _each(whole: NDArray[np.float64], drawn: NDArray[np.float64]) -> tuple[Score, ...]:
    return tuple(
        Score(float(value), interval(values))
        for value, values in zip(whole[0], drawn.T, strict=True)
    )
