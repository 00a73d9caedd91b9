"""Each way in which a run can end badly, and the sentence that it leaves."""

from __future__ import annotations

import errno
import resource
from pathlib import Path

import numpy as np
import psutil
import pytest
import torch

from ecgcore.jobs import control
from ecgcore.jobs.failures import sentence_of
from ecgcore.jobs.folder import read_state
from ecgcore.jobs.values import RunStatus
from tests.jobs.conftest import Place
from tests.packed_example import write_packed
from tests.run_example import runs_here


def _failed(place: Place, run: str) -> RunStatus:
    found = place.await_state(run, "failed", "finished")
    assert found.state == "failed"
    assert not (found.folder / "model" / "card.json").exists()
    return found


def test_data_that_are_gone_when_its_turn_comes(place: Place) -> None:
    first, run = place.submit("first", epochs=100_000), place.submit("second")
    place.await_(run, lambda one: "waits" in one.sentence)
    gone = place.data.rename(place.data.with_name("elsewhere.npz"))
    control.stop(place.workspace, place.store, first, "ada")
    found = _failed(place, run)
    assert found.sentence.startswith("A file that the run needs is gone")
    assert str(place.data) in found.sentence
    gone.rename(place.data)  # as the sentence says
    with runs_here():
        control.resume(place.workspace, place.store, run, "ada")
    assert control.status(place.workspace, run).state == "finished"


def test_data_that_changed_while_it_was_paused(place: Place) -> None:
    run = place.submit(epochs=100_000)
    place.await_(run, lambda one: one.live is not None and one.live.epoch > 1)
    control.pause(place.workspace, place.store, run, "ada")
    place.await_state(run, "paused")
    with np.load(place.data) as before:
        signals = before["X"]
    write_packed(place.data, X=signals + 1)
    with runs_here():
        control.resume(place.workspace, place.store, run, "ada")
    assert "holds a run on other data" in _failed(place, run).sentence


def test_a_damaged_file(place: Place) -> None:
    place.data.write_bytes(place.data.read_bytes()[:5000])
    with runs_here():
        found = _failed(place, place.submit())
    assert found.sentence.startswith("Packed.npz cannot be read")


def test_a_loss_that_is_not_finite(place: Place) -> None:
    with runs_here():
        found = _failed(place, place.submit(learning_rate=1e30, optimiser="adam", average=0.0))
    assert "The loss is nan" in found.sentence
    assert "lower the learning rate" in found.sentence


def test_a_full_disk(place: Place) -> None:
    """No file may grow to what a checkpoint needs: the kernel refuses as a full disk does."""
    run = place.submit(network_options={"filters": 16})
    place.process(run).rlimit(psutil.RLIMIT_FSIZE, (80_000, resource.RLIM_INFINITY))
    found = _failed(place, run)
    assert found.sentence.startswith("The disk is full")
    assert "resume the run" in found.sentence
    assert list(found.folder.glob("*.safetensors")) == []
    with runs_here():
        control.resume(place.workspace, place.store, run, "ada")
    assert control.status(place.workspace, run).state == "finished"


def test_memory_that_runs_out(place: Place) -> None:
    """Of a network whose weights no machine holds."""
    with runs_here():
        found = _failed(place, place.submit(network_options={"filters": 4_000_000}))
    assert found.sentence.startswith("The memory ran out. Choose a smaller batch")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "The disk is full"),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), "The disk is full"),
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"), "The memory ran"),
        (MemoryError(), "The memory ran out"),
        (PermissionError(errno.EACCES, "Permission denied", "x"), "could not be read or written"),
        (ZeroDivisionError("division by zero"), "nobody foresaw (ZeroDivisionError: division"),
    ],
)
def test_every_error_has_a_sentence(error: BaseException, words: str) -> None:
    assert words in sentence_of(error, Path("/runs/one"))


def test_an_error_that_nobody_foresaw_is_said_and_logged(place: Place) -> None:
    run = place.submit(epochs=100_000)
    found = place.await_(run, lambda one: one.live is not None and one.live.epoch > 1)
    (found.folder / "by_label.jsonl").unlink()
    (found.folder / "by_label.jsonl").mkdir()
    failed = _failed(place, run)
    assert "A file could not be read or written" in failed.sentence
    assert "Traceback" in (found.folder / "log.txt").read_text()
    state = read_state(found.folder)
    assert state is not None
    assert state[2] is None
