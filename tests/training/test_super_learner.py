"""The fit of one weight a class: it finds what made the answers, and keeps still without cases."""

from __future__ import annotations

import numpy as np
import pytest

from ecgcore.training.super_learner import (
    FEWEST_FIRED,
    FEWEST_POSITIVE,
    LARGEST,
    START,
    ClassAnswers,
    at_bound,
    cross_fitted,
    fit_trust,
    fused,
    loss,
    too_few,
)


def drawn(trust: float, records: int = 20_000, seed: int = 0) -> ClassAnswers:
    """Labels drawn from y = h s(w) + r (1 - s(w)) itself."""
    draws = np.random.default_rng(seed)
    share = 1 / (1 + np.exp(-trust))
    logits, rule = draws.normal(0, 1.5, records), (draws.random(records) < 0.5).astype(float)
    y = share / (1 + np.exp(-logits)) + (1 - share) * rule
    target = (draws.random(records) < y).astype(float)
    return ClassAnswers(
        logits, rule, target, np.arange(records) % 5 + 1, np.arange(records, dtype=np.intp)
    )


def plain(answers: ClassAnswers, trust: float) -> tuple[np.ndarray, np.ndarray]:
    """y and the class weight by Equations 3 and 5 as printed."""
    share = 1 / (1 + np.exp(-trust))
    y = share / (1 + np.exp(-answers.logits)) + (1 - share) * answers.rule
    return y, len(answers) / answers.target.sum()


@pytest.mark.parametrize("trust", [-3.0, -0.5, 0.0, 1.5, 3.0])
def test_fused_answers_and_loss_are_the_papers(trust: float) -> None:
    answers = drawn(0.5, 50)
    y, weight = plain(answers, trust)
    np.testing.assert_allclose(1 / (1 + np.exp(-fused(answers, trust))), y, atol=1e-9)
    terms = [
        -(weight * said * np.log(y) + (1 - said) * np.log(1 - y)).mean()
        for said in (answers.target, answers.rule)
    ]
    assert loss(answers, trust, 0.0) == pytest.approx(terms[0])
    assert loss(answers, trust, 2.0) == pytest.approx(terms[0] + 2 * terms[1])


def weighed(trust: float, records: int = 100_000) -> ClassAnswers:
    """Labels rarer than y says by just the class weight, which then asks for y itself: a network
    that learned with M / M_i answers so."""
    draws = np.random.default_rng(1)
    logits, rule = draws.normal(0, 1.5, records), (draws.random(records) < 0.5).astype(float)
    y, _ = plain(ClassAnswers(logits, rule, rule, rule.astype(int), rule.astype(int)), trust)
    lower, upper = 1.0, 50.0
    for _ in range(40):  # the weight w for which the share of positives is 1 / w
        weight = (lower + upper) / 2
        share = (y / (y + weight * (1 - y))).mean()
        lower, upper = (lower, weight) if share > 1 / weight else (weight, upper)
    target = (draws.random(records) < y / (y + weight * (1 - y))).astype(float)
    return ClassAnswers(logits, rule, target, np.ones(records, int), np.arange(records))


@pytest.mark.parametrize("trust", [-2.0, -0.5, 0.0, 1.0, 2.5])
def test_the_weight_that_made_the_answers_is_found(trust: float) -> None:
    assert fit_trust(weighed(trust), 0.0) == pytest.approx(trust, abs=0.1)


@pytest.mark.parametrize("lambda_", [0.0, 1.0])
def test_the_loss_falls_to_the_weight_and_rises_after_it(lambda_: float) -> None:
    answers = drawn(0.7, 300)
    best = fit_trust(answers, lambda_)
    below = [loss(answers, w, lambda_) for w in np.linspace(-LARGEST, best, 30)]
    above = [loss(answers, w, lambda_) for w in np.linspace(best, LARGEST, 30)]
    assert (np.diff(below) < 0).all() and (np.diff(above) > 0).all()


def test_lambda_leans_to_the_rule() -> None:
    answers = drawn(0.7, 2000)
    without, papers, more = (fit_trust(answers, lambda_) for lambda_ in (0.0, 1.0, 10.0))
    assert without > papers > more
    with pytest.raises(ValueError, match="lambda -1"):
        fit_trust(answers, -1)


def test_a_learner_without_an_error_takes_all() -> None:
    answers = drawn(0.0, 400)
    certain = np.where(answers.target > 0, 9.0, -9.0)
    rule_right = ClassAnswers(
        answers.logits, answers.target, answers.target, answers.fold, answers.place
    )
    wrong = 1 - answers.target
    rule_wrong = ClassAnswers(certain, wrong, answers.target, answers.fold, answers.place)
    assert fit_trust(rule_right, 0.0) == pytest.approx(-LARGEST, abs=0.01)
    assert fit_trust(rule_wrong, 0.0) == pytest.approx(LARGEST, abs=0.01)
    assert at_bound(fit_trust(rule_right, 0.0)) and not at_bound(fit_trust(answers, 0.0))


@pytest.mark.parametrize("label", [0.0, 1.0])
def test_a_label_that_all_or_none_has_keeps_the_weight_at_its_start(label: float) -> None:
    answers = drawn(2.0, 40)
    alike = np.full(40, label)
    assert fit_trust(
        ClassAnswers(answers.logits, answers.rule, alike, answers.fold, answers.place), 0.0
    ) == (START)


def few(positive: int, negative: int, fired: int) -> ClassAnswers:
    records = positive + negative
    return ClassAnswers(
        np.zeros(records),
        (np.arange(records) < fired).astype(float),
        (np.arange(records) < positive).astype(float),
        np.arange(records) % 2,
        np.arange(records, dtype=np.intp),
    )


def test_too_few_cases_are_told() -> None:
    assert too_few(few(FEWEST_POSITIVE, 5, FEWEST_FIRED)) is None
    for counts in ((4, 50, 10), (50, 4, 10), (50, 50, 2), (0, 0, 0)):
        said = too_few(few(*counts))
        assert said is not None and f"{counts[0]} with the label" in said


def test_held_out_records_have_no_part_in_their_own_weight() -> None:
    answers = drawn(1.0, 500)
    before = cross_fitted(answers, 0.0)
    held = answers.fold == 2
    turned = ClassAnswers(
        answers.logits,
        answers.rule,
        np.where(held, 1 - answers.target, answers.target),
        answers.fold,
        answers.place,
    )
    after = cross_fitted(turned, 0.0)
    np.testing.assert_array_equal(before[held], after[held])
    assert (before[~held] != after[~held]).all()
    others = fused(answers.rows(held), fit_trust(answers.rows(~held), 0.0))
    np.testing.assert_array_equal(before[held], others)
    with pytest.raises(ValueError, match="two or more folds"):
        cross_fitted(answers.rows(held), 0.0)
