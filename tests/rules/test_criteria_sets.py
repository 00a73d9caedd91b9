"""Every shipped criterion fires on one side of its limit and not on the other."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ecgcore.recording import LEADS
from ecgcore.rules.applying import apply_rules
from ecgcore.rules.criteria import CRITERIA_SETS, criteria_set
from ecgcore.rules.finding import Finding
from tests.rules.cases import CLINICAL, PAPER, Case
from tests.rules.measured_example import MAN, WOMAN, measured

CASES = [("paper", case) for case in PAPER] + [("clinical", case) for case in CLINICAL]
STEP = 1e-4


def _finding(name: str, case: Case, number: float) -> Finding:
    values = measured(**(case.others | {case.name: number}))
    found = apply_rules(values, case.patient, criteria_set(name))
    return next(finding for finding in found if finding.criterion == case.criterion)


def _name(item: object) -> str:
    return f"{item.criterion}-{item.name}" if isinstance(item, Case) else str(item)


@pytest.mark.parametrize(("name", "case"), CASES, ids=_name)
def test_a_criterion_turns_over_at_its_limit(name: str, case: Case) -> None:
    inside = STEP if case.fires.startswith(">") else -STEP
    fired = _finding(name, case, case.edge + inside)
    silent = _finding(name, case, case.edge - inside)
    assert fired.fired is True, fired
    assert silent.fired is False, silent
    assert silent.comparison


@pytest.mark.parametrize(("name", "case"), CASES, ids=_name)
def test_what_fired_shows_its_place_and_its_comparison(name: str, case: Case) -> None:
    fired = _finding(name, case, case.edge + (STEP if case.fires.startswith(">") else -STEP))
    assert fired.where
    assert all(place.lead in LEADS and place.stop > place.start for place in fired.where)
    assert fired.measured is not None
    assert fired.threshold is not None
    assert fired.source


@pytest.mark.parametrize("name", CRITERIA_SETS)
def test_every_criterion_has_a_case(name: str) -> None:
    cases = {"paper": PAPER, "clinical": CLINICAL}[name]
    assert {case.criterion for case in cases} == {one.id for one in criteria_set(name).criteria}


def test_the_paper_has_fifteen_rules_and_says_what_is_odd() -> None:
    criteria = criteria_set("paper").criteria
    assert len(criteria) == 15
    assert all(criterion.note for criterion in criteria)


@pytest.mark.parametrize("patient", [MAN, WOMAN], ids=["man", "woman"])
def test_a_normal_heart_has_sinus_rhythm_and_nothing_else(patient: object) -> None:
    found = apply_rules(measured(), patient, criteria_set("clinical"))  # type: ignore[arg-type]
    assert [finding.criterion for finding in found if finding.fired] == ["sinus_rhythm"]
    assert all(finding.fired is not None for finding in found)


@pytest.mark.parametrize("name", CRITERIA_SETS)
def test_every_threshold_has_a_source(name: str) -> None:
    for threshold in criteria_set(name).thresholds.values():
        assert len(threshold.source) > 5, threshold


@pytest.mark.parametrize(
    "criterion",
    ["st_elevation_inferior", "lvh_sokolow_lyon", "q_inferior", "t_inversion_lateral"],
)
def test_left_bundle_branch_block_refuses_what_it_imitates(criterion: str) -> None:
    case = next(case for case in CLINICAL if case.criterion == "left_bundle_branch_block")
    values = measured(**(case.others | {"qrs_ms": 150.0, "aVF__j_mv": 0.3, "II__j_mv": 0.3}))
    found = {one.criterion: one for one in apply_rules(values, MAN, criteria_set("clinical"))}
    assert found["left_bundle_branch_block"].fired is True
    assert found[criterion].fired is None
    assert "Left bundle branch block" in (found[criterion].reason or "")
    assert found[criterion].where == ()


def test_pacing_refuses_conduction_and_st_but_names_itself() -> None:
    values = measured(paced_beats=11.0, qrs_ms=160.0)
    found = {one.criterion: one for one in apply_rules(values, MAN, criteria_set("clinical"))}
    assert found["paced_rhythm"].fired is True
    for criterion in ("left_bundle_branch_block", "intraventricular_delay", "long_qt"):
        assert found[criterion].fired is None
    assert "pacing" in (found["st_elevation_anterior"].reason or "").lower()


def test_atrial_fibrillation_has_no_first_degree_block() -> None:
    values = measured(
        {"pr_ms": "there is no P wave", "p_ms": "there is no P wave"},
        p_share=0.0,
        p_per_qrs=0.0,
        rr_irregularity=0.2,
        sinus_p=0.0,
    )
    found = {one.criterion: one for one in apply_rules(values, MAN, criteria_set("clinical"))}
    assert found["atrial_fibrillation"].fired is True
    assert found["first_degree_block"].fired is None
    assert "no P wave" in (found["first_degree_block"].reason or "")
    assert found["sinus_rhythm"].fired is False


def test_a_child_is_told_that_limits_are_for_adults() -> None:
    child = replace(MAN, age=9.0)
    found = apply_rules(measured(rate_bpm=110.0), child, criteria_set("clinical"))
    fast = next(one for one in found if one.criterion == "sinus_tachycardia")
    assert fast.fired is True
    assert "adults" in (fast.reason or "")


def test_strain_is_said_beside_st_depression_in_hypertrophy() -> None:
    case = next(case for case in CLINICAL if case.criterion == "st_depression_lateral")
    changes = case.others | {case.name: -0.1, "V1__s_mv": -3.0}
    found = apply_rules(measured(**changes), MAN, criteria_set("clinical"))
    depressed = next(one for one in found if one.criterion == "st_depression_lateral")
    assert depressed.fired is True
    assert "hypertrophy" in (depressed.reason or "")
