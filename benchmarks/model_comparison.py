"""The shipped models and others on the same records, each against ``lightbox``.

Mean AUROC over the labels that both answer for or score, the difference with its 95 % interval, and
the p-value of a paired bootstrap (10,000 resamples). ``--model`` are folders of further models;
``--published`` is a file of ``ecg_id``, ``classes`` and ``pred`` (records, statements), whose
superclass is the likeliest of its statements.

    python benchmarks/model_comparison.py --data VAL.npz [--model RUN/model ...]
        [--published PREDICTIONS.npz]
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.compared_answers import SETS, Answers, answers, difference
from ecgcore.datasets.packed import PackedData, load_packed
from ecgcore.labels import in_set
from ecgcore.models.card import load_card, trained_models
from ecgcore.models.predictor import load_predictor, read_predictor

OURS = "lightbox"


def published(path: Path, data: PackedData) -> Answers:
    """The answers of a file of predictions."""
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
    parser.add_argument("--model", type=Path, nargs="+", default=[], metavar="RUN/model")
    parser.add_argument("--published", type=Path, metavar="PREDICTIONS.npz")
    given = parser.parse_args()
    data = load_packed(given.data)
    others = {name: answers(load_predictor(name), data) for name in trained_models()}
    ours = others.pop(OURS)
    for folder in given.model:
        predictor = read_predictor(folder)
        others[predictor.card.name] = answers(predictor, data)
    if given.published:
        others["published xresnet1d101"] = published(given.published, data)
    print(f"{len(data)} records; {OURS}: {load_card(OURS).cost['parameters']} parameters")
    for label_set in SETS:
        for name, theirs in others.items():
            line = difference(data, label_set, ours, theirs)
            if line:
                print(f"{label_set:13}{name:24}{line}", flush=True)


if __name__ == "__main__":
    main()
