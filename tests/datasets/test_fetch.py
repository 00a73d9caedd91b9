"""Fetching against a server on this machine: resume, checksum, wrong file, broken connection."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from ecgcore.datasets.fetch import FetchError, Listed, fetch, read_list, write_list

FILES = {"RECORDS": b"1\n2\n", "data/1.dat": bytes(range(256)) * 64, "data/1.hea": b"1 12 500\n"}


class _Server(ThreadingHTTPServer):
    """Serves ``files``; ``ranges`` are those asked for; the first answers of ``cut`` end early."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files: dict[str, bytes] = {f"/set/1.0/{name}": data for name, data in FILES.items()}
        sums = "".join(f"{hashlib.sha256(d).hexdigest()} {n}\n" for n, d in FILES.items())
        self.files["/set/1.0/SHA256SUMS.txt"] = sums.encode()
        self.ranges: list[str] = []
        self.asked: list[str] = []
        self.cut = 0
        self.knows_ranges = True

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        server = self.server
        assert isinstance(server, _Server)
        server.asked.append(self.path)
        content = server.files.get(self.path)
        if content is None:
            self.send_error(404)
            return
        start, wanted = 0, self.headers.get("Range")
        if wanted:
            server.ranges.append(wanted)
        if wanted and server.knows_ranges:
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
            if start >= len(content):
                self.send_error(416)
                return
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        else:
            self.send_response(200)
        part = content[start:]
        self.send_header("Content-Length", str(len(part)))
        self.end_headers()
        if server.cut and self.path.endswith(".dat"):
            server.cut -= 1
            part = part[: len(part) // 2]
        self.wfile.write(part)

    def log_message(self, format: str, *args: object) -> None:
        del format, args


@pytest.fixture
def server() -> Iterator[_Server]:
    with _Server() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def _states(server: _Server, folder: Path) -> dict[str, str]:
    return {one.path: one.state for one in fetch("set/1.0", folder, base=server.base)}


def test_fetches_everything_once(server: _Server, tmp_path: Path) -> None:
    assert set(_states(server, tmp_path).values()) == {"fetched"}
    assert {name: (tmp_path / name).read_bytes() for name in FILES} == FILES
    server.asked.clear()
    assert set(_states(server, tmp_path).values()) == {"there already"}
    assert server.asked == ["/set/1.0/SHA256SUMS.txt"]
    assert not list(tmp_path.rglob("*.part"))


def test_goes_on_where_it_broke_off(server: _Server, tmp_path: Path) -> None:
    part = tmp_path / "data" / "1.dat.part"
    part.parent.mkdir()
    part.write_bytes(FILES["data/1.dat"][:5000])
    assert _states(server, tmp_path)["data/1.dat"] == "resumed"
    assert server.ranges == ["bytes=5000-"]
    assert (tmp_path / "data" / "1.dat").read_bytes() == FILES["data/1.dat"]


def test_a_connection_that_ends_early_is_asked_again(server: _Server, tmp_path: Path) -> None:
    server.cut = 2
    assert _states(server, tmp_path)["data/1.dat"] == "resumed"
    assert len(server.ranges) == 2


def test_a_connection_that_always_ends_early_keeps_the_part(
    server: _Server, tmp_path: Path
) -> None:
    server.cut = 100
    assert _states(server, tmp_path)["data/1.dat"] == "refused"
    assert (tmp_path / "data" / "1.dat.part").stat().st_size > 0
    assert not (tmp_path / "data" / "1.dat").exists()


def test_a_server_without_ranges_starts_anew(server: _Server, tmp_path: Path) -> None:
    server.knows_ranges = False
    part = tmp_path / "data" / "1.dat.part"
    part.parent.mkdir()
    part.write_bytes(b"something else")
    _states(server, tmp_path)
    assert (tmp_path / "data" / "1.dat").read_bytes() == FILES["data/1.dat"]


def test_a_part_that_is_whole_already(server: _Server, tmp_path: Path) -> None:
    part = tmp_path / "data" / "1.dat.part"
    part.parent.mkdir()
    part.write_bytes(FILES["data/1.dat"])
    assert _states(server, tmp_path)["data/1.dat"] == "resumed"


@pytest.mark.parametrize("wrong", [b"<html>log in</html>", FILES["data/1.dat"][:100]])
def test_a_wrong_or_short_file_is_refused_and_not_kept(
    wrong: bytes, server: _Server, tmp_path: Path
) -> None:
    server.files["/set/1.0/data/1.dat"] = wrong
    results = {one.path: one for one in fetch("set/1.0", tmp_path, base=server.base)}
    assert results["data/1.dat"].state == "refused"
    assert "not " in results["data/1.dat"].reason and "fetch again" in results["data/1.dat"].reason
    assert results["RECORDS"].state == "fetched"
    assert not list((tmp_path / "data").glob("1.dat*"))


def test_a_missing_file_is_refused(server: _Server, tmp_path: Path) -> None:
    del server.files["/set/1.0/data/1.hea"]
    assert _states(server, tmp_path)["data/1.hea"] == "refused"


def test_only_some_paths(server: _Server, tmp_path: Path) -> None:
    fetched = fetch("set/1.0", tmp_path, base=server.base, only=("data/1.h",))
    assert [one.path for one in fetched] == ["data/1.hea"]
    with pytest.raises(FetchError, match="starts with nothing"):
        fetch("set/1.0", tmp_path, base=server.base, only=("nothing",))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"<html>", "expected lines"),
        (b"", "names no file"),
        (b"\xff\xfe", "cannot be fetched"),
        (b"0" * 64 + b" ../../etc/passwd\n", "outside"),
        (b"0" * 64 + b" /etc/passwd\n", "outside"),
    ],
)
def test_a_list_that_is_none_is_refused(
    content: bytes, said: str, server: _Server, tmp_path: Path
) -> None:
    server.files["/set/1.0/SHA256SUMS.txt"] = content
    with pytest.raises(FetchError, match=said):
        fetch("set/1.0", tmp_path, base=server.base)
    with pytest.raises(FetchError, match="cannot be fetched"):
        fetch("no/such", tmp_path, base=server.base)
    with pytest.raises(FetchError, match="http://"):
        fetch("set/1.0", tmp_path, base="file:///etc")


def test_the_list_can_be_kept(server: _Server, tmp_path: Path) -> None:
    files = read_list(f"{server.base}/set/1.0")
    assert isinstance(files[0], Listed)
    write_list(files, tmp_path)
    assert (tmp_path / "SHA256SUMS.txt").read_text().count("\n") == 3
