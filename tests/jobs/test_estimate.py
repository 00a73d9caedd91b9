"""What a run will cost, measured on its own steps, and the sentence where it cannot begin."""

from __future__ import annotations

import pytest

from ecgcore.jobs.estimate import estimate
from ecgcore.jobs.values import JobError
from tests.jobs.conftest import Place


def test_time_is_steps_and_epochs_and_memory_is_above_the_records(place: Place) -> None:
    one = estimate(place.workspace, place.order(epochs=2))
    assert (one.n_train, one.n_validation) == (60, 30)
    assert 0 < 6 * one.step_seconds < one.epoch_seconds
    assert one.seconds == pytest.approx(2 * one.epoch_seconds)
    assert one.peak_bytes > 100e6  # of torch alone
    assert one.device.startswith("CPU")
    several = estimate(place.workspace, place.order(epochs=2, members=3))
    assert several.seconds > 2 * several.epoch_seconds * 2.5


def test_what_cannot_begin_says_why(place: Place) -> None:
    with pytest.raises(JobError, match="No record in folds"):
        estimate(place.workspace, place.order(train_folds=(10,)))
    with pytest.raises(JobError, match="make no batch of 5000"):
        estimate(place.workspace, place.order(batch=5000))
    with pytest.raises(JobError, match="The memory ran out"):
        estimate(place.workspace, place.order(network_options={"filters": 4_000_000}))
