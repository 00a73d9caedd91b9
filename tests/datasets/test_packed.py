"""Packed data sets: what is read is what was written, and what is wrong is said."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ecgcore.datasets.packed import PackedDataError, load_packed
from ecgcore.labels import label_set
from ecgcore.models.input_spec import InputSpec
from tests.packed_example import packed_arrays, write_packed


def test_signals_come_out_scaled_in_their_own_lead(tmp_path: Path) -> None:
    data = load_packed(write_packed(tmp_path / "packed.npz"))
    inputs = data.inputs(InputSpec(sampling_rate=100.0, leads=("V2", "I")))
    stored = packed_arrays()["X"]
    np.testing.assert_allclose(inputs[:, 0], stored[:, :, 7] * 0.001, atol=1e-6)
    np.testing.assert_allclose(inputs[:, 1], stored[:, :, 0] * 0.001, atol=1e-6)


def test_folds_and_labels_stay_with_their_records(tmp_path: Path) -> None:
    data = load_packed(write_packed(tmp_path / "packed.npz"))
    chosen = data.select((2, 9))
    assert set(chosen.fold) == {2, 9}
    original = packed_arrays()
    for row, ecg_id in enumerate(chosen.record_ids.astype(int)):
        assert (chosen.targets["superclasses"][row] == original["y5"][ecg_id]).all()
        assert (chosen.stored[row] == original["X"][ecg_id].T).all()
    column = chosen.target("statements", ("AFIB",))[:, 0]
    assert (column == chosen.target("superclasses", ("MI",))[:, 0]).all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"y5": None}, "lacks y5"),
        ({"leads": np.array(["a"] * 12)}, "lead name 'a'"),
        ({"leads": np.array("I")}, "no packed data set"),
        ({"scale": np.float32("nan")}, "scale nan"),
        ({"scale": np.array([1.0, 2.0])}, "no packed data set"),
        ({"fs": np.array("x")}, "no packed data set"),
        ({"fold": np.full(90, np.nan)}, "fold"),
        ({"fold": np.full(90, 300)}, "folds that are no small whole numbers"),
        ({"ecg_id": np.arange(3)}, "ecg_id"),
        ({"X": np.zeros((90, 0, 12), np.int16)}, "X has shape"),
        ({"X": np.zeros((90, 1000, 12), np.float32)}, "float32"),
        ({"X": np.zeros((90, 1000, 11), np.int16)}, "disagree in size"),
        ({"y5": np.full((90, 5), 2)}, "table of 0 and 1"),
        ({"y5": np.zeros((80, 5))}, "table of 0 and 1"),
        ({"fold": np.zeros(3, np.int8)}, "disagree in size"),
    ],
)
def test_a_wrong_file_is_refused_with_what_is_wrong(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    path = write_packed(tmp_path / "packed.npz", **changes)
    with pytest.raises(PackedDataError, match=message):
        load_packed(path)


def test_truncated_or_foreign_files_are_refused(tmp_path: Path) -> None:
    whole = write_packed(tmp_path / "packed.npz").read_bytes()
    for name, data in {"cut.npz": whole[: len(whole) // 2], "text.npz": b"hello"}.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(PackedDataError, match="cannot be read"):
            load_packed(tmp_path / name)
    with pytest.raises(PackedDataError, match="cannot be read"):
        load_packed(tmp_path / "missing.npz")


def test_a_spec_of_another_stored_rate_is_refused(tmp_path: Path) -> None:
    data = replace(load_packed(write_packed(tmp_path / "packed.npz")), sampling_rate=125.0)
    with pytest.raises(PackedDataError, match="125 Hz"):
        data.inputs(InputSpec())


def test_the_statements_say_what_the_other_label_sets_hold(tmp_path: Path) -> None:
    codes = [label.code for label in label_set("statements")]
    y71 = np.zeros((90, 71), dtype=np.uint8)
    y71[0, [codes.index("IMI"), codes.index("AFIB")]] = 1
    y71[1, codes.index("PVC")] = 1
    data = load_packed(write_packed(tmp_path / "packed.npz", y71=y71))
    for name in ("subclasses", "form", "rhythm"):
        assert data.codes[name] == tuple(label.code for label in label_set(name))
    assert {
        (row, name, data.codes[name][column])
        for name in ("subclasses", "form", "rhythm")
        for row, column in zip(*np.nonzero(data.targets[name]), strict=True)
    } == {(0, "subclasses", "IMI"), (0, "rhythm", "AFIB"), (1, "form", "PVC")}
