"""The review store under many writers, killed writers, and hands that change what is stored.

``writers``: 32 processes decide 500 times each at once about 40 recordings they all share. None may
be lost, every decision must rest on the one before it about its recording (else it is a conflict
that was not shown), and the 99th percentile of a decision's time is printed beside its limit, 2 s.
``kills``: 50 times a deciding process gets SIGKILL at a random moment; what it had acknowledged
must be there. ``tampering``: 1,000 random edits, deletions and truncations of the stored reviews,
each with the triggers taken away first; the audit must find each (with the head exported before).
The peer is the plain way: one table without turns, triggers and chain, read then written.

    python benchmarks/review_store.py [--url postgresql://...] [--decisions 500]
"""

from __future__ import annotations

import argparse
import multiprocessing as mp
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from ecgcore.review.connection import sqlite_url
from ecgcore.review.store import KnownRecording, ReviewStore
from ecgcore.review.values import Conflict, Decision

WRITERS, RECORDINGS, KILLS, CHANGES = 32, 40, 50, 1000
LIMIT_SECONDS = 2.0
HASHES = tuple(f"{number:064x}" for number in range(1, RECORDINGS + 1))


def prepared(url: str) -> ReviewStore:
    """A store that knows the recordings."""
    store = ReviewStore(url)
    store.register("admin", [KnownRecording(one, one[-4:], one) for one in HASHES])
    return store


def write(url: str, name: str, decisions: int, out: mp.Queue[tuple[int, list[float]]]) -> None:
    """One writer: ``decisions`` times about a recording of the shared ones, again where somebody
    came first."""
    store, chance = ReviewStore(url), random.Random(name)
    seen, conflicts, seconds = dict.fromkeys(HASHES, 0), 0, []
    for _ in range(decisions):
        recording = chance.choice(HASHES)
        started = time.perf_counter()
        while True:
            try:
                kept = store.decide(
                    name, Decision(recording, "change", ("AFIB",), seen=seen[recording])
                )
                seen[recording] = kept.number
                break
            except Conflict as conflict:
                conflicts += 1
                seen[recording] = conflict.newer[-1].number
        seconds.append(time.perf_counter() - started)
    out.put((conflicts, seconds))


def plain_write(path: str, decisions: int, out: mp.Queue[int]) -> None:
    """The peer: read the last decision, write the next, no turns; lost where another one came
    between."""
    chance = random.Random(decisions)
    connection = sqlite3.connect(path, timeout=30)
    for _ in range(decisions):
        recording = chance.choice(HASHES)
        count = connection.execute(
            "SELECT n FROM plain WHERE recording = ?", (recording,)
        ).fetchone()[0]
        connection.execute("UPDATE plain SET n = ? WHERE recording = ?", (count + 1, recording))
        connection.commit()
    out.put(decisions)


def many_writers(url: str, decisions: int) -> bool:
    """Print what became of all decisions; whether nothing was lost."""
    store = prepared(url)
    out: mp.Queue[tuple[int, list[float]]] = mp.Queue()
    workers = [
        mp.Process(target=write, args=(url, f"writer {number}", decisions, out))
        for number in range(WRITERS)
    ]
    started = time.perf_counter()
    for worker in workers:
        worker.start()
    answers = [out.get() for _ in workers]
    for worker in workers:
        worker.join()
    wall = time.perf_counter() - started
    seconds = np.concatenate([answer[1] for answer in answers])
    reviews = store.reviews("admin")
    last: dict[str, int] = {}
    unseen = 0
    for review in reviews:
        unseen += review.decision.seen != last.get(review.decision.recording, 0)
        last[review.decision.recording] = review.number
    lost = WRITERS * decisions - len(reviews)
    p99 = float(np.percentile(seconds, 99))
    print(
        f"{store.database.engine.dialect.name}: {WRITERS} writers x {decisions}: lost {lost}, "
        f"conflicts shown {sum(answer[0] for answer in answers)}, not shown {unseen}, "
        f"median {np.median(seconds) * 1000:.0f} ms, p99 {p99:.3f} s (limit {LIMIT_SECONDS}), "
        f"largest {seconds.max():.3f} s, {len(reviews) / wall:.0f} decisions a second, "
        f"chain {'holds' if store.audit().intact else 'BROKEN'}"
    )
    return lost == 0 and unseen == 0 and p99 < LIMIT_SECONDS and store.audit().intact


def plain_writers(folder: Path, decisions: int) -> None:
    """Print what the peer loses."""
    path = str(folder / "plain.db")
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE plain (recording TEXT PRIMARY KEY, n INTEGER)")
        connection.executemany("INSERT INTO plain VALUES (?, 0)", [(one,) for one in HASHES])
    out: mp.Queue[int] = mp.Queue()
    workers = [mp.Process(target=plain_write, args=(path, decisions, out)) for _ in range(WRITERS)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    with sqlite3.connect(path) as connection:
        kept = connection.execute("SELECT sum(n) FROM plain").fetchone()[0]
    print(f"plain table without turns: lost {WRITERS * decisions - kept}")


def killed_writers(folder: Path) -> bool:
    """Print how many acknowledged decisions SIGKILL lost."""
    url = sqlite_url(folder / "killed.db")
    store = prepared(url)
    acknowledged: set[str] = set()
    chance = random.Random(0)
    for _ in range(KILLS):
        child = subprocess.Popen(
            [sys.executable, __file__, "--decide", url], stdout=subprocess.PIPE, text=True
        )
        assert child.stdout is not None
        lines = [child.stdout.readline()]
        time.sleep(chance.uniform(0, 0.3))
        child.send_signal(signal.SIGKILL)
        lines += child.stdout.readlines()
        child.wait()
        acknowledged |= {line.strip() for line in lines if line.endswith("\n")}
    kept = {review.hash for review in store.reviews("admin")}
    report = store.audit()
    lost = len(acknowledged - kept)
    print(
        f"{KILLS} x SIGKILL: {len(acknowledged)} acknowledged, lost {lost}, kept beyond them "
        f"{len(kept - acknowledged)}, chain {'holds' if report.intact else 'BROKEN'}"
    )
    return lost == 0 and report.intact


def decide_for_ever(url: str) -> None:
    """What is killed: decide, then say so."""
    store = ReviewStore(url)
    while True:
        last = store.reviews("child", recording=HASHES[0])
        seen = last[-1].number if last else 0
        print(store.decide("child", Decision(HASHES[0], "unsure", seen=seen)).hash, flush=True)


def tampering(folder: Path, changes: int = CHANGES) -> bool:
    """Print how many of random changes the audit found."""
    source = folder / "whole.db"
    store = prepared(sqlite_url(source))
    chance = random.Random(1)
    for number in range(60):
        last = store.reviews("ann", recording=HASHES[number % 9])
        store.decide(
            "ann",
            Decision(
                HASHES[number % 9], "change", ("AFIB", "IMI"), comment=f"comment {number}",
                seconds=number / 3, seen=last[-1].number if last else 0,
            ),
        )  # fmt: skip
    head = store.audit().head
    store.database.engine.dispose()
    found: dict[str, list[bool]] = {"edit": [], "deletion": [], "truncation": []}
    for trial in range(changes):
        copy = folder / "changed.db"
        for old in folder.glob("changed.db*"):
            old.unlink()
        shutil.copy(source, copy)
        kind = list(found)[trial % 3]
        with sqlite3.connect(copy) as connection:
            _change(connection, kind, chance)
        connection.close()
        opened = ReviewStore(sqlite_url(copy))
        found[kind].append(not opened.audit(heads=[head]).intact)
        opened.database.engine.dispose()
    print(
        "changes found: " + ", ".join(f"{kind} {sum(of)}/{len(of)}" for kind, of in found.items())
    )
    return all(all(of) for of in found.values())


_COLUMNS = (
    "number", "recording", "label_set", "reviewer", "decided_at", "action", "codes", "comment",
    "seconds", "evidence", "stage", "revises", "seen", "previous", "hash",
)  # fmt: skip


def _change(connection: sqlite3.Connection, kind: str, chance: random.Random) -> None:
    for change in ("update", "delete"):
        connection.execute(f"DROP TRIGGER reviews_no_{change}")
    at = chance.randint(1, 60)
    if kind == "deletion":
        connection.execute("DELETE FROM reviews WHERE number = ?", (at,))
    elif kind == "truncation":
        connection.execute("DELETE FROM reviews WHERE number >= ?", (at,))
    else:
        column = chance.choice(_COLUMNS)
        (old,) = connection.execute(
            f"SELECT {column} FROM reviews WHERE number = ?", (at,)
        ).fetchone()
        connection.execute(
            f"UPDATE reviews SET {column} = ? WHERE number = ?", (_other(old, chance), at)
        )


def _other(old: object, chance: random.Random) -> object:
    """Another value of the same kind: one character, or a number a little off."""
    if isinstance(old, str) and old:
        at = chance.randrange(len(old))
        return old[:at] + chr(ord(old[at]) ^ 1) + old[at + 1 :]
    if isinstance(old, int | float):
        return old + 1000 if isinstance(old, int) else old + 2**-20
    return 7 if old is None else "x"


def main() -> None:
    """Run all and say whether all limits are met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", help="of an empty PostgreSQL database, for the writers too")
    parser.add_argument("--decisions", type=int, default=500)
    parser.add_argument("--decide", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.decide:
        decide_for_ever(given.decide)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        met = [many_writers(sqlite_url(folder / "many.db"), given.decisions)]
        plain_writers(folder, given.decisions)
        if given.url:
            met.append(many_writers(given.url, given.decisions))
        met += [killed_writers(folder), tampering(folder)]
    print("all met" if all(met) else "NOT all met")


if __name__ == "__main__":
    main()
