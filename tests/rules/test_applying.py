"""Findings of a whole set: changed thresholds, missing values, and what must not matter."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecgcore.recording import LEADS, Patient
from ecgcore.rules.applying import apply_rules
from ecgcore.rules.criteria import CRITERIA_SETS, criteria_set, read_criteria
from ecgcore.rules.errors import CriterionError
from ecgcore.rules.expression import BOUND, Measured, nodes
from ecgcore.rules.finding import Finding
from ecgcore.signal.measured import LEAD_NAMES, OVERALL_NAMES, Measurements
from tests.rules.measured_example import MAN, measured

DOUBT = "the file's voltages are not true"
ALL_NAMES = [*OVERALL_NAMES, *(f"{lead}.{name}" for lead in LEADS for name in LEAD_NAMES)]


def _found(
    name: str, values: Measurements, patient: Patient = MAN, **changes: float
) -> dict[str, Finding]:
    found = apply_rules(values, patient, criteria_set(name), changes)
    return {finding.criterion: finding for finding in found}


def test_a_changed_threshold_is_followed_and_the_default_stays() -> None:
    values = measured(pr_ms=190.0)
    assert _found("paper", values)["first_degree_block"].fired is False
    changed = _found("paper", values, pr_long=180.0)["first_degree_block"]
    assert changed.fired is True
    assert changed.threshold == 180.0
    assert _found("paper", values)["first_degree_block"].fired is False
    assert criteria_set("paper").thresholds["pr_long"].value == 200.0


def test_a_changed_shared_threshold_reaches_every_criterion_that_uses_it() -> None:
    values = measured(qrs_ms=112.0, V1__r2_ms=30.0, I__s_ms=50.0, V6__s_ms=50.0)
    assert _found("clinical", values)["right_bundle_branch_block"].fired is False
    changed = _found("clinical", values, qrs_block=111.0)
    assert changed["right_bundle_branch_block"].fired is True
    assert changed["incomplete_right_bundle_branch_block"].fired is False


def test_an_unknown_threshold_or_number_is_refused() -> None:
    with pytest.raises(CriterionError, match=r"unknown threshold 'pr_longer'.*pr_long"):
        _found("paper", measured(), pr_longer=1.0)
    with pytest.raises(CriterionError, match="nan for threshold pr_long"):
        _found("paper", measured(), pr_long=math.nan)


def test_without_true_voltages_only_times_are_decided() -> None:
    heights = {name: DOUBT for name in ALL_NAMES if name.endswith(("_mv", "_mvms"))}
    found = _found("clinical", measured(heights, pr_ms=230.0))
    assert found["first_degree_block"].fired is True
    assert found["sinus_rhythm"].fired is True
    for criterion in ("lvh_sokolow_lyon", "st_elevation_anterior", "low_voltage_limb"):
        assert found[criterion].fired is None
        assert found[criterion].measured is None
        assert DOUBT in (found[criterion].reason or "")
        assert found[criterion].where == ()


def test_a_lead_that_was_not_recorded_is_named() -> None:
    values = measured()
    limb = {lead: values.leads[lead] for lead in LEADS[:6]}
    found = _found("clinical", Measurements(values.overall, limb))
    assert found["lvh_cornell"].fired is None
    assert "lead V3 was not recorded" in (found["lvh_cornell"].reason or "")
    assert found["low_voltage_limb"].fired is False


def test_places_of_the_whole_recording_are_shown_in_a_lead_that_is_there() -> None:
    values = measured(pr_ms=230.0)
    only_v1 = Measurements(values.overall, {"V1": values.leads["V1"]})
    assert [place.lead for place in _found("paper", only_v1)["first_degree_block"].where] == ["V1"]


def test_an_exclusion_that_cannot_be_checked_is_said_beside_the_finding() -> None:
    missing = {"V1.s_ms": "the lead is noisy"}
    changes = {"qrs_ms": 150.0, "aVF__j_mv": 0.3, "II__j_mv": 0.3}
    changes |= {"I__q_ms": 0.0, "V5__q_ms": 0.0, "V6__q_ms": 0.0, "V5__intrinsicoid_ms": 80.0}
    found = _found("clinical", measured(missing, **changes))["st_elevation_inferior"]
    assert found.fired is True
    assert "Not checked" in (found.reason or "")
    assert "the lead is noisy" in (found.reason or "")


def _used(name: str, criterion: str) -> set[str]:
    """All measurements that a criterion or its sentences speak of."""
    one = criteria_set(name).criterion(criterion)
    trees = [one.condition, *(when.condition for when in (*one.not_applied, *one.caveats))]
    used: set[str] = set()
    for tree in trees:
        for node in nodes(tree):
            if isinstance(node, Measured) and node.lead == BOUND:
                used |= {f"{lead}.{node.name}" for lead in LEADS}
            elif isinstance(node, Measured):
                used.add(f"{node.lead}.{node.name}" if node.lead else node.name)
    return used


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(CRITERIA_SETS),
    st.sampled_from(ALL_NAMES),
    st.one_of(st.none(), st.floats(-500, 500)),
)
def test_what_a_criterion_does_not_use_does_not_change_its_finding(
    name: str, varied: str, number: float | None
) -> None:
    before = _found(name, measured())
    if number is None:
        values = measured({varied: "the lead is noisy"})
    else:
        values = measured(**{varied.replace(".", "__"): number})
    after = _found(name, values)
    for criterion, finding in before.items():
        if varied not in _used(name, criterion):
            assert after[criterion] == finding


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_knowing_less_never_turns_an_answer_over(data: st.DataObject) -> None:
    changes = data.draw(
        st.dictionaries(
            st.sampled_from([name.replace(".", "__") for name in ALL_NAMES]),
            st.floats(-300, 300),
            max_size=12,
        )
    )
    unknown = data.draw(st.sets(st.sampled_from(ALL_NAMES), max_size=40))
    known = _found("paper", measured(**changes))
    less = _found("paper", measured(dict.fromkeys(unknown, "noise"), **changes))
    for criterion, finding in less.items():
        refused = (known[criterion].reason or "").startswith("Not applied")
        assert finding.fired is None or refused or finding.fired is known[criterion].fired


def test_voltages_that_no_heart_has_are_refused() -> None:
    values = measured(V1__s_mv=-9.0, V1__qrs_pp_mv=12.0, pr_ms=230.0)
    for name, criterion in (
        ("clinical", "lvh_sokolow_lyon"),
        ("paper", "left_ventricular_high_voltage"),
    ):
        found = _found(name, values)
        assert found[criterion].fired is None
        assert "gain" in (found[criterion].reason or "")
        assert found["first_degree_block"].fired is True


GOOD = """
title = "t"
source = "s"
[sentences.w]
when = "qrs_ms > wide"
reason = "r"
[thresholds]
wide = { value = 120, unit = "ms", source = "who says" }
[[criterion]]
id = "one"
label = "ONE"
description = "d"
expression = "pr_ms > pr_long"
source = "s"
not_applied = ["w"]
[criterion.thresholds]
pr_long = { value = 200, unit = "ms", source = "who says" }
"""


def test_a_good_file_is_read() -> None:
    assert [one.id for one in read_criteria(GOOD, "mine").criteria] == ["one"]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('title = "t"', "", "title None"),
        ('title = "t"', 'titel = "t"', "unknown key 'titel'"),
        ("value = 200", 'value = "200"', "threshold pr_long: value '200'"),
        ("value = 200", "value = nan", "value nan"),
        ("value = 200", "value = true", "value True"),
        ('200, unit = "ms"', '200, unit = "s"', "unit 's'"),
        ('200, unit = "ms"', '200, unit = "mV"', "criterion one, expression, character 1"),
        (', source = "who says" }', " }", "source None"),
        ("pr_ms > pr_long", "pr_ms > pr_lang", "'pr_lang' is unknown"),
        ("pr_ms > pr_long", "pr_ms > wide", "threshold pr_long is not used"),
        ("qrs_ms > wide", "qrs_ms > 0", "threshold wide is not used"),
        ("pr_long =", "pr_ms =", "the name 'pr_ms'"),
        ("pr_long =", "wide =", "the name 'wide'"),
        ('not_applied = ["w"]', 'not_applied = ["v"]', "sentence 'v'"),
        ('not_applied = ["w"]', 'where = ["V9"]', "leads ['V9']"),
        ('id = "one"', 'id = "One"', "id 'One'"),
        ("[[criterion]]", "[criterion]", "a list"),
        ('title = "t"', "title = t", "not TOML"),
    ],
)
def test_a_bad_file_is_refused_with_the_place(old: str, new: str, says: str) -> None:
    assert old in GOOD
    with pytest.raises(CriterionError) as refused:
        read_criteria(GOOD.replace(old, new, 1 if "who" not in old else -1), "mine")
    assert "criteria mine" in str(refused.value)
    assert says in str(refused.value)


def test_definitions_cannot_grow_without_bound() -> None:
    lines = ['d0 = "pr_ms > 0"']
    lines += [f'd{n} = "d{n - 1} or d{n - 1} or d{n - 1}"' for n in range(1, 40)]
    text = GOOD.replace("[thresholds]", "[definitions]\n" + "\n".join(lines) + "\n[thresholds]")
    with pytest.raises(CriterionError, match="too large"):
        read_criteria(text, "mine")


def test_an_unknown_set_or_criterion_names_the_known_ones() -> None:
    with pytest.raises(CriterionError, match="clinical, paper"):
        criteria_set("textbook")
    with pytest.raises(CriterionError, match="first_degree_block"):
        criteria_set("paper").criterion("second_degree_block")
