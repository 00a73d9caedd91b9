"""``labels`` and ``audit``: the labelling work of a workspace from the command line."""

from __future__ import annotations

import argparse
import getpass
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ecgcore.cli_training import Show
from ecgcore.cli_values import DONE, REFUSED, UsageError

if TYPE_CHECKING:
    from ecgcore.review.store import ReviewStore
    from ecgcore.workspace import Workspace


def add_audit_arguments(audit: argparse.ArgumentParser) -> None:
    """The arguments of ``audit``."""
    audit.add_argument(
        "--head", nargs="+", default=[], metavar="HASH",
        help="heads printed by earlier audits: a store whose last reviews were removed lacks them",
    )  # fmt: skip


def add_labels_arguments(labels: argparse.ArgumentParser) -> None:
    """The arguments of ``labels`` and its actions."""
    actions = labels.add_subparsers(dest="action", required=True, metavar="ACTION")

    def action(name: str, text: str) -> argparse.ArgumentParser:
        one = actions.add_parser(name, help=text)
        one.add_argument(
            "--json", action="store_true", default=argparse.SUPPRESS, help="one JSON object a line"
        )
        one.add_argument("--as", dest="person", default=getpass.getuser(), metavar="NAME",
                         help="who asks (default: your name on this computer)")  # fmt: skip
        return one

    add = action("add", "make the workspace's recordings and the labels in their files known")
    add.add_argument("folders", nargs="*", type=Path, metavar="FOLDER", help="look at these too")
    taking = action("import", "labels on file from a table, ours or PTB-XL's; or cleanlab's issues")
    taking.add_argument("table", type=Path)
    taking.add_argument(
        "--form", default="labels", choices=("labels", "cleanlab"),
        help="cleanlab: label issues, as evidence for the queue (default: labels)",
    )  # fmt: skip
    action("list", "where each recording stands")
    snapshot = action("snapshot", "the labels as they stand, in a file that never changes")
    snapshot.add_argument(
        "--until", metavar="TIME", help="ISO 8601, UTC unless it says otherwise (default: now)"
    )
    snapshot.add_argument("--disputes", default="leave out", choices=("leave out", "as on file"))
    export = action("export", "a snapshot in another program's form")
    export.add_argument("snapshot", metavar="HASH")
    export.add_argument("--form", default="csv", choices=("csv", "ptbxl", "wfdb", "cleanlab"))
    export.add_argument("--out", type=Path, required=True, metavar="FILE")
    export.add_argument("--identifiers", action="store_true", help="with the recordings' names")
    assign = action("assign", "give recordings out to several people")
    assign.add_argument("round", metavar="NAME")
    assign.add_argument("--to", nargs="+", required=True, metavar="PERSON")
    assign.add_argument("--overlap", type=int, default=2, help="people a recording (default: 2)")
    grant = action("grant", "give a person a role")
    grant.add_argument("person_named", metavar="PERSON")
    grant.add_argument("role", choices=("reader", "annotator", "adjudicator", "admin"))


def run_audit(given: argparse.Namespace, show: Show) -> int:
    """Verify the hash chain of the workspace's reviews; the exit status is 3 where it breaks."""
    from ecgcore.review.values import ReviewError

    try:
        report = _store().audit(given.head)
    except ReviewError as error:
        show({"error": type(error).__name__, "message": str(error)})
        return REFUSED
    breaks = [{"number": one.number, "reason": one.reason} for one in report.breaks]
    show({"reviews": report.reviews, "head": report.head, "intact": report.intact,
          "breaks": breaks})  # fmt: skip
    return DONE if report.intact else REFUSED


def run_labels(given: argparse.Namespace, show: Show) -> int:
    """One action; the exit status. Raises UsageError."""
    from ecgcore.review.people import Forbidden
    from ecgcore.review.values import ReviewError
    from ecgcore.workspace import Workspace

    actions = {"add": _add, "import": _import, "list": _list, "snapshot": _snapshot,
               "export": _export, "assign": _assign, "grant": _grant}  # fmt: skip
    try:
        store = _store()
        return actions[given.action](given, store, Workspace.from_environment(), show)
    except (ReviewError, Forbidden) as error:
        show({"error": type(error).__name__, "message": str(error)})
        return REFUSED


def _store() -> ReviewStore:
    from ecgcore.review_work import open_store
    from ecgcore.workspace import Workspace

    return open_store(Workspace.from_environment())


def _add(given: argparse.Namespace, store: ReviewStore, here: Workspace, show: Show) -> int:
    from ecgcore.review_work import bring_in
    from ecgcore.workspace import WorkspaceError

    try:
        for folder in given.folders:
            here.add_folder(str(folder.absolute()))
    except WorkspaceError as error:
        raise UsageError(str(error)) from error
    entries = [one for one in here.entries() if one.origin in ("imported", "folder")]
    done = None
    for done in bring_in(store, given.person, here, entries):
        print(f"{done.new} new, {done.labelled} labelled", file=sys.stderr)
    refused = done.refused if done is not None else {}
    for name, reason in refused.items():
        show({"file": name, "error": "RecordingError", "message": reason})
    if done is not None:
        show({"recordings": len(entries), "new": done.new, "labelled": done.labelled})
    return REFUSED if refused else DONE


def _import(given: argparse.Namespace, store: ReviewStore, here: Workspace, show: Show) -> int:
    from ecgcore.review.exchange import read_labels

    known = store.recordings(given.person).values()
    try:
        data = given.table.read_bytes()
    except OSError as error:
        raise UsageError(f"{given.table} cannot be read: {error.strerror}") from error
    if given.form == "cleanlab":
        return _import_issues(data, given, store, show)
    labels = read_labels(data, known, given.table.name)
    show({"labels": len(labels), "new": store.file_labels(given.person, labels)})
    return DONE


def _import_issues(data: bytes, given: argparse.Namespace, store: ReviewStore, show: Show) -> int:
    from ecgcore.review.imported_issues import keep_issues, read_issues

    known = store.recordings(given.person).values()
    found = read_issues(data, known, given.table.name)
    new = keep_issues(store, given.person, found.issues, given.table.name)
    if found.warning:
        show({"file": str(given.table), "error": "ReviewError", "message": found.warning})
    show({"issues": len(found.issues), "new": new, "unknown": len(found.unknown)})
    return REFUSED if found.unknown else DONE


def _list(given: argparse.Namespace, store: ReviewStore, here: Workspace, show: Show) -> int:
    from ecgcore.review.rounds import standings

    filed = store.filed(given.person)
    found = standings(store.reviews(given.person))
    for key, known in store.recordings(given.person).items():
        row: dict[str, Any] = {"recording": key, "name": known.name, "fold": known.fold}
        row["filed"] = list(filed[key].codes) if key in filed else None
        state = found.get(key)
        row["state"] = state.state if state else "undecided"
        row["codes"] = list(state.codes) if state else []
        show(row)
    return DONE


def _snapshot(given: argparse.Namespace, store: ReviewStore, here: Workspace, show: Show) -> int:
    from ecgcore.review.snapshots import take_snapshot
    from ecgcore.review_work import snapshots_folder

    folder = snapshots_folder(here)
    taken = take_snapshot(store, given.person, folder, until=given.until, disputes=given.disputes)
    show({"snapshot": taken.hash, "file": str(folder / f"{taken.hash}.csv"), **taken.provenance})
    return DONE


def _export(given: argparse.Namespace, store: ReviewStore, here: Workspace, show: Show) -> int:
    from ecgcore.review.exchange import export
    from ecgcore.review.snapshots import read_snapshot
    from ecgcore.review_work import snapshots_folder
    from ecgcore.storage import write_bytes

    snapshot = read_snapshot(snapshots_folder(here), given.snapshot)
    names = store.names(given.person) if given.identifiers else None
    write_bytes(given.out, export(snapshot, given.form, names))
    show({"snapshot": snapshot.hash, "file": str(given.out), "identifiers": given.identifiers})
    return DONE


def _assign(given: argparse.Namespace, store: ReviewStore, here: Workspace, show: Show) -> int:
    from ecgcore.review.rounds import assign

    recordings = sorted(store.recordings(given.person))
    done = assign(store, given.person, given.round, recordings, given.to, overlap=given.overlap)
    show({"round": given.round, "recordings": len(recordings), "readings": len(done)})
    return DONE


def _grant(given: argparse.Namespace, store: ReviewStore, here: Workspace, show: Show) -> int:
    store.grant(given.person, given.person_named, given.role)
    show({"person": given.person_named, "role": given.role})
    return DONE
