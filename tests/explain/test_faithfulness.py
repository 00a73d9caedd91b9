"""The deletion test passes a map of what the model uses, and fails one of anything else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from ecgcore.explain.explanation import Explanation
from ecgcore.explain.faithfulness import (
    LEAST_BEATEN,
    RANDOM_CHOICES,
    DeletionTest,
    deletion_test,
    withheld,
)
from ecgcore.models.input_spec import InputSpec, prepare
from ecgcore.models.predictor import Predictor
from ecgcore.recording import LEADS
from tests.explain.by_hand import EnergyOfOneLead
from tests.models.example import example_card, example_recording

SPEC = InputSpec(sampling_rate=100.0)
V2 = LEADS.index("V2")


def model(lead: int = V2) -> Predictor:
    network = EnergyOfOneLead(lead, faithful=True)
    return Predictor(example_card("inception", spec=SPEC), network, torch.device("cpu"))


def explanation(heat: NDArray[np.floating], *, per_lead: bool = True) -> Explanation:
    return Explanation(
        "m",
        "MI",
        "by hand",
        LEADS,
        heat.astype(np.float32),
        100.0,
        0.0,
        per_lead,
        False,
        float(np.abs(heat).max()),
        "A map.",
    )


def energy(seconds: float = 10.0) -> NDArray[np.float64]:
    """(leads, samples): the true evidence of ``model``."""
    values = prepare(example_recording(seconds=seconds), SPEC).values
    heat = np.zeros((12, round(seconds * 100)))
    heat[V2] = values[V2, : heat.shape[1]] ** 2
    return heat / heat.max()


def test_the_true_evidence_passes() -> None:
    found = deletion_test(model(), example_recording(), explanation(energy()))
    assert (found.beaten, found.choices) == (20, 20)
    assert found.drop > 5 * found.random_drop > 0
    assert found.passed


def test_what_a_map_costs_is_computed_by_hand() -> None:
    """One hot cell: the drop is the energy of these 20 samples."""
    heat = np.zeros((12, 1000))
    heat[V2, 300:320] = 1
    values = prepare(example_recording(), SPEC).values
    found = deletion_test(model(), example_recording(), explanation(heat))
    assert found.drop == pytest.approx(float((values[V2, 300:320] ** 2).sum() / 1000), rel=1e-3)


def test_another_leads_map_fails() -> None:
    moved = np.roll(energy(), 1, axis=0)
    found = deletion_test(model(), example_recording(), explanation(moved))
    assert found.drop == pytest.approx(0, abs=1e-6)
    assert not found.passed


def test_the_contrary_of_the_evidence_fails() -> None:
    heat = np.zeros((12, 1000))
    heat[V2] = 1 - energy()[V2]
    quiet = explanation(np.broadcast_to(heat[V2], (12, 1000)), per_lead=False)
    found = deletion_test(model(), example_recording(), quiet)
    assert found.beaten < LEAST_BEATEN
    assert not found.passed


def test_a_band_over_time_flattens_all_leads() -> None:
    band = np.broadcast_to(energy()[V2], (12, 1000))
    found = deletion_test(model(), example_recording(), explanation(band, per_lead=False))
    assert found.passed


def test_the_negative_part_is_no_evidence() -> None:
    signed = replace(explanation(-energy()), signed=True)
    assert deletion_test(model(), example_recording(), signed) == DeletionTest(0.0, 0.0, 0)


def test_random_choices_take_only_recorded_signal() -> None:
    """Cells of padding or of a flat lead would make chance look worse than it is."""
    sums: list[Tensor] = []

    class Watching(EnergyOfOneLead):
        def forward(self, x: Tensor) -> Tensor:
            sums.append((x == 0).sum((1, 2)))
            return super().forward(x)

    card = example_card("inception", spec=SPEC)
    watched = Predictor(card, Watching(V2, faithful=True), torch.device("cpu"))
    recording = example_recording(seconds=6.0, flat=("V6",))
    heat = energy(6.0)
    heat[V2] += 0.01
    heat[V2 + 1] = 0.01
    found = deletion_test(watched, recording, explanation(heat))
    (zeros,) = sums
    already = 12 * 400 + 600
    assert zeros[0] == already
    assert set((zeros[1:] - already).tolist()) == {33 * 20}
    assert found.passed


def test_a_seed_repeats_the_test() -> None:
    recording, heat = example_recording(), explanation(np.random.default_rng(0).random((12, 1000)))
    first = deletion_test(model(), recording, heat, seed=1)
    assert first == deletion_test(model(), recording, heat, seed=1)
    assert first.random_drop != deletion_test(model(), recording, heat, seed=2).random_drop


def test_a_failed_map_is_emptied_with_the_reason() -> None:
    shown = withheld(explanation(energy()), DeletionTest(-0.25, 0.5, 3))
    assert shown.peak == 0
    assert not shown.heat.any()
    assert "changes the log-odds by +0.25 (on average -0.5 at random)" in shown.note
    assert f"beats 3 of 20 random tenths, of which {LEAST_BEATEN} are needed" in shown.note


def test_a_passed_map_says_so() -> None:
    shown = withheld(explanation(energy()), DeletionTest(2.0, 0.5, 19))
    assert shown.heat.any()
    told = "Flattening its hottest tenth lowers the log-odds more than 19 of 20 random tenths do."
    assert shown.note == f"A map. {told}"


def test_an_empty_map_keeps_its_own_reason() -> None:
    empty = explanation(np.zeros((12, 1000)))
    assert withheld(empty, deletion_test(model(), example_recording(), empty)) is empty


@pytest.mark.parametrize(
    ("drop", "beaten", "passed"),
    [(1.0, LEAST_BEATEN, True), (1.0, LEAST_BEATEN - 1, False), (-0.1, RANDOM_CHOICES, False)],
)
def test_passing_needs_a_drop_beyond_chance(drop: float, beaten: int, passed: bool) -> None:
    assert DeletionTest(drop, 0.0, beaten).passed is passed
