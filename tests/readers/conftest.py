"""Fixtures of the readers' tests."""

from __future__ import annotations

import pytest

from benchmarks.fuzz_dicom import victim


@pytest.fixture(scope="module")
def valid() -> bytes:
    """The 12-lead ECG that comes inside pydicom, as DICOM."""
    return victim()
