"""A subset rebuilds the training data of the shipped models; what it lacks is listed."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import numpy as np
import pytest

from ecgcore.datasets import subsets
from ecgcore.datasets.catalogue import open_data_set
from ecgcore.datasets.packed import load_packed
from ecgcore.datasets.packing import PackOptions, pack
from ecgcore.datasets.record import DataSetError
from ecgcore.datasets.subsets import subset, subset_conditioning, subset_names
from ecgcore.models.card import load_card, trained_models
from tests.datasets import public_layouts as layouts


@pytest.fixture
def chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A subset of the made-up PTB-XL: records 2 and 3, and one that is not there."""
    monkeypatch.setattr(subsets, "FOLDER", tmp_path)
    table = tmp_path / "few.csv"
    table.write_text("ecg_id,fold\n3,2\n2,1\n40,1\n", encoding="utf-8")
    return table


def test_the_records_of_a_subset_and_what_is_missing(chosen: Path, tmp_path: Path) -> None:
    data = open_data_set("ptbxl", layouts.ptbxl(tmp_path / "ptbxl"))
    few = subset(data, "few")
    assert [entry.record_id for entry in few.entries] == ["2", "3"]
    assert [(one.member, one.reason) for one in few.skipped] == [
        ("40", "is in few and not in the data set")
    ]
    chosen.write_text("ecg_id,fold\n3,4\n", encoding="utf-8")
    with pytest.raises(DataSetError, match="in fold 2 here and in fold 4 of few"):
        subset(data, "few")
    chosen.write_text("ecg_id,fold\n77,4\n", encoding="utf-8")
    with pytest.raises(DataSetError, match="none of the 1 records"):
        subset(data, "few")
    with pytest.raises(DataSetError, match="unknown subset 'many'; known: few"):
        subset(data, "many")


def test_the_shipped_subset_is_as_large_as_the_cards_say() -> None:
    assert subset_names() == ("ptbxl_1625",)
    with (subsets.FOLDER / "ptbxl_1625.csv").open(encoding="utf-8", newline="") as table:
        folds = [int(row["fold"]) for row in csv.DictReader(table)]
    for name in trained_models():
        told = load_card(name).data
        assert folds.count(9) == told["n_validation"]
        assert len(folds) - folds.count(9) == told["n_train"]


def test_packing_the_subset_rebuilds_the_training_data(ecg_data: Path, tmp_path: Path) -> None:
    """On the records that are at hand raw: signals to a unit of 0.001, labels and folds alike."""
    arrays = [np.load(ecg_data / "ptbxl_1625" / f"{name}.npz") for name in ("train", "val")]
    packed = {key: np.concatenate([part[key] for part in arrays]) for key in ("ecg_id", "fold")}
    for key in ("X", "y71", "y5", "age", "sex"):
        packed[key] = np.concatenate([part[key] for part in arrays])
    rows = {int(number): row for row, number in enumerate(packed["ecg_id"])}
    layout = _layout(ecg_data, tmp_path / "ptbxl", rows, packed["fold"])
    data = subset(open_data_set("ptbxl", layout), "ptbxl_1625")
    assert len(data) == 5
    pack(data, tmp_path / "few.pack", PackOptions(conditioning=subset_conditioning("ptbxl_1625")))
    found = load_packed(tmp_path / "few.pack")
    here = [rows[int(record)] for record in found.record_ids]
    assert np.abs(found.stored.transpose(0, 2, 1) - packed["X"][here]).max() <= 1
    known = load_packed(ecg_data / "ptbxl_1625" / "val.npz").codes
    for label_set, key in (("statements", "y71"), ("superclasses", "y5")):
        np.testing.assert_array_equal(
            found.target(label_set, known[label_set]),  # type: ignore[arg-type, index]
            packed[key][here],
        )
    np.testing.assert_array_equal(found.fold, packed["fold"][here])
    np.testing.assert_array_equal(found.aside["age"][:, 0], packed["age"][here])


def _layout(
    ecg_data: Path, folder: Path, rows: dict[int, int], folds: np.ndarray[tuple[int], np.dtype]
) -> Path:
    """PTB-XL's folder with those of the subset's records that are at hand at 500 Hz."""
    signals = folder / "records500"
    signals.mkdir(parents=True)
    entries = []
    with (ecg_data / "records.csv").open(encoding="utf-8", newline="") as table:
        for row in csv.DictReader(table):
            number = int(row["record"].split("_")[0]) if row["set"] == "ptbxl_raw500" else 0
            if number not in rows:
                continue
            for suffix in (".hea", ".dat"):
                shutil.copy(ecg_data / "ptbxl_raw500" / (row["record"] + suffix), signals)
            codes = dict.fromkeys(row["labels"].split(";"), 100.0)
            entries.append(
                {
                    "ecg_id": number, "patient_id": number, "age": row["age"],
                    "sex": int(row["sex"] == "F"), "scp_codes": str(codes),
                    "strat_fold": folds[rows[number]],
                    "filename_hr": f"records500/{row['record']}",
                }
            )  # fmt: skip
    layouts.write_csv(folder / "ptbxl_database.csv", entries)
    return folder
