"""The commands of signal analysis: what they promise, against the truth of simulated hearts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ecgcore.cli import main
from ecgcore.recording import LEADS, SIMULATED
from tests.wfdb_files import broken_wfdb_files


@pytest.fixture(scope="module")
def block(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A simulated first-degree block of known intervals, as the command writes it."""
    folder = tmp_path_factory.mktemp("simulated")
    arguments = ["simulate", "first-degree block", "--set", "pr_ms=260", "--out", str(folder)]
    assert main(arguments) == 0
    return folder / "simulated_first-degree_block.npz"


def _line(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    (row,) = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return row


def test_simulate_lists_its_presets(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", "--json"]) == 0
    names = [json.loads(line)["preset"] for line in capsys.readouterr().out.splitlines()]
    assert {"sinus", "atrial fibrillation", "paced"} <= set(names)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["no such heart"], "known: sinus"),
        (["sinus", "--set", "rate_bpm=1000"], "rate_bpm"),
        (["sinus", "--set", "colour=3"], "colour"),
    ],
)
def test_simulate_refuses_what_it_does_not_know(
    words: list[str], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["simulate", *words, "--out", str(tmp_path / "out")]) == 2
    assert told in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_simulated_file_says_so_when_it_is_read(
    block: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["read", "--json", str(block)]) == 0
    assert SIMULATED in _line(capsys)["warnings"]


@pytest.mark.parametrize("method", ["network", "gradient", "neurokit"])
def test_delineate_finds_what_was_simulated(
    method: str, block: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    truth = json.loads(block.with_suffix(".truth.json").read_text())
    assert main(["delineate", "--json", "--method", method, str(block)]) == 0
    row = _line(capsys)
    assert (row["method"], row["sampling_rate"]) == (method, 500.0)
    assert list(row["leads"]) == list(LEADS)
    assert all(set(waves) == {"P", "QRS", "T"} for waves in row["leads"].values())
    found = np.array([wave[1] for wave in row["global"]["QRS"]])
    true = np.array([wave[1] for wave in truth["global"]["QRS"]])
    nearest = np.abs(found[:, None] - true).min(axis=0)
    assert nearest.max() <= 0.05 * 500


def test_measure_gives_every_value_or_its_reason(
    block: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["measure", "--json", str(block)]) == 0
    row = _line(capsys)
    assert row["global"]["pr_ms"] == pytest.approx(260, abs=12)
    assert set(row["global"]["qtc_ms"]) == {"bazett", "fridericia", "framingham", "hodges"}
    assert set(row["global"]["axis_deg"]) == {"p", "qrs", "t"}
    assert list(row["leads"]) == list(LEADS)
    for values in row["leads"].values():
        for value in values.values():
            assert isinstance(value, float | int) or list(value) == ["na"]


def test_rules_answer_with_places_in_seconds(
    block: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["rules", "--json", str(block)]) == 0
    row = _line(capsys)
    (finding,) = [one for one in row["findings"] if one["label"] == "1AVB"]
    assert finding["fired"] is True
    assert finding["measured"] == pytest.approx(260, abs=12)
    assert (finding["threshold"], finding["unit"]) == (200, "ms")
    assert finding["source"]
    assert finding["where"]
    assert all(0 <= place["from"] < place["to"] <= 10 for place in finding["where"])
    assert main(["rules", "--json", "--criteria", "paper", str(block)]) == 0
    assert len(_line(capsys)["findings"]) == 15


@pytest.mark.parametrize("command", ["delineate", "measure", "rules"])
def test_a_refused_file_is_a_line_in_its_place(
    command: str, block: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for file in broken_wfdb_files("bad"):
        (tmp_path / file.name).write_bytes(file.data)
    assert main([command, "--json", str(tmp_path / "bad.hea"), str(block)]) == 3
    refused, read = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert refused["error"] == "RecordingError"
    assert read["record_id"] == "simulated_first-degree_block"


def test_a_flat_lead_is_named_and_the_others_are_measured(
    block: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with np.load(block) as saved:
        content = dict(saved)
    content["signal"] = content["signal"].copy()
    content["signal"][LEADS.index("V3")] = 0.0
    np.savez(tmp_path / "flat.npz", **content)
    assert main(["delineate", "--json", str(tmp_path / "flat.npz")]) == 0
    row = _line(capsys)
    assert list(row["unread"]) == ["V3"]
    assert row["leads"]["V3"] == {"P": [], "QRS": [], "T": []}
    assert row["leads"]["V2"]["QRS"]
    for command in ("delineate", "measure", "rules"):
        assert main([command, "--json", str(tmp_path / "flat.npz")]) == 0
        assert any(text.startswith("Not fit to read. V3") for text in _line(capsys)["warnings"])
