"""A run that is being put together: a recipe, and what somebody has changed of it.

``Draft.options`` are a JSON object as ``TrainOptions.to_json`` gives it, perhaps not usable yet; an
option is named as recipes name it ("learning_rate", "augmentation.shift"). Choosing another network
or objective gives up the options of the old one.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any

from ecgcore.models.registry import network_entry
from ecgcore.training.augmentation import Augmentation
from ecgcore.training.objective_of import OBJECTIVES
from ecgcore.training.options import TrainOptions, options_from_json
from ecgcore.training.recipes import recipe
from ecgcore.training.recipes.recipe import BELONGS_TO, Stated

_OWNER = {owner: table for table, owner in BELONGS_TO.items()}
FIXED = object()
"""The value of a network's option that only its own recipe can set."""


@dataclass(frozen=True)
class Draft:
    """``recipe`` is what the options started from, None where from a run; ``base`` are the options
    that it had. ``data`` are packed files, ``snapshot`` the hash of reviewed labels."""

    recipe: str | None
    base: dict[str, Any]
    options: dict[str, Any]
    data: tuple[str, ...] = ()
    snapshot: str | None = None
    name: str = field(default="")

    def value(self, option: str) -> Any:
        """An option as it holds: what a network has by itself where nobody said otherwise, None
        for an option of the objective that is left to it, FIXED for one that cannot be set."""
        return value_of(self.options, option)

    def base_value(self, option: str) -> Any:
        """The same before anything was changed."""
        return value_of(self.base, option)

    def with_value(self, option: str, value: Any) -> Draft:
        """With another value of an option."""
        options = copy.deepcopy(self.options)
        table, _, entry = option.partition(".")
        if not entry:
            if option in _OWNER and options.get(option) != value:
                options[_OWNER[option]] = self._table_of(option, value)
            options[option] = value
        elif value is None or value == _default(options, option):
            options.setdefault(table, {}).pop(entry, None)
            if self.base.get(table, {}).get(entry) == value and value is not None:
                options[table][entry] = value
        else:
            options.setdefault(table, {})[entry] = value
        return replace(self, options=options)

    def _table_of(self, owner: str, value: Any) -> dict[str, Any]:
        """The options of a network or objective: the base's where it is the base's, else none."""
        same = self.base.get(owner) == value
        return copy.deepcopy(self.base.get(_OWNER[owner], {})) if same else {}

    def reset(self, option: str) -> Draft:
        """With an option as it was."""
        return self.with_value(option, self.base_value(option))

    def changed(self) -> tuple[str, ...]:
        """The options that differ from the base, in their order."""
        return tuple(
            option for option in option_names(self.options)
            if self.value(option) is not FIXED and self.value(option) != self.base_value(option)
        )  # fmt: skip

    def train_options(self) -> TrainOptions:
        """What a run would be told. Raises ValueError."""
        try:
            return options_from_json(copy.deepcopy(self.options))
        except TypeError as error:
            raise ValueError(str(error)) from error

    def stated(self, option: str) -> Stated | None:
        """What the recipe says of an option, None where nothing."""
        told = recipe(self.recipe).stated if self.recipe else ()
        return next((one for one in told if one.option == option), None)


def draft_of_recipe(name: str, like: Draft | None = None) -> Draft:
    """A recipe unchanged, on the data of another draft."""
    options = _plain(recipe(name).options.to_json())
    data, snapshot = (like.data, like.snapshot) if like is not None else ((), None)
    return Draft(name, options, copy.deepcopy(options), data, snapshot, name)


def draft_of_options(
    options: dict[str, Any], *, recipe_name: str | None, data: tuple[str, ...],
    snapshot: str | None, name: str,
) -> Draft:  # fmt: skip
    """A run that was asked for before, to be asked for again with changes; what was changed of its
    recipe then is what is changed now. Raises ValueError for options that no run can have."""
    options = _plain(options_from_json(copy.deepcopy(options)).to_json())
    base = _plain(recipe(recipe_name).options.to_json()) if recipe_name else copy.deepcopy(options)
    return Draft(recipe_name, base, options, data, snapshot, name)


def option_names(options: dict[str, Any]) -> Iterator[str]:
    """Every option of a run with these, tables entry by entry."""
    for one in fields(TrainOptions):
        if one.name == "augmentation":
            yield from (f"augmentation.{entry.name}" for entry in fields(Augmentation))
        elif one.name == "network_options":
            kind = network_entry(options["network"]).options
            yield from (f"network_options.{entry.name}" for entry in fields(kind))
        elif one.name == "objective_options":
            yield from (f"objective_options.{e}" for e in OBJECTIVES[options["objective"]].options)
        else:
            yield one.name


def value_of(options: dict[str, Any], option: str) -> Any:
    """See ``Draft.value``."""
    table, _, entry = option.partition(".")
    if not entry:
        return options.get(option)
    given = options.get(table, {})
    return given[entry] if entry in given else _default(options, option)


def _default(options: dict[str, Any], option: str) -> Any:
    table, _, entry = option.partition(".")
    if table == "objective_options":
        return None
    made = (
        Augmentation() if table == "augmentation" else network_entry(options["network"]).options()
    )
    value = getattr(made, entry, None)
    return FIXED if is_dataclass(value) or option == "network_options.members" else _plain(value)


def _plain(value: Any) -> Any:
    """Tuples as lists, as JSON has them."""
    return json.loads(json.dumps(value))
