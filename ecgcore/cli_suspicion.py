"""``suspicion``: which labels of a packed data set are doubtful, and why."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ecgcore.cli_training import Show
from ecgcore.cli_values import DONE, REFUSED, UsageError, refusal
from ecgcore.labels import LabelSetName

_SETS: dict[str, LabelSetName] = {"y5": "superclasses", "y71": "statements"}


def add_suspicion_arguments(suspicion: argparse.ArgumentParser) -> None:
    """The arguments of ``suspicion``."""
    suspicion.add_argument("--data", type=Path, required=True, nargs="+", metavar="PACKED.npz")
    suspicion.add_argument(
        "--labels", choices=tuple(_SETS), default="y5", help="superclasses or statements"
    )
    source = suspicion.add_mutually_exclusive_group()
    source.add_argument("--model", help="a trained model that has not learned from these records")
    source.add_argument(
        "--cross-validate",
        default="biomarkers",
        metavar="NAME",
        help="a recipe, trained five times; default: two learners on measured biomarkers",
    )


def run_suspicion(given: argparse.Namespace, show: Show) -> int:
    """Print a row a record; the exit status. Raises UsageError, CardError."""
    from ecgcore.cli_models import predictor_named
    from ecgcore.datasets.packed import PackedDataError
    from ecgcore.training.checkpoint import TrainingError
    from ecgcore.training.recipes import RecipeError
    from ecgcore.training.suspected import cross_validated, of_model, suspected
    from ecgcore.training.whole_run import joined

    name = _SETS[given.labels]
    try:
        data = joined(given.data)
        if given.model:
            told = of_model(predictor_named(given.model), data, name)
        else:
            told = cross_validated(data, name, given.cross_validate)
        for one in suspected(data, name, told):
            labels: list[dict[str, Any]] = [
                {
                    "code": label.code,
                    "given": label.given,
                    "probability": label.probability,
                    "score": label.score,
                    "reasons": [
                        {"kind": reason.kind, "text": reason.text, "weight": reason.weight}
                        for reason in label.reasons
                    ],
                }
                for label in one.labels
            ]
            show({"index": one.index, "ecg_id": _name(str(data.record_ids[one.index])),
                  "score": one.score, "labels": labels})  # fmt: skip
    except RecipeError as error:
        raise UsageError(str(error)) from error
    except (PackedDataError, TrainingError) as error:
        show(refusal(given.data[0], error))
        return REFUSED
    return DONE


def _name(record: str) -> int | str:
    """A record's name; a number where it is one, as packed files hold it."""
    return int(record) if record.isdecimal() else record
