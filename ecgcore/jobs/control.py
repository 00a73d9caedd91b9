"""Runs as a page or the command line asks for them: start, pause, resume, stop, look.

Every action names who asks, and their role is checked (``train``) before anything happens.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from threading import Thread

from ecgcore.jobs import search_space
from ecgcore.jobs.folder import (
    LOG,
    ORDER,
    read_live,
    read_order,
    read_state,
    write_state,
    write_wish,
)
from ecgcore.jobs.identity import identity_of, is_alive, this_machine
from ecgcore.jobs.register import record
from ecgcore.jobs.turn import stand_in_line
from ecgcore.jobs.values import JobError, RunOrder, RunStatus, State, Wish, now
from ecgcore.review.store import ReviewStore
from ecgcore.storage import write_json
from ecgcore.training.checkpoint import CHECKPOINT
from ecgcore.training.options import TrainOptions, options_from_json
from ecgcore.training.refusals import of_options
from ecgcore.workspace import Workspace

MOST_DEATHS = 3
"""So often a process may end without a word since the last save before it is left alone."""

_DEATHS = "deaths.json"
_RUN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,119}")


def runs_folder(workspace: Workspace) -> Path:
    """Where the runs of a workspace are."""
    return workspace.root / "runs"


def submit(workspace: Workspace, store: ReviewStore, order: RunOrder) -> str:
    """Start a run in a process of its own; it waits where another one is at work. Returns its id.

    Raises JobError where it could not begin, Forbidden, StoreError.
    """
    refuse_unfit(order)
    stamp = order.asked_at[:19].replace("-", "").replace(":", "").replace("T", "-")
    run = _new_folder(runs_folder(workspace), f"{stamp}-{order.name}")
    record(store, order.asked_by, run.name, order.name, "queued")
    write_json(run / ORDER, order.to_json())
    _launch(run)
    return run.name


def refuse_unfit(order: RunOrder) -> TrainOptions:
    """The options of an order that can be tried. Raises JobError."""
    try:
        options = options_from_json(order.options)
    except (ValueError, TypeError) as error:
        raise JobError(f"the options cannot be used: {error}") from error
    missing = [path for path in order.data if not Path(path).is_file()]
    if missing:
        raise JobError(f"{missing[0]} is not there; choose packed data that are")
    reasons = of_options(options)
    if reasons:
        raise JobError(reasons[0])
    if order.search is not None:
        search_space.refuse_unfit(search_space.search_from_json(order.search), order.options)
    return options


def pause(workspace: Workspace, store: ReviewStore, run_id: str, by: str) -> None:
    """Let a run finish its step, save, and wait to be resumed. Raises JobError, Forbidden."""
    _wish(workspace, store, run_id, by, "pause")


def stop(workspace: Workspace, store: ReviewStore, run_id: str, by: str) -> None:
    """Let a run finish its step, save and end. Raises JobError, Forbidden."""
    _wish(workspace, store, run_id, by, "stop")


def resume(workspace: Workspace, store: ReviewStore, run_id: str, by: str) -> None:
    """Go on with a run that was paused, stopped, interrupted, or failed. Raises JobError,
    Forbidden."""
    now_ = status(workspace, run_id)
    if now_.at_work or now_.state == "finished":
        raise JobError(f"{run_id} is {now_.state}; only one that is not at work can be resumed")
    if now_.order is None:
        raise JobError(
            f"{run_id} was started in a terminal; the same command there goes on from its last save"
        )
    refuse_unfit(now_.order)
    record(store, by, run_id, now_.name, "queued")
    (now_.folder / _DEATHS).unlink(missing_ok=True)
    write_wish(now_.folder, "run", by, now())
    _launch(now_.folder)


def runs(workspace: Workspace) -> tuple[RunStatus, ...]:
    """Every run, the newest first."""
    folder = runs_folder(workspace)
    found = [path for path in folder.glob("*") if _is_run(path)]
    found.sort(key=lambda path: (_moment(path), path.name), reverse=True)
    return tuple(_status(path) for path in found)


def status(workspace: Workspace, run_id: str) -> RunStatus:
    """One run. Raises JobError where there is none of that name."""
    folder = runs_folder(workspace) / run_id
    if not _RUN.fullmatch(run_id) or not _is_run(folder):
        raise JobError(f"there is no run {run_id!r}; see the list of runs")
    return _status(folder)


def tend(workspace: Workspace) -> tuple[str, ...]:
    """Go on with the runs of this machine whose process ended without a word; their ids.

    One that ended so ``MOST_DEATHS`` times since its last save is left alone, as failed.
    """
    tended = []
    for one in runs(workspace):
        if one.state != "interrupted" or one.order is None or _is_elsewhere(one.folder):
            continue
        deaths = _one_death_more(one.folder)
        if deaths >= MOST_DEATHS:
            write_state(
                one.folder, "failed",
                f"The process ended {deaths} times without a word since its last save. Most likely "
                "the system ended it for want of memory: choose a smaller batch or network, or "
                "close other programs, and resume.", None, now(),
            )  # fmt: skip
            continue
        _launch(one.folder)
        tended.append(one.id)
    return tuple(tended)


def _wish(workspace: Workspace, store: ReviewStore, run_id: str, by: str, wish: Wish) -> None:
    found = status(workspace, run_id)
    if found.state in ("finished", "failed") or (wish == "pause" and not found.at_work):
        raise JobError(f"{run_id} is {found.state}; it cannot be told to {wish}")
    state: State = "paused" if wish == "pause" else "stopped"
    record(store, by, run_id, found.name, state)
    write_wish(found.folder, wish, by, now())
    if not found.at_work:
        write_state(found.folder, state, "Resume would go on from its last save.", None, now())


def _new_folder(runs: Path, name: str) -> Path:
    """A folder that nobody else has. Raises JobError where none can be made."""
    runs.mkdir(parents=True, exist_ok=True)
    for number in range(1, 1000):
        folder = runs / (name if number == 1 else f"{name}-{number}")
        try:
            folder.mkdir()
        except FileExistsError:
            continue
        except OSError as error:
            raise JobError(
                f"{runs} cannot be written to ({error.strerror}); free or unlock it"
            ) from error
        return folder
    raise JobError(f"a thousand runs are called {name}; give another name")


def _launch(folder: Path) -> None:
    """Start the run's process; it belongs to no terminal and outlives this one.

    Its place in line is taken here: processes begin in another order than they were asked for.
    """
    order = read_order(folder)
    if order is not None:
        stand_in_line(folder.parent, folder.name, order.asked_at)
    package = str(Path(__file__).resolve().parent.parent.parent)
    paths = os.pathsep.join(p for p in (package, os.environ.get("PYTHONPATH")) if p)
    with (folder / LOG).open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "ecgcore.jobs", str(folder)],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            env={**os.environ, "PYTHONPATH": paths},
        )  # fmt: skip
    with suppress(OSError):  # it has ended already, and said why
        write_state(folder, "queued", "", identity_of(process.pid), now())
    # Whoever started a process must take its end in; a server that is gone leaves that to the
    # system.
    Thread(target=process.wait, daemon=True, name=f"run {folder.name}").start()


def _is_run(folder: Path) -> bool:
    return any((folder / name).exists() for name in (ORDER, "state.json", "progress.jsonl")) or any(
        folder.glob("member_0")
    )


def _moment(folder: Path) -> float:
    """When a run was asked for, else when its folder was last written to."""
    try:
        return (folder / ORDER if (folder / ORDER).exists() else folder).stat().st_mtime
    except OSError:
        return 0.0


def _status(folder: Path) -> RunStatus:
    try:
        order = read_order(folder)
    except JobError as error:
        return RunStatus(folder.name, folder, None, "failed", str(error))
    live, written = read_live(folder), read_state(folder)
    if written is None:
        whole = (folder / "model" / "card.json").exists()
        return RunStatus(folder.name, folder, order, "finished" if whole else "interrupted")
    state, sentence, identity = written
    if state in ("queued", "running") and not is_alive(identity, live, time.time()):
        state = "interrupted"
        sentence = (
            "Its process ended without a word, as when it is killed or the machine is started "
            "anew. Nothing that was saved is lost."
        )
    if state == "queued" and live is not None and live.phase.startswith("waits"):
        sentence = f"It {live.phase}."
    return RunStatus(folder.name, folder, order, state, sentence, live)


def _is_elsewhere(folder: Path) -> bool:
    written = read_state(folder)
    identity = None if written is None else written[2]
    return identity is not None and identity.host != this_machine()[0]


def _one_death_more(folder: Path) -> int:
    """How often the process has ended without a word since its last save."""
    saved = max((p.stat().st_mtime_ns for p in folder.rglob(CHECKPOINT)), default=0)
    try:
        before = json.loads((folder / _DEATHS).read_bytes())
        count = before["count"] if before["saved"] == saved else 0
    except (OSError, ValueError, KeyError, TypeError):
        count = 0
    write_json(folder / _DEATHS, {"saved": saved, "count": count + 1})
    return int(count) + 1
