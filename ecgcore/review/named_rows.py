"""Tables from outside: rows of text, and which recording each is about, by hash or by name."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from ecgcore.review.store import KnownRecording
from ecgcore.review.values import ReviewError

LARGEST_TABLE = 64 * 1024**2


def table_rows(data: bytes, origin: str) -> list[dict[str, str]]:
    """The rows of a CSV table in UTF-8 by its header. Raises ReviewError for anything else."""
    if len(data) > LARGEST_TABLE:
        raise ReviewError(f"a table of {len(data)} bytes; at most {LARGEST_TABLE}")
    try:
        return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    except (UnicodeDecodeError, csv.Error) as error:
        raise ReviewError(f"{origin} is no table of text in UTF-8: {error}") from error


class RecordingNames:
    """The recordings of a store by what tables call them."""

    def __init__(self, known: Iterable[KnownRecording]) -> None:
        self._hashes = set[str]()
        self._names = dict[str, list[str]]()
        for one in known:
            self._hashes.add(one.hash)
            self._names.setdefault(one.name, []).append(one.hash)

    def hashes(self, told: str) -> tuple[str, ...]:
        """Those meant by a hash, a name, or a path that ends in a name: none, one, or several."""
        if told in self._hashes:
            return (told,)
        stem = told.replace("\\", "/").rsplit("/", 1)[-1]
        names = self._names
        return tuple(names.get(told) or names.get(stem) or names.get(stem.rsplit(".", 1)[0]) or ())

    def only(self, told: str, where: str) -> str:
        """The one that is meant. Raises ReviewError where it is not one."""
        found = self.hashes(told)
        if len(found) != 1:
            raise ReviewError(
                f"{where}: {len(found) or 'no'} recording{'s' * (len(found) != 1)} named "
                f"{told[:60]!r}; add the recordings first, or name them by the hash of their "
                "content"
            )
        return found[0]
