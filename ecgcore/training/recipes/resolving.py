"""Recipes with their bases: what is inherited, what is changed, and the two names of each."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

from ecgcore.training.recipes.reading import TWIN, Written, written_in
from ecgcore.training.recipes.recipe import (
    Fact,
    Recipe,
    RecipeError,
    Stated,
    flat,
    options_of,
    overlaid,
)

FOLDER = Path(__file__).resolve().parent

_Links = tuple[Written, ...]
"""A recipe and those that it is based on, the root first."""


def recipe(name: str) -> Recipe:
    """A recipe by name. Raises RecipeError, a ValueError, that lists the known ones."""
    known = recipes()
    if name not in known:
        bare = ", ".join(one for one in known if not one.endswith(TWIN))
        raise RecipeError(
            f"unknown recipe {name!r}; known: {bare}; those of a paper also with {TWIN} behind the "
            "name, as the paper has them"
        )
    return known[name]


@cache
def recipes() -> dict[str, Recipe]:
    """All recipes by name, sorted. Raises RecipeError."""
    return read_recipes(FOLDER)


def read_recipes(folder: Path) -> dict[str, Recipe]:
    """The recipes of a folder's TOML files by name, sorted. Raises RecipeError."""
    written = written_in(folder)
    made = [one for name in written for one in _made(_links(name, written))]
    return {one.name: one for one in sorted(made, key=lambda one: one.name)}


def _links(name: str, written: dict[str, Written]) -> _Links:
    links = [written[name]]
    while (base := links[0].base) is not None:
        names = [link.name for link in links]
        if base in names:
            around = " <- ".join([base, *names[: names.index(base) + 1]])
            raise RecipeError(f"recipes based on each other: {around}; take one base away")
        if base not in written:
            known = ", ".join(sorted(written))
            raise RecipeError(f"recipe {names[0]!r} is based on {base!r}; known: {known}")
        if links[0].paper and not written[base].paper:
            raise RecipeError(
                f"recipe {names[0]!r} is of a paper, its base {base!r} is not; choose another base"
            )
        links.insert(0, written[base])
    return tuple(links)


def _made(links: _Links) -> Iterator[Recipe]:
    """The recipe under its names: one of a paper as in the paper, and scaled."""
    own = links[-1]
    of_paper = tuple(link for link in links if link.paper)
    paper, scaled = _paper(of_paper), _scaled(of_paper)
    if not own.paper:
        told = overlaid(paper, scaled)
        for link in links[len(of_paper) :]:
            _refuse_idle(link, told, link.stated)
            told = overlaid(told, link.stated)
        yield _recipe(own.name, own.title, links, own.base, changes=own.stated, stated=told)
        return
    twin = own.name + TWIN
    base = None if own.base is None else own.base + TWIN
    changes = own.of("paper", "settled")
    title = f"{own.title} (as in the paper)"
    yield _recipe(twin, title, links, base, changes=changes, stated=paper)
    everything = overlaid(paper, scaled)
    yield _recipe(own.name, own.title, links, twin, changes=scaled, stated=everything)


def _paper(links: _Links) -> tuple[Stated, ...]:
    """What is in force before anything is scaled."""
    told: tuple[Stated, ...] = ()
    for link in links:
        said = link.of("paper", "settled")
        if told:
            _refuse_idle(link, told, said)
        told = overlaid(told, said)
    return told


def _scaled(links: _Links) -> tuple[Stated, ...]:
    """The changes for the data at hand: of the data themselves, of the bases and of the recipe.

    What a recipe says itself is not undone by a change of its base, and what changes nothing is
    left out.
    """
    if not links:
        return ()
    told: tuple[Stated, ...] = ()
    for number, link in enumerate(links, 1):
        said = link.of("paper", "settled")
        told = tuple(one for one in told if not any(new.concerns(one) for new in said))
        _refuse_idle(link, _paper(links[:number]), link.of("scaled"))
        told = overlaid(told, link.of("scaled"))
    paper = _paper(links)
    return tuple(
        one
        for one in overlaid(links[-1].for_data, told)
        if not _is_idle(one, links[-1].name, paper)
    )


def _is_idle(one: Stated, name: str, told: tuple[Stated, ...]) -> bool:
    """Whether options have the value already."""
    now = dict(flat(options_of(name, told)))
    return one.option in now and now[one.option] == one.value


def _refuse_idle(link: Written, told: tuple[Stated, ...], said: tuple[Stated, ...]) -> None:
    left = tuple(  # without the options of a network or objective that is changed
        one
        for one in told
        if not any(new.concerns(one) for new in said if new.option != one.option)
    )
    for one in said:
        if _is_idle(one, link.name, left):
            raise RecipeError(
                f"recipe {link.name!r} changes {one.option} to {one.value!r}, which it is already; "
                "leave it out"
            )


def _recipe(
    name: str,
    title: str,
    links: _Links,
    base: str | None,
    *,
    changes: tuple[Stated, ...],
    stated: tuple[Stated, ...],
) -> Recipe:
    return Recipe(
        name,
        title,
        paper=next((link.paper for link in reversed(links) if link.paper), ""),
        base=base,
        changes=changes,
        options=options_of(name, stated),
        stated=stated,
        defaults=_defaults(links),
        protocol={key: fact for link in links for key, fact in link.protocol.items()},
        not_done=_not_done(links),
    )


def _defaults(links: _Links) -> dict[str, Fact]:
    """What network and objective have by themselves; another network has other numbers."""
    found: dict[str, Fact] = {}
    for link in links:
        if any(one.option == "network" for one in link.stated):
            found = {}
        found |= link.defaults
    return found


def _not_done(links: _Links) -> dict[str, str]:
    """What is not done; an empty sentence takes its base's back."""
    said = {key: why for link in links for key, why in link.not_done.items()}
    return {key: why for key, why in said.items() if why}
