"""``publish``, ``withdraw``, ``export`` and what they do to ``models`` and ``predict``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ecgcore.cli import main
from ecgcore.model_thresholds import set_threshold
from ecgcore.models.onnx_export import session_of
from ecgcore.readers.npz_export import save_npz
from ecgcore.review_work import open_store
from ecgcore.signal.simulator import PRESETS, simulate
from ecgcore.workspace import Workspace
from tests.models.shelf_example import model_files, write_model
from tests.packed_example import write_packed
from tests.pdf_reading import read_pdf


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace, a model's folder and a recording."""
    monkeypatch.setenv("ECG_WORKSPACE", str(tmp_path / "workspace"))
    write_model(tmp_path / "model", model_files())
    save_npz(tmp_path / "heart.npz", simulate(PRESETS["sinus"]).recording)
    return tmp_path


def _ask(capsys: pytest.CaptureFixture[str], *words: str, status: int = 0) -> list[dict[str, Any]]:
    assert main([*words, "--json"]) == status
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def _trained(capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    rows = _ask(capsys, "models")
    return {row["name"]: row["origin"] for row in rows if row["kind"] == "trained"}


def test_a_published_model_is_listed_and_predicts_until_it_is_withdrawn(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (row,) = _ask(capsys, "publish", str(here / "model"), "--name", "second")
    assert row["model"] == "second" and row["shown"]
    listed = _trained(capsys)
    assert listed["second"] == "published" and listed["inception"] == "shipped"
    heart = str(here / "heart.npz")
    (answer,) = _ask(capsys, "predict", heart, "--model", "second")
    assert answer["model"] == "second" and len(answer["labels"]) == 5
    assert _ask(capsys, "withdraw", "second") == [{"model": "second", "shown": False}]
    assert "second" not in _trained(capsys)
    assert main(["predict", heart, "--model", "second"]) == 2
    assert "withdrawn; publish it again" in capsys.readouterr().err
    assert _ask(capsys, "publish", "second") == [{"model": "second", "shown": True}]
    assert "second" in _trained(capsys)


def test_a_withdrawn_shipped_model_is_said_to_be_that(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _ask(capsys, "withdraw", "inception")
    assert main(["predict", str(here / "heart.npz"), "--model", "inception"]) == 2
    assert "'inception' is withdrawn" in capsys.readouterr().err
    folder = "assets/models/inception"
    (answer,) = _ask(capsys, "predict", str(here / "heart.npz"), "--model", folder)
    assert answer["model"] == "inception"


def test_refusals_are_rows(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (row,) = _ask(capsys, "publish", str(here / "nothing"), status=3)
    assert row["error"] == "CardError" and "no folder" in row["message"]
    (row,) = _ask(capsys, "publish", str(here / "model"), "--name", "hrnn", status=3)
    assert row["error"] == "ShelfError" and "shipped" in row["message"]
    (row,) = _ask(capsys, "withdraw", "nothing", status=3)
    assert row["error"] == "ShelfError"


def test_where_people_sign_in_a_name_without_a_role_may_not(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ECG_SIGN_IN", "header:X-User")
    for words in (("publish", str(here / "model")), ("withdraw", "inception")):
        (row,) = _ask(capsys, *words, "--as", "eve", status=3)
        assert row["error"] == "Forbidden" and "takes admin" in row["message"]


def test_predict_and_report_say_where_a_threshold_comes_from(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _ask(capsys, "publish", str(here / "model"))
    store = open_store(Workspace.from_environment())
    set_threshold(store, "ann", "mine", ("superclasses", "MI"), 0.999)
    (answer,) = _ask(capsys, "predict", str(here / "heart.npz"), "--model", "mine")
    rows = {row["code"]: row for row in answer["labels"]}
    assert rows["MI"]["threshold"] == 0.999 and not rows["MI"]["positive"]
    assert "set by ann on 20" in rows["MI"]["threshold_origin"]
    assert rows["NORM"]["threshold_origin"] is None
    assert "but for these: MI (superclass) 0.999 set by ann" in answer["threshold_origin"]
    out = here / "out"
    _ask(capsys, "report", str(here / "heart.npz"), "--model", "mine", "--out", str(out))
    printed = " ".join(page.text() for page in read_pdf((out / "heart.pdf").read_bytes()))
    assert "set by ann" in " ".join(printed.split())


@pytest.mark.parametrize("real", [False, True])
def test_export_writes_a_checked_file(
    real: bool, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = here / "out" / "model.onnx"
    data = ["--data", str(write_packed(here / "packed.npz"))] if real else []
    model = write_model(here / "quick", model_files(network="inception"))  # a hundred answers
    (row,) = _ask(capsys, "export", str(model), "--onnx", str(out), *data)
    assert row["records_checked"] == (90 if real else 100)
    assert 0 <= row["largest_difference"] < 1e-4 and row["bytes"] == out.stat().st_size
    (signal,) = session_of(out.read_bytes()).get_inputs()
    assert signal.name == "signal" and signal.shape[0] == "records"
    assert main(["export", "nothing", "--onnx", str(out)]) == 2


def test_a_network_that_cannot_be_exported_leaves_no_file_and_prints_only_its_row(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_model(here / "wavelet", model_files("wavelet", "wavelet_nn"))
    out = here / "wavelet.onnx"
    (row,) = _ask(capsys, "export", str(folder), "--onnx", str(out), status=3)
    assert row["error"] == "ExportError" and "cannot be written as ONNX" in row["message"]
    assert not out.exists()
