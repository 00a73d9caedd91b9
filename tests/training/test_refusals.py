"""Why a run could not begin is said before it is started."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ecgcore.datasets.data_facts import DataFacts, facts_of_packed
from ecgcore.models.registry import network_names
from ecgcore.training.draft import draft_of_recipe, option_names
from ecgcore.training.option_kinds import kind_of
from ecgcore.training.options import TrainOptions, options_from_json
from ecgcore.training.recipes import recipe
from ecgcore.training.refusals import answered_labels, of_options, refusals
from tests.packed_example import write_packed


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> DataFacts:
    return facts_of_packed(write_packed(tmp_path_factory.mktemp("data") / "some.npz"))


def _options(**changes: Any) -> TrainOptions:
    return replace(
        recipe("inception").options, label_set="superclasses", fewest_positives=5,
        fewest_validation_positives=1, **changes,
    )  # fmt: skip


def test_nothing_is_said_of_a_run_that_can_begin(facts: DataFacts) -> None:
    assert refusals(_options(), facts) == ()
    assert answered_labels(_options(), facts) == (5, 5)
    assert answered_labels(replace(_options(), fewest_positives=80), facts)[0] == 0


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"validation_folds": (10,)}, "No recording to score in folds 10; the data have folds 1"),
        ({"train_folds": ()}, "No recording to learn from in folds none"),
        ({"batch": 500}, "80 recordings to learn from make no batch of 500"),
        ({"objective": "mkd"}, "The objective mkd learns from a teacher; choose one"),
        ({"teacher": "/nowhere"}, "The teacher cannot be used"),
        ({"start": "/nowhere"}, "The start cannot be used: /nowhere has neither"),
        ({"start": "clecg"}, "CLECG's pre-training of inception: choose them"),
        ({"objective": "hrnn"}, "choose the network hrnn with it"),
        ({"network_options": {"colour": 1}}, "cannot be built: network 'inception' has no option"),
        ({"network_options": {"filters": -4}}, "The network inception cannot be built"),
    ],
)
def test_each_reason_is_one_sentence(facts: DataFacts, changes: dict[str, Any], said: str) -> None:
    found = refusals(_options(**changes), facts)
    assert any(said in one for one in found), found
    assert all(one.endswith(".") and not one[0].islower() for one in found)


def test_labels_leads_and_counts_that_the_data_lack_are_said(facts: DataFacts) -> None:
    bare = replace(facts, codes={"statements": facts.codes["statements"]}, leads=("I", "II"))
    found = refusals(_options(), bare)
    assert "has no labels of superclasses; it has statements" in found[0]
    assert "has no lead III, aVR" in found[1]
    rare = refusals(replace(_options(), fewest_positives=80), facts)
    assert rare == (
        "No label has 80 recordings to learn from and 1 to score, so that the model would answer "
        "nothing; choose other labels or data, or ask for fewer.",
    )


def test_a_teacher_must_be_asked_for_and_have_the_same_labels(
    facts: DataFacts, tmp_path: Path
) -> None:
    from ecgcore.models.card import SHIPPED

    options = _options(teacher=str(SHIPPED / "inception"))
    found = refusals(options, facts)
    assert any("learns from no teacher" in one for one in found)
    assert any("answers for other labels than superclasses" in one for one in found)
    fits = replace(options, label_set="statements+superclasses", objective="mkd")
    assert refusals(fits, facts) == ()


def test_a_network_that_looks_at_its_weights_is_built_all_the_same(facts: DataFacts) -> None:
    options = replace(
        recipe("hrnn").options, label_set="superclasses", fewest_positives=5,
        fewest_validation_positives=1,
    )  # fmt: skip
    assert refusals(options, facts) == ()


@pytest.mark.parametrize("name", sorted(set(network_names()) - {"ensemble"}))
def test_every_choice_of_a_networks_options_can_be_built_or_is_refused(name: str) -> None:
    options = draft_of_recipe("inception").with_value("network", name)
    for option in option_names(options.options):
        if not option.startswith("network_options."):
            continue
        kind = kind_of(option, options.options)
        for value in kind.choices or ((False, True) if kind.kind == "yes or no" else ()):
            told = options.with_value(option, value).options | {"augmentation": {}}
            assert all("cannot be built" in one for one in of_options(options_from_json(told)))
