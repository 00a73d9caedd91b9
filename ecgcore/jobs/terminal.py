"""A run that a terminal or torchrun started, told of like any other: its folder says what it does,
so that a page on the same workspace shows it, and can let it pause or stop.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ecgcore.jobs.failures import sentence_of
from ecgcore.jobs.folder import LOCK, WISH, write_state
from ecgcore.jobs.identity import held, own_identity
from ecgcore.jobs.reporter import Reporter
from ecgcore.jobs.values import JobError, State, now
from ecgcore.training.watching import RunStopped


@contextmanager
def told_of(folder: Path) -> Iterator[Reporter]:
    """The watch of a run in ``folder``. Raises JobError where another process works there, and what
    is raised within, noted as the run's end."""
    with held(folder / LOCK) as got:
        if not got:
            raise JobError(
                f"another process works in {folder}; wait for it, or name another folder"
            )
        (folder / WISH).unlink(missing_ok=True)
        write_state(folder, "running", "", own_identity(), now())
        try:
            with Reporter(folder) as reporter:
                yield reporter
        except RunStopped as stopped:
            state: State = "paused" if reporter.wish == "pause" else "stopped"
            write_state(folder, state, f"It {stopped}.", None, now())
            raise
        except KeyboardInterrupt:
            sentence = "Interrupted in its terminal; the same command goes on from its last save."
            write_state(folder, "stopped", sentence, None, now())
            raise
        except BaseException as error:
            write_state(folder, "failed", sentence_of(error, folder), None, now())
            raise
        write_state(folder, "finished", "", None, now())
