"""Reports whose every value is known."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from ecgcore.models.prediction import LabelPrediction, Prediction
from ecgcore.recording import Patient, Recording, Source, Statement
from ecgcore.report.values import Decision, ModelAnswer, ReviewReport
from ecgcore.rules.finding import Finding
from ecgcore.signal.measured import OVERALL_NAMES, Measurements, Value, unit_of
from tests.drawing.recordings import pulses

SHA256 = "ab" * 32


def known_recording(seconds: float = 10.0) -> Recording:
    return replace(
        pulses(seconds),
        record_id="case 17",
        patient=Patient("PID-4711", 63.0, "F"),
        recorded_at=datetime(2026, 3, 4, 5, 6, tzinfo=UTC),
        statements=(Statement("NORM", "SCP-ECG", 80.0), Statement("seen by Mrs. Doe", "text")),
        source=Source("WFDB", SHA256, ("An odd thing was read.",)),
    )


def known_measurements() -> Measurements:
    overall = {
        name: Value(100.0 + number, unit_of(name)) for number, name in enumerate(OVERALL_NAMES)
    }
    overall["pr_ms"] = Value(None, "ms", "no P wave was found")
    return Measurements(overall, {}, ("The rhythm is irregular.",))


def finding(label: str, fired: bool | None, reason: str | None = None) -> Finding:
    return Finding(
        f"{label}-criterion", label, f"{label} described", fired, "QRS duration 152 ms ≥ 120 ms",
        152.0, 120.0, "ms", "Surawicz et al. 2009", (), reason,
    )  # fmt: skip


def known_prediction() -> Prediction:
    labels = (
        LabelPrediction("AFIB", "atrial fibrillation", "statements", 0.123, 0.4),
        LabelPrediction("CLBBB", "complete left bundle branch block", "statements", 0.876, 0.321),
        LabelPrediction("NORM", "normal ECG", "superclasses", 0.234, 0.5),
        LabelPrediction("WPW", "pre-excitation", "statements", None, None, "not enough data: 4"),
    )
    return Prediction("lightbox", labels, "best F1", 0.0, 10.0, "cpu", 1.0, by_shape=("HYP",))


def known_decision(comment: str = "Broad QRS.") -> Decision:
    codes = (Statement("CLBBB", "SCP-ECG"), Statement("164909002", "SNOMED CT"))
    when = datetime(2026, 11, 28, 16, 5, tzinfo=UTC)
    return Decision("Dr. A. Reviewer", when, "change", codes, comment, SHA256)


def full_report(comment: str = "Broad QRS.") -> ReviewReport:
    return ReviewReport(
        known_recording(),
        measurements=known_measurements(),
        findings=(
            finding("CLBBB", True, "Bear this in mind."),
            finding("LVH", False),
            finding("AFIB", None, "Not decided. RR: too few beats."),
        ),
        criteria="clinical",
        answers=(ModelAnswer(known_prediction(), True),),
        cautions=("Not fit to read. V1 is flat.",),
        suspicions=("Models give NORM 0.03.", "Two annotators disagree."),
        decision=known_decision(comment),
    )
