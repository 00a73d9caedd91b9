"""What a run will cost, measured on its own steps, and the sentence where it cannot begin."""

from __future__ import annotations

import pytest

from ecgcore.jobs.estimate import estimate
from ecgcore.jobs.measuring import measure
from ecgcore.jobs.values import JobError
from ecgcore.training.checkpoint import TrainingError
from tests.jobs.conftest import Place


def test_time_is_steps_and_epochs_and_memory_is_above_the_records(place: Place) -> None:
    one = estimate(place.workspace, place.order(epochs=2))
    assert (one.n_train, one.n_validation) == (60, 30)
    assert 0 < 6 * one.step_seconds < one.epoch_seconds
    assert one.seconds == pytest.approx(2 * one.epoch_seconds)
    assert one.peak_bytes > 100e6  # of torch alone
    assert one.device.startswith("CPU")
    several = measure(place.workspace, place.order(epochs=2, members=3))
    assert 2 * several.epoch_seconds < several.seconds <= 3 * 2 * several.epoch_seconds


def test_what_cannot_begin_says_why(place: Place) -> None:
    with pytest.raises(JobError, match="is in fold 10; choose others"):
        estimate(place.workspace, place.order(train_folds=(10,)))
    with pytest.raises(TrainingError, match="make no batch of 5000"):
        measure(place.workspace, place.order(batch=5000))
