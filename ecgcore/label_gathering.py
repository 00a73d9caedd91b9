"""Gathering evidence beside the page: one thread of the server works through what was asked, goes
on when the page is left, and ends with the server.

The thread is no daemon: the interpreter waits for it at its end, and it stops after the recording
in hand once the main thread is over. What was gathered until then is kept.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ecgcore.label_evidence import EvidenceBook
from ecgcore.recording import Recording

Readers = Mapping[str, Callable[[], Recording]]
_PARTS = 4
"""Findings are handed over this often in one gathering: judging all labels takes a while."""


@dataclass(frozen=True)
class Progress:
    """How far a gathering is: ``done`` of ``asked`` recordings; ``trouble`` is why it ended before
    its end, if it did."""

    asked: int
    done: int
    running: bool
    trouble: str | None = None


class Gatherer:
    """At most one gathering at a time; safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()
        self._keys: tuple[str, ...] = ()
        self._done = 0
        self._handed_over = 0
        self._trouble: str | None = None

    def start(self, book: EvidenceBook, readers: Readers) -> bool:
        """Begin, unless a gathering is going on; whether it was begun."""
        with self._lock:
            if self._thread is not None and self._thread.is_alive():
                return False
            self._keys, self._done, self._handed_over = tuple(readers), 0, 0
            self._trouble = None
            self._stop = threading.Event()
            # A page's own thread is a daemon, and its children would be: cut off in mid-step.
            self._thread = threading.Thread(
                target=self._work, args=(book, readers, self._stop), name="evidence", daemon=False
            )
            self._thread.start()
            return True

    def stop(self) -> None:
        """End after the recording in hand."""
        self._stop.set()

    def wait(self, seconds: float | None = None) -> bool:
        """Until it has ended, or for so long; whether it has."""
        thread = self._thread
        if thread is not None:
            thread.join(seconds)
        return thread is None or not thread.is_alive()

    def progress(self) -> Progress | None:
        """How far it is, or how it ended; None before the first."""
        with self._lock:
            if self._thread is None:
                return None
            running = self._thread.is_alive()
            return Progress(len(self._keys), self._done, running, self._trouble)

    def held_back(self) -> frozenset[str]:
        """Recordings that have been looked at and are not handed over yet."""
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                return frozenset()
            return frozenset(self._keys[self._handed_over : self._done])

    def _work(self, book: EvidenceBook, readers: Readers, stop: threading.Event) -> None:
        gathering = book.gather(readers)
        try:
            for done in gathering:
                self._note(done)
                if stop.is_set() or not threading.main_thread().is_alive():
                    break
        except OSError as error:
            self._trouble = (
                f"What was found cannot be kept: {error.strerror or error}. Make room on the disk "
                "before the server stops, or it is looked for again."
            )
        finally:
            gathering.close()

    def _note(self, done: int) -> None:
        with self._lock:
            self._done = done
            step = -(-len(self._keys) // _PARTS)
            if done >= self._handed_over + step:
                self._handed_over = done
