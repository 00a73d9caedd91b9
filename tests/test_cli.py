"""The command line's contract: one JSON object a line, in order, and the exit status."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ecgcore.cli import main
from ecgcore.models import card as cards
from ecgcore.recording import LEADS
from ecgcore.signal.simulator import PRESETS, simulate
from ecgcore.workspace import _demo_path
from tests.packed_example import write_packed


def _lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Eight recorded leads at 250 Hz in mV, as CSV."""
    leads = [lead for lead in LEADS if lead in ("I", "II") or lead.startswith("V")]
    heart = simulate(replace(PRESETS["sinus"], sampling_rate=250.0)).recording
    values = np.round(np.stack([heart.lead(lead) for lead in leads], axis=1), 3)
    rows = [",".join(leads), *(",".join(f"{v:g}" for v in row) for row in values)]
    path = tmp_path / "eight.csv"
    path.write_text("# sampling_rate: 250\n# unit: mV\n" + "\n".join(rows) + "\n")
    return path


def test_read_computes_the_missing_limb_leads_and_round_trips(
    table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["read", "--json", str(table), "--npz", str(tmp_path / "out")]) == 0
    (row,) = _lines(capsys)
    assert row["leads"] == list(LEADS)
    assert row["computed"] == ["III", "aVR", "aVL", "aVF"]
    assert (row["sampling_rate"], row["samples"], row["units"]) == (250.0, 2500, "mV")
    with np.load(tmp_path / "out" / "eight.npz") as saved:
        signal = saved["signal"]
    np.testing.assert_allclose(signal[2], signal[1] - signal[0], atol=1e-6)
    low, high = row["lead_range_mv"]["V3"]
    assert (low, high) == (pytest.approx(signal[8].min()), pytest.approx(signal[8].max()))
    assert main(["read", "--json", str(tmp_path / "out" / "eight.npz")]) == 0
    (again,) = _lines(capsys)
    assert again["lead_range_mv"] == row["lead_range_mv"]


def test_a_refusal_is_a_line_in_its_place(
    table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "broken.csv"
    broken.write_text("I,II\n1,2\n")
    assert main(["read", "--json", str(broken), str(table), str(tmp_path / "no.hea")]) == 3
    first, second, third = _lines(capsys)
    assert first["file"] == str(broken) and first["error"].endswith("Error")
    assert "sampling" in first["message"]
    assert second["record_id"] == "eight"
    assert "no.hea" in third["message"]


def test_what_is_stated_on_the_command_line_is_used(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    values = np.round(np.random.default_rng(1).normal(0, 300, (2500, 2)))
    path = tmp_path / "two.csv"
    path.write_text("I,II\n" + "\n".join(f"{a:g},{b:g}" for a, b in values) + "\n")
    assert main(["read", "--json", "--sampling-rate", "250", "--unit", "uV", str(path)]) == 0
    (row,) = _lines(capsys)
    assert row["lead_range_mv"]["I"][1] == pytest.approx(values[:, 0].max() / 1000, rel=1e-5)


def test_wrong_words_end_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["read"])
    assert ended.value.code == 2
    assert main(["predict", "--model", "oracle", "x.hea"]) == 2
    assert "no trained model 'oracle'" in capsys.readouterr().err
    assert main(["predict", "--model", "gru", "x.hea"]) == 2
    said = capsys.readouterr().err
    assert "network 'gru' is not trained and must not answer" in said
    assert "ecgencode_m2" in said
    assert main(["train", "--data", "x.npz", "--run", "r"]) == 2
    assert main(["train", "--recipe", "cake", "--data", "x.npz", "--run", "r"]) == 2
    assert "unknown recipe 'cake'; known: afibri_net3, attia" in capsys.readouterr().err


def test_models_lists_networks_with_their_published_counts(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["models", "--json"]) == 0
    rows = {(row["kind"], row["name"]): row for row in _lines(capsys)}
    assert rows["network", "ecgencode_m1"]["parameters"] == 8242
    assert rows["network", "ecgencode_m2"]["parameters"] == 133495
    assert rows["network", "ecgencode_m1"]["flops"] == pytest.approx(82.9e6, rel=1e-3)
    for name in cards.trained_models():
        macro = rows["trained", name]["card"]["metrics"]["macro"]
        assert macro["superclasses"]["auroc"] > 0.85, name
        assert macro["statements"]["auroc"] > 0.75, name


def test_train_then_predict_and_evaluate(
    table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    packed = write_packed(tmp_path / "packed.npz")
    words = ["epochs=1", 'network_options={"filters":8}', "fewest_positives=5", "batch=10"]
    words += ["fewest_validation_positives=1"]
    shipped = tmp_path / "shipped" / "small"
    arguments = ["train", "--json", "--recipe", "inception", "--set", *words]
    assert main([*arguments, "--data", str(packed), "--run", str(tmp_path / "run")]) == 0
    rows = _lines(capsys)
    assert rows[0]["epoch"] == 1 and rows[-1]["model"] == "inception"
    folder = str(tmp_path / "run" / "model")
    assert main(["predict", "--json", "--model", folder, str(table)]) == 0
    assert _lines(capsys)[0]["model"] == "inception"
    assert main(["predict", "--json", "--model", str(tmp_path / "run"), str(table)]) == 2
    assert "card.json cannot be read" in capsys.readouterr().err
    shipped.parent.mkdir()
    (tmp_path / "run" / "model").rename(shipped)
    monkeypatch.setattr(cards, "SHIPPED", shipped.parent)

    assert main(["predict", "--json", "--model", "small", str(table)]) == 0
    (answer,) = _lines(capsys)
    assert [label["code"] for label in answer["labels"]][-5:] == ["NORM", "MI", "STTC", "CD", "HYP"]
    for label in answer["labels"]:
        if label["probability"] is None:
            assert label["positive"] is None and "not enough data" in label["reason"]
        else:
            assert label["positive"] == (label["probability"] >= label["threshold"])

    fold_9 = tmp_path / "fold9.npz"
    with np.load(packed) as arrays:
        kept = arrays["fold"] == 9
        records = {key: arrays[key] for key in ("X", "y71", "y5", "fold", "ecg_id")}
        rest = {key: arrays[key] for key in arrays.files if key not in records}
        np.savez(fold_9, **{key: value[kept] for key, value in records.items()}, **rest)
    assert main(["evaluate", "--json", "--model", "small", "--data", str(fold_9)]) == 0
    (scores,) = _lines(capsys)
    card = json.loads((shipped / "card.json").read_text())
    assert {key: scores[key] for key in card["metrics"]} == card["metrics"]
    assert main(["evaluate", "--json", "--model", "small", "--data", str(table)]) == 3
    assert _lines(capsys)[0]["error"] == "PackedDataError"


def test_npz_never_writes_over_another_recording_or_an_input(
    table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other" / "eight.csv"
    other.parent.mkdir()
    other.write_text(table.read_text().replace("250", "500"))
    out = tmp_path / "out"
    assert main(["read", "--json", str(table), str(table), str(other), "--npz", str(out)]) == 3
    rows = _lines(capsys)
    assert [row.get("error") for row in rows] == [None, None, "RecordingError"]
    with np.load(out / "eight.npz") as saved:
        assert saved["sampling_rate"] == 250
    before = (out / "eight.npz").read_bytes()
    assert main(["read", "--json", str(out / "eight.npz"), "--npz", str(out)]) == 3
    assert "written over" in _lines(capsys)[0]["message"]
    assert (out / "eight.npz").read_bytes() == before


def test_a_place_that_cannot_be_written_to_is_a_sentence(
    table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    assert main(["read", "--json", str(table), "--npz", str(tmp_path / "file")]) == 2
    packed = write_packed(tmp_path / "packed.npz")
    words = ["train", "--recipe", "inception", "--data", str(packed)]
    assert main([*words, "--run", str(tmp_path / "file")]) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.count("File exists") == 2


def test_a_reader_that_goes_away_ends_the_command_quietly(table: Path) -> None:
    command = [sys.executable, "-m", "ecgcore", "read", "--json", *[str(table)] * 200]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stderr is not None
        assert json.loads(process.stdout.readline())["record_id"] == "eight"
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 2


def test_an_interrupted_command_says_so(
    table: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(path: Path, stated: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("ecgcore.cli.read_path", interrupt)
    assert main(["read", "--json", str(table)]) == 130
    assert "interrupted" in capsys.readouterr().err


@pytest.mark.parametrize(
    "change",
    ["network=foo", 'network_options={"foo":1}', 'network_options={"filters":-2}', "batch=2.5",
     "epochs=1.5", "epochs=true", "patience=a", "seed=-1", "weight_decay=-1",
     "fewest_validation_positives=0", "augmentation=3", 'augmentation={"shift":"x"}'],
)  # fmt: skip
def test_options_that_cannot_be_trained_with_are_refused_first(
    change: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["train", "--recipe", "inception", "--data", "none.npz", "--run", str(tmp_path / "r")]
    assert main([*words, "--set", change]) == 2
    assert change.partition("=")[0].removesuffix("_options") in capsys.readouterr().err
    assert not (tmp_path / "r").exists()


@pytest.mark.parametrize(
    "damage",
    [(["output"], "x"), (["spec", "sampling_rate"], float("nan")), (["spec", "seconds"], -1),
     (["spec", "leads"], ["I", "V9"]), (["spec", "resampling"], "x"), (["network"], "foo"),
     (["spec", "conditioning", "band"], []), (["spec", "conditioning", "stored_rate"], 0),
     (["spec", "conditioning", "lowpass"], 20), (["spec", "conditioning", "lowpass"], []),
     (["spec", "conditioning", "lowpass"], "x"),
     (["network_options"], {"foo": 1}), (["labels", 0, "threshold"], "x"),
     (["labels", 0, "threshold"], 1.5), (["labels", 0, "set"], "x"), (["labels", 0, "code"], 3),
     (["labels"], []), (["metrics"], None), (["paper"], 3)],
)  # fmt: skip
def test_a_damaged_card_is_refused_and_does_not_hide_the_others(
    damage: tuple[list[Any], Any], table: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    place, value = damage
    for name in ("a_damaged", "inception"):
        shutil.copytree(cards.SHIPPED / "inception", tmp_path / "models" / name)
    file = tmp_path / "models" / "a_damaged" / "card.json"
    card = inner = json.loads(file.read_text())
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    file.write_text(json.dumps(card))
    monkeypatch.setattr(cards, "SHIPPED", tmp_path / "models")
    assert main(["predict", "--json", "--model", "a_damaged", str(table)]) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.startswith("ecgcore predict: ")
    if place not in (["network"], ["network_options"]):  # seen when weights are loaded
        assert main(["models", "--json"]) == 3
        assert [row.get("error") for row in _lines(capsys)[-2:]] == ["CardError", None]


def test_a_model_refuses_what_it_must_not_answer(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "two.csv"
    values = np.random.default_rng(1).normal(0, 0.3, (2500, 2))
    path.write_text(
        "# sampling_rate: 250\n# unit: mV\nI,II\n" + "\n".join(f"{a:g},{b:g}" for a, b in values)
    )
    for name in cards.trained_models():
        if "V1" not in cards.load_card(name).spec.leads:
            continue
        assert main(["predict", "--json", "--model", name, str(path)]) == 3
        (row,) = _lines(capsys)
        assert row["error"] == "UnfitRecordingError" and "V1" in row["message"]


def test_explain_prints_the_map_of_a_label(capsys: pytest.CaptureFixture[str]) -> None:
    demo = _demo_path()
    assert demo is not None
    words = ["explain", str(demo), "--json", "--model", "lightbox", "--label", "NORM"]
    assert main([*words, "--label-set", "superclasses"]) == 0
    (row,) = _lines(capsys)
    assert (row["label"], row["method"], row["shown"]) == ("NORM", "Grad-CAM", True)
    assert row["seconds_each"] == pytest.approx(0.1, abs=0.01)
    assert set(row["heat"]) == set(LEADS)
    assert all(len(values) == len(row["heat"]["I"]) >= 90 for values in row["heat"].values())
    assert max(max(values) for values in row["heat"].values()) > 0.3
    assert "random tenths" in row["note"]
    moved = row["measured"]["groups"]
    assert abs(moved[0]["probability"]) >= abs(moved[-1]["probability"])
    assert "usual" in moved[0]["values"][0] and "do not add up" in row["measured"]["note"]
    plain = [*words[:4], "inception", *words[5:], "--label-set", "superclasses"]
    assert main(plain) == 0
    assert "measured" not in _lines(capsys)[0]
    assert main(words) == 2
    assert "is in statements and superclasses; say which set" in capsys.readouterr().err
    assert main([*words[:-1], "NO"]) == 2
    assert "has no label 'NO'" in capsys.readouterr().err
    assert main([*words[:-1], "SR", "--method", "guess"]) == 2
    assert "unknown method 'guess'; known: grad-cam, hires-cam, lime" in capsys.readouterr().err


def test_shipped_cards_are_reproduced_to_the_digit(
    ecg_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert {"ecgencode_m2", "inception"} <= set(cards.trained_models())
    for name in cards.trained_models():
        data = str(ecg_data / "ptbxl_1625" / "val.npz")
        assert main(["evaluate", "--json", "--model", name, "--data", data]) == 0
        (scores,) = _lines(capsys)
        card = cards.load_card(name).metrics
        assert {key: scores[key] for key in card} == card
