"""lstm_bidir is the PTB-XL benchmark's network: its exact count, its states and their pooling."""

from __future__ import annotations

import pytest
import torch

from ecgcore.models.lstm_bidir import LastStates, LstmBidir, concat_pool
from ecgcore.models.network import count_parameters
from ecgcore.models.registry import build_network, network_entry


@pytest.mark.parametrize(("labels", "weights"), [(5, 2_330_629), (71, 2_339_143)])
def test_weights_are_the_published(labels: int, weights: int) -> None:
    network = build_network("lstm_bidir", leads=12, labels=labels)
    assert network_entry("lstm_bidir").count(network) == weights


def test_weights_by_hand() -> None:
    def direction(inputs: int) -> int:
        return 4 * 256 * (inputs + 256) + 2 * 4 * 256

    recurrence = 2 * direction(12) + 2 * direction(512)
    dense = 2 * 1536 + 1536 * 128 + 128
    last = 2 * 128 + 128 * 71 + 71
    network = build_network("lstm_bidir", leads=12, labels=71)
    assert count_parameters(network) == recurrence + dense + last


def test_the_recurrence_maps_time_to_time() -> None:
    network = build_network("lstm_bidir", leads=3, labels=5).eval()
    assert isinstance(network, LstmBidir)
    with torch.inference_mode():
        states = network.recurrence(torch.randn(2, 3, 40))
        assert states.shape == (2, 512, 40)
        assert network.features(torch.randn(2, 3, 250)).shape == (2, 128)


@pytest.mark.parametrize(("last", "end"), [("each_direction", 4.0), ("final_sample", 6.0)])
def test_pooling_is_mean_maximum_and_last(last: LastStates, end: float) -> None:
    states = torch.tensor([[[1.0, 5.0, 3.0], [4.0, -10.0, 6.0]]])
    pooled = concat_pool(states, last)
    assert pooled.tolist() == [[3.0, 0.0, 5.0, 6.0, 3.0, end]]


def test_each_direction_has_read_everything_at_its_end() -> None:
    """The backward half's last state depends on the last sample, the program's does not on the
    first ones.
    """
    network = build_network("lstm_bidir", leads=2, labels=5).eval()
    assert isinstance(network, LstmBidir)
    x = torch.randn(1, 2, 30, generator=torch.Generator().manual_seed(0))
    changed = x.clone()
    changed[..., :10] += 1.0
    with torch.inference_mode():
        before, after = network.recurrence(x), network.recurrence(changed)
    ours = [concat_pool(states, "each_direction")[:, -256:] for states in (before, after)]
    theirs = [concat_pool(states, "final_sample")[:, -256:] for states in (before, after)]
    assert not torch.allclose(ours[0], ours[1])
    assert (theirs[0] - theirs[1]).abs().max() < (ours[0] - ours[1]).abs().max()
