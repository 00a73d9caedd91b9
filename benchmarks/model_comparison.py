"""The shipped models and a published one on the same records, each against ``lightbox``.

Mean AUROC over the labels that both answer for or score, the difference with its 95 % interval, and
the p-value of a paired bootstrap (10,000 resamples). ``--published`` is a file of ``ecg_id``,
``classes`` and ``pred`` (records, statements); its superclass is the likeliest of its statements.

    python benchmarks/model_comparison.py --data VAL.npz [--published PREDICTIONS.npz]
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from ecgcore.datasets.packed import PackedData, load_packed
from ecgcore.evaluation.comparison import compare_models
from ecgcore.labels import in_set
from ecgcore.models.card import load_card, trained_models
from ecgcore.models.predictor import load_predictor

OURS = "lightbox"
SETS = ("statements", "superclasses")
Answers = dict[tuple[str, str], NDArray[np.floating]]


def answers(name: str, data: PackedData) -> Answers:
    """Probabilities (records,) of each label that a shipped model has a threshold for."""
    predictor = load_predictor(name)
    spec = predictor.card.spec
    columns = predictor.probabilities(data.inputs(spec), data.aside_inputs(spec)).T
    named = zip(predictor.card.labels, columns, strict=True)
    return {(one.set, one.code): column for one, column in named if one.threshold is not None}


def published(path: Path, data: PackedData) -> Answers:
    """The same of a file of predictions."""
    with np.load(path, allow_pickle=False) as file:
        rows = {str(number): row for row, number in enumerate(file["ecg_id"])}
        values = file["pred"][[rows[name] for name in data.record_ids.tolist()]]
        codes = [str(code) for code in file["classes"]]
    found: Answers = {("statements", code): values[:, k] for k, code in enumerate(codes)}
    for parent in data.codes["superclasses"]:
        members = [k for k, code in enumerate(codes) if in_set(code, "superclasses") == parent]
        found["superclasses", parent] = values[:, members].max(axis=1)
    return found


def main() -> None:
    """Compare and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, metavar="VAL.npz")
    parser.add_argument("--published", type=Path, metavar="PREDICTIONS.npz")
    given = parser.parse_args()
    data = load_packed(given.data)
    others = {name: answers(name, data) for name in trained_models() if name != OURS}
    if given.published:
        others["published xresnet1d101"] = published(given.published, data)
    ours = answers(OURS, data)
    print(f"{len(data)} records; {OURS}: {load_card(OURS).cost['parameters']} parameters")
    for label_set in SETS:
        for name, theirs in others.items():
            shared = [label for label in ours if label[0] == label_set and label in theirs]
            if not shared:
                continue
            targets = np.stack([data.target(*_one(label))[:, 0] for label in shared], axis=1)
            first, second = (
                np.stack([side[label] for label in shared], axis=1) for side in (theirs, ours)
            )
            found = compare_models(targets, first, second).macro_auroc
            one, two = (_mean_auroc(targets, side) for side in (first, second))
            low, high = found.interval or (np.nan, np.nan)
            print(
                f"{label_set:13}{len(shared):4}  {name:24}{one:.3f}  {OURS} {two:.3f}  "
                f"{two - one:+.3f} [{low:+.3f}, {high:+.3f}]  p {found.p_value:.4f}"
            )


def _one(label: tuple[str, str]) -> tuple[str, tuple[str]]:
    return label[0], (label[1],)


def _mean_auroc(targets: NDArray[np.uint8], values: NDArray[np.floating]) -> float:
    from sklearn.metrics import roc_auc_score

    pairs = zip(targets.T, values.T, strict=True)
    return float(np.mean([roc_auc_score(*pair) for pair in pairs]))


if __name__ == "__main__":
    main()
