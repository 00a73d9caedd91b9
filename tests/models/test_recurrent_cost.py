"""Recurrent layers are counted as their definition says, and are themselves again afterwards."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from ecgcore.models.card import trained_models
from ecgcore.models.network import Network, count_flops
from ecgcore.models.predictor import load_predictor
from ecgcore.models.recurrent_cost import recurrence_stood_in, recurrent_flops
from ecgcore.models.registry import build_network

RECORDS, STEPS, INPUTS, HIDDEN = 2, 7, 5, 6

LAYERS = {
    "lstm": nn.LSTM(INPUTS, HIDDEN, batch_first=True),
    "gru": nn.GRU(INPUTS, HIDDEN, batch_first=True),
    "plain": nn.RNN(INPUTS, HIDDEN, batch_first=True),
    "deep, both directions": nn.LSTM(
        INPUTS, HIDDEN, num_layers=3, bidirectional=True, batch_first=True
    ),
    "projected": nn.LSTM(
        INPUTS, HIDDEN, num_layers=2, proj_size=3, bidirectional=True, batch_first=True
    ),
    "time first": nn.GRU(INPUTS, HIDDEN, bidirectional=True),
}


def stepped(layer: nn.RNNBase, records: int, steps: int) -> int:
    """What torch counts when every matrix of the layer is multiplied once a step."""
    with FlopCounterMode(display=False) as counter:
        for name, weight in layer.named_parameters():
            if name.startswith("weight"):
                for _ in range(steps):
                    functional.linear(torch.zeros(records, weight.shape[1]), weight)
    return int(counter.get_total_flops())


@pytest.mark.parametrize("name", LAYERS)
def test_every_matrix_once_a_step(name: str) -> None:
    layer = LAYERS[name]
    assert recurrent_flops(layer, RECORDS, STEPS) == stepped(layer, RECORDS, STEPS)


def test_a_cell_by_hand() -> None:
    """One LSTM cell: four gates of 6, each from 5 inputs and 6 states, two a multiply-add."""
    assert recurrent_flops(LAYERS["lstm"], 1, 1) == 2 * 4 * 6 * (5 + 6)
    assert recurrent_flops(LAYERS["gru"], 1, 10) == 2 * 3 * 6 * (5 + 6) * 10


@pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")
@pytest.mark.parametrize("name", LAYERS)
def test_a_stand_in_has_the_layer_s_shapes(name: str) -> None:
    layer = LAYERS[name]
    x = torch.randn(RECORDS, STEPS, INPUTS)
    if not layer.batch_first:
        x = x.transpose(0, 1)
    true_output, true_states = layer(x)
    with recurrence_stood_in(layer) as costs:
        output, states = layer(x)
    assert output.shape == true_output.shape
    assert _shapes(states) == _shapes(true_states)
    assert costs == [recurrent_flops(layer, RECORDS, STEPS)]
    assert torch.equal(layer(x)[0], true_output)


def _shapes(states: Tensor | tuple[Tensor, ...]) -> list[torch.Size]:
    return [state.shape for state in (states if isinstance(states, tuple) else (states,))]


class Small(Network):
    """A recurrence and a dense layer; fails where ``broken``."""

    def __init__(self, broken: bool = False) -> None:
        super().__init__()
        self.broken = broken
        self.gru = nn.GRU(INPUTS, HIDDEN, batch_first=True)
        self.head = nn.Linear(HIDDEN, 2)

    def features(self, x: Tensor) -> Tensor:
        output: Tensor = self.gru(x.transpose(1, 2))[0]
        if self.broken:
            raise ArithmeticError
        return output.mean(1)


def test_a_network_is_counted_once() -> None:
    """A GRU, of which torch's counter sees the products, is not counted twice."""
    network = Small()
    expected = recurrent_flops(network.gru, 1, STEPS) + 2 * HIDDEN * 2
    assert count_flops(network, INPUTS, STEPS) == expected


def test_the_layers_are_restored_after_a_failure() -> None:
    network = Small(broken=True)
    with pytest.raises(ArithmeticError):
        count_flops(network, INPUTS, STEPS)
    assert network.gru(torch.randn(1, STEPS, INPUTS))[0].abs().sum() > 0


def test_ecgencode_s_lstm_is_in_its_cost() -> None:
    """79 moments, two directions, four gates of 64 from 5 leads x 32 channels and 64 states."""
    network = build_network("ecgencode_m2", leads=12, labels=71)
    with recurrence_stood_in(network) as costs, torch.inference_mode():
        network.eval()(torch.zeros(1, 12, 5000))
    assert costs == [2 * 79 * 2 * 4 * 64 * (5 * 32 + 64)]


@pytest.mark.parametrize("name", trained_models())
def test_the_shipped_cards_state_this_cost(name: str) -> None:
    predictor = load_predictor(name)  # with its weights: trees have their sizes from these
    card = predictor.card
    found = count_flops(predictor.network, len(card.spec.leads), card.spec.samples)
    assert found == card.cost["flops"]
