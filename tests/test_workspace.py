"""The workspace: listing, importing, folders, and what is (not) written down."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from ecgcore import workspace as workspace_module
from ecgcore.readers.opening import NamedBytes, Refusal
from ecgcore.readers.stated import Stated, UnstatedError
from ecgcore.recording import SIMULATED
from ecgcore.signal.simulator import PRESETS, simulate
from ecgcore.workspace import DEMO_NAME, Entry, Workspace, WorkspaceError
from tests.wfdb_files import broken_wfdb_files, wfdb_files, write_wfdb


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "workspace")


def _files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.*"))


def test_a_fresh_workspace_lists_the_demo(workspace: Workspace) -> None:
    listing = workspace.listing(seconds=30)
    first, *others = listing.entries
    assert (first.name, first.origin) == (DEMO_NAME, "demo")
    assert {entry.origin for entry in others} == {"simulated"}
    assert len(others) == len(PRESETS)
    summary = listing.entries[0].summary
    assert summary is not None
    assert (summary.state, summary.format, summary.leads) == ("read", "DICOM", 12)
    assert (summary.sampling_rate, summary.seconds) == (1000.0, 10.0)


def test_simulated_recordings_are_named_so_and_say_so(workspace: Workspace) -> None:
    made = [entry for entry in workspace.entries() if entry.origin == "simulated"]
    assert [entry.name for entry in made] == [f"simulated {preset}" for preset in PRESETS]
    recording = workspace.read(made[0], Stated())
    assert recording.record_id.startswith("simulated")
    assert SIMULATED in recording.source.warnings
    expected = simulate(PRESETS["sinus"], "sinus").recording
    np.testing.assert_array_equal(recording.signal, expected.signal)


def test_the_environment_names_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECG_WORKSPACE", str(tmp_path / "elsewhere"))
    assert Workspace.from_environment().root == tmp_path / "elsewhere"
    monkeypatch.delenv("ECG_WORKSPACE")
    assert Workspace.from_environment().root == Path.cwd() / "workspace"


def test_an_imported_record_is_kept_whole_and_opens(workspace: Workspace) -> None:
    (entry,) = workspace.add(wfdb_files("alpha"))
    assert isinstance(entry, Entry)
    assert [path.name for path in sorted(entry.path.parent.iterdir())] == ["alpha.dat", "alpha.hea"]
    recording = workspace.read(entry, Stated())
    assert (recording.record_id, len(recording.leads)) == ("alpha", 12)
    assert workspace.listing(seconds=30).find(entry.key) is not None


def test_the_same_record_is_kept_once(workspace: Workspace) -> None:
    first = workspace.add(wfdb_files("alpha"))
    assert workspace.add(wfdb_files("alpha")) == first
    assert len(_files(workspace.recordings)) == 2


def test_a_zip_of_several_records_is_unpacked(workspace: Workspace) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, pulse in (("alpha", 60.0), ("beta", 90.0)):
            for file in wfdb_files(name, rate_bpm=pulse):
                archive.writestr(f"set/{file.name}", file.data)
    added = workspace.add([NamedBytes("set.zip", stream.getvalue())])
    assert sorted(one.name for one in added) == ["alpha", "beta"]
    entries = [
        entry for entry in workspace.listing(seconds=30).entries if entry.origin != "simulated"
    ]
    assert sorted(entry.name for entry in entries) == sorted([DEMO_NAME, "alpha", "beta"])


def test_what_cannot_be_trusted_is_refused_and_not_kept(workspace: Workspace) -> None:
    refused = workspace.add([*broken_wfdb_files("bad"), *wfdb_files("good")])
    kinds = {one.name: type(one) for one in refused}
    assert kinds == {"bad.hea": Refusal, "good": Entry}
    refusal = next(one for one in refused if isinstance(one, Refusal))
    assert "1OOO" in str(refusal.error)
    assert all("bad" not in name for name in _files(workspace.recordings))


def test_a_header_without_its_signals_says_which_file_to_add(workspace: Workspace) -> None:
    (refusal,) = workspace.add(wfdb_files("alpha")[:1])
    assert isinstance(refusal, Refusal)
    assert "alpha.dat" in str(refusal.error)


def test_signal_files_are_kept_under_the_name_that_the_header_uses(workspace: Workspace) -> None:
    header, signal = wfdb_files("alpha")
    (entry,) = workspace.add([header, NamedBytes("ALPHA.DAT", signal.data)])
    assert isinstance(entry, Entry)
    assert (entry.path.parent / "alpha.dat").read_bytes() == signal.data
    assert workspace.read(entry, Stated()).record_id == "alpha"


def test_a_hostile_name_stays_inside(workspace: Workspace, tmp_path: Path) -> None:
    header, signal = wfdb_files("alpha")
    added = workspace.add([NamedBytes("../../alpha.hea", header.data), signal])
    kept = [one.path for one in added if isinstance(one, Entry)]
    assert all(path.is_relative_to(workspace.recordings) for path in kept)
    assert not (tmp_path / "alpha.hea").exists()


def _table(rows: int = 2500) -> bytes:
    lines = ["I,II,V1"] + [f"{(i % 50) * 10},{(i % 40) * 12},{(i % 30) * 9}" for i in range(rows)]
    return "\n".join(lines).encode()


def test_a_table_without_rate_is_kept_and_asks(workspace: Workspace) -> None:
    (entry,) = workspace.add([NamedBytes("table.csv", _table())])
    assert isinstance(entry, Entry)
    listed = workspace.listing(seconds=30).find(entry.key)
    assert listed is not None
    assert listed.summary is not None
    assert listed.summary.state == "unstated"
    with pytest.raises(UnstatedError):
        workspace.read(entry, Stated())
    workspace.state(entry, Stated(250.0, "uV"))
    assert workspace.stated(entry) == Stated(250.0, "uV")
    again = workspace.listing(seconds=30).find(entry.key)
    assert again is not None
    assert again.summary is not None
    assert (again.summary.state, again.summary.seconds) == ("read", 10.0)


def test_a_folder_is_read_in_place(workspace: Workspace, tmp_path: Path) -> None:
    write_wfdb(tmp_path / "set" / "deep", "alpha")
    assert workspace.add_folder(str(tmp_path / "set")) == (tmp_path / "set").resolve()
    workspace.add_folder(str(tmp_path / "set"))
    assert workspace.folders() == ((tmp_path / "set").resolve(),)
    assert [e.name for e in workspace.listing(seconds=30).entries if e.origin == "folder"] == [
        "alpha"
    ]
    assert not workspace.recordings.exists()
    workspace.remove_folder((tmp_path / "set").resolve())
    assert workspace.folders() == ()
    assert (tmp_path / "set" / "deep" / "alpha.hea").is_file()


@pytest.mark.parametrize("text", ["", "   ", "/no/such/folder"])
def test_a_folder_that_is_not_there_is_refused(workspace: Workspace, text: str) -> None:
    with pytest.raises(WorkspaceError, match="folder"):
        workspace.add_folder(text)
    assert workspace.folders() == ()


def test_the_listing_reads_each_file_once(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    header = write_wfdb(tmp_path / "set", "alpha")
    workspace.add_folder(str(tmp_path / "set"))
    read: list[str] = []
    real = workspace_module.read_path

    def counting(path: Path, stated: Stated) -> object:
        if path.parent.name != "simulated":
            read.append(path.name)
        return real(path, stated)

    monkeypatch.setattr(workspace_module, "read_path", counting)
    assert workspace.listing(seconds=30).unread == 0
    workspace.listing(seconds=30)
    assert read == ["waveform_ecg.dcm", "alpha.hea"]
    signal = header.with_suffix(".dat")
    signal.write_bytes(signal.read_bytes() + b"\x00\x00")
    workspace.listing(seconds=30)
    assert read == ["waveform_ecg.dcm", "alpha.hea", "alpha.hea"], "a changed signal file counts"


def test_a_listing_without_time_says_what_is_unread(workspace: Workspace, tmp_path: Path) -> None:
    for name in ("alpha", "beta"):
        write_wfdb(tmp_path / "set", name)
    workspace.add_folder(str(tmp_path / "set"))
    recordings = 3 + len(PRESETS)
    unread = [workspace.listing(seconds=0).unread for _ in range(recordings)]
    assert unread[0] > 0
    assert unread[-1] == 0, "asking again finishes the list"


def test_a_damaged_index_is_read_anew(workspace: Workspace) -> None:
    workspace.listing(seconds=30)
    (workspace.root / "index.json").write_text('{"version": 1, "files": {"x": 3}}')
    summary = workspace.listing(seconds=30).entries[0].summary
    assert summary is not None
    assert summary.state == "read"


def test_no_patient_identifier_is_written_down(workspace: Workspace) -> None:
    recording = workspace.read(workspace.entries()[0], Stated())
    assert recording.patient.patient_id is not None
    workspace.listing(seconds=30)
    written = (workspace.root / "index.json").read_text()
    assert recording.patient.patient_id not in written
    assert all(statement.code not in written for statement in recording.statements)
