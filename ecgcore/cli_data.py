"""The command ``data``: list the public data sets, fetch one, pack one."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ecgcore.cli_values import UsageError
from ecgcore.datasets.fetch import PHYSIONET

Row = dict[str, Any]
Show = Callable[[Row], None]


def add_data_arguments(data: argparse.ArgumentParser) -> None:
    """``data list``, ``fetch NAME --out DIR``, ``pack NAME FOLDER --out FILE [--rules]``."""
    actions = data.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="the data sets by name, with where to get them")
    fetch = actions.add_parser("fetch", help="fetch a data set from PhysioNet; goes on if begun")
    pack = actions.add_parser("pack", help="one memory-mapped file for training")
    for action in (listing, fetch, pack):
        action.add_argument(
            "--json", action="store_true", default=argparse.SUPPRESS, help="one JSON object a line"
        )
    for action in (fetch, pack):
        action.add_argument("name", metavar="NAME", help="see data list")
    fetch.add_argument("--out", type=Path, required=True, metavar="DIR")
    fetch.add_argument("--base", default=PHYSIONET, metavar="URL", help="default: %(default)s")
    fetch.add_argument(
        "--only", nargs="+", default=[], metavar="START", help="only paths that start so"
    )
    pack.add_argument("folder", type=Path, metavar="FOLDER", help="the data set as downloaded")
    pack.add_argument("--out", type=Path, required=True, metavar="FILE")
    pack.add_argument(
        "--subset",
        metavar="NAME",
        help="only these records: ptbxl_1625 is what the shipped models learnt from",
    )
    pack.add_argument(
        "--rules",
        action="store_true",
        help="measure HRNN's printed rules too, for networks that are told them (up to a second a "
        "recording)",
    )


def run_data(given: argparse.Namespace, show: Show) -> bool:
    """Run one action; whether something was refused. Raises UsageError."""
    if given.action == "fetch":
        return _fetch(given, show)
    if given.action == "pack":
        return _pack(given, show)
    for row in _listed():
        show(row)
    return False


def _listed() -> Iterator[Row]:
    from ecgcore.datasets.catalogue import CATALOGUE

    for name, entry in CATALOGUE.items():
        yield {
            "name": name,
            "title": entry.title,
            "licence": entry.licence,
            "home": entry.home,
            "fetch": entry.location is not None,
        }


def _fetch(given: argparse.Namespace, show: Show) -> bool:
    from ecgcore.datasets.catalogue import catalogue_entry
    from ecgcore.datasets.fetch import Fetched, FetchError, fetch
    from ecgcore.datasets.record import DataSetError

    try:
        entry = catalogue_entry(given.name)
    except DataSetError as error:
        raise UsageError(str(error)) from error
    if entry.location is None:
        raise UsageError(f"{given.name} is not on PhysioNet; get it from {entry.home}")

    def told(result: Fetched) -> None:
        if result.state == "refused":
            show({"file": result.path, "error": "FetchError", "message": result.reason})
        else:
            show({"file": result.path, "state": result.state, "bytes": result.size})

    try:
        results = fetch(
            entry.location, given.out, base=given.base, only=tuple(given.only), told=told
        )
    except FetchError as error:
        show({"file": given.name, "error": "FetchError", "message": str(error)})
        return True
    refused = sum(result.state == "refused" for result in results)
    show({"data": given.name, "folder": str(given.out), "files": len(results), "refused": refused})
    return refused > 0


def _pack(given: argparse.Namespace, show: Show) -> bool:
    from ecgcore.datasets.catalogue import CATALOGUE, open_data_set
    from ecgcore.datasets.packing import PackOptions, pack
    from ecgcore.datasets.record import DataSetError
    from ecgcore.datasets.splits import LeakError
    from ecgcore.datasets.subsets import subset, subset_conditioning

    if given.name not in CATALOGUE:
        raise UsageError(f"unknown data set {given.name!r}; known: {', '.join(CATALOGUE)}")
    try:
        data = open_data_set(given.name, given.folder)
        data = subset(data, given.subset) if given.subset else data
        conditioning = subset_conditioning(given.subset)
        done = pack(data, given.out, PackOptions(conditioning=conditioning, rules=given.rules))
    except (DataSetError, LeakError, ValueError) as error:
        show({"file": str(given.folder), "error": type(error).__name__, "message": str(error)})
        return True
    for one in done.skipped:
        show({"file": one.member, "error": "Skipped", "message": one.reason})
    row = {
        "data": given.name,
        "file": str(given.out),
        "records": done.records,
        "skipped": len(done.skipped),
        "unmapped": done.unmapped,
    }
    show(row | ({"rules_decided": done.decided} if given.rules else {}))
    return bool(done.skipped)
