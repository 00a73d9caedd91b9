"""PDF reports of the labelling work: of one recording's review, and of the data set."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

import streamlit as st

from ecgcore.drawing.page import PaperOptions
from ecgcore.label_queue import QueueItem
from ecgcore.labels import statements
from ecgcore.models.card import load_card
from ecgcore.recording import Recording, Statement
from ecgcore.review.agreement import Kappa, label_kappas
from ecgcore.review.rounds import answers_of
from ecgcore.review.standing import current
from ecgcore.review.values import Review
from ecgcore.signal.delineation import DEFAULT_METHOD
from ecgcore.ui import label_services, readings, services
from ecgcore.ui.label_services import Work

if TYPE_CHECKING:
    from ecgcore.report.label_quality import Agreement
    from ecgcore.report.values import Decision

_MOST_SUSPICIOUS = 30
_PDF = "application/pdf"


def offer_review_report(
    work: Work, item: QueueItem, recording: Recording, options: PaperOptions
) -> None:
    """The button that prints this recording with all that is known and decided about it."""
    told = list(current(work.reviews_of(item.recording)))
    st.download_button(
        "Report (PDF)", lambda: _review_pdf(item, recording, options, told), mime=_PDF,
        key="label-report", icon=":material/print:", type="tertiary", on_click="ignore",
        file_name=f"review-{item.recording[:12]}.pdf",
    )  # fmt: skip


def _review_pdf(
    item: QueueItem, recording: Recording, options: PaperOptions, told: list[Review]
) -> bytes:
    from ecgcore.report.review import print_review
    from ecgcore.report.values import ModelAnswer, ReviewReport

    answers = []
    for name in label_services.evidence_models():
        found = services.prediction(name, recording)
        if not isinstance(found, services.Declined):
            answers.append(ModelAnswer(found, bool(load_card(name).calibration)))
    likeliest = [] if item.suspicion is None else sorted(
        (one for one in item.suspicion.labels if one.reasons), key=lambda one: -one.score
    )  # fmt: skip
    report = ReviewReport(
        recording,
        measurements=readings.measurements(recording, DEFAULT_METHOD),
        findings=readings.rule_findings(recording, DEFAULT_METHOD, "clinical"),
        criteria="clinical",
        answers=tuple(answers),
        suspicions=tuple(
            dict.fromkeys(
                f"{one.code} (chance {one.score:.2f}): {reason.text}"
                for one in likeliest
                for reason in one.reasons
                if reason.kind not in ("other labels", "how often")
            )
        ),
        decision=_decision(told[-1]) if told else None,
        paper=options,
    )
    return print_review(report).pdf


def _decision(review: Review) -> Decision:
    from ecgcore.report.values import Action, Decision

    told = review.decision
    return Decision(
        review.reviewer,
        datetime.fromisoformat(review.decided_at),
        cast(Action, told.action),
        tuple(Statement(code, "SCP-ECG") for code in told.codes),
        told.comment,
        told.recording,
    )


def offer_quality_report(work: Work) -> None:
    """The button that prints the label quality of the whole data set."""
    st.download_button(
        "Report of all labels (PDF)", lambda: _quality_pdf(work), mime=_PDF, key="team-report",
        icon=":material/print:", on_click="ignore", file_name="label-quality.pdf",
    )  # fmt: skip


def _quality_pdf(work: Work) -> bytes:
    from ecgcore.report.label_quality import (
        LabelCounts,
        LabelQuality,
        SuspiciousRecord,
        print_label_quality,
    )

    answers = answers_of(work.reviews)
    codes = tuple(one.code for one in statements())
    kappas = label_kappas(answers, codes) if len(answers) > 1 else {}
    counts = []
    for label in statements():
        found = _counted(work, label.code)
        if any(found.values()):
            kappa = kappas.get(label.code)
            counts.append(
                LabelCounts(label.code, label.description, **found, agreement=_agreement(kappa))
            )
    suspicious = sorted(
        (one for one in work.items if one.suspicion is not None),
        key=lambda one: -(one.suspicion.score if one.suspicion else 0.0),
    )[:_MOST_SUSPICIOUS]
    records = tuple(
        SuspiciousRecord(
            one.recording[:12], ", ".join(one.filed or ()), one.suspicion.score, _reasons(one)
        )
        for one in suspicious
        if one.suspicion is not None
    )
    return print_label_quality(
        LabelQuality("Workspace", datetime.now(UTC), len(work.items), tuple(counts), records)
    ).pdf


def _counted(work: Work, code: str) -> dict[str, int]:
    """Recordings with a label on file, by what was decided about them, and those that got it."""
    with_it = [one for one in work.items if code in (one.filed or ())]
    states = [one.standing for one in with_it]
    return {
        "on_file": len(with_it),
        "accepted": sum(one.state == "settled" and code in one.codes for one in states),
        "changed": sum(one.state == "settled" and code not in one.codes for one in states),
        "rejected": sum(one.state == "rejected" for one in states),
        "unsure": sum(one.state in ("unsure", "disputed") for one in states),
        "added": sum(
            code in one.standing.codes and code not in (one.filed or ()) for one in work.items
        ),
    }


def _agreement(kappa: Kappa | None) -> Agreement | None:
    from ecgcore.report.label_quality import Agreement

    if kappa is None or kappa.value is None or kappa.interval is None:
        return None
    low, high = kappa.interval
    return Agreement(kappa.value, min(low, kappa.value), max(high, kappa.value), kappa.recordings)


def _reasons(item: QueueItem) -> tuple[str, ...]:
    if item.suspicion is None:
        return ()
    first = max(
        (one for one in item.suspicion.labels if one.reasons),
        key=lambda one: one.score, default=None,
    )  # fmt: skip
    kinds = ("other labels", "how often")
    return () if first is None else tuple(r.text for r in first.reasons if r.kind not in kinds)
