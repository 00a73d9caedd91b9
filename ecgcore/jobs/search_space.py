"""What a search varies: options of a run by name, each among choices or within bounds."""

from __future__ import annotations

import copy
from dataclasses import asdict, dataclass
from typing import Any

from ecgcore.jobs.values import JobError
from ecgcore.models.trees import GROWN
from ecgcore.training.options import options_from_json
from ecgcore.training.refusals import of_options

MOST_TRIALS, USUAL_TRIALS = 1000, 20
_OPEN = ("network_options", "objective_options")
"""Options whose inner names are the network's or objective's own."""
_BUILT_OF = (*_OPEN, "network", "objective", "leads", "teacher", "start")
"""Options that decide whether a network or an objective can be built."""


@dataclass(frozen=True)
class Dimension:
    """One option: ``choices``, or ``low`` to ``high``, both included, on a ``log`` scale or in
    ``whole`` numbers. Raises JobError."""

    choices: tuple[Any, ...] = ()
    low: float | None = None
    high: float | None = None
    log: bool = False
    whole: bool = False

    def __post_init__(self) -> None:
        bounds = self.low is not None and self.high is not None
        if bool(self.choices) == bounds:
            raise JobError("an option of a search needs either choices, or low and high")
        if self.low is None or self.high is None:
            return
        numbers = all(
            isinstance(one, int | float) and not isinstance(one, bool)
            for one in (self.low, self.high)
        )
        if not numbers or not self.low < self.high or (self.log and self.low <= 0):
            raise JobError(
                f"bounds {self.low} to {self.high}; low must be below high, and above 0 on a log "
                "scale"
            )


@dataclass(frozen=True)
class Search:
    """``trials`` runs, each with other values of the options of ``space``; an inner option is named
    with a point ("augmentation.noise"). Raises JobError."""

    space: dict[str, Dimension]
    trials: int = USUAL_TRIALS

    def __post_init__(self) -> None:
        if not self.space:
            raise JobError("nothing to search; name an option with choices or bounds")
        if not isinstance(self.trials, int) or not 1 <= self.trials <= MOST_TRIALS:
            raise JobError(f"{self.trials!r} trials; give 1 to {MOST_TRIALS}")

    def to_json(self) -> dict[str, Any]:
        """A JSON object that ``search_from_json`` reads."""
        return {
            "space": {
                name: {**asdict(one), "choices": list(one.choices)}
                for name, one in self.space.items()
            },
            "trials": self.trials,
        }


def search_from_json(value: Any) -> Search:
    """Read a search. Raises JobError."""
    try:
        space = {str(name): _dimension(name, one) for name, one in value["space"].items()}
        return Search(space, value.get("trials", USUAL_TRIALS))
    except (TypeError, KeyError, AttributeError) as error:
        raise JobError(
            f"not a search: {error}; write "
            '{"space": {"learning_rate": {"low": 1e-4, "high": 1e-2, "log": true}, '
            '"batch": {"choices": [32, 64]}}, "trials": 20}'
        ) from error


def _dimension(name: str, value: dict[str, Any]) -> Dimension:
    try:
        return Dimension(**{**value, "choices": tuple(value.get("choices", ()))})
    except JobError as error:
        raise JobError(f"{name}: {error}") from error


def with_values(options: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    """A run's options (as JSON) with other values of some; raises JobError for an unknown name."""
    changed = copy.deepcopy(options)
    for name, value in values.items():
        *path, last = name.split(".")
        place = changed
        for part in path:
            place = place.get(part, {}) if isinstance(place, dict) else {}
        own = bool(path) and path[0] in _OPEN
        if not isinstance(place, dict) or not (own or last in place):
            raise JobError(f"no option {name!r} to search; see the options of a run")
        place[last] = value
    return changed


def refuse_unfit(search: Search, options: dict[str, Any]) -> None:
    """Raise JobError where one value of the space alone makes no run of the options."""
    if not _networks(options).isdisjoint(GROWN):
        raise JobError(
            "trees grow at once, without epochs to judge them by; train them by themselves"
        )
    for name, dimension in search.space.items():
        for value in _tried(dimension):
            try:
                told = options_from_json(with_values(options, {name: value}))
            except (ValueError, TypeError) as error:
                raise JobError(f"{name} cannot be {value!r}: {error}") from error
            reasons = of_options(told) if name.partition(".")[0] in _BUILT_OF else ()
            if reasons:
                raise JobError(f"{name} cannot be {value!r}: {reasons[0].removesuffix('.')}")


def _networks(options: dict[str, Any]) -> set[Any]:
    members = options.get("members", 1)
    changes = members if isinstance(members, list | tuple) else ()
    return {options.get("network"), *(one.get("network") for one in changes)}


def _tried(dimension: Dimension) -> tuple[Any, ...]:
    """Every choice; of bounds both ends and, where numbers need not be whole, one between."""
    low, high = dimension.low, dimension.high
    if low is None or high is None:
        return dimension.choices
    return (int(low), int(high)) if dimension.whole else (low, low + 0.371 * (high - low), high)
