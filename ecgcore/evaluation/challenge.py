"""The score of the PhysioNet/Computing in Cardiology Challenge 2021.

Every pair of a true and an answered class earns the weight of the two (1 for the right one, less
for a misdiagnosis, the more alike the treatment or outcome the higher), divided by the number of
different classes that the record has and was given. The sum is set in relation to two others: 1 is
the score of the right answers and 0 that of answering "sinus rhythm" for every record; worse
answers are negative. Reyna et al., Will Two Do? Varying Dimensions in Electrocardiography, CinC
2021, and Perez Alday et al., Physiol Meas 2020;41:124003; weights and classes from the organisers'
scoring code (BSD 2-clause, assets/challenge2021). Four pairs of codes count as one class each.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from ecgcore.labels import ASSETS, map_code, mapped_codes

FOLDER = ASSETS / "challenge2021"
SINUS_RHYTHM = "426783006"


@dataclass(frozen=True)
class ChallengeClasses:
    """The 26 scored classes, in the order of the weights.

    ``codes`` are the SNOMED CT codes of each class, ``names`` its abbreviations ("PAC|SVPB"),
    ``weights`` (true class, answered class).
    """

    codes: tuple[tuple[str, ...], ...]
    names: tuple[str, ...]
    weights: NDArray[np.float64]

    @property
    def normal(self) -> int:
        """The class that answers for a model without knowledge: sinus rhythm."""
        return next(i for i, codes in enumerate(self.codes) if SINUS_RHYTHM in codes)

    def index(self, code: str) -> int | None:
        """The class of a SNOMED CT code; None for a code that is not scored."""
        return next((i for i, codes in enumerate(self.codes) if code in codes), None)


@cache
def challenge_classes() -> ChallengeClasses:
    """The organisers' classes and weights."""
    with (FOLDER / "weights.csv").open(encoding="utf-8", newline="") as table:
        header, *rows = list(csv.reader(table))
    if header[1:] != [row[0] for row in rows]:
        raise ValueError(f"{FOLDER / 'weights.csv'}: rows and columns name different classes")
    with (FOLDER / "dx_mapping_scored.csv").open(encoding="utf-8", newline="") as table:
        short = {row["SNOMEDCTCode"]: row["Abbreviation"] for row in csv.DictReader(table)}
    codes = tuple(tuple(row[0].split("|")) for row in rows)
    names = tuple("|".join(short[code] for code in group) for group in codes)
    weights = np.array([[float(value) for value in row[1:]] for row in rows])
    weights.setflags(write=False)
    return ChallengeClasses(codes, names, weights)


def challenge_columns(
    codes: Sequence[str], values: NDArray[np.uint8] | NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """(records, codes) labels or answers as (records, 26 classes).

    A class is set where any of its codes is; columns of codes that are not scored are dropped, and
    a class without a column is never set. Raises ValueError when codes and columns differ in number
    or a code is named twice.
    """
    if values.ndim != 2 or values.shape[1] != len(codes) or len(set(codes)) != len(codes):
        raise ValueError(
            f"{len(codes)} SNOMED CT codes for values {values.shape}; give one code a column, "
            "each once"
        )
    classes = challenge_classes()
    columns = np.zeros((len(values), len(classes.codes)), dtype=bool)
    for column, code in enumerate(codes):
        place = classes.index(code)
        if place is not None:
            columns[:, place] |= values[:, column] != 0
    return columns


def statement_columns(
    statements: Sequence[str], values: NDArray[np.uint8] | NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """(records, SCP-ECG statements) labels or answers as (records, 26 classes).

    A class is set where a statement is that means just one of its SNOMED CT codes; broader ones
    set none.
    """
    columns = np.zeros((len(values), len(challenge_classes().codes)), dtype=bool)
    for column, statement in enumerate(statements):
        for place in statement_classes(statement):
            columns[:, place] |= values[:, column] != 0
    return columns


def statement_classes(statement: str) -> frozenset[int]:
    """The classes that an SCP-ECG statement means exactly: mostly one or none."""
    if statement not in mapped_codes("SCP-ECG"):
        return frozenset()
    same = [m.code for m in map_code(statement, "SCP-ECG", "SNOMED CT") if m.match == "exact"]
    places = (challenge_classes().index(code) for code in same)
    return frozenset(place for place in places if place is not None)


def challenge_score(targets: NDArray[np.bool_], predicted: NDArray[np.bool_]) -> float:
    """The normalised score of (records, 26 classes) answers, columns as ``challenge_classes``.

    At most 1; 0 where right answers would earn no more than sinus rhythm for every record, as the
    organisers define it. Raises ValueError for other shapes or without a record.
    """
    classes = challenge_classes()
    expected = (len(targets), len(classes.codes))
    if targets.shape != expected or predicted.shape != expected or not len(targets):
        raise ValueError(
            f"targets {targets.shape} and answers {predicted.shape}; "
            f"give (records, {len(classes.codes)}) of both, at least one record"
        )
    targets, predicted = targets != 0, predicted != 0
    inactive = np.zeros_like(predicted)
    inactive[:, classes.normal] = True
    earned, right, nothing = (
        _earned(classes.weights, targets, answers) for answers in (predicted, targets, inactive)
    )
    return (earned - nothing) / (right - nothing) if right != nothing else 0.0


def _earned(
    weights: NDArray[np.float64], targets: NDArray[np.bool_], answers: NDArray[np.bool_]
) -> float:
    """The sum of weights over all records before it is set in relation."""
    different = np.maximum((targets | answers).sum(axis=1, keepdims=True), 1)
    confusion = (targets / different).T @ answers.astype(np.float64)
    return float((weights * confusion).sum())
