"""What the process of a run does: wait for its turn, learn, publish, and say how it ended.

``python -m ecgcore.jobs FOLDER``; ``control`` starts it. It belongs to no terminal and to no
server, works at low priority, so that pages stay quick, and asks no outside address for anything.
"""

from __future__ import annotations

import os
import signal
import time
import traceback
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

from ecgcore.jobs.failures import sentence_of
from ecgcore.jobs.folder import LOCK, log_line, read_order, read_state, write_state
from ecgcore.jobs.identity import held, own_identity
from ecgcore.jobs.register import note_state
from ecgcore.jobs.reporter import Reporter
from ecgcore.jobs.reproducing import words_of
from ecgcore.jobs.search_space import search_from_json
from ecgcore.jobs.searching import best_of
from ecgcore.jobs.turn import leave_line, own_turn
from ecgcore.jobs.values import JobError, RunOrder, State, now
from ecgcore.review_work import pack_of_run
from ecgcore.training.options import options_from_json
from ecgcore.training.watching import RunStopped
from ecgcore.training.whole_run import MODEL, joined, of_snapshot, train_and_publish
from ecgcore.workspace import Workspace

NICENESS = "ECG_TRAINING_NICENESS"
"""How far runs give way to everything else: 0 (not) to 19, 10 where nothing is said."""
CHOSEN = (
    "Chosen as the best of {trials} trials of a search by its score on the records that are scored "
    "here, which is too good by the choosing."
)
"""What the card of a search's model says of its numbers."""
_INTRODUCTION_SECONDS = 5.0
_DYING_SECONDS = 2.0
"""So long a process that was killed may keep what it held."""
_RESERVE = ".reserve"
_RESERVE_BYTES = 65_536
"""Kept in the run's folder, so that on a full disk there is room to say so."""


def work(folder: Path) -> None:
    """Do the run of a folder, or go on with it; where another process has it, nothing."""
    with held(folder / LOCK, _DYING_SECONDS) as got:
        if not got:
            return
        _await_introduction(folder)
        process = _Process(folder)
        _be_polite()
        process.note("queued", "")
        try:
            process.run()
        except RunStopped as stopped:
            process.end_as_wished(str(stopped))
        except BaseException as error:  # whatever it is, the run says how it ended
            traceback.print_exception(error)
            process.note("failed", sentence_of(error, folder))
            raise SystemExit(1) from error
        finally:
            leave_line(folder.parent, folder.name)


class _Process:
    """One run at work."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.identity = folder, own_identity()
        self.workspace = Workspace(folder.parent.parent)
        self.reporter, self.name = Reporter(folder), folder.name
        for leftover in folder.rglob(".checkpoint.safetensors.*"):
            leftover.unlink(missing_ok=True)  # of a save that a kill cut
        signal.signal(signal.SIGTERM, self._told)

    def run(self) -> None:
        """The whole course."""
        order = read_order(self.folder)
        if order is None:
            raise JobError(f"{self.folder} has no order of a run")
        self.name = order.name
        (self.folder / _RESERVE).write_bytes(bytes(_RESERVE_BYTES))
        with self.reporter:
            self.reporter.phase("waiting")
            with own_turn(self.folder.parent, self.folder.name, self._waits_on) as came:
                if not came:
                    raise RunStopped("waited for its turn")
                self.note("running", "")
                self._learn(order)
        self.note("finished", "")
        (self.folder / _RESERVE).unlink(missing_ok=True)

    def _learn(self, order: RunOrder) -> None:
        self.reporter.phase("reading data")
        options = options_from_json(order.options)
        options = of_snapshot(options, order.snapshot, beside=bool(order.data))
        files = [Path(path) for path in order.data]
        if order.snapshot:
            files.append(pack_of_run(self.workspace, order.snapshot, self.folder))
        for path in files:
            if not path.is_file():
                raise FileNotFoundError(2, "no such file", str(path))
        data = joined(files)
        place, limits = self.folder, tuple[str, ...]()
        if order.search is not None:
            search = search_from_json(order.search)
            options, place = best_of(
                search, options, data, place, report=_print, watch=self.reporter
            )
            limits = (CHOSEN.format(trials=search.trials),)
            order = replace(order, options=options.to_json(), search=None)
        words = words_of(order, f"runs/{order.name}", named=True)
        train_and_publish(
            order.name, options, data, place, words,
            report=_print, watch=self.reporter, model=self.folder / MODEL, limits=limits,
        )  # fmt: skip

    def end_as_wished(self, where: str) -> None:
        """After a stop that was asked for."""
        if self.reporter.told_to_stop:
            self.note("interrupted", f"The machine or a person ended the process; it {where}.")
        elif self.reporter.wish == "pause":
            self.note("paused", f"Paused: {where}. Resume goes on from there.")
        else:
            self.note("stopped", f"Stopped: {where}. Resume would go on from there.")

    def note(self, state: State, sentence: str) -> None:
        """Write the state down, on a full disk in the room kept for it."""
        log_line(f"{state} {sentence}".strip())
        at_work = self.identity if state in ("queued", "running") else None
        try:
            write_state(self.folder, state, sentence, at_work, now())
        except OSError:
            (self.folder / _RESERVE).unlink(missing_ok=True)
            write_state(self.folder, state, sentence, at_work, now())
        note_state(self.workspace, self.folder.name, self.name, state, sentence)

    def _waits_on(self, sentence: str) -> bool:
        if self.reporter.live.phase != sentence:
            self.reporter.phase(sentence)
        return not self.reporter.wants_stop()

    def _told(self, number: int, frame: FrameType | None) -> None:
        self.reporter.told_to_stop = True


def _print(row: dict[str, Any]) -> None:
    log_line(str(row))


def _await_introduction(folder: Path) -> None:
    """Until whoever started this process has written its name down, so that they do not write over
    what it says next; not for long, as they may have died."""
    own, until = own_identity(), time.monotonic() + _INTRODUCTION_SECONDS
    while time.monotonic() < until:
        written = read_state(folder)
        if written is not None and written[2] == own:
            return
        time.sleep(0.02)


def _be_polite() -> None:
    """Give way to the pages: by niceness, and between sessions by the group's (Linux)."""
    told = os.environ.get(NICENESS, "")
    niceness = min(int(told), 19) if told.isdecimal() else 10
    with suppress(OSError):
        os.nice(niceness)
    with suppress(OSError):
        Path("/proc/self/autogroup").write_text(str(niceness), encoding="ascii")
