"""The command ``report``: a PDF of each recording with all that the program says of it."""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ecgcore.cli_models import predictor_named
from ecgcore.cli_signal import cautions, measured_by
from ecgcore.cli_values import refuse_overwriting
from ecgcore.recording import Recording
from ecgcore.storage import write_bytes

if TYPE_CHECKING:
    from ecgcore.models.predictor import Predictor
    from ecgcore.report.values import ReviewReport

_CRITERIA = "clinical"


def reporting(given: argparse.Namespace) -> Callable[[Path, Recording], dict[str, Any]]:
    """What ``report`` does with a recording: writes OUT/<file stem>.pdf, whole or not at all.

    Raises CardError, UsageError for the model's name.
    """
    from ecgcore.report.review import print_review

    predictor = predictor_named(given.model)
    written: dict[Path, str] = {}

    def show(path: Path, recording: Recording) -> dict[str, Any]:
        target = given.out / f"{path.stem}.pdf"
        refuse_overwriting(target, recording, written, given.files)
        printed = print_review(report_of(recording, predictor), identifiers=given.identifiers)
        write_bytes(target, printed.pdf)
        return {
            "file": str(path),
            "report": str(target),
            "pages": printed.pages,
            "sha256": hashlib.sha256(printed.pdf).hexdigest(),
        }

    return show


def report_of(recording: Recording, predictor: Predictor) -> ReviewReport:
    """Everything that the program itself says of a recording; no decision.

    Raises UnfitRecordingError where the model must not answer.
    """
    from ecgcore.report.values import ModelAnswer, ReviewReport
    from ecgcore.rules.applying import apply_rules
    from ecgcore.rules.criteria import criteria_set

    prediction = predictor.predict(recording)
    _, measured = measured_by(recording, "network")
    return ReviewReport(
        recording,
        measurements=measured,
        findings=apply_rules(measured, recording.patient, criteria_set(_CRITERIA)),
        criteria=_CRITERIA,
        answers=(ModelAnswer(prediction, bool(predictor.card.calibration)),),
        cautions=tuple(cautions(recording)),
    )
