"""The pages of a report that show the trace: the paper under its head, and a long one's rhythm."""

from __future__ import annotations

from collections.abc import Iterator

from ecgcore.drawing.layout import PAGE_SECONDS, rhythm_strips
from ecgcore.drawing.palette import LIGHT
from ecgcore.drawing.print_page import Mark, PrintPage, Words
from ecgcore.drawing.print_paper import (
    PAPER_SIZES,
    compose_print,
    compose_rhythm,
    paper_marks,
    paper_name,
)
from ecgcore.drawing.print_words import fitted, wrapped
from ecgcore.recording import Recording
from ecgcore.report.values import ReviewReport
from ecgcore.signal.measured import Measurements
from ecgcore.signal.measured_words import HEADLINE, amount

LONGEST_RHYTHM_SECONDS = 300.0
"""Of a longer recording the rhythm is printed so far."""

_HEAD_MM, _RHYTHM_HEAD_MM, _FOOT_MM = 37.0, 22.0, 12.0
_TITLE_MM, _TEXT_MM, _SMALL_MM = 5.2, 3.0, 2.5
_REMARK_LINES = 2
_SEX = {"M": "male", "F": "female"}


def paper_pages(report: ReviewReport) -> tuple[PrintPage, ...]:
    """The paper, and the rhythm where the recording is longer than the paper."""
    size = paper_name(report.paper, _HEAD_MM, _FOOT_MM)
    width, height = PAPER_SIZES[size]
    room = height - _HEAD_MM - _FOOT_MM
    page = compose_print(report.recording, report.paper, room)
    left = (width - page.sheet.width_mm) / 2
    bottom = _FOOT_MM + (room - page.sheet.height_mm) / 2
    marks = (
        *paper_marks(page, left, bottom, size),
        *_head(report, left, width - left, height),
    )
    return PrintPage(width, height, marks), *_rhythm_pages(report, size)


def _rhythm_pages(report: ReviewReport, size: str) -> Iterator[PrintPage]:
    recording = report.recording
    if recording.seconds <= PAGE_SECONDS:
        return
    width, height = PAPER_SIZES[size]
    lead = _rhythm_lead(report)
    stop = min(recording.seconds, LONGEST_RHYTHM_SECONDS)
    first = 0.0
    while first < stop:
        room = height - _RHYTHM_HEAD_MM - _FOOT_MM
        page = compose_rhythm(recording, report.paper, lead, (first, stop), room)
        left = (width - page.sheet.width_mm) / 2
        bottom = height - _RHYTHM_HEAD_MM - page.sheet.height_mm
        shown = f"the first {stop:.0f} s of {recording.seconds:.0f} s"
        if stop == recording.seconds:
            shown = f"all {recording.seconds:.0f} s"
        what = f"Rhythm, lead {lead}, {shown}"
        name = fitted(recording.record_id, _TITLE_MM, 180.0, bold=True)
        marks = (
            *paper_marks(page, left, bottom, size),
            Words(left, height - 12, name, _TITLE_MM, LIGHT.text, bold=True),
            Words(left, height - 17.5, what, _TEXT_MM, LIGHT.text),
        )
        yield PrintPage(width, height, marks)
        first += PAGE_SECONDS * len(page.stretches)


def _rhythm_lead(report: ReviewReport) -> str:
    """The layout's own strip, or lead II; the first lead where that was not recorded."""
    wanted = (*rhythm_strips(report.paper.layout, report.paper.rhythm_leads), "II")
    leads = report.recording.leads
    return next((lead for lead in wanted if lead in leads), leads[0])


def _head(report: ReviewReport, left: float, right: float, top: float) -> Iterator[Mark]:
    """Whose recording it is, how it was made, the headline of a cart, and what is odd about it."""
    recording = report.recording
    name = fitted(recording.record_id, _TITLE_MM, right - left - 60, bold=True)
    yield Words(left, top - 12, name, _TITLE_MM, LIGHT.text, bold=True)
    yield Words(right, top - 12, "ECG report", _TEXT_MM, LIGHT.quiet_text, align="right")
    facts = fitted("   ·   ".join(recording_facts(recording)), _TEXT_MM, right - left)
    yield Words(left, top - 17.7, facts, _TEXT_MM, LIGHT.text)
    who = recording.patient.patient_id
    identity = f"SHA-256 {recording.source.sha256}" + (f"   ·   patient {who}" if who else "")
    identity = fitted(identity, _SMALL_MM, right - left)
    yield Words(left, top - 22, identity, _SMALL_MM, LIGHT.quiet_text)
    if report.measurements is not None:
        line = fitted(headline(report.measurements), _TEXT_MM, right - left, bold=True)
        yield Words(left, top - 26.8, line, _TEXT_MM, LIGHT.text, bold=True)
    for number, line in enumerate(_remarks(report, right - left)):
        yield Words(left, top - 31 - 3.5 * number, line, _SMALL_MM, LIGHT.notice)


def recording_facts(recording: Recording) -> tuple[str, ...]:
    """Age, sex, time, leads, length, rate and format, in words."""
    patient, when = recording.patient, recording.recorded_at
    computed = f" ({', '.join(recording.computed)} computed)" if recording.computed else ""
    return (
        "age unknown" if patient.age is None else f"{patient.age:g} years",
        _SEX[patient.sex] if patient.sex else "sex unknown",
        "time unknown" if when is None else f"recorded {when:%Y-%m-%d %H:%M}",
        f"{len(recording.leads)} leads{computed}",
        f"{recording.seconds:.1f} s at {recording.sampling_rate:g} Hz",
        recording.source.format,
    )


def headline(measured: Measurements) -> str:
    """Rate, intervals and axes in one line, as a cart prints them."""
    parts = []
    for name, title in HEADLINE.items():
        if name in ("qtc_framingham_ms", "qtc_hodges_ms"):
            continue
        value = measured.overall[name]
        said = "N/A" if value.number is None else amount(value.number, value.unit)
        parts.append(f"{title} {said}")
    return "    ".join(parts)


def _remarks(report: ReviewReport, width: float) -> tuple[str, ...]:
    """What is odd, as far as there is room; all of it stands on the pages that follow."""
    remarks = (*report.cautions, *report.recording.source.warnings)
    if not remarks:
        return ()
    lines = wrapped("   ·   ".join(remarks), _SMALL_MM, width)
    if len(lines) <= _REMARK_LINES:
        return lines
    more = f" (all {len(remarks)}: see Remarks)"
    rest = fitted(" ".join(lines[1:]), _SMALL_MM, width - 40)
    return lines[0], rest + more
