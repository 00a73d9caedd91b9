"""What a report says in words and tables: measurements, rules, models, suspicion, decision."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import get_args

from ecgcore.drawing.palette import LIGHT
from ecgcore.drawing.print_flow import SMALL_MM, Column, Flow, Row
from ecgcore.labels import SUPERCLASSES, CodeSystem, concept_of, statements, subclasses
from ecgcore.models.prediction import LabelPrediction
from ecgcore.recording import Statement
from ecgcore.report.identifiers import FREE_TEXT
from ecgcore.report.values import Decision, ModelAnswer, ReviewReport
from ecgcore.rules.finding import Finding
from ecgcore.signal.measured import Measurements
from ecgcore.signal.measured_words import HEADLINE, STATED_AS, amount

_MEASURED = (
    Column("Measurement", 34, bold=True),
    Column("Measured", 26, "right"),
    Column("On file", 26, "right"),
    Column("Why there is no value", 88),
)
_FOUND = (
    Column("Finding", 44, bold=True),
    Column("Criterion that decided", 44),
    Column("Measured", 23, "right"),
    Column("Threshold", 23, "right"),
    Column("Source", 40),
)
_ANSWERED = (
    Column("Label", 36, bold=True),
    Column("Description", 68),
    Column("Probability", 26, "right"),
    Column("Threshold", 24, "right"),
    Column("", 20),
)
_CODED = (Column("Code", 34, bold=True), Column("System", 26), Column("Description", 114))


def write_sections(flow: Flow, report: ReviewReport) -> None:
    """Everything that follows the paper, onto pages of ``flow``."""
    _remarks(flow, report)
    _on_file(flow, report)
    _measurements(flow, report)
    _findings(flow, report)
    for answer in report.answers:
        _answers(flow, answer)
    if report.suspicions:
        flow.heading("Why the label is suspicious")
        flow.bullets(report.suspicions)
    _decision(flow, report.decision, report.recording.source.sha256)


def _remarks(flow: Flow, report: ReviewReport) -> None:
    reading = [f"Reading: {text}" for text in report.recording.source.warnings]
    if report.cautions or reading:
        flow.heading("Remarks")
        flow.bullets([*report.cautions, *reading], colour=LIGHT.notice)


def _on_file(flow: Flow, report: ReviewReport) -> None:
    if not report.recording.statements:
        return
    flow.heading("Label on file")
    flow.table(_CODED, [_coded(one) for one in report.recording.statements])


def _coded(statement: Statement) -> Row:
    if statement.system == FREE_TEXT:
        return Row(("", "free text", statement.code))
    likely = "" if statement.likelihood is None else f" ({statement.likelihood:g} %)"
    return Row((statement.code, statement.system, described(statement) + likely))


def described(statement: Statement) -> str:
    """A code in words, or that this program does not know it."""
    if statement.system == "SCP-ECG":
        known = {one.code: one.description for one in (*subclasses(), *SUPERCLASSES, *statements())}
        if statement.code in known:
            return known[statement.code]
    for system in get_args(CodeSystem):
        if system == statement.system:
            try:
                return concept_of(statement.code, system)
            except KeyError:
                break
    return "(a code that this program does not know)"


def _measurements(flow: Flow, report: ReviewReport) -> None:
    flow.heading("Measurements")
    if report.measurements is None:
        flow.paragraph("Nothing was measured for this report.")
        return
    stated = {one.name: one.number for one in report.recording.measurements}
    flow.table(_MEASURED, list(_measured_rows(report.measurements, stated)))
    for warning in report.measurements.warnings:
        flow.paragraph(warning, SMALL_MM, LIGHT.notice)


def _measured_rows(measured: Measurements, stated: dict[str, float]) -> Iterable[Row]:
    for name, title in HEADLINE.items():
        value = measured.overall[name]
        full = f"QTc {title}" if name.startswith("qtc") and "QTc" not in title else title
        said = "N/A" if value.number is None else amount(value.number, value.unit)
        on_file = stated.get(STATED_AS.get(name, name))
        filed = "" if on_file is None else amount(on_file, value.unit)
        yield Row((full, said, filed, value.reason or ""))


def _findings(flow: Flow, report: ReviewReport) -> None:
    found = report.findings
    flow.heading(f"Findings of the rules ({report.criteria} criteria)" if found else "Rules")
    if found is None:
        flow.paragraph("No rules were applied for this report.")
        return
    fired = [one for one in found if one.fired]
    silent = [one for one in found if one.fired is False]
    open_ones = [one for one in found if one.fired is None]
    if fired:
        flow.table(_FOUND, [_found(one) for one in fired])
        for one in fired:
            if one.reason:
                flow.paragraph(f"{one.label}: {one.reason}", SMALL_MM, LIGHT.notice)
    else:
        flow.paragraph("No rule holds.")
    if silent:
        flow.listed(f"{len(silent)} do not hold", ", ".join(_labels(silent)))
    for reason, same in _by_reason((one.reason or "", one.label) for one in open_ones):
        flow.listed("Not decided", f"{', '.join(dict.fromkeys(same))}: {reason}")


def _found(finding: Finding) -> Row:
    measured, threshold = (
        "" if number is None else amount(number, finding.unit)
        for number in (finding.measured, finding.threshold)
    )
    name = f"{finding.label}: {finding.description}"
    return Row((name, finding.comparison, measured, threshold, finding.source))


def _labels(findings: Iterable[Finding]) -> list[str]:
    return list(dict.fromkeys(finding.label for finding in findings))


def _by_reason(pairs: Iterable[tuple[str, str]]) -> Iterable[tuple[str, list[str]]]:
    """What has the same reason, together."""
    together: dict[str, list[str]] = {}
    for reason, name in pairs:
        together.setdefault(reason, []).append(name)
    return together.items()


def _answers(flow: Flow, answer: ModelAnswer) -> None:
    prediction = answer.prediction
    flow.heading(f"Answers of the model {prediction.model}")
    for doubt in prediction.doubts:
        flow.paragraph(f"Do not rely on these answers: {doubt}", colour=LIGHT.notice, bold=True)
    for warning in prediction.warnings:
        flow.paragraph(warning, SMALL_MM, LIGHT.notice)
    positive = [one for one in prediction.labels if one.positive]
    negative = [one for one in prediction.labels if one.positive is False]
    silent = [one for one in prediction.labels if one.positive is None]
    shown = sorted(positive, key=lambda one: -(one.probability or 0.0))
    if shown:
        flow.table(_ANSWERED, [_answered(one) for one in shown])
    else:
        flow.paragraph("No label reaches its threshold.")
    if negative:
        nearest = sorted(negative, key=_distance)
        texts = (f"{_named(one)} {_probability(one)} ({_threshold(one)})" for one in nearest)
        flow.listed(f"{len(negative)} negative", "; ".join(texts))
    for reason, codes in _by_reason((_in_short(one), _named(one)) for one in silent):
        flow.listed(f"{len(codes)} not answered", f"{', '.join(codes)}: {reason}")
    calibrated = "calibrated" if answer.calibrated else "not calibrated"
    stop = prediction.start + prediction.seconds
    flow.paragraph(
        f"Probabilities are {calibrated}; in brackets the threshold. Thresholds: "
        f"{prediction.threshold_origin}. The model saw {prediction.start:.1f}–{stop:.1f} s. "
        + prediction.by_shape_words,
        SMALL_MM,
        LIGHT.quiet_text,
    )


def _in_short(one: LabelPrediction) -> str:
    """Why there is no answer, without the counts that the model's card holds."""
    return (one.reason or "no threshold").partition(":")[0]


def _distance(one: LabelPrediction) -> float:
    """How far below its threshold an answer lies."""
    return (one.threshold or 0.0) - (one.probability or 0.0)


def _named(one: LabelPrediction) -> str:
    """A code; superclasses say so, as NORM is a statement too."""
    return one.code if one.set == "statements" else f"{one.code} ({one.set[:-2]})"


def _answered(one: LabelPrediction) -> Row:
    cells = (_named(one), one.description, _probability(one), _threshold(one), "positive")
    return Row(cells, marked=True)


def _probability(one: LabelPrediction) -> str:
    return "" if one.probability is None else f"{one.probability:.3f}"


def _threshold(one: LabelPrediction) -> str:
    return "" if one.threshold is None else f"{one.threshold:.3f}"


def _decision(flow: Flow, decision: Decision | None, sha256: str) -> None:
    flow.heading("Decision", kept_mm=60)
    if decision is None:
        flow.paragraph("No decision is on file.")
    else:
        same = decision.sha256 == sha256
        version = decision.sha256 if same else f"{decision.sha256}: NOT the one printed here"
        flow.facts(
            [
                ("Reviewer", decision.reviewer),
                ("Decided", moment(decision.decided_at)),
                ("Decision", decision.action),
                ("Recording version", version),
            ]
        )
        if decision.codes:
            flow.table(_CODED, [_coded(one) for one in decision.codes])
        if decision.comment.strip():
            flow.facts([("Comment", decision.comment.strip())])
    flow.signature(("Name", "Date", "Signature"))


def moment(when: datetime) -> str:
    """A time to the minute, with its distance from UTC where that is known."""
    return when.isoformat(sep=" ", timespec="minutes")
