"""Recipes can be run, say where each number comes from, and are what the shipped cards say."""

from __future__ import annotations

import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from ecgcore.labels import ASSETS
from ecgcore.models import card as cards
from ecgcore.models.registry import build_network, network_entry
from ecgcore.training import code_digest
from ecgcore.training.objective_of import OBJECTIVES, Making, objective_of
from ecgcore.training.options import options_from_json
from ecgcore.training.recipes import FOLDER, differences, recipe, recipes
from ecgcore.training.records import network_options, network_spec

ALL = tuple(recipes())
OF_PAPERS = tuple(name for name in ALL if name.endswith("_paper"))
ROOTS = tuple(name for name in OF_PAPERS if recipe(name).base is None)

MUST_BE_STATED = {
    "network", "label_set", "train_folds", "validation_folds", "objective", "optimiser",
    "learning_rate", "weight_decay", "schedule", "batch", "epochs", "keep",
}  # fmt: skip


def test_all_five_papers_have_recipes() -> None:
    assert len({recipe(name).paper for name in ROOTS}) == 5


@pytest.mark.parametrize("name", cards.trained_models())
def test_a_shipped_card_is_of_the_recipe_that_its_command_names(name: str) -> None:
    """But for the folder of a teacher, which a recipe cannot know."""
    card = cards.load_card(name)
    assert f"train --recipe {name} " in card.command or name == "hrnn"
    options = options_from_json(card.training["options"])
    assert replace(options, teacher=None) == recipe(name).options


def test_shipped_weights_are_small_and_of_one_label_set() -> None:
    shipped = [cards.load_card(name) for name in cards.trained_models()]
    assert sum(card.cost["bytes"] for card in shipped) < 60e6
    labels = {tuple((one.set, one.code) for one in card.labels) for card in shipped}
    assert len(labels) == 1 and len(labels.pop()) == 71 + 5
    taught = cards.load_card("mvkt").training["teacher"]
    assert taught == ["mvkt_teacher", cards.load_card("mvkt_teacher").weights_sha256]


@pytest.mark.parametrize("name", ALL)
def test_a_recipe_states_all_that_it_changes_and_nothing_else(name: str) -> None:
    told = recipe(name)
    if told.base is None:
        assert {one.option for one in told.changes} >= MUST_BE_STATED
        return
    found = differences(told.options, recipe(told.base).options)
    stated = {one.option: one.value for one in told.changes}
    assert {option: found[option] for option in stated} == stated
    for option in set(found) - set(stated):  # only what a new network or objective took along
        owner = {"network_options": "network", "objective_options": "objective"}
        assert found[option] is None and owner[option.partition(".")[0]] in stated


@pytest.mark.parametrize("name", ALL)
def test_each_number_in_force_has_a_reason(name: str) -> None:
    told = recipe(name)
    assert options_from_json(told.options.to_json()) == told.options
    options = [one.option for one in told.stated]
    assert len(set(options)) == len(options)
    assert all(len(one.why) > 3 for one in told.stated)
    if name in OF_PAPERS:
        assert not told.scaled
    elif told.base == f"{name}_paper":
        assert told.scaled == told.changes


@pytest.mark.parametrize("network", sorted({recipe(name).options.network for name in ALL}))
def test_every_network_of_a_recipe_is_built_and_its_objective_made(network: str) -> None:
    """Objectives that learn from a teacher are made in the tests of taught runs."""
    done = set()
    for name in ALL:
        options = recipe(name).options
        own = (str(options.network_options), options.objective)
        if options.network != network or own in done:
            continue
        done.add(own)
        told = network_options(options, (("statements", "STACH"), ("statements", "NORM")))
        spec = network_spec(options)
        built = build_network(network, leads=len(spec.leads), labels=2, options=told)
        assert spec.samples == round(spec.sampling_rate * 10)
        if not OBJECTIVES[options.objective].taught:
            assert network_entry(network).name == network
            making = Making(
                built, torch.eye(2), 12, spec.samples, options.objective_options,
                alpha_balanced=options.alpha_balanced,
            )  # fmt: skip
            assert float(objective_of(options.objective, making).of_labels(
                torch.zeros(2, 2), torch.eye(2)
            )) > 0  # fmt: skip


def test_small_data_are_not_the_papers() -> None:
    small, paper = recipe("cnn_te"), recipe("cnn_te_paper")
    assert set(differences(small.options, paper.options)) == {
        "batch", "epochs", "sampling", "precision", "augmentation.shift", "augmentation.gain",
        "augmentation.lead_dropout", "augmentation.noise",
        "label_set", "train_folds", "validation_folds", "attribution",
    }  # fmt: skip
    assert (small.base, paper.base) == ("cnn_te_paper", None)


def test_an_ablation_keeps_what_it_is_about_when_scaled() -> None:
    assert recipe("ecgencode_m2_without_noise").options.network_options == {"noise": 0}
    assert differences(
        recipe("inception_25hz").options, recipe("inception").options
    ) == {"sampling_rate": 25}  # fmt: skip
    assert recipe("ecgencode_m1").options.epochs == 60
    assert recipe("ecgencode_m1").options.best_by == "sensitivity"
    assert recipe("inception_bce").options.epochs == recipe("inception").options.epochs


def test_the_digest_of_the_code_covers_the_recipes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digested = code_digest.digested_files()
    criteria = set((ASSETS / "criteria").glob("*.toml"))
    recipes = set(FOLDER.glob("*.toml"))
    assert {path for path in digested if path.suffix == ".toml"} == recipes | criteria
    loaded = {
        Path(module.__file__ or "")
        for name, module in sys.modules.items()
        if name.startswith(("ecgcore.models.", "ecgcore.signal.", "ecgcore.convolution_blocks"))
    }
    assert loaded and loaded <= set(digested)
    package = tmp_path / "ecgcore"
    shutil.copytree(FOLDER.parent.parent, package, ignore=shutil.ignore_patterns("*.pyc"))
    monkeypatch.setattr(code_digest, "_PACKAGE", package)
    before = code_digest.code_digest()
    file = package / "training" / "recipes" / "hrnn.toml"
    file.write_text(file.read_text().replace("value = 60", "value = 61"))
    assert code_digest.code_digest() != before


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"unknown recipe 'hrn'; known: afibri_net3, .*, hrnn, "):
        recipe("hrn")
