"""Trees as tables: they answer as scikit-learn's, and what is no tree is refused."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ecgcore.explain.grad_cam import grad_cam
from ecgcore.explain.target import ExplanationError
from ecgcore.models.biomarkers import BIOMARKERS
from ecgcore.models.forest import LEAF, UNSEEN, Forest, ForestOptions, count_table_numbers
from ecgcore.models.predictor import Predictor
from tests.models.example import example_card, example_recording

COLUMNS = len(BIOMARKERS)


def tables() -> dict[str, torch.Tensor]:
    """Two trees: one asks column 3 whether it is at most 10, the other asks nothing."""
    return {
        "medians": torch.full((COLUMNS,), 20.0),
        "head.column": torch.tensor([[3, LEAF, LEAF], [LEAF, LEAF, LEAF]], dtype=torch.int32),
        "head.threshold": torch.tensor([[10.0, 0, 0], [0, 0, 0]], dtype=torch.float64),
        "head.left": torch.tensor([[1, 0, 0], [0, 0, 0]], dtype=torch.int32),
        "head.right": torch.tensor([[2, 0, 0], [0, 0, 0]], dtype=torch.int32),
        "head.leaf": torch.tensor([[0, 0, 1], [0, 0, 0]], dtype=torch.int32),
        "head.shares": torch.tensor([[[0.2, 0.0], [0.6, 1.0]], [[0.4, 0.5], [0.0, 0.0]]]),
    }


def forest() -> Forest:
    return Forest(ForestOptions(trees=2), leads=12, labels=2)


def loaded(**changes: torch.Tensor) -> Forest:
    made = forest()
    made.load_state_dict(tables() | {f"head.{name}": table for name, table in changes.items()})
    return made.eval()


def test_the_answer_is_the_mean_share_of_the_leaves() -> None:
    made, x = loaded(), torch.zeros(3, 12, 1000)
    told = torch.full((3, COLUMNS), 10.0)  # the threshold itself goes left
    told[1, 3], told[2, 3] = 10.5, torch.nan  # the median, 20, goes right
    shares = torch.tensor([[0.3, 0.25], [0.5, 0.75], [0.5, 0.75]])
    expected = torch.log((shares + UNSEEN) / (1 - shares + UNSEEN))
    torch.testing.assert_close(made(x, told), expected)
    torch.testing.assert_close(made(x), expected[2:].expand(3, -1))


def test_near_a_limit_a_record_goes_both_ways() -> None:
    made, x = loaded(width=torch.full((COLUMNS,), 4.0)), torch.zeros(5, 12, 1000)
    told = torch.full((5, COLUMNS), 10.0)  # at the limit itself half goes either way
    told[:, 3] = torch.tensor([10.0, 12.0, 8.0, 14.0, 6.0])
    right = torch.tensor([0.5, 0.75, 0.25, 1.0, 0.0])[:, None]
    shares = torch.tensor([[0.6, 0.75]]) * right / 2 + torch.tensor([[0.2, 0.0]]) * (1 - right) / 2
    shares = shares + torch.tensor([[0.2, 0.25]]) + torch.tensor([[0.0, 0.125]]) * right
    torch.testing.assert_close(made(x, told), torch.log((shares + UNSEEN) / (1 - shares + UNSEEN)))


def test_trees_of_unequal_depth_reach_each_leaf_by_its_own_way() -> None:
    """A root that asks column 0, behind it on the right a node that asks column 1."""
    made = loaded(
        column=torch.tensor([[0, LEAF, 1, LEAF, LEAF], [LEAF] * 5], dtype=torch.int32),
        threshold=torch.zeros(2, 5, dtype=torch.float64),
        width=torch.ones(COLUMNS, dtype=torch.float64),
        left=torch.tensor([[1, 0, 3, 0, 0], [0] * 5], dtype=torch.int32),
        right=torch.tensor([[2, 0, 4, 0, 0], [0] * 5], dtype=torch.int32),
        leaf=torch.tensor([[0, 0, 0, 1, 2], [0] * 5], dtype=torch.int32),
        shares=torch.tensor([[[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]], [[0.0, 0.0]] * 3]),
    )
    told = torch.zeros(1, COLUMNS)
    told[0, 0], told[0, 1] = 0.5, -0.5  # three quarters go right, of which three quarters go left
    ways = torch.tensor([0.25, 0.75 * 0.75, 0.75 * 0.25])
    share = (ways @ torch.tensor([[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]]))[None] / 2
    found = made(torch.zeros(1, 12, 1000), told)
    torch.testing.assert_close(found, torch.log((share + UNSEEN) / (1 - share + UNSEEN)))


def test_numbers_are_thresholds_and_shares() -> None:
    assert count_table_numbers(loaded()) == 1 + (2 + 1) * 2


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("left", [[0, 0, 0], [0, 0, 0]], "does not stand behind its parent"),
        ("right", [[3, 0, 0], [0, 0, 0]], "does not stand behind its parent"),
        ("column", [[COLUMNS, -1, -1], [-1, -1, -1]], "a column that there is not"),
        ("column", [[-2, -1, -1], [-1, -1, -1]], "a column that there is not"),
        ("leaf", [[0, 2, 1], [0, 0, 0]], "a leaf that there is not"),
        ("leaf", [[0, 0], [0, 0]], "differ in size"),
        ("shares", [[[1.5, 0.0]] * 2, [[0.0, 0.0]] * 2], "not within 0 and 1"),
        ("shares", [[[float("nan"), 0.0]] * 2, [[0.0, 0.0]] * 2], "not within 0 and 1"),
        ("shares", [[[0.5]], [[0.5]]], "2 trees and 2 labels"),
        ("left", [[2, 0, 0], [0, 0, 0]], "a child of two parents"),
        ("left", [[0.5, 0, 0], [0, 0, 0]], "no whole numbers"),
        ("leaf", [[0.0, 0, 1], [0, 0, 0]], "no whole numbers"),
        ("threshold", [[float("nan"), 0, 0], [0, 0, 0]], "a threshold that is no number"),
        ("shares", [[[0.5j, 0.0]] * 2, [[0.0, 0.0]] * 2], "complex numbers"),
        ("width", [-1.0] * COLUMNS, "widths that are not one for each column"),
        ("width", [float("nan")] * COLUMNS, "widths that are not one for each column"),
        ("width", [0.0], "widths that are not one for each column"),
    ],
)
def test_tables_that_are_no_trees_are_refused(name: str, value: object, said: str) -> None:
    with pytest.raises(RuntimeError, match=said):
        loaded(**{name: torch.tensor(value)})


def test_trees_beyond_memory_are_refused() -> None:
    wide = torch.zeros(2, 2_000_001, dtype=torch.int32)
    with pytest.raises(RuntimeError, match="4,000,002 nodes; at most 4,000,000"):
        loaded(column=wide + LEAF, threshold=wide.double(), left=wide, right=wide, leaf=wide)


def test_it_has_no_places_of_the_signal_to_mark() -> None:
    card = example_card("forest", options={"trees": 2})
    predictor = Predictor(
        card, Forest(ForestOptions(trees=2), leads=12, labels=5), torch.device("cpu")
    )
    with pytest.raises(ExplanationError, match="does not look at the signal"):
        grad_cam(predictor, example_recording(), "MI")


def test_a_missing_table_is_named() -> None:
    given = tables()
    del given["head.leaf"]
    with pytest.raises(RuntimeError, match=r"head\.leaf"):
        forest().load_state_dict(given)


def test_impossible_options_are_refused() -> None:
    for wrong in (
        ForestOptions(trees=0),
        ForestOptions(smallest_leaf=0),
        ForestOptions(columns_share=0),
        ForestOptions(softness=-0.1),
        ForestOptions(softness=11),
    ):
        with pytest.raises(ValueError, match="give 1 tree"):
            Forest(wrong, leads=12, labels=2)


def test_it_answers_as_the_trees_it_was_grown_as() -> None:
    from sklearn.ensemble import ExtraTreesRegressor

    from ecgcore.training.growing import forest_tables

    generator = np.random.default_rng(0)
    values = generator.normal(size=(80, COLUMNS)).astype(np.float32)
    targets = (values[:, [1, 2]] > 0).astype(np.float32)
    grown = ExtraTreesRegressor(7, min_samples_leaf=3, random_state=0).fit(values, targets)
    made = Forest(ForestOptions(trees=7), leads=12, labels=2)
    weights = forest_tables([tree.tree_ for tree in grown.estimators_], np.zeros(COLUMNS))
    made.load_state_dict(
        {"medians": torch.zeros(COLUMNS)} | {f"head.{k}": table for k, table in weights.items()}
    )
    asked = generator.normal(size=(40, COLUMNS)).astype(np.float32)
    share = torch.from_numpy(grown.predict(asked)).float()
    expected = torch.log((share + UNSEEN) / (1 - share + UNSEEN))
    torch.testing.assert_close(
        made(torch.zeros(40, 12, 1000), torch.from_numpy(asked)), expected, rtol=1e-4, atol=1e-5
    )
