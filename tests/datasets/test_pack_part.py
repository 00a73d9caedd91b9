"""Packing that was broken off goes on where it was, and comes to the same file."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from threading import Thread

import pytest

from ecgcore.datasets.catalogue import open_data_set
from ecgcore.datasets.packing import PackProgress, pack, packed_step_by_step
from ecgcore.datasets.record import DataSet, IndexEntry, Skipped
from ecgcore.recording import Recording, RecordingError
from tests.datasets import public_layouts as layouts


@pytest.fixture
def data(tmp_path: Path) -> DataSet:
    return open_data_set("ptbxl", layouts.ptbxl(tmp_path / "ptbxl"))


def _counting(data: DataSet, read: list[str]) -> DataSet:
    def read_signal(entry: IndexEntry) -> Recording:
        read.append(entry.record_id)
        return data.read_signal(entry)

    return replace(data, read_signal=read_signal)


def _break_off(data: DataSet, path: Path, after: int) -> None:
    steps = packed_step_by_step(data, path)
    for _ in range(after + 1):
        next(steps)
    steps.close()


def test_it_goes_on_behind_the_last_record_and_the_file_is_the_same(
    data: DataSet, tmp_path: Path
) -> None:
    whole, path = tmp_path / "whole.pack", tmp_path / "broken.pack"
    pack(data, whole)
    _break_off(data, path, 2)
    assert not path.exists()
    read: list[str] = []
    assert pack(_counting(data, read), path).records == 4
    assert read == ["3", "4"]
    assert path.read_bytes() == whole.read_bytes()
    assert [one.name for one in tmp_path.iterdir() if "broken" in one.name] == ["broken.pack"]


@pytest.mark.parametrize("cut", ["row", "samples"])
def test_what_a_kill_cut_in_two_is_done_again(data: DataSet, tmp_path: Path, cut: str) -> None:
    whole, path = tmp_path / "whole.pack", tmp_path / "broken.pack"
    pack(data, whole)
    _break_off(data, path, 3)
    file = tmp_path / "broken.pack.part" / {"row": "rows.jsonl", "samples": "samples"}[cut]
    os.truncate(file, file.stat().st_size - 10)
    read: list[str] = []
    pack(_counting(data, read), path)
    assert read == ["3", "4"]
    assert path.read_bytes() == whole.read_bytes()


def test_another_data_set_of_the_same_place_begins_anew(data: DataSet, tmp_path: Path) -> None:
    path = tmp_path / "one.pack"
    _break_off(data, path, 3)
    read: list[str] = []
    pack(_counting(replace(data, entries=data.entries[1:]), read), path)
    assert read == ["2", "3", "4"]


def test_progress_says_what_is_left_out_and_why(data: DataSet, tmp_path: Path) -> None:
    def read_signal(entry: IndexEntry) -> Recording:
        if entry.record_id == "2":
            raise RecordingError("a torn file", "a whole one", "copy it again")
        return data.read_signal(entry)

    torn = replace(data, read_signal=read_signal, skipped=(Skipped("x", "gone"),))
    told = list(packed_step_by_step(torn, tmp_path / "torn.pack"))
    assert [(one.done, one.records) for one in told] == [
        (0, 0), (1, 0), (2, 1), (3, 1), (4, 2), (5, 3),
    ]  # fmt: skip
    assert {one.total for one in told} == {5}
    assert told[0] == PackProgress(0, 5, 0)
    left = [one.left_out for one in told if one.left_out is not None]
    assert left[0] == Skipped("x", "gone") and "a torn file" in left[1].reason


def test_two_at_once_wait_for_each_other(data: DataSet, tmp_path: Path) -> None:
    whole, path = tmp_path / "whole.pack", tmp_path / "both.pack"
    pack(data, whole)
    steps = packed_step_by_step(data, path)
    next(steps)
    other = Thread(target=pack, args=(data, path))
    other.start()
    other.join(0.3)
    assert other.is_alive()
    for _ in steps:
        pass
    other.join(20)
    assert not other.is_alive()
    assert path.read_bytes() == whole.read_bytes()
