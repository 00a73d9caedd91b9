"""A trained model on a packed data set: the numbers of its card and of ``python -m ecgcore
evaluate``.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecgcore.datasets.packed import LABEL_KEYS, PackedData
from ecgcore.evaluation.metrics import macro_interval, score_label
from ecgcore.models.card import LabelCard
from ecgcore.models.predictor import Predictor

_DIGITS = 6


def evaluate(predictor: Predictor, data: PackedData) -> dict[str, Any]:
    """Scores of a model on every record of a packed file, as a JSON object.

    ``{model, n, macro, labels}``. ``macro`` holds an object a label set, its means taken over the
    labels that have a threshold and of which the data hold both classes, whether the model answers
    for them or not; a model of one set has the same numbers also directly in ``macro``. ``labels``
    has a row a label, with the reason where the model does not answer.
    """
    spec = predictor.card.spec
    probabilities = predictor.probabilities(data.inputs(spec), data.aside_inputs(spec))
    return evaluate_probabilities(predictor.card.name, predictor.card.labels, probabilities, data)


def evaluate_probabilities(
    name: str, labels: tuple[LabelCard, ...], probabilities: NDArray[np.floating], data: PackedData
) -> dict[str, Any]:
    """``evaluate`` from (records, labels) probabilities, columns as ``labels``."""
    macros: dict[str, Any] = {}
    rows: list[dict[str, Any]] = []
    for label_set in LABEL_KEYS:
        columns = [i for i, label in enumerate(labels) if label.set == label_set]
        if not columns:
            continue
        chosen = tuple(labels[i] for i in columns)
        targets = data.target(label_set, tuple(label.code for label in chosen))
        set_rows, macro = _set_scores(chosen, targets, probabilities[:, columns])
        macros[label_set] = macro
        rows += set_rows
    macro = next(iter(macros.values())) if len(macros) == 1 else {}
    return {"model": name, "n": len(data), "macro": {**macro, **macros}, "labels": rows}


def _set_scores(
    labels: tuple[LabelCard, ...],
    targets: NDArray[np.uint8],
    probabilities: NDArray[np.floating],
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    scored: list[int] = []
    for column, label in enumerate(labels):
        row: dict[str, Any] = {"code": label.code, "set": label.set}
        if label.reason is not None:
            row["reason"] = label.reason
        if label.threshold is None:
            row["n_positive"] = int(targets[:, column].sum())
        else:
            scores = score_label(targets[:, column], probabilities[:, column], label.threshold)
            row |= {**_rounded(asdict(scores)), "threshold": label.threshold}
            if scores.auroc is not None:
                scored.append(column)
        rows.append(row)
    answers = [rows[column] for column in scored]
    auroc, auprc = macro_interval(targets[:, scored], probabilities[:, scored])
    macro: dict[str, Any] = {"n_labels": len(scored)}
    for key in ("auroc", "auprc", "f1", "sensitivity", "specificity", "precision"):
        values = [row[key] for row in answers if row[key] is not None]
        macro[key] = float(np.mean(values)) if values else None
    macro |= {"auroc_interval": auroc, "auprc_interval": auprc}
    return rows, _rounded(macro)


def _rounded(values: dict[str, Any]) -> dict[str, Any]:
    """Numbers to six digits, so that a card and its re-evaluation compare as text."""
    rounded: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, float):
            rounded[key] = round(value, _DIGITS)
        elif isinstance(value, tuple):
            rounded[key] = [round(part, _DIGITS) for part in value]
        else:
            rounded[key] = value
    return rounded
