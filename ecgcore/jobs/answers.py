"""What a finished run's model says of the records that the run was validated on.

A card keeps numbers only; a paired test of two runs needs each record's answer. They are computed
anew from the run's own data, which must be what the run learned from, byte by byte.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ecgcore.datasets.packed import PackedDataError
from ecgcore.datasets.record import DataSetError
from ecgcore.evaluation.evaluate import probabilities_on
from ecgcore.evaluation.run_comparison import RunAnswers
from ecgcore.jobs.values import JobError, RunOrder, RunStatus
from ecgcore.models.card import CardError, ModelCard, read_card
from ecgcore.models.predictor import read_predictor
from ecgcore.review.values import ReviewError
from ecgcore.review_work import packed_snapshot
from ecgcore.training.whole_run import joined
from ecgcore.workspace import Workspace

MODEL = "model"


def card_of(run: RunStatus) -> ModelCard | None:
    """The card of a run's model; None where it has none that can be read."""
    try:
        return read_card(run.folder / MODEL)
    except CardError:
        return None


def answers_of(workspace: Workspace, run: RunStatus) -> RunAnswers:
    """A finished run's answers to its validation records, for every label that has a threshold.

    These are the labels whose scores its card has, also where it does not speak on one because its
    interval reaches chance: a comparison may be about just that.

    Raises JobError where they cannot be had, with what to do.
    """
    card = card_of(run)
    if card is None or run.order is None:
        why = "was started in a terminal, so its data are not known here"
        raise JobError(
            f"{run.name} {why if card else 'has no finished model'}; choose a run that was started "
            "from the page and has finished"
        )
    try:
        data = joined(_files(workspace, run.order))
        if data.sha256 != card.data.get("sha256"):
            raise JobError(
                f"the data of {run.name} have changed since it learned from them; put the old file "
                "back, or repeat the run on the new one"
            )
        chosen = data.select(card.data["folds"]["validation"])
        scored = [at for at, label in enumerate(card.labels) if label.threshold is not None]
        labels = tuple((card.labels[at].set, card.labels[at].code) for at in scored)
        targets = [chosen.target(name, (code,))[:, 0] for name, code in labels]
        told = probabilities_on(read_predictor(run.folder / MODEL), chosen)
    except (PackedDataError, DataSetError, ReviewError, CardError, OSError, KeyError) as error:
        raise JobError(f"{run.name} cannot be asked again: {error}") from error
    truth = np.array(targets, dtype=np.uint8).reshape(len(labels), len(chosen)).T
    return RunAnswers(run.name, labels, truth, told[:, scored], chosen.fold)


def _files(workspace: Workspace, order: RunOrder) -> list[Path]:
    """The packed files in the order in which the run read them."""
    files = [Path(path) for path in order.data]
    return [*files, packed_snapshot(workspace, order.snapshot)] if order.snapshot else files
