"""What a finished run said of the records that it was validated on, and of no others."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ecgcore.evaluation.run_comparison import compare_runs
from ecgcore.jobs import control
from ecgcore.jobs.answers import answers_of, card_of
from ecgcore.jobs.folder import ORDER
from ecgcore.jobs.values import JobError
from ecgcore.workspace import Workspace
from tests.packed_example import packed_arrays, write_packed
from tests.run_example import finish_run, small_order, write_run


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "workspace")


def test_answers_give_the_numbers_of_the_card(workspace: Workspace, tmp_path: Path) -> None:
    data = write_packed(tmp_path / "packed.npz")
    finish_run(workspace, small_order("one", data, epochs=4), "one")
    finish_run(workspace, small_order("two", data, epochs=1, seed=3), "two")
    runs = {one.id: one for one in control.runs(workspace)}
    card = card_of(runs["one"])
    assert card is not None
    told = [answers_of(runs[name]) for name in ("one", "two")]
    arrays = packed_arrays()
    chosen = np.isin(arrays["fold"], (7, 8, 9))
    at = [code for _, code in told[0].labels].index("MI")
    np.testing.assert_array_equal(told[0].targets[:, at], arrays["y5"][chosen, 1])
    assert set(told[0].folds) == {7, 8, 9}
    assert told[0].labels == tuple((x.set, x.code) for x in card.labels if x.threshold is not None)
    rows = {row["code"]: row for row in card.metrics["labels"]}
    found = compare_runs([told[0], told[0]], resamples=50)
    scores = dict(zip(found.labels, found.runs[0].auroc, strict=True))
    assert scores["superclasses", "MI"].value == pytest.approx(rows["MI"]["auroc"], abs=1e-5)
    gain = found.runs[1].auroc_gain
    assert gain is not None
    assert gain.difference == 0


def test_answers_are_those_that_were_judged_whatever_becomes_of_the_data(
    workspace: Workspace, tmp_path: Path
) -> None:
    data = write_packed(tmp_path / "packed.npz")
    folder = finish_run(workspace, small_order("one", data), "one")
    before = answers_of(control.status(workspace, "one"))
    data.unlink()
    (folder / ORDER).unlink()  # as of a run in a terminal
    after = answers_of(control.status(workspace, "one"))
    np.testing.assert_array_equal(after.probabilities, before.probabilities)
    assert after.labels == before.labels


def test_a_run_without_a_model_or_answers_is_refused(workspace: Workspace, tmp_path: Path) -> None:
    data = write_packed(tmp_path / "packed.npz")
    write_run(workspace, small_order("half", data), "half", "paused")
    with pytest.raises(JobError, match="has no finished model"):
        answers_of(control.status(workspace, "half"))
    answers = finish_run(workspace, small_order("one", data), "one") / "model" / "validation.npz"
    whole = answers.read_bytes()
    answers.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(JobError, match="answers of one cannot be read"):
        answers_of(control.status(workspace, "one"))
    answers.unlink()
    with pytest.raises(JobError, match="came without its answers"):
        answers_of(control.status(workspace, "one"))
