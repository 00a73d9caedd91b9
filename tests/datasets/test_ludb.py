"""LUDB's annotation files: every way in which a wave is marked there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ecgcore.datasets.ludb import LudbError, lead_marks, read_annotations, read_ludb

CODES = {"N": 1, "p": 24, "t": 27, "(": 39, ")": 40}


def annotation_bytes(marks: list[tuple[str, int]]) -> bytes:
    """An MIT annotation file of these symbols at these samples."""
    words, time = [], 0
    for symbol, sample in marks:
        if sample - time > 1023:
            ahead = sample - time
            words += [59 << 10, ahead >> 16, ahead & 0xFFFF]
            time = sample
        words.append(CODES[symbol] << 10 | sample - time)
        time = sample
    return np.array([*words, 0], dtype="<u2").tobytes()


def marks_of(text: str) -> list[tuple[str, int]]:
    """ "(10 p20 )30" as symbols with samples."""
    return [(word[0], int(word[1:])) for word in text.split()]


def test_symbols_and_samples_come_back_across_long_gaps() -> None:
    marks = marks_of("(641 N664 )690 (5000 t5040 )70000")
    assert read_annotations(annotation_bytes(marks), "1.ii") == marks


def test_a_text_note_is_passed_over() -> None:
    words = [39 << 10 | 5, 63 << 10 | 3, 0x4141, 0x0041, 1 << 10 | 2, 0]
    found = read_annotations(np.array(words, dtype="<u2").tobytes(), "1.ii")
    assert found == [("(", 5), ("N", 7)]


@pytest.mark.parametrize(
    ("data", "said"),
    [(annotation_bytes([("N", 5)])[:-2], "end mark"), (b"\x05\x08\x00\x00", "code 2")],
)
def test_damage_is_refused(data: bytes, said: str) -> None:
    with pytest.raises(LudbError, match=said):
        read_annotations(data, "1.ii")


def test_waves_with_all_their_marks() -> None:
    lead = lead_marks(marks_of("(10 p20 )30 (40 N50 )60 (90 t110 )130 (210 p220 )230"), "1.ii")
    assert lead.waves["P"].tolist() == [[10, 20, 30], [210, 220, 230]]
    assert lead.waves["QRS"].tolist() == [[40, 50, 60]]
    assert lead.waves["T"].tolist() == [[90, 110, 130]]
    assert (lead.start, lead.stop) == (10, 230)


def test_a_missing_onset_or_offset_is_nan() -> None:
    lead = lead_marks(marks_of("N50 )60 (90 t110 (210 p220 )230"), "1.ii")
    np.testing.assert_equal(lead.waves["QRS"], [[np.nan, 50, 60]])
    np.testing.assert_equal(lead.waves["T"], [[90, 110, np.nan]])
    assert (lead.start, lead.stop) == (50, 230)


def test_a_peak_put_before_its_onset_is_moved_there() -> None:
    lead = lead_marks(marks_of("N1765 (1766 )1796"), "7.v1")
    assert lead.waves["QRS"].tolist() == [[1766, 1766, 1796]]


def test_waves_marked_over_each_other_are_left_out() -> None:
    lead = lead_marks(marks_of("(68 (88 t118 t119 )150 )155 (224 p250 )276"), "116.v1")
    assert lead.waves["T"].shape == (0, 3)
    assert lead.waves["P"].tolist() == [[224, 250, 276]]
    assert lead.start == 224


def test_a_lead_without_waves_is_refused() -> None:
    with pytest.raises(LudbError, match="marks no wave"):
        lead_marks([], "1.ii")


def test_a_folder_without_records_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LudbError, match="no LUDB header"):
        read_ludb(tmp_path)


def test_real_marks_lie_where_the_annotators_put_them(ecg_data: Path) -> None:
    folder = ecg_data / "ludb"
    if not folder.is_dir():
        pytest.skip(f"LUDB not found in {folder}")
    (marked,) = read_ludb(folder, limit=1)
    assert marked.rhythm == "Sinus bradycardia"
    assert not marked.paced
    lead = marked.marks["I"]
    assert lead.waves["QRS"][0].tolist() == [641, 664, 690]
    assert lead.waves["T"][-1].tolist() == [3434, 3491, 3534]
    assert {wave: len(rows) for wave, rows in lead.waves.items()} == {"P": 5, "QRS": 6, "T": 5}
