"""Each adapter against a folder in the public layout, whole and with a broken member."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ecgcore.datasets.catalogue import CATALOGUE, open_data_set
from ecgcore.datasets.containers import read_h5, read_mat
from ecgcore.datasets.headers import open_challenge, source_of
from ecgcore.datasets.record import DataSet, DataSetError, DatasetRecord, Skipped
from ecgcore.recording import LEADS
from tests.datasets import public_layouts as layouts

LAYOUTS: dict[str, Callable[[Path], Path]] = {
    "ptbxl": layouts.ptbxl,
    "ptbxl100": layouts.ptbxl,
    "icbeb2018": layouts.icbeb,
    "cpsc2018": layouts.cpsc2018,
    "challenge2020": layouts.challenge,
    "challenge2021": layouts.challenge,
    "code15": layouts.code15,
    "tianchi1": layouts.tianchi,
    "tianchi2": lambda folder: layouts.tianchi(folder, 2),
    "ludb": layouts.ludb,
    "sph": layouts.sph,
    "brugada": layouts.brugada,
    "wfdb": layouts.wfdb,
    "npz": layouts.npz,
}
BROKEN = {
    "ptbxl": "records500/00000/00002_hr.dat",
    "ptbxl100": "records100/00000/00002_lr.dat",
    "icbeb2018": "records500/2.dat",
    "cpsc2018": "TrainingSet2/A0002.mat",
    "challenge2020": "g1/Q0001.mat",
    "challenge2021": "g1/Q0001.mat",
    "code15": "exams_part0.hdf5",
    "tianchi1": "hf_round1_train/100002.txt",
    "tianchi2": "hf_round2_train/100002.txt",
    "ludb": "data/2.dat",
    "sph": "records/A00002.h5",
    "brugada": "files/251972/251972.dat",
    "wfdb": "00002_hr.dat",
    "npz": "b.npz",
}


def _split(data: DataSet) -> tuple[list[DatasetRecord], list[Skipped]]:
    found = list(data.records())
    return (
        [one for one in found if isinstance(one, DatasetRecord)],
        [one for one in found if isinstance(one, Skipped)],
    )


def test_every_data_set_of_the_catalogue_is_tested() -> None:
    assert set(LAYOUTS) == set(BROKEN) == set(CATALOGUE)


@pytest.mark.parametrize("name", LAYOUTS)
def test_reads_the_public_layout(name: str, tmp_path: Path) -> None:
    records, skipped = _split(open_data_set(name, LAYOUTS[name](tmp_path / "set")))
    assert [one.member for one in skipped] == ([] if name != "code15" else ["exams_part0.hdf5[2]"])
    assert len(records) >= 2
    for record in records:
        assert record.recording.leads == LEADS
        assert 0.5 < np.ptp(record.recording.lead("II")) < 3.0  # mV: the unit is right
        assert record.origin and all(label.system and label.version for label in record.labels)
    assert len({one.recording.record_id for one in records}) == len(records)


@pytest.mark.parametrize("how", ["short", "missing", "garbage"])
@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_member_is_listed_and_the_rest_is_read(
    name: str, how: str, tmp_path: Path
) -> None:
    folder = LAYOUTS[name](tmp_path / "set")
    whole = len(_split(open_data_set(name, folder))[0])
    path = folder / BROKEN[name]
    if how == "missing":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:700] if how == "short" else b"\x00<html>no" * 50)
    records, skipped = _split(open_data_set(name, folder))
    lost = whole if name == "code15" else 1  # all its exams are in the one part
    assert len(records) == whole - lost
    assert all(one.reason for one in skipped)
    unlisted = name == "npz" and how == "missing"  # nothing tells which files a folder should have
    assert len(skipped) == (3 if name == "code15" else 0 if unlisted else 1)


def test_a_signal_without_its_header_is_listed(tmp_path: Path) -> None:
    folder = layouts.challenge(tmp_path)
    (folder / "g1" / "Q0001.hea").unlink()
    data = open_challenge(folder)
    assert [(one.member, one.reason) for one in data.skipped] == [
        ("g1/Q0001.mat", "it has no header Q0001.hea")
    ]


@pytest.mark.parametrize("name", CATALOGUE)
def test_another_folder_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(DataSetError):
        open_data_set(name, tmp_path)


def test_unknown_names_are_told_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(DataSetError, match="known: ptbxl"):
        open_data_set("ptb", tmp_path)


def test_ptbxl_gives_patient_fold_and_likelihoods(tmp_path: Path) -> None:
    first = _split(open_data_set("ptbxl", layouts.ptbxl(tmp_path)))[0][0]
    assert (first.patient.patient_id, first.patient.age, first.patient.sex) == ("15701", 56, "F")
    assert first.fold == 1
    found = {label.code: label.likelihood for label in first.labels}
    assert found == {"NORM": 100.0, "LVOLT": None, "SR": None}


def test_ptbxl_rows_that_are_wrong_are_listed(tmp_path: Path) -> None:
    table = layouts.ptbxl(tmp_path) / "ptbxl_database.csv"
    lines = table.read_text(encoding="utf-8").splitlines()
    lines[1] = lines[1].replace("'NORM'", "'NONE'")
    lines[2] = lines[2].replace("{", "__import__('os').getcwd(), {")
    table.write_text("\n".join([*lines, lines[4], ""]), encoding="utf-8")
    data = open_data_set("ptbxl", tmp_path)
    assert len(data) == 2
    assert ["NONE" in data.skipped[0].reason, "already" in data.skipped[2].reason] == [True, True]


def test_code15_padding_is_removed_on_both_sides(tmp_path: Path) -> None:
    records, skipped = _split(open_data_set("code15", layouts.code15(tmp_path)))
    assert [one.recording.samples for one in records] == [2800, 4000]
    assert [label.code for label in records[1].labels] == ["AF"]
    assert records[0].patient.sex == "M" and records[1].patient.sex == "F"
    assert "no samples" in skipped[0].reason  # the exam that holds nothing but zeros


def test_sources_of_the_challenge_collection(tmp_path: Path) -> None:
    data = open_challenge(layouts.challenge(tmp_path))
    assert sorted(entry.origin for entry in data.entries) == [
        "chapman-shaoxing", "cpsc2018", "cpsc2018-extra", "georgia", "incart", "ningbo", "ptb",
        "ptbxl",
    ]  # fmt: skip
    with pytest.raises(DataSetError, match="no source"):
        source_of("X12")


def test_tianchi_labels_and_computed_leads(tmp_path: Path) -> None:
    first, second = _split(open_data_set("tianchi1", layouts.tianchi(tmp_path)))[0]
    assert [label.code for label in first.labels] == ["窦性心律", "完全性右束支传导阻滞"]
    assert first.recording.computed == ("III", "aVR", "aVL", "aVF")
    assert second.patient.age is None and second.patient.sex == "F"
    expected = np.round(layouts.voltages(100001)[1] / 4.88e-3) * 4.88e-3
    np.testing.assert_allclose(first.recording.lead("II"), expected, atol=1e-6)


def test_sph_keeps_modifiers_and_the_stated_length(tmp_path: Path) -> None:
    data = open_data_set("sph", layouts.sph(tmp_path))
    assert [(one.code, one.modifiers) for one in data.entries[1].labels] == [
        ("60", ("310",)),
        ("145", ()),
    ]
    table = tmp_path / "metadata.csv"
    table.write_text(table.read_text(encoding="utf-8").replace("5000", "5001"), encoding="utf-8")
    _, skipped = _split(open_data_set("sph", tmp_path))
    assert len(skipped) == 2 and "5001" in skipped[0].reason


def test_wfdb_headers_give_labels_and_patient(tmp_path: Path) -> None:
    folder = layouts.wfdb(tmp_path / "mine")
    layouts.write_wfdb(folder / "00003", layouts.voltages(3), 500)
    first, _, third = _split(open_data_set("wfdb", folder))[0]
    assert (third.recording.record_id, third.origin, third.fold) == ("00003", "mine", None)
    # PTB-XL's file names: the record is known by its number wherever it lies.
    assert (first.recording.record_id, first.origin, first.fold) == ("1", "ptbxl", None)
    assert [(label.code, label.system) for label in first.labels] == [
        (code, "SCP-ECG") for code in ("LVOLT", "NORM", "SR")
    ]
    assert (first.patient.patient_id, first.patient.age, first.patient.sex) == (None, 56, "F")


def test_real_wfdb_records(ecg_data: Path) -> None:
    records, skipped = _split(open_data_set("wfdb", ecg_data / "ptbxl_raw500"))
    assert len(records) == 58 and not skipped
    assert all(one.labels and one.patient.sex for one in records)


def test_real_challenge_records(ecg_data: Path) -> None:
    records, skipped = _split(open_challenge(ecg_data / "cinc2021"))
    assert len(records) + len(skipped) == 72
    assert len(records) >= 70 and all(one.reason for one in skipped)
    assert all(label.system == "SNOMED CT" for one in records for label in one.labels)


def test_real_ludb_records(ecg_data: Path) -> None:
    data = open_data_set("ludb", ecg_data / "ludb")
    assert len(data) + len(data.skipped) == 140


def test_real_npz_containers(ecg_data: Path) -> None:
    counts = {"brugada": 217, "cpsc2018": 4, "ptbxl_raw100": 88}
    for name, count in counts.items():
        data = open_data_set("npz", ecg_data / name)
        assert len(data) == count and not data.skipped
        assert 0.1 < np.ptp(data.read(data.entries[0]).recording.lead("II")) < 10


def test_real_containers(ecg_data: Path) -> None:
    for path in sorted((ecg_data / "sph").glob("*.h5")):
        found = read_h5(path.parent, path.name, dataset="ecg", sampling_rate=500)
        assert found.leads == LEADS and 0.1 < np.ptp(found.lead("II")) < 10
    for path in sorted((ecg_data / "code15").glob("*.mat")):
        found = read_mat(path.parent, path.name, field="feats", sampling_rate=400)
        assert found.leads == LEADS and found.samples in (2934, 4096)
