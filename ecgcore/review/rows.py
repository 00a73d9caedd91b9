"""Decisions as rows of the store's table, and back; codes and moments as they are stored."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import RowMapping

from ecgcore.labels import label_set
from ecgcore.review.chain import row_hash
from ecgcore.review.connection import StoreError
from ecgcore.review.values import Decision, Evidence, Review, ReviewError


def now() -> str:
    """This moment as it is stored: UTC, ISO 8601, to the microsecond."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


def moment_of(told: str) -> str:
    """A moment in ISO 8601 (UTC where it names no offset) as ``now`` writes it. Raises ReviewError
    for anything else, and for one that is yet to come."""
    try:
        found = datetime.fromisoformat(told)
        found = found.replace(tzinfo=found.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ReviewError(
            f"{told!r} is no moment; write it as 2026-11-28T16:05 (UTC) or 2026-11-28T18:05+02:00"
        ) from error
    moment = found.isoformat(timespec="microseconds")
    if moment > now():
        raise ReviewError(f"{told} is yet to come: what will hold then is not known")
    return moment


def refuse_codes(codes: Iterable[str], name: str) -> None:
    """Raises ReviewError for a code that is not of the label set."""
    known = {label.code for label in label_set(name)}
    wrong = sorted(set(codes) - known)
    if wrong:
        raise ReviewError(f"{', '.join(wrong)} is no label of {name}; choose from that set")


def ordered_codes(codes: Iterable[str], name: str) -> tuple[str, ...]:
    """Codes of a label set, each once, in the set's order."""
    wanted = set(codes)
    return tuple(label.code for label in label_set(name) if label.code in wanted)


def review_row(by: str, decision: Decision, number: int, previous: str) -> dict[str, Any]:
    evidence = [asdict(one) | {"says": dict(one.says)} for one in decision.evidence]
    row: dict[str, Any] = {
        "number": number,
        "recording": decision.recording,
        "label_set": decision.label_set,
        "reviewer": by,
        "decided_at": now(),
        "action": decision.action,
        "codes": json.dumps(ordered_codes(decision.codes, decision.label_set)),
        "comment": decision.comment,
        "seconds": float(decision.seconds),
        "evidence": json.dumps(evidence, allow_nan=False),
        "stage": decision.stage,
        "revises": decision.revises,
        "seen": decision.seen,
        "previous": previous,
    }
    return row | {"hash": row_hash(row)}


def review_of_row(row: Mapping[str, Any] | RowMapping) -> Review:
    try:
        decision = _decision(row)
    except (ValueError, TypeError, AttributeError) as error:
        raise StoreError(
            f"review {row['number']} was edited ({error}); run the audit, it says where the "
            "store was changed"
        ) from error
    return Review(
        row["number"], row["reviewer"], row["decided_at"], decision, row["previous"], row["hash"]
    )


def _decision(row: Mapping[str, Any] | RowMapping) -> Decision:
    return Decision(
        recording=row["recording"],
        action=row["action"],
        codes=tuple(json.loads(row["codes"])),
        label_set=row["label_set"],
        comment=row["comment"],
        seconds=row["seconds"],
        evidence=tuple(Evidence(**one) for one in json.loads(row["evidence"])),
        stage=row["stage"],
        revises=row["revises"],
        seen=row["seen"],
    )
