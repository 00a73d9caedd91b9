"""What a finished run's model said of the records that the run was validated on.

A card keeps numbers only; a paired test of two runs needs each record's answer, which stands beside
the weights (``validation_answers``).
"""

from __future__ import annotations

from ecgcore.evaluation.run_comparison import RunAnswers
from ecgcore.jobs.values import JobError, RunStatus
from ecgcore.models.card import CardError, ModelCard, read_card
from ecgcore.models.validation_answers import read_validation
from ecgcore.training.whole_run import MODEL


def card_of(run: RunStatus) -> ModelCard | None:
    """The card of a run's model; None where it has none that can be read."""
    try:
        return read_card(run.folder / MODEL)
    except CardError:
        return None


def answers_of(run: RunStatus) -> RunAnswers:
    """A finished run's answers to its validation records, for every label that has a threshold.

    These are the labels whose scores its card has, also where it does not speak on one because its
    interval reaches chance: a comparison may be about just that.

    Raises JobError where there are none, with what to do.
    """
    card = card_of(run)
    if card is None:
        raise JobError(f"{run.name} has no finished model; choose a run that has finished")
    try:
        told = read_validation(run.folder / MODEL, card.labels)
    except CardError as error:
        raise JobError(f"the answers of {run.name} cannot be read: {error}") from error
    if told is None:
        raise JobError(
            f"{run.name} came without its answers to the validation records; repeat the run with "
            "this version to compare it"
        )
    scored = [at for at, label in enumerate(card.labels) if label.threshold is not None]
    labels = tuple((card.labels[at].set, card.labels[at].code) for at in scored)
    chosen = told.columns(scored)
    return RunAnswers(run.name, labels, chosen.targets, chosen.probabilities, chosen.folds)
