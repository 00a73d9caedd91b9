"""The PDF of a data set's label quality: what reviewers decided, how far they agree, and which
records are the most suspicious.

It counts and lists what it is given; nothing is computed here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import datetime

from ecgcore.drawing.markings import DISCLAIMER
from ecgcore.drawing.palette import LIGHT
from ecgcore.drawing.print_flow import SMALL_MM, Column, Flow, Row, numbered
from ecgcore.drawing.print_page import write_pdf
from ecgcore.report.values import Printed


@dataclass(frozen=True)
class Agreement:
    """Kappa of several annotators on one label, with its 95 % interval, over ``records``.

    Raises ValueError unless -1 <= low <= kappa <= high <= 1.
    """

    kappa: float
    low: float
    high: float
    records: int

    def __post_init__(self) -> None:
        if not -1 <= self.low <= self.kappa <= self.high <= 1:
            raise ValueError(
                f"kappa {self.kappa} with interval {self.low} to {self.high}; must lie in it, "
                "and all in -1 to 1"
            )


@dataclass(frozen=True)
class LabelCounts:
    """How many records a label is on file for, and what became of it.

    ``accepted``, ``changed``, ``rejected`` and ``unsure`` count the decisions on those, ``added``
    the records that got the label by a decision. ``agreement`` is None where too few records were
    read twice. Raises ValueError for a count below 0.
    """

    code: str
    description: str
    on_file: int
    accepted: int
    changed: int
    rejected: int
    unsure: int
    added: int
    agreement: Agreement | None = None

    def __post_init__(self) -> None:
        for one in fields(self):
            count = getattr(self, one.name)
            if isinstance(count, int) and count < 0:
                raise ValueError(f"{one.name} of {self.code} is {count}; must be 0 or more")


@dataclass(frozen=True)
class SuspiciousRecord:
    """A record, its labels in words, its score (higher: more suspicious) and why."""

    record_id: str
    labels: str
    score: float
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class LabelQuality:
    """What is reported of a data set; ``facts`` are further lines of its head (name, text).

    ``suspicious`` are the records to show, the most suspicious first, of ``n_records`` in all.
    """

    name: str
    made_at: datetime | None
    n_records: int
    labels: tuple[LabelCounts, ...]
    suspicious: tuple[SuspiciousRecord, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()


_COUNTED = (
    Column("Label", 22, bold=True),
    Column("Description", 56),
    *(
        Column(title, 16, "right")
        for title in ("On file", "Accept", "Change", "Reject", "Unsure", "Added")
    ),
)
_AGREED = (
    Column("Label", 22, bold=True),
    Column("Description", 76),
    Column("Kappa", 20, "right"),
    Column("95 % interval", 34, "right"),
    Column("Records", 22, "right"),
)
_SUSPECTED = (
    Column("Record", 34, bold=True),
    Column("Labels on file", 36),
    Column("Score", 20, "right"),
    Column("Why", 84),
)


def print_label_quality(quality: LabelQuality, created: datetime | None = None) -> Printed:
    """The report as PDF; the same report gives the same bytes, unless ``created`` differs."""
    flow = Flow(quality.name)
    flow.heading(f"Label quality: {quality.name}")
    when = () if quality.made_at is None else (("As of", _moment(quality.made_at)),)
    flow.facts([*when, ("Records", f"{quality.n_records:,}"), *quality.facts])
    flow.heading("Decisions by label")
    if quality.labels:
        flow.table(_COUNTED, [*map(_counted, quality.labels), _sum(quality.labels)])
        note = "A record counts once for each of its labels. Added: by a decision, not on file."
        flow.paragraph(note, SMALL_MM, LIGHT.quiet_text)
    else:
        flow.paragraph("No label was given.")
    _agreement(flow, quality.labels)
    _suspicious(flow, quality)
    pages = numbered(flow.pages(), DISCLAIMER)
    title = f"Label quality: {quality.name}"
    return Printed(write_pdf(pages, title, DISCLAIMER, created), len(pages))


def _moment(when: datetime) -> str:
    return when.isoformat(sep=" ", timespec="minutes")


def _counts(label: LabelCounts) -> tuple[int, ...]:
    return (
        label.on_file, label.accepted, label.changed, label.rejected, label.unsure, label.added,
    )  # fmt: skip


def _counted(label: LabelCounts) -> Row:
    return Row((label.code, label.description, *(f"{count:,}" for count in _counts(label))))


def _sum(labels: Iterable[LabelCounts]) -> Row:
    sums = (sum(column) for column in zip(*map(_counts, labels), strict=True))
    return Row(("All", "", *(f"{count:,}" for count in sums)), marked=True)


def _agreement(flow: Flow, labels: tuple[LabelCounts, ...]) -> None:
    flow.heading("Agreement between annotators")
    agreed = [(label, label.agreement) for label in labels if label.agreement is not None]
    if not agreed:
        flow.paragraph("No label was read by several annotators often enough.")
        return
    rows = []
    for label, found in agreed:
        interval = f"{_signed(found.low)} to {_signed(found.high)}"
        cells = (label.code, label.description, _signed(found.kappa), interval)
        rows.append(Row((*cells, f"{found.records:,}")))
    flow.table(_AGREED, rows)
    without = [label.code for label in labels if label.agreement is None]
    if without:
        flow.listed("Too few for kappa", ", ".join(without))


def _signed(number: float) -> str:
    return f"{number:.2f}".replace("-", "−")


def _suspicious(flow: Flow, quality: LabelQuality) -> None:
    shown = len(quality.suspicious)
    flow.heading("The most suspicious records")
    if not shown:
        flow.paragraph("None was given.")
        return
    flow.paragraph(f"{shown:,} of {quality.n_records:,}, the most suspicious first.")
    rows = [
        Row((one.record_id, one.labels, f"{one.score:.3f}", "\n".join(one.reasons)))
        for one in quality.suspicious
    ]
    flow.table(_SUSPECTED, rows)
