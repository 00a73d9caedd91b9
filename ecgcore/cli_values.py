"""Values as the plain JSON objects that the command line promises, and its words as values."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from ecgcore.models.prediction import Prediction
from ecgcore.recording import Recording, RecordingError

DONE, LOST, USAGE, REFUSED, INTERRUPTED = 0, 1, 2, 3, 130
"""Exit status, see ``cli``."""

GOES_ON = "; the same command goes on from here"


class UsageError(Exception):
    """Wrong words on the command line; the message says what is allowed."""


def plain_recording(path: Path, recording: Recording) -> dict[str, Any]:
    """What ``read`` prints: names, counts and ranges, no samples."""
    return {
        "file": str(path),
        "record_id": recording.record_id,
        "format": recording.source.format,
        "sampling_rate": recording.sampling_rate,
        "leads": list(recording.leads),
        "computed": list(recording.computed),
        "samples": recording.samples,
        "units": "mV",
        "patient": asdict(recording.patient),
        "recorded_at": recording.recorded_at.isoformat() if recording.recorded_at else None,
        "statements": [asdict(statement) for statement in recording.statements],
        "measurements": {stated.name: stated.number for stated in recording.measurements},
        "warnings": list(recording.source.warnings),
        "quality": _quality(recording),
        "sha256": recording.source.sha256,
        "lead_range_mv": {
            lead: _range(row) for lead, row in zip(recording.leads, recording.signal, strict=True)
        },
    }


def plain_prediction(path: Path, prediction: Prediction) -> dict[str, Any]:
    """What ``predict`` prints."""
    return {
        "file": str(path),
        "model": prediction.model,
        "start": prediction.start,
        "seconds": prediction.seconds,
        "threshold_origin": prediction.threshold_origin,
        "device": prediction.device,
        "milliseconds": round(prediction.milliseconds, 3),
        "warnings": [*prediction.doubts, *prediction.warnings],
        "judged_by_shape": list(prediction.by_shape),
        "labels": [
            {
                "code": answer.code,
                "set": answer.set,
                "probability": answer.probability,
                "threshold": answer.threshold,
                "threshold_origin": answer.threshold_origin,
                "positive": answer.positive,
                "reason": answer.reason,
            }
            for answer in prediction.labels
        ],
    }


def _quality(recording: Recording) -> list[dict[str, Any]]:
    from ecgcore.signal.quality import assess

    return [asdict(warning) for warning in assess(recording)]


def _range(row: np.ndarray[Any, Any]) -> list[float] | None:
    finite = row[np.isfinite(row)]
    return [float(finite.min()), float(finite.max())] if len(finite) else None


def refusal(path: Path, error: Exception) -> dict[str, Any]:
    """The line of an input that was refused."""
    return {"file": str(path), "error": type(error).__name__, "message": str(error)}


def refuse_overwriting(
    target: Path, recording: Recording, written: dict[Path, str], inputs: Sequence[Path]
) -> None:
    """Raise RecordingError before an input is written over, or another recording of this command.

    ``written`` keeps what this command wrote where, by hash.
    """
    earlier = written.setdefault(target, recording.source.sha256)
    taken = {os.path.realpath(path) for path in inputs}  # never raises, as resolve() may
    if earlier == recording.source.sha256 and os.path.realpath(target) not in taken:
        return
    raise RecordingError(
        f"{str(target)!r} would be written over",
        "files of different stems, and a folder that is not the files' own",
        "give one command for each folder of recordings, with a folder of its own to write to",
    )


def add_changes(parser: argparse.ArgumentParser, text: str) -> None:
    """The argument ``--set``, whose words ``setting`` reads."""
    parser.add_argument("--set", nargs="+", default=[], metavar="NAME=VALUE", help=text)


def setting(word: str) -> tuple[str, Any]:
    """``name=value``; the value is JSON, or else text."""
    name, separator, value = word.partition("=")
    if not separator:
        raise UsageError(f"--set {word}: write NAME=VALUE")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value
