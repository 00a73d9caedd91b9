"""Boosted trees as complete tables: they answer as scikit-learn's; what is no tree is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.ensemble import GradientBoostingClassifier

from ecgcore.models.biomarkers import BIOMARKERS
from ecgcore.models.boosted_trees import BoostedTrees, BoostedTreesOptions
from ecgcore.models.trees import count_table_numbers
from ecgcore.training.checkpoint import TrainingError
from ecgcore.training.growing import boosted_tables
from ecgcore.training.publish import LARGE_BYTES, stored_weights

COLUMNS = len(BIOMARKERS)
INF = float("inf")
TOLD = BoostedTreesOptions(
    trees=6, levels=3, rate=0.3, smallest_leaf=9, columns_share=0.5, softness=1e-9
)


def tables() -> dict[str, torch.Tensor]:
    """For label 1 alone: whether column 3 is at most 10, then on the right column 5 at most 0."""
    return {
        "medians": torch.full((COLUMNS,), 20.0),
        "head.start": torch.tensor([-1.0, 0.5]),
        "head.label": torch.tensor([1], dtype=torch.int32),
        "head.column": torch.tensor([[[3, 0, 5]]], dtype=torch.int16),
        "head.threshold": torch.tensor([[[10.0, INF, 0.0]]], dtype=torch.float64),
        "head.width": torch.full((COLUMNS,), 2.0, dtype=torch.float64),
        "head.added": torch.tensor([[[0.25, 99.0, -1.0, 2.0]]]),
    }


def loaded(**changes: torch.Tensor) -> BoostedTrees:
    made = BoostedTrees(BoostedTreesOptions(), leads=12, labels=2)
    made.load_state_dict(tables() | {f"head.{name}": table for name, table in changes.items()})
    return made.eval()


def test_a_label_is_its_beginning_and_what_the_trees_add() -> None:
    made, x = loaded(), torch.zeros(4, 12, 1000)
    told = torch.full((4, COLUMNS), 10.0)
    told[:, 3] = torch.tensor([8.0, 12.0, 12.0, torch.nan])  # the median, 20, goes right
    told[2:, 5] = torch.tensor([-2.0, 2.0])
    expected = torch.tensor([[-1, 0.75], [-1, 2.5], [-1, -0.5], [-1, 2.5]])
    torch.testing.assert_close(made(x, told), expected)
    torch.testing.assert_close(made(x), expected[3:].expand(4, -1))


def test_near_a_limit_a_record_goes_both_ways() -> None:
    told = torch.full((3, COLUMNS), 10.0)  # at the limit itself half goes either way
    told[1, 3] = 11.0  # half of the width above: three quarters go right
    told[2, 3], told[2, 5] = 12.0, -1.0
    expected = [0.5 + (0.25 + 2) / 2, 0.5 + 0.25 / 4 + 2 * 3 / 4, 0.5 + (-1 * 3 + 2) / 4]
    found = loaded()(torch.zeros(3, 12, 1000), told)[:, 1]
    torch.testing.assert_close(found, torch.tensor(expected))


def test_numbers_are_beginnings_thresholds_and_leaves() -> None:
    assert count_table_numbers(loaded()) == 2 + 2 + 3


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("label", [2], "labels that are not there"),
        ("label", [-1], "labels that are not there"),
        ("label", [0, 1], r"for labels of the shape \(2,\)"),
        ("label", [[1]], r"for labels of the shape \(1, 1\)"),
        ("label", 1, r"for labels of the shape \(\)"),
        ("label", [0.9], "no whole numbers"),
        ("start", [0.5j, 0.0], "complex numbers"),
        ("column", [[[3.7, 0.0, 5.0]]], "no whole numbers"),
        ("column", [[[3, COLUMNS, 5]]], "a column that there is not"),
        ("column", [[[3, -1, 5]]], "a column that there is not"),
        ("threshold", [[[10.0, float("nan"), 0.0]]], "a threshold that is no number"),
        ("threshold", [[[10.0, 0.0]]], "columns of the shape"),
        ("added", [[[0.0, 1.0, 2.0]]], "leaves or beginnings that do not fit"),
        ("added", [[[0.0, 1.0, 2.0, INF]]], "no number of a usual size"),
        ("added", [[[0.0, 1.0, 2.0, 3e38]]], "no number of a usual size"),
        ("start", [0.0, float("nan")], "no number of a usual size"),
        ("width", [INF] * COLUMNS, "not one above 0 for each column"),
        ("width", [1.0], "not one above 0 for each column"),
        ("width", [0.0] * COLUMNS, "not one above 0 for each column"),
        ("start", [0.0], "leaves or beginnings that do not fit"),
    ],
)
def test_tables_that_are_no_trees_are_refused(name: str, value: object, said: str) -> None:
    with pytest.raises(RuntimeError, match=said):
        loaded(**{name: torch.tensor(value)})


def test_trees_that_are_not_complete_are_refused() -> None:
    two = {"column": torch.zeros(1, 1, 2, dtype=torch.int16), "threshold": torch.zeros(1, 1, 2)}
    with pytest.raises(RuntimeError, match="no complete trees"):
        loaded(**two, added=torch.zeros(1, 1, 3))
    none = {"column": torch.zeros(1, 0, 3, dtype=torch.int16), "threshold": torch.zeros(1, 0, 3)}
    with pytest.raises(RuntimeError, match="no complete trees"):
        loaded(**none, added=torch.zeros(1, 0, 4))


def test_trees_beyond_memory_are_refused() -> None:
    deep = {
        "column": torch.zeros(1, 1, 511, dtype=torch.int16),
        "threshold": torch.zeros(1, 1, 511),
    }
    with pytest.raises(RuntimeError, match="no complete trees"):
        loaded(**deep, added=torch.zeros(1, 1, 512))
    wide = (1, 350_000, 3)
    many = {"column": torch.zeros(wide, dtype=torch.int16), "threshold": torch.zeros(wide)}
    with pytest.raises(RuntimeError, match="1,050,000 nodes; at most 1,000,000"):
        loaded(**many, added=torch.zeros(1, 350_000, 4))
    with pytest.raises(ValueError, match="300 trees of 8 levels for each of 76 labels"):
        BoostedTrees(BoostedTreesOptions(levels=8), leads=12, labels=76)


def test_half_precision_harms_no_limit_of_a_column_that_is_nearly_the_same_everywhere() -> None:
    """As a large model is stored: a column of one value, and one that hardly differs."""
    generator = np.random.default_rng(0)
    values = generator.normal(size=(90, COLUMNS)).astype(np.float32)
    values[:, 0], values[:, 1] = 0.01, 1e-9 * values[:, 1]
    targets = (values[:, [2, 3]] > 0).astype(np.float32)
    grown = boosted_tables(TOLD, values, targets, fewest=5, seed=0)
    assert grown["width"][0] == 1.0
    weights = {"medians": torch.zeros(COLUMNS)} | {f"head.{k}": table for k, table in grown.items()}
    filler = {"more": torch.zeros(LARGE_BYTES // 4)}
    stored = stored_weights(weights | filler)
    assert stored["head.added"].dtype == torch.float16
    made = BoostedTrees(TOLD, leads=12, labels=2)
    made.load_state_dict({name: stored[name] for name in weights})
    found = made(torch.zeros(90, 12, 1000), torch.from_numpy(values))
    made.load_state_dict(weights)
    expected = made(torch.zeros(90, 12, 1000), torch.from_numpy(values))
    torch.testing.assert_close(found, expected, atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize(
    "wrong",
    [{"trees": 0}, {"smallest_leaf": 0}, {"levels": 0}, {"levels": 9}, {"rate": 0.0},
     {"softness": 0.0}, {"softness": 11.0}, {"columns_share": 1.1}, {"records_share": 0.0}],
)  # fmt: skip
def test_impossible_options_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="give 1 tree"):
        BoostedTrees(replace(BoostedTreesOptions(), **wrong), leads=12, labels=2)  # type: ignore[arg-type]


def test_it_answers_as_the_trees_it_was_grown_as() -> None:
    generator = np.random.default_rng(0)
    values = generator.normal(size=(90, COLUMNS)).astype(np.float32)
    targets = np.zeros((90, 4), dtype=np.float32)
    targets[:, 1:3] = values[:, [1, 2]] > 0
    targets[:3, 3] = 1
    grown = boosted_tables(TOLD, values, targets, fewest=5, seed=7)
    assert grown["label"].tolist() == [1, 2]  # nobody has the first, and three are too few
    early = grown["threshold"].isinf()
    assert early.any() and not early.all()  # some trees end before the last level
    made = BoostedTrees(TOLD, leads=12, labels=4)
    made.load_state_dict(
        {"medians": torch.zeros(COLUMNS)} | {f"head.{name}": table for name, table in grown.items()}
    )
    asked = generator.normal(size=(40, COLUMNS)).astype(np.float32)
    found = made(torch.zeros(40, 12, 1000), torch.from_numpy(asked)).numpy()
    for label in (1, 2):
        peer = GradientBoostingClassifier(
            n_estimators=6, learning_rate=0.3, max_depth=3, min_samples_leaf=9, max_features=0.5,
            subsample=0.5, random_state=7,
        ).fit(values, targets[:, label])  # fmt: skip
        np.testing.assert_allclose(found[:, label], peer.decision_function(asked), atol=1e-5)
    np.testing.assert_allclose(found[:, 0], np.log(0.5 / 90.5), rtol=1e-6)
    np.testing.assert_allclose(found[:, 3], np.log(3.5 / 87.5), rtol=1e-6)


def test_labels_that_too_few_have_are_refused() -> None:
    values, targets = np.zeros((30, COLUMNS)), np.zeros((30, 2))
    targets[:5, 0] = targets[:, 1] = 1
    with pytest.raises(TrainingError, match="no label has 6 recordings to grow trees on"):
        boosted_tables(TOLD, values, targets, fewest=6, seed=0)
