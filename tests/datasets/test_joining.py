"""Joining packed files: what they must share, and no record counted twice under any name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ecgcore.datasets.catalogue import open_data_set
from ecgcore.datasets.joining import join
from ecgcore.datasets.packed import LABEL_KEYS, PackedData, PackedDataError, load_packed
from ecgcore.datasets.packing import pack
from tests.datasets import public_layouts as layouts
from tests.packed_example import packed_arrays, write_packed


def npz(folder: Path, name: str = "packed", seed: int = 0, **changes: Any) -> PackedData:
    """An ``.npz`` whose signals follow from the seed, with the two label sets that it holds."""
    arrays = {"X": packed_arrays(seed=seed)["X"], **changes}
    data = load_packed(write_packed(folder / f"{name}.npz", **arrays))
    return replace(data, codes={key: data.codes[key] for key in LABEL_KEYS})


def packed(folder: Path, name: str, out: str = "") -> PackedData:
    """A small public layout as a pack file."""
    source = folder / f"{name} {out}"
    layout = {"ptbxl": layouts.ptbxl, "ludb": layouts.ludb, "sph": layouts.sph}.get(name)
    path = folder / f"{name}{out}.pack"
    pack(open_data_set(name, layout(source) if layout else layouts.challenge(source)), path)
    return load_packed(path)


def test_records_are_joined_in_order(tmp_path: Path) -> None:
    data = npz(tmp_path)
    other = npz(tmp_path, "other", seed=1, ecg_id=np.arange(90) + 1000)
    joined = join([data, other])
    assert len(joined) == 180
    np.testing.assert_array_equal(joined.stored[90:], other.stored)
    np.testing.assert_array_equal(joined.fold[:90], data.fold)
    assert joined.record_ids[90] == "1000"
    assert joined.sha256 not in (data.sha256, other.sha256)


def test_a_record_that_stands_in_both_is_refused(tmp_path: Path) -> None:
    data = npz(tmp_path)
    with pytest.raises(
        PackedDataError, match="record 0 stands in two of the files: packed, packed"
    ):
        join([replace(data, name="packed"), replace(data, name="packed")])
    with pytest.raises(PackedDataError, match="record 0 stands in two of the files"):
        join([data, npz(tmp_path, "other", seed=1)])
    with pytest.raises(PackedDataError, match="record 5 stands twice in one"):
        join([npz(tmp_path, "one", ecg_id=np.where(np.arange(90) == 7, 5, np.arange(90)))])


def test_a_signal_that_stands_in_both_is_refused_under_any_name(tmp_path: Path) -> None:
    """PTB-XL's records stand in the challenges too; an .npz may name its records or not."""
    data = npz(tmp_path)
    signals = packed_arrays(seed=1)["X"]
    signals[3] = packed_arrays()["X"][8]
    other = npz(tmp_path, "other", X=signals, ecg_id=np.arange(90) + 1000)
    with pytest.raises(PackedDataError, match="signal of 8 and 1003 stands in two of the files"):
        join([data, other])
    unnamed = npz(tmp_path, "unnamed", ecg_id=None)
    with pytest.raises(PackedDataError, match="stands in two of the files"):
        join([unnamed, unnamed])
    with pytest.raises(PackedDataError, match="stands in two of the files"):
        join([data, unnamed])


@pytest.mark.parametrize("units", [1, 150])
def test_one_signal_packed_otherwise_is_refused(tmp_path: Path, units: int) -> None:
    """Another rounding of the scale makes a unit of difference, another rate more."""
    data = npz(tmp_path)
    draw = np.random.default_rng(0)
    noise = draw.integers(-units, units + 1, data.stored[:3].shape, dtype=np.int16)
    other = npz(tmp_path, "other", seed=1, ecg_id=np.arange(90) + 1000)
    other.stored[[5, 6, 7]] = data.stored[[20, 21, 22]] + noise
    with pytest.raises(PackedDataError, match="signal of 20 and 1005 stands in two"):
        join([data, other])
    other.stored[[5, 6, 7]] = data.stored[[20, 21, 22], :, ::-1]
    assert len(join([data, other])) == 180


def test_a_record_of_the_challenge_that_is_ptbxls_is_known_by_its_name(tmp_path: Path) -> None:
    challenge = packed(tmp_path, "challenge2021")
    place = challenge.origins.tolist().index("ptbxl")
    assert challenge.record_ids[place] == "1"
    apart = replace(challenge, stored=challenge.stored + np.int16(9))
    with pytest.raises(PackedDataError, match="record 1 stands in two"):
        join([npz(tmp_path), apart])


def test_records_without_known_patients_do_not_join_their_data_sets_own_folds(
    tmp_path: Path,
) -> None:
    ptbxl, challenge = packed(tmp_path, "ptbxl"), packed(tmp_path, "challenge2021")
    assert (ptbxl.splits, challenge.splits) == (("published",), ("by record",))
    names = [f"other {name}" for name in challenge.record_ids]
    apart = replace(challenge, stored=challenge.stored + np.int16(9), record_ids=np.array(names))
    with pytest.raises(PackedDataError, match="one person could be in two folds"):
        join([ptbxl, apart])
    assert join([npz(tmp_path, ecg_id=np.arange(90) + 500), apart]).splits == (
        "unknown", "by record",
    )  # fmt: skip


def test_rows_of_files_that_name_no_record_are_different_records(tmp_path: Path) -> None:
    one = npz(tmp_path, "one", ecg_id=None)
    two = npz(tmp_path, "two", seed=1, ecg_id=None)
    assert len(join([one, two])) == len(set(join([one, two]).record_ids.tolist())) == 180


def test_names_are_compared_within_their_data_set(tmp_path: Path) -> None:
    """LUDB's 1 is not PTB-XL's 1; the same set packed twice is refused, and an .npz tells no set.

    LUDB's made-up signals are PTB-XL's here, so they are changed.
    """
    ptbxl, ludb = packed(tmp_path, "ptbxl"), packed(tmp_path, "ludb")
    changed = replace(ludb, stored=np.roll(ludb.stored, 40, axis=-1))
    assert set(ludb.record_ids) < set(ptbxl.record_ids)
    joined = join([ptbxl, changed])
    assert joined.record_ids.tolist() == ["1", "2", "3", "4", "1", "2"]
    assert joined.origins.tolist() == ["ptbxl"] * 4 + ["ludb"] * 2
    with pytest.raises(PackedDataError, match="signal of 1 and 1"):
        join([ptbxl, ludb])
    again = replace(ptbxl, stored=ptbxl.stored + np.int16(5))
    with pytest.raises(PackedDataError, match="record 1 stands in two"):
        join([ptbxl, again])
    with pytest.raises(PackedDataError, match="record 1 stands in two"):
        join([npz(tmp_path), changed])


def test_leading_zeros_make_no_other_record(tmp_path: Path) -> None:
    folder = tmp_path / "set"
    for number in (1, 2):
        layouts.write_wfdb(folder / f"0000{number}", layouts.voltages(number), 500, ["SCP: NORM"])
    pack(open_data_set("wfdb", folder), tmp_path / "set.pack")
    with pytest.raises(PackedDataError, match="record 1 stands in two"):
        join([npz(tmp_path), load_packed(tmp_path / "set.pack")])


def test_an_npz_and_a_pack_share_their_two_label_sets(tmp_path: Path) -> None:
    """Columns follow the first part; rows keep their labels and what is told beside the signal."""
    order = np.array([4, 2, 0, 1, 3])
    arrays = packed_arrays()
    turned = {"y5": arrays["y5"][:, order], "classes5": arrays["classes5"][order]}
    numbers = np.arange(90) + 1000
    data = npz(tmp_path, **turned, ecg_id=numbers, age=np.arange(90.0))
    pack_file = packed(tmp_path, "ptbxl")
    assert len(pack_file.codes) == 5
    for parts in ([data, pack_file], [pack_file, data]):
        joined = join(parts)
        assert set(joined.codes) == set(joined.targets) == {"statements", "superclasses"}
        assert joined.codes["superclasses"] == parts[0].codes["superclasses"]
        rows = joined.record_ids.astype(int)
        norm = joined.target("superclasses", ("NORM",))[:, 0]
        np.testing.assert_array_equal(norm[rows < 1000], 1)
        np.testing.assert_array_equal(norm[rows >= 1000], arrays["y5"][:, 0])
        np.testing.assert_array_equal(
            joined.aside["age"][:, 0], np.where(rows < 1000, 56.0, rows - 1000)
        )
    with pytest.raises(PackedDataError, match="has no rhythm SR"):
        joined.target("rhythm", ("SR",))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"fs": np.int64(250)}, "differ in rate, scale, leads or length"),
        ({"scale": np.float32(0.002)}, "differ in rate"),
        ({"X": packed_arrays(seed=1)["X"][:, :900]}, "differ in rate"),
        ({"leads": packed_arrays()["leads"][::-1]}, "differ in rate"),
        ({"classes5": np.array(list("abcde"))}, "differ in the labels of superclasses"),
    ],
)
def test_files_that_differ_are_refused(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    other = npz(tmp_path, "other", seed=1, **{"ecg_id": np.arange(90) + 1000, **changes})
    with pytest.raises(PackedDataError, match=message):
        join([npz(tmp_path), other])


def test_files_without_a_common_label_set_are_refused(tmp_path: Path) -> None:
    data = packed(tmp_path, "ptbxl")
    rhythm = replace(data, codes={"rhythm": data.codes["rhythm"]})
    form = replace(data, codes={"form": data.codes["form"]})
    with pytest.raises(PackedDataError, match="no label set stands in all of"):
        join([rhythm, form])
