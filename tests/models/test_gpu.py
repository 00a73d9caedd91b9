"""What only a computer with a GPU can show: it answers, explains and learns there as on a CPU."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pytest
import torch

from ecgcore.datasets.packed import load_packed
from ecgcore.explain.methods import METHODS
from ecgcore.models.card import trained_models
from ecgcore.models.predictor import Predictor, load_predictor
from ecgcore.training.loop import Run, train
from ecgcore.training.records import split
from tests.models.example import example_recording
from tests.packed_example import write_packed
from tests.training.test_loop import OPTIONS

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")

every_model = pytest.mark.parametrize("name", trained_models())


def on_both(name: str) -> tuple[Predictor, Predictor]:
    """A shipped model on the GPU, where it is loaded, and on the CPU."""
    there = load_predictor(name)
    assert there.device.type == "cuda"
    return there, Predictor(there.card, copy.deepcopy(there.network), torch.device("cpu"))


@every_model
def test_the_gpu_gives_the_probabilities_of_the_cpu(name: str) -> None:
    there, here = on_both(name)
    answer = there.predict(example_recording())
    assert answer.device == torch.cuda.get_device_name()
    for gpu, cpu in zip(answer.labels, here.predict(example_recording()).labels, strict=True):
        assert gpu.probability == (
            None if cpu.probability is None else pytest.approx(cpu.probability, abs=1e-4)
        )


@every_model
@pytest.mark.parametrize("method", ["Grad-CAM", "HiRes-CAM"])
def test_the_gpu_gives_the_heat_of_the_cpu(name: str, method: str) -> None:
    there, here = on_both(name)
    code = next(label.code for label in there.card.labels if label.answered)
    sets = next(label.set for label in there.card.labels if label.answered)
    gpu, cpu = (METHODS[method](one, example_recording(), code, sets) for one in (there, here))
    np.testing.assert_allclose(gpu.heat, cpu.heat, atol=1e-3)


def test_an_interrupted_run_on_the_gpu_goes_on(tmp_path: Path) -> None:
    data = load_packed(write_packed(tmp_path / "packed.npz"))
    whole = train(OPTIONS, data, tmp_path / "whole")
    parts = [split(data, OPTIONS, f) for f in (OPTIONS.train_folds, OPTIONS.validation_folds)]
    for _ in range(2):
        torch.cuda.manual_seed(np.random.default_rng(5).integers(1 << 30))
        run = Run(OPTIONS, *parts, tmp_path / "parts", data_sha256=data.sha256)
        assert run.device.type == "cuda"
        run.epoch()
    resumed = train(OPTIONS, data, tmp_path / "parts")
    losses = [[row["loss"] for row in one.progress.history] for one in (whole, resumed)]
    # Sums on a GPU have no fixed order, so that two runs part by rounding.
    assert losses[1] == pytest.approx(losses[0], rel=1e-2)
    assert {tensor.device.type for tensor in resumed.weights.values()} == {"cuda"}
