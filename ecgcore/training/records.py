"""The records of a run as tensors: all leads that are loaded, the network's first."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ecgcore.datasets.packed import PackedData, PackedDataError
from ecgcore.labels import LabelSetName
from ecgcore.models.card import CardError, ModelCard, read_card
from ecgcore.models.hrnn import rules_for
from ecgcore.models.input_spec import InputSpec
from ecgcore.models.predictor import read_predictor
from ecgcore.models.registry import network_entry
from ecgcore.training.checkpoint import TrainingError
from ecgcore.training.objective_of import Teacher
from ecgcore.training.options import CLECG, TrainOptions
from ecgcore.training.start import Start, read_start

Labels = tuple[tuple[LabelSetName, str], ...]
"""Set and code of each label."""

RULES_BY_LABEL = "by_label"
"""The value of the network option ``rules`` that stands for the rule of each label."""


@dataclass(frozen=True)
class Split:
    """Inputs (records, loaded leads, samples), targets (records, labels) and aside values (records,
    columns), which most networks have none of; float32. ``labels`` are sets and codes."""

    inputs: Tensor
    targets: Tensor
    aside: Tensor
    labels: Labels

    def __len__(self) -> int:
        return len(self.inputs)


def split(data: PackedData, options: TrainOptions, folds: tuple[int, ...]) -> Split:
    """The records of some folds as tensors. Raises TrainingError where there are none, where
    they lack the labels, or where the teacher does not fit.
    """
    labels = labels_of_run(data, options)
    chosen = of_folds(data, folds)
    spec = replace(network_spec(options), leads=loaded_leads(options))
    targets = chosen.targets_of(options.label_set).astype(np.float32)
    inputs, aside = chosen.inputs(spec), chosen.aside_inputs(spec)
    return Split(
        torch.from_numpy(inputs),
        torch.from_numpy(targets),
        torch.from_numpy(aside),
        labels,
    )


def usual_values(
    values: NDArray[np.float32],
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Median and standard deviation (columns,) of each biomarker among the training records
    (records, columns), NaN where it was not measured.

    A column that is never known has the median 0, one that is always the same an infinite
    deviation: what never varied teaches nothing. Raises TrainingError where nothing is known.
    """
    known = np.isfinite(values)
    if not known.any():
        raise TrainingError("no biomarker is known of any training record; choose other data")
    ever = known.any(axis=0)
    medians = np.zeros(values.shape[1], dtype=np.float32)
    medians[ever] = np.nanmedian(np.where(known, values, np.nan)[:, ever], axis=0)
    filled = np.where(known, values, medians)
    spread = filled.std(axis=0, dtype=np.float64)
    return medians, np.where(np.ptp(filled, axis=0) > 0, spread, np.inf)


def labels_of_run(data: PackedData, options: TrainOptions) -> Labels:
    """Set and code of each label of a run. Raises TrainingError where the data lack one."""
    try:
        return data.labels(options.label_set)
    except PackedDataError as error:
        raise TrainingError(f"{error} (option label_set)") from error


def of_folds(data: PackedData, folds: tuple[int, ...]) -> PackedData:
    """The records of some folds. Raises TrainingError where there are none."""
    chosen = data.select(folds)
    if not len(chosen):
        told = ", ".join(map(str, folds))
        raise TrainingError(
            f"no record of {data.name} is in fold {told}; choose others or more data"
        )
    return chosen


class SeenBy(Protocol):
    """The options that decide what a network sees."""

    @property
    def network(self) -> str:
        """Its name."""

    @property
    def leads(self) -> tuple[str, ...] | None:
        """Its leads in order, None for its paper's."""

    @property
    def sampling_rate(self) -> float | None:
        """Its rate (Hz), None for its paper's."""


def network_spec(options: SeenBy) -> InputSpec:
    """What the network eats: its paper's input with the leads and rate of the options."""
    spec = network_entry(options.network).spec
    return replace(
        spec,
        leads=options.leads or spec.leads,
        sampling_rate=options.sampling_rate or spec.sampling_rate,
    )


def network_options(options: TrainOptions, labels: Labels) -> dict[str, Any]:
    """The network's options for these labels: rules "by_label" are filled in."""
    told = dict(options.network_options)
    if told.get("rules") == RULES_BY_LABEL:
        told["rules"] = list(rules_for([code for _, code in labels]))
    return told


def loaded_leads(options: TrainOptions) -> tuple[str, ...]:
    """The network's leads in its order, then those that the teacher sees beside them."""
    own = network_spec(options).leads
    card = teacher_card(options)
    return own if card is None else (*own, *(lead for lead in card.spec.leads if lead not in own))


def teacher_card(options: TrainOptions) -> ModelCard | None:
    """The teacher's card, None without one.

    Raises TrainingError where it cannot be read or its input differs in more than the leads.
    """
    if options.teacher is None:
        return None
    try:
        card = read_card(Path(options.teacher))
    except CardError as error:
        raise TrainingError(f"the teacher cannot be used: {error}") from error
    own, its = network_spec(options), card.spec
    if (its.sampling_rate, its.seconds) != (own.sampling_rate, own.seconds):
        raise TrainingError(
            f"the teacher {card.name} reads {its.seconds:g} s at {its.sampling_rate:g} Hz, "
            f"{options.network} {own.seconds:g} s at {own.sampling_rate:g} Hz; choose a teacher of "
            "the same input"
        )
    if replace(its, leads=own.leads) != own:
        raise TrainingError(
            f"the teacher {card.name} reads signals of another conditioning, resampling or aside "
            f"inputs than {options.network}; choose a teacher of the same input"
        )
    return card


def read_teacher(options: TrainOptions, labels: Labels) -> Teacher | None:
    """The teacher, None without one. Raises TrainingError where it does not fit the run."""
    card = teacher_card(options)
    if card is None or options.teacher is None:
        return None
    if tuple((label.set, label.code) for label in card.labels) != labels:
        raise TrainingError(
            f"the teacher {card.name} answers for other labels than the {len(labels)} "
            f"{options.label_set} of the data; choose a teacher of the same labels"
        )
    try:
        network = read_predictor(Path(options.teacher)).network
    except CardError as error:
        raise TrainingError(f"the teacher cannot be used: {error}") from error
    loaded = loaded_leads(options)
    return Teacher(network, tuple(loaded.index(lead) for lead in card.spec.leads))


def start_of(options: TrainOptions) -> Start | None:
    """What the run begins from, None where from random weights.

    Raises TrainingError where it cannot be read, or is of another network or input.
    """
    if options.start is None:
        return None
    if options.start == CLECG:
        raise TrainingError(unnamed_start(options))
    start = read_start(Path(options.start))
    if start.network != options.network:
        raise TrainingError(
            f"the start {start.name} is of the network {start.network}, the run of "
            f"{options.network}; choose a start of the same network"
        )
    own, its = network_spec(options), start.spec
    if (its.leads, its.sampling_rate) != (own.leads, own.sampling_rate):
        raise TrainingError(
            f"the start {start.name} saw {', '.join(its.leads)} at {its.sampling_rate:g} Hz, the "
            f"run sees {', '.join(own.leads)} at {own.sampling_rate:g} Hz; choose a start of the "
            "same leads and rate"
        )
    if its != own:
        raise TrainingError(
            f"the start {start.name} saw signals of another length, conditioning, resampling or "
            f"aside inputs than {options.network}; choose a start of the same input"
        )
    return start


def unnamed_start(options: TrainOptions) -> str:
    """What to do where the options only say that the start is CLECG's."""
    return (
        f"the run starts from CLECG's weights; pre-train {options.network} (python -m ecgcore "
        "pretrain) on the same leads and name the folder: --set start=RUN/start"
    )


def learned_from(options: TrainOptions, data_sha256: str) -> str:
    """What a run's checkpoint is bound to: the data's hash, and those of the weights of teacher
    and start where there are some.
    """
    card, start = teacher_card(options), start_of(options)
    taught = "" if card is None else f"+{card.weights_sha256}"
    return data_sha256 + taught + ("" if start is None else f"+start:{start.weights_sha256}")
