"""What flows between the one who asks for a run, the run's process, and those who look at it."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, get_args

State = Literal["queued", "running", "paused", "stopped", "finished", "failed", "interrupted"]
STATES: tuple[State, ...] = get_args(State)
OVER: tuple[State, ...] = ("finished",)
"""States that a run does not leave; the others can be resumed where no process is at work."""

Wish = Literal["run", "pause", "stop"]

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,59}")


def now() -> str:
    """This moment as orders and states write it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


class JobError(ValueError):
    """A run that cannot be started, changed or found: what was asked, what is allowed, what to
    do."""


@dataclass(frozen=True)
class RunOrder:
    """What was asked; it never changes.

    ``name`` will be the model's; ``options`` are ``TrainOptions.to_json()``; ``data`` are packed
    files by their whole paths; ``snapshot`` is the hash of reviewed labels to learn from, too;
    ``recipe`` is what the options started from. ``search`` is what is searched, as JSON, see
    ``search_space``. ``asked_at`` is ISO 8601, UTC. Raises JobError.
    """

    name: str
    options: dict[str, Any]
    data: tuple[str, ...] = ()
    snapshot: str | None = None
    recipe: str | None = None
    asked_by: str = ""
    asked_at: str = field(default_factory=now)
    search: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not NAME.fullmatch(self.name):
            raise JobError(
                f"name {self.name!r}; give 1 to 60 of a-z, 0-9, _ and -, a letter or digit first"
            )
        if not isinstance(self.options, dict):
            raise JobError("options must be an object")
        if not self.data and not self.snapshot:
            raise JobError("nothing to learn from; choose packed data or a snapshot")
        if not all(isinstance(path, str) and Path(path).is_absolute() for path in self.data):
            raise JobError("packed files must be given by their whole paths")

    def to_json(self) -> dict[str, Any]:
        """A JSON object that ``order_from_json`` reads."""
        return {**asdict(self), "data": list(self.data)}


def order_from_json(value: Any) -> RunOrder:
    """Read an order. Raises JobError."""
    try:
        return RunOrder(**{**value, "data": tuple(value["data"])})
    except (TypeError, KeyError) as error:
        raise JobError(f"not an order of a run: {error}") from error


@dataclass(frozen=True)
class Identity:
    """One process and no other: machine, its boot, number, and the moment it began."""

    host: str
    boot: str
    pid: int
    began: float


@dataclass(frozen=True)
class Live:
    """What a process says of itself every second.

    ``phase`` is what it does ("waiting", "reading data", "training", "scoring"); ``step`` of
    ``steps`` in ``epoch`` of ``epochs`` of ``member`` of ``members`` (in ``trial`` of ``trials`` of
    a search), 0 where none has begun; ``records_per_second`` learned from lately; ``seconds_left``
    of training, as if the trials to come took as long as this one; ``at`` is the moment (s, Unix).
    """

    phase: str
    at: float
    member: int = 1
    members: int = 1
    epoch: int = 0
    epochs: int = 0
    step: int = 0
    steps: int = 0
    loss: float | None = None
    learning_rate: float | None = None
    records_per_second: float | None = None
    seconds_left: float | None = None
    trial: int = 0
    trials: int = 0


@dataclass(frozen=True)
class RunStatus:
    """A run at a moment. ``order`` is None for one that was started without (by ``train`` in a
    terminal); ``sentence`` says why it failed, what it waits for, or what to do."""

    id: str
    folder: Path
    order: RunOrder | None
    state: State
    sentence: str = ""
    live: Live | None = None

    @property
    def name(self) -> str:
        """The model's name, or else the folder's."""
        return self.id if self.order is None else self.order.name

    @property
    def at_work(self) -> bool:
        """Whether a process is, or will be, at work."""
        return self.state in ("queued", "running")
