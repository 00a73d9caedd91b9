"""Head of the review page: whose recording, how it was recorded, and what is odd about it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape

import streamlit as st

from ecgcore.recording import Recording
from ecgcore.signal.arrangement import LeadMistake
from ecgcore.signal.quality import QualityWarning
from ecgcore.signal.verdict import Verdict
from ecgcore.ui import readings, services
from ecgcore.ui.navigation import Position
from ecgcore.ui.style import of, only_of

_RANK = {"unusable": 0, "warning": 1, "note": 2}
_SEX = {"M": "male", "F": "female"}


@dataclass(frozen=True)
class Remark:
    """One thing to know before trusting the trace."""

    severity: str
    text: str


def known_remarks(recording: Recording) -> tuple[Remark, ...]:
    """``remarks`` from everything that is found about a recording."""
    return remarks(
        recording,
        services.quality(recording),
        readings.verdict(recording),
        readings.lead_mistake(recording),
    )


def remarks(
    recording: Recording,
    quality: tuple[QualityWarning, ...],
    verdict: Verdict,
    mistake: LeadMistake | None = None,
) -> tuple[Remark, ...]:
    """Whether it is fit to read, leads that seem others, what the reader and the quality gate say;
    the gravest first.
    """
    found = [] if verdict.acceptable else [Remark("unusable", f"Not fit to read. {verdict.reason}")]
    found += [Remark("warning", mistake.text)] if mistake else []
    found += [Remark("warning", f"Reading: {text}") for text in recording.source.warnings]
    # The sentences name their leads.
    found += [Remark(warning.severity, warning.text) for warning in quality]
    return tuple(sorted(found, key=lambda remark: _RANK[remark.severity]))


def show_name(here: Position) -> None:
    """The head of a recording that could not be read."""
    st.html(
        f'{only_of(None)}<div class="lightbox-head">'
        f'<span class="name">{escape(here.entry.name)}</span>'
        f'<span class="fact">{here.number} of {here.total}</span></div>'
    )


def whose(recording: Recording) -> str:
    """Age and sex of the patient in words."""
    patient = recording.patient
    age = "age unknown" if patient.age is None else f"{patient.age:g} years"
    return f"{age}, {_SEX[patient.sex] if patient.sex else 'sex unknown'}"


def show_head(recording: Recording, here: Position) -> None:
    """Name, patient, time and technical facts in one line."""
    when = "time unknown"
    if recording.recorded_at is not None:
        when = f"{recording.recorded_at:%Y-%m-%d %H:%M}"
    computed = f", {len(recording.computed)} computed" if recording.computed else ""
    facts = (
        whose(recording),
        when,
        f"{len(recording.leads)} leads{computed}",
        f"{recording.seconds:.1f} s at {recording.sampling_rate:g} Hz",
        recording.source.format,
        f"{here.number} of {here.total}",
    )
    spans = "".join(f'<span class="fact">{escape(fact)}</span>' for fact in facts)
    name = escape(recording.record_id)
    st.html(
        f'{only_of(recording)}<div class="lightbox-head">'
        f'<span class="name" title="{name}">{name}</span>{spans}</div>'
    )


def _typeset(text: str) -> str:
    """Microvolts as they are printed, where the program writes plain ASCII."""
    return re.sub(r"(?<=\d) uV\b", " µV", text)


def show_remarks(recording: Recording, found: tuple[Remark, ...]) -> None:
    """One line of fixed height with the gravest remark; the others open on a click."""
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key="remarks"):
        # Without remarks the button stays, disabled, so that nothing below it moves.
        label = f"{len(found) or 'No'} remark{'' if len(found) == 1 else 's'}"
        with st.popover(label, width="content", disabled=not found):
            items = "".join(
                f"<dt>{escape(remark.severity)}</dt><dd>{escape(_typeset(remark.text))}</dd>"
                for remark in found
            )
            st.html(f'<dl class="lightbox-facts">{items}</dl>')
        first = found[0] if found else Remark("none", "Reading and signal quality gave no remarks.")
        st.html(
            f'<div class="lightbox-remark {first.severity} {of(recording)}">'
            f"{escape(_typeset(first.text))}</div>"
        )


def show_file_facts(recording: Recording) -> None:
    """What the file itself says: its statements, and where it came from."""
    stated = "; ".join(
        escape(f"{statement.code} ({statement.system})")
        + ("" if statement.likelihood is None else f" {statement.likelihood:g} %")
        for statement in recording.statements
    )
    facts = [
        ("Statements on file", stated or "none"),
        ("Patient ID", escape(recording.patient.patient_id or "none")),
        ("Format", escape(recording.source.format)),
        ("SHA-256 of the file", f"<code>{recording.source.sha256}</code>"),
    ]
    if recording.computed:
        facts.append(("Computed leads", escape(", ".join(recording.computed))))
    items = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in facts)
    st.html(
        f'<div class="{of(recording)}"><div class="lightbox-title">On file</div>'
        f'<dl class="lightbox-facts">{items}</dl></div>'
    )
