"""A criterion and a set of them, read and checked; ``criteria`` gives those of the product."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ecgcore.rules.errors import CriterionError
from ecgcore.rules.expression import Condition


@dataclass(frozen=True)
class ThresholdValue:
    """A number that a criterion compares with, and who says so."""

    name: str
    value: float
    unit: str
    source: str


@dataclass(frozen=True)
class When:
    """A sentence that holds under a condition."""

    condition: Condition
    reason: str


@dataclass(frozen=True)
class Criterion:
    """One criterion. ``expression`` is its text and ``condition`` the same, read.

    ``thresholds`` are all that it uses, shared ones included. ``where`` are the leads that show
    what is measured over the whole recording. It is not applied where one of ``not_applied``
    holds; where one of ``caveats`` holds, the sentence is said beside a finding.
    """

    id: str
    label: str
    description: str
    expression: str
    condition: Condition
    thresholds: tuple[ThresholdValue, ...]
    source: str
    where: tuple[str, ...]
    note: str = ""
    not_applied: tuple[When, ...] = ()
    caveats: tuple[When, ...] = ()


@dataclass(frozen=True)
class CriteriaSet:
    """Criteria that belong together; ``thresholds`` by name, as they stand in the file."""

    name: str
    title: str
    source: str
    criteria: tuple[Criterion, ...]
    thresholds: Mapping[str, ThresholdValue] = field(default_factory=dict)

    def criterion(self, criterion_id: str) -> Criterion:
        """One criterion. CriterionError names the known ones."""
        for criterion in self.criteria:
            if criterion.id == criterion_id:
                return criterion
        raise CriterionError(
            f"unknown criterion {criterion_id!r}",
            ", ".join(criterion.id for criterion in self.criteria),
            "choose one of them",
            f"criteria {self.name}",
        )
