"""What a run tells of itself while it works, and how it is told to stop."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


class RunStopped(Exception):  # noqa: N818 - not an error: it was asked for
    """A run that was asked to stop, finished its step and saved; the same run goes on from it."""


@dataclass(frozen=True)
class StepDone:
    """One step: ``step`` of ``steps`` in ``epoch`` of ``epochs``, all from 1; ``records`` were
    learned from."""

    epoch: int
    epochs: int
    step: int
    steps: int
    loss: float
    learning_rate: float
    records: int


class Watch:
    """Hooks of a run; all are empty, and nobody asks it to stop."""

    def phase(self, name: str) -> None:
        """What the run does now: "reading data", "training", "scoring", or a sentence."""

    def trial(self, number: int, count: int) -> None:
        """Which trial of a search, from 1, begins now."""

    def member(self, number: int, count: int) -> None:
        """Which of the model's members, from 1, is trained now."""

    def stepped(self, done: StepDone) -> None:
        """After each step."""

    def validated(
        self,
        epoch: int,
        labels: tuple[tuple[str, str], ...],
        targets: NDArray[np.float32],
        probabilities: NDArray[np.float32],
    ) -> None:
        """After each epoch: set and code of each label, what is true of the validation records and
        what the network says, (records, labels)."""

    def wants_stop(self) -> bool:
        """Whether the run shall save and stop after this step."""
        return False


UNWATCHED = Watch()
