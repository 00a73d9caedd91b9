"""What no model sees: how large the voltages are.

``prepare`` scales each lead to a standard deviation of 1, as the training data are kept. What is
defined by millivolts is answered by the shape that goes with it, unless a rule that measures them
is told to the network.
"""

from __future__ import annotations

from collections.abc import Iterable

from ecgcore.models.aside import aside_columns
from ecgcore.models.card import LabelCard
from ecgcore.models.input_spec import InputSpec

DEFINED_BY_VOLTAGE = frozenset(("HYP", "HVOLT", "LVH", "LVOLT", "RAO/RAE", "RVH", "SEHYP", "VCLVH"))
"""Codes, the same in every set of labels, whose usual criteria are limits in millivolts."""

UNSEEN = (
    "Each lead is scaled to one size before the network reads it, so that it sees no voltages: "
    "hypertrophy and high or low voltage are judged by shape unless a rule tells of them; compare "
    "the voltage criteria."
)


def judged_by_shape(labels: Iterable[LabelCard], spec: InputSpec) -> tuple[str, ...]:
    """The codes of answered labels that voltages define and no rule that the model is told."""
    told = set(aside_columns(spec.aside))
    return tuple(
        one.code
        for one in labels
        if one.answered and one.code in DEFINED_BY_VOLTAGE and one.code not in told
    )
