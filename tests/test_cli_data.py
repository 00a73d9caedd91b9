"""``python -m ecgcore data``: words, lines and exit status."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ecgcore.cli import main
from tests.datasets import public_layouts as layouts


def _lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_list_names_every_set(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "list", "--json"]) == 0
    rows = _lines(capsys)
    assert {"ptbxl", "tianchi2", "sph"} <= {str(row["name"]) for row in rows}
    assert all(row["licence"] and row["home"] for row in rows)


def test_pack_prints_what_it_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = layouts.ptbxl(tmp_path / "set")
    words = ["data", "pack", "ptbxl", str(folder), "--out", str(tmp_path / "a.pack"), "--json"]
    assert main(words) == 0
    assert _lines(capsys)[0]["records"] == 4
    (folder / "records500/00000/00002_hr.dat").unlink()
    assert main(words) == 3
    lost, done = _lines(capsys)
    assert lost["error"] == "Skipped" and str(lost["file"]).endswith("00002_hr.hea")
    assert (done["records"], done["skipped"]) == (3, 1)


def test_refusals_and_wrong_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = ["--out", str(tmp_path / "a.pack"), "--json"]
    assert main(["data", "pack", "ptbxl", str(tmp_path), *out]) == 3
    assert _lines(capsys)[0]["error"] == "DataSetError"
    assert main(["data", "pack", "nothing", str(tmp_path), *out]) == 2
    assert main(["data", "fetch", "code15", "--out", str(tmp_path)]) == 2
    assert "zenodo" in capsys.readouterr().err
    nowhere = ["--base", "http://127.0.0.1:1", "--json"]
    assert main(["data", "fetch", "ludb", "--out", str(tmp_path), *nowhere]) == 3
    assert "cannot be fetched" in str(_lines(capsys)[0]["message"])
