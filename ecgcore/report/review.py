"""The PDF of one review: the ECG on paper at true scale, what was found on it, and the decision.

The first page is the paper, A4 landscape for the usual layout, with whose recording it is; a longer
recording's rhythm follows. Then come the measurements, the findings of the rules with their
evidence, the answers of models with their thresholds, why the label is suspicious, the decision,
and a line to sign. What names the patient is left out unless it is asked for.
"""

from __future__ import annotations

from datetime import datetime

from ecgcore.drawing.markings import DISCLAIMER
from ecgcore.drawing.print_flow import Flow, numbered
from ecgcore.drawing.print_page import write_pdf
from ecgcore.report.identifiers import without_identifiers
from ecgcore.report.paper_page import paper_pages
from ecgcore.report.sections import write_sections
from ecgcore.report.values import Printed, ReviewReport


def print_review(
    report: ReviewReport, *, identifiers: bool = False, created: datetime | None = None
) -> Printed:
    """The report as PDF; the same report gives the same bytes, unless ``created`` differs.

    Raises ValueError where the paper would begin after the end of the recording.
    """
    shown = report if identifiers else without_identifiers(report)
    recording = shown.recording
    name = f"{recording.record_id}   {recording.source.sha256[:16]}"
    flow = Flow(name)
    write_sections(flow, shown)
    pages = numbered((*paper_pages(shown), *flow.pages()), DISCLAIMER)
    title = f"ECG report: {recording.record_id}"
    return Printed(write_pdf(pages, title, DISCLAIMER, created), len(pages))
