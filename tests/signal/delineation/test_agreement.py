"""Waves of the leads become waves of the heart: matching, counting, medians, alignment."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ecgcore.signal.delineation.agreement import agree, middles
from ecgcore.signal.delineation.waves import WAVES, Marks, Wave, shown

RATE = 500.0
NOTHING = np.empty((0, 3))


def rows(*places: tuple[float, float, float]) -> Marks:
    return np.array(places, dtype=np.float64).reshape(-1, 3)


def only(wave: Wave, marks: Marks) -> dict[Wave, Marks]:
    return {**dict.fromkeys(WAVES, NOTHING), wave: marks}


def test_the_heart_has_the_median_of_the_leads() -> None:
    leads = {
        "I": only("QRS", rows((100, 110, 130), (500, 510, 530))),
        "II": only("QRS", rows((102, 112, 128), (502, 512, 528))),
        "V1": only("QRS", rows((90, 111, 150), (501, 511, 529))),
    }
    overall, aligned = agree(leads, RATE)
    np.testing.assert_array_equal(overall["QRS"], [[100, 111, 130], [501, 511, 529]])
    np.testing.assert_array_equal(aligned["V1"]["QRS"], leads["V1"]["QRS"])
    assert overall["P"].shape == aligned["I"]["T"].shape == (0, 3)


def test_a_wave_that_few_leads_show_keeps_its_row_and_is_none_of_the_heart() -> None:
    shared = rows((100, 110, 120), (600, 610, 620))
    false = rows((100, 110, 120), (300, 310, 320), (600, 610, 620))
    leads = {name: only("P", shared) for name in ("I", "II", "III")} | {"V1": only("P", false)}
    overall, aligned = agree(leads, RATE)
    assert np.isnan(overall["P"][1]).all()
    np.testing.assert_array_equal(shown(overall["P"]), shared)
    np.testing.assert_array_equal(aligned["V1"]["P"], false)
    assert np.isnan(aligned["I"]["P"][1]).all()


def test_a_third_of_the_leads_makes_a_p_wave_and_half_a_qrs_complex() -> None:
    wave = rows((100, 110, 120))
    for kind, enough, too_few in (("P", 4, 3), ("T", 4, 3), ("QRS", 6, 5)):
        for count, there in ((enough, True), (too_few, False)):
            leads = {
                f"lead {k}": only(kind, wave if k < count else NOTHING)  # type: ignore[arg-type]
                for k in range(12)
            }
            overall, _ = agree(leads, RATE)
            assert (~np.isnan(overall[kind])).all() == there  # type: ignore[index]


def test_two_waves_of_a_lead_never_share_a_row() -> None:
    leads = {
        "I": only("P", rows((100, 105, 110), (140, 145, 150))),
        "II": only("P", rows((110, 115, 120))),
        "III": only("P", rows((110, 116, 120))),
    }
    _, aligned = agree(leads, RATE)
    assert len(shown(aligned["I"]["P"])) == 2
    together = ~np.isnan(aligned["I"]["P"][:, 1]) & ~np.isnan(aligned["II"]["P"][:, 1])
    assert aligned["I"]["P"][together, 1].tolist() == [105]


def test_missing_onsets_are_left_out_of_the_median() -> None:
    nothing = float("nan")
    leads = {
        "I": only("QRS", rows((nothing, 110, 130))),
        "II": only("QRS", rows((100, 110, 128))),
        "III": only("QRS", rows((104, 110, nothing))),
    }
    overall, aligned = agree(leads, RATE)
    np.testing.assert_array_equal(overall["QRS"], [[102, 110, 129]])
    assert np.isnan(aligned["I"]["QRS"][0, 0])
    alone, _ = agree({"I": leads["I"]}, RATE)
    np.testing.assert_array_equal(alone["QRS"], [[nothing, 110, 130]])


def test_given_waves_of_the_heart_are_joined_and_checked_by_the_leads() -> None:
    given_waves = only("T", rows((200, 250, 300)))
    leads = {
        "I": only("T", rows((190, 240, 290), (700, 750, 800))),
        "II": only("T", rows((205, 255, 305))),
    }
    overall, aligned = agree(leads, RATE, given_waves)
    # The leads' median is (197.5, 247.5, 297.5): borders halfway, the peak as it was given.
    np.testing.assert_array_equal(overall["T"][0], [198.75, 250, 298.75])
    assert np.isnan(overall["T"][1]).all()
    np.testing.assert_array_equal(aligned["I"]["T"], leads["I"]["T"])
    assert np.isnan(aligned["II"]["T"][1]).all()


def test_a_given_qrs_that_most_leads_do_not_show_is_none() -> None:
    given_waves = only("QRS", rows((200, 250, 300), (700, 750, 800)))
    shown_once = only("QRS", rows((200, 250, 300)))
    shown_twice = only("QRS", rows((200, 250, 300), (700, 750, 800)))
    leads = {"I": shown_twice, "II": shown_once, "III": shown_once}
    overall, _ = agree(leads, RATE, given_waves)
    np.testing.assert_array_equal(overall["QRS"][0], [200, 250, 300])
    assert np.isnan(overall["QRS"][1]).all()


def test_a_given_p_that_few_leads_show_is_none() -> None:
    given_waves = only("P", rows((200, 250, 300)))
    showing, silent = only("P", rows((200, 250, 300))), only("P", rows())
    five = dict.fromkeys(("I", "II", "III"), showing) | dict.fromkeys(("aVR", "aVL"), silent)
    overall, _ = agree(five, RATE, given_waves)
    np.testing.assert_array_equal(overall["P"], [[200, 250, 300]])
    overall, aligned = agree(five | {"III": silent}, RATE, given_waves)
    assert np.isnan(overall["P"]).all()
    np.testing.assert_array_equal(aligned["I"]["P"], showing["P"])


def test_a_wave_that_most_leads_show_counts_where_the_given_view_lacks_it() -> None:
    shown_by_all = only("P", rows((100, 120, 140)))
    leads = {"I": shown_by_all, "II": shown_by_all, "III": only("P", rows())}
    overall, _ = agree(leads, RATE, only("P", rows()))
    np.testing.assert_array_equal(overall["P"], [[100, 120, 140]])
    few = leads | {"aVR": only("P", rows()), "aVL": only("P", rows())}
    overall, _ = agree(few, RATE, only("P", rows()))
    assert np.isnan(overall["P"]).all()


def test_a_given_qrs_keeps_its_onset() -> None:
    given_waves = only("QRS", rows((200, 250, 300)))
    leads = {"I": only("QRS", rows((210, 250, 310))), "II": only("QRS", rows((210, 250, 310)))}
    overall, _ = agree(leads, RATE, given_waves)
    np.testing.assert_array_equal(overall["QRS"], [[200, 250, 305]])


def test_no_lead_gives_no_wave() -> None:
    overall, aligned = agree({}, RATE)
    assert aligned == {}
    assert all(overall[wave].shape == (0, 3) for wave in WAVES)


lead_waves = st.lists(st.floats(0, 5000), max_size=12).map(
    lambda places: rows(*((place, place + 10, place + 30) for place in sorted(places)))
)


@settings(max_examples=150, deadline=None)
@given(leads=st.lists(lead_waves, min_size=1, max_size=6), order=st.randoms(use_true_random=False))
def test_rows_are_whole_in_order_and_free_of_the_order_of_leads(leads, order) -> None:  # type: ignore[no-untyped-def]
    named = {f"lead {k}": only("P", marks) for k, marks in enumerate(leads)}
    overall, aligned = agree(named, RATE)
    centres = []
    for row in range(len(overall["P"])):
        here = np.stack([aligned[lead]["P"][row] for lead in named])
        assert not np.isnan(here[:, 1]).all()
        spread = middles(shown(here))
        assert np.ptp(spread) <= 2 * 0.09 * RATE + 1e-6
        centres.append(np.median(spread))
    assert centres == sorted(centres)
    for lead, marks in named.items():
        mine = shown(aligned[lead]["P"])
        np.testing.assert_array_equal(mine[np.argsort(mine[:, 0])], marks["P"])
    shuffled = list(named)
    order.shuffle(shuffled)
    again, _ = agree({lead: named[lead] for lead in shuffled}, RATE)
    assert len(again["P"]) == len(overall["P"])
    np.testing.assert_allclose(again["P"], overall["P"])
