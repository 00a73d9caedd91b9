"""Fetch a data set that PhysioNet serves: resumed, checked against SHA256SUMS.txt, never by itself.

Every file comes into ``NAME.part`` beside its place, goes on where it broke off (HTTP Range), is
hashed, and only then takes its name. A file that is there with the right hash is left alone.
"""

from __future__ import annotations

import hashlib
import http.client
import os
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

from ecgcore.storage import write_bytes

PHYSIONET = "https://physionet.org/files"
SUMS = "SHA256SUMS.txt"
LARGEST_SUMS = 64 * 1024**2
_PIECE = 1 << 20
_TRIES = 3
_LINE = re.compile(r"([0-9a-f]{64})[ \t]+\*?(\S.*)")


class FetchError(ValueError):
    """A file that was not fetched: which, what came instead, what to do."""


class _BrokenOffError(FetchError):
    """The connection ended early; asking again goes on from there."""


@dataclass(frozen=True)
class Listed:
    """One file of the list; ``path`` is relative to the data set."""

    path: str
    sha256: str


@dataclass(frozen=True)
class Fetched:
    """What became of one file."""

    path: str
    state: Literal["fetched", "resumed", "there already", "refused"]
    size: int = 0
    reason: str = ""


def fetch(
    location: str, folder: Path, *, base: str = PHYSIONET, only: tuple[str, ...] = (),
    timeout: float = 60.0, told: Callable[[Fetched], None] = lambda _: None,
) -> tuple[Fetched, ...]:  # fmt: skip
    """Fetch ``base/location`` into ``folder``; ``only`` keeps paths that start so.

    A file that is refused is told with its reason and the others go on. Raises FetchError where
    the list itself cannot be had.
    """
    if urllib.parse.urlsplit(base).scheme not in ("http", "https"):
        raise FetchError(
            f"base address {base!r}; expected one that starts with http:// or https://"
        )
    root = f"{base.rstrip('/')}/{location.strip('/')}"
    results = []
    for listed in _wanted(read_list(root, timeout), only):
        try:
            result = fetch_file(root, listed, folder, timeout)
        except FetchError as error:
            result = Fetched(listed.path, "refused", reason=str(error))
        told(result)
        results.append(result)
    return tuple(results)


def read_list(root: str, timeout: float = 60.0) -> tuple[Listed, ...]:
    """The files of a data set from its SHA256SUMS.txt. Raises FetchError."""
    address = f"{root}/{SUMS}"
    try:
        with urllib.request.urlopen(address, timeout=timeout) as answer:
            text = answer.read(LARGEST_SUMS + 1).decode("utf-8")
    except (OSError, http.client.HTTPException, UnicodeDecodeError, ValueError) as error:
        raise FetchError(
            f"{address} cannot be fetched ({error}); check the connection and the base address"
        ) from error
    if len(text) > LARGEST_SUMS:
        raise FetchError(f"{address} is over {LARGEST_SUMS} bytes; that is no list of files")
    found = []
    for line in filter(str.strip, text.splitlines()):
        match = _LINE.fullmatch(line.strip())
        if match is None:
            raise FetchError(
                f"{address} holds {line[:60]!r}; expected lines of SHA-256 and file name; "
                "check the base address"
            )
        found.append(Listed(_inside(match[2]), match[1]))
    if not found:
        raise FetchError(f"{address} names no file; check the base address")
    return tuple(found)


def fetch_file(root: str, listed: Listed, folder: Path, timeout: float = 60.0) -> Fetched:
    """One file, resumed where a part is there. Raises FetchError; a wrong file is not kept."""
    target = folder / listed.path
    if target.is_file() and _hash_of(target) == listed.sha256:
        return Fetched(listed.path, "there already", target.stat().st_size)
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.part")
    resumed = part.is_file() and part.stat().st_size > 0
    address = f"{root}/{urllib.parse.quote(listed.path)}"
    for attempt in range(_TRIES):
        try:
            _download(address, part, timeout)
            break
        except _BrokenOffError:
            resumed = True
            if attempt == _TRIES - 1:
                raise
    found = _hash_of(part)
    if found != listed.sha256:
        size = part.stat().st_size
        part.unlink()
        raise FetchError(
            f"{listed.path} came as {size} bytes with SHA-256 {found[:12]}..., not "
            f"{listed.sha256[:12]}... as listed; it was thrown away, fetch again"
        )
    size = part.stat().st_size
    part.replace(target)
    return Fetched(listed.path, "resumed" if resumed else "fetched", size)


def write_list(files: tuple[Listed, ...], folder: Path) -> None:
    """Keep the list beside the data, for a later check."""
    lines = "".join(f"{listed.sha256} {listed.path}\n" for listed in files)
    write_bytes(folder / SUMS, lines.encode())


def _download(address: str, part: Path, timeout: float) -> None:
    """Append what is missing of a file to ``part``."""
    have = part.stat().st_size if part.is_file() else 0
    request = urllib.request.Request(address, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            goes_on = answer.status == http.client.PARTIAL_CONTENT and _starts_at(answer, have)
            length = answer.headers.get("Content-Length")
            came = 0
            with part.open("ab" if goes_on else "wb") as file:
                while piece := answer.read(_PIECE):
                    file.write(piece)
                    came += len(piece)
                file.flush()
                os.fsync(file.fileno())
    except urllib.error.HTTPError as error:
        if error.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE and have:
            return  # all of it is here; the hash decides
        raise FetchError(
            f"{address} answers {error.code} {error.reason}; it may need a login"
        ) from error
    except (OSError, http.client.HTTPException) as error:
        raise _BrokenOffError(f"{address} broke off ({error}); fetch again to go on") from error
    if length is not None and length.isdigit() and came < int(length):
        raise _BrokenOffError(
            f"{address} broke off after {came} of {length} bytes; fetch again to go on"
        )


def _starts_at(answer: http.client.HTTPResponse, have: int) -> bool:
    return str(answer.headers.get("Content-Range", "")).startswith(f"bytes {have}-")


def _wanted(files: tuple[Listed, ...], only: tuple[str, ...]) -> Iterator[Listed]:
    kept = [one for one in files if not only or one.path.startswith(only)]
    if not kept:
        raise FetchError(f"no file of the data set starts with {', '.join(only)}")
    yield from kept


def _inside(name: str) -> str:
    path = PurePosixPath(name.removeprefix("./"))
    if path.is_absolute() or ".." in path.parts or not path.parts or "\x00" in name or "\\" in name:
        raise FetchError(f"the list names {name[:80]!r}, which is outside the data set")
    return path.as_posix()


def _hash_of(path: Path) -> str:
    found = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            found.update(piece)
    return found.hexdigest()
