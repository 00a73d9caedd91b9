"""What a run's process tells while it works: a word a second, losses, and each label's scores.

Training only leaves numbers in memory; a thread of its own writes them, so that neither a slow disk
nor somebody who looks on slows a step down.
"""

from __future__ import annotations

import json
import struct
import threading
import time
from collections import deque
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ecgcore.jobs.folder import BY_LABEL, LIVE, LOSSES, read_wish, trial_folder
from ecgcore.jobs.values import Live, Wish
from ecgcore.storage import replace_text
from ecgcore.training.scoring import by_label
from ecgcore.training.watching import StepDone, Watch

BEAT_SECONDS = 1.0
_LATELY = 30
"""Beats over which throughput is measured."""


class Reporter(Watch):
    """Writes ``live.json`` and its neighbours in ``folder`` while it is entered, and reads the
    wish. ``told_to_stop`` ends the run as a wish to pause does."""

    def __init__(self, folder: Path) -> None:
        self.folder = self.place = folder
        self.live = Live("starting", time.time())
        self.wish: Wish = "run"
        self.told_to_stop = False
        self._losses: list[float] = []
        self._course = 0
        self._lately: deque[tuple[float, int]] = deque(maxlen=_LATELY)
        self._records, self._batch = 0, 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="reporter", daemon=True)

    def __enter__(self) -> Self:
        self._write()
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()
        with suppress(OSError):  # a full disk: what ended the run is said elsewhere
            self._write()

    def phase(self, name: str) -> None:
        """See ``Watch``."""
        self.live = replace(self.live, phase=name)

    def trial(self, number: int, count: int) -> None:
        """See ``Watch``. Its losses and scores stand in the trial's own folder."""
        self.place = trial_folder(self.folder, number)
        self.place.mkdir(parents=True, exist_ok=True)
        self._losses = []
        self.live = Live("training", time.time(), trial=number, trials=count)

    def member(self, number: int, count: int) -> None:
        """See ``Watch``."""
        self.live = replace(self.live, member=number, members=count)

    def stepped(self, done: StepDone) -> None:
        """See ``Watch``."""
        self._losses.append(done.loss)
        self._records, self._batch = self._records + done.records, done.records
        before = (self.live.member - 1) * done.epochs + done.epoch - 1
        self._course = before * done.steps + done.step
        self.live = replace(
            self.live, phase="training", epoch=done.epoch, epochs=done.epochs, step=done.step,
            steps=done.steps, loss=done.loss, learning_rate=done.learning_rate,
        )  # fmt: skip

    def validated(
        self,
        epoch: int,
        labels: tuple[tuple[str, str], ...],
        targets: NDArray[np.float32],
        probabilities: NDArray[np.float32],
    ) -> None:
        """See ``Watch``."""
        names = [f"{name}/{code}" for name, code in labels]
        row = {
            "epoch": epoch,
            "member": self.live.member,
            **scores_by(names, targets, probabilities),
        }
        with (self.place / BY_LABEL).open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")

    def wants_stop(self) -> bool:
        """See ``Watch``."""
        return self.told_to_stop or self.wish != "run"

    def _beat(self) -> None:
        while not self._over.wait(BEAT_SECONDS):
            with suppress(OSError):  # the training's own writes tell of a full disk
                self.wish = read_wish(self.folder)
                self._write()

    def _write(self) -> None:
        losses, self._losses = self._losses, []
        if losses:
            with (self.place / LOSSES).open("ab") as file:
                file.write(struct.pack("<2f", self._course, float(np.mean(losses))))
        now = time.time()
        self._lately.append((now, self._records))
        (first, before), (last, after) = self._lately[0], self._lately[-1]
        rate = (after - before) / (last - first) if after > before and last > first else None
        live = self.live  # the training's thread alone changes it
        told = replace(
            live, at=now, records_per_second=rate, seconds_left=self._seconds_left(live, rate)
        )
        replace_text(self.folder / LIVE, json.dumps(asdict(told)))

    def _seconds_left(self, live: Live, rate: float | None) -> float | None:
        """Of training, at the pace of lately; None where none is known."""
        if rate is None or not live.steps or not live.step:
            return None
        left = (live.epochs - live.epoch + 1) * live.steps - live.step
        parts = live.members - live.member + max(0, live.trials - live.trial) * live.members
        return (left + parts * live.epochs * live.steps) * self._batch / rate


def scores_by(
    names: list[str], targets: NDArray[np.floating], probabilities: NDArray[np.floating]
) -> dict[str, Any]:
    """AUROC and average precision of each label, None where one class is absent."""
    from sklearn.metrics import average_precision_score, roc_auc_score

    measures = {"auroc": roc_auc_score, "auprc": average_precision_score}
    return {
        measure: {
            name: round(float(value), 5) if np.isfinite(value) else None
            for name, value in zip(names, by_label(score, targets, probabilities), strict=True)
        }
        for measure, score in measures.items()
    }
