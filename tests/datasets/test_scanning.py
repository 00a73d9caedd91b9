"""A folder that somebody points to: what it is told to be, and what looking through it finds."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from ecgcore.datasets.data_facts import DataFacts
from ecgcore.datasets.packed import load_packed
from ecgcore.datasets.packing import PackProgress
from ecgcore.datasets.record import DataSetError
from ecgcore.datasets.scanning import find_in, open_found, pack_place, packed_files, scanned
from tests.datasets import public_layouts as layouts
from tests.packed_example import write_packed
from tests.wfdb_files import write_wfdb


def _last(steps: Generator[PackProgress, None, DataFacts]) -> tuple[list[PackProgress], DataFacts]:
    told = []
    while True:
        try:
            told.append(next(steps))
        except StopIteration as end:
            return told, end.value


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("ptbxl", layouts.ptbxl),
        ("code15", layouts.code15),
        ("sph", layouts.sph),
        ("tianchi1", layouts.tianchi),
        ("cpsc2018", layouts.cpsc2018),
        ("challenge2021", layouts.challenge),
        ("brugada", layouts.brugada),
    ],
)
def test_a_public_set_is_told_by_what_its_publication_lays_down(
    tmp_path: Path, name: str, write: Any
) -> None:
    found = find_in(write(tmp_path / "data"))
    assert (found.kind, found.name) == ("data set", name)
    assert len(open_found(found))


def test_packed_files_are_found_by_content_wherever_they_lie(tmp_path: Path) -> None:
    (tmp_path / "in" / "deep").mkdir(parents=True)
    (tmp_path / "in" / ".hidden").mkdir()
    first = write_packed(tmp_path / "in" / "deep" / "train.npz")
    write_packed(tmp_path / "in" / ".hidden" / "other.npz")
    (tmp_path / "in" / "text.npz").write_text("no")
    write_packed(tmp_path / "in" / "less.npz", y71=None)
    assert packed_files(tmp_path / "in") == (first,)
    found = find_in(tmp_path / "in")
    assert (found.kind, found.packed) == ("packed", (first,))


def test_other_recordings_are_labelled_by_their_own_statements(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    write_wfdb(folder, "alpha", 10, 60, "NORM;SR")
    write_wfdb(folder, "beta", 10, 75, "AFIB")
    write_wfdb(folder, "short", 1, 75, "AFIB")
    (folder / "scan.xml").write_text("<ecg/>")
    (folder / "lost.dat").write_bytes(b"\0" * 10)
    found = find_in(folder)
    assert found.name == "recordings"
    told, facts = _last(scanned(found, tmp_path / "packs"))
    assert told[-1].done == told[-1].total == 5
    assert (facts.records, facts.patients) == (2, None)
    assert facts.positives_in("statements", facts.folds)["statements", "AFIB"] == 1
    assert {one.first[0] for one in facts.left_out} == {"scan.xml", "lost.dat", "short"}
    packed = load_packed(pack_place(found, tmp_path / "packs"))
    assert packed.record_ids.tolist() == ["alpha", "beta"]
    assert packed.splits == ("by record",)


def test_looking_again_reads_only_what_was_not_looked_at(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    for name, pulse in (("alpha", 60), ("beta", 75), ("gamma", 90)):
        write_wfdb(folder, name, 10, pulse, "SR")
    found = find_in(folder)
    steps = scanned(found, tmp_path / "packs")
    next(steps), next(steps), next(steps)
    steps.close()
    told, facts = _last(scanned(found, tmp_path / "packs"))
    assert told[0].done == 2
    assert facts.records == 3


def test_two_folders_of_one_name_are_packed_apart(tmp_path: Path) -> None:
    for at in ("one", "two"):
        write_wfdb(tmp_path / at / "data", "alpha", 10, 60, "SR")
    places = {pack_place(find_in(tmp_path / at / "data"), tmp_path) for at in ("one", "two")}
    assert len(places) == 2


def test_a_folder_of_nothing_says_what_could_be_given(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no ECG")
    with pytest.raises(DataSetError, match="WFDB, DICOM, CSV or NPZ"):
        open_found(find_in(tmp_path))
    with pytest.raises(DataSetError, match="no folder on this computer"):
        find_in(tmp_path / "gone")
