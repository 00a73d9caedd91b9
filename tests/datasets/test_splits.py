"""Splits keep people together; leaks raise."""

from __future__ import annotations

import pytest

from ecgcore.datasets.splits import LeakError, Member, assign_folds, check_folds, check_split


def _members(people: int = 40, each: int = 3) -> list[Member]:
    return [Member(f"{p}-{r}", "set", str(p)) for p in range(people) for r in range(each)]


def test_assigned_folds_keep_people_together_and_do_not_move() -> None:
    members = _members()
    folds = assign_folds(members)
    check_folds(members, folds)
    assert set(folds) <= set(range(1, 11)) and len(set(folds)) > 5
    assert assign_folds(members[:50]) == folds[:50]
    with pytest.raises(ValueError, match="at least 2"):
        assign_folds(members, 1)


def test_a_person_in_two_parts_is_a_leak() -> None:
    one, two = Member("1", "set", "p"), Member("2", "set", "p")
    check_split({"train": [one, two]})
    with pytest.raises(LeakError, match="patient p is in train and in test"):
        check_split({"train": [one], "test": [two]})
    check_split({"train": [one], "test": [Member("2", "other", "p")]})  # another set's p


def test_a_record_or_a_signal_given_twice_is_a_leak() -> None:
    with pytest.raises(LeakError, match="twice"):
        check_split({"train": [Member("1", "set"), Member("1", "set")]})
    with pytest.raises(LeakError, match="in train and in test"):
        check_split({"train": [Member("1", "set")], "test": [Member("1", "set")]})
    same = "ab" * 32
    with pytest.raises(LeakError, match="signal abababababab is given twice"):
        check_split({"a": [Member("1", "x", content=same)], "b": [Member("2", "y", content=same)]})


def test_folds_that_part_a_person_raise() -> None:
    with pytest.raises(LeakError):
        check_folds(_members(2, 2), [1, 2, 3, 3])
