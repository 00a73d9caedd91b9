"""TOML to recipes.

A file has ``paper`` (whose it is; without, its recipes are our own) and ``data`` (what the bare
names are scaled to, a table of ``data.toml``), then one table a recipe::

    [hrnn_lambda_0]
    base = "hrnn"
    title = "HRNN, lambda 0"
    paper."objective_options.lambda" = { value = 0, why = "Tables III and IV" }

Its keys: ``title``; ``base``; ``paper``, ``settled``, ``scaled`` and ``own`` with options;
``defaults`` and ``protocol`` with other numbers; ``not_done`` with sentences (an empty one takes a
base's back). The tables may also be written out, as ``[hrnn.paper]``.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, get_args

from ecgcore.training.options import TrainOptions
from ecgcore.training.recipes.recipe import (
    OPTION_TABLES,
    Fact,
    Origin,
    RecipeError,
    Stated,
)

DATA = "data.toml"
TWIN = "_paper"

_ORIGINS: tuple[Origin, ...] = get_args(Origin)
_KEYS = ("title", "base", "defaults", "protocol", "not_done", *_ORIGINS)
_OPTIONS = tuple(field.name for field in fields(TrainOptions))


@dataclass(frozen=True)
class Written:
    """One recipe as its file has it; ``for_data`` are the changes of the file's data."""

    name: str
    title: str
    base: str | None
    paper: str | None
    stated: tuple[Stated, ...]
    for_data: tuple[Stated, ...]
    defaults: dict[str, Fact]
    protocol: dict[str, Fact]
    not_done: dict[str, str]

    def of(self, *origins: Origin) -> tuple[Stated, ...]:
        """What is stated from one of these origins."""
        return tuple(one for one in self.stated if one.origin in origins)


def written_in(folder: Path) -> dict[str, Written]:
    """Every recipe of a folder's TOML files. Raises RecipeError."""
    data = {
        name: tuple(_stated(f"{DATA}: {name}", "scaled", table))
        for name, table in (_toml(folder / DATA) if (folder / DATA).exists() else {}).items()
    }
    found: dict[str, Written] = {}
    for path in sorted(folder.glob("*.toml")):
        if path.name == DATA:
            continue
        for one in _file(path, data):
            if one.name in found:
                raise RecipeError(f"recipe {one.name!r} stands in two files; rename one")
            found[one.name] = one
    return found


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path.name} is no TOML: {error}") from error


def _file(path: Path, data: dict[str, tuple[Stated, ...]]) -> Iterator[Written]:
    content = _toml(path)
    paper, scaled_to = content.pop("paper", None), content.pop("data", None)
    if scaled_to is not None and scaled_to not in data:
        raise RecipeError(f"{path.name}: unknown data {scaled_to!r}; known: {_list(data)}")
    for name, table in content.items():
        if not isinstance(table, dict):
            raise RecipeError(f"{path.name}: unknown key {name!r}; known: data, paper, and recipes")
        yield _recipe(name, table, paper, data.get(scaled_to, ()))


def _recipe(
    name: str, table: dict[str, Any], paper: str | None, for_data: tuple[Stated, ...]
) -> Written:
    if name.endswith(TWIN):
        raise RecipeError(
            f"recipe {name!r}: names that end in {TWIN} are made, not written; leave the ending out"
        )
    unknown = sorted(set(table) - set(_KEYS))
    if unknown:
        raise RecipeError(f"recipe {name!r} has no {_list(unknown)}; known: {_list(_KEYS)}")
    wrong: tuple[Origin, ...] = ("own",) if paper else ("paper", "settled", "scaled")
    for origin in wrong:
        if origin in table:
            of = "of a paper" if paper else "of no paper"
            raise RecipeError(f"recipe {name!r} is {of} and has no table {origin!r}")
    if not isinstance(table.get("title"), str):
        raise RecipeError(f"recipe {name!r} has no title; give it one")
    stated = [one for origin in _ORIGINS for one in _stated(name, origin, table.get(origin, {}))]
    options = [one.option for one in stated if one.origin != "scaled"]
    twice = sorted({option for option in options if options.count(option) > 1})
    if twice:
        raise RecipeError(f"recipe {name!r} states {_list(twice)} as paper and as settled")
    return Written(
        name,
        table["title"],
        table.get("base"),
        paper,
        stated=tuple(stated),
        for_data=for_data,
        defaults=_facts(name, table.get("defaults", {})),
        protocol=_facts(name, table.get("protocol", {})),
        not_done=_sentences(name, table.get("not_done", {})),
    )


def _stated(recipe: str, origin: Origin, table: dict[str, Any]) -> Iterator[Stated]:
    for option, said in table.items():
        first, _, entry = option.partition(".")
        if first not in _OPTIONS or bool(entry) != (first in OPTION_TABLES):
            known = [f"{o}.NAME" if o in OPTION_TABLES else o for o in _OPTIONS]
            raise RecipeError(f"recipe {recipe!r} has no option {option!r}; known: {_list(known)}")
        fact = _fact(recipe, option, said)
        yield Stated(option, fact.value, fact.why, origin)


def _facts(recipe: str, table: dict[str, Any]) -> dict[str, Fact]:
    return {name: _fact(recipe, name, said) for name, said in table.items()}


def _fact(recipe: str, name: str, said: Any) -> Fact:
    right = isinstance(said, dict) and set(said) == {"value", "why"}
    if not right or not isinstance(said["why"], str) or not said["why"].strip():
        raise RecipeError(
            f'recipe {recipe!r}: {name} is {said!r}; write {{ value = ..., why = "..." }}'
        )
    return Fact(said["value"], said["why"])


def _sentences(recipe: str, table: dict[str, Any]) -> dict[str, str]:
    for name, said in table.items():
        if not isinstance(said, str):
            raise RecipeError(f"recipe {recipe!r}: not_done.{name} is {said!r}; write a sentence")
    return dict(table)


def _list(names: Any) -> str:
    return ", ".join(map(str, names)) or "none"
