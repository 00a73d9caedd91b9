"""The column of rules: what the criteria say, their thresholds, and the place each points at."""

from __future__ import annotations

from html import escape

import streamlit as st

from ecgcore.drawing.layout import PAGE_SECONDS
from ecgcore.recording import Recording
from ecgcore.rules.criteria import CRITERIA_SETS, Criterion, criteria_set
from ecgcore.rules.finding import Finding
from ecgcore.signal.delineation import Method
from ecgcore.signal.measured_words import DIGITS, amount
from ecgcore.ui import readings
from ecgcore.ui.controls import Extent, show_from, shown_from
from ecgcore.ui.folded import show_folded
from ecgcore.ui.markdown import plain
from ecgcore.ui.style import of

_SET_NAMES = {"clinical": "Clinical", "paper": "HRNN paper"}


def chosen_criteria() -> str:
    """Which set of criteria the reader wants."""
    chosen: str | None = st.segmented_control(
        "Rules",
        CRITERIA_SETS,
        default=CRITERIA_SETS[0],
        required=True,
        format_func=lambda name: _SET_NAMES.get(name, name),
        key="criteria",
        persist_state="session",
        label_visibility="collapsed",
    )
    return chosen or CRITERIA_SETS[0]


def chosen_finding(recording: Recording, method: Method) -> Finding | None:
    """The finding whose place the reader wants to see, as it stands with changed thresholds."""
    criteria = st.session_state.get("criteria") or CRITERIA_SETS[0]
    wanted = _chosen().get((recording.source.sha256, criteria))
    found = readings.rule_findings(
        recording, method, criteria, changes(recording.source.sha256, criteria)
    )
    return next((finding for finding in found if finding.criterion == wanted), None)


def _chosen() -> dict[tuple[str, str], str]:
    chosen: dict[tuple[str, str], str] = st.session_state.setdefault("rules-chosen", {})
    return chosen


def _choose(extent: Extent, criteria: str, criterion: str, begins: tuple[float, ...]) -> None:
    """Show a finding's place, in a long recording too, or hide it if it is shown.

    ``begins`` are the seconds at which its places begin.
    """
    key = (extent.sha256, criteria)
    if _chosen().get(key) == criterion:
        del _chosen()[key]
        return
    _chosen()[key] = criterion
    first = shown_from(extent)
    if begins and not any(first <= at < first + PAGE_SECONDS for at in begins):
        show_from(extent, begins[0] - 1.0)


def changes(sha256: str, criteria: str) -> dict[str, float]:
    """The thresholds that the reader changed for this recording only."""
    everything: dict[tuple[str, str], dict[str, float]] = st.session_state.setdefault(
        "rules-changed", {}
    )
    return everything.setdefault((sha256, criteria), {})


def show_rules(recording: Recording, method: Method, criteria: str) -> None:
    """All criteria: those that hold, those that do not, those that could not be decided."""
    changed = changes(recording.source.sha256, criteria)
    found = readings.rule_findings(recording, method, criteria, changed)
    fired = [finding for finding in found if finding.fired]
    silent = [finding for finding in found if finding.fired is False]
    open_ones = [finding for finding in found if finding.fired is None]
    decided = len(fired) + len(silent)
    plural = "" if len(changed) == 1 else "s"
    note = f", {len(changed)} threshold{plural} changed" if changed else ""
    st.html(
        f'<div class="lightbox-title {of(recording)}">{len(fired)} of {decided} rules hold{note}'
        "</div>"
    )
    if changed:
        st.button(
            "Back to the defaults",
            key=f"rules-reset-{of(recording)}",
            on_click=_reset,
            args=(recording.source.sha256, criteria, of(recording)),
            type="tertiary",
            icon=":material/undo:",
        )
    doubted = readings.doubted_leads(recording)
    if doubted:
        st.html(
            f'<div class="lightbox-doubt {of(recording)}">{", ".join(doubted)} not fit to read: '
            "rules with ⚠ rest on it, and intervals over all leads may.</div>"
        )
    chosen = _chosen().get((recording.source.sha256, criteria))
    # What the reader looks at stays where it is when a changed threshold turns it over.
    shown = [finding for finding in found if finding.fired or finding.criterion == chosen]
    silent = [finding for finding in silent if finding.criterion != chosen]
    open_ones = [finding for finding in open_ones if finding.criterion != chosen]
    if not shown:
        none = "No rule holds." if decided else "Nothing could be decided on this recording."
        st.html(f'<div class="lightbox-none">{none}</div>')
    _rows(shown, recording, criteria)
    if silent and st.toggle(
        f"Show {len(silent)} that do not hold", key="all-rules", persist_state="session"
    ):
        _rows(silent, recording, criteria)
    if open_ones:
        show_folded(
            f"{len(open_ones)} not decided",
            [(finding.label, finding.description, finding.reason) for finding in open_ones],
            recording,
        )


def _rows(findings: list[Finding], recording: Recording, criteria: str) -> None:
    doubted = readings.doubted_leads(recording)
    key = (recording.source.sha256, criteria)
    extent = Extent.of(recording)
    for finding in findings:
        number = criteria_set(criteria).criteria.index(
            criteria_set(criteria).criterion(finding.criterion)
        )
        begins = tuple(place.start / recording.sampling_rate for place in finding.where)
        st.button(
            _row_text(finding, doubted),
            key=f"finding-rule-{number}-{of(recording)}",
            on_click=_choose,
            args=(extent, criteria, finding.criterion, begins),
            width="stretch",
        )
        if _chosen().get(key) == finding.criterion:
            _show_card(finding, recording, criteria, doubted)


def _row_text(finding: Finding, doubted: tuple[str, ...]) -> str:
    """One row in Markdown; the style sheet puts each element in its place."""
    mark = "● " if finding.fired else ""
    care = " ⚠" if set(doubted) & {place.lead for place in finding.where} else ""
    number = f" `{amount(finding.measured, finding.unit)}`" if finding.measured is not None else ""
    what = f"{finding.description}: {finding.comparison}" if finding.comparison else ""
    return f"**{mark}{plain(finding.label)}{care}** *{plain(what or finding.description)}*{number}"


def _show_card(
    finding: Finding, recording: Recording, criteria: str, doubted: tuple[str, ...]
) -> None:
    """How the rule was decided, by whom it is, and its thresholds to change."""
    criterion = criteria_set(criteria).criterion(finding.criterion)
    unfit = sorted(set(doubted) & {place.lead for place in finding.where})
    sentences = [finding.reason or "", criterion.note]
    if unfit:
        sentences.append(f"{', '.join(unfit)} is not fit to read: do not rely on this.")
    text = " ".join(escape(sentence) for sentence in sentences if sentence)
    with st.container(key="rule-card", gap="small"):
        st.html(
            f'<div class="lightbox-small {of(recording)}">{text}<br>'
            f"<code>{escape(criterion.expression)}</code><br>{escape(criterion.source)}</div>"
        )
        _show_thresholds(criterion, recording, criteria)


def _show_thresholds(criterion: Criterion, recording: Recording, criteria: str) -> None:
    changed = changes(recording.source.sha256, criteria)
    for threshold in criterion.thresholds:
        unit = f", {threshold.unit}" if threshold.unit else ""
        key = f"threshold-{threshold.name}-{of(recording)}"
        st.number_input(
            f"{threshold.name.replace('_', ' ')}{unit} (default {threshold.value:g})",
            value=changed.get(threshold.name, threshold.value),
            step=10.0 ** -DIGITS.get(threshold.unit, 2),
            format=f"%.{DIGITS.get(threshold.unit, 2)}f",
            key=key,
            help=threshold.source,
            on_change=_change,
            args=(recording.source.sha256, criteria, threshold.name, threshold.value, key),
        )


def _change(sha256: str, criteria: str, name: str, default: float, key: str) -> None:
    """Keep a changed threshold, for this recording only; the default is never touched."""
    value = float(st.session_state[key])
    changed = changes(sha256, criteria)
    changed.pop(name, None)
    if value != default:
        changed[name] = value


def _reset(sha256: str, criteria: str, ending: str) -> None:
    """Forget the changes, and the fields that showed them; their keys have this ``ending``."""
    for name in list(changes(sha256, criteria)):
        st.session_state.pop(f"threshold-{name}-{ending}", None)
    changes(sha256, criteria).clear()
