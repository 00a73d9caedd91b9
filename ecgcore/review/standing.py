"""What the reviews of one recording come to: settled, disputed, or not decided."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from ecgcore.review.values import Review

State = Literal["undecided", "unsure", "settled", "rejected", "disputed"]


@dataclass(frozen=True)
class Standing:
    """The state of a recording; ``codes`` hold where it is settled; ``by`` are the numbers of the
    reviews that it rests on, ``adjudicated`` whether a third person settled it."""

    state: State
    codes: tuple[str, ...] = ()
    by: tuple[int, ...] = ()
    adjudicated: bool = False


def current(reviews: Iterable[Review]) -> tuple[Review, ...]:
    """Each person's last decision that was not withdrawn, in the order of their numbers.

    A person's newer decision takes the place of their older one; withdrawing it brings back none.
    """
    last: dict[tuple[str, bool], Review] = {}
    for review in sorted(reviews, key=lambda one: one.number):
        decision = review.decision
        if decision.action == "withdraw":
            last = {key: one for key, one in last.items() if one.number != decision.revises}
        else:
            last[review.reviewer, decision.stage == "adjudication"] = review
    return tuple(sorted(last.values(), key=lambda one: one.number))


def standing(reviews: Iterable[Review]) -> Standing:
    """The state of one recording from all its reviews."""
    now = current(reviews)
    settled = [one for one in now if one.decision.stage == "adjudication"][-1:]
    told = settled or [one for one in now if one.decision.action != "unsure"]
    if not told:
        return Standing("unsure" if now else "undecided", by=tuple(one.number for one in now))
    answers = {
        None if one.decision.action == "reject" else frozenset(one.decision.codes) for one in told
    }
    by = tuple(one.number for one in told)
    if settled and settled[0].decision.action == "unsure":
        return Standing("unsure", by=by, adjudicated=True)
    if len(answers) > 1:
        return Standing("disputed", by=by)
    if answers == {None}:
        return Standing("rejected", by=by, adjudicated=bool(settled))
    return Standing("settled", told[-1].decision.codes, by, bool(settled))
