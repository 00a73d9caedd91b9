"""Three-valued answers, the comparison that decided, and where to look."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecgcore.recording import Patient
from ecgcore.rules.evaluation import Answer, Facts, evaluate
from ecgcore.rules.parsing import Names, parse_condition
from ecgcore.rules.units import unit_named
from tests.rules.measured_example import MAN, measured

VALUES = {"tall": 1.0, "small": 0.1, "slow": 200.0, "many": 2.0}
UNITS = {"tall": "mV", "small": "mV", "slow": "ms", "many": ""}
NAMES = Names({name: unit_named(unit) for name, unit in UNITS.items()})


def _answer(text: str, *missing: str, patient: Patient = MAN, **changes: float) -> Answer:
    values = measured(dict.fromkeys(missing, "the lead is noisy"), **changes)
    return evaluate(parse_condition(text, NAMES), Facts(values, patient, VALUES))


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("V1.r_mv > tall", None),
        ("not V1.r_mv > tall", None),
        ("V1.r_mv > tall and pr_ms > slow", False),
        ("V1.r_mv > tall and pr_ms < slow", None),
        ("V1.r_mv > tall or pr_ms < slow", True),
        ("V1.r_mv > tall or pr_ms > slow", None),
        ("max(V1.r_mv, V5.r_mv) > tall", True),
        ("max(V1.r_mv, V2.r_mv) > tall", None),
        ("min(V1.r_mv, V2.r_mv) > tall", False),
        ("sum(V1.r_mv, V5.r_mv) > tall", None),
        ("abs(V1.r_mv) >= 0", True),
        ("abs(V1.r_mv) > small", None),
        ("V1.r_mv * V1.r_mv > tall * tall", None),
        ("II.r_mv / V1.r_mv > 0", None),
        ("count(lead.r_mv > tall for lead in (V1, V4, V5)) >= many", True),
        ("count(lead.r_mv > tall for lead in (V1, V2, V5)) >= many", None),
        ("count(lead.r_mv > tall for lead in (V1, V2, V3)) >= many", False),
        ("any(lead.r_mv > tall for lead in (V1, V5))", True),
        ("all(lead.r_mv > tall for lead in (V1, V2))", False),
        ("two_adjacent(lead.r_mv > tall for lead in (V1, V4, V5))", True),
        ("two_adjacent(lead.r_mv > tall for lead in (V4, V1, V2))", None),
        (
            "two_adjacent(lead.r_mv > tall for lead in (V2, V1, V2))".replace("V1, V2))", "V1))"),
            False,
        ),
    ],
)
def test_a_missing_value_leaves_open_only_what_it_decides(text: str, holds: bool | None) -> None:
    answer = _answer(text, "V1.r_mv")
    assert answer.holds is holds
    assert bool(answer.missing) is (holds is None)
    if holds is None:
        assert answer.missing[0].what == "V1 R"
        assert answer.missing[0].reason == "the lead is noisy"


def test_an_unknown_sex_or_age_leaves_open_only_what_lies_between_the_limits() -> None:
    nobody = Patient()
    text = "V4.r_mv > (tall if male else small)"
    assert _answer(text, patient=nobody).holds is True
    assert _answer(text, patient=nobody, V4__r_mv=0.5).holds is None
    assert _answer(text, patient=nobody, V4__r_mv=0.05).holds is False
    undecided = _answer("male", patient=nobody)
    assert undecided.holds is None
    assert undecided.missing[0].what == "sex"
    assert _answer("age > age - age", patient=nobody).missing[0].what == "age"


def test_division_by_zero_is_not_decided_and_says_so() -> None:
    answer = _answer("V1.r_mv / V1.q_mv > many")
    assert answer.holds is None
    assert "divides" in answer.missing[-1].reason


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("pr_ms > slow", "PR interval 160 ms not > 200 ms"),
        ("slow >= pr_ms", "PR interval 160 ms ≤ 200 ms"),
        ("V5.r_mv + abs(V1.s_mv) > tall", "V5 R + |V1 S| 2.20 mV > 1.00 mV"),
        ("V1.s_mv < -small", "V1 S −0.80 mV < −0.10 mV"),
        ("V1.r_mv < V2.r_mv", "V1 R 0.20 mV < 0.50 mV (V2 R)"),
        ("sinus_p", "P upright in II and inverted in aVR: yes"),
        ("V1.qs", "V1 QS complex: no"),
        ("V5.r_mv > (tall if male else small)", "V5 R 1.40 mV > 1.00 mV"),
        ("(V1.q_mv if V1.qs else V1.s_mv) < 0", "V1 S −0.80 mV < 0.00 mV"),
    ],
)
def test_the_comparison_can_be_checked_by_a_reader(text: str, words: str) -> None:
    assert _answer(text).witness.text == words


def test_numbers_are_told_from_their_limits() -> None:
    assert _answer("pr_ms > slow", pr_ms=200.04).witness.text == "PR interval 200.04 ms > 200.00 ms"


def test_the_comparison_nearest_to_tipping_is_the_one_shown() -> None:
    both = _answer("pr_ms > slow and V5.r_mv > tall", pr_ms=202.0)
    assert (both.witness.measured, both.witness.threshold, both.witness.unit) == (202, 200, "ms")
    either = _answer("pr_ms > slow or V5.r_mv > tall", pr_ms=202.0)
    assert either.witness.unit == "mV"  # this one would have to fall as well
    neither = _answer("pr_ms > slow or V5.r_mv > tall", pr_ms=100.0, V5__r_mv=0.9)
    assert neither.witness.unit == "mV"


def test_whether_a_wave_is_there_at_all_is_not_the_nearest_comparison() -> None:
    both = _answer("pr_ms < slow and not V1.r2_mv > 0", pr_ms=190.0)
    assert (both.witness.measured, both.witness.unit) == (190, "ms")


def test_of_a_count_the_lead_that_tips_it_is_shown() -> None:
    text = "count(lead.r_mv > tall for lead in (V3, V4, V5)) >= many"
    enough = _answer(text)
    assert enough.witness.text == "2 of V3, V4, V5 (2 needed): V5 R 1.40 mV > 1.00 mV"
    short = _answer(text, V5__r_mv=0.8)
    assert short.witness.text == "1 of V3, V4, V5 (2 needed): V3 R 0.90 mV not > 1.00 mV"
    unknown = _answer(text, "V4.r_mv", V5__r_mv=0.8, V3__r_mv=0.1)
    assert unknown.holds is False
    assert unknown.witness.text == "0 of V3, V4, V5 (2 needed): V5 R 0.80 mV not > 1.00 mV"
    more = _answer("count(lead.r_mv > tall for lead in (V4, V5)) > many")
    assert more.witness.text.startswith("number of leads")


def test_an_open_comparison_states_no_number() -> None:
    witness = _answer("V1.r_mv + V2.r_mv > tall", "V1.r_mv").witness
    assert (witness.measured, witness.threshold) == (None, 1.0)
    assert "not known" in witness.text


def test_of_a_partly_known_maximum_the_bound_that_decided_is_shown() -> None:
    assert "at least 1.40 mV" in _answer("max(V1.r_mv, V5.r_mv) > tall", "V1.r_mv").witness.text


def test_places_are_those_of_the_leads_that_make_it_true() -> None:
    answer = _answer("any(lead.r_mv > tall for lead in (V1, V4, V5))")
    assert [use.lead for use in answer.uses] == ["V4", "V5"]
    absent = _answer("not any(lead.r_mv > tall for lead in (V1, V2))")
    assert absent.holds is True
    assert absent.uses == ()


@given(
    st.lists(st.sampled_from([True, False, None]), min_size=1, max_size=4),
    st.sampled_from(["and", "or"]),
)
def test_and_and_or_are_kleenes(parts: list[bool | None], word: str) -> None:
    leads = ("V1", "V2", "V3", "V4")
    missing = [f"{lead}.r_mv" for lead, part in zip(leads, parts, strict=False) if part is None]
    sizes = {
        f"{lead}__r_mv": 2.0 if part else 0.0 for lead, part in zip(leads, parts, strict=False)
    }
    text = f" {word} ".join(f"{lead}.r_mv > tall" for lead in leads[: len(parts)])
    decisive = word == "or"
    settled = decisive if decisive in parts else (None if None in parts else not decisive)
    assert _answer(text, *missing, **sizes).holds is settled
