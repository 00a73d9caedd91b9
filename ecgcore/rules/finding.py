"""A rule's answer to one recording: what was found, how much, against which limit, and where."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """A stretch of one lead; ``start`` and ``stop`` are samples of the recording."""

    lead: str
    start: float
    stop: float


@dataclass(frozen=True)
class Finding:
    """One criterion against one recording.

    ``fired`` is None where it could not be decided, and ``reason`` then says why. ``measured`` and
    ``threshold`` belong to the comparison that decided (the nearest to tipping), in ``unit``;
    ``comparison`` is that comparison in words a reader can check. ``where`` is where to look.
    """

    criterion: str
    label: str
    description: str
    fired: bool | None
    comparison: str
    measured: float | None
    threshold: float | None
    unit: str
    source: str
    where: tuple[Place, ...] = ()
    reason: str | None = None
