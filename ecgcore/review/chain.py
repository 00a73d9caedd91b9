"""The hash chain over reviews: each row's hash covers every field of it and the hash before it.

Who edits, removes or inserts a row breaks the chain at that place. Who removes the last rows, or
computes all hashes anew, leaves a chain that holds, but not one that contains a head exported
earlier: keep ``AuditReport.head`` outside the store (every snapshot keeps it too).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

GENESIS = "0" * 64
"""What the first review is chained to."""

FIELDS: dict[str, tuple[type, ...]] = {
    "number": (int,),
    "recording": (str,),
    "label_set": (str,),
    "reviewer": (str,),
    "decided_at": (str,),
    "action": (str,),
    "codes": (str,),
    "comment": (str,),
    "seconds": (float,),
    "evidence": (str,),
    "stage": (str,),
    "revises": (int, type(None)),
    "seen": (int,),
    "previous": (str,),
}
"""The columns that the hash covers, as they are stored, and the types they may have."""


@dataclass(frozen=True)
class Break:
    """Where the chain breaks: ``number`` of the review (0: the chain as a whole), and why."""

    number: int
    reason: str


@dataclass(frozen=True)
class AuditReport:
    """How many reviews there are, the hash of the last one, and every break."""

    reviews: int
    head: str
    breaks: tuple[Break, ...]

    @property
    def intact(self) -> bool:
        """Whether nothing is broken."""
        return not self.breaks


def row_hash(row: Mapping[str, object]) -> str:
    """SHA-256 (hex) of a row's fields in canonical JSON. Raises ValueError for NaN."""
    fields = {name: row[name] for name in FIELDS}
    text = json.dumps(
        fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def audit(rows: Iterable[Mapping[str, object]], heads: Iterable[str] = ()) -> AuditReport:
    """Walk the reviews in the order of their numbers; ``heads`` are hashes that must occur."""
    breaks: list[Break] = []
    expected, previous, wanted, count = 1, GENESIS, set(heads) - {GENESIS}, 0
    for row in rows:
        count += 1
        number = row["number"] if isinstance(row["number"], int) else 0
        breaks += [Break(number, reason) for reason in _faults(row, expected, previous)]
        previous, expected = str(row["hash"]), number + 1
        wanted.discard(previous)
    breaks += [
        Break(0, f"the head {head[:16]}… was exported, and no review has it: reviews are missing")
        for head in sorted(wanted)
    ]
    return AuditReport(count, previous, tuple(breaks))


def _faults(row: Mapping[str, object], expected: int, previous: str) -> list[str]:
    wrong = [name for name, types in FIELDS.items() if type(row[name]) not in types]
    if wrong:
        return [f"{', '.join(wrong)} is not of its type: the row was edited"]
    found = []
    if row["number"] != expected:
        found.append(f"number {row['number']} follows {expected - 1}: rows were removed or added")
    if row["previous"] != previous:
        found.append("it is not chained to the review before it")
    try:
        if row_hash(row) != row["hash"]:
            found.append("its hash is not that of its fields: the row was edited")
    except ValueError:
        found.append("a field is not a number: the row was edited")
    return found
