"""A seeded part of the header fuzz: no mutant loads as something else unseen, none crashes."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from benchmarks.fuzz_readers import ALLOWED, MUTATIONS, Outcome, failures, fuzz_header
from benchmarks.wfdb_records import write_record


def test_mutants_of_a_synthetic_header(tmp_path: Path):
    outcomes = fuzz_header(tmp_path, write_record(tmp_path, "synthetic"), 450, seed=7)
    assert not failures(outcomes)
    assert {outcome.category for outcome in outcomes} == {m.__name__ for m in MUTATIONS}
    verdicts = Counter(outcome.verdict for outcome in outcomes)
    assert verdicts["refused"] > 200 and verdicts["warned"] > 10 and verdicts["same"] > 10
    assert all(o.reason in ALLOWED for o in outcomes if o.verdict == "silent")


@pytest.mark.parametrize("name", ["cinc2021/JS00001.hea", "ptbxl_raw500/00001_hr.hea"])
def test_mutants_of_a_real_header(tmp_path: Path, ecg_data: Path, name: str):
    assert not failures(fuzz_header_of_copy(tmp_path, ecg_data / name))


def fuzz_header_of_copy(folder: Path, header: Path) -> list[Outcome]:
    outcomes = fuzz_header(folder, header, 150, seed=8)
    assert header.read_bytes() == (folder / header.name).read_bytes()
    return outcomes
