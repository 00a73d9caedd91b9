"""A run that is put together: what is changed, what is given up, what is put back."""

from __future__ import annotations

import pytest

from ecgcore.training.draft import FIXED, draft_of_options, draft_of_recipe, option_names
from ecgcore.training.option_kinds import kind_of, words_of
from ecgcore.training.recipes import recipe, recipes


def test_every_recipe_is_a_draft_that_changes_nothing_and_asks_for_every_option() -> None:
    for name, one in recipes().items():
        draft = draft_of_recipe(name)
        assert draft.changed() == ()
        assert draft.train_options() == one.options
        for option in option_names(draft.options):
            assert words_of(option, draft.options), (name, option)
            kind, value = kind_of(option, draft.options), draft.value(option)
            if kind.kind == "choice":
                assert value in kind.choices, (name, option)
            elif kind.kind in ("number", "whole number") and value is not None:
                low = kind.least is None or value >= kind.least
                assert low and (kind.most is None or value <= kind.most), (name, option)


def test_a_change_is_seen_and_put_back() -> None:
    draft = draft_of_recipe("inception").with_value("learning_rate", 0.5)
    draft = draft.with_value("augmentation.noise", 0.3).with_value("network_options.filters", 8)
    assert set(draft.changed()) == {
        "learning_rate", "augmentation.noise", "network_options.filters",
    }  # fmt: skip
    options = draft.train_options()
    assert (options.learning_rate, options.augmentation.noise) == (0.5, 0.3)
    assert options.network_options == {"filters": 8}
    for option in draft.changed():
        draft = draft.reset(option)
    assert draft.changed() == ()
    assert draft.train_options() == recipe("inception").options


def test_another_network_or_objective_gives_up_the_options_of_the_old_one() -> None:
    first = draft_of_recipe("hrnn")
    assert first.value("network_options.rules") == "by_label"
    draft = first.with_value("network", "inception").with_value("objective", "focal")
    draft = draft.with_value("network_options.filters", 16)
    draft = draft.with_value("objective_options.gamma", 1.5)
    options = draft.train_options()
    assert options.network_options == {"filters": 16}
    assert options.objective_options == {"gamma": 1.5}
    again = draft.with_value("network", "hrnn").with_value("objective", "hrnn")
    assert again.train_options() == recipe("hrnn").options


def test_an_option_left_to_the_objective_is_not_told() -> None:
    draft = draft_of_recipe("inception").with_value("objective", "focal")
    assert draft.value("objective_options.alpha") is None
    draft = draft.with_value("objective_options.alpha", 0.4)
    assert draft.train_options().objective_options == {"alpha": 0.4}
    draft = draft.with_value("objective_options.alpha", None)
    assert draft.train_options().objective_options == {}


def test_what_only_a_paper_can_set_is_fixed() -> None:
    draft = draft_of_recipe("ecgencode_m2")
    assert draft.value("network_options.feature_1") is FIXED
    assert "network_options.feature_1" not in draft.with_value("network", "inception").changed()


def test_an_earlier_run_is_repeated_with_what_it_had_changed() -> None:
    first = draft_of_recipe("inception").with_value("epochs", 3)
    again = draft_of_options(
        first.train_options().to_json(), recipe_name="inception", data=("/a.npz",),
        snapshot=None, name="mine",
    )  # fmt: skip
    assert again.changed() == ("epochs",)
    assert (again.name, again.data) == ("mine", ("/a.npz",))
    bare = draft_of_options(
        first.train_options().to_json(), recipe_name=None, data=(), snapshot="f" * 64, name="x"
    )
    assert bare.changed() == () and bare.stated("epochs") is None
    with pytest.raises(ValueError, match="no option colour"):
        draft_of_options({"colour": 1}, recipe_name=None, data=(), snapshot=None, name="x")


def test_options_that_contradict_each_other_are_refused_when_asked_for() -> None:
    draft = draft_of_recipe("inception").with_value("augmentation.mixup", 0.4)
    with pytest.raises(ValueError, match="mixup with a teacher"):
        draft.with_value("teacher", "/somewhere").train_options()
    with pytest.raises(ValueError, match="disjoint folds"):
        draft.with_value("validation_folds", [1]).train_options()


def test_a_recipe_takes_the_data_along() -> None:
    before = draft_of_options(
        recipe("hrnn").options.to_json(), recipe_name="hrnn", data=("/a.npz",), snapshot="ab",
        name="x",
    )  # fmt: skip
    after = draft_of_recipe("cnn_te", before)
    assert (after.data, after.snapshot, after.recipe, after.name) == (
        ("/a.npz",), "ab", "cnn_te", "cnn_te",
    )  # fmt: skip
