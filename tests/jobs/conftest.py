"""A workspace with a small packed file, and runs that take a few seconds."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from ecgcore.jobs import control
from ecgcore.jobs.folder import log_of, read_state
from ecgcore.jobs.identity import own_identity
from ecgcore.jobs.values import RunOrder, RunStatus
from ecgcore.review.store import ReviewStore
from ecgcore.review_work import open_store
from ecgcore.training.options import TrainOptions
from ecgcore.workspace import Workspace
from tests.packed_example import write_packed

PATIENCE_SECONDS = 240


@dataclass(frozen=True)
class Place:
    """A workspace, its store, and a packed file."""

    workspace: Workspace
    store: ReviewStore
    data: Path

    def order(self, name: str = "small", **changes: Any) -> RunOrder:
        """An order of a small network; each epoch has six steps."""
        options = TrainOptions(
            **{
                "network": "inception", "label_set": "superclasses",
                "network_options": {"filters": 4}, "train_folds": (1, 2, 3, 4, 5, 6),
                "validation_folds": (7, 8, 9), "batch": 10, "epochs": 2, "fewest_positives": 5,
                "attribution": "made by a test", **changes,
            }
        )  # fmt: skip
        return RunOrder(name, options.to_json(), (str(self.data),), asked_by="ada")

    def submit(self, name: str = "small", **changes: Any) -> str:
        """Start a run."""
        return control.submit(self.workspace, self.store, self.order(name, **changes))

    def await_(self, run: str, fits: Callable[[RunStatus], bool]) -> RunStatus:
        """The run's status as soon as it fits."""
        until = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < until:
            found = control.status(self.workspace, run)
            if fits(found):
                return found
            time.sleep(0.05)
        raise AssertionError(f"{found}\n{log_of(found.folder)}")

    def await_state(self, run: str, *states: str) -> RunStatus:
        """The run's status as soon as it is in one of the states."""
        return self.await_(run, lambda found: found.state in states)

    def process(self, run: str) -> psutil.Process:
        """The process of a run."""
        state = read_state(self.workspace.root / "runs" / run)
        assert state is not None
        assert state[2] is not None
        return psutil.Process(state[2].pid)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """See ``Place``; whatever still runs at the end is ended."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("ECG_TRAINING_NICENESS", "0")
    workspace = Workspace(tmp_path / "workspace")
    store = open_store(workspace)
    yield Place(workspace, store, write_packed(tmp_path / "packed.npz"))
    for one in control.runs(workspace):
        written = read_state(one.folder)
        if one.at_work and written is not None and written[2] not in (None, own_identity()):
            with suppress(psutil.Error):
                psutil.Process(written[2].pid).kill()
    store.database.engine.dispose()
