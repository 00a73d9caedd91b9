"""The entry point: paths, dropped files and folders; what is no recording is refused."""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest

from benchmarks.wfdb_records import write_record
from ecgcore.readers import local_files
from ecgcore.readers.opening import (
    NamedBytes,
    Refusal,
    find_recordings,
    read_path,
    read_upload,
)
from ecgcore.recording import Recording, RecordingError


@pytest.fixture
def record(tmp_path: Path) -> Path:
    folder = tmp_path / "records"
    folder.mkdir()
    return write_record(folder, "r")


def dropped(*paths: Path, folder: str = "") -> list[NamedBytes]:
    return [NamedBytes(folder + path.name, path.read_bytes()) for path in paths]


def zipped(files: list[NamedBytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for file in files:
            archive.writestr(file.name, file.data)
    return target.getvalue()


def refusal(results: list[Recording | Refusal]) -> str:
    (result,) = results
    assert isinstance(result, Refusal)
    return str(result.error)


def test_a_header_its_signal_file_and_a_zip_of_both_are_the_same_recording(record: Path):
    first = read_path(record)
    archive = record.with_name("any.name")
    archive.write_bytes(zipped(dropped(record, record.with_suffix(".dat"))))
    for other in (read_path(record.with_suffix(".dat")), read_path(archive)):
        assert np.array_equal(first.signal, other.signal)
        assert first.source == other.source


def test_a_signal_file_finds_a_header_of_another_name(record: Path):
    record.with_name("0broken.hea").write_text("nonsense")
    moved = record.rename(record.with_name("other.hea"))
    assert read_path(moved.with_name("r.dat")).record_id == "r"


def test_a_relative_path_works(record: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(record.parent)
    assert read_path(Path("r.hea")).record_id == "r"


def test_a_signal_file_without_its_header_is_refused(record: Path):
    record.unlink()
    with pytest.raises(RecordingError, match="no WFDB header beside it"):
        read_path(record.with_suffix(".dat"))
    assert "add its header" in refusal(read_upload(dropped(record.with_suffix(".dat"))))


def test_a_header_without_its_signal_file_says_which_is_missing(record: Path):
    assert "needs the signal file 'r.dat'" in refusal(read_upload(dropped(record)))
    record.with_suffix(".dat").unlink()
    with pytest.raises(RecordingError, match=r"'r\.dat' cannot be read"):
        read_path(record)


def test_a_signal_file_in_another_folder_is_not_reached(record: Path, tmp_path: Path):
    text = record.read_text()
    record.with_suffix(".dat").rename(tmp_path / "r.dat")
    record.write_text(text.replace("r.dat", "../r.dat"))
    with pytest.raises(RecordingError, match="signal file name"):
        read_path(record)


def test_a_link_that_leaves_the_folder_is_refused_and_one_inside_followed(
    record: Path, tmp_path: Path
):
    signal = record.with_suffix(".dat")
    signal.rename(tmp_path / "outside.dat")
    signal.symlink_to(tmp_path / "outside.dat")
    with pytest.raises(RecordingError, match="link that leaves its folder"):
        read_path(record)
    signal.unlink()
    (tmp_path / "outside.dat").rename(record.with_name("inside.bin"))
    signal.symlink_to(record.with_name("inside.bin"))
    assert read_path(record).record_id == "r"
    signal.unlink()
    signal.symlink_to(signal)
    with pytest.raises(RecordingError, match="cannot be read"):
        read_path(record)


def test_pipes_folders_devices_and_absent_files_are_refused(record: Path):
    signal = record.with_suffix(".dat")
    signal.unlink()
    os.mkfifo(signal)
    with pytest.raises(RecordingError, match="a folder, a pipe or a device"):
        read_path(record)
    for path in (record.parent, Path(os.devnull)):
        with pytest.raises(RecordingError, match="a folder, a pipe or a device"):
            read_path(path)
    for path in (record.with_name("absent.hea"), Path("a\0b"), Path("x" * 300)):
        with pytest.raises(RecordingError, match="cannot be read"):
            read_path(path)


@pytest.mark.parametrize("data", [b"", b"\x00" * 100, b"hello", b"\xff\xfe\x00A"])
def test_what_is_no_recording_is_refused(tmp_path: Path, data: bytes):
    path = tmp_path / "file.hea"
    path.write_bytes(data)
    with pytest.raises(RecordingError):
        read_path(path)


def test_a_file_over_the_limit_is_refused_before_it_is_read(tmp_path: Path):
    path = tmp_path / "huge.dat"
    with path.open("wb") as file:
        file.truncate(local_files.MAX_FILE_BYTES + 1)
    with pytest.raises(RecordingError, match="at most"):
        read_path(path)


def test_an_archive_of_several_recordings_is_opened_when_dropped_only(record: Path):
    other = write_record(record.parent, "s", seed=2)
    files = [f for path in (record, other) for f in dropped(path, path.with_suffix(".dat"))]
    data = zipped(files)
    results = read_upload([NamedBytes("both.zip", data)])
    assert [result.record_id for result in results if isinstance(result, Recording)] == ["r", "s"]
    path = record.with_name("both.zip")
    path.write_bytes(data)
    with pytest.raises(RecordingError, match="with 2 recordings"):
        read_path(path)


def test_an_archive_of_one_recording_may_hold_a_readme_which_is_named(record: Path):
    path = record.with_name("one.zip")
    files = dropped(record, record.with_suffix(".dat"))
    path.write_bytes(zipped([NamedBytes("README.txt", b"Read me."), *files]))
    recording = read_path(path)
    assert recording.record_id == "r"
    assert recording.source.warnings == ("Files of the archive that were left out: README.txt.",)
    path.write_bytes(zipped([NamedBytes("README.txt", b"Read me."), files[0]]))
    with pytest.raises(RecordingError, match=r"needs the signal file 'r\.dat'"):
        read_path(path)
    path.write_bytes(zipped([NamedBytes("README.txt", b"Read me."), NamedBytes("b", b"x")]))
    with pytest.raises(RecordingError, match="of no known format"):
        read_path(path)


def test_an_empty_file_is_called_one(tmp_path: Path):
    (tmp_path / "empty.csv").touch()
    with pytest.raises(RecordingError, match="an empty file"):
        read_path(tmp_path / "empty.csv")


def test_files_are_grouped_whatever_their_order_and_case(record: Path):
    header, signal = dropped(record, record.with_suffix(".dat"))
    (result,) = read_upload([NamedBytes("R.DAT", signal.data), header])
    assert isinstance(result, Recording)


def test_folders_of_an_archive_are_kept_apart(record: Path):
    other = write_record(record.parent.parent, "r", seed=2)
    files = dropped(record, record.with_suffix(".dat"), folder="a/")
    files += dropped(other, other.with_suffix(".dat"), folder="b/")
    first, second = read_upload([NamedBytes("z.zip", zipped(files))])
    assert isinstance(first, Recording) and isinstance(second, Recording)
    assert not np.array_equal(first.signal, second.signal)


def test_a_file_dropped_twice_is_refused(record: Path):
    files = dropped(record, record.with_suffix(".dat"), record.with_suffix(".dat"))
    results = read_upload(files)
    assert all(isinstance(result, Refusal) for result in results)
    assert "given twice" in str(results[0].error)  # type: ignore[union-attr]


def test_one_bad_file_does_not_take_the_others_along(record: Path):
    files = dropped(record, record.with_suffix(".dat"))
    results = read_upload([NamedBytes("bad.zip", b"PK\x03\x04junk"), NamedBytes("x", b""), *files])
    assert sorted(type(result).__name__ for result in results) == [
        "Recording", "Refusal", "Refusal",
    ]  # fmt: skip


def test_marker_files_beside_a_header_are_no_refusals(record: Path):
    marks = NamedBytes("r.atr", b"\x01\x04\x00\x00\xff")
    files = [*dropped(record, record.with_suffix(".dat")), marks]
    assert len(read_upload(files)) == 1


def test_recordings_of_a_folder_are_found_by_content(record: Path, tmp_path: Path):
    outside = write_record(tmp_path, "outside")
    folder = record.parent
    (folder / "sub").mkdir()
    np.savez(folder / "sub" / "a.npz", signal=np.zeros((2, 3)))
    (folder / "table.csv").write_text("I,II\n0.1,0.2\n0.3,0.4\n")
    (folder / "words.csv").write_text("name,place\nthis,that\n")
    (folder / "README.md").write_text("# Records\n\nSome 12 text\n")
    (folder / "image.dcm").write_bytes(bytes(128) + b"DICM" + bytes(100))
    (folder / "link.hea").symlink_to(outside)
    (folder / "away").symlink_to(tmp_path)
    os.mkfifo(folder / "pipe")
    found = [path.relative_to(folder).as_posix() for path in find_recordings(folder)]
    assert found == ["image.dcm", "r.hea", "sub/a.npz", "table.csv"]


def test_nothing_is_found_in_an_absent_folder(tmp_path: Path):
    assert find_recordings(tmp_path / "absent") == []


def test_reading_wfdb_loads_no_heavy_library():
    import subprocess
    import sys

    code = (
        "import sys, ecgcore.readers.opening;"
        "print([m for m in ('torch', 'wfdb', 'pydicom', 'pandas', 'scipy') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True,
        cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert done.stdout.strip() == "[]"
