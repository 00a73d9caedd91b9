"""Several annotators on the page: rounds, progress, agreement, who is how reliable, roles."""

from __future__ import annotations

import streamlit as st

from ecgcore.labels import statements
from ecgcore.review.agreement import Kappa, calibration, label_kappas
from ecgcore.review.people import ROLES, may
from ecgcore.review.rounds import adjudicated, answers_of, assign, honeypots, set_honeypots
from ecgcore.review_work import LABEL_SET
from ecgcore.ui import label_services
from ecgcore.ui.label_imports import FORM_WIDTH, attempt, import_tables
from ecgcore.ui.label_reports import offer_quality_report
from ecgcore.ui.label_services import Work
from ecgcore.ui.markdown import plain


def show_agreement(work: Work) -> None:
    """Progress, agreement by label, and each person against what was settled."""
    blind = st.toggle("What was read blind only", key="team-blind")
    answers = answers_of(work.reviews, blind=blind)
    _progress(work)
    offer_quality_report(work)
    if len(answers) < 2:
        st.info("Agreement takes two people who have read the same recordings.")
        return
    used = {code for told in answers.values() for codes in told.values() for code in codes}
    codes = tuple(one.code for one in statements() if one.code in used)
    kappas = {code: one for code, one in label_kappas(answers, codes).items() if one.recordings}
    if not kappas:
        st.info("No recording has been read by two people yet.")
        return
    kind = "Cohen’s" if len(answers) == 2 else "Fleiss’"
    st.subheader(f"Agreement by label: {kind} kappa", anchor=False)
    st.dataframe(
        {
            "Label": list(kappas),
            "Kappa": [one.value for one in kappas.values()],
            "95 % interval": [_interval(one) for one in kappas.values()],
            "Same answer, %": [100 * (one.agreed or 0.0) for one in kappas.values()],
            "Read by two or more": [one.recordings for one in kappas.values()],
        },
        hide_index=True,
        column_config={
            "Kappa": st.column_config.NumberColumn(format="%.2f"),
            "Same answer, %": st.column_config.NumberColumn(format="%.0f"),
        },
        key="team-kappas",
        alt="Agreement beyond chance of each label",
    )
    _calibration(work, answers)


def _interval(one: Kappa) -> str:
    return (
        "not defined" if one.interval is None else f"{one.interval[0]:.2f} to {one.interval[1]:.2f}"
    )


def _progress(work: Work) -> None:
    states = [one.standing.state for one in work.items]
    decided = sum(state != "undecided" for state in states)
    st.progress(
        decided / max(len(states), 1),
        text=f"{decided} of {len(states)} recordings decided, {states.count('disputed')} disputed, "
        f"{states.count('unsure')} unsure, {states.count('rejected')} rejected",
    )
    rows: dict[str, list[object]] = {"Round": [], "Person": [], "Asked": [], "Read": []}
    done = {(one.reviewer, one.decision.recording) for one in work.reviews}
    rounds = dict.fromkeys((one.round, one.reviewer) for one in work.assignments)
    for name, person in rounds:
        asked = [one for one in work.assignments if (one.round, one.reviewer) == (name, person)]
        read = sum((person, one.recording) in done for one in asked)
        for column, value in zip(rows.values(), (name, person, len(asked), read), strict=True):
            column.append(value)
    if rows["Round"]:
        st.dataframe(rows, hide_index=True, key="team-rounds", alt="Progress of each round")


def _calibration(work: Work, answers: dict[str, dict[str, frozenset[str]]]) -> None:
    known = dict(adjudicated(work.reviews))
    store = label_services.store()
    if may(work.role, "assign"):
        known |= honeypots(store, work.person, LABEL_SET)
    found = calibration(answers, known)
    st.subheader("Each person against what was settled without them", anchor=False)
    st.caption(
        "Against adjudications and known answers; elsewhere against what all others agree about."
    )
    st.dataframe(
        {
            "Person": [one.person for one in found],
            "Recordings": [one.recordings for one in found],
            "Just the same labels": [one.exact for one in found],
            "Labels found, %": [_percent(one.sensitivity) for one in found],
            "Labels right, %": [_percent(one.precision) for one in found],
            "Missed": [one.missed for one in found],
            "Too many": [one.added for one in found],
        },
        hide_index=True,
        column_config={
            name: st.column_config.NumberColumn(format="%.0f")
            for name in ("Labels found, %", "Labels right, %")
        },
        key="team-calibration",
        alt="Each annotator against what was settled",
    )


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share


def show_team(work: Work) -> None:
    """Give out a round, set known answers, grant roles; each only to who may."""
    store = label_services.store()
    st.markdown(f"You are **{plain(work.person)}**, {work.role}.")
    if not may(work.role, "assign"):
        st.info("Only an administrator gives out rounds and roles.")
        return
    with st.form("team-round", width=FORM_WIDTH):
        st.subheader("Give out a round", anchor=False)
        name = st.text_input("Name of the round", max_chars=100)
        people = st.text_input("People, separated by commas")
        overlap = st.number_input("People for each recording", 1, 10, 2)
        count = st.number_input(
            "Recordings, the first in the queue’s order", 1, max(len(work.items), 1),
            min(len(work.items), 50) or 1,
        )  # fmt: skip
        if st.form_submit_button("Give out"):
            queue = st.session_state.get("label-order") or tuple(
                one.recording for one in work.items
            )
            attempt(
                lambda: assign(
                    store, work.person, name.strip(), queue[: int(count)],
                    [one.strip() for one in people.split(",") if one.strip()],
                    overlap=int(overlap),
                ),
                f"Round {name.strip()} is given out.",
            )  # fmt: skip
    import_tables(work)
    settled = adjudicated(work.reviews)
    if settled and st.button(
        f"Use the {len(settled)} adjudicated recordings as known answers", key="team-honeypots"
    ):
        attempt(lambda: set_honeypots(store, work.person, settled), "Known answers are set.")
    with st.form("team-roles", width=FORM_WIDTH):
        st.subheader("Roles", anchor=False)
        for person, has in store.people(work.person).items():
            st.text(f"{person}: {has}")
        person = st.text_input("Person", max_chars=200)
        wanted = st.selectbox("Role", ROLES)
        if st.form_submit_button("Grant"):
            attempt(
                lambda: store.grant(work.person, person.strip(), wanted),
                f"{person.strip()} is {wanted} from now on.",
            )
