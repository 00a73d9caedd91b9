"""What each part of the papers' systems is worth on our data: recipes trained alike and compared.

Each group of recipes is trained on folds 1-8 for ``--epochs`` epochs, the same for all of it, with
``--seeds`` seeds whose probabilities are averaged, and scored on fold 9 beside the group's first
recipe: mean AUROC of both, the difference with its 95 % interval, and the p-value of a paired
bootstrap. Runs are kept in ``--runs``, so that a second call goes on. ``thresholds`` trains
nothing: it is CNN-TE's correlation (Pearson) of a label's threshold with its share of positives,
of the shipped model. HRNN's fusion with rules has a command of its own, ``fuse``.

    python benchmarks/ablations.py mvkt --data TRAIN.npz VAL.npz --runs DIR --teacher RUN/model
    python benchmarks/ablations.py rates leads noise thresholds --data TRAIN.npz VAL.npz --runs DIR
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.compared_answers import SETS, Answers, answers, difference
from ecgcore.datasets.joining import join
from ecgcore.datasets.packed import PackedData, load_packed
from ecgcore.models.card import load_card
from ecgcore.models.predictor import read_predictor
from ecgcore.training.members import train_model
from ecgcore.training.objective_of import OBJECTIVES
from ecgcore.training.publish import publish
from ecgcore.training.recipes import recipe

GROUPS = {
    "mvkt": ("mvkt", "mvkt_single_lead", "mvkt_without_mkd", "mvkt_without_clt", "mvkt_kl"),
    "rates": ("inception", *(f"inception_{rate}hz" for rate in (25, 50, 100, 250, 500))),
    "leads": ("inception", *(f"inception_{count}_leads" for count in (6, 4, 3, 2))),
    "noise": ("ecgencode_m2", "ecgencode_m2_without_noise"),
}
THRESHOLDS = "thresholds"


def trained(name: str, data: PackedData, given: argparse.Namespace) -> Answers:
    """The mean answers on fold 9 of a recipe's runs."""
    found = []
    for seed in range(given.seeds):
        options = replace(recipe(name).options, epochs=given.epochs, seed=seed)
        if OBJECTIVES[options.objective].taught:
            options = replace(options, teacher=given.teacher)
        folder = given.runs / f"{name}_{given.epochs}_{seed}"
        run = train_model(options, data, folder)
        publish(name, options, data, run, folder=folder / "model", command="-")
        found.append(answers(read_predictor(folder / "model"), data.select((9,))))
    shared = set.intersection(*(set(one) for one in found))
    return {
        label: np.mean([one[label] for one in found], axis=0)
        for label in found[0]
        if label in shared
    }


def compare(group: str, data: PackedData, given: argparse.Namespace) -> None:
    """Train a group and print each recipe beside the first."""
    first, *others = GROUPS[group]
    reference = trained(first, data, given)
    print(f"{group}: AUROC of {first}, of the other, and the other's gain", flush=True)
    for name in others:
        theirs = trained(name, data, given)
        for label_set in SETS:
            line = difference(data.select((9,)), label_set, theirs, reference)
            print(f"  {name:28}{label_set:13}{line or 'no label in common'}", flush=True)


def correlation(name: str = "cnn_te") -> str:
    """Of a shipped model's thresholds with the labels' shares of positives in training."""
    card = load_card(name)
    answered = [label for label in card.labels if label.threshold is not None]
    shares = [label.n_train / card.data["n_train"] for label in answered]
    found = np.corrcoef(shares, [label.threshold for label in answered])[0, 1]
    return f"thresholds: {name}, {len(answered)} labels: r = {found:+.2f} (published -0.68)"


def main() -> None:
    """Train and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("groups", nargs="+", choices=[*GROUPS, THRESHOLDS])
    parser.add_argument("--data", type=Path, nargs="+", required=True, metavar="PACKED")
    parser.add_argument("--runs", type=Path, required=True, metavar="DIR")
    parser.add_argument("--teacher", metavar="RUN/model")
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--seeds", type=int, default=1)
    given = parser.parse_args()
    data = join([load_packed(path) for path in given.data])
    for group in given.groups:
        if group == THRESHOLDS:
            print(correlation())
        else:
            compare(group, data, given)


if __name__ == "__main__":
    main()
