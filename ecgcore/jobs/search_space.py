"""What a search varies: options of a run by name, each among choices or within bounds."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from ecgcore.jobs.values import JobError
from ecgcore.training.options import options_from_json

MOST_TRIALS = 1000
_OPEN = ("network_options", "objective_options")
"""Options whose inner names are the network's or objective's own."""


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
    trials: int = 20

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
        return Search(space, value.get("trials", 20))
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
    """Raise JobError where a corner of the space is no run's options."""
    ends: tuple[Callable[[Dimension], Any], ...] = (_first, _last)
    for end in ends:
        for name, dimension in search.space.items():
            try:
                options_from_json(with_values(options, {name: end(dimension)}))
            except (ValueError, TypeError) as error:
                raise JobError(f"{name} cannot be {end(dimension)!r}: {error}") from error


def _first(dimension: Dimension) -> Any:
    return dimension.choices[0] if dimension.choices else _number(dimension, dimension.low)


def _last(dimension: Dimension) -> Any:
    return dimension.choices[-1] if dimension.choices else _number(dimension, dimension.high)


def _number(dimension: Dimension, value: float | None) -> float | int | None:
    return int(value) if dimension.whole and value is not None else value
