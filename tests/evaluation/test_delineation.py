"""Scores of delineations against examples worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from ecgcore.datasets.ludb import LeadMarks, MarkedRecording
from ecgcore.evaluation.delineation import (
    BOUNDARIES,
    WaveScore,
    beats_without_p,
    pool,
    score_boundary,
    score_recording,
    score_waves,
)
from ecgcore.signal.delineation.waves import WAVES, Delineation, Marks
from tests.signal.hearts import heart, recording

RATE = 500.0
NOTHING = np.empty((0, 3))
ABSENT = (float("nan"),) * 3


def rows(*places: tuple[float, float, float]) -> Marks:
    return np.array(places, dtype=np.float64).reshape(-1, 3)


REFERENCE = rows((100, 110, 120), (300, 310, 320), (500, 510, 520))


def test_errors_are_found_minus_reference_in_ms() -> None:
    score = score_waves(REFERENCE, rows((101, 110, 118), (300, 310, 320)), (100, 520), RATE)
    assert (score.found, score.missed, score.false) == (2, 1, 0)
    np.testing.assert_array_equal(score.errors_ms, [[2, 0, -4], [0, 0, 0]])
    assert score.sensitivity == pytest.approx(2 / 3)
    assert score.ppv == 1


def test_what_lies_outside_the_marked_part_is_not_scored() -> None:
    found = rows((20, 30, 40), (100, 110, 120), (300, 310, 320), (500, 510, 520), (900, 910, 920))
    assert score_waves(REFERENCE, found, (100, 520), RATE).false == 0
    assert score_waves(REFERENCE, found, (20, 920), RATE).false == 2


def test_the_window_is_150_ms() -> None:
    for shift, found in ((75, 1), (76, 0)):
        score = score_waves(REFERENCE[1:2], REFERENCE[1:2] + shift, (0, 1000), RATE)
        assert (score.found, score.missed, score.false) == (found, 1 - found, 1 - found)


def test_a_wave_is_paired_once_with_the_nearest() -> None:
    found = rows((280, 290, 300), (302, 312, 322))
    score = score_waves(REFERENCE[1:2], found, (0, 1000), RATE)
    assert (score.found, score.missed, score.false) == (1, 0, 1)
    np.testing.assert_array_equal(score.errors_ms, [[4, 4, 4]])


def test_absent_rows_are_no_waves_and_unmarked_boundaries_no_errors() -> None:
    nothing = float("nan")
    reference = rows((nothing, 110, 120), ABSENT, (500, 510, 520))
    score = score_waves(reference, rows((90, 112, 120), ABSENT, (500, 510, 524)), (0, 600), RATE)
    assert (score.found, score.missed, score.false) == (2, 0, 0)
    assert np.isnan(score.errors_ms[0, 0])
    assert score_boundary(score, 0, 10).count == 1
    assert score_boundary(score, 0, 10).sd_ms is None
    assert score_boundary(score, 2, 10).bias_ms == 4
    assert score_boundary(score, 2, 7.9).within == 0.5


def test_nothing_against_nothing_has_no_share() -> None:
    score = score_waves(NOTHING, NOTHING, (0, 10), RATE)
    assert score.sensitivity is None
    assert score.ppv is None
    assert score_boundary(score, 0, 5).within is None


def test_scores_are_pooled_by_counts() -> None:
    one = WaveScore(np.array([[1.0, 0, 0]]), 1, 0)
    two = WaveScore(np.array([[3.0, 0, 0], [5.0, 0, 0]]), 0, 2)
    both = pool([one, two])
    assert (both.found, both.missed, both.false) == (3, 1, 2)
    boundary = score_boundary(both, 0, 3)
    assert boundary.bias_ms == 3
    assert boundary.sd_ms == 2
    assert boundary.within == pytest.approx(2 / 3)
    assert pool([]).found == 0


def test_beats_without_p_are_counted_beat_by_beat() -> None:
    qrs = rows((500, 510, 540), (900, 910, 940), (1300, 1310, 1340))
    p_waves = rows((420, 430, 440), (440, 450, 460), (1000, 1010, 1020), ABSENT)
    assert beats_without_p(qrs, p_waves, RATE) == (2, 3)  # the third P is 600 ms before its beat
    assert beats_without_p(qrs, NOTHING, RATE) == (3, 3)
    assert beats_without_p(NOTHING, p_waves, RATE) == (0, 0)


def marked(with_p: bool) -> MarkedRecording:
    waves = {"P": REFERENCE - 80 if with_p else NOTHING, "QRS": REFERENCE, "T": REFERENCE + 120}
    lead = LeadMarks(waves, 20, 640)
    of = recording(heart([0.2, 0.6, 1.0], seconds=2)[:3])
    return MarkedRecording(of, dict.fromkeys(of.leads, lead), "", False)


def delineation(p_waves: Marks, unread: dict[str, str]) -> Delineation:
    waves = {"P": p_waves, "QRS": REFERENCE.copy(), "T": REFERENCE + 120}
    leads = {name: waves for name in ("I", "II", "III") if name not in unread}
    return Delineation("test", RATE, 1000, waves, leads, unread)


def test_a_recording_is_scored_for_the_heart_and_for_its_leads() -> None:
    score = score_recording(marked(True), delineation(REFERENCE - 79, {}))
    assert all(score.overall[w].missed == score.overall[w].false == 0 for w in WAVES)
    assert score.leads["T"].found == 9
    assert score_boundary(score.leads["P"], 0, 1).bias_ms == 2
    assert score.without_p == (0, 0)


def test_the_waves_of_an_unread_lead_are_missed() -> None:
    score = score_recording(marked(True), delineation(REFERENCE - 80, {"II": "flat"}))
    assert {score.leads[w].missed for w in WAVES} == {3}


def test_beats_without_p_are_counted_where_the_reference_has_none() -> None:
    score = score_recording(marked(False), delineation(REFERENCE[:1] - 80, {}))
    assert score.without_p == (2, 3)
    # Before the first mark, of a QRS complex here, nothing is judged.
    assert score.overall["P"].false == 0


def test_the_tolerances_are_those_of_the_cse() -> None:
    assert [tolerance for _, _, tolerance in BOUNDARIES.values()] == [10.2, 12.7, 6.5, 11.6, 30.6]
