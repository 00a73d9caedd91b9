"""Who may do what: every public way into the store, and every label command, as each role.

A new public method, function or command without an entry here fails.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ecgcore.cli import main
from ecgcore.cli_review import add_labels_arguments
from ecgcore.review import imported_issues, rounds, snapshots
from ecgcore.review.connection import sqlite_url
from ecgcore.review.imported_issues import Issue
from ecgcore.review.people import ROLES, Forbidden, Role, may
from ecgcore.review.snapshots import take_snapshot
from ecgcore.review.store import FiledLabels, KnownRecording, ReviewStore
from ecgcore.review.values import Decision
from ecgcore.review_work import open_store
from ecgcore.workspace import Workspace
from tests.wfdb_files import write_wfdb

ONE, TWO = f"{1:064x}", f"{2:064x}"
PERSON = "zoe"


@dataclass(frozen=True)
class Way:
    """One way into the store, and who may go it; None: it tells nothing of anybody and takes no
    name."""

    least: Role | None
    go: Callable[[ReviewStore, Path], object]


def _settle(store: ReviewStore) -> object:
    decision = Decision(TWO, "change", ("AFIB",), stage="adjudication", seen=2)
    return store.decide(PERSON, decision)


WAYS: dict[str, Way] = {
    "role_of": Way(None, lambda store, _: store.role_of(PERSON)),
    "audit": Way(None, lambda store, _: store.audit()),
    "grant": Way("admin", lambda store, _: store.grant(PERSON, "bob", "reader")),
    "people": Way("reader", lambda store, _: store.people(PERSON)),
    "require": Way(
        "admin", lambda store, _: _with_connection(store)
    ),
    "register": Way(
        "annotator", lambda store, _: store.register(PERSON, [KnownRecording("3" * 64, "c", ONE)])
    ),
    "recordings": Way("reader", lambda store, _: store.recordings(PERSON)),
    "names": Way("admin", lambda store, _: store.names(PERSON)),
    "file_labels": Way(
        "admin", lambda store, _: store.file_labels(PERSON, [FiledLabels(ONE, ("SR",), "t")])
    ),
    "filed": Way("reader", lambda store, _: store.filed(PERSON)),
    "decide": Way("annotator", lambda store, _: store.decide(PERSON, Decision(ONE, "reject"))),
    "decide an adjudication": Way("adjudicator", lambda store, _: _settle(store)),
    "reviews": Way("reader", lambda store, _: store.reviews(PERSON)),
    "head_at": Way("reader", lambda store, _: store.head_at(PERSON, "2100")),
    "rounds.assign": Way(
        "admin", lambda store, _: rounds.assign(store, PERSON, "r", [ONE], ["ann"], overlap=1)
    ),
    "rounds.assignments": Way(
        "reader", lambda store, _: rounds.assignments(store, PERSON, "statements")
    ),
    "rounds.set_honeypots": Way(
        "admin", lambda store, _: rounds.set_honeypots(store, PERSON, {ONE: ["SR"]})
    ),
    "rounds.honeypots": Way(
        "admin", lambda store, _: rounds.honeypots(store, PERSON, "statements")
    ),
    "snapshots.take_snapshot": Way(
        "admin", lambda store, folder: take_snapshot(store, PERSON, folder)
    ),
    "snapshots.snapshots": Way("reader", lambda store, _: snapshots.snapshots(store, PERSON)),
    "imported_issues.keep_issues": Way(
        "admin",
        lambda store, _: imported_issues.keep_issues(
            store, PERSON, [Issue(ONE, True, 0.1, (), ())], "t"
        ),
    ),
    "imported_issues.imported_issues": Way(
        "reader", lambda store, _: imported_issues.imported_issues(store, PERSON)
    ),
}  # fmt: skip


def _with_connection(store: ReviewStore) -> None:
    with store.database.reading() as connection:
        store.require(connection, PERSON, "grant")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ReviewStore]:
    """Two recordings, the second with two people who differ about it."""
    opened = ReviewStore(sqlite_url(tmp_path / "review.db"))
    opened.register("root", [KnownRecording(ONE, "a", ONE), KnownRecording(TWO, "b", TWO)])
    opened.decide("ann", Decision(TWO, "change", ("AFIB",)))
    opened.decide("bob", Decision(TWO, "change", ("AFLT",), seen=1))
    yield opened
    opened.database.engine.dispose()


def _everything(store: ReviewStore) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table but the roles."""
    from sqlalchemy import select

    from ecgcore.review.tables import metadata

    with store.database.reading() as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(select(table))]
            for table in metadata.sorted_tables
        }


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("name", WAYS)
def test_each_way_is_open_to_its_roles_alone(
    store: ReviewStore, tmp_path: Path, name: str, role: Role
) -> None:
    way = WAYS[name]
    store.grant("root", PERSON, role)
    before = _everything(store)
    if way.least is None or ROLES.index(role) >= ROLES.index(way.least):
        way.go(store, tmp_path / "snapshots")
        return
    with pytest.raises(Forbidden, match=f"{PERSON} is {role} and may not"):
        way.go(store, tmp_path / "snapshots")
    assert _everything(store) == before, "what is refused leaves nothing behind"
    assert not list((tmp_path / "snapshots").glob("*"))


def test_every_public_way_has_an_entry() -> None:
    methods = {
        name for name, _ in inspect.getmembers(ReviewStore, inspect.isfunction)
        if not name.startswith("_")
    }  # fmt: skip
    functions = {
        f"{module.__name__.rsplit('.', 1)[-1]}.{name}"
        for module in _modules()
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__ and not name.startswith("_")
        and "store" in inspect.signature(function).parameters
    }  # fmt: skip
    assert methods | functions == {name for name in WAYS if " " not in name}


def _modules() -> list[object]:
    """Every module of the review package."""
    import importlib
    import pkgutil

    import ecgcore.review as package

    return [
        importlib.import_module(f"{package.__name__}.{one.name}")
        for one in pkgutil.iter_modules(package.__path__)
        if not one.ispkg
    ]


def test_a_role_that_nobody_knows_is_the_least(store: ReviewStore) -> None:
    from ecgcore.review import tables

    with store.database.writing() as connection:
        connection.execute(
            tables.grants.insert(),
            {"person": PERSON, "role": "owner", "granted_by": "x", "granted_at": "t"},
        )
    assert store.role_of(PERSON) == "reader"


COMMANDS: dict[str, tuple[Role, tuple[str, ...]]] = {
    "add": ("admin", ("add",)),
    "import": ("admin", ("import", "{folder}/labels.csv")),
    "import cleanlab": ("admin", ("import", "{folder}/issues.csv", "--form", "cleanlab")),
    "list": ("reader", ("list",)),
    "snapshot": ("admin", ("snapshot",)),
    "export": ("reader", ("export", "{snapshot}", "--out", "{folder}/out.csv")),
    "export names": (
        "admin", ("export", "{snapshot}", "--identifiers", "--out", "{folder}/out.csv"),
    ),
    "assign": ("admin", ("assign", "r", "--to", "ann", "--overlap", "1")),
    "grant": ("admin", ("grant", "bob", "reader")),
}  # fmt: skip


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace with a recording that is known, one that is new, tables, and a snapshot."""
    monkeypatch.setenv("ECG_WORKSPACE", str(tmp_path / "workspace"))
    write_wfdb(tmp_path / "in", "a", 10, 60, "SR")
    assert main(["labels", "add", str(tmp_path / "in"), "--as", "root"]) == 0
    write_wfdb(tmp_path / "in", "b", 10, 75, "AFIB")
    (tmp_path / "labels.csv").write_text("name,codes\na,AFIB\n")
    (tmp_path / "issues.csv").write_text("name,is_label_issue\na,True\n")
    return tmp_path


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_is_open_to_its_roles_alone(
    here: Path, capsys: pytest.CaptureFixture[str], name: str, role: Role
) -> None:
    least, words = COMMANDS[name]
    store = open_store(Workspace(here / "workspace"))
    taken = take_snapshot(store, "root", here / "workspace" / "snapshots")
    store.grant("root", PERSON, role)
    before = _everything(store)
    told = [one.format(folder=here, snapshot=taken.hash) for one in words]
    capsys.readouterr()
    status = main(["labels", *told, "--as", PERSON, "--json"])
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    if ROLES.index(role) >= ROLES.index(least):
        assert status == 0, rows
        return
    assert status == 3
    assert [row["error"] for row in rows] == ["Forbidden"]
    assert f"{PERSON} is {role}" in rows[0]["message"]
    assert not (here / "out.csv").exists()
    changed = {name for name, kept in _everything(store).items() if kept != before[name]}
    # An annotator may make recordings known; their labels take an administrator.
    assert changed <= ({"recordings"} if name == "add" and may(role, "register") else set())


def test_every_label_command_has_an_entry() -> None:
    import argparse

    parser = argparse.ArgumentParser()
    add_labels_arguments(parser)
    (actions,) = parser._subparsers._group_actions  # type: ignore[union-attr]
    assert set(actions.choices or ()) == {name.split()[0] for name in COMMANDS}
