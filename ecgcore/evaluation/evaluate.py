"""A trained model on a packed data set: the numbers of its card and of ``python -m ecgcore
evaluate``.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from ecgcore.datasets.packed import PackedData
from ecgcore.evaluation.bootstrap import interval, macro
from ecgcore.evaluation.calibration import expected_calibration_error, fit_temperature
from ecgcore.evaluation.challenge import (
    challenge_classes,
    challenge_score,
    statement_classes,
    statement_columns,
)
from ecgcore.evaluation.metrics import score_labels
from ecgcore.evaluation.multilabel import multilabel_scores
from ecgcore.evaluation.resampled_answers import bootstrap_answers
from ecgcore.evaluation.thresholds import correlation
from ecgcore.labels import LabelSetName
from ecgcore.models.card import LabelCard
from ecgcore.models.predictor import Predictor

_DIGITS = 6
HALF = 0.5
"""HRNN answers "yes" above this probability, for every label."""


def probabilities_on(predictor: Predictor, data: PackedData) -> NDArray[np.float32]:
    """A model's probabilities of packed records, (records, labels of the card). Raises
    PackedDataError."""
    spec = predictor.card.spec
    return predictor.probabilities(data.inputs(spec), data.aside_inputs(spec))


def evaluate(predictor: Predictor, data: PackedData) -> dict[str, Any]:
    """Scores of a model on every record of a packed file, as a JSON object.

    ``{model, n, macro, labels, answers}``. ``macro`` holds an object a label set, its means taken
    over the labels that have a threshold and of which the data hold both classes, whether the model
    answers for them or not; a model of one set has the same numbers also directly in ``macro``.
    ``labels`` has a row a label, with the reason where the model does not answer. ``answers`` holds
    for each set the scores over all labels with a threshold together (see ``multilabel``), at these
    and at 0.5, 95 % intervals of the means at these, the correlation of the thresholds with the
    share of positives, and the calibration; for the statements also the 2021 challenge's score.
    """
    probabilities = probabilities_on(predictor, data)
    return evaluate_probabilities(predictor.card.name, predictor.card.labels, probabilities, data)


def evaluate_probabilities(
    name: str, labels: tuple[LabelCard, ...], probabilities: NDArray[np.floating], data: PackedData
) -> dict[str, Any]:
    """``evaluate`` from (records, labels) probabilities, columns as ``labels``."""
    macros: dict[str, Any] = {}
    answers: dict[str, Any] = {}
    rows: list[dict[str, Any]] = []
    for label_set in get_args(LabelSetName):
        columns = [i for i, label in enumerate(labels) if label.set == label_set]
        if not columns:
            continue
        chosen = tuple(labels[i] for i in columns)
        targets = data.target(label_set, tuple(label.code for label in chosen))
        set_rows, macro = _set_scores(chosen, targets, probabilities[:, columns])
        macros[label_set] = macro
        answers[label_set] = _set_answers(chosen, targets, probabilities[:, columns])
        if label_set == "statements" and len(data):
            answers[label_set]["challenge"] = _challenge(chosen, targets, probabilities[:, columns])
        rows += set_rows
    macro = next(iter(macros.values())) if len(macros) == 1 else {}
    return {
        "model": name,
        "n": len(data),
        "macro": {**macro, **macros},
        "labels": rows,
        "answers": answers,
    }


def _set_scores(
    labels: tuple[LabelCard, ...],
    targets: NDArray[np.uint8],
    probabilities: NDArray[np.floating],
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Rows of the labels of one set, and its means."""
    given = [i for i, label in enumerate(labels) if label.threshold is not None]
    scores = score_labels(targets[:, given], probabilities[:, given], _thresholds(labels))
    by_column = dict(zip(given, scores.labels, strict=True))
    rows: list[dict[str, Any]] = []
    for column, label in enumerate(labels):
        row: dict[str, Any] = {"code": label.code, "set": label.set}
        if label.reason is not None:
            row["reason"] = label.reason
        if label.threshold is None:
            row["n_positive"] = int(targets[:, column].sum())
        else:
            row |= {**_rounded(asdict(by_column[column])), "threshold": label.threshold}
        rows.append(row)
    answers = [rows[column] for column, mine in by_column.items() if mine.auroc is not None]
    macro: dict[str, Any] = {"n_labels": len(answers)}
    for key in ("auroc", "auprc", "f1", "sensitivity", "specificity", "precision"):
        values = [row[key] for row in answers if row[key] is not None]
        macro[key] = float(np.mean(values)) if values else None
    macro["auroc_interval"] = scores.macro_auroc_interval
    macro["auprc_interval"] = scores.macro_auprc_interval
    return rows, _rounded(macro)


def _thresholds(labels: tuple[LabelCard, ...]) -> tuple[float, ...]:
    return tuple(label.threshold for label in labels if label.threshold is not None)


def _set_answers(
    labels: tuple[LabelCard, ...],
    targets: NDArray[np.uint8],
    probabilities: NDArray[np.floating],
) -> dict[str, Any]:
    """Scores over all labels of one set that have a threshold, of answers and of calibration."""
    given = [i for i, label in enumerate(labels) if label.threshold is not None]
    truth, values = targets[:, given], probabilities[:, given]
    thresholds = np.array(_thresholds(labels))
    # Label by label, so that a number is compared just as where the label is scored alone.
    said = [values[:, i] >= threshold for i, threshold in enumerate(_thresholds(labels))]
    answers = np.array(said, dtype=bool).reshape(len(given), len(targets)).T
    return {
        "n_labels": len(given),
        "at_thresholds": _rounded(asdict(multilabel_scores(truth, answers))),
        "intervals": _answer_intervals(truth, answers),
        "at_half": _rounded(asdict(multilabel_scores(truth, values > HALF))),
        "threshold_prevalence_correlation": _rounded(
            {"r": correlation(truth.mean(axis=0, dtype=np.float64), thresholds)}
        )["r"],
        "calibration": _calibration([labels[i].code for i in given], truth, values),
    }


def _challenge(
    labels: tuple[LabelCard, ...],
    targets: NDArray[np.uint8],
    probabilities: NDArray[np.floating],
) -> dict[str, Any]:
    """The challenge's score at the thresholds, over its classes that a statement means exactly.

    ``classes`` are those that the statements can tell of, ``answered`` those of them that the model
    gives an answer for; what it does not answer counts as "no".
    """
    names = challenge_classes().names
    codes = [label.code for label in labels]
    thresholds = np.array(
        [x.threshold if x.answered and x.threshold is not None else np.inf for x in labels]
    )
    score = challenge_score(
        statement_columns(codes, targets),
        statement_columns(codes, probabilities.astype(np.float64) >= thresholds),
    )
    told, said = (
        sorted({names[place] for label in chosen for place in statement_classes(label.code)})
        for chosen in (labels, [label for label in labels if label.answered])
    )
    return _rounded({"score": score}) | {"classes": told, "answered": said}


def _answer_intervals(
    targets: NDArray[np.uint8], answers: NDArray[np.bool_]
) -> dict[str, list[float] | None]:
    """95 % intervals of the macro scores at the thresholds and of the Hamming loss."""
    if not targets.size:
        return {}
    drawn = bootstrap_answers(targets, answers)
    scores = (drawn.f1, drawn.sensitivity, drawn.specificity, drawn.precision)
    names = ("f1", "sensitivity", "specificity", "precision")
    found = {name: interval(macro(values)) for name, values in zip(names, scores, strict=True)}
    return _rounded({**found, "hamming": interval(drawn.hamming)})


def _calibration(
    codes: list[str], targets: NDArray[np.uint8], probabilities: NDArray[np.floating]
) -> dict[str, Any]:
    """Mean calibration error and Brier score over the labels, each label's own, and the
    temperature that fits these records best."""
    from sklearn.metrics import brier_score_loss

    if not targets.size:
        return {"ece": None, "brier": None, "temperature": None, "labels": []}
    rows = [
        {
            "code": code,
            "ece": expected_calibration_error(target, probability),
            "brier": float(brier_score_loss(target, probability, pos_label=1)),
        }
        for code, target, probability in zip(codes, targets.T, probabilities.T, strict=True)
    ]
    means = {key: float(np.mean([row[key] for row in rows])) for key in ("ece", "brier")}
    means["temperature"] = fit_temperature(targets, probabilities)
    return {**_rounded(means), "labels": [_rounded(row) for row in rows]}


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
