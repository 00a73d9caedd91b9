"""What a run's process tells of itself while it works."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ecgcore.jobs.folder import labels_of_epochs, losses_of, read_live, trial_folder
from ecgcore.jobs.reporter import Reporter
from ecgcore.training.watching import StepDone

LABELS = (("superclasses", "MI"), ("superclasses", "CD"))


def _epoch(reporter: Reporter, epoch: int, epochs: int) -> None:
    for step in (1, 2):
        reporter.stepped(StepDone(epoch, epochs, step, 2, 0.5 / epoch, 0.01, 10))
        reporter._write()
    truth = np.array([[1, 0], [0, 0], [1, 0]], dtype=np.float32)
    reporter.validated(epoch, LABELS, truth, np.array([[0.9, 0.1], [0.2, 0.2], [0.8, 0.3]]))


def test_each_trial_is_told_of_by_itself(tmp_path: Path) -> None:
    reporter = Reporter(tmp_path)
    with reporter:
        reporter.trial(1, 3)
        for epoch in (1, 2, 3):
            _epoch(reporter, epoch, 3)
        reporter.trial(2, 3)
        live = reporter.live
        assert (live.trial, live.trials, live.epoch, live.epochs, live.step) == (2, 3, 0, 0, 0)
        assert (live.loss, live.seconds_left) == (None, None), "nothing of the trial before"
        _epoch(reporter, 1, 5)
    told = read_live(tmp_path)
    assert told is not None
    assert (told.trial, told.epoch, told.epochs) == (2, 1, 5)
    for number, steps in ((1, [1, 2, 3, 4, 5, 6]), (2, [1, 2])):
        place = trial_folder(tmp_path, number)
        assert losses_of(place)[0].tolist() == steps
        rows = labels_of_epochs(place)
        assert [row["epoch"] for row in rows] == list(range(1, len(steps) // 2 + 1))
        assert rows[0]["auroc"] == {"superclasses/MI": 1.0, "superclasses/CD": None}
    assert labels_of_epochs(tmp_path) == ()


def test_time_left_counts_the_trials_to_come(tmp_path: Path) -> None:
    reporter = Reporter(tmp_path)
    reporter.trial(2, 3)
    reporter.stepped(StepDone(1, 4, 2, 4, 0.5, 0.01, 10))
    left = reporter._seconds_left(reporter.live, 5.0)
    assert left == (4 * 4 - 2 + 4 * 4) * 10 / 5.0
