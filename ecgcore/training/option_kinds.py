"""What kind of value each option of a run takes, so that a form can ask for it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import Any, Literal, get_args, get_origin, get_type_hints

from ecgcore.models.registry import network_entry
from ecgcore.training import options as run_options
from ecgcore.training.network_option_words import network_option_words
from ecgcore.training.option_words import (
    OBJECTIVE_OPTION_WORDS,
    OBJECTIVE_WORDS,
    OPTION_WORDS,
)
from ecgcore.training.options import TrainOptions

Kind = Literal["choice", "yes or no", "whole number", "number", "text", "json"]
_SHARES = ("average", "dropout", "head_dropout")
_FROM_ONE = (
    "batch", "epochs", "restart_epochs", "restart_factor", "fewest_positives",
    "fewest_validation_positives", "sampling_rate",
)  # fmt: skip


@dataclass(frozen=True)
class OptionKind:
    """``choices`` of a choice; ``least`` and ``most`` of a number (None: no limit); ``empty``:
    whether it may be left out."""

    kind: Kind
    choices: tuple[str, ...] = ()
    least: float | None = None
    most: float | None = None
    empty: bool = False


def kind_of(option: str, options: dict[str, Any]) -> OptionKind:
    """The kind of an option of a run with these ``TrainOptions`` as JSON."""
    table, _, entry = option.partition(".")
    if table == "augmentation" and entry:
        return OptionKind("number", least=0.0, most=1.0)
    if table == "objective_options":
        return OptionKind("number", empty=True)
    if table == "network_options":
        return _of_network(options["network"], entry)
    return _of_members(options) if option == "members" else _of_run(option)


def _of_run(option: str) -> OptionKind:
    if option == "objective":
        return OptionKind("choice", tuple(OBJECTIVE_WORDS))
    if option in run_options.CHOICES:
        return OptionKind("choice", run_options.CHOICES[option])
    kind = _of_type(get_type_hints(TrainOptions)[option])
    if kind.kind in ("number", "whole number"):
        least = 1 if option in _FROM_ONE else 0
        return OptionKind(kind.kind, least=least, most=_most(option), empty=kind.empty)
    return kind


def words_of(option: str, options: dict[str, Any]) -> str:
    """The words of an option."""
    table, _, entry = option.partition(".")
    if table == "network_options" and entry:
        return network_option_words(options["network"], entry) or ""
    if table == "objective_options" and entry:
        return OBJECTIVE_OPTION_WORDS[entry]
    if option == "objective":
        return OBJECTIVE_WORDS[options["objective"]]
    return OPTION_WORDS[option]


def label_of(option: str) -> str:
    """An option's name for people."""
    name = option.rpartition(".")[2].replace("_", " ")
    return name[:1].upper() + name[1:]


def labels_of_options(options: Iterable[str]) -> dict[str, str]:
    """Each option's name for people, with its table's where two would read alike."""
    names = list(options)
    labels = [label_of(one) for one in names]
    return {
        name: label if labels.count(label) == 1 else _with_table(name)
        for name, label in zip(names, labels, strict=True)
    }


def _with_table(name: str) -> str:
    table = name.rpartition(".")[0].replace("_options", "")
    return f"{table.capitalize()}: {label_of(name).lower()}" if table else label_of(name)


def _of_members(options: dict[str, Any]) -> OptionKind:
    counted = isinstance(options.get("members"), int)
    return OptionKind("whole number", least=1) if counted else OptionKind("json")


def _of_network(network: str, entry: str) -> OptionKind:
    kind = network_entry(network).options
    known = {one.name for one in fields(kind)}
    if entry not in known:
        return OptionKind("json")
    found = _of_type(get_type_hints(kind)[entry])
    return replace(found, most=_most(entry)) if found.kind == "number" else found


def _most(option: str) -> float | None:
    if option == "columns_share":
        return 1.0
    return 0.9999 if option in _SHARES else None


def _of_type(hint: Any) -> OptionKind:
    if get_origin(hint) is Literal:
        return OptionKind("choice", tuple(map(str, get_args(hint))))
    simple: dict[Any, OptionKind] = {
        bool: OptionKind("yes or no"),
        int: OptionKind("whole number", least=0),
        float: OptionKind("number", least=0),
        str: OptionKind("text"),
    }
    if hint in simple:
        return simple[hint]
    if set(get_args(hint)) == {float, type(None)}:
        return OptionKind("number", least=1, empty=True)
    return OptionKind("json", empty=type(None) in get_args(hint))
