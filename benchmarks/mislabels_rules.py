"""What measured values add to finding label errors in recordings in millivolts, and which labels on
file they contradict.

Recordings of FOLDERs (LUDB, the challenges', PTB-XL raw: statements on file, none learned from by
the models asked, but for five of PTB-XL's, which are not scored) are brought into a workspace;
models and clinical criteria are asked (kept in --workspace). Labels are exchanged in 10 % of them,
15 times over; the weights are fitted with and without rules on one half of the recordings and
scored on the other.
Prints the AUROC of the record score, and the weight of rules that ships. LUDB taught the network
that finds its waves, so that its rules may be better there than elsewhere.

``--contradicted`` plants nothing: it lists the labels on file that measured values speak against
most, and those that they miss.

    python benchmarks/mislabels_rules.py FOLDER... --workspace DIR [--contradicted 30]
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from ecgcore.label_evidence import EvidenceBook
from ecgcore.label_queue import evidence_of
from ecgcore.review.suspicion import Evidence, Weights, log_odds, suspicions, weighed, weights
from ecgcore.review.suspicion_fitting import Case, fit, mean_weights
from ecgcore.review_work import bring_in, open_store, readers
from ecgcore.workspace import Workspace

MODELS = ("lightbox", "mvkt_teacher")
PLANTED, CASES, FITTED = 0.1, 15, 5


def gathered(workspace: Workspace, folders: Sequence[Path]) -> tuple[Evidence, list[str]]:
    """The evidence of every recording with labels on file, and the recordings' names."""
    for folder in folders:
        workspace.add_folder(str(folder.absolute()))
    store = open_store(workspace)
    entries = [one for one in workspace.entries() if one.origin == "folder"]
    for done in bring_in(store, "benchmark", workspace, entries):
        print(f"{done.new} recordings, {done.labelled} with labels", file=sys.stderr)
    known, filed = store.recordings("benchmark"), store.filed("benchmark")
    book = EvidenceBook(workspace.root / "evidence", MODELS)
    here = readers(workspace)
    keys = [key for key in sorted(known) if key in filed and key in here]
    for count in book.gather({key: here[key] for key in book.missing(keys)}):
        print(f"{count} asked", file=sys.stderr)
    return evidence_of(book, filed, keys), [known[key].name for key in keys]


def planted(evidence: Evidence, generator: np.random.Generator) -> Case:
    """One label exchanged for another that the file could have named, in a share of the records."""
    truth = evidence.given
    open_to = np.isfinite(log_odds(evidence)) & evidence.known
    given = truth.copy()
    for index in generator.permutation(len(given))[: round(PLANTED * len(given))]:
        on = np.flatnonzero(truth[index] & open_to[index])
        off = np.flatnonzero(~truth[index] & open_to[index])
        if len(on) and len(off):
            given[index, generator.choice(on)] = False
            given[index, generator.choice(off)] = True
    return Case(replace(evidence, given=given), truth)


def auroc(case: Case, use: Weights, rows: NDArray[np.bool_]) -> float:
    """Of the record score on some of the records; those that all models learned from have none."""
    from sklearn.metrics import roc_auc_score

    scores = np.array([np.logaddexp.reduce(one.log_odds) for one in weighed(case.evidence, use)])
    wrong, judged = (case.evidence.given != case.truth).any(axis=1), rows & np.isfinite(scores)
    return float(roc_auc_score(wrong[judged], scores[judged]))


def compare(evidence: Evidence) -> None:
    """Print the AUROC with and without rules, and the fitted weight."""
    generator = np.random.default_rng(0)
    half = generator.random(len(evidence.given)) < 0.5
    cases = [planted(evidence, generator) for _ in range(CASES)]
    for name in ("models and rules", "models alone"):
        rules = evidence.rules if name == "models and rules" else None
        told = [Case(replace(one.evidence, rules=rules), one.truth) for one in cases]
        found = [
            auroc(case, use, rows)
            for rows in (half, ~half)
            for use in [mean_weights([fit([one], ~rows) for one in told[:FITTED]])]
            for case in told[FITTED:]
        ]
        print(f"{name}: AUROC {np.mean(found):.3f} (of {len(found)} halves)")
    shipped = weights("statements")
    every = np.ones(len(half), dtype=bool)
    for weight in (0.0, shipped.rule):
        found = [auroc(case, replace(shipped, rule=weight), every) for case in cases]
        print(f"shipped weights, rules weighed {weight:.2f}: AUROC {np.mean(found):.3f}")
    fitted = mean_weights([fit([case]) for case in cases])
    print(f"weight of rules fitted on all: {fitted.rule:.2f}")


def contradicted(evidence: Evidence, names: Sequence[str], count: int) -> None:
    """Print the labels that measured values contradict, the most suspicious first."""
    rows = [
        (label.score, names[one.index], label.code, label.given, reason.text)
        for one in suspicions(evidence)
        for label in one.labels
        for reason in label.reasons
        if reason.kind == "rule" and reason.weight > 0
    ]
    for score, name, code, given, text in sorted(rows, reverse=True)[:count]:
        print(f"{score:.2f}  {name:10} {code:6} {'on file' if given else 'missing'}: {text}")


def main() -> None:
    """Gather, then one of the two."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", type=Path, nargs="+", metavar="FOLDER")
    parser.add_argument("--workspace", type=Path, required=True, metavar="DIR")
    parser.add_argument("--contradicted", type=int, metavar="N")
    given = parser.parse_args()
    evidence, names = gathered(Workspace(given.workspace.absolute()), given.folders)
    if given.contradicted:
        contradicted(evidence, names, given.contradicted)
    else:
        compare(evidence)


if __name__ == "__main__":
    main()
