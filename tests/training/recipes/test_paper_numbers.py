"""Every number of the papers' recipes, beside what the recipes hold."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import Any

import pytest
import torch

from ecgcore.models.registry import build_network, network_entry
from ecgcore.recording import LEADS
from ecgcore.training.objective_of import Making
from ecgcore.training.recipes import Recipe, flat, recipe, recipes
from ecgcore.training.schedules import PLATEAU_COOLDOWN, PLATEAU_FACTOR

FOLDS_1_TO_8, FOLDS_1_TO_9 = list(range(1, 9)), list(range(1, 10))

OPTIONS: dict[str, dict[str, Any]] = {
    "cnn_te_paper": {
        "network": "cnn_te", "epochs": 50, "batch": 256, "optimiser": "adam", "learning_rate": 1e-3,
        "schedule": "warm_restarts", "sampling": "oversampling", "train_folds": FOLDS_1_TO_9,
        "validation_folds": [10], "weight_decay": 1e-4,
    },
    "inception_paper": {
        "network": "inception", "objective": "double_soft_f1", "optimiser": "adam",
        "learning_rate": 1e-3, "batch": 30, "epochs": 15, "schedule": "plateau",
    },
    "mvkt_teacher_paper": {
        "optimiser": "adam", "learning_rate": 1e-3, "weight_decay": 1e-4, "epochs": 100,
        "batch": 32, "objective": "bce", "train_folds": FOLDS_1_TO_8, "validation_folds": [9],
        "leads": None,
    },
    "mvkt_paper": {
        "optimiser": "adam", "learning_rate": 1e-3, "weight_decay": 1e-4, "epochs": 100,
        "batch": 32, "objective": "mvkt", "objective_options.mkd": 1.0,
        "objective_options.clt": 0.8, "objective_options.negatives": 1024,
        "objective_options.temperature": 1.5, "objective_options.contrast_temperature": 0.07,
        "objective_options.size": 128, "objective_options.momentum": 0.5, "leads": ["I"],
    },
    "mvkt_clecg_paper": {"start": "clecg", "objective": "mvkt", "leads": ["I"]},
    "mvkt_without_mkd_paper": {"objective_options.mkd": 0, "objective_options.clt": 0.8},
    "mvkt_without_clt_paper": {"objective_options.mkd": 1.0, "objective_options.clt": 0},
    "mvkt_kl_paper": {
        "objective_options.mkd": 0, "objective_options.kl": 1.0, "objective_options.clt": 0.8,
    },
    "mvkt_single_lead_paper": {"objective": "bce", "leads": ["I"]},
    "mvkt_fitnet_paper": {"objective": "fitnet", "leads": ["I"]},
    "mvkt_attention_paper": {"objective": "attention_transfer", "leads": ["I"]},
    "mvkt_sub_paper": {"label_set": "subclasses"},
    "hrnn_paper": {
        "network": "hrnn", "objective": "hrnn", "objective_options.lambda": 1, "optimiser": "adam",
        "learning_rate": 1e-4, "warmup_epochs": 2, "schedule": "warmup_cosine",
        "weight_decay": 1e-6, "batch": 32, "epochs": 60, "network_options.rules": "by_label",
    },
    "hrnn_lambda_0_paper": {"objective_options.lambda": 0, "network_options.rules": "by_label"},
    "hrnn_without_rules_paper": {"network": "hrnn", "network_options.rules": []},
    "hrnn_resnet34_paper": {"network": "resnet1d34", "sampling_rate": 500},
    "ecgencode_m1_paper": {
        "network": "ecgencode_m1", "optimiser": "adamw", "objective": "categorical_focal",
        "alpha_balanced": True, "epochs": 2500, "keep": "best", "best_by": "sensitivity",
    },
    "ecgencode_m2_paper": {
        "network": "ecgencode_m2", "optimiser": "adamw", "objective": "focal",
        "alpha_balanced": True, "epochs": 1500, "train_folds": FOLDS_1_TO_9,
        "label_set": "statements",
    },
    "ecgencode_m1_without_noise_paper": {"network_options.noise": 0},
    "ecgencode_m2_without_noise_paper": {"network_options.noise": 0},
}  # fmt: skip

PROTOCOLS: dict[str, dict[str, Any]] = {
    "cnn_te": {"train_share": 0.9, "recordings": 42511, "classes": 13, "initialisation": "xavier"},
    "inception": {
        "cross_validation": 10, "split_seed": 42, "plateau_factor": PLATEAU_FACTOR,
        "plateau_patience": 0, "plateau_cooldown": PLATEAU_COOLDOWN, "recordings": 81327,
        "lime_background": [1000, 1000],
    },
    "mvkt": {"test_folds": [10], "classes": [5, 24, 9], "student_epochs": 100},
    "hrnn": {"threshold": 0.5, "rules": 15, "classes": [55, 34], "millivolts_a_unit": 4.88e-3},
    "ecgencode_m1": {"bootstraps": 10000, "interval": 0.95, "shares": [0.8, 0.1, 0.1]},
    "ecgencode_m2": {"bootstraps": 10000, "interval": 0.95, "test_folds": [10]},
}  # fmt: skip

BASELINES = {
    "cnn_te": ("vgg11", "gru", "lstm", "cnn_gru", "cnn_lstm"),
    "inception": ("encoder", "classifier_chain"),
    "mvkt_single_lead": ("resnet1d_liu", "densecnn_wang", "seresnet18", "seresnet34"),
    "hrnn": ("transformer1d", "se_ecgnet", "mlwgat"),
    "ecgencode_m1": ("attia", "afibri_net3"),
}


@pytest.mark.parametrize(
    ("name", "option"), [(name, option) for name, table in OPTIONS.items() for option in table]
)
def test_a_papers_number_is_in_its_recipe(name: str, option: str) -> None:
    assert dict(flat(recipe(name).options))[option] == OPTIONS[name][option]


@pytest.mark.parametrize("name", PROTOCOLS)
def test_numbers_of_splitting_and_scoring(name: str) -> None:
    held = {key: fact.value for key, fact in recipe(name).protocol.items()}
    assert {key: held.get(key) for key in PROTOCOLS[name]} == PROTOCOLS[name]


def test_the_protocols_of_two_models_of_one_paper_are_apart() -> None:
    assert recipe("ecgencode_m1").protocol["classes"].value == 2
    assert recipe("ecgencode_m2").protocol["classes"].value == 71
    assert "threshold" in recipe("ecgencode_m2").not_done
    assert "threshold" not in recipe("ecgencode_m1").not_done


def test_inception_is_swept_over_six_rates_and_five_lead_sets() -> None:
    rates = {recipe("inception").defaults["sampling_rate"].value}
    rates |= {recipe(f"inception_{rate}hz").options.sampling_rate for rate in (25, 50, 100)}
    rates |= {recipe(f"inception_{rate}hz").options.sampling_rate for rate in (250, 500)}
    assert rates == {25, 50, 75, 100, 250, 500}
    for rate in (250, 500):
        assert "interpolated" in recipe(f"inception_{rate}hz").not_done["bandwidth"]
    sets = {recipe(f"inception_{number}_leads").options.leads for number in (6, 4, 3, 2)}
    assert sets == {LEADS[:6], ("I", "II", "III", "V2"), ("I", "II", "V2"), ("I", "II")}
    assert network_entry("inception").spec.leads == LEADS


def test_every_lead_is_the_students_once() -> None:
    names = ["mvkt", *(f"mvkt_lead_{lead.lower()}" for lead in LEADS[1:])]
    assert [recipe(name).options.leads for name in names] == [(lead,) for lead in LEADS]


def test_five_backbones_teach_learn_and_stand_alone() -> None:
    """Feature sizes of section 3.5."""
    sizes = {"cnn_hannun": 256, "resnet1d34": 512, "resnet1d_wang": 128, "inception1d": 128}
    for role in ("mvkt_teacher", "mvkt_single_lead", "mvkt"):
        assert recipe(f"{role}_paper").options.network == "xresnet1d101_wide"
        assert recipe(role).options.network == "xresnet1d101"
        assert recipe(f"{role}_paper").defaults["features"].value == 2048
        for name, size in sizes.items():
            told = recipe(f"{role}_{name}")
            assert told.options.network == name and told.defaults["features"].value == size


@pytest.mark.parametrize("base", BASELINES)
def test_a_baseline_differs_in_its_network_and_what_belongs_to_it(base: str) -> None:
    for name in BASELINES[base]:
        ours, theirs = (asdict(recipe(f"{one}_paper").options) for one in (name, base))
        assert ours["network"] == name
        differ = {key for key in ours if ours[key] != theirs[key]}
        assert differ <= {"network", "objective", "objective_options", "network_options"}


@pytest.mark.parametrize("name", [name for name in recipes() if name.endswith("_paper")])
def test_what_a_network_has_by_itself_is_what_the_recipe_says(name: str) -> None:
    told = recipe(name)
    for key, fact in told.defaults.items():
        found = _default(told, key)
        assert (list(found) if isinstance(found, tuple) else found) == fact.value, key


def _default(told: Recipe, key: str) -> Any:
    entry, options = network_entry(told.options.network), told.options
    if key == "features":
        return build_network(entry.name, leads=1, labels=2).head.in_features
    if key == "gamma":
        network = torch.nn.Identity()
        return Making(network, torch.zeros(1, 1), 1, 1, options.objective_options).gamma  # type: ignore[arg-type]
    if key in {field.name for field in fields(entry.options)}:
        return getattr(entry.options(), key)
    return getattr(entry.spec, key)
