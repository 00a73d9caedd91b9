"""The recording's promises and the lead algebra."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from ecgcore.recording import (
    LEADS,
    LIMB_LEADS,
    Recording,
    RecordingError,
    Signal,
    Source,
    complete_limb_leads,
    limb_lead,
    limb_lead_residuals,
    standard_lead,
)

SOURCE = Source("made", "0" * 64)
millivolts = arrays.arrays(
    np.float32, (2, 20), elements=st.floats(-5, 5, width=32, allow_subnormal=False)
)


def twelve(one: Signal, two: Signal) -> dict[str, Signal]:
    """The six limb leads by their definitions (Einthoven, Goldberger)."""
    left_arm, foot = one, two  # the right arm is taken as zero
    wilson = (left_arm + foot) / 3
    return {
        "I": left_arm,
        "II": foot,
        "III": foot - left_arm,
        "aVR": -wilson * 1.5,
        "aVL": (left_arm - wilson) * 1.5,
        "aVF": (foot - wilson) * 1.5,
    }


@pytest.mark.parametrize(
    ("spelling", "lead"),
    [
        ("i", "I"), ("MLI", "I"), ("MLII", "II"), ("MLIII", "III"), ("DII", "II"), ("D3", "III"),
        ("AVR", "aVR"), ("avl", "aVL"),
        ("aVf", "aVF"), ("v1", "V1"), ("V 6", "V6"), (" II ", "II"), ("Lead III", "III"),
        ("ECG V4", "V4"), ("MDC_ECG_LEAD_AVF", "aVF"), ("mv3", "V3"), ("L2", "II"),
        ("lead_v5", "V5"),
    ],
)  # fmt: skip
def test_any_usual_spelling_is_the_standard_lead(spelling: str, lead: str) -> None:
    assert standard_lead(spelling) == lead


@pytest.mark.parametrize("name", ["", "V7", "V0", "IV", "X", "RESP", "aVRR", "IIII", "M", "-aVR"])
def test_what_is_no_lead_is_refused(name: str) -> None:
    with pytest.raises(RecordingError, match="twelve standard leads"):
        standard_lead(name)


@given(millivolts)
@settings(deadline=None)
def test_any_two_limb_leads_give_the_other_four(pair: Signal) -> None:
    leads = twelve(pair[0], pair[1])
    for first in LIMB_LEADS:
        for second in LIMB_LEADS:
            if first == second:
                continue
            given_leads = {first: leads[first], second: leads[second]}
            for name in LIMB_LEADS:
                np.testing.assert_allclose(limb_lead(name, given_leads), leads[name], atol=2e-5)


@given(millivolts)
@settings(deadline=None)
def test_true_leads_have_no_residual_and_swapped_ones_do(pair: Signal) -> None:
    leads = twelve(pair[0], pair[1])
    signal = np.stack([leads[lead] for lead in LIMB_LEADS])
    for residual in limb_lead_residuals(signal, LIMB_LEADS).values():
        np.testing.assert_allclose(residual, 0, atol=1e-5)
    swapped = signal[[1, 0, 2, 3, 4, 5]]
    difference = float(np.abs(pair[0] - pair[1]).max())
    found = max(float(np.abs(r).max()) for r in limb_lead_residuals(swapped, LIMB_LEADS).values())
    assert found == pytest.approx(2 * difference, abs=1e-4)


def eight_leads() -> Recording:
    names = [lead for lead in LEADS if lead in ("I", "II") or lead.startswith("V")]
    signal = np.random.default_rng(0).normal(size=(8, 100)).astype(np.float32)
    return Recording.from_leads("eight", signal, names, 100, SOURCE)


def test_eight_recorded_leads_become_twelve_and_the_computed_are_named() -> None:
    eight = eight_leads()
    whole = complete_limb_leads(eight)
    assert whole.leads == LEADS
    assert whole.computed == ("III", "aVR", "aVL", "aVF")
    for lead in eight.leads:
        np.testing.assert_array_equal(whole.lead(lead), eight.lead(lead))
    expected = twelve(eight.lead("I"), eight.lead("II"))
    for lead in LIMB_LEADS:
        np.testing.assert_allclose(whole.lead(lead), expected[lead], atol=1e-6)
    assert complete_limb_leads(whole) is whole


def test_one_limb_lead_is_not_enough_to_compute() -> None:
    single = Recording.from_leads("one", np.zeros((1, 5), np.float32), ["I"], 100, SOURCE)
    assert complete_limb_leads(single) is single


def test_leads_in_any_order_stay_with_their_signals() -> None:
    signal = np.arange(36, dtype=np.float32).reshape(12, 3)
    order = list(np.random.default_rng(1).permutation(12))
    shuffled = Recording.from_leads(
        "shuffled", signal[order], [LEADS[i].upper() for i in order], 500, SOURCE
    )
    np.testing.assert_array_equal(shuffled.signal, signal)
    assert shuffled.leads == LEADS


def test_promises_are_held_by_the_constructor() -> None:
    good = eight_leads()
    wrong: list[dict[str, object]] = [
        {"signal": good.signal.astype(np.float64)},
        {"signal": good.signal[0]},
        {"signal": good.signal[:5]},
        {"leads": good.leads[::-1]},
        {"leads": ("I",) * 8},
        {"sampling_rate": 0.0},
        {"sampling_rate": float("nan")},
    ]
    for change in wrong:
        with pytest.raises(RecordingError, match="Allowed: "):
            replace(good, **change)  # type: ignore[arg-type]
    with pytest.raises(RecordingError, match="lead I is there 2 times"):
        Recording.from_leads("twice", np.zeros((2, 9), np.float32), ["I", "i"], 500, SOURCE)
    with pytest.raises(ValueError, match="read-only"):
        good.signal[0, 0] = 1


def test_length_and_single_leads() -> None:
    eight = eight_leads()
    assert (eight.samples, eight.seconds) == (100, 1.0)
    np.testing.assert_array_equal(eight.lead("v6"), eight.signal[-1])
    with pytest.raises(RecordingError, match="the leads recorded: I, II, V1"):
        eight.lead("III")


def test_warnings_are_added_once() -> None:
    warned = eight_leads().with_warnings("odd").with_warnings("odd", "odder")
    assert warned.source.warnings == ("odd", "odder")
