"""How the Train page says times, states and options of runs in words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ecgcore.jobs.values import RunStatus, State

MINUTE, HOUR, DAY = 60, 3600, 86_400

STATES: dict[State, str] = {
    "queued": "waiting", "running": "at work", "paused": "paused", "stopped": "stopped",
    "finished": "finished", "failed": "failed", "interrupted": "interrupted",
}  # fmt: skip


def time_left(seconds: float | None) -> str:
    """ "about 3 minutes"; "" where nobody knows (``seconds`` None)."""
    if seconds is None:
        return ""
    if seconds < MINUTE:
        return "less than a minute"
    if seconds < 90 * MINUTE:
        return _about(seconds / MINUTE, "minute")
    if seconds < 2 * DAY:
        return _about(seconds / HOUR, "hour")
    return _about(seconds / DAY, "day")


def duration(seconds: float) -> str:
    """A time in words: "40 s", "12 min", "3 h 20 min", "2 days 4 h"."""
    if seconds < 1:
        return "under a second"
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {rest} min" if rest else f"{hours} h"
    return f"{hours // 24} days {hours % 24} h"


def _about(count: float, unit: str) -> str:
    whole = max(1, round(count))
    return f"about {whole} {unit}{'' if whole == 1 else 's'}"


def moment(at: str) -> str:
    """ "2026-11-28 21:50" of an ISO 8601 moment."""
    return at[:16].replace("T", " ")


def score_name(best_by: str) -> str:
    """A measure of validation as the field writes it: "AUROC"."""
    return {"auroc": "AUROC"}.get(best_by, best_by)


def asked_by(run: RunStatus) -> str:
    """Who started a run."""
    return "a terminal" if run.order is None else run.order.asked_by


def title(run: RunStatus) -> str:
    """Name and moment, so that two runs of one name differ."""
    return run.name if run.order is None else f"{run.name} · {moment(run.order.asked_at)}"


def flat(value: Mapping[str, Any], before: str = "") -> dict[str, str]:
    """Options by their dotted names ("augmentation.mixup"), each as text."""
    found: dict[str, str] = {}
    for key, one in value.items():
        if isinstance(one, dict):
            found |= flat(one, f"{before}{key}.")
        else:
            found[before + key] = one if isinstance(one, str) else _text(one)
    return found


def _text(value: Any) -> str:
    return "none" if value is None else json.dumps(value)
