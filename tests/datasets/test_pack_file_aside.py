"""A pack file tells what prediction would be told of the same recording, or nothing at all."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ecgcore.datasets.catalogue import open_data_set
from ecgcore.datasets.pack_file import PackWriter, read_pack_file
from ecgcore.datasets.packed import PackedData, PackedDataError, load_packed
from ecgcore.datasets.packing import PackOptions, pack
from ecgcore.datasets.record import DataSet
from ecgcore.models.aside import ASIDE_NAMES, PAPER_RULES, aside_row
from ecgcore.models.input_spec import InputSpec, prepare
from ecgcore.recording import VOLTAGES_IN_DOUBT, Patient, Recording
from tests.datasets import public_layouts as layouts

NAMES = tuple(name for name in ASIDE_NAMES if name != "biomarkers")
ALL = InputSpec(sampling_rate=100.0, aside=NAMES)


def told(data: DataSet) -> np.ndarray:
    """What prediction is told of each recording, (records, 17)."""
    return np.stack([aside_row(data.read(entry).recording, NAMES) for entry in data.entries])


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> DataSet:
    """Two women and two men; of the third neither age nor sex is known, the fourth is 34.7."""
    found = open_data_set("ptbxl", layouts.ptbxl(tmp_path_factory.mktemp("ptbxl")))
    one, two, three, four = found.entries
    three = replace(three, patient=Patient(three.patient.patient_id))
    four = replace(four, patient=Patient(four.patient.patient_id, 34.7, "M"))
    return replace(found, entries=(one, two, three, four))


@pytest.fixture(scope="module")
def packed(data: DataSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pack") / "ptbxl.pack"
    done = pack(data, path, PackOptions(rules=True))
    decided = np.isfinite(told(data)[:, 2:]).sum(axis=0).tolist()
    assert list(done.decided.values()) == decided and sum(decided) > 20
    return path


def test_a_record_is_told_what_its_recording_is_told(data: DataSet, packed: Path) -> None:
    loaded, expected = load_packed(packed), told(data)
    inputs = loaded.aside_inputs(ALL)
    assert inputs.dtype == np.float32
    np.testing.assert_array_equal(inputs, expected)
    assert np.isnan(expected[2, :2]).all() and set(expected[np.isfinite(expected)]) >= {0.0, 1.0}
    np.testing.assert_array_equal(
        inputs[0], prepare(data.read(data.entries[0]).recording, ALL).aside
    )
    chosen = loaded.select((2,)).aside_inputs(replace(ALL, aside=("rules:paper", "age")))
    np.testing.assert_array_equal(chosen, expected[2:, [*range(2, 17), 0]])


def test_false_voltages_leave_the_voltage_rules_undecided(data: DataSet, tmp_path: Path) -> None:
    """As in prediction: LUDB's gains are false, its times true."""

    def doubted(entry: Any) -> Recording:
        return data.read_signal(entry).with_warnings(f"Gains differ; {VOLTAGES_IN_DOUBT}")

    false = replace(data, read_signal=doubted)
    pack(false, tmp_path / "x.pack", PackOptions(rules=True))
    inputs = load_packed(tmp_path / "x.pack").aside_inputs(replace(ALL, aside=("rules:paper",)))
    np.testing.assert_array_equal(inputs, told(false)[:, 2:])
    assert np.isnan(inputs[:, PAPER_RULES.index("LVOLT")]).all()
    assert np.isfinite(inputs[:, PAPER_RULES.index("TACH")]).all()
    assert np.isfinite(told(data)[:, 2 + PAPER_RULES.index("LVOLT")]).all()


def test_the_header_names_its_rules(packed: Path) -> None:
    header, _ = read_pack_file(packed)
    assert header["ages"] == [56.0, 56.0, None, 34.7]
    assert header["sexes"] == ["F", "M", None, "M"]
    assert header["rules_paper"]["labels"] == list(PAPER_RULES)
    answers = header["rules_paper"]["answers"]
    assert {one for row in answers for one in row} <= {0, 1, None}
    assert not {type(one) for row in answers for one in row} & {float, bool}


def changed(packed: Path, path: Path, **fields: Any) -> PackedData:
    """The same file with other header fields; None removes one."""
    header, stored = read_pack_file(packed)
    samples = io.BytesIO()
    writer = PackWriter(samples, (stored.shape[1], stored.shape[2]))
    for values in stored:
        writer.add(np.array(values))
    whole = {key: value for key, value in {**header, **fields}.items() if value is not None}
    writer.finish(path, whole)
    return load_packed(path)


def test_a_file_from_before_this_was_told_still_opens(packed: Path, tmp_path: Path) -> None:
    old = changed(packed, tmp_path / "old.pack", ages=None, sexes=None, rules_paper=None)
    assert old.aside == {} and old.record_ids.tolist() == ["1", "2", "3", "4"]
    assert np.isnan(old.aside_inputs(ALL)).all()


def test_rules_are_found_by_their_names(packed: Path, tmp_path: Path) -> None:
    header, _ = read_pack_file(packed)
    rules = json.loads(json.dumps(header["rules_paper"]))
    turned = {"labels": rules["labels"][::-1], "answers": [row[::-1] for row in rules["answers"]]}
    data = changed(packed, tmp_path / "turned.pack", rules_paper=turned)
    np.testing.assert_array_equal(data.aside_inputs(ALL), load_packed(packed).aside_inputs(ALL))


def _rules(labels: Any = PAPER_RULES, answers: Any = None) -> dict[str, Any]:
    return {"labels": list(labels), "answers": [[0] * 15] * 4 if answers is None else answers}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"ages": [56.0] * 3}, "3 ages for 4 records"),
        ({"ages": 56.0}, "float ages for 4 records"),
        ({"ages": [56.0, "old", None, 1]}, "ages that are neither a number of years"),
        ({"ages": [56.0, True, None, 1]}, "ages that are neither"),
        ({"ages": [56.0, -1.0, None, 1]}, "ages that are neither"),
        ({"ages": [56.0, 1e300, None, 1]}, "ages that are neither"),
        ({"sexes": ["F"] * 5}, "5 sexes for 4 records"),
        ({"sexes": ["F", "M", "female", None]}, "sexes that are neither"),
        ({"sexes": ["F", "M", 1, None]}, "sexes that are neither"),
        ({"rules_paper": _rules(answers=[[0] * 15] * 3)}, "3 rows of rules_paper for 4 records"),
        ({"rules_paper": _rules(answers=[[0] * 14] * 4)}, "not one answer for each of 15 rules"),
        ({"rules_paper": _rules(answers=[[0] * 14 + [2]] * 4)}, "not 1, 0 or null"),
        ({"rules_paper": _rules(answers=[[0] * 14 + [0.5]] * 4)}, "not 1, 0 or null"),
        ({"rules_paper": _rules(answers=[[0] * 14 + [True]] * 4)}, "not 1, 0 or null"),
        ({"rules_paper": _rules(answers=[[0] * 14 + ["0"]] * 4)}, "not 1, 0 or null"),
        ({"rules_paper": _rules((*PAPER_RULES[:14], "ASMI"))}, "ASMI; expected, each once"),
        ({"rules_paper": _rules((*PAPER_RULES[:14], "PRWP"))}, "expected, each once"),
        ({"rules_paper": _rules((*PAPER_RULES[:14], 3))}, "no packed data set"),
        ({"rules_paper": {"labels": list(PAPER_RULES)}}, "answers"),
        ({"rules_paper": [[0] * 15] * 4}, "no packed data set"),
        ({"origins": ["ptbxl"] * 3}, "names or origins"),
        ({"record_ids": ["1", "2", "3", 4]}, "names or origins"),
    ],
)
def test_wrong_fields_are_refused(
    packed: Path, tmp_path: Path, fields: dict[str, Any], message: str
) -> None:
    with pytest.raises(PackedDataError, match=message) as refused:
        changed(packed, tmp_path / "wrong.pack", **fields)
    assert "wrong.pack" in str(refused.value)
