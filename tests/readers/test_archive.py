"""Zip archives: recordings come out, everything hostile is refused."""

from __future__ import annotations

import io
import stat
import struct
import warnings
import zipfile

import numpy as np
import pytest

from ecgcore.readers import archive
from ecgcore.readers.archive import looks_like_npz, looks_like_zip, unzip
from ecgcore.recording import RecordingError


def zipped(*entries: tuple[str | zipfile.ZipInfo, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # duplicate names are written on purpose
        for name, data in entries:
            file.writestr(name, data)
    return target.getvalue()


def test_files_come_out_in_order_without_desktop_litter():
    data = zipped(("b/r.hea", b"1"), ("__MACOSX/b/._r.hea", b"x"), ("b/", b""), ("b/r.dat", b"22"))
    assert [(file.name, file.data) for file in unzip("z.zip", data)] == [
        ("b/r.hea", b"1"),
        ("b/r.dat", b"22"),
    ]


@pytest.mark.parametrize("name", ["../r.dat", "/etc/passwd", "a/../../r", "a\\..\\r", "C:/r.dat"])
def test_names_that_leave_the_archive_are_refused(name: str):
    entry = zipfile.ZipInfo("placeholder")
    entry.filename = name
    with pytest.raises(RecordingError, match="not that of a file inside"):
        unzip("z.zip", zipped((entry, b"1")))


def test_links_are_refused():
    entry = zipfile.ZipInfo("r.dat")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    with pytest.raises(RecordingError, match="link or a device"):
        unzip("z.zip", zipped((entry, b"/etc/passwd")))


def test_names_given_twice_are_refused():
    with pytest.raises(RecordingError, match="there twice"):
        unzip("z.zip", zipped(("r.dat", b"1"), ("R.dat", b"2")))


def test_encrypted_entries_are_refused():
    data = bytearray(zipped(("r.dat", b"1")))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(signature) + offset] |= 1
    with pytest.raises(RecordingError, match="encrypted"):
        unzip("z.zip", bytes(data))


def test_archives_in_archives_are_refused():
    with pytest.raises(RecordingError, match="holds another archive"):
        unzip("z.zip", zipped(("inner.zip", zipped(("r.dat", b"1")))))


def test_an_npz_is_told_from_an_archive_and_may_be_inside_one():
    target = io.BytesIO()
    np.savez(target, signal=np.zeros((2, 3)))
    assert looks_like_npz(target.getvalue())
    assert looks_like_zip(target.getvalue())
    assert not looks_like_npz(zipped(("r.dat", b"1")))
    assert unzip("z.zip", zipped(("r.npz", target.getvalue())))[0].name == "r.npz"


def test_a_bomb_is_refused_before_it_is_unpacked():
    with pytest.raises(RecordingError, match="times its size"):
        unzip("z.zip", zipped(("r.dat", bytes(20_000_000))))


def test_compression_that_unpacks_without_bound_is_refused():
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_LZMA) as file:
        file.writestr("r.dat", bytes(1000))
    with pytest.raises(RecordingError, match="neither none nor deflate"):
        unzip("z.zip", target.getvalue())


def test_too_much_or_too_many_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(archive, "MAX_TOTAL_BYTES", 10)
    with pytest.raises(RecordingError, match="2 files of 12 bytes"):
        unzip("z.zip", zipped(("a", b"123456"), ("b", b"123456")))
    monkeypatch.setattr(archive, "MAX_ENTRIES", 1)
    with pytest.raises(RecordingError, match="1 to 1 files"):
        unzip("z.zip", zipped(("a", b"1"), ("b", b"1")))
    with pytest.raises(RecordingError, match="0 files"):
        unzip("z.zip", zipped())


def test_an_entry_longer_than_announced_is_refused():
    data = bytearray(zipped(("r.dat", b"abcdefgh" * 4)))
    at = data.index(b"PK\x01\x02") + 24  # the size in the archive's directory
    data[at : at + 4] = struct.pack("<I", 5)
    with pytest.raises(RecordingError):
        unzip("z.zip", bytes(data))


def test_every_truncation_and_many_flips_are_refused_or_read():
    data = zipped(("r.hea", b"r 1 500 10\n" * 9), ("r.dat", bytes(range(256))))
    for end in range(4, len(data)):
        with pytest.raises(RecordingError):
            unzip("z.zip", data[:end])
    rng = np.random.default_rng(1)
    refused = 0
    for _ in range(500):
        mutant = bytearray(data)
        mutant[rng.integers(len(data))] = rng.integers(256)
        try:
            unzip("z.zip", bytes(mutant))
        except RecordingError:
            refused += 1
    assert refused > 100
