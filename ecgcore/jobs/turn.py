"""One run at a time on a machine: the others wait in the order in which they were asked for.

``runs/queue/<moment>-<id>`` stands for each run that waits. The one at work holds the lock of the
machine's turn; the kernel lets go of it when the process dies, and the next takes it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ecgcore.jobs.folder import read_live, read_state
from ecgcore.jobs.identity import held, is_alive, this_machine
from ecgcore.storage import write_bytes

_QUEUE = "queue"
_LOOK_SECONDS = 0.25


def stand_in_line(runs: Path, run_id: str, moment: str) -> None:
    """Take a place behind those who wait already."""
    place = _place(runs, run_id) or runs / _QUEUE / f"{moment.replace(':', '.')}~{run_id}"
    if not place.exists():
        write_bytes(place, b"")


def leave_line(runs: Path, run_id: str) -> None:
    """Give the place up."""
    place = _place(runs, run_id)
    if place is not None:
        place.unlink(missing_ok=True)


def ahead_of(runs: Path, run_id: str) -> list[str]:
    """The runs of this machine that were asked for earlier and wait still."""
    found = []
    for place in sorted((runs / _QUEUE).glob("*~*")):
        other = place.name.partition("~")[2]
        if other == run_id:
            break
        if _waits(runs / other):
            found.append(other)
    return found


@contextmanager
def own_turn(runs: Path, run_id: str, goes_on: Callable[[str], bool]) -> Iterator[bool]:
    """Wait for the machine's turn and hold it; ``goes_on`` is told what is waited for, every
    quarter of a second, and says whether to wait on. Yields whether the turn came."""
    lock = runs / _QUEUE / f".turn-{this_machine()[0]}"
    while True:
        before = len(ahead_of(runs, run_id))
        with held(lock) as free:
            if free and not before:
                leave_line(runs, run_id)
                yield True
                return
        before += not free  # the one at work stands in no line
        what = f"{before} runs before it" if before > 1 else "the run before it"
        if not goes_on(f"waits for {what} on this machine"):
            leave_line(runs, run_id)
            yield False
            return
        time.sleep(_LOOK_SECONDS)


def _place(runs: Path, run_id: str) -> Path | None:
    return next((runs / _QUEUE).glob(f"*~{run_id}"), None)


def _waits(folder: Path) -> bool:
    """Whether a run's process is there and has not begun; one that died is not waited for."""
    state = read_state(folder)
    if state is None or state[0] != "queued":
        return False
    return is_alive(state[2], read_live(folder), time.time())
