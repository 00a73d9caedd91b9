"""What several decisions about one recording come to."""

from __future__ import annotations

from dataclasses import replace

from ecgcore.review.standing import Standing, current, standing
from ecgcore.review.values import Action, Decision, Review, Stage


def _reviews(*told: tuple[str, Action, tuple[str, ...]], stage: Stage = "open") -> list[Review]:
    return [
        Review(number, who, "t", Decision("1" * 64, action, codes, stage=stage), "", "")
        for number, (who, action, codes) in enumerate(told, start=1)
    ]


def _withdrawal(number: int, who: str, revises: int) -> Review:
    decision = Decision("1" * 64, "withdraw", revises=revises)
    return Review(number, who, "t", decision, "", "")


def test_nothing_is_undecided() -> None:
    assert standing([]) == Standing("undecided")


def test_one_decision_settles_and_a_newer_one_of_the_same_person_takes_its_place() -> None:
    told = _reviews(("ann", "accept", ("NORM",)), ("ann", "change", ("AFIB",)))
    assert standing(told) == Standing("settled", ("AFIB",), (2,))


def test_two_that_agree_settle_in_any_order_of_codes() -> None:
    told = _reviews(("ann", "change", ("AFIB", "IMI")), ("bob", "change", ("IMI", "AFIB")))
    assert standing(told).state == "settled"
    assert standing(told).by == (1, 2)


def test_two_that_differ_are_disputed_and_unsure_does_not_count() -> None:
    told = _reviews(
        ("ann", "change", ("AFIB",)), ("bob", "accept", ("NORM",)), ("eve", "unsure", ())
    )
    assert standing(told) == Standing("disputed", by=(1, 2))
    assert standing(told[2:]).state == "unsure"
    assert standing([told[0], told[2]]).state == "settled"


def test_rejecting_and_accepting_is_a_dispute() -> None:
    told = _reviews(("ann", "reject", ()), ("bob", "accept", ("NORM",)))
    assert standing(told).state == "disputed"
    assert standing(told[:1]).state == "rejected"


def test_a_third_person_settles() -> None:
    told = _reviews(("ann", "change", ("AFIB",)), ("bob", "accept", ("NORM",)))
    third = Review(
        3, "cleo", "t", Decision("1" * 64, "change", ("AFLT",), stage="adjudication"), "", ""
    )
    assert standing([*told, third]) == Standing("settled", ("AFLT",), (3,), adjudicated=True)
    taken_back = _withdrawal(4, "cleo", 3)
    assert standing([*told, third, taken_back]).state == "disputed"


def test_a_withdrawn_decision_is_as_if_it_had_not_been_made() -> None:
    told = [*_reviews(("ann", "change", ("AFIB",))), _withdrawal(2, "ann", 1)]
    assert standing(told) == Standing("undecided")
    assert current(told) == ()


def test_what_was_read_blind_is_replaced_by_the_answer_after_the_evidence() -> None:
    blind = _reviews(("ann", "change", ("AFLT",)), stage="blind")[0]
    informed = replace(blind, number=2, decision=replace(blind.decision, codes=("AFIB",),
                       stage="informed", revises=1))  # fmt: skip
    assert standing([blind, informed]).codes == ("AFIB",)
