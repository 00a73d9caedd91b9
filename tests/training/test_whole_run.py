"""What a run is given is what was packed."""

from __future__ import annotations

from pathlib import Path

import pytest

from ecgcore.datasets.catalogue import open_data_set
from ecgcore.datasets.packed import PackedDataError
from ecgcore.datasets.packing import pack
from ecgcore.training.whole_run import joined
from tests.datasets import public_layouts


def test_samples_that_changed_after_packing_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "ptbxl.pack"
    pack(open_data_set("ptbxl", public_layouts.ptbxl(tmp_path / "ptbxl")), path)
    assert len(joined([path])) == 4
    content = bytearray(path.read_bytes())
    content[-400:] = bytes(400)
    path.write_bytes(content)
    with pytest.raises(PackedDataError, match=r"ptbxl\.pack was changed after it was packed; copy"):
        joined([path])
