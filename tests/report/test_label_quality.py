"""The PDF of a data set's label quality, read back."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from ecgcore import DISCLAIMER
from ecgcore.report.label_quality import (
    Agreement,
    LabelCounts,
    LabelQuality,
    SuspiciousRecord,
    print_label_quality,
)
from tests.pdf_reading import read_pdf

QUALITY = LabelQuality(
    "PTB-XL, $3$",
    datetime(2026, 11, 28, 9, 30, tzinfo=UTC),
    1625,
    (
        LabelCounts("NORM", "normal ECG", 1200, 31, 7, 5, 3, 11, Agreement(0.61, -0.02, 0.9, 48)),
        LabelCounts("CLBBB", "complete left bundle branch block", 40, 13, 0, 0, 1, 2),
    ),
    tuple(
        SuspiciousRecord(f"{number:05d}_hr", "NORM", 1 - number / 100, ("Rule holds.", "Models."))
        for number in range(60)
    ),
    (("Snapshot", "sha256 0123"),),
)


def test_counts_agreement_and_suspicious_records_are_printed() -> None:
    printed = print_label_quality(QUALITY)
    pages = read_pdf(printed.pdf)
    assert len(pages) == printed.pages > 1
    lines = [text.text for page in pages for text in page.texts]
    for said in (
        "Label quality: PTB-XL, $3$", "2026-11-28 09:30+00:00", "sha256 0123", "1,200", "31", "7",
        "5", "3", "11", "1,240", "44", "0.61", "−0.02 to 0.90", "48", "Too few for kappa", "CLBBB",
        "60 of 1,625, the most suspicious first.", "0.410", "Rule holds.", "Models.",
    ):  # fmt: skip
        assert said in lines, said
    assert all(f"{number:05d}_hr" in lines for number in range(60))
    for number, page in enumerate(pages, start=1):
        assert DISCLAIMER in page.text()
        assert f"page {number} of {len(pages)}" in page.text()


def test_the_same_values_give_the_same_bytes() -> None:
    assert print_label_quality(QUALITY).pdf == print_label_quality(QUALITY).pdf


def test_nothing_given_is_said_to_be_so() -> None:
    text = read_pdf(print_label_quality(LabelQuality("Empty", None, 0, ())).pdf)[0].text()
    for said in ("No label was given.", "No label was read by several", "None was given."):
        assert said in text


def test_impossible_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match=r"kappa 0\.5 with interval 0\.6 to 0\.9"):
        Agreement(0.5, 0.6, 0.9, 10)
    with pytest.raises(ValueError, match="rejected of NORM is -1"):
        replace(QUALITY.labels[0], rejected=-1)


def test_a_record_with_more_reasons_than_a_page_holds_is_divided() -> None:
    reasons = tuple(f"reason {number}" for number in range(150))
    many = replace(QUALITY, suspicious=(SuspiciousRecord("a", "NORM", 0.9, reasons),))
    pages = read_pdf(print_label_quality(many).pdf)
    lines = [text.text for page in pages for text in page.texts]
    assert all(reason in lines for reason in reasons)
    assert all(text.y > 12 for page in pages for text in page.texts)
