"""A report without what names the patient."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from ecgcore.recording import SIMULATED
from ecgcore.report.values import ReviewReport

WITHHELD = "[patient ID]"
FREE_TEXT = "text"
"""The system of a statement that is free text, in which people write names."""
# A shorter one stands in other texts by chance.
_SHORTEST = 4


def without_identifiers(report: ReviewReport) -> ReviewReport:
    """The report without the patient's ID, wherever it stands, and without the file's free text.

    Age, sex and the time of the recording stay. A simulated heart is nobody's: it stays as it is.
    """
    recording = report.recording
    if SIMULATED in recording.source.warnings:
        return report
    hide = _hiding(recording.patient.patient_id)
    bare = replace(
        recording,
        record_id=hide(recording.record_id),
        patient=replace(recording.patient, patient_id=None),
        source=replace(
            recording.source, warnings=tuple(hide(text) for text in recording.source.warnings)
        ),
        statements=tuple(one for one in recording.statements if one.system != FREE_TEXT),
    )
    decision = report.decision
    return replace(
        report,
        recording=bare,
        cautions=tuple(hide(text) for text in report.cautions),
        suspicions=tuple(hide(text) for text in report.suspicions),
        decision=decision and replace(decision, comment=hide(decision.comment)),
    )


def _hiding(patient_id: str | None) -> Callable[[str], str]:
    """Puts a mark in the place of a patient's ID: inside a text where it is long enough to be none
    of its words, else only where it is the whole text."""
    known = (patient_id or "").strip()

    def hide(text: str) -> str:
        if known and text.strip() == known:
            return WITHHELD
        if len(known) < _SHORTEST:
            return text
        return re.sub(rf"(?<![^\W_]){re.escape(known)}(?![^\W_])", WITHHELD, text, flags=re.I)

    return hide
