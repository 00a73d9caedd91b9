"""The order of the work list."""

from __future__ import annotations

from pathlib import Path

from ecgcore.ui.navigation import in_reading_order
from ecgcore.workspace import Entry


def _entry(name: str, origin: str, folder: str) -> Entry:
    return Entry(f"{folder}/{name}", name, Path(folder) / f"{name}.hea", origin)  # type: ignore[arg-type]


def test_names_are_in_order_within_their_group_and_9_comes_before_10() -> None:
    given = (
        _entry("Demo", "demo", "/inside"),
        _entry("zulu", "imported", "/recordings/0a"),
        _entry("alpha", "imported", "/recordings/ff"),
        _entry("rec10", "folder", "/second"),
        _entry("rec9", "folder", "/second"),
        _entry("Rec1", "folder", "/second"),
        _entry("b", "folder", "/first"),
        _entry("2", "folder", "/first"),
    )
    names = [entry.name for entry in in_reading_order(given)]
    assert names == ["Demo", "alpha", "zulu", "Rec1", "rec9", "rec10", "2", "b"]


def test_signs_that_only_look_like_digits_are_ordered_too() -> None:
    given = (_entry("a²", "folder", "/f"), _entry("a1", "folder", "/f"))
    assert [entry.name for entry in in_reading_order(given)] == ["a1", "a²"]
