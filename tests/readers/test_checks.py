"""Integrity checks: contradictions are refused, oddities are warned of."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.wfdb_records import header_text, synthetic_counts
from ecgcore.readers.checks import check_order, check_stored, check_timing
from ecgcore.readers.wfdb import read_wfdb
from ecgcore.recording import LEADS, Recording, RecordingError


def read(text: str, counts: NDArray[np.signedinteger]) -> Recording:
    return read_wfdb("r.hea", text.encode(), lambda name: counts.astype("<i2").tobytes())


def edited(change: Callable[[str], str], seed: int = 1) -> Recording:
    counts = synthetic_counts(5000, seed)
    text = header_text("r", counts)
    assert change(text) != text
    return read(change(text), counts)


def in_lead(lead: str, old: str, new: str) -> Callable[[str], str]:
    """An edit of the line of one lead."""

    def change(text: str) -> str:
        lines = text.splitlines()
        return "\n".join(
            line.replace(old, new) if line.endswith(f" {lead}") else line for line in lines
        )

    return change


@pytest.mark.parametrize("lead", LEADS[:6])
def test_another_gain_of_one_limb_lead_is_refused(lead: str):
    with pytest.raises(RecordingError, match="Einthoven"):
        edited(in_lead(lead, "1000(0)", "2000(0)"))


@pytest.mark.parametrize("gain", ["1001(0)", "1000(5)", "1000.0001(0)"])
@pytest.mark.parametrize("lead", ["II", "V3"])
def test_a_gain_or_baseline_that_stands_out_is_warned_of(lead: str, gain: str):
    warnings = edited(in_lead(lead, "1000(0)", gain)).source.warnings
    assert any(f"of {lead} differs" in warning for warning in warnings)


def test_half_the_leads_at_another_gain_are_warned_of():
    def change(text: str) -> str:
        for lead in ("I", "II", "III", "aVR", "aVL", "aVF"):
            text = in_lead(lead, "1000(0)", "1001(0)")(text)
        return text

    assert any("gain of" in warning for warning in edited(change).source.warnings)


def test_exchanged_limb_leads_are_refused():
    def change(text: str) -> str:
        text = in_lead("III", " 0 III", " 0 swap")(text)
        text = in_lead("aVR", " 0 aVR", " 0 III")(text)
        return text.replace(" 0 swap", " 0 aVR")

    with pytest.raises(RecordingError, match="Einthoven"):
        edited(change)


def test_exchanged_chest_leads_show_in_the_order():
    def change(text: str) -> str:
        return (
            text.replace(" 0 V1\n", " 0 x\n")
            .replace(" 0 V2\n", " 0 V1\n")
            .replace(" 0 x\n", " 0 V2\n")
        )

    assert "unusual order" in edited(change).source.warnings[0]


def test_a_lead_named_twice_is_refused():
    with pytest.raises(RecordingError, match="at most once"):
        edited(lambda text: text.replace(" 0 V2\n", " 0 V1\n"))


def test_a_small_contradiction_is_warned_of_and_rounding_is_not():
    counts = synthetic_counts(5000, 1)
    rounded = counts.copy()
    rounded[::3, 3] += 2
    assert read(header_text("r", rounded), rounded).source.warnings == ()
    odd = counts.copy()
    odd[1000:1010, 3] += 200
    assert "differ from Einthoven" in read(header_text("r", odd), odd).source.warnings[0]


def test_large_counts_do_not_overflow_the_identities():
    counts = synthetic_counts(5000, 1, reach=3000)
    text = header_text("r", counts, gain="4000(0)/mV")
    assert read(text, counts).source.warnings == ()


def test_a_baseline_shared_by_all_leads_keeps_the_identities():
    counts = synthetic_counts(5000, 1) + np.int16(500)
    assert read(header_text("r", counts, gain="1000(500)/mV"), counts).source.warnings == ()


def test_a_flat_limb_lead_is_left_out_of_the_identities():
    counts = synthetic_counts(5000, 1)
    counts[:, 2] = 0
    warnings = read(header_text("r", counts), counts).source.warnings
    assert warnings == ("III: flat, left out of the limb-lead check.",)


def test_gains_that_stretch_every_lead_to_one_span_are_warned_of():
    counts = synthetic_counts(5000, 1)
    text = header_text("r", counts)
    for lead, row in zip(LEADS, counts.T, strict=True):
        text = in_lead(lead, "1000(0)", f"{int(np.ptp(row))}(0)")(text)
    warnings = " ".join(read(text, counts).source.warnings)
    assert "stretch the leads to one size" in warnings
    assert "the header's gains are not true" in warnings


@pytest.mark.parametrize("gain", ["1000(0)/uV", "1000000000(0)/mV"])
def test_a_thousand_times_too_small_is_refused(gain: str):
    with pytest.raises(RecordingError, match=r"largest deflection|gain"):
        edited(lambda text: text.replace("1000(0)/mV", gain))


@pytest.mark.parametrize("gain", ["40(0)", "50000(0)"])
def test_odd_amplitudes_are_warned_of(gain: str):
    warnings = edited(lambda text: text.replace("1000(0)", gain)).source.warnings
    assert any("The largest lead spans" in warning for warning in warnings)


def test_chest_leads_far_from_zero_are_warned_of():
    counts = synthetic_counts(5000, 1)[:, 6:]
    text = header_text("r", counts, leads=LEADS[6:], gain="1000(20000)/mV")
    assert "V1, V2, V3, V4, V5, V6 stay more than 5 mV" in read(text, counts).source.warnings[0]


def test_a_lead_that_hardly_moves_is_warned_of():
    counts = synthetic_counts(5000, 1)
    counts[:, 8] = np.arange(5000) % 5
    warnings = read(header_text("r", counts), counts).source.warnings
    assert warnings == ("V3 span less than 0.01 mV: nearly flat, or a wrong gain.",)


def test_a_recording_of_zeros_can_be_read():
    counts = np.zeros((5000, 12), dtype=np.int16)
    recording = read(header_text("r", counts), counts)
    assert not recording.signal.any()


@pytest.mark.parametrize("level", [50, -32768])
def test_limb_leads_that_are_all_level_or_all_missing_can_be_read(level: int):
    counts = synthetic_counts(5000, 1)
    counts[:, :6] = level
    recording = read(header_text("r", counts), counts)
    assert recording.leads == LEADS
    assert "I, II, III, aVR, aVL, aVF: flat" in recording.source.warnings[0]
    assert bool(np.isnan(recording.signal[:6]).all()) == (level == -32768)


def test_an_adc_resolution_that_the_counts_exceed_is_warned_of():
    warnings = edited(lambda text: text.replace("mV 16 0", "mV 8 0")).source.warnings
    assert "ADC resolution" in warnings[0]


def test_a_header_without_checksums_is_warned_of():
    counts = np.array([[3, 4], [5, 7]], dtype=np.int16)
    assert "no checksums" in check_stored(counts, ["I", "II"], [3, 5], [0, 0])[0]
    with pytest.raises(RecordingError, match="checksum of II"):
        check_stored(counts, ["I", "II"], [3, 5], [7, 0])
    wide = counts.astype(np.int32) * 100_000
    assert check_stored(wide, ["I", "II"], [300_000, 500_000], [700_000, 1_200_000]) == ()


def test_unusual_rates_and_lengths_are_warned_of():
    assert check_timing(5000, 500.0) == ()
    assert "501 Hz is unusual" in check_timing(5000, 501.0)[0]
    assert "1 s long" in check_timing(500, 500.0)[0]
    assert "e+03 s long" in check_timing(1_000_000, 500.0)[0]


def test_order():
    assert check_order(["I", "II", "V2"]) == ()
    assert "unusual order V5, II" in check_order(["V5", "II"])[0]
