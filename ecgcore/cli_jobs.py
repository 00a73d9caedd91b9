"""``jobs``: training runs in processes of their own, started and watched from the command line."""

from __future__ import annotations

import argparse
import getpass
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ecgcore.cli_training import add_order_arguments, train_options
from ecgcore.cli_values import DONE, UsageError

if TYPE_CHECKING:
    from ecgcore.jobs.values import RunStatus

Show = Callable[[dict[str, Any]], None]

_ACTS = ("pause", "resume", "stop")


def add_jobs_arguments(jobs: argparse.ArgumentParser) -> None:
    """The arguments of ``jobs``."""
    acts = jobs.add_subparsers(dest="act", required=True, metavar="ACT")
    start = acts.add_parser("start", help="start a run that outlives this terminal")
    add_order_arguments(start)
    start.add_argument(
        "--search", type=Path, metavar="FILE.json",
        help="try other values of options and keep the best: "
        '{"space": {"learning_rate": {"low": 1e-4, "high": 1e-2, "log": true}}, "trials": 20}',
    )  # fmt: skip
    _add_person(start)
    acts.add_parser("list", help="every run of the workspace, the newest first")
    for name in _ACTS:
        act = acts.add_parser(name, help=f"{name} a run")
        act.add_argument("run_id", metavar="RUN")
        _add_person(act)
    log = acts.add_parser("log", help="the last lines that a run printed")
    log.add_argument("run_id", metavar="RUN")
    acts.add_parser("tend", help="go on with runs whose process was killed")
    for act in acts.choices.values():
        act.add_argument(
            "--json", action="store_true", default=argparse.SUPPRESS, help="one JSON object a line"
        )


def _add_person(act: argparse.ArgumentParser) -> None:
    act.add_argument(
        "--as", dest="person", default=getpass.getuser(), metavar="NAME",
        help="who asks (default: the account's name)",
    )  # fmt: skip


def run_jobs(given: argparse.Namespace, show: Show) -> int:
    """Do what was asked and print a row a run; the exit status. Raises UsageError."""
    from ecgcore.jobs import control
    from ecgcore.jobs.folder import log_of
    from ecgcore.jobs.values import JobError
    from ecgcore.review.people import Forbidden
    from ecgcore.review.values import ReviewError
    from ecgcore.review_work import open_store
    from ecgcore.workspace import Workspace

    workspace = Workspace.from_environment()
    try:
        if given.act == "start":
            run = control.submit(workspace, open_store(workspace), _order(given))
            show(_row(control.status(workspace, run)))
        elif given.act == "list":
            for one in control.runs(workspace):
                show(_row(one))
        elif given.act == "tend":
            for run in control.tend(workspace):
                show(_row(control.status(workspace, run)))
        elif given.act == "log":
            show({"log": log_of(control.status(workspace, given.run_id).folder)})
        else:
            act = {"pause": control.pause, "resume": control.resume, "stop": control.stop}
            act[given.act](workspace, open_store(workspace), given.run_id, given.person)
            show(_row(control.status(workspace, given.run_id)))
    except (JobError, ReviewError, Forbidden) as error:
        raise UsageError(str(error)) from error
    return DONE


def _order(given: argparse.Namespace) -> Any:
    from ecgcore.jobs.values import RunOrder

    options = train_options(given)
    name = given.name or given.recipe or options.network
    files = tuple(str(path.absolute()) for path in given.data)
    try:
        search = json.loads(given.search.read_bytes()) if given.search else None
    except (OSError, ValueError) as error:
        raise UsageError(f"{given.search} cannot be read: {error}") from error
    return RunOrder(
        name, options.to_json(), files, given.snapshot, given.recipe, given.person, search=search
    )


def _row(one: RunStatus) -> dict[str, Any]:
    live = {} if one.live is None or not one.at_work else {"live": asdict(one.live)}
    return {
        "run": one.id, "name": one.name, "state": one.state, "sentence": one.sentence,
        "folder": str(one.folder), **live,
    }  # fmt: skip
