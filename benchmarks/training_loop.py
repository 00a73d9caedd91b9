"""What the training loop costs beside a bare one, and what bfloat16 gains.

Two comparisons, in turns in one process on random signals of a network's shape:

- loop: steps of ``ecgcore.training.loop`` against the shortest loop that does the same (draw a
  batch, forward, binary cross-entropy, backward, AdamW), network xresnet1d101, batch 32, 100 Hz;
- bfloat16: a training step in torch's autocast against one in float32. The goal of 1.8 is for
  processors with AMX; the line says whether this one has it.

    python benchmarks/training_loop.py [--rounds N] [--steps N] [--network NAME ...]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from ecgcore.models.device import best_device, device_name
from ecgcore.models.registry import build_network, network_entry
from ecgcore.training.loop import Run
from ecgcore.training.options import Precision, TrainOptions
from ecgcore.training.records import Split

LABELS = 71
BATCH = 32


def records(network: str, count: int) -> Split:
    """Random signals of the network's shape, with random targets."""
    draws = torch.Generator().manual_seed(0)
    spec = network_entry(network).spec
    return Split(
        torch.randn(count, len(spec.leads), spec.samples, generator=draws),
        (torch.rand(count, LABELS, generator=draws) < 0.1).float(),
        torch.empty(count, 0),
        tuple(("statements", f"label {number}") for number in range(LABELS)),
    )


def ours(network: str, data: Split, folder: Path, precision: Precision) -> Callable[[Tensor], None]:
    """A step of the product's loop on some rows."""
    options = TrainOptions(
        network=network, label_set="statements", batch=BATCH, precision=precision
    )
    run = Run(options, data, data, folder, data_sha256="random")
    run.network.train()

    def step(rows: Tensor) -> None:
        run._step(rows)

    return step


def bare(network: str, data: Split) -> Callable[[Tensor], None]:
    """A step of a loop without anything else."""
    device = best_device()
    torch.manual_seed(0)
    model = build_network(network, leads=data.inputs.shape[1], labels=LABELS).to(device).train()
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.0)

    def step(rows: Tensor) -> None:
        logits = model(data.inputs[rows].to(device))
        loss = nn.functional.binary_cross_entropy_with_logits(logits, data.targets[rows].to(device))
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        loss.item()

    return step


def compare(
    name: str,
    one: Callable[[Tensor], None],
    two: Callable[[Tensor], None],
    given: argparse.Namespace,
) -> str:
    """The median over rounds, in turns, of the steps a second of both, and of their ratio."""
    draws = torch.Generator().manual_seed(0)
    rates: list[tuple[float, float]] = []
    for _ in range(given.rounds + 1):  # the first one warms up
        pair = []
        for step in (one, two):
            began = time.perf_counter()
            for _ in range(given.steps):
                step(torch.randint(given.records, (BATCH,), generator=draws))
            pair.append(given.steps / (time.perf_counter() - began))
        rates.append((pair[0], pair[1]))
    counted = np.array(rates[1:])
    first, second = np.median(counted, axis=0)
    ratios = counted[:, 0] / counted[:, 1]
    low, middle, high = np.quantile(ratios, (0, 0.5, 1))
    return f"{name:34}{first:8.2f}{second:8.2f}{middle:9.3f}  ({low:.3f} to {high:.3f})"


def has_amx() -> bool:
    """Whether the processor multiplies bfloat16 matrices by itself."""
    path = Path("/proc/cpuinfo")
    return path.exists() and "amx_bf16" in path.read_text(encoding="utf-8")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--records", type=int, default=256)
    parser.add_argument("--network", nargs="*", default=["cnn_te", "resnet1d34"])
    given = parser.parse_args()
    print(f"{device_name(best_device())}, AMX {'yes' if has_amx() else 'no'}")
    print(f"{'steps a second':34}{'one':>8}{'two':>8}{'one/two':>9}")
    with tempfile.TemporaryDirectory() as folder:
        data = records("xresnet1d101", given.records)
        loop = ours("xresnet1d101", data, Path(folder) / "loop", "float32")
        title = "xresnet1d101, ours/bare"
        print(compare(title, loop, bare("xresnet1d101", data), given), flush=True)
        for name in given.network:
            data = records(name, given.records)
            half = ours(name, data, Path(folder) / name / "half", "bfloat16")
            whole = ours(name, data, Path(folder) / name / "whole", "float32")
            print(compare(f"{name}, bfloat16/float32", half, whole, given), flush=True)


if __name__ == "__main__":
    main()
