"""How good the delineation networks are on recordings that they did not see, for the card.

Scored as ``ecgcore.evaluation.delineation`` says; the reference of the heart is what the marked
leads agree on. Intervals are of 95 %, from resampling recordings, since beats of one heart are
alike.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ecgcore.datasets.ludb import MarkedRecording
from ecgcore.evaluation.delineation import (
    BOUNDARIES,
    WINDOW_MS,
    WaveScore,
    pool,
    score_boundary,
    score_recording,
)
from ecgcore.signal.delineation import ReadLeads, delineate_with
from ecgcore.signal.delineation.waves import WAVES, Wave

_RESAMPLES = 300


def figures(
    recordings: Sequence[MarkedRecording], reader: Callable[[str], ReadLeads]
) -> dict[str, Any]:
    """Scores with intervals, as a card holds them; ``reader`` gives the network for a record's id.

    Times are in ms, shares between 0 and 1; an interval is [low, high].
    """
    scores = [
        score_recording(
            one, delineate_with(one.recording, reader(one.recording.record_id), "network")
        )
        for one in recordings
    ]
    without = [sum(part) for part in zip(*(one.without_p for one in scores), strict=True)]
    return {
        "recordings": len(scores),
        "window_ms": WINDOW_MS,
        "overall": _part([one.overall for one in scores]),
        "single_leads": _part([one.leads for one in scores]),
        "beats_without_p": {"left_without": without[0], "beats": without[1]},
    }


def _part(scores: Sequence[Mapping[Wave, WaveScore]]) -> dict[str, Any]:
    values = _values(scores)
    rng = np.random.default_rng(0)
    drawn: dict[str, list[float]] = {name: [] for name in values}
    for _ in range(_RESAMPLES):
        chosen = [scores[i] for i in rng.integers(0, len(scores), len(scores))]
        for name, value in _values(chosen).items():
            drawn[name].append(np.nan if value is None else value)
    return {
        name: {"value": _rounded(value), "interval": _interval(drawn[name])}
        for name, value in values.items()
    }


def _values(scores: Sequence[Mapping[Wave, WaveScore]]) -> dict[str, float | None]:
    pooled = {wave: pool([one[wave] for one in scores]) for wave in WAVES}
    values: dict[str, float | None] = {}
    for wave, score in pooled.items():
        values[f"{wave} sensitivity"] = score.sensitivity
        values[f"{wave} ppv"] = score.ppv
    for name, (wave, mark, tolerance) in BOUNDARIES.items():
        boundary = score_boundary(pooled[wave], mark, tolerance)
        values[f"{name} bias_ms"] = boundary.bias_ms
        values[f"{name} sd_ms"] = boundary.sd_ms
        values[f"{name} within"] = boundary.within
    return values


def _interval(drawn: Sequence[float]) -> list[float] | None:
    known = [value for value in drawn if not np.isnan(value)]
    if not known:
        return None
    low, high = np.percentile(known, [2.5, 97.5])
    return [round(float(low), 4), round(float(high), 4)]


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
