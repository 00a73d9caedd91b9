"""Methods by name, labels that can be explained, and imports that stay light."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from ecgcore.explain.grad_cam import grad_cam
from ecgcore.explain.methods import METHODS, default_method, explain
from ecgcore.explain.target import ExplanationError, label_target
from ecgcore.models.input_spec import InputSpec
from ecgcore.models.predictor import Predictor
from ecgcore.recording import LEADS
from tests.explain.by_hand import EnergyOfOneLead
from tests.models.example import example_card, example_predictor, example_recording, label_card


def by_hand(*, faithful: bool) -> Predictor:
    """A model whose Grad-CAM marks what it uses, or the contrary."""
    network = EnergyOfOneLead(LEADS.index("V2"), faithful=faithful)
    card = example_card("inception", spec=InputSpec(sampling_rate=100.0))
    return Predictor(card, network, torch.device("cpu"))


def test_methods_have_the_names_that_people_read() -> None:
    assert tuple(METHODS) == ("Grad-CAM", "HiRes-CAM", "LIME")


@pytest.mark.parametrize("method", METHODS)
def test_a_method_is_chosen_by_name(method: str) -> None:
    found = explain(method, by_hand(faithful=True), example_recording(), "MI")
    assert found.method == method
    assert found.peak > 0
    assert "Flattening its hottest tenth lowers the log-odds more than " in found.note


def test_a_map_that_fails_its_test_is_withheld() -> None:
    recording, model = example_recording(), by_hand(faithful=False)
    shown = explain("Grad-CAM", model, recording, "MI")
    assert grad_cam(model, recording, "MI").peak > 0
    assert shown.peak == 0
    assert not shown.heat.any()
    assert shown.note.startswith("No map: this one does not mark what the model used for MI.")


def test_the_first_method_suits_the_network() -> None:
    assert default_method(example_card("inception")) == "Grad-CAM"
    assert default_method(example_card("ecgencode_m2")) == "HiRes-CAM"


def test_an_unknown_method_lists_the_known() -> None:
    with pytest.raises(ExplanationError, match="unknown method 'SHAP'; known: Grad-CAM, "):
        explain("SHAP", example_predictor("inception"), example_recording(), "MI")


def test_a_code_in_two_sets_must_name_its_set() -> None:
    both = (label_card("NORM"), label_card("MI"), replace(label_card("NORM"), set="statements"))
    card = example_card("inception", labels=both)
    assert label_target(card, "NORM", "superclasses") == 0
    assert label_target(card, "NORM", "statements") == 2
    assert label_target(card, "MI") == 1
    with pytest.raises(ExplanationError, match="superclasses and statements; say which set"):
        label_target(card, "NORM")
    with pytest.raises(ExplanationError, match="no label 'MI' among its statements; known: NORM"):
        label_target(card, "MI", "statements")


def test_the_set_reaches_the_model() -> None:
    """NORM's logit in the second set is the negative of the first: the signs of LIME turn."""

    class TwoSets(EnergyOfOneLead):
        def forward(self, x: Tensor) -> Tensor:
            energy = super().forward(x)[:, :1]
            return torch.cat([energy, energy, -energy], dim=1)

    both = (label_card("NORM"), label_card("MI"), replace(label_card("NORM"), set="statements"))
    card = example_card("inception", spec=InputSpec(sampling_rate=100.0), labels=both)
    network = TwoSets(LEADS.index("V2"), faithful=True)
    model = Predictor(card, network, torch.device("cpu"))
    first = METHODS["LIME"](model, example_recording(), "NORM", "superclasses").heat
    second = METHODS["LIME"](model, example_recording(), "NORM", "statements").heat
    np.testing.assert_allclose(first, -second, atol=1e-4)


def test_naming_the_methods_loads_no_heavy_library() -> None:
    program = (
        "import sys, ecgcore.explain.methods, ecgcore.explain.topography\n"
        "heavy = {'torch', 'captum', 'lime', 'sklearn', 'scipy', 'pandas', 'matplotlib'}\n"
        "sys.exit(', '.join(sorted(heavy & set(sys.modules))) or 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
