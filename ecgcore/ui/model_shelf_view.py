"""On and off the review page, out as ONNX, and in from a folder."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from ecgcore.model_shelf import ShelfModel, publish, publish_files, put_back, withdraw
from ecgcore.models.card import CARD, MODEL_NAME, WEIGHTS, CardError
from ecgcore.models.validation_answers import VALIDATION
from ecgcore.ui import label_services, model_services
from ecgcore.ui.markdown import plain
from ecgcore.ui.model_services import Visitor
from ecgcore.ui.model_setting import done_and_said

_WIDTH = 620


def show_actions(model: ShelfModel, visitor: Visitor, below: DeltaGenerator) -> None:
    """Publish, withdraw or put back, and the export; what is being checked or refused is said
    ``below``, where it moves no button."""
    if visitor.may("publish"):
        _publishing(model, visitor, below)
    else:
        st.caption(
            f"Your role is {visitor.role}; models are published by an administrator.",
            width="content",
        )
    if model.card is not None:
        _exporting(model, below)


def _publishing(model: ShelfModel, visitor: Visitor, below: DeltaGenerator) -> None:
    store, person = label_services.store(), visitor.person
    if model.origin == "run":
        named = model.name if model.card is None else model.card.name
        proposed = named if MODEL_NAME.fullmatch(named) else ""
        name = st.text_input(
            "Name on the review page",
            value=proposed,
            max_chars=60,
            key=f"as-{model.key}",
            width=220,
            label_visibility="collapsed",
            placeholder="Name on the review page",
        )
        if st.button("Publish", type="primary", key="model-publish", disabled=model.card is None):
            with below, st.spinner("Checking the model …"):
                done_and_said(
                    partial(publish, store, person, model.folder, name.strip()),
                    f"{name.strip()} is on the review page.",
                    open_next=name.strip(),
                    refused_in=below,
                )
    elif model.shown:
        if st.button("Withdraw from the review page", key="model-withdraw"):
            done_and_said(
                partial(withdraw, store, person, model.name),
                f"{model.name} is withdrawn: nobody is offered it, and it can be put back here.",
                refused_in=below,
            )
    elif st.button("Put back on the review page", type="primary", key="model-put-back"):
        done_and_said(
            partial(put_back, store, person, model.name),
            f"{model.name} is on the review page.",
            refused_in=below,
        )


def _exporting(model: ShelfModel, below: DeltaGenerator) -> None:
    """The file is made and checked at the first button, and downloaded with the second."""
    if not model_services.is_exported(model):
        if not st.button(
            "Export as ONNX",
            key="model-export",
            help="Network and calibration as one file for other programs, checked against this "
            "one on 100 simulated recordings. Takes up to half a minute.",
        ):
            return
        with st.spinner("Writing the file and checking its answers …"):
            try:
                model_services.exported(model)
            except CardError as error:
                below.error(plain(str(error)))
                return
        st.rerun()
    made = model_services.exported(model)
    st.download_button(
        f"Save {model.name}.onnx ({len(made.data) / 1e6:.1f} MB)",
        made.data,
        file_name=f"{model.name}.onnx",
        mime="application/octet-stream",
        key="model-onnx",
        icon=":material/download:",
        on_click="ignore",
    )
    st.html(
        f'<div class="lightbox-small model-state">Checked on {made.records} simulated recordings: '
        f"differs by {made.difference:.1e} at most</div>",
        width="content",
    )


def show_bringing_in(visitor: Visitor) -> None:
    """A model of another computer, from a folder of this one or from its files."""
    if not visitor.may("publish"):
        st.info(f"Your role is {visitor.role}; models are brought in by an administrator.")
        return
    st.markdown(
        f"A model is a folder of `{CARD}`, `{WEIGHTS}` and, for curves and comparisons, "
        f"`{VALIDATION}`: what a training run leaves in `runs/NAME/model`. It is checked before it "
        "is taken: the card must be whole and say that it is for research only, the weights must "
        "be the card’s and fit the network, and its numbers must follow from its answers. Nothing "
        "in it is ever run as a program."
    )
    by_path, by_files = st.columns(2, gap="large")
    with by_path, st.form("bring-folder", width=_WIDTH):
        st.subheader("From a folder on this computer", anchor=False)
        path = st.text_input("Path of the model’s folder", key="bring-path")
        name = st.text_input("Name here (empty: the card’s)", max_chars=60, key="bring-path-name")
        if st.form_submit_button("Check and publish", type="primary"):
            _bring_folder(path.strip(), name.strip(), visitor)
    with by_files, st.form("bring-files", width=_WIDTH):
        st.subheader("From its files", anchor=False)
        files = st.file_uploader(
            f"{CARD}, {WEIGHTS}, {VALIDATION}",
            type=["json", "safetensors", "npz"],
            accept_multiple_files=True,
            key="bring-files-given",
        )
        name = st.text_input("Name here (empty: the card’s)", max_chars=60, key="bring-files-name")
        if st.form_submit_button("Check and publish", type="primary"):
            held = {one.name: one.getvalue() for one in files}
            if len(held) != len(files):
                st.error("Two of the files have the same name; give each once.")
                return
            with st.spinner("Checking the model …"):
                done_and_said(
                    lambda: publish_files(
                        label_services.store(), visitor.person, held, name.strip() or None
                    ),
                    "The model is sound, and on the review page.",
                )


def _bring_folder(path: str, name: str, visitor: Visitor) -> None:
    if not path:
        st.error("No folder was given. Type the full path of a model’s folder.")
        return
    with st.spinner("Checking the model …"):
        done_and_said(
            lambda: publish(
                label_services.store(), visitor.person, Path(path).expanduser(), name or None
            ),
            "The model is sound, and on the review page.",
        )
