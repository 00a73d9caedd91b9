"""The data of a run: found ones, reviewed labels, and a folder looked through beside the page."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path
from threading import Thread

import streamlit as st

from ecgcore.datasets.data_facts import (
    DataFacts,
    facts_of_packed,
    facts_of_snapshot,
    joined_facts,
)
from ecgcore.datasets.packed import PackedDataError
from ecgcore.datasets.packing import PackProgress
from ecgcore.datasets.record import DataSetError
from ecgcore.datasets.scanning import Found, find_in, pack_place, packed_files, scanned
from ecgcore.recording_index import file_stamp
from ecgcore.review.snapshots import TakenSnapshot, read_snapshot, snapshots
from ecgcore.review.values import ReviewError
from ecgcore.review_work import snapshots_folder
from ecgcore.storage import write_json
from ecgcore.ui import label_services, services
from ecgcore.ui.markdown import plain
from ecgcore.ui.memory import Memory

_REMEMBERED = "train_data.json"


@dataclass
class _Look:
    """A folder that is looked through in a thread of the server."""

    found: Found
    place: Path
    progress: PackProgress | None = None
    error: str = ""
    over: bool = False
    wanted: bool = True


@cache
def _looks() -> dict[Path, _Look]:
    return {}


@cache
def _facts() -> Memory[DataFacts]:
    return Memory(64)


def found_files() -> tuple[str, ...]:
    """Packed files of the workspace, and those that were found in a folder; whole paths."""
    root = services.workspace().root
    packs = packed_files(root / "packs") if (root / "packs").is_dir() else ()
    kept = [path for path in packs if not path.name.startswith("snapshot-")]
    remembered = [Path(text) for text in _remembered() if Path(text).is_file()]
    return tuple(dict.fromkeys(str(path.absolute()) for path in [*remembered, *kept]))


def remember(paths: tuple[Path, ...]) -> None:
    """Offer these files from now on."""
    known = [*_remembered(), *(str(path.absolute()) for path in paths)]
    write_json(services.workspace().root / _REMEMBERED, list(dict.fromkeys(known)))


def _remembered() -> list[str]:
    try:
        value = json.loads((services.workspace().root / _REMEMBERED).read_bytes())
    except (OSError, ValueError):
        return []
    return [text for text in value if isinstance(text, str)] if isinstance(value, list) else []


def taken_snapshots(person: str) -> tuple[TakenSnapshot, ...]:
    """Snapshots of statements, the newest first."""
    known = snapshots(label_services.store(), person)[::-1]
    return tuple(one for one in known if one.label_set == "statements")


def facts_of(data: tuple[str, ...], snapshot: str | None) -> DataFacts:
    """The facts of chosen data. Raises PackedDataError, ReviewError."""
    parts = [_packed_facts(Path(text)) for text in data]
    if snapshot:
        folder = snapshots_folder(services.workspace())
        name = f"snapshot {snapshot[:8]}"
        parts.append(
            _facts().get(snapshot, lambda: facts_of_snapshot(read_snapshot(folder, snapshot), name))
        )
    return joined_facts(parts)


def _packed_facts(path: Path) -> DataFacts:
    try:
        stamp = file_stamp(path)
    except OSError as error:
        raise PackedDataError(f"{path} is not there any more; choose other data") from error
    return _facts().get((path, stamp), lambda: facts_of_packed(path))


def name_of(path: str) -> str:
    """A packed file for people: its folder and its name."""
    where = Path(path)
    return where.stem if where.parent.name == "packs" else f"{where.parent.name}/{where.name}"


def show_chosen(data: tuple[str, ...]) -> None:
    """The chosen files with their recordings, one a line."""
    lines = []
    for path in data:
        try:
            said = f"{_packed_facts(Path(path)).records:,} recordings"
        except PackedDataError as error:
            said = str(error)
        lines.append(f"<div>{escape(name_of(path))}: {escape(said)}</div>")
    # Always there, so that what follows keeps its place and state.
    st.html(f'<div class="lightbox-small">{"".join(lines) or "No data chosen."}</div>')


@st.fragment(run_every=None)
def _quiet() -> None:
    _folder_form()


@st.fragment(run_every=1.0)
def _busy() -> None:
    _folder_form()


def show_folder_look(allowed: bool) -> None:
    """The field for a folder, and how far the looking is; it goes on without the page."""
    if not allowed:
        return
    with st.expander(
        "Add data from a folder", icon=":material/create_new_folder:", expanded=bool(_looks()),
        key="train-folder-look",
    ):  # fmt: skip
        working = any(not look.over for look in _looks().values())
        (_busy if working else _quiet)()


def _folder_form() -> None:
    with st.form("train-folder", border=False):
        text = st.text_input(
            "Folder",
            placeholder="/path/to/a/folder",
            help="Packed files, a public data set as published, or any WFDB, DICOM, CSV or NPZ "
            "recordings. Files are read in place. Recordings are looked through one by one into "
            "one packed file of the workspace; broken off, it goes on where it was.",
        )
        if st.form_submit_button("Look through"):
            _look_through(text)
    for folder, look in list(_looks().items()):
        _show_look(folder, look)


def _look_through(text: str) -> None:
    folder = Path(text.strip()).expanduser() if text.strip() else None
    if folder is None:
        st.warning("Give the full path of a folder.")
        return
    try:
        found = find_in(folder)
        if found.packed:
            remember(found.packed)
            st.session_state["train-found"] = [str(path.absolute()) for path in found.packed]
            st.rerun(scope="app")
    except (DataSetError, OSError) as error:
        st.error(plain(str(error)))
        return
    before = _looks().get(folder)
    if before is None or before.over:
        look = _Look(found, pack_place(found, services.workspace().root / "packs"))
        _looks()[folder] = look
        Thread(target=_work, args=(look,), daemon=True, name=f"look {folder.name}").start()
        st.rerun(scope="app")


def _work(look: _Look) -> None:
    """Look through in a thread; a server that ends leaves a part that is gone on with."""
    steps = scanned(look.found, look.place.parent)
    try:
        for progress in steps:
            look.progress = progress
            if not look.wanted:
                steps.close()
                look.error = "Stopped. Looking through the folder again goes on from here."
                return
    except (DataSetError, ValueError, OSError) as error:
        look.error = str(error)
    finally:
        look.over = True


def _show_look(folder: Path, look: _Look) -> None:
    st.markdown(f"**{plain(folder.name)}**: {plain(look.found.title)}")
    done = look.progress
    if not look.over:
        share = done.done / max(done.total, 1) if done else 0.0
        said = f"{done.done:,} of {done.total:,}, {done.records:,} fit" if done else "Listing …"
        st.progress(min(share, 1.0), text=said)
        if st.button("Stop looking", key=f"train-stop-{folder}"):
            look.wanted = False
        return
    if look.error:
        st.warning(plain(look.error))
    else:
        facts = _packed_facts(look.place)
        st.success(f"{facts.records:,} recordings are ready.", icon=":material/check:")
        show_left_out(facts)
    if st.button("Close", key=f"train-close-{folder}"):
        _looks().pop(folder, None)
        st.rerun(scope="app")
    if not look.error and str(look.place) not in st.session_state.get("train-told", []):
        told = [*st.session_state.get("train-told", []), str(look.place)]
        st.session_state["train-told"] = told
        st.session_state["train-found"] = [str(look.place.absolute())]
        st.rerun(scope="app")


def show_left_out(facts: DataFacts) -> None:
    """What could not be taken, by reason, with the first names."""
    lines = []
    for one in facts.left_out[:8]:
        names = ", ".join(one.first) + (" …" if one.count > len(one.first) else "")
        reason = one.reason.partition(" Allowed: ")[0]
        lines.append(f"{one.count} left out: {reason} ({names})")
    if len(facts.left_out) > 8:
        lines.append(f"{len(facts.left_out) - 8} more reasons; the pack's header has them all.")
    told = "".join(f"<div>{escape(line)}</div>" for line in lines)
    if told:
        st.html(f'<div class="lightbox-small train-left-out">{told}</div>')


def show_counts(facts: DataFacts, names: str, training: list[int], validation: list[int]) -> None:
    """Recordings of each label in the folds of training and validation, and in every fold."""
    told = facts.positives_in(names, training)
    scored, whole = facts.positives_in(names, validation), facts.positives_in(names, facts.folds)
    each = {fold: facts.positives_in(names, (fold,)) for fold in facts.folds}
    st.dataframe(
        {
            "Label": [code for _, code in told],
            "Set": [name for name, _ in told],
            "All": list(whole.values()),
            "Training": list(told.values()),
            "Validation": list(scored.values()),
            **{f"Fold {fold}": list(counts.values()) for fold, counts in each.items()},
        },
        hide_index=True,
        height=320,
        key="train-counts",
        alt="Recordings with each label, by fold",
    )


__all__ = [
    "DataFacts",
    "PackedDataError",
    "ReviewError",
    "facts_of",
    "found_files",
    "name_of",
    "remember",
    "show_chosen",
    "show_counts",
    "show_folder_look",
    "show_left_out",
    "taken_snapshots",
]
