"""The quality gate: each limit just below and just above, and what it says of real recordings."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from ecgcore.recording import LEADS, Recording, Source
from ecgcore.signal import quality
from ecgcore.signal.quality import QualityWarning, assess

RATE = 500.0
SEVERITIES = ("note", "warning", "unusable")


def clean(seconds: float = 10.0, rate: float = RATE) -> NDArray[np.float64]:
    """Twelve leads of beats at 75 a minute with 3 uV of noise, (12, samples) in mV."""
    times = np.arange(round(seconds * rate)) / rate
    phase = (times + 0.3) % 0.8 - 0.4
    beat = np.exp(-(phase**2) / (2 * 0.012**2)) + 0.2 * np.exp(-((phase - 0.25) ** 2) / 0.004)
    noise = np.random.default_rng(1).normal(0, 0.003, (12, times.size))
    return np.linspace(0.4, 1.5, 12)[:, None] * beat + noise


def recording(signal: NDArray[np.floating], rate: float = RATE) -> Recording:
    return Recording.from_leads(
        "r", signal.astype(np.float32), LEADS[: len(signal)], rate, Source("test", "")
    )


def found(signal: NDArray[np.floating], kind: str, rate: float = RATE) -> list[QualityWarning]:
    return [w for w in assess(recording(signal, rate)) if w.kind == kind]


def sine(hertz: float, peak_to_peak_uv: float, rate: float = RATE) -> NDArray[np.float64]:
    return peak_to_peak_uv / 2000 * np.sin(2 * np.pi * hertz * np.arange(round(10 * rate)) / rate)


@pytest.mark.parametrize("rate", [100.0, 250.0, 500.0, 1000.0])
def test_a_clean_recording_has_no_finding(rate: float) -> None:
    assert assess(recording(clean(rate=rate), rate)) == ()


@pytest.mark.parametrize(
    ("seconds", "severity"),
    [(9.5, None), (9.49, "note"), (5.0, "note"), (4.99, "warning"), (2.0, "warning"),
     (1.99, "unusable")],
)  # fmt: skip
def test_length(seconds: float, severity: str | None) -> None:
    findings = found(clean(seconds, 100.0), "short", 100.0)
    assert [w.severity for w in findings] == ([] if severity is None else [severity])
    assert all(w.lead is None for w in findings)


def test_leads_that_are_not_there() -> None:
    findings = [w for w in assess(recording(clean()[:8])) if w.kind == "missing"]
    assert [w.lead for w in findings] == ["V3", "V4", "V5", "V6"]


def test_computed_leads_are_there() -> None:
    computed = replace(recording(clean()), computed=("III", "aVR"))
    assert assess(computed) == ()


@pytest.mark.parametrize(
    ("missing", "severity"),
    [(0, None), (1, "note"), (250, "note"), (251, "warning"), (2500, "warning"),
     (2501, "unusable"), (5000, "unusable")],
)  # fmt: skip
def test_missing_samples(missing: int, severity: str | None) -> None:
    signal = clean()
    signal[3, :missing] = np.nan
    findings = [w for w in assess(recording(signal)) if w.lead == "aVR"]
    assert [w.severity for w in findings if w.kind == "not finite"] == (
        [] if severity is None else [severity]
    )
    assert {w.kind for w in findings} <= {"not finite"}


@pytest.mark.parametrize(("span_uv", "flat"), [(0, True), (29, True), (31, False)])
def test_a_flat_lead(span_uv: float, flat: bool) -> None:
    signal = clean()
    signal[5] = np.linspace(-0.5, 0.5, 5000) * span_uv / 980 + 0.2
    findings = [w for w in found(signal, "flat") if w.lead == "aVF"]
    assert [w.severity for w in findings] == (["unusable"] if flat else [])
    assert all("0.2 mV" in w.text for w in findings)


@pytest.mark.parametrize(
    ("seconds", "severity"),
    [(1.9, None), (2.0, "warning"), (5.0, "warning"), (5.25, "unusable"), (8.0, "unusable")],
)
def test_a_flat_stretch(seconds: float, severity: str | None) -> None:
    signal = clean()
    signal[7, 500 : 500 + round(seconds * RATE)] = 0.02
    findings = found(signal, "flat")
    assert [(w.lead, w.severity) for w in findings] == (
        [] if severity is None else [("V2", severity)]
    )


def test_a_single_beat_is_not_flat() -> None:
    signal = clean()
    noise = np.random.default_rng(2).normal(0, 0.002, 5000)
    signal[7] = noise
    signal[7, 2500:2540] += 0.8
    assert found(signal, "flat") == []


def test_a_slow_drift_is_not_flat() -> None:
    signal = clean()
    signal[7, 1000:3000] = np.linspace(0, 0.1, 2000)
    assert found(signal, "flat") == []


@pytest.mark.parametrize(("beats", "clipped"), [(2, False), (3, True), (12, True)])
def test_peaks_cut_at_a_rail(beats: int, clipped: bool) -> None:
    signal = clean()
    rail = 0.6
    signal[9, : round(0.8 * beats * RATE)] = np.minimum(
        signal[9, : round(0.8 * beats * RATE)], rail
    )
    signal[9, round(0.8 * beats * RATE) :] = np.minimum(
        signal[9, round(0.8 * beats * RATE) :] * 0.3, rail
    )
    findings = found(signal, "clipped")
    assert [w.lead for w in findings] == (["V4"] if clipped else [])
    assert all("0.6 mV" in w.text for w in findings)


def test_a_value_held_at_the_end_is_no_rail() -> None:
    signal = clean()
    for start in (1000, 2000, 4990):
        signal[9, start : start + 10] = 2.0
    assert found(signal, "clipped") == []
    signal[9, 3000:3010] = 2.0
    assert [w.lead for w in found(signal, "clipped")] == ["V4"]


@pytest.mark.parametrize(("milliseconds", "clipped"), [(280, False), (320, True)])
def test_one_long_stay_at_a_rail(milliseconds: float, clipped: bool) -> None:
    signal = clean()
    signal[2, 2000 : 2000 + round(milliseconds * RATE / 1000)] = -2.0
    assert [w.lead for w in found(signal, "clipped")] == (["III"] if clipped else [])


@pytest.mark.parametrize(
    ("span", "severity"), [(9.9, None), (10.2, "warning"), (19.9, "warning"), (20.5, "unusable")]
)
def test_amplitude(span: float, severity: str | None) -> None:
    signal = clean()
    signal[6] = span / 2 * np.sin(2 * np.pi * 5 * np.arange(5000) / RATE) * 1.0005
    findings = found(signal, "amplitude")
    assert [w.severity for w in findings] == ([] if severity is None else [severity])


@pytest.mark.parametrize("hertz", [49.7, 50.0, 60.0, 60.3])
@pytest.mark.parametrize(
    ("uv", "severity"),
    [(27, None), (33, "note"), (93, "note"), (107, "warning"), (950, "warning"),
     (1050, "unusable")],
)  # fmt: skip
def test_mains(hertz: float, uv: float, severity: str | None) -> None:
    signal = clean()
    signal[10] += sine(hertz, uv)
    findings = found(signal, "mains")
    assert [(w.lead, w.severity) for w in findings] == (
        [] if severity is None else [("V5", severity)]
    )
    assert all(f"{round(hertz)} Hz" in w.text for w in findings)


def test_the_measured_hum_is_the_true_one() -> None:
    for rate in (250.0, 500.0, 1000.0):
        signal = clean(rate=rate)[:1] * 0 + clean(rate=rate) + sine(50, 200, rate)
        for finding in found(signal, "mains", rate):
            measured = float(finding.text.split(" of ")[1].split(" uV")[0])
            assert measured == pytest.approx(200, rel=0.03)


def test_noise_of_all_frequencies_is_no_hum() -> None:
    noise = np.random.default_rng(6).normal(0, 0.2, (12, 5000))
    assert found(clean() + noise, "mains") == []


def test_hum_beyond_the_recorded_band_is_not_claimed() -> None:
    assert found(clean(rate=100.0), "mains", 100.0) == []


@pytest.mark.parametrize(
    ("uv", "severity"),
    [(450, None), (600, "note"), (1400, "note"), (1700, "warning"), (4800, "warning"),
     (5600, "unusable")],
)  # fmt: skip
def test_baseline_wander(uv: float, severity: str | None) -> None:
    signal = clean()
    passed = np.sinc(0.1)  # of a 0.1 Hz sine by a moving average of one second
    signal[4] += sine(0.1, uv / passed)
    findings = found(signal, "baseline wander")
    assert [(w.lead, w.severity) for w in findings] == (
        [] if severity is None else [("aVL", severity)]
    )


def test_every_finding_states_its_limit_in_one_sentence() -> None:
    signal = clean(4.0)
    signal[0] = 0
    signal[1, 500:700] = np.nan
    signal[2] *= 40
    signal[3] += sine(50, 300)[:2000]
    signal[4] += np.linspace(0, 3, 2000)
    signal[5, 100:400] = -3
    findings = assess(recording(signal[:11]))
    assert {w.kind for w in findings} == {
        "missing", "short", "not finite", "flat", "clipped", "amplitude", "mains",
        "baseline wander",
    }  # fmt: skip
    for finding in findings:
        assert finding.text.endswith(".")
        assert "\n" not in finding.text
        assert "limit" in finding.text or finding.kind == "missing"
        assert finding.severity in SEVERITIES


def test_the_whole_first_then_leads_in_order() -> None:
    signal = clean(4.0)
    signal[[9, 1]] = 0
    findings = list(assess(recording(signal)))
    assert [w.lead for w in findings] == [None, "II", "V4"]


@pytest.mark.parametrize("fill", [np.nan, np.inf, 0.0, 1e30])
def test_nothing_breaks_it(fill: float) -> None:
    for samples in (1, 2, 3, 50, 5000):
        signal = np.full((12, samples), fill)
        findings = assess(recording(signal))
        assert any(w.severity == "unusable" for w in findings)


def test_an_empty_recording_is_short() -> None:
    empty = recording(np.zeros((12, 0)))
    assert [(w.kind, w.severity) for w in assess(empty)] == [("short", "unusable")]


def test_the_signal_is_left_as_it_was() -> None:
    signal = clean()
    signal[0, 5] = np.nan
    given = recording(signal)
    before = given.signal.copy()
    assess(given)
    assert np.array_equal(given.signal, before, equal_nan=True)


def worst(findings: tuple[QualityWarning, ...]) -> int:
    return max((SEVERITIES.index(w.severity) + 1 for w in findings), default=0)


def test_it_agrees_with_the_annotators_of_the_2011_challenge(ecg_data: Path) -> None:
    pack = np.load(ecg_data / "cinc2011" / "development.npz", allow_pickle=False)
    quality_given = pack["quality"]
    unusable = np.array(
        [
            worst(assess(recording(counts.T * np.float32(pack["scale"])))) == 3
            for counts in pack["X"]
        ]
    )
    sensitivity = float(unusable[quality_given == 1].mean())
    specificity = 1 - float(unusable[quality_given == 0].mean())
    assert sensitivity > 0.75
    assert specificity > 0.93


def test_good_recordings_pass(ecg_data: Path) -> None:
    pack = np.load(ecg_data / "ptbxl_raw100" / "ptbxl_raw100.npz", allow_pickle=False)
    worsts = [
        worst(assess(recording(counts.T * np.float32(pack["scale"]), 100.0)))
        for counts in pack["X"]
    ]
    assert np.mean(np.array(worsts) >= 2) < 0.12
    assert max(worsts) < 3


def test_limits_are_in_order() -> None:
    assert quality.MAINS_NOTE_UV < quality.MAINS_WARNING_UV < quality.MAINS_UNUSABLE_UV
    assert quality.WANDER_NOTE_UV < quality.WANDER_WARNING_UV < quality.WANDER_UNUSABLE_UV
    assert quality.UNUSABLE_SECONDS < quality.SHORT_SECONDS < quality.USUAL_SECONDS
