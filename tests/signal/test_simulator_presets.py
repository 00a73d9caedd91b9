"""Each preset fulfils the textbook criteria of its name, read off its clean signal by the truth."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from ecgcore.recording import CHEST_LEADS, LEADS, LIMB_LEADS
from ecgcore.signal.delineation.waves import OFFSET, ONSET, PEAK
from ecgcore.signal.simulator import PRESETS, Simulated, random_options, simulate

RATE = 1000


def made(name: str) -> Simulated:
    return simulate(replace(PRESETS[name], sampling_rate=RATE), name)


def qrs(simulated: Simulated, lead: str, beat: int = 1) -> NDArray[np.float32]:
    onset, _, offset = simulated.truth.overall["QRS"][beat]
    return simulated.recording.lead(lead)[int(np.ceil(onset)) : int(offset) + 1]


def turns(values: NDArray[np.float32], least: float = 0.04) -> list[float]:
    """Heights of the successive peaks and troughs that stand out by ``least`` mV."""
    found = [0.0]
    for value in values.tolist():
        if len(found) > 1 and (value - found[-1]) * (found[-1] - found[-2]) > 0:
            found[-1] = value
        elif abs(value - found[-1]) > least:
            found.append(value)
    return found[1:]


def after_j(simulated: Simulated, lead: str, ms: int = 20) -> float:
    offset = simulated.truth.overall["QRS"][1][OFFSET]
    return float(simulated.recording.lead(lead)[int(offset) + ms])


def t_height(simulated: Simulated, lead: str) -> float:
    onset, _, offset = simulated.truth.overall["T"][1]
    part = simulated.recording.lead(lead)[int(onset) : int(offset)]
    return float(part[np.argmax(np.abs(part))])


def rate(simulated: Simulated) -> float:
    return float(60 * RATE / np.diff(simulated.truth.overall["QRS"][:, ONSET]).mean())


def rr(simulated: Simulated) -> NDArray[np.float64]:
    return np.diff(simulated.truth.overall["QRS"][:, ONSET])


def test_sinus_rhythm_has_a_normal_p_before_every_qrs_and_r_that_grows_over_the_chest() -> None:
    one = made("sinus")
    p = one.truth.overall["P"]
    for onset in one.truth.overall["QRS"][1:, ONSET]:
        assert np.any((onset - p[:, ONSET] > 0.12 * RATE) & (onset - p[:, ONSET] < 0.2 * RATE))
    part = slice(int(p[1][ONSET]), int(p[1][OFFSET]))
    assert one.recording.lead("II")[part].max() > 0.1
    assert one.recording.lead("aVR")[part].min() < -0.05
    r = [qrs(one, lead).max() for lead in CHEST_LEADS[:4]]
    assert all(earlier < later for earlier, later in pairwise(r))
    for lead in ("I", "II", "V3", "V4", "V5", "V6"):
        assert t_height(one, lead) > 0.05
    for lead in LEADS:
        assert abs(after_j(one, lead)) < 0.05
    assert qrs(one, "V1").min() < -2 * qrs(one, "V1").max()
    assert qrs(one, "V6")[:25].min() < -0.05


def test_rates() -> None:
    assert rate(made("bradycardia")) < 50
    assert rate(made("tachycardia")) > 110
    assert 60 <= rate(made("sinus")) <= 100


def test_atrial_fibrillation_is_irregular_without_p_waves() -> None:
    one = made("atrial fibrillation")
    assert len(one.truth.overall["P"]) == 0
    assert rr(one).std() / rr(one).mean() > 0.12
    t, following = one.truth.overall["T"], one.truth.overall["QRS"]
    gaps = [
        one.recording.lead("V1")[int(end) : int(start)]
        for end, start in zip(t[:-1, OFFSET], following[1:, ONSET], strict=False)
        if start - end > 0.2 * RATE
    ]
    assert gaps
    for gap in gaps:
        assert np.ptp(gap) > 0.03, "fibrillatory waves between T and QRS"


def test_first_degree_block() -> None:
    one = made("first-degree block")
    assert len(one.truth.overall["P"]) >= 8
    for p in one.truth.overall["P"]:
        later = one.truth.overall["QRS"][:, ONSET] - p[ONSET]
        assert later[later > 0].min() > 0.2 * RATE


def test_left_bundle_branch_block() -> None:
    one = made("left bundle branch block")
    assert len(qrs(one, "I")) >= 0.12 * RATE
    for lead in ("I", "aVL", "V5", "V6"):
        complex_ = qrs(one, lead)
        assert complex_[: len(complex_) // 2].min() > -0.02, f"no q in {lead}"
        heights = turns(complex_)
        assert sum(height > 0.5 * complex_.max() for height in heights) == 3, f"notch in {lead}"
        assert t_height(one, lead) < -0.1
    assert qrs(one, "V1").max() < 0.15
    assert qrs(one, "V1").min() < -1.0
    assert t_height(one, "V1") > 0.1


def test_right_bundle_branch_block() -> None:
    one = made("right bundle branch block")
    assert len(qrs(one, "V1")) >= 0.12 * RATE
    first, second, third = turns(qrs(one, "V1"))[:3]
    assert first > 0.1 > -0.1 > second
    assert third > first
    for lead in ("I", "V6"):
        complex_ = qrs(one, lead)
        after_r = complex_[int(np.argmax(complex_)) :]
        assert (after_r < -0.02).sum() > 0.04 * RATE, f"broad S in {lead}"
    assert t_height(one, "V1") < 0


def test_left_ventricular_hypertrophy_by_sokolow_lyon_and_strain() -> None:
    one = made("left ventricular hypertrophy")
    r = max(qrs(one, "V5").max(), qrs(one, "V6").max())
    assert r - qrs(one, "V1").min() > 3.5
    for lead in ("I", "aVL", "V5", "V6"):
        assert t_height(one, lead) < -0.1
        assert after_j(one, lead) < -0.01
    assert len(qrs(one, "I")) < 0.12 * RATE


def test_inferior_st_elevation_with_its_mirror_image() -> None:
    one = made("inferior ST elevation")
    for lead in ("II", "III", "aVF"):
        assert after_j(one, lead, 5) >= 0.1
    assert after_j(one, "III", 5) > after_j(one, "II", 5)
    for lead in ("I", "aVL"):
        assert after_j(one, lead, 5) <= -0.05


def test_low_voltage() -> None:
    one = made("low voltage")
    for lead in LIMB_LEADS:
        assert np.ptp(qrs(one, lead)) < 0.5
    for lead in CHEST_LEADS:
        assert np.ptp(qrs(one, lead)) < 1.0


@pytest.mark.parametrize(
    ("name", "least", "most"), [("left axis", -90, -30), ("right axis", 90, 180)]
)
def test_axes_by_the_net_deflection(name: str, least: float, most: float) -> None:
    one = made(name)
    first, foot = (float(qrs(one, lead).max() + qrs(one, lead).min()) for lead in ("I", "aVF"))
    assert least < np.degrees(np.arctan2(2 * foot, np.sqrt(3) * first)) < most


def test_ventricular_ectopics_are_early_broad_and_followed_by_a_full_pause() -> None:
    one = made("ventricular ectopics")
    marks = one.truth.overall["QRS"]
    broad = np.flatnonzero(marks[:, OFFSET] - marks[:, ONSET] >= 0.12 * RATE)
    usual = np.median(rr(one))
    inside = [k for k in broad if 0 < k < len(marks) - 1]
    assert inside
    for k in inside:
        assert rr(one)[k - 1] < 0.8 * usual
        assert rr(one)[k - 1] + rr(one)[k] == pytest.approx(2 * usual, rel=0.05)
        ahead = marks[k, ONSET] - one.truth.overall["P"][:, OFFSET]
        assert ahead[ahead > 0].min() > 0.2 * RATE, "no P wave before it"
        height, t = (float(v) for v in (qrs(one, "II", k).max(), _t_of(one, k)))
        assert height > 0.5 > -0.1 > t


def _t_of(one: Simulated, beat: int) -> float:
    onset = one.truth.overall["QRS"][beat, OFFSET]
    row = next(t for t in one.truth.overall["T"] if t[ONSET] > onset - 1)
    part = one.recording.lead("II")[int(row[ONSET]) : int(row[OFFSET])]
    return float(part[np.argmax(np.abs(part))])


def test_atrial_ectopics_are_early_and_narrow_with_another_p() -> None:
    one = made("atrial ectopics")
    usual = np.median(rr(one))
    early = [k for k in range(1, len(rr(one)) + 1) if rr(one)[k - 1] < 0.8 * usual]
    assert early
    for k in early:
        onset, _, offset = one.truth.overall["QRS"][k]
        assert offset - onset < 0.11 * RATE
        p = next(p for p in one.truth.overall["P"][::-1] if p[ONSET] < onset)
        assert one.recording.lead("II")[int(p[PEAK])] < -0.05
        assert 0.12 * RATE < onset - p[ONSET] < 0.2 * RATE


def test_pre_excitation_has_a_short_pr_and_a_slow_start() -> None:
    one = made("pre-excitation")
    p = one.truth.overall["P"][0]
    following = one.truth.overall["QRS"][:, ONSET]
    assert following[following > p[ONSET]].min() - p[ONSET] < 0.12 * RATE
    assert len(qrs(one, "V5")) > 0.11 * RATE
    for lead in ("I", "V4", "V5"):
        complex_ = qrs(one, lead)
        steepest = np.diff(complex_).max()
        start = np.diff(complex_[: int(0.035 * RATE)])
        assert 0 < start.mean() < 0.5 * steepest, f"delta wave in {lead}"
        assert complex_[: int(0.04 * RATE)].min() > -0.01, f"no q in {lead}"


def test_paced_beats_follow_spikes_and_have_no_p() -> None:
    one = made("paced")
    assert len(one.truth.overall["P"]) == 0
    onsets = one.truth.overall["QRS"][:, ONSET]
    assert len(one.spikes) >= len(onsets)
    for onset in onsets:
        before = [onset - spike for spike in one.spikes if spike < onset]
        assert min(before) == pytest.approx(0.012 * RATE)
        spike = onset - min(before)
        assert np.abs(one.recording.lead("II")[int(spike) : int(spike) + 5]).max() > 0.5
    assert len(qrs(one, "II")) >= 0.12 * RATE
    assert qrs(one, "II").min() < -0.5, "from the apex upwards"
    assert not made("sinus").spikes


def test_the_random_draw_is_broad() -> None:
    rng = np.random.default_rng(0)
    drawn = [random_options(rng, 10, 250) for _ in range(400)]
    rates = [options.rate_bpm for options in drawn]
    assert min(rates) < 45
    assert max(rates) > 130
    assert {options.conduction for options in drawn} == {o.conduction for o in PRESETS.values()}
    assert {options.rhythm for options in drawn} == {o.rhythm for o in PRESETS.values()}
    assert {options.ectopics for options in drawn} == {"none", "ventricular", "atrial"}
    assert 0.05 < np.mean([not options.has_p for options in drawn]) < 0.5
    assert all(options.sampling_rate == 250 for options in drawn)
