"""Label sets."""

import pytest

from ecgcore.labels import SUPERCLASSES, label_set, statements


def test_the_71_statements_are_sorted_unique_and_described() -> None:
    codes = [label.code for label in statements()]
    assert len(codes) == len(set(codes)) == 71
    assert codes == sorted(codes)
    assert all(label.description for label in statements())
    assert {"AFIB", "CLBBB", "NORM", "LAO/LAE"} <= set(codes)


def test_sets_by_name() -> None:
    assert label_set("superclasses") == SUPERCLASSES
    assert label_set("statements") == statements()
    with pytest.raises(ValueError, match="known: statements, superclasses"):
        label_set("snomed")
