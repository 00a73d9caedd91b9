"""Snapshots on the page: take one, train on it, and see what its labels changed."""

from __future__ import annotations

from functools import cache

import streamlit as st

from ecgcore.datasets.record import DataSetError
from ecgcore.evaluation.comparison import Difference
from ecgcore.label_training import TEST_FOLD, Change, change, model_folder, train_on_snapshot
from ecgcore.models.card import CardError
from ecgcore.review.exchange import FORMS, export
from ecgcore.review.people import Forbidden, may
from ecgcore.review.snapshots import (
    TakenSnapshot,
    differing,
    read_snapshot,
    snapshots,
    take_snapshot,
)
from ecgcore.review.values import ReviewError
from ecgcore.review_work import snapshots_folder
from ecgcore.training.checkpoint import TrainingError
from ecgcore.ui import label_services, services
from ecgcore.ui.label_services import Work
from ecgcore.ui.markdown import plain
from ecgcore.ui.memory import Memory

_SETS = ("superclasses", "statements")
_SUFFIX = {"csv": "csv", "ptbxl": "csv", "wfdb": "txt", "cleanlab": "csv"}


def show_snapshots(work: Work) -> None:
    """Everything about snapshots."""
    person = work.person
    store = label_services.store()
    with st.container(horizontal=True, vertical_alignment="bottom", key="snapshot-take"):
        disputes = st.segmented_control(
            "Disputed recordings", ("leave out", "as on file"), default="leave out", required=True,
            key="snapshot-disputes", format_func=str.capitalize,
        )  # fmt: skip
        if st.button(
            "Take a snapshot", type="primary", key="snapshot-now",
            disabled=not may(work.role, "snapshot"),
        ):  # fmt: skip
            _take(person, disputes or "leave out")
    known = snapshots(store, person)
    if not known:
        st.info(
            "No snapshot yet. A snapshot holds the labels as they stand now, in a file that never "
            "changes; training names it by its hash."
        )
        return
    _table(known)
    _train(known)
    _compare(known)
    _export(work, known)


def _take(person: str, disputes: str) -> None:
    folder = snapshots_folder(services.workspace())
    try:
        taken = take_snapshot(
            label_services.store(), person, folder,
            disputes="as on file" if disputes == "as on file" else "leave out",
        )  # fmt: skip
    except (ReviewError, Forbidden, OSError) as error:
        st.error(plain(str(error)))
        return
    st.success(f"Snapshot {taken.hash[:16]} holds {len(taken.rows)} recordings.")


def _name(one: TakenSnapshot) -> str:
    return f"{one.hash[:8]} · {one.taken_at[:16].replace('T', ' ')} · {one.taken_by}"


def _table(known: tuple[TakenSnapshot, ...]) -> None:
    statuses = ("on file", "confirmed", "changed", "adjudicated", "left out")
    newest = known[::-1]
    st.dataframe(
        {
            "Snapshot": [one.hash[:16] for one in newest],
            "Taken, UTC": [one.taken_at[:16].replace("T", " ") for one in newest],
            "By": [one.taken_by for one in newest],
            **{name.capitalize(): [one.counts.get(name, 0) for one in newest] for name in statuses},
        },
        hide_index=True,
        key="snapshot-table",
        alt="Snapshots and how many recordings are of each status",
    )


def _choose(label: str, known: tuple[TakenSnapshot, ...], key: str, last: int) -> TakenSnapshot:
    """One of the snapshots, newest first; a new snapshot is offered at once."""
    newest = known[::-1]
    return st.selectbox(
        label,
        newest,
        index=min(last, len(newest) - 1),
        format_func=_name,
        key=f"{key}-{len(known)}",
        width=330,
    )


def _train(known: tuple[TakenSnapshot, ...]) -> None:
    st.subheader("Train on a snapshot", anchor=False)
    with st.container(horizontal=True, vertical_alignment="bottom", key="snapshot-train"):
        chosen = _choose("Snapshot", known, "snapshot-to-train", 0)
        label_set = st.selectbox("Labels", _SETS, key="snapshot-set", width=170)
        start = st.button("Train", key="snapshot-start", type="primary")
    if not start:
        return
    with st.status("Training …", expanded=True) as status:
        try:
            folder = train_on_snapshot(services.workspace(), chosen.hash, label_set, st.write)
        except (ReviewError, DataSetError, TrainingError, CardError, ValueError, OSError) as error:
            status.update(label=f"Not trained: {plain(str(error))}", state="error")
            return
        status.update(label=f"Trained: {folder.parent.name}", state="complete", expanded=False)


def _compare(known: tuple[TakenSnapshot, ...]) -> None:
    here, label_set = services.workspace(), st.session_state.get("snapshot-set") or _SETS[0]
    trained = tuple(
        one for one in known if (model_folder(here, one.hash, label_set) / "card.json").is_file()
    )
    st.subheader("What the labels changed", anchor=False)
    if len(trained) < 2:
        st.caption(
            f"Train on two snapshots ({label_set}): both models are then scored on fold "
            f"{TEST_FOLD}, which neither has seen, by the labels of the later one."
        )
        return
    with st.container(horizontal=True, vertical_alignment="bottom", key="snapshot-compare"):
        before = _choose("Before", trained, "snapshot-before", 1)
        after = _choose("After", trained, "snapshot-after", 0)
    if before.hash == after.hash:
        st.caption("Choose two different snapshots.")
        return
    try:
        key = (here.root, before.hash, after.hash, label_set)
        with st.spinner("Scoring both models …"):
            found = _changes().get(key, lambda: change(here, before.hash, after.hash, label_set))
        folder = snapshots_folder(here)
        moved = differing(read_snapshot(folder, before.hash), read_snapshot(folder, after.hash))
    except (ReviewError, DataSetError, CardError, ValueError) as error:
        st.error(plain(str(error)))
        return
    _show_change(found, moved)


@cache
def _changes() -> Memory[Change]:
    return Memory(16)


def _show_change(found: Change, moved: dict[str, tuple[int, int]]) -> None:
    rows = [one for one in found.classes if one.before is not None]
    silent = [one.code for one in found.classes if one.before is None]
    tests = found.classes[0].n_test if found.classes else 0
    st.markdown(
        f"Mean AUROC on the {tests} recordings of fold {TEST_FOLD}: {_difference(found.mean)}. "
        "Intervals are 95 %, by paired bootstrap."
    )
    st.dataframe(
        {
            "Label": [one.code for one in rows],
            "Positives": [one.n_positive for one in rows],
            "AUROC before": [one.before for one in rows],
            "AUROC after": [one.after for one in rows],
            "Change": [_difference(one.difference) for one in rows],
        },
        hide_index=True,
        column_config={
            "AUROC before": st.column_config.NumberColumn(format="%.3f"),
            "AUROC after": st.column_config.NumberColumn(format="%.3f"),
        },
        key="snapshot-change",
        alt="AUROC of each label before and after",
    )
    if silent:
        st.caption(f"Not scored, one class is absent from the fold: {', '.join(silent)}.")
    if moved:
        told = "; ".join(f"{code} −{lost} +{won}" for code, (lost, won) in moved.items())
        st.caption(f"Labels that differ between the snapshots: {told}.")


def _difference(one: Difference) -> str:
    if one.difference is None or one.interval is None:
        return "not known"
    return f"{one.difference:+.3f} [{one.interval[0]:+.3f}, {one.interval[1]:+.3f}]"


def _export(work: Work, known: tuple[TakenSnapshot, ...]) -> None:
    st.subheader("Export", anchor=False)
    store = label_services.store()
    with st.container(horizontal=True, vertical_alignment="bottom", key="snapshot-export"):
        chosen = _choose("Snapshot", known, "snapshot-to-export", 0)
        form = st.selectbox("Form", FORMS, key="snapshot-form", width=130)
        named = st.toggle(
            "With the recordings' names", key="snapshot-named",
            disabled=not may(work.role, "export identifiers"),
            help="Names may identify patients. Comments and reviewers are never exported.",
        )  # fmt: skip
        try:
            snapshot = read_snapshot(snapshots_folder(services.workspace()), chosen.hash)
            data = export(snapshot, form, store.names(work.person) if named else None)
        except (ReviewError, Forbidden) as error:
            st.error(plain(str(error)))
            return
        st.download_button(
            "Download", data, key="snapshot-download",
            file_name=f"labels-{chosen.hash[:8]}-{form}.{_SUFFIX[form]}",
        )  # fmt: skip
