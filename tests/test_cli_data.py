"""``python -m ecgcore data``: words, lines and exit status."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from ecgcore.cli import main
from ecgcore.datasets import subsets
from ecgcore.datasets.catalogue import open_data_set
from ecgcore.datasets.packed import load_packed
from ecgcore.datasets.packing import PackOptions, stored_counts
from ecgcore.models.input_spec import Conditioning, prepare
from ecgcore.models.predictor import read_predictor
from ecgcore.training.publish import RULES_NOT_LEARNED
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


def test_a_subset_is_packed_as_its_records_were(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = Conditioning(lowpass=None)
    (tmp_path / "few.csv").write_text("ecg_id,fold\n2,1\n3,2\n", encoding="utf-8")
    monkeypatch.setattr(subsets, "FOLDER", tmp_path)
    monkeypatch.setattr(subsets, "_CONDITIONED", {"few": before})
    folder, packed = layouts.ptbxl(tmp_path / "set"), tmp_path / "few.pack"
    words = ["data", "pack", "ptbxl", str(folder), "--out", str(packed), "--subset", "few"]
    assert main(words) == 0
    data = open_data_set("ptbxl", folder)
    records = [data.read(entry) for entry in data.entries if entry.record_id in ("2", "3")]
    for then in (True, False):
        spec = PackOptions(conditioning=before if then else Conditioning()).spec
        expected = np.stack([stored_counts(record, spec) for record in records])
        assert np.array_equal(load_packed(packed).stored, expected) is then


def _two_classes(folder: Path) -> Path:
    """PTB-XL's layout, 20 records of 10 folds, every second one an infarction."""
    table = layouts.ptbxl(folder, records=20) / "ptbxl_database.csv"
    lines = table.read_text(encoding="utf-8").splitlines()
    lines[2::2] = [line.replace("'NORM'", "'IMI'") for line in lines[2::2]]
    table.write_text("\n".join([*lines, ""]), encoding="utf-8")
    return folder


def test_a_network_that_is_told_rules_trains_on_a_pack(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Packed, trained from, evaluated; the pack's answers are the app's for the same recordings."""
    folder, packed, run = _two_classes(tmp_path / "set"), tmp_path / "a.pack", tmp_path / "run"
    words = ["data", "pack", "ptbxl100", str(folder), "--out", str(packed), "--rules", "--json"]
    assert main(words) == 0
    (done,) = _lines(capsys)
    decided = done["rules_decided"]
    assert isinstance(decided, dict) and decided["TACH"] == done["records"] == 20
    network = {"blocks": [1, 1], "channels": [4, 4], "rules": ["", "TACH", "", "", ""]}
    options = {
        "network": "hrnn", "label_set": "superclasses", "network_options": network, "batch": 8,
        "epochs": 1, "fewest_positives": 1, "fewest_validation_positives": 1,
    }  # fmt: skip
    (tmp_path / "hrnn.json").write_text(json.dumps(options), encoding="utf-8")
    words = ["train", "--json", "--options", str(tmp_path / "hrnn.json"), "--run", str(run)]
    assert main([*words, "--data", str(packed)]) == 0
    epoch, trained = _lines(capsys)
    assert epoch["epoch"] == 1 and trained["n_labels"] == 2
    model = str(run / "model")
    limits = json.loads((run / "model" / "card.json").read_text())["limits"]
    assert RULES_NOT_LEARNED not in limits
    assert main(["evaluate", "--json", "--model", model, "--data", str(packed)]) == 0
    (scores,) = _lines(capsys)
    assert scores["n"] == 20 and scores["macro"]["n_labels"] == 2  # type: ignore[index]

    predictor, data = read_predictor(run / "model"), load_packed(packed)
    spec = predictor.card.spec
    told = data.aside_inputs(spec)
    assert np.isfinite(told).sum() > 200
    answers = predictor.probabilities(data.inputs(spec), told)
    source = open_data_set("ptbxl100", folder)
    for entry, answer in zip(source.entries[:3], answers, strict=False):
        prepared = prepare(source.read(entry).recording, spec)
        expected = predictor.probabilities(prepared.values[None], prepared.aside[None])[0]
        np.testing.assert_allclose(answer, expected, atol=0.002)


def test_without_the_word_no_rule_is_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, packed = layouts.ptbxl(tmp_path / "set"), tmp_path / "a.pack"
    assert main(["data", "pack", "ptbxl", str(folder), "--out", str(packed), "--json"]) == 0
    assert "rules_decided" not in _lines(capsys)[0]
    assert set(load_packed(packed).aside) == {"age", "sex"}


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
