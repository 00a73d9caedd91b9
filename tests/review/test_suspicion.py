"""Suspicion finds planted errors, comes apart into reasons, and never alters the unknown."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecgcore.labels import SUPERCLASSES, label_set
from ecgcore.review.alterations import EXCHANGED, LESS, MORE, NONE_LEFT, alterations, company
from ecgcore.review.suspicion import Evidence, Suspicion, Weights, suspicions, weights
from ecgcore.review.suspicion_fitting import CONFUSABLE, Case, fit, plant

CODES = [one.code for one in SUPERCLASSES]


def _labels(count: int, seed: int = 0) -> np.ndarray:
    """Rows like those of a data set: NORM alone, or one to three others."""
    generator = np.random.default_rng(seed)
    rows = generator.random((count, 5)) < [0, 0.3, 0.35, 0.3, 0.15]
    rows[:, 0] = ~rows.any(axis=1)
    return rows


def _told(truth: np.ndarray, seed: int = 1, spread: float = 1.2) -> dict[str, np.ndarray]:
    """Probabilities of a model that is mostly right."""
    generator = np.random.default_rng(seed)
    odds = np.where(truth, 1.5, -1.5) + generator.normal(0, spread, truth.shape)
    return {"m": (1 / (1 + np.exp(-odds))).astype(np.float32)}


def _evidence(given: np.ndarray, told: dict[str, np.ndarray]) -> Evidence:
    return Evidence(SUPERCLASSES, given, np.ones_like(given), told)


def test_planted_errors_come_first() -> None:
    from sklearn.metrics import roc_auc_score

    truth = _labels(600)
    given_labels, wrong = plant(truth, CODES, 0.1, "uniform", np.random.default_rng(2))
    assert wrong.sum() == 60
    found = suspicions(_evidence(given_labels, _told(truth)))
    scores = [one.score for one in found]
    assert roc_auc_score(wrong, scores) > 0.9
    assert all(0 <= score <= 1 for score in scores)
    named = {
        label.instead for one, bad in zip(found, wrong, strict=True) if bad for label in one.labels
    }
    assert len(named) > 10


def test_the_score_is_about_as_often_right_as_it_says() -> None:
    truth = _labels(3000)
    labels, wrong = plant(truth, CODES, 0.1, "uniform", np.random.default_rng(3))
    case = Case(_evidence(labels, _told(truth)), truth)
    half = np.arange(3000) < 1500
    found = suspicions(case.evidence, fit([case], half))
    scores = np.array([one.score for one in found])[~half]
    assert scores.mean() == pytest.approx(wrong[~half].mean(), abs=0.025)
    sure = scores > 0.7
    assert wrong[~half][sure].mean() > 0.7


def example_evidence() -> Evidence:
    """80 records with everything that can be known of them."""
    truth = _labels(80)
    labels, _ = plant(truth, CODES, 0.2, "realistic", np.random.default_rng(4))
    rules = np.where(truth, 1, -1).astype(np.int8)
    rules[::2] = 0
    return Evidence(
        SUPERCLASSES, labels, np.ones_like(labels), _told(truth) | {"n": _told(truth, 5)["m"]},
        rules=rules, sentences={(at, "STTC"): f"ST at {at}" for at in range(80)},
        duplicates=((3, 4),),
        names=[f"r{number}" for number in range(80)],
    )  # fmt: skip


@pytest.fixture(scope="module")
def found() -> tuple[Suspicion, ...]:
    return suspicions(example_evidence(), replace(weights("superclasses"), rule=0.9))


def test_the_reasons_add_up_to_the_alterations_log_odds(found: tuple[Suspicion, ...]) -> None:
    checked = 0
    for one in found:
        for label in one.labels:
            if not label.reasons:
                continue
            total = sum(reason.weight for reason in label.reasons)
            # One alteration is at most as likely as all that change the label together.
            assert np.exp(total) * (1 - one.score) <= label.score + 1e-9
            same = [other for other in one.labels if other.instead == label.instead]
            assert {sum(r.weight for r in other.reasons) for other in same} == {total}
            checked += 1
    assert checked > 30


def test_every_kind_of_reason_is_said_in_words(found: tuple[Suspicion, ...]) -> None:
    kinds = {reason.kind for one in found for label in one.labels for reason in label.reasons}
    assert kinds >= {"model", "rule", "duplicate", "other labels", "how often"}
    texts = [reason.text for one in found for label in one.labels for reason in label.reasons]
    assert any("measured" in text and "ST at" in text for text in texts)
    assert any("the same tracing as r4, whose labels say " in text for text in texts)
    assert not any("nan" in text for text in texts)


def test_models_that_are_far_apart_are_said_to_disagree() -> None:
    labels = _labels(60)
    told = _told(labels)
    other = {"n": (1 - told["m"]).astype(np.float32)}
    found = suspicions(_evidence(labels, told | other))
    kinds = {reason.kind for one in found for label in one.labels for reason in label.reasons}
    assert "models disagree" in kinds


def test_what_no_model_answers_or_the_file_cannot_say_is_never_altered() -> None:
    labels = _labels(60)
    told = _told(labels)
    told["m"][:, 1] = np.nan
    known = np.ones_like(labels)
    known[:, 2] = False
    evidence = Evidence(SUPERCLASSES, labels, known, told)
    for one in suspicions(evidence):
        assert "MI" not in {label.code for label in one.labels}
        for label in one.labels:
            before = {c for c, on in zip(CODES, labels[one.index], strict=True) if on}
            if label.reasons:
                assert ("STTC" in label.instead) == ("STTC" in before)
            if label.code == "STTC":
                assert label.score == 0


def test_a_rule_that_contradicts_a_label_makes_it_more_suspicious() -> None:
    labels = _labels(50)
    told = _told(labels)
    use = replace(weights("superclasses"), rule=0.9)
    at = int(np.flatnonzero(labels[:, 3])[0])
    rules = np.zeros(labels.shape, dtype=np.int8)
    scores = []
    for answer in (1, 0, -1):
        rules[at, 3] = answer
        evidence = replace(_evidence(labels, told), rules=rules.copy())
        one = suspicions(evidence, use)[at]
        scores.append(next(label.score for label in one.labels if label.code == "CD"))
    assert scores[0] < scores[1] < scores[2]


@given(st.lists(st.booleans(), min_size=1, max_size=7), st.data())
def test_alterations_are_all_that_differ_by_one_label_or_one_exchange(
    row: list[bool], data: st.DataObject
) -> None:
    given_row = np.array(row)
    open_to = np.array(sorted(data.draw(st.sets(st.integers(0, len(row) - 1)))), dtype=np.intp)
    found = alterations(given_row, open_to)
    after = given_row + found.change
    assert set(np.unique(after)) <= {0.0, 1.0}
    assert len(np.unique(after, axis=0)) == len(after)
    on, off = given_row[open_to].sum(), (~given_row[open_to]).sum()
    assert len(after) == on + off + on * off
    closed = np.setdiff1d(np.arange(len(row)), open_to)
    assert (found.change[:, closed] == 0).all()
    sizes = found.change.sum(axis=1)
    assert (sizes[np.isin(found.kind, (LESS, NONE_LEFT))] == -1).all()
    assert (sizes[found.kind == MORE] == 1).all()
    assert (sizes[found.kind == EXCHANGED] == 0).all()


def test_company_prefers_labels_that_are_seen_together() -> None:
    generator = np.random.default_rng(6)
    first = generator.random(500) < 0.4
    rows = np.stack([first, np.where(generator.random(500) < 0.9, first, ~first)], axis=1)
    together = company(rows)
    alone = alterations(np.array([True, False]), np.array([1]))
    assert together.gain(alone)[0] > 0.5
    lone = company(generator.random((500, 2)) < 0.4)
    assert abs(lone.gain(alone)[0]) < 0.5


@pytest.mark.parametrize("kind", ["uniform", "realistic", "one label"])
def test_planting_exchanges_one_label_in_just_the_share_asked(kind: str) -> None:
    truth = _labels(400)
    labels, wrong = plant(truth, CODES, 0.1, kind, np.random.default_rng(0))  # type: ignore[arg-type]
    assert wrong.sum() == 40
    assert ((labels != truth).any(axis=1) == wrong).all()
    assert labels.any(axis=1).all()
    if kind == "realistic":
        for before, after in zip(truth[wrong], labels[wrong], strict=True):
            won = [c for c, b, a in zip(CODES, before, after, strict=True) if a and not b]
            lost = [c for c, b, a in zip(CODES, before, after, strict=True) if b and not a]
            assert any(won[0] in CONFUSABLE[one] for one in lost)


def test_fitting_learns_what_the_planting_was_like() -> None:
    truth = _labels(1500)
    labels, _ = plant(truth, CODES, 0.2, "uniform", np.random.default_rng(7))
    found = fit([Case(_evidence(labels, _told(truth)), truth)])
    assert isinstance(found, Weights)
    assert found.model > 0.5
    # Planting exchanges labels, it never only adds or takes away.
    assert found.exchanged > max(found.less, found.more)


def test_the_shipped_weights_are_there_for_every_label_set() -> None:
    assert weights("superclasses").model > 0
    assert weights("statements").rule > 0
    assert weights("rhythm") == weights("statements")
    assert len(label_set("statements")) == 71


def test_the_same_tracing_says_nothing_of_labels_that_its_file_cannot_name() -> None:
    evidence = example_evidence()
    known = evidence.known.copy()
    known[4] = False
    silent = [
        reason
        for label in suspicions(replace(evidence, known=known))[3].labels
        for reason in label.reasons
        if reason.kind == "duplicate"
    ]
    assert silent == []


def test_many_of_one_tracing_are_not_all_called_by_name() -> None:
    evidence = example_evidence()
    pairs = tuple((3, other) for other in range(4, 10))
    keys = tuple(f"k{at}" for at in range(len(evidence.given)))
    (text, others), *_ = [
        (reason.text, reason.others)
        for label in suspicions(replace(evidence, duplicates=pairs, keys=keys))[3].labels
        for reason in label.reasons
        if reason.kind == "duplicate"
    ]
    assert "and 3 more speak" in text
    assert others == ("k4", "k5", "k6", "k7", "k8", "k9")
