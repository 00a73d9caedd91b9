"""Which models are on the review page: shipped, published, withdrawn, and runs that could be next.

Publishing copies a whole model folder into the workspace, checked byte by byte (``models.
folder_check``); a model is there whole or not at all. Withdrawing hides a model and keeps it. Both
are for an administrator, as the review store knows them, whoever calls.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ecgcore.models.card import (
    CARD,
    MODEL_NAME,
    WITHDRAWN,
    CardError,
    ModelCard,
    is_shipped,
    known_folders,
    published_folder,
    read_card,
    withdrawn_models,
)
from ecgcore.review.people import Deed, require
from ecgcore.storage import alone, sync_folder, workspace_root, write_json

if TYPE_CHECKING:
    from ecgcore.models.folder_check import ModelFiles
    from ecgcore.review.store import ReviewStore

Origin = Literal["shipped", "published", "run"]

_BEING_WRITTEN = ".publishing-"


class ShelfError(CardError):
    """What cannot be done with a model: what was asked, what is allowed, what to do."""


@dataclass(frozen=True)
class ShelfModel:
    """A model that is shipped, published, or a finished run's.

    ``card`` is None where it cannot be read, and ``trouble`` then says why. ``shown`` is whether it
    is on the review page; ``withdrawn`` says by whom and when it was taken off.
    """

    name: str
    origin: Origin
    folder: Path
    card: ModelCard | None
    trouble: str = ""
    shown: bool = False
    withdrawn: str = ""

    @property
    def key(self) -> str:
        """What it is called on a page: a run may have the name of a published model."""
        return f"run {self.name}" if self.origin == "run" else self.name


def require_deed(store: ReviewStore, by: str, deed: Deed) -> None:
    """Raises Forbidden where this person's role does not allow a deed."""
    require(by, store.role_of(by), deed)


def shelf() -> tuple[ShelfModel, ...]:
    """Every model there is: shipped and published ones, then finished runs that are on no shelf.

    Raises CardError where the list of withdrawn models is damaged.
    """
    withdrawn = withdrawn_models()
    shelved = []
    for name, folder in sorted(known_folders().items()):
        origin: Origin = "shipped" if is_shipped(folder) else "published"
        taken = withdrawn.get(name)
        words = "" if taken is None else f"by {taken['by']} on {taken['at'][:10]}"
        shelved.append(_model(name, origin, folder, shown=taken is None, withdrawn=words))
    weights = {one.card.weights_sha256 for one in shelved if one.card is not None}
    runs = [
        one for one in finished_runs() if one.card is None or one.card.weights_sha256 not in weights
    ]
    return (*shelved, *runs)


def finished_runs() -> tuple[ShelfModel, ...]:
    """The models of the workspace's finished training runs, by the run's name."""
    cards = sorted((workspace_root() / "runs").glob(f"*/model/{CARD}"))
    return tuple(_model(card.parent.parent.name, "run", card.parent) for card in cards)


def _model(
    name: str, origin: Origin, folder: Path, shown: bool = False, withdrawn: str = ""
) -> ShelfModel:
    try:
        return ShelfModel(name, origin, folder, read_card(folder), "", shown, withdrawn)
    except CardError as error:
        return ShelfModel(name, origin, folder, None, str(error), shown, withdrawn)


def publish(store: ReviewStore, by: str, folder: Path, name: str | None = None) -> ModelCard:
    """Copy a model folder to the shelf under a name (its card's where none is given).

    Raises Forbidden, CardError for a folder that is no sound model, ShelfError for its name.
    """
    from ecgcore.models.folder_check import read_folder

    require_deed(store, by, "publish")
    return publish_files(store, by, read_folder(folder), name)


def publish_files(
    store: ReviewStore, by: str, files: Mapping[str, bytes], name: str | None = None
) -> ModelCard:
    """The same from the bytes of the files, by file name. Raises as ``publish``."""
    from ecgcore.models.folder_check import check_files

    require_deed(store, by, "publish")
    checked = check_files(files)
    name = checked.card.name if name is None else name
    if not MODEL_NAME.fullmatch(name):
        raise ShelfError(
            f"{name[:80]!r} cannot be a model's name; give 1 to 60 of a-z, 0-9, _ and -, the first "
            "a letter or a digit"
        )
    card = replace(checked.card, name=name, metrics=_named(checked.card.metrics, name))
    shelves = published_folder()
    with alone(shelves):
        _refuse_taken(name, card)
        _put(shelves, name, checked, card)
        _forget_withdrawal(shelves, name)
    return card


def _named(metrics: dict[str, Any], name: str) -> dict[str, Any]:
    return metrics | {"model": name} if "model" in metrics else metrics


def _refuse_taken(name: str, card: ModelCard) -> None:
    """Raises ShelfError where another model, or this one, has the name already."""
    there = known_folders().get(name)
    if there is None and not (published_folder() / name).exists():
        return
    if there is not None and is_shipped(there):
        raise ShelfError(f"{name!r} is the name of a shipped model; publish under another name")
    try:
        same = there is not None and read_card(there).weights_sha256 == card.weights_sha256
    except CardError:
        same = False
    if not same:
        raise ShelfError(
            f"{name!r} is taken by another published model; publish under another name"
        )
    if name in withdrawn_models():
        raise ShelfError(f"{name!r} is published and withdrawn; put it back by its name alone")
    raise ShelfError(f"{name!r} is published already, with the same weights; nothing is left to do")


def _put(shelves: Path, name: str, checked: ModelFiles, card: ModelCard) -> None:
    """Write a folder beside its place, the card last, bring it to the disk, move it there."""
    for left in shelves.glob(f"{_BEING_WRITTEN}*"):
        shutil.rmtree(left, ignore_errors=True)  # a publishing that was killed
    waiting = Path(tempfile.mkdtemp(prefix=_BEING_WRITTEN, dir=shelves))
    try:
        for file, data in checked.files.items():
            if file != CARD:
                _write(waiting / file, data)
        write_json(waiting / CARD, card.to_json())
        waiting.chmod(0o755)
        sync_folder(waiting)
        waiting.rename(shelves / name)
        sync_folder(shelves)
    except BaseException:
        shutil.rmtree(waiting, ignore_errors=True)
        raise


def _write(path: Path, data: bytes) -> None:
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def withdraw(store: ReviewStore, by: str, name: str) -> None:
    """Take a model off the review page; it stays where it is. Raises Forbidden, ShelfError."""
    require_deed(store, by, "publish")
    if name not in known_folders():
        raise ShelfError(f"no model {name!r} on the shelf; there are {', '.join(known_folders())}")
    shelves = published_folder()
    with alone(shelves):
        withdrawn = withdrawn_models()
        if name in withdrawn:
            raise ShelfError(f"{name!r} is withdrawn already, by {withdrawn[name]['by']}")
        at = datetime.now(UTC).isoformat(timespec="seconds")
        write_json(shelves / WITHDRAWN, withdrawn | {name: {"by": by, "at": at}})


def put_back(store: ReviewStore, by: str, name: str) -> None:
    """Show a withdrawn model again. Raises Forbidden, ShelfError."""
    require_deed(store, by, "publish")
    shelves = published_folder()
    with alone(shelves):
        if name not in withdrawn_models():
            raise ShelfError(f"no withdrawn model {name!r}; give one of those, or a model's folder")
        _forget_withdrawal(shelves, name)


def _forget_withdrawal(shelves: Path, name: str) -> None:
    withdrawn = withdrawn_models()
    if withdrawn.pop(name, None) is not None:
        write_json(shelves / WITHDRAWN, withdrawn)
