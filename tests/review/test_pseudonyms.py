"""Patients' pseudonyms: stable, keyed, and no way back without the key."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ecgcore.review.pseudonyms import pseudonym, pseudonym_key


def test_the_key_is_made_once_and_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "here" / "pseudonym.key"
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: pseudonym_key(path), range(16)))
    assert len(keys) == 1
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_a_pseudonym_follows_from_patient_and_key() -> None:
    one, other = b"a" * 32, b"b" * 32
    assert pseudonym("p1", "r1", one) == pseudonym("p1", "r2", one)
    assert pseudonym("p1", "r1", one) != pseudonym("p1", "r1", other)
    assert pseudonym(None, "r1", one) != pseudonym(None, "r2", one)
    assert pseudonym("r1", "r2", one) != pseudonym(None, "r1", one)
    assert "p1" not in pseudonym("p1", "r1", one)
