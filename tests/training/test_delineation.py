"""Training of the delineation network: truth follows the signal, folds stay apart, it learns."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from ecgcore.datasets.ludb import LeadMarks, MarkedRecording
from ecgcore.recording import LEADS, Recording, Source
from ecgcore.signal.delineation.lead_input import NETWORK_RATE
from ecgcore.signal.delineation.network import CARD, WEIGHTS, DelineationCardError, load_network
from ecgcore.signal.delineation.wave_network import WaveNetwork, WaveNetworkOptions
from ecgcore.training import delineation
from ecgcore.training.delineation import (
    ALL,
    FOLDS,
    Material,
    Recipe,
    fold_folder,
    fold_of,
    publish,
    train_parts,
)
from ecgcore.training.delineation_crops import CropOptions, draw_crops
from ecgcore.training.delineation_data import FINE_RATE, marked_set, overall_marks
from ecgcore.training.delineation_loop import DelineationOptions, Share, train_delineation
from ecgcore.training.delineation_simulated import simulated_set
from ecgcore.training.delineation_taught import readable, taught_set
from ecgcore.training.delineation_time import TO_P, other_pauses

RATE, SECONDS, PERIOD = 500.0, 10.0, 400
CLEAN = CropOptions(
    samples=512, stretch=0.0, gain=0.0, flip=0.0, wander=0.0, mains=0.0, muscle=0.0, filtered=0.0,
    without_p=0.0, fewer_leads=0.0,
)  # fmt: skip
TINY = DelineationOptions(
    network=WaveNetworkOptions(lead_channels=(8, 12, 16), joint_channels=(8, 12)),
    crops=replace(CropOptions(), samples=512),
    steps=40,
)
RECIPE = Recipe(
    student=replace(TINY, steps=4),
    teacher=replace(TINY, steps=2),
    teachers=2,
    marked=2,
    simulated=1,
    taught=1,
    hearts=2,
)


def beats(name: str, shift: int = 0) -> MarkedRecording:
    """Twelve leads of square P, QRS and T waves 0.8 s apart, marked from 1 s to 9 s."""
    signal = np.zeros((12, round(SECONDS * RATE)), dtype=np.float32)
    rows: dict[str, list[tuple[float, float, float]]] = {"P": [], "QRS": [], "T": []}
    scale = np.linspace(0.5, 1.5, 12)[:, None]
    for start in range(200 + shift, 4600, PERIOD):
        for wave, at, width, height in (
            ("P", 0, 50, 0.15),
            ("QRS", 80, 40, 1.0),
            ("T", 180, 90, 0.3),
        ):
            onset = start + at
            signal[:, onset : onset + width] += scale * height * np.hanning(width)
            if onset >= 500 and onset + width <= 4500:
                rows[wave].append((onset, onset + width / 2, onset + width))
    waves = {wave: np.array(marks, dtype=np.float64) for wave, marks in rows.items()}
    everything = np.concatenate(list(waves.values()))
    marks = LeadMarks(waves, float(everything.min()), float(everything.max()))
    source = Source("test", f"{name:0>64}")
    recording = Recording(name, signal, RATE, LEADS, source)
    return MarkedRecording(recording, dict.fromkeys(LEADS, marks), "Sinus rhythm", False)


def test_truth_lies_where_the_marks_are() -> None:
    data = marked_set([beats("1")])
    marks = beats("1").marks["II"].waves
    assert data.signal.shape == (1, 12, 5000)
    first = 1  # sample of the recording that the network's first one is, at 500 Hz
    for row, wave in enumerate(("P", "QRS", "T")):
        edges = first + np.flatnonzero(np.diff((data.inside[0, 3, row] > 0.5).astype(int)))
        np.testing.assert_allclose(edges[::2], marks[wave][:, 0], atol=1.5)
        np.testing.assert_allclose(edges[1::2], marks[wave][:, 2], atol=1.5)
    known = np.flatnonzero(data.known[0, 3])
    assert known[0] == pytest.approx(beats("1").marks["II"].start - 10, abs=2)
    assert known[-1] == pytest.approx(beats("1").marks["II"].stop + 10, abs=2)


def test_nothing_is_known_where_an_onset_was_not_marked() -> None:
    marked = beats("1")
    waves = {wave: rows.copy() for wave, rows in marked.marks["II"].waves.items()}
    waves["QRS"][2, 0] = np.nan
    peak = int(waves["QRS"][2, 1])
    lead = replace(marked.marks["II"], waves=waves)
    data = marked_set([replace(marked, marks={**marked.marks, "II": lead})])
    assert not data.known[0, 1, peak - 49 : peak].any()
    assert data.known[0, 1, peak + 2 : peak + 30].all()
    assert data.known[0, 0, peak - 49 : peak].all()


def test_the_heart_is_the_median_of_the_leads() -> None:
    shifted = {}
    for index, (lead, marks) in enumerate(beats("1").marks.items()):
        waves = {wave: rows + 3.0 * index for wave, rows in marks.waves.items()}
        shifted[lead] = replace(marks, waves=waves)
    del shifted["V6"]
    shifted["I"] = replace(shifted["I"], waves={w: np.empty((0, 3)) for w in ("P", "QRS", "T")})
    overall = overall_marks(shifted, RATE)
    np.testing.assert_allclose(overall.waves["T"], beats("1").marks["I"].waves["T"] + 3 * 5.5)


def test_truth_stays_on_the_signal_when_time_is_stretched() -> None:
    data = marked_set([beats("1")])
    crops = draw_crops(
        data, np.zeros(8, dtype=np.intp), replace(CLEAN, stretch=0.3), np.random.default_rng(0)
    )
    widths = []
    for values, target in zip(crops.values[:, 5].numpy(), crops.target[:, 5].numpy(), strict=True):
        edges = np.flatnonzero(np.diff((target[2] > 0.5).astype(int)))
        if target[2, 0] <= 0.5 and len(edges) >= 2:
            widths.append(edges[1] - edges[0])
            top = edges[0] + int(np.argmax(values[edges[0] : edges[1]]))
            assert top == pytest.approx((edges[0] + edges[1]) / 2, abs=1.5)
    assert max(widths) > 1.2 * min(widths)
    torch.testing.assert_close(crops.target.sum(dim=2), torch.ones_like(crops.target[:, :, 0]))


def test_a_p_wave_taken_out_is_gone_from_signal_and_truth() -> None:
    data = marked_set([beats("1")])
    options = replace(CLEAN, without_p=1.0, samples=1500)
    crops = draw_crops(data, np.zeros(20, dtype=np.intp), options, np.random.default_rng(0))
    p_share = crops.target[:, 0, 1].sum(dim=1)
    assert (p_share == 0).any()
    assert (data.inside[0, 0, 0] > 0).any()
    kept = draw_crops(data, np.zeros(1, dtype=np.intp), CLEAN, np.random.default_rng(0))
    assert kept.target[:, :, 1].sum() > 0


def test_disturbances_leave_the_truth_alone_and_are_drawn_by_the_seed() -> None:
    data = marked_set([beats("1")])
    options = replace(CropOptions(), samples=512, without_p=0.0)
    one, two = (
        draw_crops(data, np.zeros(4, dtype=np.intp), options, np.random.default_rng(3))
        for _ in range(2)
    )
    torch.testing.assert_close(one.values, two.values, rtol=0, atol=0)
    assert one.present.any(dim=1).all()
    assert one.values.shape == (4, 12, 512)
    assert one.target.shape == (4, 13, 4, 512)


def test_it_learns_the_waves() -> None:
    data = marked_set([beats("1"), beats("2", 60), beats("3", 130)])
    losses: list[float] = []
    options = replace(TINY, crops=CLEAN, steps=200, learning_rate=1e-2)
    network = train_delineation(
        [Share(data, 2)], options, report=lambda step, loss: losses.append(loss)
    )
    assert losses[-1] < 0.5 * losses[0]
    samples = int(4 * NETWORK_RATE) // 8 * 8
    fine = data.signal[0, :, :: int(FINE_RATE / NETWORK_RATE)][:, 250 : 250 + samples]
    with torch.inference_mode():
        leads, _ = network(torch.from_numpy(np.ascontiguousarray(fine))[None])
    said = leads[0].argmax(dim=1).numpy()
    target = np.rint(data.inside[0, :-1, :, 500 : 500 + 2 * samples : 2])
    truth = np.where(target.any(axis=1), target.argmax(axis=1) + 1, 0)
    assert (said == truth).mean() > 0.9


def test_the_same_seed_gives_the_same_weights_however_crops_are_drawn() -> None:
    data = marked_set([beats("1"), beats("2", 60)])
    shares = [Share(data, 3), Share(data, 1)]
    one, two = (
        train_delineation(shares, replace(TINY, steps=3), processes=processes)
        for processes in (0, 1)
    )
    for name, weight in one.state_dict().items():
        torch.testing.assert_close(weight, two.state_dict()[name], rtol=0, atol=0)


def test_a_recording_is_always_held_out_in_the_same_fold() -> None:
    folds = [fold_of(str(number)) for number in range(1, 201)]
    assert set(folds) == set(range(FOLDS))
    assert folds[:10] == [fold_of(str(number)) for number in range(1, 11)]
    assert min(folds.count(fold) for fold in range(FOLDS)) >= 25


@pytest.fixture(scope="module")
def material() -> Material:
    """Twelve marked recordings and two unmarked ones."""
    marked = [beats(str(number), 7 * number) for number in range(1, 13)]
    return Material(marked, [beats("a", 11).recording, beats("b", 23).recording], RECIPE)


@pytest.fixture(scope="module")
def trained(material: Material, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five folds and a published network of a tiny recipe."""
    folder = tmp_path_factory.mktemp("delineation")
    publish(material, folder / "folds", folder / "out", "the command")
    return folder


def test_neither_a_fold_nor_its_teachers_saw_its_recordings(
    trained: Path, material: Material
) -> None:
    total = 0
    for fold in range(FOLDS):
        folder = fold_folder(trained / "folds", fold)
        held_out = [n for n in range(1, 13) if fold_of(str(n)) == fold]
        for of in (folder, folder / "teacher0", folder / "teacher1"):
            card = json.loads((of / CARD).read_text())
            assert card["part"] == folder.name
            assert card["data"]["recordings"] == 12 - len(held_out)
        seen = [material.marked[n].recording.record_id for n in material.seen_by(folder.name)]
        assert not {str(n) for n in held_out} & set(seen)
        total += len(held_out)
    assert total == 12
    assert len(material.seen_by(ALL)) == 12


def test_what_is_finished_is_not_trained_again(
    trained: Path, material: Material, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainings: list[str] = []
    monkeypatch.setattr(
        delineation, "_train_into", lambda folder, *rest: trainings.append(folder.name)
    )
    train_parts(material, trained / "folds")
    assert trainings == []
    other = replace(RECIPE, student=replace(RECIPE.student, steps=5))
    without = replace(material, unmarked=(), recipe=other)
    train_parts(without, trained / "folds", ["fold2", ALL])
    assert trainings == ["fold2", ALL]


def test_the_published_card_says_what_how_and_how_good(trained: Path) -> None:
    card = load_network(trained / "out").card
    assert card["data"]["recordings"] == 12
    assert card["command"] == "the command"
    assert card["options"]["steps"] == 4
    assert card["recipe"]["teachers"] == 2
    assert card["data"]["unmarked_recordings"] == 2
    assert card["metrics"]["recordings"] == 12
    assert {"P sensitivity", "QRS on sd_ms", "T off within"} <= card["metrics"]["overall"].keys()
    assert card["cost"]["bytes"] == (trained / "out" / WEIGHTS).stat().st_size
    assert card["limits"]


def test_other_weights_beside_the_card_are_refused(trained: Path, tmp_path: Path) -> None:
    (tmp_path / CARD).write_text((trained / "out" / CARD).read_text())
    (tmp_path / WEIGHTS).write_bytes((fold_folder(trained / "folds", 0) / WEIGHTS).read_bytes())
    with pytest.raises(DelineationCardError, match="are not the weights"):
        load_network(tmp_path)


def test_other_pauses_leave_waves_and_st_as_they_are() -> None:
    data = marked_set([beats("1")])
    inside = data.inside[0]
    faster = other_pauses(inside, np.random.default_rng(1))
    shown = (inside > 0.5).any(axis=(0, 1))
    assert set(faster[shown]) == {1.0}
    t_to_p = slice(880, 990)  # a T wave ends at 870, the next P wave begins at 1000
    assert np.unique(faster[t_to_p]).size == 1
    assert 0.5 * TO_P[0] < faster[900] < 1.5 * TO_P[1]
    st = slice(725, 775)  # a QRS complex ends at 720, its T wave begins at 780
    assert set(faster[st]) == {1.0}


def test_shorter_pauses_make_a_faster_heart_of_the_same_waves() -> None:
    data = marked_set([beats("1")])
    options = replace(CLEAN, samples=1000, other_pauses=1.0)
    crops = draw_crops(data, np.zeros(40, dtype=np.intp), options, np.random.default_rng(2))
    gaps, widths = [], []
    for target in crops.target[:, 1].numpy():
        edges = np.flatnonzero(np.diff((target[2] > 0.5).astype(int)))
        if target[2, 0] <= 0.5 and len(edges) >= 4:
            gaps += np.diff(edges[::2]).tolist()
            widths += (edges[1::2] - edges[: len(edges) // 2 * 2 : 2]).tolist()
    assert min(gaps) < 0.85 * PERIOD / 2 < max(gaps)
    # A border sample lies partly in the pause, at either end.
    assert max(widths) - min(widths) <= 3


def test_simulated_hearts_teach_no_border() -> None:
    data = simulated_set(3, seed=1)
    again = simulated_set(3, seed=1)
    np.testing.assert_array_equal(data.signal, again.signal)
    inside = data.inside > 0.5
    change = np.abs(np.diff(inside.astype(int), axis=-1)).max(axis=2) > 0
    assert change.any()
    assert not data.known[..., :-1][change].any()
    assert data.known[inside.any(axis=2)].mean() > 0.3
    assert 0.3 < data.known.mean() < 0.9


class Sure(WaveNetwork):
    """A teacher that says QRS where a lead, or their mean, is above half its highest."""

    def __init__(self) -> None:
        super().__init__(TINY.network)

    def forward(
        self, values: torch.Tensor, present: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        def logits(lead: torch.Tensor) -> torch.Tensor:
            above = (lead > lead.amax(-1, keepdim=True) / 2).float()
            return 20 * torch.stack([1 - above, 0 * above - 1, above, 0 * above - 1], dim=-2)

        return logits(values), logits(values.mean(1))


def test_what_teachers_believe_is_kept_at_twice_the_rate() -> None:
    recording = beats("1").recording
    data = marked_set([beats("1")])
    taught = taught_set([recording], [Sure(), Sure()], torch.device("cpu"))
    assert taught.signal.shape == (1, 12, 5000)
    np.testing.assert_allclose(taught.signal[0], data.signal[0], atol=1e-6)
    lead = data.signal[0, 1, ::2]
    np.testing.assert_allclose(taught.inside[0, 1, 1, ::2], lead > lead.max() / 2, atol=1e-6)
    between = (taught.inside[..., :-2:2] + taught.inside[..., 2::2]) / 2
    np.testing.assert_allclose(taught.inside[..., 1:-1:2], between, atol=1e-6)
    assert not taught.inside[:, :, [0, 2]].any()
    assert not taught.known[..., :250].any()
    assert not taught.known[..., -250:].any()
    assert taught.known[..., 250:-250].all()


def test_only_recordings_with_twelve_usable_leads_are_taught_from() -> None:
    good = beats("1").recording
    flat = good.signal.copy()
    flat[4] = 0.0
    assert readable([good, replace(good, signal=flat)]) == [good]
