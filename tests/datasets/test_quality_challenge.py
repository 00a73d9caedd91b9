"""The 2011 challenge's pack: read as it is, refused where it is not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ecgcore.datasets.quality_challenge import QualityChallengeError, read_quality_challenge
from ecgcore.recording import LEADS


def write(path: Path, **changes: object) -> Path:
    rng = np.random.default_rng(0)
    arrays = {
        "X": rng.integers(-400, 400, (3, 500, 12)).astype(np.int16),
        "scale": np.float64(0.005),
        "fs": np.int64(500),
        "leads": np.array(LEADS),
        "quality": np.array([0, 1, 0], dtype=np.int8),
    } | changes
    np.savez(path, **{name: value for name, value in arrays.items() if value is not None})
    return path


def test_recordings_are_in_millivolts_with_their_verdict(tmp_path: Path) -> None:
    path = write(tmp_path / "set.npz")
    read = list(read_quality_challenge(path))
    assert [good for _, good in read] == [True, False, True]
    recording, _ = read[1]
    assert recording.record_id == "set-1"
    assert recording.leads == LEADS
    assert recording.sampling_rate == 500
    counts = np.load(path)["X"][1].T
    np.testing.assert_allclose(recording.signal, counts * 0.005, rtol=1e-6)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"quality": None}, "lacks quality"),
        ({"quality": np.zeros(2)}, "disagree; expected X"),
        ({"leads": np.array(LEADS[:8])}, "disagree; expected X"),
    ],
)
def test_what_is_not_the_set_is_refused(
    tmp_path: Path, changes: dict[str, object], said: str
) -> None:
    with pytest.raises(QualityChallengeError, match=said):
        list(read_quality_challenge(write(tmp_path / "set.npz", **changes)))


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "set.npz"
    path.write_bytes(b"PK no zip")
    with pytest.raises(QualityChallengeError, match="cannot be read"):
        list(read_quality_challenge(path))


def test_the_real_set(ecg_data: Path) -> None:
    good = [good for _, good in read_quality_challenge(ecg_data / "cinc2011" / "development.npz")]
    assert (len(good), sum(good)) == (626, 518)
