"""Which recordings of a workspace show one tracing, found as they come and kept.

A file a recording in ``evidence/tracings-1/``, named by the recording's content, holds what it is
compared by (beats and a narrow band of the signal; about 9 kB for 10 s); ``tracings-1.json`` holds
what was found. Each newcomer is compared with those that are there, so that nothing is done twice.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from ecgcore.recording import Recording
from ecgcore.signal.tracing_search import BeatIndex, Overlap, Tracing, overlap, tracing_of
from ecgcore.storage import writing

VERSION = 1
_CONTENT_HASH = re.compile(r"[0-9a-f]{64}")
Found = dict[str, tuple[float, float, float]]
"""By the other recording: correlation, shared seconds, and by how many the other begins later."""


class TracingBook:
    """The tracings of a workspace; ``folder`` is made when the first is kept."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / f"tracings-{VERSION}"
        self._index: BeatIndex | None = None
        self._keys: list[str] = []

    def compare(self, key: str, recording: Recording, among: Iterable[str]) -> Found | str:
        """Those of the recordings ``among`` that show the same tracing as this one, which is kept
        for those to come; or why it is not compared. ``key`` is the hash of its content."""
        made = tracing_of(recording.signal, recording.sampling_rate, recording.leads)
        if isinstance(made, str):
            return made
        index = self._ready(among)
        found = {}
        for at in index.alike(made.beat):
            other = self._keys[at]
            alike = None if other == key else self._alike(made, other)
            if alike is not None and alike.is_same:
                found[other] = (round(alike.correlation, 3), alike.seconds, alike.later)
        with writing(self._path(key)) as file:
            np.savez(file, beat=made.beat, signal=made.signal)
        if key not in self._keys:
            index.add(made.beat)
            self._keys.append(key)
        return found

    def _alike(self, one: Tracing, other: str) -> Overlap | None:
        kept = self._read(other)
        return None if kept is None else overlap(one, kept)

    def _ready(self, among: Iterable[str]) -> BeatIndex:
        """The index of those that are kept, read when it is first asked for."""
        if self._index is None:
            self._index = BeatIndex()
            for key in among:
                kept = self._read(key)
                if kept is not None:
                    self._index.add(kept.beat)
                    self._keys.append(key)
        return self._index

    def _read(self, key: str) -> Tracing | None:
        """What is kept of a recording; None where the file is missing or damaged."""
        try:
            with (
                self._path(key).open("rb") as file,
                np.load(file, allow_pickle=False) as content,
            ):
                beat, signal = content["beat"], content["signal"]
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error):
            return None
        fits = beat.ndim == 1 and signal.ndim == 2 and signal.dtype == np.int8
        return Tracing(beat, signal) if fits and np.isfinite(beat).all() else None

    def _path(self, key: str) -> Path:
        if not _CONTENT_HASH.fullmatch(key):
            raise ValueError(f"recording {key[:80]!r}; allowed: the SHA-256 of its content")
        return self._folder / f"{key}.npz"


def pairs_among(
    found: Mapping[str, Mapping[str, object]], recordings: Sequence[str]
) -> tuple[tuple[int, int], ...]:
    """The pairs of one tracing among some recordings, by their places, the lower first."""
    places = {key: at for at, key in enumerate(recordings)}
    pairs = {
        (min(at, places[other]), max(at, places[other]))
        for key, at in places.items()
        for other in found.get(key, {})
        if other in places and other != key
    }
    return tuple(sorted(pairs))
