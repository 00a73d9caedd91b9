"""What was tried for ``lightbox``: each two of folds 1-8 by what learned from the other six.

Fold 9 is not touched. Printed are mean AUROCs over all records together, of the superclasses and
of the statements that 20 records have: of each choice alone, and in Inception's place beside both
kinds of trees, with five of thirteen parts of the weight as in ``lightbox``.

    python benchmarks/fourfold.py --data TRAIN.npz --runs DIR [--seeds 0 1] [CHOICE ...]

``inception``: one member of lightbox; ``raw``: its weights without averaging; ``shifted``: its mean
answer to eight circular shifts. ``snapshots``: five falls of the learning rate in as many epochs,
and the mean answer at their ends (Huang et al., Snapshot Ensembles, ICLR 2017). ``graph``: labels
that look at Inception's maps and at each other as MLWGAT's do. ``unmixed``: without mixup;
``joined``: this, with the measured biomarkers joined to the pooled maps (``inception_measured``; a
mixed record has none). ``ecgencode`` and ``ecgencode_joined``: the same of ECGencode, by its own
recipe.
Answers are kept in DIR, where runs go on.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from ecgcore.datasets.packed import PackedData, load_packed
from ecgcore.models.inception import Inception, InceptionOptions
from ecgcore.models.inception_measured import InceptionMeasuredOptions, JoinedHead
from ecgcore.models.measured import MEASURED_ASIDE, ScaledMeasuredNetwork
from ecgcore.models.mlwgat import LabelView, WeightedGraphAttention
from ecgcore.models.network import Network, count_parameters
from ecgcore.models.registry import build_network, network_entry, register
from ecgcore.models.trees import GROWN, TREES_SPEC
from ecgcore.training.checkpoint import Weights, read_checkpoint
from ecgcore.training.members import train_model
from ecgcore.training.options import TrainOptions
from ecgcore.training.recipes import recipe
from ecgcore.training.records import labels_of_run, network_options, split
from ecgcore.training.scoring import by_label, infer

PAIRS = ((1, 2), (3, 4), (5, 6), (7, 8))
FEWEST = 20
SNAPSHOTS, SHIFTS = 5, 8
INCEPTION, TREES = 5, 4
"""Parts of the weight in lightbox: five Inceptions together, and each kind of trees."""

CHOICES = ("inception", "snapshots", "graph", "unmixed", "joined", "ecgencode", "ecgencode_joined")
OF_INCEPTION = ("raw", "shifted")
HALVES = ("inception", "joined")
"""Printed together too, half the weight on each."""
Logits = NDArray[np.float32]


class EcgencodeMeasured(ScaledMeasuredNetwork):
    """ECGencode in Inception's place."""

    def __init__(self, options: InceptionMeasuredOptions, leads: int, labels: int) -> None:
        super().__init__()
        self.trunk = build_network("ecgencode_m2", leads=leads, labels=labels)
        self.head = JoinedHead(self.trunk.head.in_features, labels, options)
        del self.trunk.head

    def features(self, x: Tensor, aside: Tensor | None = None) -> Tensor:
        """(batch, leads, samples) and biomarkers (batch, columns) to (batch, features)."""
        return torch.cat([self.trunk.features(x), self.measured(aside, len(x))], dim=1)


class Graph(Network):
    """Inception's maps, at which each label looks, and MLWGAT's graph of labels."""

    prior: Tensor

    def __init__(self, options: InceptionOptions, leads: int, labels: int) -> None:
        super().__init__()
        self.trunk = Inception(options, leads, labels)
        node = 32
        self.view = LabelView(self.trunk.head.in_features, labels, node)
        self.layers = nn.ModuleList(WeightedGraphAttention(node, 4) for _ in range(2))
        self.dropout = nn.Dropout(0.2)
        self.head = nn.Linear(labels * node, labels)
        own = torch.eye(labels).repeat_interleave(node, dim=1)
        with torch.no_grad():
            self.head.weight.uniform_(-1.0, 1.0).mul_(own * node**-0.5)
        self.register_buffer("prior", torch.eye(labels))
        del self.trunk.head

    def set_graph(self, graph: Any) -> None:
        """Take how often labels are there together."""
        self.prior.copy_(torch.as_tensor(graph))

    def features(self, x: Tensor) -> Tensor:
        """(batch, leads, samples) to (batch, labels x node)."""
        nodes = self.view(self.trunk.maps(x))
        for layer in self.layers:
            nodes = layer(nodes, self.prior)
        return torch.flatten(self.dropout(nodes), 1)


def register_choices() -> None:
    """The networks that only this benchmark has."""
    plain = network_entry("inception")
    register("graph", options=InceptionOptions, paper="", spec=plain.spec, labels=76,
             output="sigmoid", count=count_parameters)(Graph)  # fmt: skip
    register("ecgencode_joined", options=InceptionMeasuredOptions, paper="", labels=76,
             spec=replace(network_entry("ecgencode_m2").spec, aside=MEASURED_ASIDE),
             output="sigmoid", count=count_parameters)(EcgencodeMeasured)  # fmt: skip


def options_of(choice: str, data: PackedData, seed: int, pair: tuple[int, int]) -> TrainOptions:
    """What a choice's run on the other six folds is told."""
    rest = tuple(fold for fold in range(1, 9) if fold not in pair)
    own = recipe("ecgencode_m2" if choice.startswith("ecgencode") else "lightbox").options
    told = replace(own, members=1, seed=seed, train_folds=rest, validation_folds=pair)
    if choice in ("unmixed", "joined", *GROWN):
        told = replace(told, augmentation=replace(told.augmentation, mixup=0.0))
    if choice == "snapshots":
        fall = told.epochs // SNAPSHOTS
        return replace(told, average=0.0, schedule="warm_restarts", restart_epochs=fall)
    if choice in ("graph", "joined", "ecgencode_joined", *GROWN):
        name = "inception_measured" if choice == "joined" else choice
        return replace(told, network=name, network_options={})
    return told


def answers_of(
    choice: str, seed: int, pair: tuple[int, int], data: PackedData, runs: Path
) -> dict[str, Logits]:
    """The logits (records of the pair, labels) of a choice, and of what else its run gives."""
    options = options_of(choice, data, seed, pair)
    records, folder = split(data, options, pair), runs / f"{choice}_{seed}_{pair[0]}"
    labels = labels_of_run(data, options)
    network = build_network(
        options.network, leads=12, labels=len(labels), options=network_options(options, labels)
    )

    def told(weights: Weights, inputs: Tensor = records.inputs) -> Logits:
        network.load_state_dict(weights)
        return infer(network, inputs, torch.device("cpu"), records.aside).numpy()

    ends: list[Logits] = []

    def report(row: dict[str, Any]) -> None:
        print(f"{folder.name} {row}", flush=True)
        if choice == "snapshots" and row["epoch"] % options.restart_epochs == 0:
            checkpoint = read_checkpoint(folder)
            assert checkpoint is not None
            ends.append(told(checkpoint.weights))

    kept = train_model(options, data, folder, report).weights
    if choice == "snapshots":
        if len(ends) < SNAPSHOTS:
            raise SystemExit(f"{folder} was interrupted; remove it")
        return {choice: np.mean(ends, axis=0)}
    found = {choice: told(kept)}
    if choice == "inception":
        checkpoint = read_checkpoint(folder)
        assert checkpoint is not None
        found["raw"] = told(checkpoint.weights)
        samples = records.inputs.shape[-1]
        turned = [
            told(kept, records.inputs.roll(samples * turn // SHIFTS, -1)) for turn in range(SHIFTS)
        ]
        found["shifted"] = np.mean(turned, axis=0)
    return found


def answer(job: tuple[str, int, tuple[int, int]], data: PackedData, runs: Path) -> None:
    """Keep the answers of a job."""
    torch.set_num_threads(1)
    np.savez(_kept(runs, *job), **answers_of(*job, data, runs))


def _kept(runs: Path, choice: str, seed: int, pair: tuple[int, int]) -> Path:
    return runs / f"{choice}_{seed}_{pair[0]}.npz"


def areas(data: PackedData, logits: Logits) -> tuple[float, float]:
    """Mean AUROC of superclasses and of statements."""
    labels, targets = data.labels("statements+superclasses"), _targets(data)
    found = by_label(roc_auc_score, targets, logits)
    enough = targets.sum(axis=0) >= FEWEST
    sets = np.array([name for name, _ in labels])
    superclasses, statements = (
        float(found[enough & (sets == name)].mean()) for name in ("superclasses", "statements")
    )
    return superclasses, statements


def _targets(data: PackedData) -> NDArray[np.float32]:
    return data.targets_of("statements+superclasses").astype(np.float32)


def report(data: PackedData, choices: Sequence[str], seeds: Sequence[int], runs: Path) -> None:
    """Print each choice, alone and beside the trees; the mean over the seeds and each seed."""

    def whole(choice: str, seed: int) -> Logits:
        asked = "inception" if choice in OF_INCEPTION else choice
        logits = np.full(_targets(data).shape, np.nan, dtype=np.float32)
        for pair in PAIRS:
            with np.load(_kept(runs, asked, seed, pair)) as kept:
                logits[np.isin(data.fold, pair)] = kept[choice]
        return logits

    def line(name: str, every: list[Logits]) -> None:
        found = np.array([areas(data, one) for one in every])
        words = "  ".join(f"{one:.4f} / {two:.4f}" for one, two in found)
        one, two = found.mean(axis=0)
        print(f"{name:32}{one:.4f} / {two:.4f}    {words}")

    print("superclasses / statements, mean and each seed")
    trees = [TREES * (whole(GROWN[0], seed) + whole(GROWN[1], seed)) for seed in seeds]
    for name in GROWN:
        line(name, [whole(name, seed) for seed in seeds])
    line("both kinds of trees", trees)
    for choice in (*choices, *([HALVES] if set(HALVES) <= set(choices) else [])):
        parts = (choice,) if isinstance(choice, str) else choice
        alone = [np.mean([whole(part, seed) for part in parts], axis=0) for seed in seeds]
        line(" and ".join(parts), alone)
        line("  and trees", [INCEPTION * a + b for a, b in zip(alone, trees, strict=True)])


def main() -> None:
    """Learn what is missing, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("choices", nargs="*", default=list(CHOICES), metavar="CHOICE")
    parser.add_argument("--data", type=Path, required=True, metavar="TRAIN.npz")
    parser.add_argument("--runs", type=Path, required=True, metavar="DIR")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--processes", type=int, default=2)
    given = parser.parse_args()
    unknown = set(given.choices) - set(CHOICES)
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}; choose of {', '.join(CHOICES)}")
    given.runs.mkdir(parents=True, exist_ok=True)
    register_choices()
    data = load_packed(given.data).select(tuple(range(1, 9)))
    jobs = [
        (choice, seed, pair) for seed in given.seeds for choice in (*GROWN, *given.choices)
        for pair in PAIRS if not _kept(given.runs, choice, seed, pair).is_file()
    ]  # fmt: skip
    if jobs:
        data.aside_inputs(TREES_SPEC)  # known to each process then
        torch.set_num_threads(1)
        with multiprocessing.get_context("fork").Pool(given.processes, maxtasksperchild=1) as pool:
            for _ in pool.imap_unordered(partial(answer, data=data, runs=given.runs), jobs):
                pass
    shown = [
        one for choice in given.choices
        for one in ((choice, *OF_INCEPTION) if choice == "inception" else (choice,))
    ]  # fmt: skip
    report(data, shown, given.seeds, given.runs)


if __name__ == "__main__":
    main()
