"""Several annotators: who reads what, which answers are known beforehand, where they differ."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import select

from ecgcore.review import tables
from ecgcore.review.people import LONGEST_NAME, may
from ecgcore.review.rows import now, ordered_codes, refuse_codes
from ecgcore.review.standing import Standing, current, standing
from ecgcore.review.store import ReviewStore
from ecgcore.review.values import Review, ReviewError, refuse_text


@dataclass(frozen=True)
class Assignment:
    """A recording that a person was asked to read, in a round of that name."""

    round: str
    recording: str
    reviewer: str
    label_set: str


def share_out(
    recordings: Sequence[str], reviewers: Sequence[str], overlap: int, seed: int = 0
) -> dict[str, tuple[str, ...]]:
    """``overlap`` different people for each recording, everybody's share as alike as can be, and
    who reads with whom drawn anew each time that all have had their share.

    Raises ReviewError where there are too few people.
    """
    people = list(dict.fromkeys(reviewers))
    if not 1 <= overlap <= len(people):
        raise ReviewError(
            f"each recording to {overlap} of {len(people)} people; name at least as many people "
            "as shall read one recording"
        )
    draw = np.random.default_rng(seed)
    order = draw.permutation(len(recordings))
    turn = math.lcm(len(people), overlap) // overlap
    found: dict[str, tuple[str, ...]] = {}
    for place, at in enumerate(order):
        if place % turn == 0:
            people = [people[one] for one in draw.permutation(len(people))]
        first = place * overlap
        found[recordings[at]] = tuple(people[(first + k) % len(people)] for k in range(overlap))
    return found


def assign(
    store: ReviewStore,
    by: str,
    name: str,
    recordings: Sequence[str],
    reviewers: Sequence[str],
    *,
    overlap: int = 2,
    label_set: str = "statements",
    seed: int = 0,
) -> tuple[Assignment, ...]:
    """Give out a round. Raises ReviewError, Forbidden; nothing is given out then."""
    refuse_text("round's name", name, LONGEST_NAME)
    shared = share_out(recordings, reviewers, overlap, seed)
    weak = [one for one in reviewers if not may(store.role_of(one), "decide")]
    if weak:
        raise ReviewError(f"{', '.join(weak)} may not decide; make them annotators first")
    rows = [
        {"round": name, "recording": recording, "label_set": label_set, "reviewer": reviewer,
         "assigned_by": by, "assigned_at": now()}
        for recording, people in shared.items()
        for reviewer in people
    ]  # fmt: skip
    with store.database.writing() as connection:
        store.require(connection, by, "assign")
        taken = select(tables.assignments.c.number).where(tables.assignments.c.round == name)
        if connection.execute(taken).first():
            raise ReviewError(f"round {name!r} was given out already; choose another name")
        if rows:
            connection.execute(tables.assignments.insert(), rows)
    return tuple(Assignment(name, row["recording"], row["reviewer"], label_set) for row in rows)


def assignments(store: ReviewStore, by: str, label_set: str) -> tuple[Assignment, ...]:
    """Everything that was given out, oldest first."""
    with store.database.reading() as connection:
        store.require(connection, by, "read")
        query = select(tables.assignments).where(tables.assignments.c.label_set == label_set)
        return tuple(
            Assignment(row.round, row.recording, row.reviewer, row.label_set)
            for row in connection.execute(query.order_by(tables.assignments.c.number))
        )


def set_honeypots(
    store: ReviewStore, by: str, known: Mapping[str, Iterable[str]], label_set: str = "statements"
) -> None:
    """Recordings whose answer is known; annotators are not told which they are."""
    rows = []
    for recording, codes in known.items():
        refuse_codes(codes, label_set)
        rows.append(
            {"recording": recording, "label_set": label_set,
             "codes": json.dumps(ordered_codes(codes, label_set)), "set_by": by, "set_at": now()}
        )  # fmt: skip
    with store.database.writing() as connection:
        store.require(connection, by, "assign")
        if rows:
            connection.execute(tables.honeypots.insert(), rows)


def honeypots(store: ReviewStore, by: str, label_set: str) -> dict[str, frozenset[str]]:
    """The known answers by recording; only for those who may set them."""
    with store.database.reading() as connection:
        store.require(connection, by, "assign")
        query = select(tables.honeypots).where(tables.honeypots.c.label_set == label_set)
        rows = connection.execute(query.order_by(tables.honeypots.c.number))
        return {row.recording: frozenset(json.loads(row.codes)) for row in rows}


def by_recording(reviews: Iterable[Review]) -> dict[str, list[Review]]:
    """Reviews of each recording, in their order."""
    found: dict[str, list[Review]] = {}
    for review in reviews:
        found.setdefault(review.decision.recording, []).append(review)
    return found


def standings(reviews: Iterable[Review]) -> dict[str, Standing]:
    """The state of each recording that somebody reviewed."""
    return {recording: standing(told) for recording, told in by_recording(reviews).items()}


def answers_of(
    reviews: Iterable[Review], *, blind: bool = False
) -> dict[str, dict[str, frozenset[str]]]:
    """Each person's standing codes by recording; rejections, doubts and adjudications are left out.

    With ``blind`` only what was read before any evidence was shown.
    """
    found: dict[str, dict[str, frozenset[str]]] = {}
    for recording, told in by_recording(reviews).items():
        kept = [one for one in told if one.decision.stage == "blind"] if blind else current(told)
        for one in kept:
            if one.decision.action in ("accept", "change") and one.decision.stage != "adjudication":
                codes = frozenset(one.decision.codes)
                found.setdefault(one.reviewer, {})[recording] = codes
    return found


def adjudicated(reviews: Iterable[Review]) -> dict[str, frozenset[str]]:
    """What a third person settled, by recording."""
    return {
        recording: frozenset(found.codes)
        for recording, found in standings(reviews).items()
        if found.adjudicated and found.state == "settled"
    }
