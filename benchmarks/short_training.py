"""Does every network learn? A short training of each on PTB-XL's five superclasses.

For each registered network: AdamW on ``--records`` records of folds 1-8 for about ``--seconds``,
then the mean loss of the first and of the last tenth of its steps, and the macro AUROC on fold 9,
where 0.5 is chance. Says nothing about how good a network can become.

    python benchmarks/short_training.py --data TRAIN.npz VAL.npz [--network NAME ...]
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from ecgcore.datasets.joining import join
from ecgcore.datasets.packed import PackedData, load_packed
from ecgcore.models.device import best_device
from ecgcore.models.registry import build_network, network_entry, network_names
from ecgcore.training.objectives import binary_cross_entropy
from ecgcore.training.scoring import infer, macro_auroc

LABELS = "superclasses"
TRAIN, VALIDATION = range(1, 9), (9,)


def tensors(data: PackedData, name: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Inputs of a network and targets."""
    targets = torch.from_numpy(data.targets[LABELS].astype(np.float32))
    return torch.from_numpy(data.inputs(network_entry(name).spec)), targets


def learn(name: str, train: PackedData, validation: PackedData, given: argparse.Namespace) -> str:
    """Train one network; a line of what came of it."""
    torch.manual_seed(0)
    device = best_device()
    inputs, targets = tensors(train, name)
    network = build_network(name, leads=inputs.shape[1], labels=targets.shape[1]).to(device)
    optimiser = torch.optim.AdamW(network.parameters(), lr=given.rate, weight_decay=0.01)
    losses: list[float] = []
    began = time.perf_counter()
    while time.perf_counter() - began < given.seconds or len(losses) < given.least:
        rows = torch.randint(len(inputs), (given.batch,))
        optimiser.zero_grad(set_to_none=True)
        logits = network(inputs[rows].to(device))
        loss = binary_cross_entropy(logits, targets[rows].to(device))
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimiser.step()
        losses.append(float(loss.detach()))
    tenth = max(len(losses) // 10, 1)
    first, last = float(np.mean(losses[:tenth])), float(np.mean(losses[-tenth:]))
    shown, truth = tensors(validation, name)
    auroc = macro_auroc(truth.numpy(), infer(network, shown, device).numpy())
    return f"{name:20}{len(losses):7}{first:9.3f}{last:9.3f}{auroc:9.3f}"


def main() -> None:
    """Train and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, nargs="+", required=True, metavar="PACKED")
    parser.add_argument("--network", nargs="+", choices=network_names(), default=network_names())
    parser.add_argument("--records", type=int, default=400)
    parser.add_argument("--seconds", type=float, default=45.0)
    parser.add_argument("--least", type=int, default=20, help="steps at least")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rate", type=float, default=1e-3)
    given = parser.parse_args()
    data = join([load_packed(path) for path in given.data])
    chosen = np.random.default_rng(0).permutation(len(data.select(TRAIN)))[: given.records]
    train = data.select(TRAIN).rows(chosen)
    print(f"{'network':20}{'steps':>7}{'loss 1':>9}{'loss n':>9}{'AUROC':>9}")
    for name in given.network:
        print(learn(name, train, data.select(VALIDATION), given), flush=True)


if __name__ == "__main__":
    main()
