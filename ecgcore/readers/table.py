"""Tables to Recording: CSV and NPZ, with what the user states where the file is silent."""

from __future__ import annotations

from ecgcore.readers.csv_table import read_csv
from ecgcore.readers.npz_table import read_npz
from ecgcore.readers.stated import Stated, UnstatedError

__all__ = ["Stated", "UnstatedError", "read_csv", "read_npz"]
