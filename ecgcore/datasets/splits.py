"""Splits by patient: made, or checked; a leak raises.

A record without a known patient counts as a person of its own: the most that can be done where a
set does not say (CPSC2018, Georgia, Chapman-Shaoxing, Ningbo, Tianchi).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

FOLDS = 10

Split = Literal["published", "by patient", "by record", "unknown"]
"""Where folds come from: the data set's own; made by patient; made by record, as the patients of
some are not known, so that one may be in two folds; or a file that does not say."""


class LeakError(ValueError):
    """One patient, or one recording, in two parts of a split."""


@dataclass(frozen=True)
class Member:
    """What a split must know of a record; ``content`` is a hash of its signal where known."""

    record_id: str
    origin: str
    patient_id: str | None = None
    content: str | None = None

    @property
    def person(self) -> str:
        """One name for all records of a person in the set they come from."""
        owner = f"patient {self.patient_id}" if self.patient_id else f"record {self.record_id}"
        return f"{self.origin}: {owner}"


def assign_folds(members: Sequence[Member], folds: int = FOLDS) -> tuple[int, ...]:
    """A fold 1 to ``folds`` for each record; all records of a person share it.

    The fold follows from a hash of the person, so that it stays the same when a set grows.
    """
    if folds < 2:
        raise ValueError(f"{folds} folds; at least 2")
    digests = (hashlib.sha256(member.person.encode()).digest() for member in members)
    return tuple(int.from_bytes(digest[:8], "big") % folds + 1 for digest in digests)


def check_split(parts: Mapping[str, Sequence[Member]]) -> None:
    """Raise LeakError where a person stands in two parts, or a record or signal is given twice."""
    person_in: dict[str, str] = {}
    given: dict[str, str] = {}
    for part, members in parts.items():
        for member in members:
            earlier = person_in.setdefault(member.person, part)
            if earlier != part:
                raise LeakError(f"{member.person} is in {earlier} and in {part}; keep it in one")
            keys = [f"record {member.record_id} of {member.origin}"]
            keys += [f"signal {member.content[:12]}"] if member.content else []
            for key in keys:
                if key in given:
                    raise LeakError(
                        f"{key} is given twice, in {given[key]} and in {part} "
                        f"({member.record_id}); remove one"
                    )
                given[key] = part


def check_folds(members: Sequence[Member], folds: Sequence[int]) -> None:
    """``check_split`` with one fold a record. Raises LeakError, ValueError for unequal lengths."""
    parts: dict[str, list[Member]] = {}
    for member, fold in zip(members, folds, strict=True):
        parts.setdefault(f"fold {fold}", []).append(member)
    check_split(parts)
