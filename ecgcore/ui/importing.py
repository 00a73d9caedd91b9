"""Bringing recordings in: dropped files and folders, with a sentence for each that is refused."""

from __future__ import annotations

from html import escape
from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from ecgcore.readers.opening import NamedBytes, Refusal
from ecgcore.ui import services
from ecgcore.ui.stating import show_refusal
from ecgcore.workspace import Entry, Listing, WorkspaceError

_SHOWN_REFUSALS = 20


def drop_files() -> DeltaGenerator:
    """The place to drop files; the answer is where ``show_outcome`` says what came of them."""
    generation: int = st.session_state.setdefault("drop", 0)
    dropped = st.file_uploader(
        "Recordings: WFDB (.hea with .dat or .mat, or a zip), DICOM, CSV, NPZ",
        accept_multiple_files=True,
        key=f"drop-{generation}",
    )
    if dropped:
        files = [NamedBytes(file.name, file.getvalue()) for file in dropped]
        with st.spinner("Reading …"):
            st.session_state["dropped"] = services.workspace().add(files)
        st.session_state["drop"] = generation + 1
        st.rerun()
    return st.container()


def show_outcome(listing: Listing) -> None:
    """What came of the last dropped files, as the work list knows them now."""
    outcome: tuple[Entry | Refusal, ...] = st.session_state.get("dropped", ())
    added = [one for one in outcome if isinstance(one, Entry)]
    refused = [one for one in outcome if isinstance(one, Refusal)]
    if added:
        names = ", ".join(entry.name for entry in added[:5]) + (" …" if len(added) > 5 else "")
        st.success(f"Imported {len(added)}: {names}", icon=":material/check:")
    for entry in added:
        listed = listing.find(entry.key)
        if listed and listed.summary and listed.summary.state == "unstated":
            st.warning(
                f"**{entry.name}** does not say its sampling rate or unit: "
                "open it from the list to state them.",
                icon=":material/help:",
            )
    for refusal in refused[:_SHOWN_REFUSALS]:
        show_refusal(refusal.name, refusal.error)
    if len(refused) > _SHOWN_REFUSALS:
        st.error(f"{len(refused) - _SHOWN_REFUSALS} more files were not read.")


def add_folder() -> None:
    """The field for a folder, and the folders that were added, each with a way to take it off."""
    workspace = services.workspace()
    with st.form("add-folder", border=False, clear_on_submit=True), st.container(horizontal=True):
        text = st.text_input(
            "Folder", placeholder="/path/to/a/folder of recordings", label_visibility="collapsed"
        )
        asked = st.form_submit_button("Add folder")
    st.html('<div class="lightbox-small">Read in place, never copied.</div>')
    if asked:
        try:
            workspace.add_folder(text)
        except WorkspaceError as error:
            st.error(str(error), icon=":material/block:")
    for folder in workspace.folders():
        _show_folder(folder)


def _show_folder(folder: Path) -> None:
    workspace = services.workspace()
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.html(
            f'<div class="lightbox-path" title="{escape(str(folder))}">{escape(str(folder))}</div>'
        )
        st.button(
            "Remove",
            key=f"remove-{folder}",
            type="tertiary",
            on_click=workspace.remove_folder,
            args=(folder,),
            help="Take this folder off the work list. Its files stay as they are.",
        )
