"""The recordings that a super learner is fitted on: which count, and what is said of each.

Left out are recordings that the network has learned from or was validated on, for it is surer on
them than anywhere else, and one that stands twice. Both are told by the conditioned signal,
whatever name, rate or packing it came by: 10 s of two recordings never run alike in twelve leads. A
label counts only in a source (the records of one origin in one file) that gives it to some record:
what a source never says is not taken for a "no".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from ecgcore.datasets.joining import join
from ecgcore.datasets.packed import PackedData, PackedDataError
from ecgcore.models.aside import rule_columns
from ecgcore.models.hrnn import HRNN
from ecgcore.models.predictor import Predictor
from ecgcore.signal.same_tracing import SAME_SIGNAL, unit_rows
from ecgcore.training.super_learner import ClassAnswers

_AT_ONCE = 256


@dataclass(frozen=True)
class FitRecords:
    """Recordings to fit on; ``stated`` (records, labels) says where a label counts. ``learned`` and
    ``repeated`` count those that were left out."""

    data: PackedData
    stated: NDArray[np.bool_]
    learned: int
    repeated: int

    @property
    def sources(self) -> dict[str, int]:
        """How many recordings are of which origin."""
        return dict(sorted(Counter(self.data.origins.tolist()).items()))


def fit_records(
    parts: Iterable[PackedData], learned: PackedData, predictor: Predictor
) -> FitRecords:
    """What is left of ``parts`` without the records of ``learned`` and without repetitions.

    Raises PackedDataError where a part tells no rules, lacks a label, or does not go with others,
    and where nothing is left.
    """
    kept: list[PackedData] = []
    stated: list[NDArray[np.bool_]] = []
    dropped: Counter[str] = Counter()
    for part in parts:
        if "rules:paper" not in part.aside:
            raise PackedDataError(
                f"{part.name} tells nothing of HRNN's rules; pack recordings in millivolts anew "
                "with data pack --rules"
            )
        seen = _same_signal(part, learned)
        again = ~seen & _again(part, kept)
        dropped.update(learned=int(seen.sum()), repeated=int(again.sum()))
        if not (seen | again).all():
            kept.append(part.rows(np.flatnonzero(~(seen | again))))
            stated.append(_stated(kept[-1], predictor))
    if not kept:
        raise PackedDataError(
            "the network has learned from every recording that was given; give others, packed with "
            "data pack --rules"
        )
    return FitRecords(join(kept), np.concatenate(stated), dropped["learned"], dropped["repeated"])


def class_answers(predictor: Predictor, records: FitRecords) -> dict[int, ClassAnswers]:
    """For the place of each label that has a rule, what is said of it where it counts."""
    network, card = predictor.network, predictor.card
    assert isinstance(network, HRNN)
    data, spec = records.data, card.spec
    aside = data.aside_inputs(spec)
    logits, rules, known = _said(predictor, network, data.inputs(spec), aside)
    found = {}
    for place in np.flatnonzero(network.get_buffer("ruled").cpu().numpy()).tolist():
        label = card.labels[place]
        target = data.target(label.set, (label.code,))[:, 0]
        chosen = np.flatnonzero(known[:, place] & records.stated[:, place])
        found[place] = ClassAnswers(
            logits[chosen, place].astype(np.float64),
            rules[chosen, place].astype(np.float64),
            target[chosen].astype(np.float64),
            data.fold[chosen].astype(np.int64),
            chosen,
        )
    return found


def _said(
    predictor: Predictor, network: HRNN, inputs: NDArray[np.float32], aside: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_]]:
    """The network's own logits, the rules' answers and where there are some; (records, labels)."""
    told = torch.from_numpy(aside).to(predictor.device)
    rules, mask = network.rule_answers(told.new_zeros(len(told), 1), told)
    without = aside.copy()
    without[:, rule_columns(predictor.card.spec.aside)] = np.nan
    return predictor.logits(inputs, without), rules.cpu().numpy(), mask.cpu().numpy() > 0


def _stated(part: PackedData, predictor: Predictor) -> NDArray[np.bool_]:
    """(records, labels): whether the record's origin gives the label to any record of the part."""
    labels = predictor.card.labels
    targets = np.stack([part.target(one.set, (one.code,))[:, 0] for one in labels], axis=1)
    stated = np.zeros(targets.shape, dtype=bool)
    for origin in np.unique(part.origins):
        mine = part.origins == origin
        stated[mine] = targets[mine].any(axis=0)
    return stated


def _again(part: PackedData, earlier: list[PackedData]) -> NDArray[np.bool_]:
    """Which records an earlier part holds, or the part itself further up."""
    again = _same_signal(part, part)
    for other in earlier:
        again |= _same_signal(part, other)
    return again


def _same_signal(part: PackedData, other: PackedData) -> NDArray[np.bool_]:
    """Which records of a part the other holds too; within one, which it holds further up."""
    if part.leads != other.leads or part.stored.shape[1:] != other.stored.shape[1:]:
        raise PackedDataError(
            f"{part.name} and {other.name} differ in leads or length; pack both anew alike"
        )
    found = np.zeros(len(part), dtype=bool)
    mine = unit_rows(part.stored)
    for first in range(0, len(other), _AT_ONCE):
        alike = mine @ unit_rows(other.stored[first : first + _AT_ONCE]).T >= SAME_SIGNAL
        found |= (np.tril(alike, -1 - first) if other is part else alike).any(axis=1)
    return found
