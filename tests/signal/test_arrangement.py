"""Leads that are not what they are called: what is undone, what is said, and of whom it is not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from ecgcore.readers.opening import find_recordings, read_path
from ecgcore.recording import LEADS, Recording
from ecgcore.signal import arrangement
from ecgcore.signal.arrangement import learnt_mistakes, mistake_margins, suspect_leads
from ecgcore.signal.reversal import (
    KINDS,
    MISTAKES,
    exchange_electrodes,
    load_reversal_model,
    median_beats,
    threshold_names,
)
from tests.signal.test_reversal import heart

ALL, ONE, ORDER = MISTAKES


def turned(recording: Recording, leads: tuple[str, ...]) -> Recording:
    signs = np.array([[-1.0 if lead in leads else 1.0] for lead in LEADS], dtype=np.float32)
    return replace(recording, signal=recording.signal * signs)


def reordered(recording: Recording, order: tuple[int, ...]) -> Recording:
    rows = [*range(6), *(6 + number for number in order)]
    return replace(recording, signal=recording.signal[rows].copy())


def test_every_mistake_is_named() -> None:
    assert suspect_leads(heart()) is None
    for made, kind, said in (
        (turned(heart(), LEADS), ALL, "All leads seem turned over"),
        (turned(heart(), ("V6",)), ONE, "Lead V6 seems turned over"),
        (turned(heart(), ("V5",)), ONE, "Lead V5 seems turned over"),
        (reordered(heart(), (5, 4, 3, 2, 1, 0)), ORDER, "in another order"),
        (reordered(heart(), (2, 3, 4, 5, 0, 1)), ORDER, "in another order"),
        (reordered(heart(), (4, 2, 0, 5, 1, 3)), ORDER, "in another order"),
    ):
        found = suspect_leads(made)
        assert found is not None and (found.kind, said in found.text) == (kind, True)


def test_two_exchanged_electrodes_are_not_called_another_order() -> None:
    """Some order always explains them a little better."""
    for pair in (("RA", "LA"), ("V1", "V3")):
        found = suspect_leads(exchange_electrodes(heart(), *pair))  # type: ignore[arg-type]
        assert found is not None and found.kind == "/".join(pair)
        assert found.text.startswith("Electrodes: ")


def test_a_mistake_undone_gives_the_beats_back() -> None:
    """So the margin of a mistake is that of the usual recording, seen from the other side."""
    model, beats = load_reversal_model(), median_beats(heart())
    assert beats is not None
    usual = mistake_margins(model, beats)
    assert [len(ways) for ways in usual] == [1, 6, 719]
    for kind, way, undone in ((0, 0, 0), (1, 3, 3)):
        made = arrangement._turned_over(beats)[0] if kind == 0 else (
            arrangement._each_chest_lead_turned(beats)[way]
        )  # fmt: skip
        again = mistake_margins(model, made)[kind][undone]
        assert again == pytest.approx(-usual[kind][way], abs=1e-9)
    order = arrangement._EACH_ORDER[400]
    back = int(np.flatnonzero((np.argsort(order) == arrangement._EACH_ORDER).all(axis=1))[0])
    made = arrangement._reordered(beats, order[None])[0]
    assert mistake_margins(model, made)[2][back] == pytest.approx(-usual[2][400], abs=1e-9)


def test_what_the_network_learns_from_is_never_the_recording_itself() -> None:
    beats: NDArray[np.float64] = np.random.default_rng(0).normal(size=(12, 72))
    made = learnt_mistakes(beats)
    assert made.shape == (1 + 6 + 21, 12, 72)
    assert not (made == beats).all(axis=(1, 2)).any()
    assert (np.sort(np.abs(made), axis=1) == np.sort(np.abs(beats), axis=0)).all()


def test_the_shipped_network_has_members_and_thresholds_for_all_mistakes() -> None:
    model = load_reversal_model()
    assert model.thresholds.shape == (len(threshold_names()),) == (len(KINDS) + 3,)
    assert (model.thresholds > 2).all()
    wide = model.of_all_mistakes()
    assert 2 * len(wide.weights) == len(model.weights)
    np.testing.assert_array_equal(wide.output, model.output[-len(wide.output) :])


def test_without_twelve_leads_or_beats_nothing_is_said() -> None:
    whole = turned(heart(), LEADS)
    eleven = replace(whole, signal=whole.signal[:11].copy(), leads=LEADS[:11])
    assert suspect_leads(eleven) is None
    assert suspect_leads(replace(whole, signal=np.zeros_like(whole.signal))) is None
    assert suspect_leads(turned(heart(seconds=2.0), LEADS)) is None


def test_real_recordings(ecg_data: Path) -> None:
    recordings = [read_path(path) for path in find_recordings(ecg_data / "ptbxl_raw500")[:30]]
    assert sum(suspect_leads(recording) is not None for recording in recordings) <= 1
    draw = np.random.default_rng(0)
    for make, kind in (
        (lambda one: turned(one, LEADS), ALL),
        (lambda one: turned(one, (f"V{1 + draw.integers(6)}",)), ONE),
        (lambda one: reordered(one, (4, 2, 0, 5, 1, 3)), ORDER),
    ):
        found = [suspect_leads(make(recording)) for recording in recordings]
        assert sum(one is not None and one.kind == kind for one in found) >= 27
