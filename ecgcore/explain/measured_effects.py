"""Which measured values moved an answer, for a model that is told biomarkers.

A heat map shows where in the signal its networks looked, with the biomarkers held.
This is the other part: the values of one clinical group at a time are replaced by the medians of
the training records, everything else stays, and the answer is asked again (occlusion by a usual
value; Robnik-Sikonja and Kononenko, Explaining Classifications for Individual Instances, IEEE TKDE
2008;20:589-600). The networks see the same signal throughout, so that they run once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from ecgcore.explain.answers import log_odds
from ecgcore.explain.biomarker_groups import GROUPS
from ecgcore.explain.target import ExplanationError, label_target
from ecgcore.labels import LabelSetName
from ecgcore.models.biomarkers import BIOMARKERS, as_measured
from ecgcore.models.card import ModelCard
from ecgcore.models.input_spec import Prepared
from ecgcore.rules.wording import amount_words, measurement_words

if TYPE_CHECKING:
    from ecgcore.models.measured import MeasuredNetwork
    from ecgcore.models.network import Network
    from ecgcore.models.predictor import Predictor

NOTE = (
    "Each number is how much higher (+) or lower (−) the probability is than with usual values "
    "(medians of the training records) for that group alone. The numbers do not add up, and values "
    "that go together share an effect. What was not measured counts as usual, and a wave that is "
    "just large enough to be one counts in part; the peak of an R wave that is not there counts as "
    "0 ms. Amplitudes are not in mV: × lead SD is times the lead's standard deviation, × limb-lead "
    "SD times that of the largest limb lead, in the model's 0.5-40 Hz band."
)
_TELLING = 3
"""So many values of a group are named at most."""

_AT_ONCE = 64
"""Rows that are answered together: bounds the memory of trees that all are asked."""

_LEAST = 1e-5
"""An effect below is that of rounding."""

_YES_OR_NO = ("sinus_p", "qs", "notched_r")


@dataclass(frozen=True)
class MeasuredValue:
    """One biomarker of the recording beside the median of the training records, in ``unit``.

    ``effect`` is what this value alone does to the probability.
    """

    name: str
    number: float
    usual: float
    unit: str
    effect: float

    @property
    def words(self) -> str:
        """``QRS duration 148 ms (usual 92 ms)``."""
        lead, _, inner = self.name.rpartition(".")
        called = measurement_words(inner, lead or None)
        if inner in _YES_OR_NO:
            number, usual = ("yes" if one > 0.5 else "no" for one in (self.number, self.usual))
        else:
            number = amount_words(self.number, self.unit, self.usual)
            usual = amount_words(self.usual, self.unit, self.number)
        return f"{called} {number} (usual {usual})"


@dataclass(frozen=True)
class GroupEffect:
    """What the values of one group do to an answer.

    ``probability`` and ``log_odds`` are the answer as it is less the answer with usual values in
    this group; both are calibrated. ``values`` are those with the largest effects of their own.
    """

    group: str
    probability: float
    log_odds: float
    values: tuple[MeasuredValue, ...]


@dataclass(frozen=True)
class MeasuredEffects:
    """Every group's effect on one label of one recording, the largest change of probability first.

    ``probability`` is the answer as it is, ``note`` how to read the numbers.
    """

    model: str
    label: str
    probability: float
    groups: tuple[GroupEffect, ...]
    note: str = NOTE


def has_measured_effects(card: ModelCard) -> bool:
    """Whether a model answers from biomarkers; loads no torch."""
    return "biomarkers" in card.spec.aside


def measured_effects(
    predictor: Predictor, prepared: Prepared, code: str, label_set: LabelSetName | None = None
) -> MeasuredEffects:
    """What each group of biomarkers does to the answer for a label.

    ``prepared`` is the recording as the model takes it. Raises ExplanationError for a model
    without biomarkers and for a label without an answer.
    """
    card = predictor.card
    if not has_measured_effects(card):
        raise ExplanationError(
            f"model {card.name!r} answers from the signal alone; choose one that is told biomarkers"
        )
    target = label_target(card, code, label_set)
    columns: list[tuple[int, ...]] = [(), *((k,) for k in range(len(BIOMARKERS)))]
    columns += GROUPS.values()
    usual_in = np.zeros((len(columns), len(BIOMARKERS)), dtype=np.bool_)
    for row, chosen in zip(usual_in, columns, strict=True):
        row[list(chosen)] = True
    probabilities, odds, medians = _answers(predictor, prepared, usual_in, target)
    singles = slice(1, 1 + len(BIOMARKERS))
    values = _values(prepared.aside, medians, probabilities[0] - probabilities[singles])
    groups = [
        GroupEffect(
            group,
            float(probabilities[0] - probability),
            float(odds[0] - log_odd),
            _telling(values, GROUPS[group]),
        )
        for group, probability, log_odd in zip(
            GROUPS, probabilities[singles.stop :], odds[singles.stop :], strict=True
        )
    ]
    groups.sort(key=lambda one: -abs(one.probability))
    return MeasuredEffects(card.name, code, float(probabilities[0]), tuple(groups))


def _answers(
    predictor: Predictor, prepared: Prepared, usual_in: NDArray[np.bool_], target: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float32]]:
    """Probabilities and log-odds (rows,) where ``usual_in`` (rows, columns) is replaced by the
    medians, and these (columns,)."""
    import torch

    from ecgcore.models.network import AsideNetwork
    from ecgcore.models.predictor import to_probabilities

    network, device = cast("AsideNetwork", predictor.network), predictor.device
    usual = torch.from_numpy(usual_in).to(device)
    with torch.inference_mode():
        x, told = torch.from_numpy(prepared.values), torch.from_numpy(prepared.aside)
        features = network.features(x[None].to(device), told[None].to(device))
        rows = features.repeat(len(usual), 1)
        parts = list(_told(network))
        for part, member in parts:
            rows[:, part] = torch.where(usual, member.usual, rows[:, part])
        medians = parts[0][1].get_buffer("medians")
        told = torch.cat([network.head(some) for some in torch.split(rows, _AT_ONCE)])
        logits = predictor.calibrated(told.cpu()).double()
        output = predictor.card.output
        probabilities = to_probabilities(logits, output)[:, target].numpy()
        return probabilities, log_odds(logits, output, target).numpy(), medians.cpu().numpy()


def _told(network: Network) -> Iterator[tuple[slice, MeasuredNetwork]]:
    """Who is told the values, and where they stand among the features: at the end of its own."""
    from ecgcore.models.ensemble import Ensemble
    from ecgcore.models.measured import COLUMNS, MeasuredNetwork

    members, widths = [network], [network.head.in_features]
    if isinstance(network, Ensemble):
        members, widths = [*cast("list[Network]", network.members)], list(network.head.widths)
    for member, end in zip(members, np.cumsum(widths), strict=True):
        if isinstance(member, MeasuredNetwork):
            yield slice(end - COLUMNS, end), member


def _values(
    told: NDArray[np.float32], medians: NDArray[np.float32], effects: NDArray[np.float64]
) -> list[MeasuredValue | None]:
    """Every biomarker; None for one that was not measured."""
    found: list[MeasuredValue | None] = []
    for name, number, usual, effect in zip(BIOMARKERS, told, medians, effects, strict=True):
        shown, unit = as_measured(name, float(number))
        value = MeasuredValue(name, shown, as_measured(name, float(usual))[0], unit, float(effect))
        found.append(value if np.isfinite(number) else None)
    return found


def _telling(
    values: list[MeasuredValue | None], columns: tuple[int, ...]
) -> tuple[MeasuredValue, ...]:
    """The values of a group that do most by themselves; none that does nothing."""
    known = [value for k in columns if (value := values[k]) and abs(value.effect) > _LEAST]
    return tuple(sorted(known, key=lambda value: -abs(value.effect))[:_TELLING])
