"""The one road from a recording to a model: right leads, right time, right scale, or a refusal."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from ecgcore.models.input_spec import (
    Conditioning,
    InputSpec,
    UnfitRecordingError,
    prepare,
    to_model_rate,
)
from ecgcore.recording import LEADS, Recording
from ecgcore.signal.resampling import resample
from tests.models.example import example_recording, recording_of

PACKED_SPEC = InputSpec(sampling_rate=100.0)
AS_PACKED = replace(PACKED_SPEC, conditioning=Conditioning(lowpass=None))
"""What the training data of the shipped models went through."""
SPECS = (InputSpec(), PACKED_SPEC, AS_PACKED, InputSpec(sampling_rate=75.0, resampling="fft"))


def tones(frequencies: dict[str, float], rate: float = 500.0, seconds: float = 10.0) -> Recording:
    """One sine a lead, in mV."""
    time = np.arange(round(rate * seconds)) / rate
    return recording_of(
        {lead: np.sin(2 * np.pi * hertz * time) for lead, hertz in frequencies.items()}, rate
    )


def dominant(values: NDArray[np.float32], rate: float) -> NDArray[np.float64]:
    """The strongest frequency of each row, in Hz."""
    spectrum = np.abs(np.fft.rfft(values * np.hanning(values.shape[1]), axis=1))
    return np.fft.rfftfreq(values.shape[1], 1 / rate)[spectrum.argmax(axis=1)]


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: f"{spec.sampling_rate:g} Hz")
def test_each_lead_keeps_its_row(spec: InputSpec) -> None:
    """A reshape in place of an axis move would mix the leads' frequencies."""
    frequencies = {lead: 2.0 + 2 * number for number, lead in enumerate(LEADS)}
    shuffled = {lead: frequencies[lead] for lead in reversed(LEADS)}
    values = prepare(tones(shuffled), spec).values
    assert values.shape == (12, spec.samples)
    assert values.dtype == np.float32
    np.testing.assert_allclose(dominant(values, spec.sampling_rate), list(frequencies.values()))


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: f"{spec.sampling_rate:g} Hz")
def test_each_packed_lead_keeps_its_row(spec: InputSpec) -> None:
    frequencies = [2.0 + 2 * number for number in range(12)]
    time = np.arange(1000) / 100
    stored = np.stack([np.sin(2 * np.pi * hertz * time) for hertz in frequencies])[None]
    values = to_model_rate(stored, spec)
    assert values.shape == (1, 12, spec.samples)
    np.testing.assert_allclose(dominant(values[0], spec.sampling_rate), frequencies)


def test_a_spec_chooses_and_orders_its_leads() -> None:
    frequencies = {lead: 2.0 + 2 * number for number, lead in enumerate(LEADS)}
    spec = replace(PACKED_SPEC, leads=("V2", "II", "I"))
    values = prepare(tones(frequencies), spec).values
    found = dominant(values, spec.sampling_rate)
    np.testing.assert_allclose(found, [frequencies[lead] for lead in spec.leads])


def _scaled(values: NDArray[np.floating]) -> NDArray[np.floating]:
    """Each row to mean 0 and deviation 1: ringing ends move both of a whole record."""
    return (values - values.mean(axis=1, keepdims=True)) / values.std(axis=1, keepdims=True)


def test_the_conditioning_is_the_packed_datas(ecg_data: Path) -> None:
    """Recordings that are both packed and raw come out equal, up to the packing's rounding."""
    wfdb = pytest.importorskip("wfdb")
    compared = 0
    for name in ("train", "val"):
        with np.load(ecg_data / "ptbxl_1625" / f"{name}.npz") as packed:
            rows = {int(number): row for row, number in enumerate(packed["ecg_id"])}
            signals, scale = packed["X"], float(packed["scale"])
            assert [str(lead).upper() for lead in packed["leads"]] == [x.upper() for x in LEADS]
        for header in sorted((ecg_data / "ptbxl_raw500").glob("*.hea")):
            number = int(header.stem.split("_")[0])
            if number not in rows:
                continue
            samples, fields = wfdb.rdsamp(str(header.with_suffix("")))
            leads = dict(zip(fields["sig_name"], samples.T, strict=True))
            recording = recording_of(leads, fields["fs"])
            packed_values = signals[rows[number]].T * scale
            difference = prepare(recording, AS_PACKED).values - packed_values
            assert np.abs(difference).max() <= 1.5 * scale
            mirrored = prepare(recording, PACKED_SPEC).values
            inner = [_scaled(one[:, 300:-300]) for one in (mirrored, packed_values)]
            assert np.sqrt(((inner[0] - inner[1]) ** 2).mean(axis=1)).max() < 0.05
            compared += 1
    assert compared >= 5


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: f"{spec.sampling_rate:g} Hz")
def test_the_recordings_rate_makes_no_difference(spec: InputSpec) -> None:
    inputs = {rate: prepare(example_recording(rate=rate), spec).values for rate in (250, 500, 1000)}
    assert inputs[500].std() == pytest.approx(1.0, abs=0.02)
    inner = slice(round(0.5 * spec.sampling_rate), -round(0.5 * spec.sampling_rate))
    for rate in (250, 1000):
        difference = inputs[rate][:, inner] - inputs[500][:, inner]
        assert np.abs(difference).max() < 0.05


def test_the_recordings_rate_makes_no_difference_above_the_band() -> None:
    """A digital filter's slope depends on its rate: hum must not tell 250 from 1000 Hz.

    It fades in and out, as what the filter does to the ends depends on the very last sample.
    """
    inputs = {}
    for rate in (250, 500, 1000):
        recording = example_recording(rate=rate)
        time = np.arange(recording.samples) / rate
        fading = 0.3 * np.sin(np.pi * time / 10) ** 2
        hum = (fading * np.sin(2 * np.pi * 46 * time)).astype(np.float32)
        inputs[rate] = prepare(replace(recording, signal=recording.signal + hum), PACKED_SPEC)
    for rate in (250, 1000):
        difference = inputs[rate].values - inputs[500].values
        assert np.abs(difference[:, 100:-100]).max() < 0.01


def _at(recording: Recording, rate: float) -> Recording:
    """As a recorder of another rate would have written it."""
    signal = resample(recording.signal, recording.sampling_rate, rate, beyond="line")
    return replace(recording, signal=signal.astype(np.float32), sampling_rate=rate)


def test_noise_in_the_last_samples_does_not_ring() -> None:
    """Neither another rate nor the loss of a sample changes much of what a model sees."""
    recording = example_recording()
    noise = np.random.default_rng(0).normal(0, 0.03, recording.signal.shape)  # as in LUDB
    noisy = replace(recording, signal=recording.signal + noise.astype(np.float32))
    shorter = replace(noisy, signal=noisy.signal[:, :-1])
    for other, most in ((_at(noisy, 250.0), 0.1), (_at(noisy, 1000.0), 0.02), (shorter, 0.5)):
        moved, ringing = (
            np.abs(prepare(other, spec).values - prepare(noisy, spec).values).max()
            for spec in (PACKED_SPEC, AS_PACKED)
        )
        assert moved < min(most, ringing / 4)


def test_what_lies_beyond_a_recordings_ends_hardly_matters() -> None:
    """Cut within a QRS complex it looks as it does inside a longer recording."""
    longer = example_recording(seconds=14)
    steepest = int(np.abs(np.diff(longer.lead("II")[6000:6500])).argmax()) + 6000
    cut = replace(longer, signal=longer.signal[:, steepest - 5000 : steepest])
    start = (steepest - 5000) / 500
    whole = prepare(longer, replace(PACKED_SPEC, seconds=14.0)).values
    expected = _scaled(whole[:, round(100 * start) :][:, :1000])
    found, rung = (_scaled(prepare(cut, spec).values) for spec in (PACKED_SPEC, AS_PACKED))
    errors = [np.sqrt(((one - expected) ** 2).mean()) for one in (found, rung)]
    assert errors[0] < errors[1] / 2
    assert errors[0] < 0.2


def test_the_recordings_rate_makes_no_difference_when_the_baseline_drifts() -> None:
    """What the high-pass does to the ends lasts for seconds: its padding is kept in seconds."""
    inputs = {}
    for rate in (500, 1000):
        recording = example_recording(rate=rate)
        drift = np.linspace(-0.5, 1.5, recording.samples, dtype=np.float32)
        inputs[rate] = prepare(replace(recording, signal=recording.signal + drift), PACKED_SPEC)
    difference = np.abs(inputs[1000].values - inputs[500].values)
    assert difference[:, 100:-100].max() < 0.01
    assert difference.max() < 0.05


def test_each_lead_is_scaled_by_itself() -> None:
    recording = example_recording()
    louder = recording_of(
        {lead: recording.lead(lead) * (7.0 if lead == "V2" else 1.0) + 0.3 for lead in LEADS}, 500.0
    )
    values, expected = prepare(louder, PACKED_SPEC).values, prepare(recording, PACKED_SPEC).values
    np.testing.assert_allclose(values, expected, atol=2e-3)


def test_missing_limb_leads_are_computed() -> None:
    whole = example_recording()
    eight = example_recording(leads=("I", "II", *LEADS[6:]))
    np.testing.assert_allclose(
        prepare(eight, InputSpec()).values, prepare(whole, InputSpec()).values, atol=1e-4
    )


def test_a_missing_lead_is_refused() -> None:
    with pytest.raises(UnfitRecordingError, match="without V3, V6"):
        prepare(example_recording(leads=("I", "II", "V1", "V2", "V4", "V5")), InputSpec())
    with pytest.raises(UnfitRecordingError, match="without II, III, aVR, aVL, aVF"):
        prepare(example_recording(leads=("I", *LEADS[6:])), InputSpec())


def test_a_missing_sample_is_refused() -> None:
    signal = example_recording().signal.copy()
    signal[7, 100:103] = np.nan
    gappy = recording_of(dict(zip(LEADS, signal, strict=True)), 500.0)
    with pytest.raises(UnfitRecordingError, match=r"missing samples in V2 \(3\)"):
        prepare(gappy, InputSpec())


def test_a_gap_outside_the_window_does_no_harm() -> None:
    signal = example_recording(seconds=20).signal.copy()
    signal[7, 100:103] = np.nan
    gappy = recording_of(dict(zip(LEADS, signal, strict=True)), 500.0)
    assert np.isfinite(prepare(gappy, InputSpec()).values).all()


def test_under_five_seconds_is_refused() -> None:
    with pytest.raises(UnfitRecordingError, match=r"of 4\.99 s.*at least 5 s"):
        prepare(example_recording(seconds=4.99), InputSpec())
    assert prepare(example_recording(seconds=5), InputSpec()).seconds == 5.0


def test_a_rate_too_low_for_the_band_is_refused() -> None:
    with pytest.raises(UnfitRecordingError, match=r"80 Hz.*at least 88 Hz"):
        prepare(example_recording(rate=80), InputSpec())


def test_a_long_recording_is_cut_in_its_middle() -> None:
    """Only the middle 10 of 15 s matter, and their place is stated."""
    recording = example_recording(seconds=15)
    middle = recording_of({lead: recording.lead(lead)[1250:6250] for lead in LEADS}, 500.0)
    found, expected = prepare(recording, InputSpec()), prepare(middle, InputSpec())
    assert (found.start, found.seconds) == (2.5, 10.0)
    assert found.warnings == ("the model saw 2.5 to 12.5 s of 15.0 s",)
    np.testing.assert_array_equal(found.values, expected.values)


@pytest.mark.parametrize("samples", [20846, 28934, 7499, 7501])
def test_the_middle_begins_at_the_same_moment_at_each_rate(samples: int) -> None:
    """However many samples there are, and one more or less."""
    versions = [(samples + more, 500.0) for more in (-1, 0, 1)]
    versions += [(round(samples * rate / 500), rate) for rate in (100.0, 250.0, 1000.0)]
    starts = {
        prepare(example_recording(rate=rate, seconds=count / rate), InputSpec()).start
        for count, rate in versions
    }
    assert len(starts) == 1
    middle = (samples / 500 - 10) / 2
    assert starts.pop() == pytest.approx(middle, abs=0.1)


def test_a_window_lies_within_a_recording_that_is_little_longer() -> None:
    for more in range(0, 200, 7):
        found = prepare(example_recording(seconds=10 + more / 500), InputSpec())
        assert found.values.shape == (12, 5000)
        assert found.start * 500 + 5000 <= 5000 + more
        assert bool(found.warnings) == (more > 1)


def test_a_window_shorter_than_what_is_mirrored() -> None:
    found = prepare(example_recording(), replace(PACKED_SPEC, seconds=1.0))
    assert (found.start, found.values.shape) == (4.5, (12, 100))
    assert np.isfinite(found.values).all()


def test_a_short_recording_is_followed_by_zeros() -> None:
    found = prepare(example_recording(seconds=6), InputSpec())
    assert (found.start, found.seconds) == (0.0, 6.0)
    assert "lasts 6.0 s; the model was trained on 10 s" in found.warnings[0]
    assert not found.values[:, 3000:].any()
    assert (found.values[:, :3000].std(axis=1) > 0.9).all()


def test_ten_seconds_give_no_warning() -> None:
    assert prepare(example_recording(), InputSpec()).warnings == ()


def test_a_flat_lead_is_named_and_stays_zero() -> None:
    found = prepare(example_recording(flat=("V1",)), InputSpec())
    assert found.warnings == ("lead V1 is flat; the model sees a zero line there",)
    assert not found.values[LEADS.index("V1")].any()


def test_noise_of_two_microvolts_is_not_blown_up() -> None:
    recording = example_recording()
    noise = np.random.default_rng(0).normal(0, 0.002, recording.samples)
    rows = {lead: noise if lead == "V1" else recording.lead(lead) for lead in LEADS}
    assert not prepare(recording_of(rows, 500.0), InputSpec()).values[LEADS.index("V1")].any()


def test_mostly_flat_is_refused() -> None:
    with pytest.raises(UnfitRecordingError, match="III, V1, V2, V3, V4, V5, V6 are flat"):
        prepare(example_recording(flat=("III", *LEADS[6:])), InputSpec())


def test_a_spec_survives_json() -> None:
    for spec in SPECS:
        assert InputSpec.from_json(spec.to_json()) == spec


def test_an_older_card_conditions_as_it_did() -> None:
    told = PACKED_SPEC.to_json()
    del told["conditioning"]["lowpass"]
    assert InputSpec.from_json(told) == AS_PACKED


@pytest.mark.parametrize("lowpass", [40.0, 250.0, float("nan")])
def test_a_low_pass_lies_above_the_band(lowpass: float) -> None:
    with pytest.raises(ValueError, match="a low-pass of"):
        Conditioning(lowpass=lowpass)
