"""Folders of training runs as their processes leave them, made without a process."""

from __future__ import annotations

import json
import os
import signal
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

from ecgcore.jobs import control
from ecgcore.jobs.folder import BY_LABEL, LIVE, LOG, LOSSES, ORDER, write_state
from ecgcore.jobs.identity import own_identity
from ecgcore.jobs.values import Live, RunOrder, State, now
from ecgcore.jobs.work import NICENESS, work
from ecgcore.storage import write_json
from ecgcore.training.checkpoint import PROGRESS
from ecgcore.training.options import TrainOptions, options_from_json
from ecgcore.training.whole_run import joined, train_and_publish
from ecgcore.workspace import Workspace


def small_order(name: str, data: Path, **changes: Any) -> RunOrder:
    """An order of a small network on ``tests.packed_example``; ``changes`` are of its options."""
    options = TrainOptions(
        **{
            "network": "inception", "label_set": "superclasses", "network_options": {"filters": 4},
            "train_folds": (1, 2, 3, 4, 5, 6), "validation_folds": (7, 8, 9), "batch": 10,
            "epochs": 2, "fewest_positives": 5, "attribution": "made by a test", **changes,
        }
    )  # fmt: skip
    return RunOrder(name, options.to_json(), (str(data),), asked_by="ada")


@contextmanager
def runs_here() -> Iterator[None]:
    """A run that is started meanwhile does its work at once, in this process: where a process of
    its own would only be slower."""

    def launch(run: Path) -> None:
        write_state(run, "queued", "", own_identity(), now())
        with suppress(SystemExit):
            work(run)

    before = signal.getsignal(signal.SIGTERM)
    try:
        with patch.object(control, "_launch", launch), patch.dict(os.environ, {NICENESS: "0"}):
            yield
    finally:
        signal.signal(signal.SIGTERM, before)


def write_run(
    workspace: Workspace,
    order: RunOrder | None,
    run_id: str,
    state: State,
    *,
    epochs: int = 3,
    labels: tuple[str, ...] = ("superclasses/MI", "superclasses/CD"),
    sentence: str = "",
) -> Path:
    """A run of ``epochs`` epochs so far, six steps each. At work means: in this process. Of the
    last label the validation records hold one class only. ``order`` None: begun in a terminal."""
    folder = workspace.root / "runs" / run_id
    folder.mkdir(parents=True)
    if order is not None:
        write_json(folder / ORDER, order.to_json())
    for epoch in range(1, epochs + 1):
        row = {
            "epoch": epoch, "loss": 1 / epoch, "validation_loss": 1.1 / epoch,
            "validation_auroc": 0.6 + 0.1 * epoch / epochs, "learning_rate": 0.001, "seconds": 1,
        }  # fmt: skip
        known = {name: round(0.5 + 0.4 * epoch / epochs, 5) for name in labels[:-1]}
        scores = {**known, labels[-1]: None}
        told = {"epoch": epoch, "member": 1, "auroc": scores, "auprc": scores}
        for file, line in ((PROGRESS, row), (BY_LABEL, told)):
            with (folder / file).open("a", encoding="utf-8") as opened:
                opened.write(json.dumps(line) + "\n")
    losses = b"".join(struct.pack("<2f", at, 1 / at) for at in range(1, 6 * epochs + 1))
    (folder / LOSSES).write_bytes(losses)
    (folder / LOG).write_text("a line of the log\n", encoding="utf-8")
    live = Live(
        "training", time.time(), epoch=epochs, epochs=10, step=6, steps=6, loss=0.25,
        learning_rate=0.001, records_per_second=123.4, seconds_left=200.0,
    )  # fmt: skip
    write_json(folder / LIVE, asdict(live))
    write_state(
        folder, state, sentence, own_identity() if state in ("queued", "running") else None, now()
    )
    return folder


def finish_run(workspace: Workspace, order: RunOrder, run_id: str) -> Path:
    """A run that has learned and published, here and now."""
    folder = workspace.root / "runs" / run_id
    folder.mkdir(parents=True)
    write_json(folder / ORDER, order.to_json())
    data = joined([Path(path) for path in order.data])
    train_and_publish(order.name, options_from_json(order.options), data, folder, ["--name", "x"])
    write_state(folder, "finished", "", None, now())
    return folder


def asked_at(order: RunOrder, at: str) -> RunOrder:
    """The order as of another moment."""
    return replace(order, asked_at=at)
