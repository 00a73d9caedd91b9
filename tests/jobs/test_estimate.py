"""What a run will cost, measured on its own steps, and the sentence where it cannot begin."""

from __future__ import annotations

import time

import numpy as np
import pytest
from numpy.typing import NDArray

from ecgcore.datasets import packed
from ecgcore.jobs.estimate import estimate
from ecgcore.jobs.measuring import measure
from ecgcore.jobs.values import JobError
from ecgcore.models.trees import GROWN
from ecgcore.training.checkpoint import TrainingError
from tests.jobs.conftest import Place
from tests.models.forest_example import samples_as_biomarkers


def test_time_is_steps_and_epochs_and_memory_is_above_the_records(place: Place) -> None:
    one = estimate(place.workspace, place.order(epochs=2))
    assert (one.n_train, one.n_validation) == (60, 30)
    assert 0 < 6 * one.step_seconds < one.epoch_seconds
    assert one.seconds == pytest.approx(2 * one.epoch_seconds)
    assert one.peak_bytes > 100e6  # of torch alone
    assert one.device.startswith("CPU")
    several = measure(place.workspace, place.order(epochs=2, members=3))
    assert 2 * several.epoch_seconds < several.seconds <= 3 * 2 * several.epoch_seconds


@pytest.mark.parametrize("network", GROWN)
def test_the_time_of_trees_is_that_of_measuring_and_growing(
    network: str, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A dozen records are measured, and fewer of them than a label needs."""
    measured: list[int] = []

    def told(stored: NDArray[np.int16], scale: float, rate: float) -> NDArray[np.float32]:
        measured.append(len(stored))
        time.sleep(0.12)
        return samples_as_biomarkers(stored, scale, rate)

    monkeypatch.setattr(packed, "packed_biomarkers", told)
    order = {"network": network, "network_options": {}, "fewest_positives": 20}
    found = measure(place.workspace, place.order(**order))
    assert set(measured) == {12}
    assert found.seconds >= 90 * 0.01


def test_where_values_are_measured_too_the_estimate_measures_few(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured: set[bytes] = set()

    def told(stored: NDArray[np.int16], scale: float, rate: float) -> NDArray[np.float32]:
        new = {record.tobytes() for record in stored} - measured
        time.sleep(0.05 * len(new))
        measured.update(new)
        return samples_as_biomarkers(stored, scale, rate)

    monkeypatch.setattr(packed, "packed_biomarkers", told)
    told_more = {"network": "inception_measured", "network_options": {}, "epochs": 1}
    found = measure(place.workspace, place.order(**told_more))
    assert len(measured) == 24
    assert found.seconds >= found.epoch_seconds + 90 * 0.05


def test_what_cannot_begin_says_why(place: Place) -> None:
    with pytest.raises(JobError, match="is in fold 10; choose others"):
        estimate(place.workspace, place.order(train_folds=(10,)))
    with pytest.raises(TrainingError, match="make no batch of 5000"):
        measure(place.workspace, place.order(batch=5000))
