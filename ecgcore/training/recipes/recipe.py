"""A recipe as a value: the options of a run, and where each number comes from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ecgcore.training.options import TrainOptions, options_from_json

Origin = Literal["paper", "settled", "scaled", "own"]

OPTION_TABLES = ("network_options", "objective_options", "augmentation")
"""Options that are tables themselves; each of their entries is stated by itself."""

BELONGS_TO = {"network_options": "network", "objective_options": "objective"}
"""Tables that mean nothing any more once another network or objective is chosen."""


class RecipeError(ValueError):
    """A recipe that cannot be read, in one sentence: what was given and what is allowed."""


@dataclass(frozen=True)
class Stated:
    """One number with its reason.

    ``option`` is the name in TrainOptions, "objective_options.mkd" for an entry of a table.
    ``origin``: "paper" (its text or its authors' program say so; ``why`` says where), "settled"
    (the paper is silent or cannot be followed; ``why`` says what was chosen), "scaled" (changed for
    the data at hand), "own" (a recipe of no paper).
    """

    option: str
    value: Any
    why: str
    origin: Origin

    def concerns(self, other: Stated) -> bool:
        """Whether this takes the place of an earlier statement: of the same option, or of the
        options of a network or objective that this one changes."""
        owner = BELONGS_TO.get(other.option.partition(".")[0])
        return self.option in (other.option, owner)


@dataclass(frozen=True)
class Fact:
    """A number of the paper that is no option of a run, with the place that gives it."""

    value: Any
    why: str


@dataclass(frozen=True)
class Recipe:
    """Options with a name.

    ``base`` is the recipe that this one changes, None where there is none, and ``changes`` are all
    that it changes there. ``stated`` holds every number in force. ``defaults`` are numbers that the
    network or the objective has by itself; ``protocol`` are those of splitting, scoring and the
    like; ``not_done`` says which of the paper's things are not reproduced, and why.
    """

    name: str
    title: str
    paper: str
    base: str | None
    changes: tuple[Stated, ...]
    options: TrainOptions
    stated: tuple[Stated, ...]
    defaults: Mapping[str, Fact]
    protocol: Mapping[str, Fact]
    not_done: Mapping[str, str]

    @property
    def scaled(self) -> tuple[Stated, ...]:
        """What differs from the paper because the data are fewer or others."""
        return tuple(one for one in self.stated if one.origin == "scaled")


def overlaid(below: tuple[Stated, ...], above: tuple[Stated, ...]) -> tuple[Stated, ...]:
    """Both, in order; what ``above`` takes the place of is left out below."""
    kept = (other for other in below if not any(one.concerns(other) for one in above))
    return (*kept, *above)


def options_of(name: str, stated: tuple[Stated, ...]) -> TrainOptions:
    """The options that are stated, and TrainOptions' own defaults. Raises RecipeError."""
    given: dict[str, Any] = {}
    for one in stated:
        table, _, entry = one.option.partition(".")
        if entry:
            given.setdefault(table, {})[entry] = one.value
        else:
            given[table] = one.value
    missing = [option for option in ("network", "label_set") if option not in given]
    if missing:
        raise RecipeError(f"recipe {name!r} has no {' and no '.join(missing)}; state it, or a base")
    try:
        return options_from_json(given)
    except (ValueError, TypeError) as error:
        raise RecipeError(f"recipe {name!r}: {error}") from error


def flat(options: TrainOptions) -> Iterator[tuple[str, Any]]:
    """Every option with its value; those of tables one by one, as ``Stated.option`` names them."""
    for name, value in options.to_json().items():
        if name in OPTION_TABLES:
            yield from ((f"{name}.{entry}", inner) for entry, inner in value.items())
        else:
            yield name, value


def differences(one: TrainOptions, other: TrainOptions) -> dict[str, Any]:
    """The options in which ``one`` differs from ``other``, with its value; None where only the
    other has it."""
    ours, theirs = dict(flat(one)), dict(flat(other))
    missing = object()
    return {
        name: ours.get(name)
        for name in [*ours, *(name for name in theirs if name not in ours)]
        if ours.get(name, missing) != theirs.get(name, missing)
    }
