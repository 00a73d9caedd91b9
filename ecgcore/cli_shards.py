"""Answers for very many files: on several workers, and so that a stopped command goes on.

Files are dealt out in turn. After every few files the first worker takes in what the others found
and prints it in input order, so that memory stays small and a pipe sees answers as they come.

With a folder of shards each worker also appends its answers to a file of its own there, a line each
in one write. The same command, with any number of workers, then answers only what no shard holds; a
last line that a kill cut short is dropped. ``asked.json`` says what the answers are of.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from ecgcore.cli_values import UsageError
from ecgcore.storage import write_json
from ecgcore.training.distributed import Workers

ASKED = "asked.json"

_ROUND = 8
"""Files a worker answers before it tells the first one."""

Row = dict[str, Any]


class Shards:
    """The answers in a folder, and this worker's file among them."""

    def __init__(self, folder: Path, rank: int) -> None:
        self.own = folder / f"worker-{rank}.jsonl"
        self._places: dict[str, tuple[Path, int]] = {}
        for path in sorted(folder.glob("worker-*.jsonl")):
            end = self._read(path)
            if path == self.own:
                os.truncate(path, end)

    def _read(self, path: Path) -> int:
        """Note where each answer stands; returns where the last whole line ends."""
        place = 0
        with path.open("rb") as file:
            for line in file:
                if not line.endswith(b"\n"):
                    break
                row = _parsed(line)
                if row is not None:
                    self._places[row["file"]] = (path, place)
                place += len(line)
        return place

    def __contains__(self, path: Path) -> bool:
        return str(path) in self._places

    def row(self, path: Path) -> Row:
        """The answer that a shard holds."""
        shard, place = self._places[str(path)]
        with shard.open("rb") as file:
            file.seek(place)
            row: Row = json.loads(file.readline())
        return row

    def keep(self, row: Row) -> None:
        """Append an answer, whole or not at all as far as a kill goes."""
        line = json.dumps(row, allow_nan=False).encode() + b"\n"
        with self.own.open("ab", buffering=0) as file:
            file.write(line)


def open_shards(folder: Path, asked: Row, workers: Workers) -> Shards:
    """The folder's shards, made if there are none. UsageError if they answer something else."""
    workers.of_first(lambda: _begin(folder, asked))
    try:
        found = json.loads((folder / ASKED).read_text(encoding="utf-8"))
        told = {name: found.get(name) for name in asked}
    except (ValueError, AttributeError) as error:
        raise UsageError(f"{folder / ASKED} is damaged: {error}; remove {folder}") from error
    if found != asked:
        different = ", ".join(name for name in asked if told[name] != asked[name]) or "words"
        raise UsageError(
            f"--shards {folder} holds answers to another question (other {different}); choose "
            "another folder or remove it"
        )
    return workers.each(lambda: Shards(folder, workers.rank))


def answers(
    files: Sequence[Path],
    answer: Callable[[Path], Row],
    workers: Workers,
    shards: Shards | None = None,
) -> Iterator[Row]:
    """One row a file, in input order, at the first worker; none at the others."""
    together = workers.size * _ROUND if workers.size > 1 else 1
    for first in range(0, len(files), together):
        block = files[first : first + together]
        mine = [_answered(path, answer, shards) for path in block[workers.rank :: workers.size]]
        parts = workers.collect(mine)
        for number, path in enumerate(block if workers.first else ()):
            row = parts[number % workers.size][number // workers.size]
            if row is not None:
                yield row
            elif shards is not None:
                yield shards.row(path)


def _answered(path: Path, answer: Callable[[Path], Row], shards: Shards | None) -> Row | None:
    """A new answer, or None where a shard holds it."""
    if shards is None:
        return answer(path)
    if path in shards:
        return None
    row = answer(path)
    shards.keep(row)
    return row


def _begin(folder: Path, asked: Row) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / ASKED).exists():
        write_json(folder / ASKED, asked)


def _parsed(line: bytes) -> Row | None:
    """An answer, or None for what is none: a disk may lose what was written before a power cut."""
    try:
        row = json.loads(line)
    except ValueError:
        return None
    return row if isinstance(row, dict) and isinstance(row.get("file"), str) else None
