"""Why a run could not begin, said before it is started: one sentence a reason.

What the run's process would refuse after minutes in the queue is found here from the options and
the facts of the data, without reading a signal or holding the network's weights.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator

from ecgcore.datasets.data_facts import DataFacts
from ecgcore.labels import label_set_names, labels_of
from ecgcore.models.card import ModelCard
from ecgcore.models.registry import build_network
from ecgcore.models.trees import GROWN
from ecgcore.recording import LEADS
from ecgcore.training.checkpoint import TrainingError
from ecgcore.training.members import member_options, whole_network
from ecgcore.training.objective_of import OBJECTIVES
from ecgcore.training.options import CLECG, TrainOptions
from ecgcore.training.records import Labels, loaded_leads, start_of, teacher_card

_HRNN = "hrnn"


def refusals(options: TrainOptions, facts: DataFacts) -> tuple[str, ...]:
    """Every reason for which a run with these options could not begin on these data."""
    return tuple(dict.fromkeys([*map(_sentence, _of_data(options, facts)), *of_options(options)]))


def of_options(options: TrainOptions) -> tuple[str, ...]:
    """Every reason for which a run with these options could not begin on any data."""
    found = [*_of_teacher(options), *_of_start(options), *_of_network(options)]
    return tuple(_sentence(one) for one in dict.fromkeys(found))


def answered_labels(options: TrainOptions, facts: DataFacts) -> tuple[int, int]:
    """Labels with enough positives to be answered, and all labels of the set that the data have."""
    training = facts.positives_in(options.label_set, options.train_folds)
    validation = facts.positives_in(options.label_set, options.validation_folds)
    enough = sum(
        count >= options.fewest_positives
        and validation[label] >= options.fewest_validation_positives
        for label, count in training.items()
    )
    return enough, len(training)


def _of_data(options: TrainOptions, facts: DataFacts) -> Iterator[str]:
    lacking = [name for name in label_set_names(options.label_set) if name not in facts.codes]
    if lacking:
        yield (
            f"{facts.name} has no labels of {', '.join(lacking)}; it has {', '.join(facts.codes)}: "
            "choose among these"
        )
    for folds, what in ((options.train_folds, "learn from"), (options.validation_folds, "score")):
        if not facts.records_in(folds):
            there = ", ".join(map(str, facts.folds)) or "none"
            yield f"no recording to {what} in folds {_folds(folds)}; the data have folds {there}"
    training = facts.records_in(options.train_folds)
    if training and options.network not in GROWN and training < options.batch:
        yield (
            f"{training} recordings to learn from make no batch of {options.batch}; choose a "
            "smaller batch or more folds"
        )
    if not lacking and training and answered_labels(options, facts)[0] == 0:
        yield (
            f"no label has {options.fewest_positives} recordings to learn from and "
            f"{options.fewest_validation_positives} to score, so that the model would answer "
            "nothing; choose other labels or data, or ask for fewer"
        )
    if facts.leads is not None:
        missing = [lead for lead in _leads(options) if lead not in facts.leads]
        if missing:
            yield f"{facts.name} has no lead {', '.join(missing)}; choose among its leads"


def _leads(options: TrainOptions) -> tuple[str, ...]:
    try:
        return loaded_leads(options)
    except TrainingError:  # said of the teacher
        return options.leads or LEADS


def _of_teacher(options: TrainOptions) -> Iterator[str]:
    taught = OBJECTIVES[options.objective].taught
    if options.teacher is None:
        if taught:
            yield f"the objective {options.objective} learns from a teacher; choose one"
        return
    card = yield from _tried(lambda: teacher_card(options))
    if not taught:
        yield (
            f"the objective {options.objective} learns from no teacher; leave the teacher out, or "
            f"choose {', '.join(name for name, kind in OBJECTIVES.items() if kind.taught)}"
        )
    if isinstance(card, ModelCard):
        its = tuple((label.set, label.code) for label in card.labels)
        if its != _labels(options):
            yield (
                f"the teacher {card.name} answers for other labels than {options.label_set}; "
                "choose a teacher of the same labels"
            )


def _of_start(options: TrainOptions) -> Iterator[str]:
    if options.start == CLECG:
        yield (
            f"the recipe begins from weights of CLECG's pre-training of {options.network}: choose "
            "them under starting weights once python -m ecgcore pretrain has made them, or choose "
            "none for random ones"
        )
        return
    yield from _tried(lambda: start_of(options))


def _of_network(options: TrainOptions) -> Iterator[str]:
    if options.objective == _HRNN and options.network != _HRNN:
        yield (
            "the objective hrnn asks the network for its rules; choose the network hrnn with it, "
            "or weighted_bce without rules"
        )
    labels = _labels(options)

    def build() -> None:
        for member in member_options(options):
            _build(member, labels)

    yield from _tried(build, f"the network {options.network} cannot be built: ")


def _build(options: TrainOptions, labels: Labels) -> None:
    """Build a network to see that it can be: without weights, but for those that look at them."""
    import torch

    whole, told = whole_network(options, labels)
    leads = len(options.leads or LEADS)
    try:
        with torch.device("meta"):
            build_network(whole, leads=leads, labels=len(labels), options=told)
    except (RuntimeError, NotImplementedError) as error:
        if "meta" not in str(error):
            raise
        build_network(whole, leads=leads, labels=len(labels), options=told)


def _labels(options: TrainOptions) -> Labels:
    return tuple((one.set, one.code) for one in labels_of(options.label_set))


def _tried(attempt: Callable[[], object], before: str = "") -> Generator[str, None, object]:
    """What an attempt is refused with; its value is the generator's."""
    try:
        return attempt()
    except TrainingError as error:
        yield str(error)
    except (ValueError, TypeError, RuntimeError, LookupError, ArithmeticError) as error:
        yield f"{before}{error}"
    return None


def _folds(folds: tuple[int, ...]) -> str:
    return ", ".join(map(str, folds)) or "none"


def _sentence(text: str) -> str:
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")
