"""Does a map mark what the model used? The deletion test, against chance.

The hottest tenth of the recorded cells is flattened (set to the lead's mean), and so are random
tenths; a map that marks the evidence lowers the label's log-odds more than most random ones do.
After Samek et al., IEEE TNNLS 2017 (pixel flipping). Flattened input is unlike any ECG, which is
why the comparison is with input flattened just as much.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ecgcore.explain.answers import label_log_odds
from ecgcore.explain.explanation import Explanation
from ecgcore.explain.heat import silent_leads
from ecgcore.explain.target import label_target
from ecgcore.labels import LabelSetName
from ecgcore.models.input_spec import Prepared, prepare
from ecgcore.recording import Recording

if TYPE_CHECKING:
    from ecgcore.models.predictor import Predictor

CELL_SECONDS = 0.2
SHARE = 0.1
"""Of the cells that are flattened at once."""

RANDOM_CHOICES = 20
LEAST_BEATEN = 18
"""Of the random choices: a map of chance beats as many in 3 of 21 cases, one that follows the
evidence nearly always."""


@dataclass(frozen=True)
class DeletionTest:
    """``drop``: by how much flattening the hottest tenth lowers the log-odds; ``random_drop``: the
    mean over ``choices`` random tenths, of which ``beaten`` lower them less."""

    drop: float
    random_drop: float
    beaten: int
    choices: int = RANDOM_CHOICES

    @property
    def passed(self) -> bool:
        """Whether the map marks what the model used better than chance does."""
        return self.drop > 0 and self.beaten >= LEAST_BEATEN


def deletion_test(
    predictor: Predictor,
    recording: Recording,
    explanation: Explanation,
    label_set: LabelSetName | None = None,
    *,
    seed: int = 0,
) -> DeletionTest:
    """Test a map that one of the methods made of this recording by this model.

    Of a signed map the positive part is tested. An empty map marks nothing and beats nothing.
    """
    target = label_target(predictor.card, explanation.label, label_set)
    prepared = prepare(recording, predictor.card.spec)
    warmth, cells = _cells(explanation, prepared)
    count = min(max(1, round(SHARE * len(cells))), int((warmth > 0).sum()))
    if count == 0:
        return DeletionTest(0.0, 0.0, 0)
    random = np.random.default_rng(seed)
    choices = [np.argsort(-warmth, kind="stable")[:count]]
    choices += [random.permutation(len(cells))[:count] for _ in range(RANDOM_CHOICES)]
    rate = predictor.card.spec.sampling_rate
    copies = [_flattened(prepared.values, cells[choice], rate) for choice in choices]
    held = predictor.holding(prepared.aside)
    answers = label_log_odds(held, np.stack([prepared.values, *copies]), target)
    drops = (answers[0] - answers[1:]).astype(np.float64)
    return DeletionTest(float(drops[0]), float(drops[1:].mean()), int((drops[1:] < drops[0]).sum()))


def withheld(explanation: Explanation, test: DeletionTest) -> Explanation:
    """The explanation as a reader may see it: emptied, with the reason, where its test failed.

    An empty map stays as it is; a map that passed says so in its note.
    """
    if not explanation.peak:
        return explanation
    counted = f"{test.beaten} of {test.choices} random tenths"
    if test.passed:
        told = f"Flattening its hottest tenth lowers the log-odds more than {counted} do."
        return replace(explanation, note=f"{explanation.note} {told}")
    return replace(
        explanation,
        heat=np.zeros_like(explanation.heat),
        peak=0.0,
        note=f"No map: this one does not mark what the model used for {explanation.label}. "
        f"Flattening its hottest tenth changes the log-odds by {-test.drop:+.2g} (on average "
        f"{-test.random_drop:+.2g} at random) and beats {counted}, of which {LEAST_BEATEN} are "
        "needed. Choose another method.",
    )


def _cells(
    explanation: Explanation, prepared: Prepared
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Mean positive heat of each recorded cell, (cells,), and its lead and number, (cells, 2).

    The lead is -1, for all of them, where the map cannot tell leads apart.
    """
    length = round(CELL_SECONDS * explanation.sampling_rate)
    parts = max(1, explanation.heat.shape[1] // length)
    heat = np.maximum(explanation.heat[:, : parts * length], 0.0).astype(np.float64)
    warmth = np.stack([part.mean(axis=1) for part in np.array_split(heat, parts, axis=1)], axis=1)
    if not explanation.per_lead:
        return warmth[0], np.stack([np.full(parts, -1), np.arange(parts)], axis=1)
    rows = np.flatnonzero(~silent_leads(prepared))
    places = np.stack(np.meshgrid(rows, np.arange(parts), indexing="ij"), axis=-1)
    return warmth[rows].ravel(), places.reshape(-1, 2)


def _flattened(
    values: NDArray[np.float32], cells: NDArray[np.int64], rate: float
) -> NDArray[np.float32]:
    """A copy of one input (leads, samples) with some cells at the lead's mean, which is 0."""
    copy = values.copy()
    for lead, number in cells:
        first, last = round(number * CELL_SECONDS * rate), round((number + 1) * CELL_SECONDS * rate)
        rows = slice(None) if lead < 0 else lead
        copy[rows, first:last] = 0.0
    return copy
