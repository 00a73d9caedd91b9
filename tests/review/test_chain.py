"""Every edit of the stored reviews breaks the chain where it was made."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ecgcore.review.chain import FIELDS, GENESIS, audit, row_hash


def _chain(count: int) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for number in range(1, count + 1):
        row: dict[str, Any] = {
            "number": number, "recording": f"{number % 3:064x}", "label_set": "statements",
            "reviewer": "ann", "decided_at": "2026-01-01", "action": "accept", "codes": '["NORM"]',
            "comment": f"comment {number}", "seconds": 1.5, "evidence": "[]", "stage": "open",
            "revises": None, "seen": 0, "previous": rows[-1]["hash"] if rows else GENESIS,
        }  # fmt: skip
        rows.append(row | {"hash": row_hash(row)})
    return rows


def test_an_untouched_chain_holds() -> None:
    report = audit(_chain(5))
    assert report.intact
    assert (report.reviews, report.head) == (5, _chain(5)[-1]["hash"])
    assert audit([]).head == GENESIS


@settings(max_examples=150, derandomize=True)
@given(
    st.integers(0, 4), st.sampled_from([*FIELDS, "hash"]),
    st.one_of(st.text(max_size=5), st.integers(), st.floats(allow_nan=True), st.none()),
)  # fmt: skip
def test_every_edit_is_found_at_its_place(at: int, field: str, value: object) -> None:
    rows = _chain(5)
    if rows[at][field] == value and type(rows[at][field]) is type(value):
        return
    rows[at][field] = value
    report = audit(rows)
    assert not report.intact
    assert report.breaks[0].number in (at + 1, at + 2, value, 0)


@settings(max_examples=50, derandomize=True)
@given(st.integers(0, 4), st.integers(1, 3))
def test_removed_rows_are_found_by_the_chain_or_by_a_head(at: int, count: int) -> None:
    rows = _chain(5)
    head = audit(rows).head
    left = rows[:at] + rows[at + count :]
    assert not audit(left, heads=[head]).intact
    if at + count < 5:
        assert not audit(left).intact


def test_exchanged_and_doubled_rows_are_found() -> None:
    rows = _chain(4)
    assert not audit([rows[0], rows[2], rows[1], rows[3]]).intact
    assert not audit([*rows[:2], *rows[1:]]).intact


def test_a_chain_that_was_computed_anew_lacks_the_exported_head() -> None:
    rows = _chain(3)
    head = audit(rows).head
    rows[0]["codes"] = "[]"
    for at, row in enumerate(rows):
        row["previous"] = rows[at - 1]["hash"] if at else GENESIS
        row["hash"] = row_hash(row)
    assert audit(rows).intact
    (missing,) = audit(rows, heads=[head]).breaks
    assert head[:16] in missing.reason
