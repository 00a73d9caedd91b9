"""NeuroKit2 behind its guard: what it cannot read is refused, its lists are put together."""

from __future__ import annotations

import sys
import warnings
from types import SimpleNamespace

import numpy as np
import pytest

from ecgcore.signal.delineation.neurokit import (
    LIBRARY_METHODS,
    NeurokitReader,
    assembled,
    read_leads,
)
from ecgcore.signal.delineation.waves import PEAK
from tests.signal.hearts import beats, heart

RATE = 500.0
PEAKS = beats(72, 9.7)


@pytest.mark.parametrize("method", LIBRARY_METHODS)
def test_every_method_finds_the_beats(method: str) -> None:
    lead = heart(PEAKS, noise_mv=0.005)[1]
    read = NeurokitReader(method).read_leads({"II": lead}, RATE)  # type: ignore[arg-type]
    qrs = read.marks["II"]["QRS"]
    np.testing.assert_allclose(qrs[:, PEAK] / RATE, PEAKS, atol=0.01)
    t_peaks = read.marks["II"]["T"][:, PEAK] / RATE
    for peak in PEAKS[1:-1]:
        assert np.abs(t_peaks - peak - 0.28).min() < 0.06


def test_an_unknown_method_is_named_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="'ssa'; known: prominence, dwt, cwt, peak"):
        NeurokitReader("ssa")  # type: ignore[arg-type]


def test_flat_leads_and_leads_of_few_beats_are_refused_before_the_library() -> None:
    two = heart([3.0, 6.0])[1]
    read = read_leads({"I": np.full(5000, 0.3), "II": two}, RATE)
    assert read.unread["I"] == "Lead I: it is flat."
    assert read.unread["II"] == "Lead II: 2 QRS complexes stand out; NeuroKit2 needs 3 or more."
    assert read.marks == {}


@pytest.mark.parametrize(
    "error", [ValueError, IndexError, KeyError, ZeroDivisionError, TypeError, AttributeError]
)
def test_what_the_library_raises_becomes_the_reason(
    error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        warnings.warn("of the library", RuntimeWarning, stacklevel=1)
        raise error("odd")

    library = SimpleNamespace(ecg_clean=lambda values, sampling_rate: values, ecg_delineate=fail)
    monkeypatch.setitem(sys.modules, "neurokit2", library)
    read = read_leads({"II": heart(PEAKS)[1]}, RATE)
    assert read.marks == {}
    assert read.unread["II"].startswith("Lead II: NeuroKit2 (prominence) could not read it (")
    assert error.__name__ in read.unread["II"]


def test_lists_out_of_step_are_put_together_by_place() -> None:
    nothing = float("nan")
    found = {
        "ECG_P_Peaks": [100, nothing, 900],
        "ECG_P_Onsets": [880, 80],
        "ECG_P_Offsets": [nothing, 920],
        "ECG_R_Onsets": [170],
        "ECG_R_Offsets": [nothing],
        "ECG_T_Peaks": [],
    }
    marks = assembled(found, np.array([200.0, 1000.0]), RATE)
    np.testing.assert_array_equal(marks["P"], [[80, 100, nothing], [880, 900, 920]])
    np.testing.assert_array_equal(marks["QRS"], [[170, 200, nothing], [nothing, 1000, nothing]])
    assert marks["T"].shape == (0, 3)
