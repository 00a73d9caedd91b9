"""The values of reviewing: who decided what about which recording, when, and on what evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from ecgcore.labels import label_set

Action = Literal["accept", "change", "reject", "unsure", "withdraw"]
"""accept: the labels on file are right. change: they are the given ones instead. reject: the
recording is not fit to be labelled. unsure: looked at, not decided. withdraw: an earlier decision
of the same person is taken back."""

Stage = Literal["open", "blind", "informed", "adjudication"]
"""open: with everything on screen. blind: read before any evidence was shown. informed: the same
person's answer after it was. adjudication: a third person settles what others disagree about."""

ACTIONS: tuple[Action, ...] = get_args(Action)
STAGES: tuple[Stage, ...] = get_args(Stage)
LARGEST_COMMENT = 4000


class ReviewError(ValueError):
    """A decision that cannot be kept: what was given, what is allowed, what to do."""


def refuse_text(name: str, text: str, longest: int) -> None:
    """Raises ReviewError for text that is too long or that no database can hold."""
    if len(text) > longest or "\x00" in text or not _is_unicode(text):
        raise ReviewError(
            f"a {name} of {len(text)} characters; at most {longest}, without null characters "
            "and halves of surrogate pairs"
        )


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


@dataclass(frozen=True)
class Evidence:
    """What one source said on screen: ``kind`` "model", "rule", "suspicion" or "imported" (another
    program's), ``source`` its name and version, ``says`` numbers by label (probability; 1 and 0 of
    a rule; suspicion)."""

    kind: Literal["model", "rule", "suspicion", "imported"]
    source: str
    says: Mapping[str, float]


@dataclass(frozen=True)
class Decision:
    """What one person decides about one recording.

    ``recording`` is the hash of its content, so that a decision is of that version alone.
    ``codes`` are the labels that hold after it, of ``label_set``: those on file for "accept", none
    for "reject", "unsure" and "withdraw". ``revises`` is the number of the decision taken back or
    replaced. ``seen`` is the number of the last review of this recording that was on screen
    (0: none): a newer one is a conflict. ``seconds`` were spent on it.
    """

    recording: str
    action: Action
    codes: tuple[str, ...] = ()
    label_set: str = "statements"
    comment: str = ""
    seconds: float = 0.0
    evidence: tuple[Evidence, ...] = ()
    stage: Stage = "open"
    revises: int | None = None
    seen: int = 0

    def __post_init__(self) -> None:
        if self.action not in ACTIONS:
            raise ReviewError(f"action {self.action!r}; allowed: {', '.join(ACTIONS)}")
        if self.stage not in STAGES:
            raise ReviewError(f"stage {self.stage!r}; allowed: {', '.join(STAGES)}")
        known = [label.code for label in label_set(self.label_set)]
        wrong = [code for code in self.codes if code not in known]
        if wrong:
            raise ReviewError(
                f"{', '.join(wrong)} is no label of {self.label_set}; choose from that set"
            )
        if self.codes and self.action not in ("accept", "change"):
            raise ReviewError(f"{self.action} with codes {', '.join(self.codes)}; it takes none")
        if self.action == "withdraw" and self.revises is None:
            raise ReviewError("withdraw without a decision; say in revises which one")
        refuse_text("comment", self.comment, LARGEST_COMMENT)
        if not 0 <= self.seconds < float("inf"):
            raise ReviewError(f"{self.seconds} seconds spent; a number from 0 on")


@dataclass(frozen=True)
class Review:
    """A kept decision: ``number`` counts from 1 over all reviews, ``decided_at`` is UTC (ISO
    8601), ``previous`` and ``hash`` chain it to the one before."""

    number: int
    reviewer: str
    decided_at: str
    decision: Decision
    previous: str
    hash: str


class Conflict(ReviewError):  # noqa: N818 - it is an answer more than a mistake
    """Somebody decided about the recording since it was put on screen; nothing was written.

    ``newer`` are those reviews: show them, and decide again with ``seen`` set to the last one.
    """

    def __init__(self, newer: tuple[Review, ...]) -> None:
        self.newer = newer
        who = ", ".join(f"{one.reviewer} ({one.decision.action})" for one in newer)
        super().__init__(
            f"{who} decided about this recording in the meantime; nothing was written. "
            "Look at that decision, then decide again"
        )
