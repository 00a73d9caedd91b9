"""Quantities of which something was not measured: intervals of everything that they could be."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import inf, isfinite

from ecgcore.signal.measured import Value

ANYTHING = (-inf, inf)
_EXTREME: dict[str, Callable[[list[float]], float]] = {"max": max, "min": min, "sum": sum}


@dataclass(frozen=True)
class Use:
    """A measurement that was used; ``lead`` is None for one of the whole recording."""

    lead: str | None
    name: str
    value: Value


@dataclass(frozen=True)
class Missing:
    """What was not known, and why."""

    what: str
    reason: str


@dataclass(frozen=True)
class Amount:
    """A quantity between ``low`` and ``high``; they are equal where everything was measured."""

    low: float
    high: float
    uses: tuple[Use, ...] = ()
    missing: tuple[Missing, ...] = ()

    @property
    def known(self) -> bool:
        """Whether it is one number."""
        return self.low == self.high and isfinite(self.low)


def absolute(inner: Amount) -> Amount:
    """Its distance from zero."""
    ends = sorted((abs(inner.low), abs(inner.high)))
    return replace(inner, low=0.0 if inner.low <= 0 <= inner.high else ends[0], high=ends[1])


def combined(operator: str, left: Amount, right: Amount, divisor: str) -> Amount:
    """Sum, difference, product or quotient; ``divisor`` is what the right one is called.

    A division by zero is a number not known, with that as its reason.
    """
    uses, missing = left.uses + right.uses, left.missing + right.missing
    if operator == "+":
        return Amount(left.low + right.low, left.high + right.high, uses, missing)
    if operator == "-":
        return Amount(left.low - right.high, left.high - right.low, uses, missing)
    if operator == "/":
        if right.low <= 0 <= right.high:
            by_zero = (Missing(divisor, "it is 0 and divides"),) if right.known else ()
            return Amount(*ANYTHING, uses, missing + by_zero)
        right = Amount(1 / right.high, 1 / right.low)
    products = [
        one * other if one and other else 0.0
        for one in (left.low, left.high)
        for other in (right.low, right.high)
    ]
    return Amount(min(products), max(products), uses, missing)


def extreme(function: str, parts: Sequence[Amount]) -> Amount:
    """The greatest (max), the least (min) or the sum of several."""
    calculate = _EXTREME[function]
    return Amount(
        calculate([part.low for part in parts]),
        calculate([part.high for part in parts]),
        tuple(use for part in parts for use in part.uses),
        tuple(missing for part in parts for missing in part.missing),
    )
