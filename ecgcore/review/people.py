"""Who may do what: four roles, checked by the store at every action.

A person is a name: the local one by default, or the one that a sign-in has proved. What a person
may do is the last role granted to that name. A store that one person uses on their own computer
takes a name without a grant for an administrator; one that several share, for a reader.
"""

from __future__ import annotations

from typing import Literal, get_args

Role = Literal["reader", "annotator", "adjudicator", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)
"""From the one who may least; each may what the ones before may."""

Deed = Literal[
    "read", "register", "decide", "adjudicate", "file labels", "assign", "snapshot",
    "export identifiers", "grant", "train", "publish", "set thresholds",
]  # fmt: skip

LEAST_ROLE: dict[Deed, Role] = {
    "read": "reader",
    "register": "annotator",
    "decide": "annotator",
    "adjudicate": "adjudicator",
    "file labels": "admin",
    "assign": "admin",
    "snapshot": "admin",
    "export identifiers": "admin",
    "grant": "admin",
    "train": "annotator",
    "publish": "admin",
    "set thresholds": "admin",
}
LONGEST_NAME = 200


class Forbidden(PermissionError):  # noqa: N818 - the standard's own word
    """A person asked for what their role does not allow: who, what, and who may."""


def may(role: Role, deed: Deed) -> bool:
    """Whether a role allows a deed."""
    return ROLES.index(role) >= ROLES.index(LEAST_ROLE[deed])


def require(person: str, role: Role, deed: Deed) -> None:
    """Raises Forbidden where ``role`` does not allow ``deed``."""
    if not may(role, deed):
        raise Forbidden(
            f"{person} is {role} and may not {deed}; it takes {LEAST_ROLE[deed]}. "
            "Ask an administrator for that role"
        )
