"""Deciding about the open recording, by keyboard or by click."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from ecgcore.label_queue import QueueItem
from ecgcore.review.people import Forbidden, may
from ecgcore.review.standing import current
from ecgcore.review.values import Action, Conflict, Decision, Evidence, Review, ReviewError, Stage
from ecgcore.ui import label_place, label_services
from ecgcore.ui.label_picker import pick
from ecgcore.ui.label_services import Work

_ACTION_WORDS = {
    "accept": "accepted the labels on file", "change": "set", "reject": "rejected the recording",
    "unsure": "was unsure", "withdraw": "took a decision back",
}  # fmt: skip


@dataclass(frozen=True)
class Desk:
    """What a decision about the open recording is made with: who, at which stage, what was seen."""

    person: str
    recording: str
    stage: Stage
    filed: tuple[str, ...] | None
    seen: int
    revises: int | None
    evidence: tuple[Evidence, ...]

    @property
    def picker(self) -> str:
        """The key of the picker: one for each recording and stage."""
        return f"label-codes-{self.recording[:16]}-{self.stage}-{self.seen}"

    @property
    def comment(self) -> str:
        """The key of the comment."""
        return f"label-comment-{self.recording[:16]}-{self.stage}"


def desk_of(work: Work, item: QueueItem, evidence: tuple[Evidence, ...]) -> Desk:
    """How this person meets this recording now."""
    reviews = work.reviews_of(item.recording)
    own = [one for one in current(reviews) if one.reviewer == work.person]
    last = own[-1] if own else None
    stage: Stage = "open"
    if last is not None and last.decision.stage == "blind":
        stage = "informed"
    elif last is None and st.session_state.get("label-blind"):
        stage = "blind"
    elif last is None and not item.assigned and item.standing.state == "disputed":
        stage = "adjudication" if may(work.role, "adjudicate") else "open"
    return Desk(
        work.person,
        item.recording,
        stage,
        item.filed,
        reviews[-1].number if reviews else 0,
        last.number if last is not None else None,
        () if stage == "blind" else evidence,
    )


def proposed(desk: Desk, work: Work) -> tuple[str, ...]:
    """What the picker starts with: one's own last answer, else the labels on file."""
    if desk.revises is not None:
        mine = next(one for one in work.reviews if one.number == desk.revises)
        if mine.decision.action in ("accept", "change"):
            return mine.decision.codes
    return () if desk.stage == "blind" else desk.filed or ()


def show_desk(desk: Desk, work: Work) -> None:
    """The picker, the comment and the buttons."""
    first = proposed(desk, work)
    codes = pick(desk.picker, first)
    st.text_input(
        "Comment", key=desk.comment, placeholder="Comment (kept, never exported)",
        label_visibility="collapsed", max_chars=4000,
    )  # fmt: skip
    same = desk.filed is not None and set(codes) == set(desk.filed)
    blind = desk.stage == "blind"
    with st.container(horizontal=True, gap="small", key="label-buttons"):
        if blind:
            _button("Keep my reading", "E", desk, "change", primary=True)
        else:
            # Labels that were just picked would be lost: they are a change.
            picked = not same and set(codes) != set(first)
            lost = desk.filed is None or picked
            _button("Accept", "A", desk, "accept", primary=same, disabled=lost)
            _button("Change", "E", desk, "change", primary=not same, disabled=same)
        _button("Reject", "X", desk, "reject")
        _button("Unsure", "U", desk, "unsure")
    with st.container(horizontal=True, gap="small", key="label-steps"):
        st.button("Back", shortcut="K", key="label-back", on_click=label_place.step, args=(-1,))
        st.button("Skip", shortcut="S", key="label-skip", on_click=label_place.step, args=(1,))
        mine = [
            one for one in work.reviews
            if one.reviewer == work.person and one.decision.action != "withdraw"
            and one in current(work.reviews_of(one.decision.recording))
        ]  # fmt: skip
        last = mine[-1] if mine else None
        st.button(
            "Undo my last", shortcut="Z", key="label-undo", disabled=last is None,
            on_click=_take_back, args=(work.person, last, _last_number(work, last)),
        )  # fmt: skip


def _last_number(work: Work, review: Review | None) -> int:
    return work.reviews_of(review.decision.recording)[-1].number if review else 0


def _button(
    name: str,
    key: str,
    desk: Desk,
    action: Action,
    *,
    primary: bool = False,
    disabled: bool = False,
) -> None:
    st.button(
        name, shortcut=key, key=f"label-{action}", type="primary" if primary else "secondary",
        disabled=disabled, on_click=_decide, args=(desk, action),
    )  # fmt: skip


def _decide(desk: Desk, action: Action) -> None:
    """Keep a decision and go on; where it cannot be kept, say why and stay."""
    codes: tuple[str, ...] = ()
    if action == "accept":
        codes = desk.filed or ()
    elif action == "change":
        codes = tuple(st.session_state.get(desk.picker, ()))
    try:
        decision = Decision(
            desk.recording, action, codes,
            comment=str(st.session_state.get(desk.comment) or ""),
            seconds=label_place.seconds_spent(), evidence=desk.evidence, stage=desk.stage,
            revises=desk.revises, seen=desk.seen,
        )  # fmt: skip
        kept = label_services.store().decide(desk.person, decision)
    except (Conflict, Forbidden, ReviewError) as error:
        label_place.complain(error)
        return
    st.session_state["label-kept"] = f"Kept as no. {kept.number}: {_said(kept)}."
    label_place.forget_complaint()
    if desk.stage != "blind" or action != "change":
        label_place.step(1)


def _take_back(person: str, review: Review, seen: int) -> None:
    """Withdraw a decision by a new one, and open its recording again."""
    decision = Decision(
        review.decision.recording, "withdraw", label_set=review.decision.label_set,
        revises=review.number, seen=seen,
        stage="adjudication" if review.decision.stage == "adjudication" else "open",
    )  # fmt: skip
    try:
        kept = label_services.store().decide(person, decision)
    except (Conflict, Forbidden, ReviewError) as error:
        label_place.complain(error)
        return
    label_place.go_to(review.decision.recording)
    st.session_state["label-kept"] = f"No. {review.number} is taken back by no. {kept.number}."


def _said(review: Review) -> str:
    codes = ", ".join(review.decision.codes) or "no label"
    told = _ACTION_WORDS[review.decision.action]
    return f"{told} {codes}" if review.decision.action in ("accept", "change") else told


def show_history(desk: Desk, work: Work, *, hidden: bool) -> None:
    """Every decision about the recording; others' are hidden from who reads independently."""
    reviews = [
        one for one in work.reviews_of(desk.recording) if not hidden or one.reviewer == work.person
    ]
    standing = {one.number for one in current(work.reviews_of(desk.recording))}
    for one in reversed(reviews):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            when = one.decided_at[:16].replace("T", " ")
            stage = "" if one.decision.stage == "open" else f" ({one.decision.stage})"
            line = f"no. {one.number}, {when} UTC, {one.reviewer}{stage}: {_said(one)}"
            line += f" — {one.decision.comment}" if one.decision.comment else ""
            st.text(line if one.number in standing else f"{line} [no longer stands]")
            own = one.reviewer == work.person and one.number in standing
            if own and one.decision.action != "withdraw":
                st.button(
                    "Take back", key=f"label-withdraw-{one.number}", type="tertiary",
                    on_click=_take_back, args=(work.person, one, _last_number(work, one)),
                )  # fmt: skip
