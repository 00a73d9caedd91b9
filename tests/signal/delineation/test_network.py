"""The shipped delineation network: what must not move a mark, and what is refused."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from ecgcore.recording import LEADS
from ecgcore.signal.delineation.agreement import LeadsRead
from ecgcore.signal.delineation.network import (
    CARD,
    CHUNK_SAMPLES,
    SHIPPED,
    WEIGHTS,
    DelineationCardError,
    load_network,
    read_leads,
    shipped_network,
)
from ecgcore.signal.delineation.waves import WAVES, WaveMarks

RATE = 500.0
BEAT_SECONDS = 0.8
FIRST_BEAT = 0.6

# Centre after the beat's time and width (s), and height along the heart's axis (mV).
_BUMPS = (
    (-0.16, 0.022, 0.12), (-0.022, 0.008, -0.12), (0.0, 0.010, 1.1), (0.024, 0.009, -0.25),
    (0.25, 0.042, 0.30),
)  # fmt: skip
_SHARES = np.linspace(1.2, 0.4, len(LEADS)) * np.where(np.arange(len(LEADS)) == 3, -1, 1)


def ecg(rate: float = RATE, seconds: float = 10.0, seed: int = 0) -> dict[str, NDArray[np.float32]]:
    """Twelve leads of a regular rhythm of 75 a minute with 5 uV of noise."""
    fine = np.arange(round(seconds * rate)) / rate
    beat = np.zeros_like(fine)
    for time in np.arange(FIRST_BEAT, seconds + 1, BEAT_SECONDS):
        for centre, width, height in _BUMPS:
            beat += height * np.exp(-0.5 * ((fine - time - centre) / width) ** 2)
    noise = np.random.default_rng(seed).normal(0, 0.005, (len(LEADS), len(fine)))
    return {
        lead: (share * beat + noise[row]).astype(np.float32)
        for row, (lead, share) in enumerate(zip(LEADS, _SHARES, strict=True))
    }


def assert_near(
    found: WaveMarks, expected: WaveMarks, tolerance: float, shift: float = 0.0, scale: float = 1.0
) -> None:
    """The same waves with the same marks, in samples, away from the ends."""
    for wave in WAVES:
        assert found[wave].shape == expected[wave].shape, wave
        np.testing.assert_allclose(found[wave], expected[wave] * scale + shift, atol=tolerance)


def all_marks(read: LeadsRead) -> Mapping[str, WaveMarks]:
    """The marks of the leads, and of the heart as "heart"."""
    assert read.overall is not None
    return {**read.marks, "heart": read.overall}


def test_every_beat_is_found_in_every_lead() -> None:
    beats = np.arange(FIRST_BEAT, 9.5, BEAT_SECONDS) * RATE
    for lead, marks in all_marks(read_leads(ecg(), RATE)).items():
        for beat in beats:
            qrs = marks["QRS"][np.abs(marks["QRS"][:, 1] - beat) < 25]
            assert len(qrs) == 1, (lead, beat)
            assert -50 < qrs[0, 0] - beat < -5
            assert 5 < qrs[0, 2] - beat < 50
        t_tops = marks["T"][:, 1]
        p_tops = marks["P"][:, 1]
        assert all(np.abs(t_tops - beat - 0.25 * RATE).min() < 15 for beat in beats), lead
        assert all(np.abs(p_tops - beat + 0.16 * RATE).min() < 15 for beat in beats), lead
        assert len(marks["QRS"]) <= len(beats) + 1


def test_offset_and_gain_move_no_mark() -> None:
    given = ecg()
    changed = {lead: 3.1 * samples + 40.0 for lead, samples in given.items()}
    before, after = all_marks(read_leads(given, RATE)), all_marks(read_leads(changed, RATE))
    for lead, marks in before.items():
        assert_near(after[lead], marks, 0.05)


def test_marks_move_with_the_signal() -> None:
    long = ecg(seconds=14.0)
    for shift in (1, 7, 100):
        early = read_leads({lead: s[500:5500] for lead, s in long.items()}, RATE)
        late = read_leads({lead: s[500 + shift : 5500 + shift] for lead, s in long.items()}, RATE)
        for lead, marks in all_marks(early).items():
            for wave in WAVES:
                inner = marks[wave][(marks[wave][:, 1] > 700) & (marks[wave][:, 1] < 4300)]
                then = all_marks(late)[lead][wave]
                nearest = np.abs(then[:, None, 1] - (inner[None, :, 1] - shift)).argmin(axis=0)
                np.testing.assert_allclose(then[nearest], inner - shift, atol=3.0)


def test_a_lead_depends_on_nothing_but_itself() -> None:
    given = ecg()
    before = read_leads(given, RATE).marks
    turned = read_leads({lead: given[lead] for lead in reversed(LEADS)}, RATE).marks
    alone = read_leads({"V2": given["V2"]}, RATE).marks
    noise = np.random.default_rng(1).normal(size=5000).astype(np.float32)
    beside = read_leads({**given, "V1": noise}, RATE).marks
    for lead in LEADS:
        assert_near(turned[lead], before[lead], 0.01)
        if lead != "V1":
            assert_near(beside[lead], before[lead], 0.01)
    assert_near(alone["V2"], before["V2"], 0.01)


def test_the_order_of_leads_does_not_change_the_heart() -> None:
    given = ecg()
    before = all_marks(read_leads(given, RATE))["heart"]
    turned = all_marks(read_leads({lead: given[lead] for lead in reversed(LEADS)}, RATE))["heart"]
    assert_near(turned, before, 0.01)


def test_a_few_leads_are_enough_for_the_heart() -> None:
    given = ecg()
    before = all_marks(read_leads(given, RATE))["heart"]
    few = all_marks(read_leads({lead: given[lead] for lead in ("I", "II", "V5")}, RATE))["heart"]
    assert_near(few, before, 8.0)


@pytest.mark.parametrize("rate", [100.0, 250.0, 360.0, 1000.0])
def test_the_rate_of_the_file_moves_no_mark_in_time(rate: float) -> None:
    before = all_marks(read_leads(ecg(RATE), RATE))["heart"]
    after = all_marks(read_leads(ecg(rate), rate))["heart"]
    assert_near(after, before, 0.012 * rate, scale=rate / RATE)


def test_a_long_recording_is_read_in_pieces_without_a_seam() -> None:
    seconds = 1.8 * CHUNK_SAMPLES / 250.0
    given = {
        lead: samples for lead, samples in ecg(seconds=seconds).items() if lead in ("II", "V5")
    }
    heart = all_marks(read_leads(given, RATE))["heart"]
    for wave in WAVES:
        assert np.allclose(np.diff(heart[wave][:, 1]), BEAT_SECONDS * RATE, atol=8)
    assert len(heart["QRS"]) >= int(seconds / BEAT_SECONDS) - 2


@pytest.mark.parametrize("seconds", [0.3, 1.0, 2.0])
def test_a_short_piece_is_read_as_far_as_it_goes(seconds: float) -> None:
    heart = all_marks(read_leads(ecg(seconds=seconds), RATE))["heart"]
    for wave in WAVES:
        assert heart[wave].shape[1] == 3
        assert ((heart[wave] >= 0) & (heart[wave] <= seconds * RATE)).all()


def test_single_missing_samples_do_no_harm() -> None:
    given = ecg()
    holed = {lead: samples.copy() for lead, samples in given.items()}
    for samples in holed.values():
        samples[np.random.default_rng(2).integers(0, 5000, 40)] = np.nan
    before, after = all_marks(read_leads(given, RATE)), all_marks(read_leads(holed, RATE))
    assert_near(after["heart"], before["heart"], 3.0)


def test_nothing_gives_nothing() -> None:
    assert read_leads({}, RATE).marks == {}
    flat = read_leads({"I": np.zeros(5000, dtype=np.float32)}, RATE)
    assert all(len(rows) == 0 for marks in all_marks(flat).values() for rows in marks.values())


def test_the_shipped_card_says_what_it_must() -> None:
    card = shipped_network().card
    assert {"data", "recipe", "metrics", "limits", "command", "cost", "folds"} <= card.keys()
    assert (SHIPPED / WEIGHTS).stat().st_size < 5_000_000
    assert card["metrics"]["recordings"] == card["data"]["recordings"]


def _copied(to: Path) -> Path:
    shutil.copytree(SHIPPED, to / "network")
    return to / "network"


def test_other_weights_are_refused(tmp_path: Path) -> None:
    folder = _copied(tmp_path)
    (folder / WEIGHTS).write_bytes((folder / WEIGHTS).read_bytes()[:-4] + b"\0\0\1\0")
    with pytest.raises(DelineationCardError, match="are not the weights"):
        load_network(folder)


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    folder = _copied(tmp_path)
    card = json.loads((folder / CARD).read_text())
    card["network"]["lead_channels"][0] += 1
    (folder / CARD).write_text(json.dumps(card))
    with pytest.raises(DelineationCardError, match="do not fit"):
        load_network(folder)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"network": {}}'])
def test_a_damaged_card_is_refused(tmp_path: Path, text: str) -> None:
    folder = _copied(tmp_path)
    (folder / CARD).write_text(text)
    with pytest.raises(DelineationCardError, match="install"):
        load_network(folder)


def test_missing_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DelineationCardError, match="cannot be read"):
        load_network(tmp_path)
    folder = _copied(tmp_path)
    (folder / WEIGHTS).unlink()
    with pytest.raises(DelineationCardError, match="cannot be read"):
        load_network(folder)
