"""The words that several benchmarks take."""

from __future__ import annotations

import argparse
import os
from pathlib import Path


def data_and_write(text: str | None) -> argparse.Namespace:
    """``data``: the folder of recordings (ECG_DATA by default); ``write``: fit and write anew."""
    parser = argparse.ArgumentParser(description=text)
    default = os.environ.get("ECG_DATA", Path(__file__).resolve().parents[2] / "shared" / "data")
    parser.add_argument("data", type=Path, nargs="?", default=Path(default))
    parser.add_argument("--write", action="store_true")
    return parser.parse_args()
