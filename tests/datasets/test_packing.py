"""The memory-mapped file: conditioned as the app does, read as the other packed file is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch.utils.data import DataLoader

from ecgcore.datasets import packed_aside, packing
from ecgcore.datasets.catalogue import open_data_set
from ecgcore.datasets.pack_file import PackFileError, read_pack_file, verify
from ecgcore.datasets.packed import PackedDataError, load_packed
from ecgcore.datasets.packed_torch import PackedBatches, whole_batch
from ecgcore.datasets.packing import PackOptions, pack, statements_of
from ecgcore.datasets.record import DataLabel, DataSet, DataSetError, DatasetRecord
from ecgcore.datasets.splits import LeakError
from ecgcore.models.aside import FEMALE, MALE, PAPER_RULES, AsideName
from ecgcore.models.input_spec import InputSpec, prepare
from ecgcore.recording import Recording, RecordingError
from tests.datasets import public_layouts as layouts


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> DataSet:
    return open_data_set("ptbxl", layouts.ptbxl(tmp_path_factory.mktemp("ptbxl")))


@pytest.fixture(scope="module")
def packed(data: DataSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pack") / "ptbxl.pack"
    assert pack(data, path).records == 4
    return path


def test_training_sees_what_the_app_sees(data: DataSet, packed: Path) -> None:
    loaded = load_packed(packed)
    for spec in (InputSpec(sampling_rate=100.0), InputSpec(leads=("II", "V5"), seconds=8.0)):
        values = loaded.inputs(spec)
        for row, entry in zip(values, data.entries, strict=True):
            if spec.seconds == 10.0:
                expected = prepare(data.read(entry).recording, spec).values
                np.testing.assert_allclose(row, expected, atol=0.00051)
    assert values.shape == (4, 2, 4000)


def test_labels_folds_and_names(packed: Path) -> None:
    loaded = load_packed(packed)
    assert loaded.record_ids.tolist() == ["1", "2", "3", "4"] and loaded.fold.tolist() == [
        1,
        1,
        2,
        2,
    ]
    assert loaded.target("superclasses", ("NORM", "MI")).tolist() == [[1, 0]] * 4
    assert loaded.target("rhythm", ("SR", "AFIB")).tolist() == [[1, 0]] * 4
    assert loaded.target("form", ("LVOLT",)).all() and loaded.target("subclasses", ("NORM",)).all()
    assert len(loaded.select([2])) == 2
    header, stored = read_pack_file(packed)
    assert header["patient_ids"] == ["15701", "15701", "15702", "15702"]
    assert header["labels"][0][0]["system"] == "SCP-ECG" and stored.shape == (4, 12, 1000)
    verify(packed)


def test_damage_is_told(packed: Path, tmp_path: Path) -> None:
    content = packed.read_bytes()
    broken = tmp_path / "broken.pack"
    for damaged in (content[:-2], content[:12], content[:200], content + b"\x00"):
        broken.write_bytes(damaged)
        with pytest.raises(PackedDataError, match=r"broken\.pack"):
            load_packed(broken)
    broken.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(PackFileError, match="changed"):
        verify(broken)


def test_what_cannot_be_packed_is_listed(tmp_path: Path) -> None:
    folder = layouts.challenge(tmp_path / "set")
    layouts.write_wfdb(folder / "short" / "A0002", layouts.voltages(50, 500, 3.0), 500, mat=True)
    layouts.write_wfdb(folder / "again" / "A0003", layouts.voltages(0), 500, mat=True)
    (folder / "g2" / "I0001.mat").unlink()
    done = pack(open_data_set("challenge2021", folder), tmp_path / "x.pack")
    reasons = {one.member: one.reason for one in done.skipped}
    assert done.records == 7 and "3.00 s" in reasons["A0002"]
    # Entries come in the order of their paths: again/ before g0/.
    assert reasons["A0001"] == "the same signal as A0003"
    assert "g2/I0001.hea" in reasons
    # RBBB of unknown extent is no statement; the copy that came first had no labels.
    assert done.unmapped == {"SNOMED CT 59118001": 6}


def test_the_same_signal_is_packed_once(tmp_path: Path) -> None:
    folder = layouts.tianchi(tmp_path / "set")
    train = folder / "hf_round1_train"
    (train / "100002.txt").write_bytes((train / "100001.txt").read_bytes())
    done = pack(open_data_set("tianchi1", folder), tmp_path / "x.pack")
    assert done.records == 1 and "same signal as 100001" in done.skipped[0].reason


def test_folds_that_part_a_patient_raise_and_write_nothing(data: DataSet, tmp_path: Path) -> None:
    first, *others = data.entries
    leaking = replace(data, entries=(replace(first, fold=9), *others))
    with pytest.raises(LeakError, match="patient 15701"):
        pack(leaking, tmp_path / "x.pack")
    with pytest.raises(LeakError, match="3 of 4"):
        pack(replace(data, entries=(replace(first, fold=None), *others)), tmp_path / "x.pack")
    assert not list(tmp_path.iterdir())


def test_nothing_to_pack_raises(data: DataSet, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no record"):
        pack(replace(data, entries=()), tmp_path / "x.pack")


def test_only_exact_matches_become_statements() -> None:
    labels = [
        DataLabel("164889003", "SNOMED CT", "x"),
        DataLabel("314208002", "SNOMED CT", "x"),  # rapid atrial fibrillation: AFIB is broader
        DataLabel("1", "Brugada", "x"),
        DataLabel("999999999", "SNOMED CT", "x"),
    ]
    found, left = statements_of(labels)
    assert found == {"AFIB"} and left == tuple(labels[1:])


def test_words_of_ludb_become_statements_where_they_mean_the_same() -> None:
    labels = [
        DataLabel("Rhythm: Sinus bradycardia.", "text", "x"),
        DataLabel("I degree AV block", "text", "x"),
        DataLabel("Left ventricular hypertrophy", "text", "x"),  # of false voltages
        DataLabel("Ventricular extrasystole, type: couplet", "text", "x"),
    ]
    found, left = statements_of(labels)
    assert found == {"SBRAD", "1AVB"} and left == tuple(labels[2:])


def test_batches_are_the_records_one_by_one(packed: Path) -> None:
    batches = PackedBatches(load_packed(packed), "superclasses", ("NORM", "CD"))
    loader = DataLoader(batches, batch_size=3, collate_fn=whole_batch)
    values = torch.cat([batch[0] for batch in loader])
    targets = torch.cat([batch[1] for batch in loader])
    assert values.shape == (4, 12, 1000) and targets.tolist() == [[1.0, 0.0]] * 4
    for index in range(len(batches)):
        assert torch.equal(batches[index][0], values[index])


def test_options_choose_leads_and_length(data: DataSet, tmp_path: Path) -> None:
    pack(data, tmp_path / "two.pack", PackOptions(leads=("I", "V1"), seconds=5.0))
    loaded = load_packed(tmp_path / "two.pack")
    assert loaded.leads == ("I", "V1") and loaded.stored.shape == (4, 2, 500)


def test_rules_are_not_measured_unless_asked(
    data: DataSet, packed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(recording: Recording) -> None:
        raise AssertionError("measured")

    monkeypatch.setattr(packing, "rule_answers", never)
    assert pack(data, tmp_path / "x.pack").decided == {}
    assert set(load_packed(packed).aside) == {"age", "sex"}


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (RecordingError("no beat", "a beat", "record again"), "no beat. Allowed"),
        (ZeroDivisionError("by zero"), "cannot be measured (ZeroDivisionError: by zero)"),
        (IndexError("far"), "IndexError: far"),
    ],
)
def test_a_record_whose_rules_cannot_be_measured_is_skipped_with_its_reason(
    error: Exception, said: str, data: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others keep their own values: a row that was left out shifts nothing."""
    second = data.entries[1].record_id

    def row(recording: Recording, names: tuple[AsideName, ...]) -> NDArray[np.float32]:
        if recording.record_id == second:
            raise error
        return np.full(15, int(recording.record_id) % 2, dtype=np.float32)

    monkeypatch.setattr(packed_aside, "aside_row", row)
    done = pack(data, tmp_path / "x.pack", PackOptions(rules=True))
    assert [one.member for one in done.skipped] == [second] and said in done.skipped[0].reason
    assert done.records == 3 and done.decided == dict.fromkeys(PAPER_RULES, 3)
    loaded = load_packed(tmp_path / "x.pack")
    assert loaded.record_ids.tolist() == ["1", "3", "4"]
    assert loaded.aside["rules:paper"].tolist() == [[1.0] * 15, [1.0] * 15, [0.0] * 15]
    assert loaded.aside["sex"][:, 0].tolist() == [FEMALE, FEMALE, MALE]


def test_real_records_pack(ecg_data: Path, tmp_path: Path) -> None:
    done = pack(open_data_set("npz", ecg_data / "cpsc2018"), tmp_path / "x.pack")
    assert done.records + len(done.skipped) == 4


def test_record_reading_raises_for_the_single_call(data: DataSet) -> None:
    assert isinstance(data.read(data.entries[0]), DatasetRecord)
    with pytest.raises(DataSetError, match="no folder"):
        open_data_set("ptbxl", Path("/nonexistent"))
