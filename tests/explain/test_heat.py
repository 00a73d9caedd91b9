"""Heat on the recording's time, and explanations that cannot lie about their shape."""

from __future__ import annotations

import numpy as np
import pytest

from ecgcore.explain.explanation import Explanation
from ecgcore.explain.heat import heat_times, scaled_by_peak, silent_leads
from ecgcore.models.input_spec import Prepared


def test_the_peak_scales_both_signs() -> None:
    heat, peak = scaled_by_peak(np.array([[1.0, -4.0], [2.0, 0.0]]))
    assert peak == 4
    np.testing.assert_allclose(heat, [[0.25, -1.0], [0.5, 0.0]])


def test_a_peak_that_is_noise_empties_the_map() -> None:
    heat, peak = scaled_by_peak(np.array([[1e-9, -2e-9]]), least=1e-6)
    assert peak == 0
    assert not heat.any()


def test_times_end_with_the_recording() -> None:
    values = np.zeros((2, 1000), dtype=np.float32)
    values[1, 7] = 1
    prepared = Prepared(values, 0.0, 6.25)
    times = heat_times(prepared)
    assert (len(times), times[0], times[-1]) == (625, 0.0, 6.24)
    np.testing.assert_array_equal(silent_leads(prepared), [True, False])


def explanation(heat: np.ndarray) -> Explanation:
    return Explanation("m", "MI", "LIME", ("I", "II"), heat, 100.0, 0.0, True, True, 1.0, "")


def test_an_explanation_has_a_row_a_lead_and_is_finite() -> None:
    assert explanation(np.zeros((2, 250), dtype=np.float32)).seconds == 2.5
    with pytest.raises(ValueError, match=r"\(3, 10\) for 2 leads"):
        explanation(np.zeros((3, 10), dtype=np.float32))
    with pytest.raises(ValueError, match="finite"):
        explanation(np.full((2, 10), np.nan, dtype=np.float32))
