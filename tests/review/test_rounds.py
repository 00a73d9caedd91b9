"""Rounds of several annotators: shares, known answers, independent readings."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecgcore.review.people import Forbidden
from ecgcore.review.rounds import (
    adjudicated,
    answers_of,
    assign,
    assignments,
    honeypots,
    set_honeypots,
    share_out,
    standings,
)
from ecgcore.review.store import ReviewStore
from ecgcore.review.values import Conflict, Decision, ReviewError
from tests.review.conftest import HASHES


@given(st.integers(0, 30), st.integers(1, 6), st.integers(1, 6), st.integers(0, 5))
def test_everybody_gets_the_same_share_and_each_recording_enough(
    count: int, people: int, overlap: int, seed: int
) -> None:
    recordings, names = [str(n) for n in range(count)], [f"p{n}" for n in range(people)]
    if overlap > people:
        with pytest.raises(ReviewError, match="at least as many people"):
            share_out(recordings, names, overlap, seed)
        return
    shared = share_out(recordings, names, overlap, seed)
    assert set(shared) == set(recordings)
    assert all(len(set(of)) == overlap for of in shared.values())
    loads = Counter(name for of in shared.values() for name in of)
    assert max(loads.values(), default=0) - min((loads[n] for n in names), default=0) <= 1


@pytest.mark.parametrize(("people", "overlap"), [(4, 2), (6, 3), (6, 2), (5, 2)])
def test_everybody_reads_with_everybody_in_the_end(people: int, overlap: int) -> None:
    names = [f"p{n}" for n in range(people)]
    shared = share_out([str(n) for n in range(200)], names, overlap)
    met = {pair for of in shared.values() for pair in combinations(sorted(of), 2)}
    assert met == set(combinations(names, 2))


def test_a_round_is_given_out_once_to_people_who_may_decide(store: ReviewStore) -> None:
    found = assign(store, "ann", "first", HASHES, ["bob", "eve", "cleo"], overlap=2)
    assert len(found) == 2 * len(HASHES)
    assert assignments(store, "ann", "statements") == found
    with pytest.raises(ReviewError, match="given out already"):
        assign(store, "ann", "first", HASHES, ["bob", "eve"])
    store.grant("ann", "rea", "reader")
    with pytest.raises(ReviewError, match="rea may not decide"):
        assign(store, "ann", "second", HASHES, ["bob", "rea"])
    store.grant("ann", "bob", "annotator")
    with pytest.raises(Forbidden):
        assign(store, "bob", "third", HASHES, ["bob", "eve"])


def test_assigned_readers_do_not_get_in_each_others_way(store: ReviewStore) -> None:
    assign(store, "ann", "first", HASHES[:1], ["bob", "eve"], overlap=2)
    store.decide("bob", Decision(HASHES[0], "change", ("AFIB",)))
    store.decide("eve", Decision(HASHES[0], "change", ("AFLT",)))
    assert standings(store.reviews("ann"))[HASHES[0]].state == "disputed"
    with pytest.raises(Conflict):  # their own second decision still needs what they saw
        store.decide("eve", Decision(HASHES[0], "reject"))
    last = store.reviews("ann")[-1].number
    settle = Decision(HASHES[0], "change", ("AFIB",), stage="adjudication", seen=last)
    store.decide("cleo", settle)
    assert adjudicated(store.reviews("ann")) == {HASHES[0]: frozenset({"AFIB"})}


def test_known_answers_are_hidden_from_annotators(store: ReviewStore) -> None:
    set_honeypots(store, "ann", {HASHES[1]: ["NORM"]})
    assert honeypots(store, "ann", "statements") == {HASHES[1]: frozenset({"NORM"})}
    store.grant("ann", "bob", "adjudicator")
    with pytest.raises(Forbidden):
        honeypots(store, "bob", "statements")
    with pytest.raises(Forbidden):
        set_honeypots(store, "bob", {HASHES[2]: []})
    with pytest.raises(ReviewError, match="XYZ is no label"):
        set_honeypots(store, "ann", {HASHES[1]: ["XYZ"]})


def test_blind_and_informed_answers_are_both_kept(store: ReviewStore) -> None:
    blind = store.decide("bob", Decision(HASHES[0], "change", ("AFLT",), stage="blind"))
    store.decide(
        "bob",
        Decision(
            HASHES[0], "change", ("AFIB",), stage="informed", seen=blind.number,
            revises=blind.number,
        ),
    )  # fmt: skip
    store.decide("bob", Decision(HASHES[1], "reject"))
    reviews = store.reviews("ann")
    assert answers_of(reviews) == {"bob": {HASHES[0]: frozenset({"AFIB"})}}
    assert answers_of(reviews, blind=True) == {"bob": {HASHES[0]: frozenset({"AFLT"})}}
