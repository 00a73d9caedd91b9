"""A run's folder: which files stand in it, and how they are read while another process writes them.

    order.json         what was asked, see ``RunOrder``; never changed
    state.json         queued, running, ... with the sentence and the process
    wish.json          what a person wants of the process: run, pause, stop
    live.json          the process's word of this second
    losses.f32         step and loss, float32 pairs, one about every second
    by_label.jsonl     AUROC and average precision of each label after each epoch
    progress.jsonl     one row an epoch; checkpoint.safetensors beside it, see ``checkpoint``
    trials/0001/ ...   the same of each trial of a search; trials.json says how they ended
    log.txt            what the process printed
    lock               held by the one process that works here
    model/             the finished model

Files that are replaced are replaced whole; of those that grow, a last part that a kill cut is left
out.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecgcore.jobs.values import (
    STATES,
    Identity,
    JobError,
    Live,
    RunOrder,
    State,
    Wish,
    now,
    order_from_json,
)
from ecgcore.storage import write_json
from ecgcore.training.checkpoint import PROGRESS

ORDER, STATE, WISH, LIVE, LOCK, LOG = (
    "order.json", "state.json", "wish.json", "live.json", "lock", "log.txt",
)  # fmt: skip
LOSSES, BY_LABEL = "losses.f32", "by_label.jsonl"
TRIALS_SAID, _TRIALS = "trials.json", "trials"
_TRIAL_STATES = ("running", "complete", "pruned", "fail")
_LOG_BYTES = 64_000


def read_order(folder: Path) -> RunOrder | None:
    """What was asked; None where the folder has no order. Raises JobError for a damaged one."""
    path = folder / ORDER
    if not path.exists():
        return None
    value = _read(path)
    if not isinstance(value, dict):
        raise JobError(f"{folder.name}/{ORDER} is damaged; start the run anew")
    return order_from_json(value)


def write_state(
    folder: Path, state: State, sentence: str, identity: Identity | None, at: str
) -> None:
    """Note a change of state; ``identity`` is of the process at work, None where there is none."""
    who = None if identity is None else asdict(identity)
    write_json(
        folder / STATE, {"state": state, "sentence": sentence, "process": who, "changed_at": at}
    )


def read_state(folder: Path) -> tuple[State, str, Identity | None] | None:
    """State, sentence and process as they were last written; None where nothing readable is."""
    value = _read(folder / STATE)
    if not isinstance(value, dict) or value.get("state") not in STATES:
        return None
    try:
        who = value.get("process")
        identity = None if who is None else Identity(**who)
    except TypeError:
        identity = None
    return value["state"], str(value.get("sentence", "")), identity


def read_wish(folder: Path) -> Wish:
    """What the process is wanted to do; to run, where nobody said otherwise."""
    value = _read(folder / WISH)
    wish = value.get("wish") if isinstance(value, dict) else None
    return wish if wish in ("pause", "stop") else "run"


def write_wish(folder: Path, wish: Wish, by: str, at: str) -> None:
    """Say what the process shall do."""
    write_json(folder / WISH, {"wish": wish, "by": by, "at": at})


def read_live(folder: Path) -> Live | None:
    """The process's last word, None where there is none."""
    value = _read(folder / LIVE)
    try:
        return Live(**value) if isinstance(value, dict) else None
    except TypeError:
        return None


def trial_folder(folder: Path, number: int) -> Path:
    """Where a trial of a search, from 1, has its files, losses and labels' scores among them."""
    return folder / _TRIALS / f"{number:04d}"


def trials_of(folder: Path) -> tuple[dict[str, Any], ...]:
    """The trials of a search so far: number (from 1), values, state ("running", "complete",
    "pruned", "fail"), the score of a complete one (else None), and the sentence of one that
    failed. What is not of this form is left out."""
    rows = _read(folder / TRIALS_SAID)
    return tuple(filter(_is_trial, rows)) if isinstance(rows, list) else ()


def _is_trial(row: Any) -> bool:
    return (
        isinstance(row, dict)
        and isinstance(row.get("number"), int)
        and isinstance(row.get("values"), dict)
        and isinstance(row.get("sentence"), str)
        and row.get("state") in _TRIAL_STATES
        and (row["state"] != "complete" or isinstance(row.get("score"), int | float))
    )


def progress_files(folder: Path) -> tuple[tuple[dict[str, int], Path], ...]:
    """The files of epochs, each with the trial or member, from 1, that it is of."""
    found: list[tuple[dict[str, int], Path]] = [({}, folder / PROGRESS)]
    for part in sorted(folder.glob("member_*"), key=lambda path: path.name.zfill(20)):
        found.append(({"member": int(part.name.removeprefix("member_")) + 1}, part / PROGRESS))
    for part in sorted((folder / _TRIALS).glob("[0-9]*")):
        trial = {"trial": int(part.name)}
        found += [({**trial, **of}, path) for of, path in progress_files(part)]
    return tuple(found)


def epochs_of(
    folder: Path, read: Callable[[Path], Sequence[dict[str, Any]]] | None = None
) -> tuple[dict[str, Any], ...]:
    """One row an epoch, in order: epoch, loss, validation_loss, validation_auroc, learning_rate,
    seconds. Of a model of several members each row has its ``member``, of a search its ``trial``,
    from 1."""
    files = progress_files(folder)
    return tuple({**of, **row} for of, path in files for row in (read or lines_of)(path))


def losses_of(folder: Path) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The steps, counted from the first of all, and the mean loss of those up to each since the
    one before."""
    try:
        content = (folder / LOSSES).read_bytes()
    except OSError:
        content = b""
    pairs = np.frombuffer(content[: len(content) // 8 * 8], dtype="<f4").reshape(-1, 2)
    # A run that was killed goes on from its last save: what it did beyond is done again.
    after = np.minimum.accumulate(np.append(pairs[1:, 0], np.inf)[::-1])[::-1]
    valid = pairs[pairs[:, 0] < after]
    return valid[:, 0], valid[:, 1]


def labels_of_epochs(folder: Path) -> tuple[dict[str, Any], ...]:
    """One row an epoch: epoch, member, and ``auroc`` and ``auprc`` by label ("statements/AFIB");
    a label of which a class is absent from the validation records has None."""
    rows = {(row.get("member"), row.get("epoch")): row for row in lines_of(folder / BY_LABEL)}
    return tuple(rows.values())


def log_of(folder: Path, lines: int = 200) -> str:
    """The last lines that the process printed."""
    try:
        with (folder / LOG).open("rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - _LOG_BYTES))
            text = file.read().decode(errors="replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-lines:])


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None


def lines_of(path: Path) -> list[dict[str, Any]]:
    """The objects of a file of JSON lines; what is no whole object is left out."""
    try:
        lines = path.read_bytes().splitlines()
    except OSError:
        return []
    rows = []
    for line in lines:
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if isinstance(row, dict):
            rows.append(row)
    return rows


def log_line(text: str) -> None:
    """One line with its moment, into the log, which the process prints to."""
    print(f"{now()} {text}", flush=True)
