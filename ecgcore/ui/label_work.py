"""The queue on the page: one recording at a time, its ECG, the evidence, the decision."""

from __future__ import annotations

from html import escape

import streamlit as st

from ecgcore.label_queue import QueueItem
from ecgcore.recording import Recording
from ecgcore.review.connection import StoreError
from ecgcore.review.people import Forbidden, may
from ecgcore.review.values import ReviewError
from ecgcore.review_work import bring_in
from ecgcore.ui import (
    controls,
    head,
    label_evidence_view,
    label_place,
    label_services,
    services,
    style,
)
from ecgcore.ui.label_decision import Desk, desk_of, show_desk, show_history
from ecgcore.ui.label_gathering_view import is_gathering
from ecgcore.ui.label_picker import words
from ecgcore.ui.label_reports import offer_review_report
from ecgcore.ui.label_services import Work
from ecgcore.ui.markdown import plain
from ecgcore.ui.navigation import PARAMETER, REVIEW_PAGE
from ecgcore.ui.paper_view import Marked, paper_column, show_paper
from ecgcore.ui.reviewer import choose_name

_STATES = {
    "undecided": "not decided", "unsure": "unsure", "settled": "settled", "rejected": "rejected",
    "disputed": "disputed",
}  # fmt: skip


def show_who(work: Work) -> None:
    """Under which name decisions are kept."""
    with st.popover(plain(work.person), icon=":material/person:"):
        choose_name()
        st.caption(f"Role: {work.role}")


def work_or_stop(person: str) -> Work:
    """The labelling work; the page stops with a sentence where it cannot be read."""
    try:
        return label_services.work(person)
    except (StoreError, Forbidden) as error:
        st.error(str(error))
        st.stop()


def show_queue(work: Work) -> None:
    """Bring in what is new, then the open recording."""
    _bring_in(work)
    if not work.items:
        return
    queue = label_place.choose(work)
    item = work.item(label_place.current())
    if item is None:
        _messages()
        st.info("Nothing to do here. Choose another part of the work above.")
        return
    recording = work.recording(item.recording)
    if recording is None:
        st.warning(
            f"{item.name} cannot be read from the workspace now. Put the file back, or skip it."
        )
        st.button("Skip", shortcut="S", on_click=label_place.step, args=(1,))
        return
    done = sum(one.standing.state != "undecided" for one in work.items)
    at = f"{queue.index(item.recording) + 1} of {len(queue)}" if item.recording in queue else "not"
    progress = f"{at} in this queue, {done} of all {len(work.items)} decided"
    _show(work, item, recording, progress)
    following = label_place.following()
    entry = work.entries.get(following or "")
    if entry is not None:
        services.prefetch(entry, None)


def _show(work: Work, item: QueueItem, recording: Recording, progress: str) -> None:
    desk = desk_of(work, item, label_evidence_view.evidence_of(item))
    _head(item, desk, head.whose(recording), progress)
    head.show_remarks(recording, head.known_remarks(recording))
    options = controls.paper_options(recording, style.dark())
    blind = desk.stage == "blind"
    with st.container(horizontal=True, key="lightbox", gap="medium", wrap=False):
        paper = paper_column(recording, options)
        panel = st.container(key="label-panel")
    with panel:
        origin = work.item(label_place.came_from())
        if origin is not None:
            st.button(
                f"Back to {plain(origin.name)}", key="label-return", icon=":material/arrow_back:",
                on_click=label_place.go_to, args=(origin.recording,), type="tertiary",
            )  # fmt: skip
        if not blind:
            _on_file(item)
        show_desk(desk, work)
        _messages()
        if not blind:
            label_evidence_view.show_reasons(item)
            label_evidence_view.show_sources(item, desk.picker)
    with paper:
        marked = Marked() if blind else label_evidence_view.marked(recording, options)
        show_paper(recording, options, marked)
        st.html('<div class="lightbox-title">Decisions about this recording</div>')
        show_history(desk, work, hidden=blind or item.independent)
        if not blind:
            with st.container(horizontal=True, gap="medium", key="label-more"):
                entry = work.entries.get(item.recording)
                if entry is not None:
                    st.page_link(
                        REVIEW_PAGE, label="Open in review", icon=":material/ecg_heart:",
                        query_params={PARAMETER: entry.key},
                    )  # fmt: skip
                offer_review_report(work, item, recording, options)


def _head(item: QueueItem, desk: Desk, whose: str, progress: str) -> None:
    hidden = desk.stage == "blind" or item.independent
    state = "" if hidden else _STATES[item.standing.state]
    stage = {
        "blind": "Blind reading: labels on file and evidence follow after your answer.",
        "informed": "Your blind answer is kept. Now with the evidence: confirm or change it.",
        "adjudication": "Others disagree: your decision settles it.",
        "open": "",
    }[desk.stage]
    facts = (whose, state, progress, stage)
    told = "".join(f'<span class="fact">{escape(fact)}</span>' for fact in facts if fact)
    st.html(
        f'<div class="lightbox-head" data-recording="{item.recording[:16]}">'
        f'<span class="name">{escape(item.name)}</span>{told}</div>'
    )


def _on_file(item: QueueItem) -> None:
    if item.filed is None:
        text = "none that means an SCP-ECG statement"
    else:
        text = "; ".join(f"{code} ({words(code)})" for code in item.filed) or "no label"
    st.html(f'<div class="label-filed"><b>On file:</b> {escape(text)}</div>')


def _messages() -> None:
    """What came of the last decision, always in the same place."""
    conflict, kept = label_place.complaint(), st.session_state.get("label-kept")
    if conflict:
        st.warning(plain(conflict), icon=":material/group:")
    else:
        st.html(f'<div class="lightbox-small" role="status">{escape(kept or "")}&nbsp;</div>')


def _bring_in(work: Work) -> None:
    """The way in for recordings that the store does not know, or that nobody has asked about."""
    known = {one.recording for one in work.items}
    new = [
        entry
        for key, entry in work.entries.items()
        if key not in known and entry.origin in ("imported", "folder")
    ]
    asked = {key: work.entries[key] for key in work.unasked if key in work.entries}
    if not work.items and not new:
        st.info("No recordings to label. Add some on the work list; their labels come with them.")
        return
    if not new and not asked:
        return
    with st.container(horizontal=True, vertical_alignment="center", key="label-bring"):
        if new and may(work.role, "file labels"):
            st.button(
                f"Bring in {len(new)} recordings with their labels", type="primary",
                key="label-bring-in", on_click=_bring, args=(work.person,),
            )  # fmt: skip
        elif new:
            st.caption(f"{len(new)} recordings wait for an administrator to bring them in.")
        if asked and not is_gathering():
            st.button(
                f"Look for suspicious labels in {len(asked)} recordings", key="label-gather",
                on_click=label_services.gather, args=(asked,),
            )  # fmt: skip
    refused: dict[str, str] = st.session_state.pop("label-refused", {})
    for name, reason in list(refused.items())[:5]:
        st.error(f"**{plain(name)}** {plain(reason)}")


def _bring(person: str) -> None:
    here = services.workspace()
    entries = [one for one in here.entries() if one.origin in ("imported", "folder")]
    try:
        for done in bring_in(label_services.store(), person, here, entries):
            st.session_state["label-refused"] = done.refused
    except (ReviewError, Forbidden) as error:
        label_place.complain(error)
