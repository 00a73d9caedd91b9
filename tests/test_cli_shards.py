"""Predicting very many files: several workers answer as one, and a stopped command goes on."""

from __future__ import annotations

import json
import signal
from os import kill
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ecgcore.cli import main
from ecgcore.recording import LEADS
from tests.models.example import example_recording
from tests.torchrun import finished, outcome, torchrun, wait_until, worker_ids

MODEL = "inception"


def _files(folder: Path, count: int) -> list[str]:
    """Names of so many recordings of 10 s, all the same but for the third, which is none."""
    folder.mkdir()
    leads = [lead for lead in LEADS if lead in ("I", "II") or lead.startswith("V")]
    heart = example_recording(rate=100.0)
    signals = heart.signal[[LEADS.index(lead) for lead in leads]]
    first = folder / "0000.npz"
    np.savez(first, signal=signals, leads=np.array(leads), sampling_rate=100.0)
    paths = [first, *(folder / f"{number:04d}.npz" for number in range(1, count))]
    for path in paths[1:]:
        path.symlink_to(first)
    for path in paths[2:3]:
        path.unlink()
    return [str(path) for path in paths]


def _predict(files: list[str], *more: str) -> list[str]:
    return ["predict", "--json", "--model", MODEL, "--unit", "mV", *more, *files]


def _rows(out: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.splitlines()]


def _answers(rows: list[dict[str, Any]]) -> list[Any]:
    """What is the same however often it is asked: not the time that it took."""
    return [(row["file"], row.get("labels"), row.get("error")) for row in rows]


def test_two_workers_print_what_one_process_prints(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = _files(tmp_path / "files", 21)
    assert main(_predict(files)) == 3
    alone = _rows(capsys.readouterr().out)
    assert [row["file"] for row in alone] == files
    assert [i for i, row in enumerate(alone) if "error" in row] == [2]
    status, out, said = outcome(["ecgcore", *_predict(files)])
    assert _answers(_rows(out)) == _answers(alone)
    assert status != 0
    assert "exitcode  : 3" in said  # the worker's; torchrun's own is 1 whenever one is not 0


def test_a_killed_command_goes_on_with_what_its_shards_lack(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = _files(tmp_path / "files", 80)
    shards = tmp_path / "shards"
    words = _predict(files, "--shards", str(shards))

    def kept() -> list[str]:
        texts = [path.read_text(encoding="utf-8") for path in shards.glob("*.jsonl")]
        lines = [line for text in texts for line in text.splitlines(keepends=True)]
        return [line for line in lines if line.endswith("\n")]

    with torchrun(["ecgcore", *words]) as started:
        wait_until(lambda: len(kept()) > 15)  # the unread pipe holds some more
        kill(worker_ids(started)[1], signal.SIGKILL)
        status, out, said = finished(started)
    assert status != 0
    assert "the same command goes on from here" in said
    assert [row["file"] for row in _rows(out)] == files[: len(out.splitlines())]
    before = {row["file"]: row for row in map(json.loads, kept())}
    assert 15 < len(before) < 80

    with (shards / "worker-0.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"file": "cut sho')
    assert main(words) == 3
    rows = _rows(capsys.readouterr().out)
    assert [row["file"] for row in rows] == files
    assert all(row == before.get(row["file"], row) for row in rows)  # not answered again
    assert len(kept()) == 80
    assert main(words) == 3
    assert _rows(capsys.readouterr().out) == rows
    assert len(kept()) == 80


def test_shards_of_another_question_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = _files(tmp_path / "files", 2)
    shards = str(tmp_path / "shards")
    assert main(_predict(files, "--shards", shards)) == 0
    assert main([*_predict(files, "--shards", shards), "--sampling-rate", "200"]) == 2
    said = capsys.readouterr().err
    assert "holds answers to another question (other sampling_rate); choose another" in said
    asked = tmp_path / "shards" / "asked.json"
    other = json.loads(asked.read_text(encoding="utf-8")) | {"card_sha256": "of other thresholds"}
    asked.write_text(json.dumps(other), encoding="utf-8")
    assert main(_predict(files, "--shards", shards)) == 2
    assert "another question (other card_sha256)" in capsys.readouterr().err
    asked.write_text("{", encoding="utf-8")
    assert main(_predict(files, "--shards", shards)) == 2
    assert "asked.json is damaged" in capsys.readouterr().err


def test_a_line_that_a_disk_lost_is_answered_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = _files(tmp_path / "files", 4)
    words = _predict(files, "--shards", str(tmp_path / "shards"))
    assert main(words) == 3
    rows = _rows(capsys.readouterr().out)
    shard = tmp_path / "shards" / "worker-0.jsonl"
    lines = shard.read_bytes().splitlines(keepends=True)
    shard.write_bytes(lines[0] + bytes(len(lines[1]) - 1) + b"\n" + b"".join(lines[2:]))
    assert main(words) == 3
    assert _answers(_rows(capsys.readouterr().out)) == _answers(rows)
