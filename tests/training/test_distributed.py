"""Several workers train what one process trains, go on from its checkpoints, and never hang."""

from __future__ import annotations

import json
import signal
from os import kill
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from ecgcore.datasets.packed import PackedData, load_packed
from ecgcore.jobs.folder import read_live, read_state, write_wish
from ecgcore.jobs.values import now
from ecgcore.training.checkpoint import PROGRESS, Checkpoint, read_checkpoint
from ecgcore.training.distributed import ALONE, Workers
from ecgcore.training.loop import train
from ecgcore.training.options import options_from_json
from tests.packed_example import write_packed
from tests.torchrun import finished, outcome, torchrun, wait_until, worker_ids
from tests.training.distributed_program import PLAIN, runs, train_some
from tests.training.example_model import trained_model

PROGRAM = "tests.training.distributed_program"
SAME = sorted(set(runs("")) - {"dropout"})

# Adam moves a weight by up to the learning rate however small its gradient, so where that is
# rounding alone a weight may go another way.
FARTHEST, MEAN = 3e-4, 2e-5


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_packed(tmp_path_factory.mktemp("packed") / "packed.npz")


@pytest.fixture(scope="module")
def data(packed: Path) -> PackedData:
    return load_packed(packed)


@pytest.fixture(scope="module")
def teacher(data: PackedData, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained_model(PLAIN, data, tmp_path_factory.mktemp("teacher"))


@pytest.fixture(scope="module")
def by_two(
    data: PackedData, packed: Path, teacher: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The folder of all runs, each trained by two workers; ``begun_by_one`` has its first epoch."""
    folder = tmp_path_factory.mktemp("two")
    train_some(data, PLAIN, folder / "begun_by_one", ALONE, epochs=1)
    status, _, said = outcome([PROGRAM, str(packed), str(teacher), str(folder)])
    assert status == 0, said
    return folder


def _checkpoint(folder: Path) -> Checkpoint:
    checkpoint = read_checkpoint(folder)
    assert checkpoint is not None
    return checkpoint


def _losses(checkpoint: Checkpoint) -> list[float]:
    rows = checkpoint.progress.history
    return [row[name] for row in rows for name in ("loss", "validation_loss")]


def _assert_alike(one: Checkpoint, two: Checkpoint, loss: float = 1e-6) -> None:
    assert _losses(two) == pytest.approx(_losses(one), rel=loss)
    assert one.progress.step == two.progress.step
    assert torch.equal(one.random["draws"], two.random["draws"])
    for part in ("weights", "averaged", "objective"):
        first, second = getattr(one, part), getattr(two, part)
        assert set(first) == set(second)
        for name, value in first.items():
            apart = (value.double() - second[name].double()).abs()
            assert float(apart.max()) <= FARTHEST, name
            assert float(apart.mean()) <= MEAN, name


@pytest.mark.parametrize("name", [name for name in SAME if name != "wavelet"])
def test_two_workers_train_what_one_process_trains(
    name: str, data: PackedData, teacher: Path, by_two: Path, tmp_path: Path
) -> None:
    train(runs(str(teacher))[name], data, tmp_path)
    _assert_alike(_checkpoint(tmp_path), _checkpoint(by_two / name))


def test_statistics_that_are_no_batch_norms_are_of_the_whole_batch_too(
    data: PackedData, teacher: Path, by_two: Path, tmp_path: Path
) -> None:
    train(runs(str(teacher))["wavelet"], data, tmp_path)
    one, two = _checkpoint(tmp_path), _checkpoint(by_two / "wavelet")
    assert _losses(two) == pytest.approx(_losses(one), rel=1e-4)  # it divides by tiny variances
    for name in ("mean", "variance", "count"):
        torch.testing.assert_close(
            one.weights[f"standardise.{name}"], two.weights[f"standardise.{name}"]
        )


def test_one_process_goes_on_where_two_were_and_two_where_one_was(
    data: PackedData, by_two: Path, tmp_path: Path
) -> None:
    train(PLAIN, data, tmp_path)
    assert _checkpoint(by_two / "begun_by_two").progress.epoch == 1
    train(PLAIN, data, by_two / "begun_by_two")
    for name in ("begun_by_one", "begun_by_two"):
        _assert_alike(_checkpoint(tmp_path), _checkpoint(by_two / name))


def test_workers_go_on_with_the_dropout_of_an_uninterrupted_run(by_two: Path) -> None:
    whole, parts = _checkpoint(by_two / "dropout"), _checkpoint(by_two / "interrupted")
    assert _losses(whole) == _losses(parts)
    assert all(torch.equal(value, parts.weights[name]) for name, value in whole.weights.items())


def test_all_workers_stop_when_the_first_is_told_to_and_go_on_to_the_bit(by_two: Path) -> None:
    whole, parts = _checkpoint(by_two / "plain"), _checkpoint(by_two / "paused")
    assert _losses(whole) == _losses(parts)
    assert all(torch.equal(value, parts.weights[name]) for name, value in whole.weights.items())


def _training(packed: Path, folder: Path, epochs: int) -> list[str]:
    """The words of a run of its own options in ``folder``."""
    options = folder.parent / "options.json"
    options.write_text(json.dumps({**PLAIN.to_json(), "epochs": epochs, "fewest_positives": 1}))
    return [
        *("ecgcore", "train", "--json", "--options", str(options), "--data", str(packed)),
        *("--folder", str(folder)),  # torchrun would take --run for its own
    ]


def _rows(out: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.splitlines()]


def test_under_torchrun_one_worker_prints_and_publishes(packed: Path, tmp_path: Path) -> None:
    status, out, said = outcome(_training(packed, tmp_path / "run", epochs=1))
    assert status == 0, said
    rows = _rows(out)
    assert [row.get("epoch") for row in rows] == [1, None]
    assert (tmp_path / "run" / "model" / "card.json").exists()
    assert len((tmp_path / "run" / PROGRESS).read_text().splitlines()) == 1


def test_what_all_workers_refuse_is_said_once(packed: Path, tmp_path: Path) -> None:
    words = [*_training(packed, tmp_path / "run", epochs=1), "--set", "batch=1"]
    status, out, said = outcome(words)
    (row,) = _rows(out)
    assert status != 0
    assert "a batch of 1 cannot be cut among 2 workers; give a larger batch" in row["message"]
    assert "exitcode  : 3" in said


def test_a_run_of_several_workers_is_watched_and_can_be_paused(
    packed: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    with torchrun(_training(packed, folder, epochs=10_000)) as started:
        wait_until((folder / PROGRESS).exists)
        written, live = read_state(folder), read_live(folder)
        assert written is not None and written[0] == "running"
        assert live is not None and live.phase == "training"
        write_wish(folder, "pause", "ada", now())
        status, _, said = finished(started)
    assert status != 0
    assert "saved after step" in said and "goes on from here" in said
    written = read_state(folder)
    assert written is not None and written[0] == "paused"
    assert not (folder / "model" / "card.json").exists()


@pytest.mark.parametrize("rank", [0, 1])
def test_a_run_ends_with_its_worker_and_goes_on_from_the_last_epoch(
    rank: int, data: PackedData, packed: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    with torchrun(_training(packed, folder, epochs=10_000)) as started:
        wait_until((folder / PROGRESS).exists)
        kill(worker_ids(started)[rank], signal.SIGKILL)
        status, out, said = finished(started)
    assert status != 0
    assert "goes on from here" in said
    if rank:
        assert _rows(out)[-1]["error"] == "WorkerLost"
    left = _checkpoint(folder).progress
    assert left.epoch >= 1 and left.step % left.epoch == 0  # of a whole number of epochs

    options = options_from_json(json.loads((tmp_path / "options.json").read_text()))
    train_some(data, options, folder, ALONE, epochs=1)
    assert _checkpoint(folder).progress.epoch == left.epoch + 1


def test_a_worker_that_says_nothing_is_not_waited_for_without_end(
    packed: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    quick = {"ECG_WORKER_SILENCE": "10"}  # longer than a busy machine takes to import
    with torchrun(_training(packed, folder, epochs=10_000), environment=quick) as started:
        wait_until((folder / PROGRESS).exists)
        hung = worker_ids(started)[1]
        kill(hung, signal.SIGSTOP)
        wait_until(lambda: 0 not in worker_ids(started))
        kill(hung, signal.SIGKILL)  # as torchrun does, but after half a minute
        status, out, said = finished(started)
    assert status != 0
    assert "said nothing for 10 s" in _rows(out)[-1]["message"]
    assert "goes on from here" in said


@pytest.mark.parametrize(("records", "size"), [(9, 2), (10, 3), (4, 4), (64, 5)])
def test_a_batch_is_cut_without_gap_or_overlap(records: int, size: int) -> None:
    parts = [Workers(rank, size).own(records) for rank in range(size)]
    rows = [row for part in parts for row in range(records)[part]]
    assert rows == list(range(records))
    lengths = [part.stop - part.start for part in parts]
    assert max(lengths) - min(lengths) <= 1 <= min(lengths)


def test_one_process_alone_leaves_network_and_tensors_as_they_are() -> None:
    network = nn.Sequential(nn.Conv1d(2, 3, 3), nn.BatchNorm1d(3))
    ALONE.share_statistics(network)
    assert "forward" not in vars(network[1])
    part = torch.ones(4, 2)
    assert ALONE.gather(part, 4) is part
    assert ALONE.own(4) == slice(0, 4)
