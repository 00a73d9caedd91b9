"""The command ``report``: a PDF of each recording, its line, and what is refused."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ecgcore.cli import main
from ecgcore.readers.opening import read_path
from ecgcore.recording import LEADS
from tests.pdf_reading import read_pdf
from tests.wfdb_files import write_wfdb

MODEL = ["--model", "inception"]


def _lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def _table(folder: Path, signal: np.ndarray) -> Path:
    """A table in mV at 500 Hz that names its patient."""
    head = "# sampling_rate: 500\n# unit: mV\n# patient_id: PID-4711\n" + ",".join(LEADS) + "\n"
    rows = "\n".join(",".join(f"{value:.3f}" for value in row) for row in signal.T)
    path = folder / "table.csv"
    path.write_text(head + rows + "\n")
    return path


def test_report_writes_a_pdf_of_each_recording(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    header = write_wfdb(tmp_path / "in", "a-record")
    table = _table(tmp_path / "in", read_path(header).signal)
    noise = tmp_path / "noise.csv"
    values = np.random.default_rng(3).normal(0, 0.3, (5000, 12)).round(3)
    noise.write_text(
        "# sampling_rate: 500\n# unit: mV\n" + ",".join(LEADS) + "\n"
        + "\n".join(",".join(f"{value:g}" for value in row) for row in values) + "\n"
    )  # fmt: skip
    out = tmp_path / "out"
    files = [str(header), str(noise), str(table)]
    assert main(["report", "--json", *files, *MODEL, "--out", str(out)]) == 3
    first, refused, second = _lines(capsys)
    assert refused["file"] == str(noise) and refused["error"].endswith("RecordingError")
    assert sorted(path.name for path in out.iterdir()) == ["a-record.pdf", "table.pdf"]
    for row, name in ((first, "a-record"), (second, "table")):
        assert set(row) == {"file", "report", "pages", "sha256"}
        pdf = (out / f"{name}.pdf").read_bytes()
        assert row["report"] == str(out / f"{name}.pdf")
        assert row["sha256"] == hashlib.sha256(pdf).hexdigest()
        pages = read_pdf(pdf)
        assert row["pages"] == len(pages)
        text = "\n".join(page.text() for page in pages)
        assert "PID-4711" not in text
        for said in ("Answers of the model inception", "Probabilities are", "Rate 72/min"):
            assert said in text
        assert "Findings of the rules (clinical criteria)" in text
    asked = ["--identifiers", "--out", str(tmp_path / "asked")]
    assert main(["report", "--json", str(table), *MODEL, *asked]) == 0
    (page, *_) = read_pdf((tmp_path / "asked" / "table.pdf").read_bytes())
    assert "patient PID-4711" in page.text()


def test_two_files_of_one_name_do_not_write_over_each_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = write_wfdb(tmp_path / "one", "same")
    two = write_wfdb(tmp_path / "two", "same", rate_bpm=90.0)
    out = tmp_path / "out"
    assert main(["report", "--json", str(one), str(two), *MODEL, "--out", str(out)]) == 3
    first, second = _lines(capsys)
    assert "would be written over" in second["message"]
    written = (out / "same.pdf").read_bytes()
    assert hashlib.sha256(written).hexdigest() == first["sha256"]


def test_wrong_words_and_places_end_with_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    header = str(write_wfdb(tmp_path, "a"))
    with pytest.raises(SystemExit) as ended:
        main(["report", header, *MODEL])
    assert ended.value.code == 2
    assert main(["report", header, "--model", "oracle", "--out", str(tmp_path / "out")]) == 2
    assert "no trained model 'oracle'" in capsys.readouterr().err
    (tmp_path / "file").write_text("in the way")
    assert main(["report", header, *MODEL, "--out", str(tmp_path / "file")]) == 2
    assert not list(tmp_path.glob("**/*.pdf"))
