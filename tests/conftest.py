"""Fixtures shared by all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def ecg_data() -> Path:
    """The folder of development recordings, or a skip that says how to get them."""
    folder = Path(os.environ.get("ECG_DATA", REPOSITORY.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"development recordings not found in {folder}; set ECG_DATA to their folder")
    return folder
