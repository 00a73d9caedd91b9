"""What is known of data before a run, by fold, without reading a signal."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ecgcore.datasets.catalogue import open_data_set
from ecgcore.datasets.data_facts import (
    facts_of_packed,
    facts_of_snapshot,
    is_packed,
    joined_facts,
    left_out_by_reason,
)
from ecgcore.datasets.packed import PackedDataError, load_packed
from ecgcore.datasets.packing import pack
from ecgcore.datasets.record import Skipped
from ecgcore.recording import LEADS
from ecgcore.review.snapshots import Snapshot, SnapshotRow
from tests.datasets import public_layouts as layouts
from tests.packed_example import packed_arrays, write_packed


def test_counts_are_those_of_the_loaded_data(tmp_path: Path) -> None:
    path = write_packed(tmp_path / "some.npz")
    facts, data = facts_of_packed(path), load_packed(path)
    assert (facts.records, facts.patients) == (90, None)
    assert facts.folds == tuple(range(1, 10)) and facts.records_in((1, 2, 99)) == 20
    assert (facts.leads, facts.sampling_rate, facts.seconds) == (LEADS, 100.0, 10.0)
    counted = facts.positives_in("statements+superclasses+rhythm", (1, 2, 99))
    chosen = data.select((1, 2))
    for names in ("statements", "superclasses", "rhythm"):
        expected = dict(zip(data.labels(names), chosen.targets_of(names).sum(0), strict=True))
        assert {key: counted[key] for key in expected} == expected
    assert counted["superclasses", "MI"] > 0


def test_a_memory_mapped_file_tells_its_people_and_what_it_left_out(tmp_path: Path) -> None:
    path = tmp_path / "ptbxl.pack"
    pack(open_data_set("ptbxl", layouts.ptbxl(tmp_path / "ptbxl")), path)
    facts = facts_of_packed(path)
    assert (facts.records, facts.patients) == (4, 2)
    assert facts.fold_counts == {1: 2, 2: 2}
    assert facts.positives_in("superclasses", (1, 2))["superclasses", "NORM"] == 4
    assert is_packed(path)


def test_the_signals_are_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_packed(tmp_path / "some.npz")
    asked: list[str] = []
    whole = np.lib.npyio.NpzFile.__getitem__
    monkeypatch.setattr(
        np.lib.npyio.NpzFile,
        "__getitem__",
        lambda file, key: (asked.append(key), whole(file, key))[1],
    )
    facts_of_packed(path)
    assert "fold" in asked and "X" not in asked


def test_several_are_counted_together_whatever_the_order_of_their_labels(tmp_path: Path) -> None:
    first = write_packed(tmp_path / "first.npz")
    arrays = packed_arrays(30, seed=3)
    turned = {"y5": arrays["y5"][:, ::-1], "classes5": arrays["classes5"][::-1]}
    second = write_packed(tmp_path / "second.npz", **(arrays | turned))
    parts = [facts_of_packed(first), facts_of_packed(second)]
    both = joined_facts(parts)
    assert both.records == 120
    counts = [part.positives_in("superclasses", part.folds)["superclasses", "MI"] for part in parts]
    assert both.positives_in("superclasses", both.folds)["superclasses", "MI"] == sum(counts)
    assert counts[0] != counts[1]


def test_what_cannot_be_joined_or_is_no_packed_file_is_said(tmp_path: Path) -> None:
    one = facts_of_packed(write_packed(tmp_path / "one.npz"))
    other = facts_of_packed(write_packed(tmp_path / "other.npz", fs=np.int64(200)))
    with pytest.raises(PackedDataError, match=r"other\.npz and one\.npz differ in rate"):
        joined_facts([one, other])
    with pytest.raises(PackedDataError, match="choose at least one"):
        joined_facts([])
    text = tmp_path / "text.npz"
    text.write_text("no")
    assert not is_packed(text)
    with pytest.raises(PackedDataError, match=r"text\.npz"):
        facts_of_packed(text)
    with pytest.raises(PackedDataError, match=r"less\.npz lacks"):
        facts_of_packed(write_packed(tmp_path / "less.npz", y5=None))


def test_a_snapshot_counts_its_labels_by_fold_without_what_it_leaves_out() -> None:
    rows = (
        SnapshotRow("a" * 64, "p1", 1, "confirmed", ("IMI", "SR"), ("SR",), (1,)),
        SnapshotRow("b" * 64, "p1", 1, "on file", ("AFIB",), ("AFIB",), ()),
        SnapshotRow("c" * 64, "p2", 9, "changed", ("AFIB",), None, (2,)),
        SnapshotRow("d" * 64, "p3", 9, "left out", (), ("NORM",), (3,)),
    )
    facts = facts_of_snapshot(Snapshot("f" * 64, {"label_set": "statements"}, rows), "mine")
    assert (facts.name, facts.records, facts.patients) == ("mine", 3, 2)
    assert facts.fold_counts == {1: 2, 9: 1}
    assert facts.positives_in("superclasses", (1,))["superclasses", "MI"] == 1
    assert facts.positives_in("rhythm", (1, 9))["rhythm", "AFIB"] == 2
    assert facts.left_out[0].count == 1 and facts.leads is None


def test_reasons_that_differ_in_names_numbers_and_leads_are_one() -> None:
    found = left_out_by_reason(
        [
            Skipped("a/0001.dat", "0001 is short: 3.2 s"),
            Skipped("a/0002.dat", "0002 is short: 7 s"),
            Skipped("x", "leads I, aVR are flat"),
            Skipped("y", "leads V1, V2, V3 are flat"),
            Skipped("z", "leads V1 are flat"),
            Skipped("w", "gone"),
        ]
    )
    assert [(one.count, one.first) for one in found] == [
        (3, ("x", "y", "z")), (2, ("a/0001.dat", "a/0002.dat")), (1, ("w",)),
    ]  # fmt: skip
    assert found[1].reason == "0001 is short: 3.2 s"
