"""``labels``, ``audit``, ``train --snapshot`` and ``suspicion`` from the command line."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ecgcore.cli import main
from ecgcore.readers.npz_export import save_npz
from ecgcore.review.values import Decision
from ecgcore.review_work import open_store
from ecgcore.signal.simulator import PRESETS, simulate
from ecgcore.workspace import Workspace
from tests.packed_example import write_packed
from tests.wfdb_files import write_wfdb


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace and a folder of three records, one without statements."""
    monkeypatch.setenv("ECG_WORKSPACE", str(tmp_path / "workspace"))
    for name, pulse, scp in (("a", 60, "NORM;SR"), ("b", 75, "AFIB"), ("c", 90, "")):
        write_wfdb(tmp_path / "in", name, 10, pulse, scp)
    return tmp_path


def _rows(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def _ask(capsys: pytest.CaptureFixture[str], *words: str, status: int = 0) -> list[dict[str, Any]]:
    assert main([*words, "--json"]) == status
    return _rows(capsys)


def test_labels_are_added_listed_snapshot_and_exported(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (added,) = _ask(capsys, "labels", "add", str(here / "in"))
    assert added == {"recordings": 3, "new": 3, "labelled": 2}
    (again,) = _ask(capsys, "labels", "add", str(here / "in"))
    assert (again["new"], again["labelled"]) == (0, 0)
    listed = {row["name"]: row for row in _ask(capsys, "labels", "list")}
    assert listed["a"]["filed"] == ["NORM", "SR"]
    assert listed["c"]["filed"] is None
    table = here / "labels.csv"
    table.write_text("name,codes\nc,STACH\n")
    assert _ask(capsys, "labels", "import", str(table)) == [{"labels": 1, "new": 1}]
    (taken,) = _ask(capsys, "labels", "snapshot")
    assert taken["counts"] == {"on file": 3}
    out = here / "out.csv"
    (done,) = _ask(capsys, "labels", "export", taken["snapshot"][:12], "--out", str(out))
    assert not done["identifiers"]
    assert "STACH" in out.read_text()


def test_cleanlabs_issues_come_in_as_evidence_and_strangers_are_named(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _ask(capsys, "labels", "add", str(here / "in"))
    table = here / "issues.csv"
    head = ",is_label_issue,label_score,given_label,predicted_label\n"
    table.write_text(head + "b,True,0.03,AFIB,SR\n")
    words = ("labels", "import", str(table), "--form", "cleanlab")
    assert _ask(capsys, *words) == [{"issues": 1, "new": 1, "unknown": 0}]
    table.write_text(head + "b,True,0.03,AFIB,SR\nzz,False,0.9,SR,SR\n")
    stranger, told = _ask(capsys, *words, status=3)
    assert "'zz'" in stranger["message"]
    assert told == {"issues": 1, "new": 0, "unknown": 1}
    listed = {row["name"]: row for row in _ask(capsys, "labels", "list")}
    assert (listed["b"]["filed"], listed["b"]["state"]) == (["AFIB"], "undecided")
    assert main(["labels", "import", str(here / "none.csv")]) == 2


def test_rounds_and_roles_are_given_and_refused(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _ask(capsys, "labels", "add", str(here / "in"))
    (given,) = _ask(capsys, "labels", "assign", "r1", "--to", "ann", "bob")
    assert given == {"round": "r1", "recordings": 3, "readings": 6}
    _ask(capsys, "labels", "grant", "zoe", "reader")
    (refused,) = _ask(capsys, "labels", "snapshot", "--as", "zoe", status=3)
    assert refused["error"] == "Forbidden"
    (unknown,) = _ask(capsys, "labels", "export", "0" * 64, "--out", str(here / "x"), status=3)
    assert "no snapshot" in unknown["message"]
    assert not (here / "x").exists()


def test_audit_says_where_the_chain_breaks(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _ask(capsys, "labels", "add", str(here / "in"))
    store = open_store(Workspace(here / "workspace"))
    recording = sorted(store.recordings("x"))[0]
    first = store.decide("ann", Decision(recording, "reject"))
    second = store.decide("bob", Decision(recording, "unsure", seen=first.number))
    (sound,) = _ask(capsys, "audit")
    assert (sound["reviews"], sound["head"], sound["intact"]) == (2, second.hash, True)
    store.database.engine.dispose()
    with sqlite3.connect(here / "workspace" / "review.db") as connection:
        connection.execute("DROP TRIGGER reviews_no_update")
        connection.execute("UPDATE reviews SET action = 'accept' WHERE number = 1")
    (broken,) = _ask(capsys, "audit", status=3)
    assert [one["number"] for one in broken["breaks"]] == [1]
    with sqlite3.connect(here / "workspace" / "review.db") as connection:
        connection.execute("UPDATE reviews SET action = 'reject' WHERE number = 1")
        connection.execute("DROP TRIGGER reviews_no_delete")
        connection.execute("DELETE FROM reviews WHERE number = 2")
    assert _ask(capsys, "audit")[0]["intact"]
    (short,) = _ask(capsys, "audit", "--head", second.hash, status=3)
    assert "reviews are missing" in short["breaks"][0]["reason"]


def test_a_run_learns_from_a_snapshot_and_its_card_names_it(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "workspace").mkdir()
    (here / "workspace" / "pseudonym.key").write_text("17" * 32)  # the folds follow from it
    folder = here / "hearts"
    for number in range(24):
        heart = simulate(replace(PRESETS["sinus"], seed=number), f"h{number}").recording
        save_npz(folder / f"h{number}.npz", heart)
    _ask(capsys, "labels", "add", str(folder))
    table = here / "labels.csv"
    names = [f"h{number}" for number in range(24)]
    lines = [f"{name},{('AFIB', 'NORM SR')[at % 2]}" for at, name in enumerate(names)]
    table.write_text("\n".join(["name,codes", *lines]) + "\n")
    _ask(capsys, "labels", "import", str(table))
    (taken,) = _ask(capsys, "labels", "snapshot")
    run = here / "run"
    words = ["train", "--recipe", "forest", "--snapshot", taken["snapshot"], "--run", str(run)]
    words += ["--set", "label_set=rhythm", "fewest_positives=2", "fewest_validation_positives=1"]
    words += ['network_options={"trees": 5}']
    assert _ask(capsys, *words)
    card = json.loads((run / "model" / "card.json").read_text())
    assert taken["snapshot"] in card["data"]["files"]
    assert taken["snapshot"] in card["data"]["attribution"]
    assert f"--snapshot {taken['snapshot']}" in card["command"]
    assert "PTB-XL" not in card["data"]["attribution"]


def test_train_needs_something_to_learn_from(here: Path) -> None:
    assert main(["train", "--recipe", "forest", "--run", str(here / "run")]) == 2
    words = ["train", "--recipe", "forest", "--run", str(here / "run"), "--snapshot", "0" * 64]
    assert main(words) == 2


def test_suspicion_gives_a_row_a_record_of_real_data(
    ecg_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    validation = str(ecg_data / "ptbxl_1625" / "val.npz")
    rows = _ask(capsys, "suspicion", "--data", validation, "--labels", "y5", "--model", "inception")
    assert [row["index"] for row in rows] == list(range(183))
    assert all(0 <= row["score"] <= 1 for row in rows)
    assert {label["code"] for label in rows[0]["labels"]} <= {"NORM", "MI", "STTC", "CD", "HYP"}
    data = np.load(validation)
    given = data["y5"][0].astype(bool)
    told = {label["code"]: label["given"] for label in rows[0]["labels"]}
    classes = [str(one) for one in data["classes5"]]
    assert all(told[code] == bool(on) for code, on in zip(classes, given, strict=True)
               if code in told)  # fmt: skip
    reasons = [reason for row in rows for label in row["labels"] for reason in label["reasons"]]
    assert {"kind", "text", "weight"} == set(reasons[0])


def test_a_model_is_not_asked_about_what_taught_it(
    ecg_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    training = str(ecg_data / "ptbxl_1625" / "train.npz")
    (row,) = _ask(capsys, "suspicion", "--data", training, "--model", "inception", status=3)
    assert row["error"] == "PackedDataError"
    assert "has learned from 1442" in row["message"]


def test_suspicion_by_cross_validation_of_real_data(
    ecg_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with np.load(ecg_data / "ptbxl_1625" / "val.npz", allow_pickle=False) as held:
        records = len(held["X"])
        sixty = {
            name: held[name][:60] if held[name].shape[:1] == (records,) else held[name]
            for name in held.files
        }
    validation = str(tmp_path / "sixty.npz")
    np.savez(validation, **sixty)
    rows = _ask(capsys, "suspicion", "--data", validation, "--labels", "y5")
    assert len(rows) == 60
    assert all(isinstance(row["ecg_id"], int) for row in rows)
    (refused,) = _ask(
        capsys, "suspicion", "--data", validation, "--cross-validate", "inception", status=3
    )
    assert "has 1 folds" in refused["message"]


def test_an_unknown_recipe_is_wrong_usage(tmp_path: Path) -> None:
    path = write_packed(tmp_path / "one.npz")
    assert main(["suspicion", "--data", str(path), "--cross-validate", "nonsense"]) == 2
