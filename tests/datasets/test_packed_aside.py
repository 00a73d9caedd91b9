"""What a packed file tells beside the signal: age, sex, rules; NaN where it tells nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ecgcore.datasets.joining import join
from ecgcore.datasets.packed import PackedData, PackedDataError, load_packed
from ecgcore.models.aside import PAPER_RULES
from ecgcore.models.input_spec import InputSpec
from tests.packed_example import packed_arrays, write_packed

ALL = InputSpec(sampling_rate=100.0, aside=("age", "sex", "rules:paper"))


def packed(folder: Path, **arrays: Any) -> PackedData:
    return load_packed(write_packed(folder / "packed.npz", **arrays))


def test_age_and_sex_become_years_and_codes(tmp_path: Path) -> None:
    """0 is male and 1 female in the file; any other number is not known."""
    data = packed(tmp_path, age=np.arange(90.0), sex=np.arange(90) % 3)
    told = data.aside_inputs(ALL)
    assert told.shape == (90, 17)
    assert told.dtype == np.float32
    assert told[:, 0].tolist() == list(range(90))
    np.testing.assert_array_equal(told[:3, 1], np.float32([1, 2, np.nan]))
    assert np.isnan(told[:, 2:]).all()


def test_rules_come_in_their_own_order(tmp_path: Path) -> None:
    """The file names its columns; they are sorted as the network wants them."""
    turned = PAPER_RULES[::-1]
    answers = np.full((90, 15), np.nan)
    answers[:, turned.index("LAD")] = np.arange(90) % 2
    data = packed(tmp_path, rules_paper=answers, classes_rules_paper=np.array(turned))
    told = data.aside_inputs(replace(ALL, aside=("rules:paper",)))
    assert told[:4, PAPER_RULES.index("LAD")].tolist() == [0, 1, 0, 1]
    assert np.isfinite(told).sum() == 90


def test_a_file_that_tells_nothing_leaves_everything_unknown(tmp_path: Path) -> None:
    data = packed(tmp_path)
    assert np.isnan(data.aside_inputs(ALL)).all()
    assert data.aside_inputs(InputSpec(sampling_rate=100.0)).shape == (90, 0)


def test_aside_values_stay_with_their_records(tmp_path: Path) -> None:
    data = packed(tmp_path, age=np.arange(90.0))
    chosen = data.select((3, 7))
    assert chosen.aside_inputs(ALL)[:, 0].tolist() == chosen.record_ids.astype(float).tolist()
    others = {"X": packed_arrays(seed=1)["X"], "ecg_id": np.arange(90) + 1000}
    silent = load_packed(write_packed(tmp_path / "silent.npz", **others))
    for parts in ([data, silent], [silent, data]):
        joined = join(parts)
        numbers = joined.record_ids.astype(int)
        expected = np.where(numbers < 1000, numbers, np.nan)
        np.testing.assert_array_equal(joined.aside_inputs(ALL)[:, 0], expected)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"age": np.zeros(3)}, "age is not one number a record"),
        ({"sex": np.zeros((90, 2))}, "sex is not one number a record"),
        ({"age": np.array(["old"] * 90)}, "no packed data set"),
        ({"rules_paper": np.zeros((90, 15))}, "named in classes_rules_paper"),
        (
            {"rules_paper": np.zeros((90, 14)), "classes_rules_paper": np.array(PAPER_RULES)},
            r"not a \(records, 15\) table",
        ),
        (
            {"rules_paper": np.full((90, 15), 2), "classes_rules_paper": np.array(PAPER_RULES)},
            "of 0, 1 and NaN",
        ),
    ],
)
def test_wrong_aside_arrays_are_refused(
    tmp_path: Path, arrays: dict[str, Any], message: str
) -> None:
    with pytest.raises(PackedDataError, match=message):
        packed(tmp_path, **arrays)
