"""``fuse``: fit the super learner of a trained HRNN, show what it is worth, write the model."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path

from ecgcore.cli_training import Show
from ecgcore.cli_values import DONE, REFUSED, UsageError, refusal


def add_fuse_arguments(fuse: argparse.ArgumentParser) -> None:
    """The arguments of ``fuse``."""
    fuse.add_argument(
        "--model", type=Path, required=True, metavar="DIR", help="the folder of a trained hrnn"
    )
    fuse.add_argument(
        "--trained-on",
        type=Path,
        nargs="+",
        required=True,
        metavar="PACKED.npz",
        help="what train was given as --data: to validate on, and to leave out",
    )
    fuse.add_argument(
        "--data",
        type=Path,
        nargs="+",
        required=True,
        metavar="PACKED",
        help="recordings in millivolts, packed with --rules; of one that stands twice the first "
        "is taken",
    )
    fuse.add_argument("--out", type=Path, required=True, metavar="DIR", help="the fused model")
    fuse.add_argument("--name", help="the fused model's name (default: the model's own)")


def run_fuse(given: argparse.Namespace, show: Show) -> int:
    """Fit, print a row a class, and publish; the exit status. Raises CardError, UsageError."""
    from ecgcore.datasets.packed import PackedDataError, load_packed
    from ecgcore.models.predictor import read_predictor
    from ecgcore.training.checkpoint import TrainingError
    from ecgcore.training.fusion import fuse
    from ecgcore.training.fusion_card import (
        class_row,
        kept_row,
        publish_fused,
        refuse_other_data,
        score_row,
    )
    from ecgcore.training.whole_run import joined

    if given.out.resolve() == given.model.resolve():
        raise UsageError("--out is the model's own folder; name another, the model is kept")
    predictor = read_predictor(given.model)
    name = given.name or predictor.card.name
    try:
        learned = joined(given.trained_on)
        refuse_other_data(predictor.card, learned)
        fusion = fuse(predictor, [load_packed(path) for path in given.data], learned)
        command = "python -m ecgcore fuse " + shlex.join(_reproducing(given, predictor.card.name))
        card = publish_fused(name, predictor, fusion, learned, folder=given.out, command=command)
    except (PackedDataError, TrainingError) as error:
        show(refusal(given.model, error))
        return REFUSED
    for place in fusion.fitted:
        show(class_row(card, fusion, place))
    for place in fusion.kept:
        show(kept_row(card, fusion, place))
    show({"macro": {way: score_row(score) for way, score in fusion.macro.items()}})
    show({"model": name, "folder": str(given.out), "lambda": fusion.lambda_})
    return DONE


def _reproducing(given: argparse.Namespace, model: str) -> list[str]:
    """The words that repeat this, with names instead of this machine's paths."""
    words = ["--model", f"runs/{model}/model"]
    words += ["--trained-on", *(path.name for path in given.trained_on)]
    words += ["--data", *(path.name for path in given.data)]
    words += ["--name", given.name] if given.name else []
    return [*words, "--out", f"runs/{given.name or model}/fused"]
