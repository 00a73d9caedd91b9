"""Gathering evidence beside the page: one at a time, stopped, broken off, and ended with Python."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from ecgcore.label_evidence import EvidenceBook
from ecgcore.label_gathering import Gatherer
from ecgcore.recording import Recording, RecordingError

KEYS = tuple(f"{number:064x}" for number in range(12))


def _gone() -> Recording:
    raise RecordingError("a file that is gone", "one that is there", "put it back")


def _waiting(for_it: threading.Event) -> Callable[[], Recording]:
    def read() -> Recording:
        assert for_it.wait(60)
        return _gone()

    return read


def test_it_works_through_what_was_asked_and_tells_how_far_it_is(tmp_path: Path) -> None:
    gatherer, book = Gatherer(), EvidenceBook(tmp_path, ())
    assert gatherer.progress() is None
    assert gatherer.start(book, dict.fromkeys(KEYS, _gone))
    assert gatherer.wait(60)
    told = gatherer.progress()
    assert told is not None
    assert (told.asked, told.done, told.running, told.trouble) == (12, 12, False, None)
    assert EvidenceBook(tmp_path, ()).missing(KEYS) == ()


def test_only_one_runs_and_findings_are_handed_over_in_quarters(tmp_path: Path) -> None:
    gatherer, book = Gatherer(), EvidenceBook(tmp_path, ())
    later = threading.Event()
    readers = dict.fromkeys(KEYS[:5], _gone) | {KEYS[5]: _waiting(later)}
    readers |= dict.fromkeys(KEYS[6:], _gone)
    assert gatherer.start(book, readers)
    assert not gatherer.start(book, {KEYS[0]: _gone})
    until = time.monotonic() + 30
    while (told := gatherer.progress()) and told.done < 5 and time.monotonic() < until:
        time.sleep(0.01)
    assert gatherer.held_back() == set(KEYS[3:5])
    later.set()
    assert gatherer.wait(60)
    assert gatherer.held_back() == frozenset()
    assert gatherer.start(book, {KEYS[0]: _gone})
    assert gatherer.wait(60)


def test_a_stop_ends_it_after_the_recording_in_hand_and_keeps_what_was_found(
    tmp_path: Path,
) -> None:
    gatherer, book = Gatherer(), EvidenceBook(tmp_path, ())
    later = threading.Event()
    readers = {KEYS[0]: _gone, KEYS[1]: _waiting(later), KEYS[2]: _gone}
    assert gatherer.start(book, readers)
    gatherer.stop()
    later.set()
    assert gatherer.wait(60)
    kept = EvidenceBook(tmp_path, ())
    assert KEYS[2] in kept.missing(KEYS[:3])
    told = gatherer.progress()
    assert told is not None
    assert told.done == 3 - len(kept.missing(KEYS[:3]))


def test_it_ends_with_the_interpreter_and_keeps_what_was_found(tmp_path: Path) -> None:
    program = f"""
import threading
import time
from pathlib import Path
from ecgcore.label_evidence import EvidenceBook
from ecgcore.label_gathering import Gatherer
from ecgcore.recording import RecordingError
def read():
    time.sleep(0.2)
    raise RecordingError("gone", "there", "put it back")
keys = [f"{{number:064x}}" for number in range(3000)]
gatherer = Gatherer()
book = EvidenceBook(Path({str(tmp_path)!r}), ())
page = threading.Thread(
    target=gatherer.start, args=(book, dict.fromkeys(keys, read)), daemon=True
)
page.start()
page.join()
while gatherer.progress().done < 2:
    time.sleep(0.05)
"""
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    # As a page's thread does, a daemon began it; what was found is kept all the same.
    missing = EvidenceBook(tmp_path, ()).missing([f"{number:064x}" for number in range(3000)])
    assert 2900 < len(missing) <= 2998
