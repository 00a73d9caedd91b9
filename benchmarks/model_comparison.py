"""The shipped models and others on the same records, each against ``lightbox``.

Mean AUROC over the labels that both answer for or score, the difference with its 95 % interval, and
the p-value of a paired bootstrap (2,000 resamples: 0.0010 is the least); the superclasses also one
by one. ``--without`` are codes to leave out, ``--model`` folders of further models; ``--published``
is a file of ``ecg_id``, ``classes`` and ``pred`` (records, statements), whose superclass is the
likeliest of its statements. ``--ours`` is a folder in place of ``lightbox``: then the shipped
models are left out, as on ``--folds`` that they have learned from.

    python benchmarks/model_comparison.py --data VAL.npz [--model RUN/model ...]
        [--published PREDICTIONS.npz] [--without HYP]
    python benchmarks/model_comparison.py --data TRAIN.npz --folds 7 8
        --ours LIGHTBOX_RUN/model --model XRESNET_RUN/model
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.compared_answers import Answers, answers, difference
from ecgcore.datasets.packed import PackedData, load_packed
from ecgcore.labels import in_set
from ecgcore.models.card import trained_models
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
    parser.add_argument("--ours", type=Path, metavar="RUN/model")
    parser.add_argument("--folds", type=int, nargs="+")
    parser.add_argument("--published", type=Path, metavar="PREDICTIONS.npz")
    parser.add_argument("--without", nargs="+", default=[], metavar="CODE")
    given = parser.parse_args()
    data = load_packed(given.data)
    if given.folds:
        data = data.select(given.folds)
    shipped = [] if given.ours else trained_models()
    others = {name: answers(load_predictor(name), data) for name in shipped if name != OURS}
    predictor = read_predictor(given.ours) if given.ours else load_predictor(OURS)
    ours, its = answers(predictor, data), predictor.card
    for folder in given.model:
        predictor = read_predictor(folder)
        others[predictor.card.name] = answers(predictor, data)
    if given.published:
        others["published xresnet1d101"] = published(given.published, data)
    ours = {label: one for label, one in ours.items() if label[1] not in given.without}
    print(f"{len(data)} records; {its.name}: {its.cost['parameters']} parameters")
    superclasses = {label: ours[label] for label in ours if label[0] == "superclasses"}
    compared = {"statements": ours, "superclasses": superclasses}
    compared |= {label[1]: {label: ours[label]} for label in superclasses}
    for what, part in compared.items():
        for name, theirs in others.items():
            line = difference(data, "statements" if part is ours else "superclasses", part, theirs)
            if line:
                print(f"{what:13}{name:24}{line}", flush=True)


if __name__ == "__main__":
    main()
