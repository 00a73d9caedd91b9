"""Shapes that small waves, upward slopes and biphasic waves must not tip, or must."""

from __future__ import annotations

from ecgcore.rules.applying import apply_rules
from ecgcore.rules.criteria import criteria_set
from ecgcore.rules.finding import Finding
from tests.rules.cases import CLINICAL
from tests.rules.measured_example import MAN, measured


def _found(missing: dict[str, str] | None = None, **changes: float) -> dict[str, Finding]:
    found = apply_rules(measured(missing, **changes), MAN, criteria_set("clinical"))
    return {finding.criterion: finding for finding in found}


def _case(criterion: str) -> dict[str, float]:
    return next(case.others for case in CLINICAL if case.criterion == criterion)


def test_an_upsloping_depression_is_no_finding() -> None:
    rising = {f"{lead}__j_mv": -0.2 for lead in ("V3", "V4", "V5", "V6", "II", "aVF", "III")}
    rising |= {name.replace("j_mv", "j80_mv"): -0.06 for name in rising}
    found = _found(**rising)
    for place in ("anterior", "inferior", "lateral"):
        assert found[f"st_depression_{place}"].fired is False
    level = dict.fromkeys(rising, -0.2)
    assert _found(**level)["st_depression_lateral"].fired is True


def test_an_overshoot_before_r_hides_no_left_bundle_branch_block() -> None:
    block = _case("left_bundle_branch_block") | {"qrs_ms": 150.0}
    overshoot = {"V6__q_mv": -0.03, "V6__q_ms": 8.0}
    assert _found(**(block | overshoot))["left_bundle_branch_block"].fired is True
    true_q = {"V6__q_mv": -0.08, "V6__q_ms": 20.0}
    assert _found(**(block | true_q))["left_bundle_branch_block"].fired is False


def test_an_overshoot_after_s_makes_no_right_bundle_branch_block() -> None:
    block = _case("right_bundle_branch_block") | {"qrs_ms": 140.0}
    overshoot = {"V1__r2_mv": 0.03, "V1__r2_ms": 8.0}
    assert _found(**(block | overshoot))["right_bundle_branch_block"].fired is False


def test_bundle_branch_blocks_are_decided_by_times_where_voltages_are_not_known() -> None:
    for criterion, leads in (
        ("left_bundle_branch_block", ("I.q_mv", "V5.q_mv", "V6.q_mv")),
        ("right_bundle_branch_block", ("V1.r2_mv", "V2.r2_mv", "V1.r_mv", "V1.s_mv")),
    ):
        found = _found(dict.fromkeys(leads, "not true"), **(_case(criterion) | {"qrs_ms": 140.0}))
        assert found[criterion].fired is True


def test_the_smaller_negative_part_of_a_biphasic_t_counts() -> None:
    biphasic = {"V3__t_mv": 0.3, "V3__t_neg_mv": -0.15, "V4__t_mv": 0.25, "V4__t_neg_mv": -0.12}
    assert _found(**biphasic)["t_inversion_anterior"].fired is True
    assert _found(**(biphasic | {"V4__t_neg_mv": -0.09}))["t_inversion_anterior"].fired is False


def test_r_in_avl_is_no_sign_of_hypertrophy_in_left_anterior_fascicular_block() -> None:
    tall = {"aVL__r_mv": 1.4}
    assert _found(**tall)["lvh_r_avl"].fired is True
    block = _case("left_anterior_fascicular_block") | {"qrs_axis_deg": -60.0} | tall
    refused = _found(**block)["lvh_r_avl"]
    assert refused.fired is None
    assert "fascicular" in (refused.reason or "")
