"""Criteria read from the text of a TOML file and checked.

What is wrong with a file is said with its place: an unknown key or name, a missing source, mV
compared with ms, a threshold that nothing uses.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import islice
from math import isfinite
from typing import Any, TypeVar

from ecgcore.recording import LEADS
from ecgcore.rules.criterion import CriteriaSet, Criterion, ThresholdValue, When
from ecgcore.rules.errors import CriterionError
from ecgcore.rules.expression import Condition, Node, depth_of, nodes, threshold_names
from ecgcore.rules.parsing import Names, parse_condition, parse_definition, reserved
from ecgcore.rules.units import KNOWN_UNITS, Unit, unit_named

DEEPEST_TREE, LARGEST_TREE = 60, 2000
Read = TypeVar("Read", bound=Node)
_NAME = re.compile(r"[a-z][a-z0-9_]*")


def read_criteria(text: str, name: str) -> CriteriaSet:
    """A set of criteria from the text of a TOML file. CriterionError says what is wrong where."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CriterionError(
            f"not TOML ({error})", "a TOML file", "correct the file", f"criteria {name}"
        ) from None
    try:
        return _set(table, name)
    except CriterionError as error:
        raise error.at(f"criteria {name}") from None


_SET_KEYS = {
    "title",
    "source",
    "groups",
    "definitions",
    "thresholds",
    "sentences",
    "caveats",
    "criterion",
}
_CRITERION_KEYS = {
    "id",
    "label",
    "description",
    "expression",
    "source",
    "where",
    "note",
    "thresholds",
    "not_applied",
    "caveats",
}


def _set(table: dict[str, Any], name: str) -> CriteriaSet:
    _only(table, _SET_KEYS)
    shared = _thresholds(table.get("thresholds", {}))
    groups = _groups(table.get("groups", {}))
    names = Names({key: unit_named(value.unit) for key, value in shared.items()}, groups)
    definitions: dict[str, Node] = {}
    for key, text in _table(table.get("definitions", {}), "definitions").items():
        _new_name(key, [*shared, *groups, *definitions])
        inside = Names(names.thresholds, groups, dict(definitions))
        definitions[key] = _parsed(parse_definition, text, inside, f"definition {key}")
    names = Names(names.thresholds, groups, definitions)
    sentences = _sentences(table.get("sentences", {}), names)
    everywhere = _named_whens(table.get("caveats", []), sentences, "caveats")
    criteria: list[Criterion] = []
    thresholds = dict(shared)
    for entry in _list(table.get("criterion", []), "criterion"):
        criterion = _criterion(entry, names, shared, sentences)
        if criterion.id in {one.id for one in criteria}:
            raise CriterionError(f"criterion {criterion.id} twice", "each id once", "rename one")
        own = {one.name: one for one in criterion.thresholds if one.name not in shared}
        for key in own:
            _new_name(key, [*thresholds, *groups, *definitions])
        thresholds |= own
        criteria.append(replace(criterion, caveats=(*criterion.caveats, *everywhere)))
    if not criteria:
        raise CriterionError("no criterion", "one or more", "write [[criterion]] tables")
    _all_used(shared, criteria)
    return CriteriaSet(
        name, _text(table, "title"), _text(table, "source"), tuple(criteria), thresholds
    )


def _criterion(
    entry: object,
    names: Names,
    shared: Mapping[str, ThresholdValue],
    sentences: Mapping[str, When],
) -> Criterion:
    table = _table(entry, "criterion")
    place = f"criterion {table.get('id', '(without id)')}"
    try:
        _only(table, _CRITERION_KEYS)
        own = _thresholds(table.get("thresholds", {}))
        for key in own:
            _new_name(key, [*shared, *names.groups, *names.definitions])
        units: dict[str, Unit] = {key: unit_named(one.unit) for key, one in own.items()}
        inside = Names({**names.thresholds, **units}, names.groups, names.definitions)
        condition = _condition(_text(table, "expression"), inside, "expression")
        used = threshold_names(condition)
        unused = [key for key in own if key not in used]
        if unused:
            raise CriterionError(
                f"threshold {unused[0]} is not used", "used thresholds", "remove it"
            )
        known = {**shared, **own}
        return Criterion(
            id=_named(table, "id"),
            label=_text(table, "label"),
            description=_text(table, "description"),
            expression=" ".join(_text(table, "expression").split()),
            condition=condition,
            thresholds=tuple(known[key] for key in used),
            source=_text(table, "source"),
            where=_leads(table.get("where", ["II"]), "where"),
            note=_text(table, "note") if "note" in table else "",
            not_applied=_named_whens(table.get("not_applied", []), sentences, "not_applied"),
            caveats=_named_whens(table.get("caveats", []), sentences, "caveats"),
        )
    except CriterionError as error:
        raise error.at(place) from None


def _condition(text: object, names: Names, place: str) -> Condition:
    return _parsed(parse_condition, text, names, place)


def _parsed(parse: Callable[[str, Names], Read], text: object, names: Names, place: str) -> Read:
    if not isinstance(text, str):
        raise CriterionError(f"{text!r}", "an expression in quotes", "write one", place)
    try:
        read = parse(text, names)
        _not_too_big(read)
        return read
    except CriterionError as error:
        raise error.at(place) from None


def _not_too_big(read: Node) -> None:
    """Definitions in definitions must not grow without bound."""
    if (
        depth_of(read) > DEEPEST_TREE
        or len(list(islice(nodes(read), LARGEST_TREE + 1))) > LARGEST_TREE
    ):
        raise CriterionError(
            "an expression that is too large with its definitions",
            f"{DEEPEST_TREE} levels and {LARGEST_TREE} parts",
            "make it simpler",
        )


def _sentences(entry: object, names: Names) -> dict[str, When]:
    """Sentences that criteria refer to by name, each with the condition under which it holds."""
    found = {}
    for name, given in _table(entry, "sentences").items():
        place = f"sentence {name}"
        table = _table(given, place)
        _only(table, {"when", "reason"})
        condition = _condition(_text(table, "when"), names, place)
        found[name] = When(condition, _text(table, "reason"))
    return found


def _named_whens(given: object, sentences: Mapping[str, When], place: str) -> tuple[When, ...]:
    names = _list(given, place)
    for name in names:
        if name not in sentences:
            raise CriterionError(
                f"sentence {name!r}", ", ".join(sentences) or "none", "declare it", place
            )
    return tuple(sentences[name] for name in names)


def _thresholds(entry: object) -> dict[str, ThresholdValue]:
    found = {}
    for name, given in _table(entry, "thresholds").items():
        table = _table(given, f"threshold {name}")
        _only(table, {"value", "unit", "source"})
        value, unit = table.get("value"), table.get("unit")
        if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
            raise CriterionError(
                f"value {value!r}", "a finite number", "write a number", f"threshold {name}"
            )
        if unit not in KNOWN_UNITS:
            raise CriterionError(
                f"unit {unit!r}",
                ", ".join(repr(known) for known in KNOWN_UNITS),
                "use one of them",
                f"threshold {name}",
            )
        _new_name(name, [])
        found[name] = ThresholdValue(name, float(value), str(unit), _text(table, "source"))
    return found


def _groups(entry: object) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for name, leads in _table(entry, "groups").items():
        _new_name(name, [])
        found[name] = _leads(leads, f"group {name}")
    return found


def _all_used(shared: Mapping[str, ThresholdValue], criteria: list[Criterion]) -> None:
    conditions = [
        condition
        for one in criteria
        for condition in (
            one.condition,
            *(when.condition for when in (*one.not_applied, *one.caveats)),
        )
    ]
    used = {name for condition in conditions for name in threshold_names(condition)}
    for name in shared:
        if name not in used:
            raise CriterionError(f"threshold {name} is not used", "used thresholds", "remove it")


def _leads(given: object, place: str) -> tuple[str, ...]:
    leads = tuple(_list(given, place))
    if not leads or len(set(leads)) != len(leads) or any(lead not in LEADS for lead in leads):
        raise CriterionError(f"leads {given!r}", f"of {', '.join(LEADS)}", "correct them", place)
    return leads


def _new_name(name: str, taken: list[str]) -> None:
    if not _NAME.fullmatch(name) or reserved(name) or name in taken:
        raise CriterionError(
            f"the name {name!r}",
            "small letters, digits and _, not a measurement or word of the language, each once",
            "choose another name",
        )


def _named(table: dict[str, Any], key: str) -> str:
    text = _text(table, key)
    if not _NAME.fullmatch(text):
        raise CriterionError(f"{key} {text!r}", "small letters, digits and _", "rename it")
    return text


def _text(table: dict[str, Any], key: str) -> str:
    text = table.get(key)
    if not isinstance(text, str) or not text.strip():
        raise CriterionError(f"{key} {text!r}", "a text that is not empty", f"state the {key}")
    return text.strip()


def _table(given: object, place: str) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise CriterionError(f"{given!r}", "a table", "write a table", place)
    return given


def _list(given: object, place: str) -> list[Any]:
    if not isinstance(given, list):
        raise CriterionError(f"{given!r}", "a list", "write a list", place)
    return given


def _only(table: dict[str, Any], keys: set[str]) -> None:
    for key in table:
        if key not in keys:
            raise CriterionError(
                f"unknown key {key!r}", ", ".join(sorted(keys)), "correct or remove it"
            )
