"""The language of criteria reads what it should and refuses all else with CriterionError."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecgcore.rules.errors import CriterionError
from ecgcore.rules.evaluation import Facts, evaluate
from ecgcore.rules.expression import threshold_names
from ecgcore.rules.parsing import LONGEST, Names, parse_condition
from ecgcore.rules.units import unit_named
from tests.rules.measured_example import MAN, WOMAN, measured

THRESHOLDS = {"pr_long": "ms", "tall": "mV", "share": "", "old": "years", "force": "mV ms"}
NAMES = Names(
    {name: unit_named(unit) for name, unit in THRESHOLDS.items()},
    {"inferior": ("II", "III", "aVF")},
    {"wide": parse_condition("qrs_ms > 2 * rr_ms", Names())},
)
VALUES = {"pr_long": 200.0, "tall": 1.0, "share": 0.25, "old": 40.0, "force": 4.0}


def _holds(text: str, woman: bool = False, **changes: float) -> bool | None:
    facts = Facts(measured(**changes), WOMAN if woman else MAN, VALUES)
    return evaluate(parse_condition(text, NAMES), facts).holds


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("pr_ms > pr_long", False),
        ("pr_ms < pr_long and not pr_ms < 0", True),
        ("II.r_mv > tall", True),
        ("II.r_mv - III.r_mv < tall", True),
        ("II.r_mv / III.r_mv > 2", True),
        ("-aVR.q_mv > share * tall", True),
        ("abs(V1.s_mv) < tall", True),
        ("0 < I.r_mv < tall", True),
        ("max(V5.r_mv, V6.r_mv) > tall", True),
        ("min(V5.r_mv, V6.r_mv, V1.r_mv) > tall", False),
        ("sum(V1.r_mv, V2.r_mv, V3.r_mv) > tall", True),
        ("max(lead.r_mv for lead in inferior) > tall", True),
        ("count(lead.r_mv > tall for lead in (V4, V5, V6)) >= 3", True),
        ("count(lead.r_mv > tall for lead in (V3, V4, V5)) >= 3", False),
        ("any(lead.r_mv > tall for lead in inferior)", True),
        ("all(lead.r_mv > tall for lead in inferior)", False),
        ("two_adjacent(lead.r_mv > tall for lead in (V3, V4, V5))", True),
        ("two_adjacent(lead.r_mv > tall for lead in (V4, V3, V5))", False),
        ("any(lead.r_mv > tall for lead in II)", True),
        ("I.r_mv > (tall if male else 0)", False),
        ("any(lead.r_mv > tall if lead in (V4, V5) else lead.r_mv < 0 for lead in (V1, V4))", None),
        ("sinus_p and not V1.qs", True),
        ("age > old and male", True),
        ("female or wide", False),
        ("pr_ms * II.p_mv > force", True),
    ],
)
def test_an_expression_means_what_it_says(text: str, expected: bool | None) -> None:
    if expected is None:  # a choice between conditions is not part of the language
        with pytest.raises(CriterionError, match="is true or false"):
            parse_condition(text, NAMES)
    else:
        assert _holds(text) is expected


def test_sex_chooses_the_limit() -> None:
    text = "I.r_mv > (tall if male else 0)"
    assert (_holds(text), _holds(text, woman=True)) == (False, True)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("pr_ms > tall", "brings ms and mV together"),
        ("II.r_mv + pr_ms > tall", "brings mV and ms together"),
        ("II.r_mv > 1", "brings mV and a bare number together"),
        ("qrs_axis_deg > 30", "brings deg and a bare number together"),
        ("max(pr_ms, II.r_mv) > pr_long", "brings mV and ms"),
        ("pr_ms", "is a quantity"),
        ("not pr_ms", "is a quantity"),
        ("sinus_p > 0", "is true or false"),
        ("pr_mss > pr_long", "is unknown"),
        ("II.qrs_ms > pr_long", "is not measured"),
        ("V9.r_mv > tall", "names no lead"),
        ("lead.r_mv > tall", "stands alone"),
        ("lead in (V1, V2)", "stands alone"),
        ("any(lead.r_mv > tall for lead in superior)", "names no leads"),
        ("any(lead.r_mv > tall for lead in (V1, V1))", "names a lead twice"),
        ("any(x.r_mv > tall for x in inferior)", "goes over leads in an unknown way"),
        ("any(lead.r_mv > tall for lead in inferior if male)", "goes over leads in an unknown way"),
        (
            "any(any(lead.r_mv > tall for lead in inferior) for lead in inferior)",
            "goes over leads in an unknown way",
        ),
        ("pr_ms == pr_long", "unknown comparison"),
        ("pr_ms is pr_long", "unknown comparison"),
        ("pr_ms ** 2 > pr_long", "unknown operator"),
        ("pr_ms > 9999999999 * pr_long", "is no number"),
        ("True", "is no number"),
        ("1j > 0", "is no number"),
        ("print(pr_ms)", "is no call"),
        ("abs(pr_ms, pr_ms) > pr_long", "is no call"),
        ("abs() > pr_long", "is no call"),
        ("(lambda: pr_ms)() > pr_long", "the character ':'"),
        ("pr_ms > pr_long; pr_ms", "the character ';'"),
        ("__import__('os')", 'the character "\'"'),
        ("pr_ms >", "cannot be read"),
        ("", "cannot be read"),
        ("(pr_ms > pr_long", "cannot be read"),
        ("yield pr_ms", "cannot be read"),
        ("(pr_ms := pr_long) > pr_long", "the character ':'"),
        ("- " * 500 + "pr_ms > pr_long", "nested too deep"),
        ("(" * 900 + "pr_ms" + ")" * 900 + " > pr_long", "cannot be read"),
        ("pr_ms > pr_long and " * 120 + "male", f"allowed: {LONGEST}"),
    ],
)
def test_what_is_wrong_is_refused_with_its_reason(text: str, says: str) -> None:
    with pytest.raises(CriterionError) as refused:
        parse_condition(text, NAMES)
    assert says.lower() in str(refused.value).lower()
    assert "What to do" in str(refused.value)


def test_the_place_of_the_fault_is_named() -> None:
    with pytest.raises(CriterionError, match="character 21"):
        parse_condition("pr_ms > pr_long and qrs_mss > pr_long", NAMES)


def test_thresholds_are_found_through_definitions() -> None:
    inner = parse_condition("pr_ms > pr_long", NAMES)
    names = Names(NAMES.thresholds, NAMES.groups, {"slow": inner})
    tree = parse_condition("slow or II.r_mv > tall or slow", names)
    assert threshold_names(tree) == ("pr_long", "tall")


_VOCABULARY = """pr_ms pr_long tall lead lead.r_mv V1.qs male age wide inferior V1 I II and or not
if else for in any all count two_adjacent max abs sum lambda await None ( ) , < <= > >= == + - * /
** // . = 0 1 1e9 1or 0x _"""
_WORDS = st.sampled_from(_VOCABULARY.split())


@settings(max_examples=400, deadline=None)
@given(st.one_of(st.text(max_size=60), st.lists(_WORDS, max_size=25).map(" ".join)))
def test_no_text_raises_anything_but_a_criterion_error(text: str) -> None:
    try:
        tree = parse_condition(text, NAMES)
    except CriterionError:
        return
    answer = evaluate(tree, Facts(measured(), MAN, VALUES))
    assert answer.holds in (True, False, None)
