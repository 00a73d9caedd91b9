"""The sets of criteria that come with the product.

A file says where its criteria come from; each criterion has an expression (see ``parsing``), and
every number in it is a named threshold with a unit and a source.
"""

from __future__ import annotations

from functools import cache

from ecgcore.labels import ASSETS
from ecgcore.rules.criteria_file import read_criteria
from ecgcore.rules.criterion import CriteriaSet, Criterion, ThresholdValue, When
from ecgcore.rules.errors import CriterionError

__all__ = [
    "CRITERIA_SETS",
    "DEFAULT_SET",
    "CriteriaSet",
    "Criterion",
    "ThresholdValue",
    "When",
    "criteria_set",
    "read_criteria",
]

CRITERIA_SETS: tuple[str, ...] = ("clinical", "paper")
"""The sets that come with the product, the default first."""
DEFAULT_SET = CRITERIA_SETS[0]
FOLDER = ASSETS / "criteria"


@cache
def criteria_set(name: str = DEFAULT_SET) -> CriteriaSet:
    """A set that comes with the product. CriterionError names the known sets."""
    if name not in CRITERIA_SETS:
        raise CriterionError(
            f"unknown criteria {name!r}", ", ".join(CRITERIA_SETS), "choose one of them"
        )
    return read_criteria((FOLDER / f"{name}.toml").read_text(encoding="utf-8"), name)
