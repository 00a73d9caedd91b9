"""No step follows a gradient whose norm is larger than 5."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from ecgcore.datasets.packed import load_packed
from tests.packed_example import write_packed
from tests.training.test_loop import OPTIONS, _run


def test_no_step_has_a_larger_gradient_than_5(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    norms: list[float] = []
    step = torch.optim.AdamW.step

    def recording_step(self: torch.optim.AdamW, *given: object) -> object:
        parameters = [one for group in self.param_groups for one in group["params"]]
        gradients = [one.grad for one in parameters if one.grad is not None]
        norms.append(float(nn.utils.get_total_norm(gradients)))
        return step(self, *given)

    monkeypatch.setattr(torch.optim.AdamW, "step", recording_step)
    wild = replace(OPTIONS, learning_rate=10.0, epochs=1)
    _run(wild, load_packed(write_packed(tmp_path / "packed.npz")), tmp_path / "run").epoch()
    assert max(norms) == pytest.approx(5.0, rel=1e-4)
