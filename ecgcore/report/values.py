"""What a report of one review is made of. Frozen values; nothing is computed here."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, get_args

from ecgcore.drawing.page import PaperOptions
from ecgcore.models.prediction import Prediction
from ecgcore.recording import Recording, Statement
from ecgcore.rules.finding import Finding
from ecgcore.signal.measured import Measurements

Action = Literal["accept", "change", "reject", "unsure"]


@dataclass(frozen=True)
class Decision:
    """What a reviewer decided, and on which version of the recording (``sha256`` of its bytes).

    ``codes`` are the label as it then stands. Raises ValueError for an unknown action.
    """

    reviewer: str
    decided_at: datetime
    action: Action
    codes: tuple[Statement, ...]
    comment: str
    sha256: str

    def __post_init__(self) -> None:
        if self.action not in get_args(Action):
            known = ", ".join(get_args(Action))
            raise ValueError(f"unknown action {self.action!r}; known: {known}")


@dataclass(frozen=True)
class ModelAnswer:
    """A model's answer, and whether its probabilities are calibrated."""

    prediction: Prediction
    calibrated: bool


@dataclass(frozen=True)
class ReviewReport:
    """What is known of one recording. None or empty is said to be so, or left out.

    ``criteria`` names the set whose ``findings`` these are. ``cautions`` say why not to rely on the
    recording, ``suspicions`` why its label is suspicious. ``paper`` is how the first page is drawn.
    """

    recording: Recording
    measurements: Measurements | None = None
    findings: tuple[Finding, ...] | None = None
    criteria: str = ""
    answers: tuple[ModelAnswer, ...] = ()
    cautions: tuple[str, ...] = ()
    suspicions: tuple[str, ...] = ()
    decision: Decision | None = None
    paper: PaperOptions = field(default_factory=PaperOptions)


@dataclass(frozen=True)
class Printed:
    """A PDF file and its number of pages."""

    pdf: bytes
    pages: int
