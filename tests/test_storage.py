"""Atomic writes: the old file or the new one, never half."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from ecgcore.storage import write_bytes, write_json


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "file.bin"
    write_bytes(path, b"old")
    write_bytes(path, b"new and longer")
    assert path.read_bytes() == b"new and longer"
    assert [p.name for p in path.parent.iterdir()] == ["file.bin"]


def test_a_write_that_fails_leaves_the_old_file_and_no_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file.bin"
    write_bytes(path, b"old")

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_bytes(path, b"new")
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["file.bin"]


def test_json_is_readable_and_refuses_nan(tmp_path: Path) -> None:
    write_json(tmp_path / "value.json", {"name": "Müller", "list": [1, 2]})
    assert json.loads((tmp_path / "value.json").read_text())["name"] == "Müller"
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "value.json", {"bad": float("nan")})
    assert json.loads((tmp_path / "value.json").read_text())["list"] == [1, 2]
