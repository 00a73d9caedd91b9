"""Snapshots on the page: take one, train on it, and see what its labels changed."""

from __future__ import annotations

from contextlib import suppress
from functools import cache

import streamlit as st

from ecgcore.datasets.packed import PackedDataError
from ecgcore.datasets.record import DataSetError
from ecgcore.evaluation.comparison import Difference
from ecgcore.jobs import control
from ecgcore.jobs.values import JobError, RunStatus
from ecgcore.label_training import (
    TEST_FOLD,
    Change,
    ClassChange,
    can_start,
    change,
    model_of,
    order_of,
    run_of,
)
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
from ecgcore.review_work import count_away, is_back, snapshots_folder
from ecgcore.training.options import options_from_json
from ecgcore.training.refusals import refusals
from ecgcore.ui import label_services, services
from ecgcore.ui.label_services import Work
from ecgcore.ui.markdown import plain
from ecgcore.ui.memory import Memory
from ecgcore.ui.navigation import TRAIN_PAGE, choose_run
from ecgcore.ui.train_data import facts_of
from ecgcore.ui.train_words import title

_SETS = ("superclasses", "statements")
_REFUSED = "snapshot-refused"
_LOOK_SECONDS = 2.0
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
    with suppress(OSError):  # of a full disk or a folder that may only be read
        control.tend(services.workspace())
    runs = control.runs(services.workspace())
    _train(work, known, runs)
    _compare(known, runs)
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


def _train(work: Work, known: tuple[TakenSnapshot, ...], runs: tuple[RunStatus, ...]) -> None:
    st.subheader("Train on a snapshot", anchor=False)
    with st.container(horizontal=True, vertical_alignment="bottom", key="snapshot-train"):
        chosen = _choose("Snapshot", known, "snapshot-to-train", 0)
        label_set = st.selectbox("Labels", _SETS, key="snapshot-set", width=170)
        run = run_of(runs, chosen.hash, label_set)
        st.button(
            "Train", key="snapshot-start", type="primary",
            disabled=not may(work.role, "train") or not can_start(run),
            on_click=_start, args=(work.person, chosen.hash, label_set),
        )  # fmt: skip
    refused = st.session_state.pop(_REFUSED, None)
    if refused:
        st.error(plain(refused))
    if run is not None:
        st.fragment(_show_run, run_every=_LOOK_SECONDS if run.at_work else None)(run.id, run.state)


def _start(person: str, snapshot: str, label_set: str) -> None:
    here, order = services.workspace(), order_of(snapshot, label_set, person)
    try:
        run = run_of(control.runs(here), snapshot, label_set)
        if not can_start(run):
            return  # a second click, or somebody else's
        if run is not None and run.state == "finished" and not is_back(here, run.folder):
            raise JobError(
                "The recordings that could not be read cannot be read now either; bring their disk "
                "or folder back, then train again."
            )
        reasons = refusals(options_from_json(order.options), facts_of((), snapshot))
        if reasons:
            raise JobError(" ".join(reasons))
        control.submit(here, label_services.store(), order)
    except (JobError, PackedDataError, ReviewError, Forbidden, OSError) as error:
        st.session_state[_REFUSED] = str(error)


def _show_run(run_id: str, state: str) -> None:
    """Where the run stands; when that changes, so does what stands below."""
    try:
        run = control.status(services.workspace(), run_id)
    except JobError:  # somebody removed it
        st.rerun()
    if run.state != state:
        st.rerun()
    with st.container(horizontal=True, vertical_alignment="center", key="snapshot-run"):
        if run.state == "failed":
            st.error(plain(f"{title(run)} failed. {run.sentence}"))
        else:
            st.caption(plain(_words(run)), width="content")
        if st.button(
            "Its run", type="tertiary", icon=":material/model_training:", key="snapshot-open-run"
        ):
            choose_run(run.id)
            st.switch_page(TRAIN_PAGE)


def _words(run: RunStatus) -> str:
    if run.state == "finished":
        away = count_away(run.folder)
        if away == 0:
            return f"Trained: {title(run)}."
        number = "1 recording" if away == 1 else f"{away} recordings"
        return (
            f"Trained: {title(run)}, without {number} that could not be read. Train again once "
            "that has changed."
        )
    if run.at_work:
        doing = run.sentence or f"At work: {run.live.phase if run.live else 'starting'}."
        return f"{doing} It goes on when this page is closed."
    return f"{title(run)} is {run.state}; go on with it on the Train page."


def _compare(known: tuple[TakenSnapshot, ...], runs: tuple[RunStatus, ...]) -> None:
    here, label_set = services.workspace(), st.session_state.get("snapshot-set") or _SETS[0]
    trained = {
        one.hash: run for one in known if (run := model_of(runs, one.hash, label_set)) is not None
    }
    st.subheader("What the labels changed", anchor=False)
    if len(trained) < 2:
        st.caption(
            f"Train on two snapshots ({label_set}): both models are then scored on fold "
            f"{TEST_FOLD}, which neither has seen, by the labels of the later one."
        )
        return
    offered = tuple(one for one in known if one.hash in trained)
    with st.container(horizontal=True, vertical_alignment="bottom", key="snapshot-compare"):
        before = _choose("Before", offered, "snapshot-before", 1)
        after = _choose("After", offered, "snapshot-after", 0)
    if before.hash == after.hash:
        st.caption("Choose two different snapshots.")
        return
    first, second = trained[before.hash], trained[after.hash]
    try:
        key = (here.root, first.id, second.id)
        with st.spinner("Scoring both models …"):
            found = _changes().get(key, lambda: change(here, first, second))
        folder = snapshots_folder(here)
        moved = differing(read_snapshot(folder, before.hash), read_snapshot(folder, after.hash))
    except (ReviewError, DataSetError, CardError, ValueError, OSError) as error:
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
        "Intervals are 95 %, by paired bootstrap. Learned from "
        f"{found.learned[0]:,} recordings before, {found.learned[1]:,} after."
    )
    if rows:
        _show_classes(rows)
    if silent:
        st.caption(f"Not scored, one class is absent from the fold: {', '.join(silent)}.")
    if moved:
        told = "; ".join(f"{code} −{lost} +{won}" for code, (lost, won) in moved.items())
        st.caption(f"Labels that differ between the snapshots: {told}.")


def _show_classes(rows: list[ClassChange]) -> None:
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
