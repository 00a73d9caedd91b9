"""What the options of every kind of run are checked for, and how they read and write as JSON."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import asdict, fields
from types import NoneType
from typing import TYPE_CHECKING, Any

from ecgcore.models.input_spec import HIGHEST_RATE
from ecgcore.recording import LEADS
from ecgcore.training.augmentation import Augmentation
from ecgcore.training.clecg_views import ViewOptions

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_TYPES: dict[str, tuple[type, ...]] = {
    "int": (int,), "float": (int, float), "bool": (bool,), "str": (str,), "dict[str, Any]": (dict,),
    "Augmentation": (Augmentation,), "dict[str, float]": (dict,), "str | None": (str, NoneType),
    "tuple[str, ...] | None": (tuple, NoneType), "tuple[int, ...]": (tuple,),
    "int | tuple[dict[str, Any], ...]": (int, tuple),
    "float | None": (int, float, NoneType), "ViewOptions": (ViewOptions,),
}  # fmt: skip


def refuse_wrong_types(options: DataclassInstance) -> None:
    """Raises ValueError for a value of another type than its field's."""
    for option in fields(options):
        value = getattr(options, option.name)
        allowed = _TYPES.get(str(option.type))
        is_true = isinstance(value, bool) and option.type != "bool"  # Python counts it as int
        if allowed and (is_true or not isinstance(value, allowed)):
            raise ValueError(f"{option.name} {value!r}; must be of the type {option.type}")


def refuse_wrong_input(leads: tuple[str, ...] | None, sampling_rate: float | None) -> None:
    """Raises ValueError for leads or a rate that no network can see; None are its paper's."""
    if leads is not None:
        known = all(isinstance(lead, str) and lead in LEADS for lead in leads)
        if not leads or not known or len(set(leads)) != len(leads):
            raise ValueError(
                f"leads {', '.join(map(str, leads)) or '(none)'}; give at least one, each once, of "
                f"{', '.join(LEADS)}"
            )
    if sampling_rate is not None and not 1 <= sampling_rate < HIGHEST_RATE:
        raise ValueError(f"sampling_rate {sampling_rate}; must lie in 1..{HIGHEST_RATE:g}")


def refuse_wrong_members(
    members: int | tuple[dict[str, Any], ...], changeable: Collection[str]
) -> None:
    """Raises ValueError for no member, or one that changes what all members have in common."""
    if members in (0, ()) or (isinstance(members, int) and members < 1):
        raise ValueError(f"members {members!r}; must be 1 or more")
    for member in () if isinstance(members, int) else members:
        unknown = sorted(set(member) - set(changeable) - {"weight"})
        if unknown:
            raise ValueError(
                f"a member changes {', '.join(unknown)}; it may change "
                f"{', '.join(sorted(changeable))}, and have a weight"
            )
        weight = member.get("weight", 1)
        if isinstance(weight, bool) or not isinstance(weight, int | float) or not weight > 0:
            raise ValueError(f"a member's weight {weight!r}; must be a number above 0")


def plain(options: DataclassInstance) -> dict[str, Any]:
    """The options as a JSON object."""
    return {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(options).items()}


def read_fields(
    kind: type[DataclassInstance], value: dict[str, Any], folds: Iterable[str]
) -> dict[str, Any]:
    """The fields of ``kind`` that a JSON object gives, lists of leads and ``folds`` as tuples.

    Raises ValueError for an unknown field, listing the known ones.
    """
    known = {field.name for field in fields(kind)}
    unknown = sorted(set(value) - known)
    if unknown:
        raise ValueError(f"no option {', '.join(unknown)}; known: {', '.join(sorted(known))}")
    given = dict(value)
    for name in folds:
        if name in given:
            given[name] = tuple(int(fold) for fold in given[name])
    if isinstance(given.get("leads"), list):
        given["leads"] = tuple(given["leads"])
    return given
