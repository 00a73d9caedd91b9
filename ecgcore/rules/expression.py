"""What a criterion's expression is made of once it has been read and checked.

Two kinds of node: a quantity has a unit and evaluates to a number; a condition evaluates to true,
false or not decided. No node can do anything but look up, calculate and compare.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Literal

from ecgcore.rules.units import Unit

BOUND = "lead"
"""The word that stands for each lead in turn in ``any(... for lead in ...)``."""

Operator = Literal["+", "-", "*", "/"]
Comparison = Literal["<", "<=", ">", ">="]
Over = Literal["max", "min", "sum"]
Choice = Literal["any", "all", "two_adjacent"]


@dataclass(frozen=True)
class Number:
    """A number written in the expression; ``unit`` is that of what it meets if it is 0."""

    number: float
    unit: Unit


@dataclass(frozen=True)
class ThresholdName:
    """A threshold by its name."""

    name: str
    unit: Unit


@dataclass(frozen=True)
class Measured:
    """A measurement: of the whole recording if ``lead`` is None, of each lead if it is BOUND."""

    lead: str | None
    name: str
    unit: Unit


@dataclass(frozen=True)
class Age:
    """The patient's age in years."""

    unit: Unit


@dataclass(frozen=True)
class Combined:
    """``left operator right``."""

    operator: Operator
    left: Quantity
    right: Quantity
    unit: Unit


@dataclass(frozen=True)
class Absolute:
    """``abs(part)``."""

    part: Quantity
    unit: Unit


@dataclass(frozen=True)
class Extreme:
    """``max(...)``, ``min(...)`` or ``sum(...)`` of several quantities."""

    function: Over
    parts: tuple[Quantity, ...]
    unit: Unit


@dataclass(frozen=True)
class ExtremeOverLeads:
    """The same of one quantity over leads."""

    function: Over
    part: Quantity
    leads: tuple[str, ...]
    unit: Unit


@dataclass(frozen=True)
class Chosen:
    """``yes if condition else no``."""

    condition: Condition
    yes: Quantity
    no: Quantity
    unit: Unit


@dataclass(frozen=True)
class Counted:
    """``count(condition for lead in leads)``: in how many leads it holds."""

    condition: Condition
    leads: tuple[str, ...]
    unit: Unit


Quantity = (
    Number
    | ThresholdName
    | Measured
    | Age
    | Combined
    | Absolute
    | Extreme
    | ExtremeOverLeads
    | Chosen
    | Counted
)


@dataclass(frozen=True)
class Compared:
    """``left comparison right``, both of one unit."""

    comparison: Comparison
    left: Quantity
    right: Quantity


@dataclass(frozen=True)
class Joined:
    """``and`` (every part) or ``or`` (some part)."""

    every: bool
    parts: tuple[Condition, ...]


@dataclass(frozen=True)
class Inverted:
    """``not part``."""

    part: Condition


@dataclass(frozen=True)
class Flag:
    """A measurement that is 1 or 0, as a condition."""

    measured: Measured


@dataclass(frozen=True)
class SexIs:
    """``male`` or ``female``."""

    sex: Literal["M", "F"]


@dataclass(frozen=True)
class LeadIs:
    """``lead in (...)``: whether the lead in turn is one of these."""

    leads: tuple[str, ...]


@dataclass(frozen=True)
class OverLeads:
    """A condition in any lead, in all leads, or in two that stand beside each other."""

    choice: Choice
    condition: Condition
    leads: tuple[str, ...]


@dataclass(frozen=True)
class Defined:
    """A condition that the set of criteria defines under a name."""

    name: str
    condition: Condition


Condition = Compared | Joined | Inverted | Flag | SexIs | LeadIs | OverLeads | Defined
Node = Quantity | Condition


def nodes(node: Node) -> Iterator[Node]:
    """A node and everything in it, definitions included."""
    yield node
    for field in fields(node):
        inside = getattr(node, field.name)
        for part in inside if isinstance(inside, tuple) else (inside,):
            if isinstance(part, Node):
                yield from nodes(part)


def threshold_names(node: Node) -> tuple[str, ...]:
    """The thresholds that a node uses, each once, in the order met."""
    return tuple(dict.fromkeys(n.name for n in nodes(node) if isinstance(n, ThresholdName)))


def depth_of(node: Node) -> int:
    """How many levels a node has, definitions included."""
    deepest = 0
    for field in fields(node):
        inside = getattr(node, field.name)
        for part in inside if isinstance(inside, tuple) else (inside,):
            if isinstance(part, Node):
                deepest = max(deepest, depth_of(part))
    return deepest + 1
