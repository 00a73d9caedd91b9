"""What holds for every method: truth of clean beats, what must not move a mark, no crash ever."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ecgcore.recording import LEADS
from ecgcore.signal.delineation import METHODS, ReadLeads, delineate, delineate_with
from ecgcore.signal.delineation.agreement import LeadsRead
from ecgcore.signal.delineation.network import SHIPPED
from ecgcore.signal.delineation.neurokit import LIBRARY_METHODS, NeurokitReader
from ecgcore.signal.delineation.waves import PEAK, WAVES, Delineation, Marks, shown
from ecgcore.signal.resampling import resample
from tests.signal.hearts import beats, heart, recording

RATE = 500.0
PEAKS = beats(72, 9.7)
TRACE = heart(PEAKS, noise_mv=0.004)
MS = RATE / 1000

methods = pytest.mark.parametrize(
    "method", [m for m in METHODS if m != "network" or SHIPPED.is_dir()]
)
any_reader = pytest.mark.parametrize(
    "reader",
    [
        *(m for m in METHODS if m != "network" or SHIPPED.is_dir()),
        *(NeurokitReader(m) for m in LIBRARY_METHODS if m != "prominence"),
    ],
    ids=str,
)


def read_by(reader: str | NeurokitReader) -> ReadLeads:
    if isinstance(reader, NeurokitReader):
        return reader.read_leads
    read: ReadLeads = import_module(f"ecgcore.signal.delineation.{reader}").read_leads
    return read


def by_lead(signal: NDArray[np.floating]) -> dict[str, NDArray[np.float32]]:
    return dict(zip(LEADS, signal.astype(np.float32), strict=False))


def assert_moved(one: Marks, other: Marks, tolerance_ms: float) -> None:
    """The same waves in both, every mark near its twin, away from the ends of the recording."""
    one, other = shown(one), shown(other)
    for these, those in ((one, other), (other, one)):
        inner = these[(these[:, PEAK] > 600) & (these[:, PEAK] < 4200)]
        assert len(inner) >= 7
        twins = those[np.argmin(np.abs(those[:, PEAK] - inner[:, [PEAK]]), axis=1)]
        np.testing.assert_allclose(twins, inner, atol=tolerance_ms * MS)
        np.testing.assert_allclose(twins[:, PEAK], inner[:, PEAK], atol=PEAK_TOLERANCE_MS * MS)


def heart_of(reader: str, signal: NDArray[np.floating], rate: float = RATE) -> Delineation:
    return delineate_with(recording(signal, rate), read_by(reader), reader)


@cache
def unchanged(method: str, leads: int = 12) -> Delineation:
    """What a method says of the trace as it is, to compare with."""
    return heart_of(method, TRACE[:leads])


@cache
def all_leads_read(reader: str | NeurokitReader) -> LeadsRead:
    """Every lead of the first five seconds, read together."""
    return read_by(reader)(by_lead(TRACE[:, : round(5 * RATE)]), RATE)


TOLERANCE_MS = {"network": 6.0, "gradient": 16.0, "neurokit": 25.0}
"""After a shift filters start elsewhere, and where the slope is small a threshold of it is crossed
a ripple sooner or later; so do the library's extrema. Peaks stay."""
PEAK_TOLERANCE_MS = 8.0


@methods
@pytest.mark.parametrize("rate", [250.0, 500.0, 1000.0])
def test_waves_of_clean_beats_are_where_they_are(method: str, rate: float) -> None:
    signal = heart(PEAKS, rate=rate, noise_mv=0.002)
    found = delineate_with(recording(signal, rate), read_by(method), method)
    for wave, at, limit in (("QRS", 0.0, 0.012), ("P", -0.16, 0.02), ("T", 0.28, 0.03)):
        rows = shown(found.overall[wave])  # type: ignore[index]
        inner = PEAKS[1:-1] + at
        nearest = [rows[np.argmin(np.abs(rows[:, PEAK] / rate - place))] for place in inner]
        assert np.abs(np.array(nearest)[:, PEAK] / rate - inner).max() < limit
        assert len(rows) <= len(PEAKS)
    qrs = shown(found.overall["QRS"])
    widths = (qrs[:, 2] - qrs[:, 0]) / rate
    assert 0.04 < np.median(widths) < 0.13


@any_reader
def test_rows_are_in_order_inside_the_recording(reader: str | NeurokitReader) -> None:
    read = read_by(reader)(by_lead(TRACE), RATE)
    assert not read.unread
    for waves in read.marks.values():
        for wave in WAVES:
            marks = waves[wave]
            assert not np.isnan(marks[:, PEAK]).any()
            for early, late in ((0, 1), (1, 2)):
                apart = marks[:, late] - marks[:, early]
                assert (apart[~np.isnan(apart)] >= 0).all()
            assert (np.diff(marks[:, PEAK]) > 0).all()
            known = marks[~np.isnan(marks)]
            assert (known >= -1).all() and (known <= TRACE.shape[1]).all()


@any_reader
@settings(max_examples=3, deadline=None)
@given(order=st.permutations(range(12)), kept=st.integers(1, 11))
def test_a_lead_knows_nothing_of_the_others(
    reader: str | NeurokitReader, order: list[int], kept: int
) -> None:
    signals = by_lead(TRACE[:, : round(5 * RATE)])
    everything = all_leads_read(reader)
    some = {LEADS[k]: signals[LEADS[k]] for k in order[:kept]}
    alone = read_by(reader)(some, RATE)
    for lead, waves in alone.marks.items():
        for wave in WAVES:
            np.testing.assert_allclose(waves[wave], everything.marks[lead][wave], atol=0.05)


@methods
@settings(max_examples=6, deadline=None)
@given(scale=st.floats(0.2, 5), offset=st.floats(-3, 3))
def test_scale_and_offset_move_no_mark(method: str, scale: float, offset: float) -> None:
    one, other = unchanged(method, 5), heart_of(method, scale * TRACE[:5] + offset)
    for lead, waves in one.leads.items():
        for wave in WAVES:
            np.testing.assert_allclose(other.leads[lead][wave], waves[wave], atol=2 * MS)


@methods
@settings(max_examples=6, deadline=None)
@given(shift=st.integers(1, 400))
def test_a_shift_moves_every_mark_by_itself(method: str, shift: int) -> None:
    one, other = unchanged(method, 5), heart_of(method, TRACE[:5, shift:])
    for wave in WAVES:
        assert_moved(one.overall[wave], other.overall[wave] + shift, TOLERANCE_MS[method])


@pytest.mark.parametrize("rate", [250.0, 1000.0])
@methods
def test_another_rate_moves_marks_by_milliseconds(method: str, rate: float) -> None:
    one, other = unchanged(method), heart_of(method, resample(TRACE, RATE, rate), rate)
    for wave in WAVES:
        assert_moved(one.overall[wave], other.overall[wave] * RATE / rate, TOLERANCE_MS[method])


@cache
def parts(seed: int) -> dict[str, NDArray[np.float64]]:
    """Things that are found in recordings, (5000,) each."""
    rng = np.random.default_rng(seed)
    time = np.arange(5000) / RATE
    spikes = np.zeros(5000)
    spikes[rng.integers(0, 5000, 6)] = rng.normal(0, 8, 6)
    steps = np.repeat(rng.normal(0, 1, 10), 500)
    few = heart(np.sort(rng.uniform(0, 10, rng.integers(0, 4))))[1]
    return {
        "beats": heart(beats(float(rng.uniform(25, 230)), 10))[1],
        "few beats": few,
        "noise": rng.normal(0, rng.uniform(0.01, 1), 5000),
        "walk": rng.normal(0, 0.03, 5000).cumsum(),
        "spikes": spikes,
        "steps": steps,
        "hum": 0.3 * np.sin(2 * np.pi * 50 * time),
        "sawtooth": 0.5 * ((time * rng.uniform(1, 6)) % 1),
        "square": 0.5 * np.sign(np.sin(2 * np.pi * rng.uniform(0.5, 20) * time)),
    }


@st.composite
def odd_signals(draw: st.DrawFn) -> NDArray[np.float64]:
    """A few leads put together from odd parts, cut, held, or with gaps."""
    rows = []
    for _ in range(draw(st.integers(1, 3))):
        pool = parts(draw(st.integers(0, 10_000)))
        chosen = draw(st.lists(st.sampled_from(sorted(pool)), min_size=1, max_size=3))
        lead = np.sum([pool[name] for name in chosen], axis=0)
        start = draw(st.integers(0, 4500))
        length = draw(st.integers(1, 3000))
        what = draw(st.sampled_from(["as it is", "held", "missing", "clipped"]))
        if what == "held":
            lead[start : start + length] = lead[start]
        elif what == "missing":
            lead[start : start + length] = np.nan
        elif what == "clipped":
            lead = np.clip(lead, -0.3, 0.3)
        rows.append(lead)
    return np.stack(rows)[:, : draw(st.sampled_from([1001, 1700, 2500, 5000]))]


@any_reader
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(signal=odd_signals(), rate=st.sampled_from([100.0, 250.0, 500.0]))
def test_nothing_that_passes_the_gate_crashes_a_method(
    reader: str | NeurokitReader, signal: NDArray[np.float64], rate: float
) -> None:
    given_ = recording(signal, rate)
    found = delineate_with(given_, read_by(reader), "odd")
    assert set(found.leads) | set(found.unread) == set(given_.leads)
    assert not set(found.leads) & set(found.unread)
    assert all(reason.endswith(".") for reason in found.unread.values())
    for waves in (found.overall, *found.leads.values()):
        for wave in WAVES:
            known = waves[wave][~np.isnan(waves[wave])]
            assert np.isfinite(known).all()


def test_delineate_names_what_it_did_not_read() -> None:
    signal = TRACE.copy()
    signal[2] = 0.0
    found = delineate(recording(signal), "gradient")
    assert list(found.unread) == ["III"]
    assert "flat" in found.unread["III"]
    assert set(found.leads) == set(LEADS) - {"III"}
    assert found.warnings == ("1 of 12 leads were not delineated.",)
    assert found.method == "gradient"
    assert (found.sampling_rate, found.samples) == (RATE, 5000)


def test_a_recording_too_short_is_not_read_at_all() -> None:
    found = delineate(recording(TRACE[:, :700]), "gradient")
    assert set(found.unread) == set(LEADS)
    assert all("lasts 1.40 s" in reason for reason in found.unread.values())
    assert found.leads == {}
    assert all(found.overall[wave].shape == (0, 3) for wave in WAVES)
    nothing = delineate(recording(np.empty((12, 0))), "gradient")
    assert set(nothing.unread) == set(LEADS)


def test_an_unknown_method_is_named_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="unknown method 'wavelet'; known: network, gradient"):
        delineate(recording(TRACE), "wavelet")  # type: ignore[arg-type]


def test_what_the_method_says_of_the_heart_is_checked_by_the_leads() -> None:
    row = np.array([[100.0, 110.0, 120.0]])
    nothing = np.empty((0, 3))

    def read(signals: Mapping[str, NDArray[np.float32]], rate: float) -> LeadsRead:
        marks = {lead: {"P": nothing, "QRS": row + 3, "T": nothing} for lead in signals}
        return LeadsRead(marks, {}, {"P": nothing, "QRS": row, "T": nothing})

    found = delineate_with(recording(TRACE), read, "given")
    np.testing.assert_array_equal(found.overall["QRS"], [[100.0, 110.0, 121.5]])
    np.testing.assert_array_equal(found.leads["V3"]["QRS"], row + 3)
