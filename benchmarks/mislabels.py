"""How well planted and real label errors are found: ours and cleanlab, on the same probabilities.

Errors are planted in the superclasses of a share of PTB-XL's records (``--data``), "uniform" and
"realistic" (``review.suspicion_fitting.plant``); out-of-fold probabilities are learned from the
planted labels (``training.out_of_fold``); then the queue of every method is scored: AUROC, recall
in its first 5, 10 and 20 %, precision in its first 5 %, means over seeds. Ours is fitted to other
seeds' planted errors on folds 1-4 and scored on the other folds, and the other way round.
cleanlab is its multilabel label quality with each method, adjusted or not, and each way of pooling
the labels, and the ranking of its label issues. PTB-XL's own labels hold errors too, which count
as false alarms here.

    python benchmarks/mislabels.py --data TRAIN.npz VAL.npz [--seeds 10] [--shares 0.05 0.1 0.2]
    python benchmarks/mislabels.py --data TRAIN.npz VAL.npz --fit assets/suspicion/weights.json
    python benchmarks/mislabels.py --data TRAIN.npz VAL.npz --retrain
    python benchmarks/mislabels.py --data TRAIN.npz VAL.npz --duplicates READINGS.csv
"""

from __future__ import annotations

import argparse
import csv
import itertools
import json
import sys
import warnings
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from ecgcore.datasets.joining import join
from ecgcore.datasets.packed import PackedData, load_packed
from ecgcore.labels import LabelSetName, label_set
from ecgcore.models.forest import ForestOptions
from ecgcore.review.suspicion import Evidence, Weights, weighed, weights
from ecgcore.review.suspicion_fitting import (
    PLANTINGS,
    Case,
    Planting,
    fit,
    mean_weights,
    plant,
)
from ecgcore.storage import write_json
from ecgcore.training.growing import fit_trees
from ecgcore.training.out_of_fold import measured, out_of_fold, parts_of

TOPS = (0.05, 0.1, 0.2)
COLUMNS = ("AUROC", "recall 5 %", "10 %", "20 %", "precision 5 %")
FIT_SEEDS = (1000, 1001)
EXCHANGES: tuple[Planting, ...] = ("uniform", "realistic")
HALF = (1, 2, 3, 4)
FEWEST = 20


def truth_of(data: PackedData, name: LabelSetName) -> NDArray[np.bool_]:
    """The labels on file, (records, labels)."""
    return data.target(name, tuple(one.code for one in label_set(name))).astype(bool)


def evidence_of(
    name: LabelSetName, given: NDArray[np.bool_], told: dict[str, NDArray[np.float32]]
) -> Evidence:
    """Evidence of out-of-fold probabilities alone; labels with few positives are not judged."""
    known = np.broadcast_to(given.sum(axis=0) >= FEWEST, given.shape)
    return Evidence(label_set(name), given, known, told)


def planted(
    data: PackedData, values: NDArray[np.float64], share: float, kind: Planting, seed: int
) -> tuple[Case, NDArray[np.bool_]]:
    """A case of planted superclasses with probabilities learned from them, and what is wrong."""
    truth = truth_of(data, "superclasses")
    codes = [one.code for one in label_set("superclasses")]
    given, wrong = plant(truth, codes, share, kind, np.random.default_rng(seed))
    told = out_of_fold(values, given, parts_of(data.fold), seed)
    return Case(evidence_of("superclasses", given, told), truth), wrong


def ours(case: Case, use: Weights) -> NDArray[np.float64]:
    """The log-odds that a record's labels are wrong."""
    scores = [np.logaddexp.reduce(one.log_odds) for one in weighed(case.evidence, use)]
    return np.array(scores)


def cleanlab_scores(case: Case) -> Iterator[tuple[str, NDArray[np.float64]]]:
    """The suspicion by every multilabel method of cleanlab, each by name."""
    from cleanlab.internal.multilabel_scorer import (
        Aggregator,
        ClassLabelScorer,
        MultilabelScorer,
        exponential_moving_average,
        softmin,
    )
    from cleanlab.multilabel_classification import filter as issues

    given = case.evidence.given.astype(int)
    told = np.mean(list(case.evidence.probabilities.values()), axis=0).astype(np.float64)
    told = told.clip(1e-6, 1 - 1e-6)
    lists = [list(np.flatnonzero(row)) for row in given]
    pools = {
        "softmin": softmin, "moving average": exponential_moving_average, "minimum": np.min,
        "mean": np.mean,
    }  # fmt: skip
    for scorer, (pool, how), adjusted in itertools.product(
        ClassLabelScorer, pools.items(), (False, True)
    ):
        if adjusted and scorer.name == "CONFIDENCE_WEIGHTED_ENTROPY":
            continue
        options = {"adjust_pred_probs": True} if adjusted else {}
        quality = MultilabelScorer(base_scorer=scorer, aggregator=Aggregator(how))(
            labels=given, pred_probs=told, base_scorer_kwargs=options
        )
        name = f"{scorer.name.lower()}, {pool}{', adjusted' if adjusted else ''}"
        yield f"cleanlab {name}", -quality
    for method in ("prune_by_noise_rate", "prune_by_class", "both", "confident_learning"):
        found = issues.find_label_issues(
            lists, told, filter_by=method, return_indices_ranked_by="self_confidence"
        )
        ranked = np.zeros(len(given))
        ranked[found] = np.arange(len(found), 0, -1)
        yield f"cleanlab issues, {method}", ranked


def scores_of(suspicion: NDArray[np.float64], wrong: NDArray[np.bool_]) -> list[float]:
    """The columns of the table."""
    from sklearn.metrics import roc_auc_score

    order = np.argsort(-suspicion, kind="stable")
    tops = [wrong[order[: round(top * len(wrong))]] for top in TOPS]
    return [
        float(roc_auc_score(wrong, suspicion)),
        *(float(top.sum() / wrong.sum()) for top in tops),
        float(tops[0].mean()),
    ]


def fitted(cases: list[Case], rows: NDArray[np.bool_]) -> Weights:
    """The mean of the weights of several cases, from some of their records."""
    return mean_weights([fit([case], rows) for case in cases])


def table(
    data: PackedData,
    values: NDArray[np.float64],
    seeds: int,
    shares: list[float],
    kinds: list[Planting],
) -> None:
    """Print every method's scores."""
    half = np.isin(data.fold, HALF)
    fit_cases = [
        planted(data, values, 0.1, kind, seed)[0]
        for kind in EXCHANGES for seed in FIT_SEEDS
    ]  # fmt: skip
    halves = {
        False: fitted(fit_cases, half), True: fitted(fit_cases, ~half)
    }  # fmt: skip
    for share, kind in itertools.product(shares, kinds):
        found: dict[str, list[list[float]]] = defaultdict(list)
        for seed in range(seeds):
            case, wrong = planted(data, values, share, kind, seed)
            suspicion = np.where(half, ours(case, halves[True]), ours(case, halves[False]))
            found["ours"].append(scores_of(suspicion, wrong))
            for name, theirs in cleanlab_scores(case):
                found[name].append(scores_of(theirs, wrong))
        print(f"\n{100 * share:g} % planted, {kind}, mean of {seeds} seeds: {', '.join(COLUMNS)}")
        means = {name: np.mean(of, axis=0) for name, of in found.items()}
        for name, mean in means.items():
            print(f"  {name:55}" + "  ".join(f"{value:.3f}" for value in mean))
        best = max((mean[2] for name, mean in means.items() if name != "ours"))
        print(f"  found in the first 10 %: ours / best of cleanlab {means['ours'][2] / best:.2f}",
              flush=True)  # fmt: skip


def fit_all(data: PackedData, values: NDArray[np.float64], path: Path) -> None:
    """Write the weights that ship: fitted on all folds for superclasses and statements."""
    every = np.ones(len(data), dtype=bool)
    cases = [
        planted(data, values, 0.1, kind, seed)[0] for kind in EXCHANGES for seed in FIT_SEEDS
    ]  # fmt: skip
    found = {"superclasses": fitted(cases, every)}
    truth = truth_of(data, "statements")
    codes = [one.code for one in label_set("statements")]
    judged = np.flatnonzero(truth.sum(axis=0) >= FEWEST)
    statement_cases = []
    kinds: tuple[Planting, ...] = ("uniform", "one label")
    for kind, seed in itertools.product(kinds, FIT_SEEDS):
        given = truth.copy()
        part, _ = plant(
            truth[:, judged], [codes[at] for at in judged], 0.1, kind,
            np.random.default_rng(seed),
        )  # fmt: skip
        given[:, judged] = part
        told = out_of_fold(values, given, parts_of(data.fold), seed)
        statement_cases.append(Case(evidence_of("statements", given, told), truth))
    found["statements"] = fitted(statement_cases, every)
    print({name: asdict(one) for name, one in found.items()})
    kept = json.loads(path.read_text()) if path.is_file() else {}
    rule = kept.get("weights", {}).get("statements", {}).get("rule", 0.0)
    found["statements"] = replace(found["statements"], rule=rule)  # see mislabels_rules.py
    write_json(
        path,
        {
            "fitted_on": "10 % planted errors in the 1,625 PTB-XL records of ptbxl_1625, "
            "out-of-fold probabilities of trees and kernel ridge on biomarkers",
            "command": "python benchmarks/mislabels.py --data train.npz val.npz --fit "
            "assets/suspicion/weights.json",
            "rule": kept.get("rule", "not fitted"),
            "attribution": "PTB-XL: Wagner et al. 2020, CC BY 4.0",
            "weights": {name: asdict(one) for name, one in found.items()},
        },
    )


def retrain(data: PackedData, values: NDArray[np.float64], seeds: int) -> None:
    """Print how much of the AUROC lost to planted errors comes back when the first 20 % of the
    queue are corrected; learned from folds 1-8, scored on fold 9 with its labels on file."""
    from sklearn.metrics import roc_auc_score

    truth, test = truth_of(data, "superclasses"), data.fold == 9

    def answers(given: NDArray[np.bool_]) -> NDArray[np.float64]:
        forest = fit_trees(ForestOptions(), values[~test], given[~test].astype(float), seed=0)
        return np.asarray(forest.predict(values[test]))

    def auroc(told: NDArray[np.float64], rows: NDArray[np.intp]) -> float:
        return float(roc_auc_score(truth[test][rows], told[rows]))

    every = np.arange(int(test.sum()))
    clean = answers(truth)
    for share in (0.1, 0.2):
        losses, regained = [], []
        generator = np.random.default_rng(0)
        for seed in range(seeds):
            case, _ = planted(data, values, share, "uniform", seed)
            noisy = case.evidence.given
            queue = np.argsort(-ours(case, weights("superclasses")))
            first = queue[: round(0.2 * len(queue))]
            mended = noisy.copy()
            mended[first] = truth[first]
            told = [clean, answers(noisy), answers(mended)]
            for _ in range(200):
                rows = generator.choice(every, len(every))
                if not (truth[test][rows].any(axis=0) & ~truth[test][rows].all(axis=0)).all():
                    continue
                whole, worse, better = (auroc(one, rows) for one in told)
                losses.append(whole - worse)
                regained.append(better - worse)
        lost, back = np.array(losses), np.array(regained)
        parts = np.array_split(np.arange(len(lost)), seeds)
        generator.shuffle(parts)
        ratio = back.mean() / lost.mean()
        drawn = [
            (back[rows].mean() / lost[rows].mean())
            for rows in generator.choice(len(lost), (1000, 200))
        ]  # fmt: skip
        low, high = np.quantile(drawn, [0.025, 0.975])
        print(f"{100 * share:g} % planted: AUROC lost {lost.mean():.4f}, regained by correcting "
              f"the first 20 % of the queue {ratio:.2f} [{low:.2f}, {high:.2f}]")  # fmt: skip


def duplicates(data: PackedData, values: NDArray[np.float64], path: Path) -> None:
    """Print where the tracings that PTB-XL holds twice with different readings stand in the
    queue of the labels on file."""
    truth = truth_of(data, "superclasses")
    told = out_of_fold(values, truth, parts_of(data.fold))
    scores = ours(Case(evidence_of("superclasses", truth, told), truth), weights("superclasses"))
    rank = np.empty(len(scores), dtype=int)
    rank[np.argsort(-scores)] = np.arange(1, len(scores) + 1)
    place = {name: at for at, name in enumerate(data.record_ids)}
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    print(f"{len(rows)} readings; columns {', '.join(rows[0])}")
    for row in rows:
        for key in (value for name, value in row.items() if "ecg_id" in name):
            if key in place:
                at = place[key]
                codes = [one.code for one, on in zip(label_set("superclasses"), truth[at],
                                                      strict=True) if on]  # fmt: skip
                print(f"  record {key}: rank {rank[at]} of {len(rank)}, on file {codes}, {row}")


def biomarkers_of(data: PackedData, kept: Path | None) -> NDArray[np.floating]:
    """Measured, or read where a file of them is ``kept``."""
    if kept and kept.is_file():
        return np.asarray(np.load(kept))
    values = measured(data)
    if kept:
        np.save(kept, values)
    return values


def main() -> None:
    """Run one of the parts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, nargs="+", required=True, metavar="PACKED.npz")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--shares", type=float, nargs="+", default=[0.05, 0.1, 0.2])
    parser.add_argument("--kinds", nargs="+", choices=PLANTINGS, default=list(EXCHANGES))
    parser.add_argument("--fit", type=Path, metavar="WEIGHTS.json")
    parser.add_argument("--retrain", action="store_true")
    parser.add_argument("--duplicates", type=Path, metavar="READINGS.csv")
    parser.add_argument("--values", type=Path, metavar="FILE.npy", help="keep the biomarkers here")
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    data = join([load_packed(path) for path in given.data])
    values = biomarkers_of(data, given.values)
    if given.fit:
        fit_all(data, values, given.fit)
    elif given.retrain:
        retrain(data, values, given.seeds)
    elif given.duplicates:
        duplicates(data, values, given.duplicates)
    else:
        table(data, values, given.seeds, given.shares, given.kinds)


if __name__ == "__main__":
    main()
