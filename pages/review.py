"""Review: the ECG on paper, and beside it what a model says and why."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from ecgcore.recording import Recording, RecordingError
from ecgcore.ui import (
    controls,
    evidence,
    findings,
    head,
    navigation,
    services,
    signal_panel,
    style,
)
from ecgcore.ui.paper_view import paper_column, show_paper
from ecgcore.ui.stating import ask_to_state, offer_to_restate
from ecgcore.workspace import Entry


@st.fragment
def lightbox(recording: Recording, entry: Entry) -> None:
    """Controls, paper and findings: a click in here reruns only this."""
    navigation.follow(entry)
    options = controls.paper_options(recording, style.dark())
    with st.container(horizontal=True, key="lightbox", gap="medium", wrap=False):
        paper = paper_column(recording, options)
        panel = st.container(horizontal=True, key="panel")
    with panel:
        model_column = st.container(key="findings-column")
        rules_column = st.container(key="rules-column")
    with model_column:
        model, method = findings.choices(services.model_names())
        status = st.container(key="status").empty()
        answers = findings.place(model, recording)
        moved = st.container(key="moved", gap=None)
    with rules_column:
        rules = st.container(key="rules", gap=None)
    # The paper comes first, unless it must wait for evidence that takes its time.
    waits = evidence.is_waited_for(model, recording, method)
    if model and waits and st.session_state.get("drawn") != recording.source.sha256:
        # Another recording is still on the paper: that must not wait below this one's name.
        findings.forget_overlay(model, recording)
        waits = False
    if model and waits:
        show_answers(model, recording, answers, status)
    shown = evidence.chosen_evidence(model, recording, method, status)
    with paper:
        explanation = None if isinstance(shown, services.Declined) else shown
        show_paper(recording, options, signal_panel.marked(recording, options, explanation))
        st.session_state["drawn"] = recording.source.sha256
        evidence.show_reading(recording, shown)
        below = st.container(gap="small")
    if model and not waits:
        show_answers(model, recording, answers, status)
    with rules:
        signal_panel.show_rules(recording)
    with below:
        signal_panel.show_below(recording, options)
    if model:
        with moved:
            evidence.show_measured(model, recording)
        with paper:
            evidence.show_topography(model, options.dark)


def show_answers(
    model: str, recording: Recording, place: DeltaGenerator, status: DeltaGenerator
) -> None:
    """What the model says, or why it says nothing."""
    answer = services.prediction(model, recording)
    with place.container(key="findings"):
        if isinstance(answer, services.Declined):
            findings.show_declined(model, answer)
            evidence.say_nothing(status)
        else:
            findings.show_findings(answer, recording)


def review(here: navigation.Position) -> None:
    """The open recording, or the sentence that says why it cannot be trusted."""
    top = st.container(horizontal=True, key="top", vertical_alignment="center", gap="medium")
    with top:
        navigation.leaf_buttons(here)
    try:
        recording = services.open_recording(here.entry)
    except RecordingError as refusal:
        with top:
            head.show_name(here)
        ask_to_state(here.entry, refusal)
        return
    with top:
        head.show_head(recording, here)
        offer_to_restate(here.entry, recording)
    head.show_remarks(recording, head.known_remarks(recording))
    lightbox(recording, here.entry)
    if here.following is not None:
        services.prefetch(here.following, st.session_state.get("model"))


style.dress_page()
opened = navigation.position()
if opened is None:
    st.info("No recording is open. Choose one from the work list.")
    st.page_link(navigation.WORK_LIST_PAGE, label="Go to the work list")
else:
    review(opened)
