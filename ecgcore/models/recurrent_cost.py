"""What recurrent layers cost, by formula.

torch's counter sees the matrix products of a GRU, which it runs step by step, but none of an LSTM,
which runs in one piece; and stepping through 5,000 samples only to count takes seconds. So the
layers are counted here and stood in for by zeros, which change no later shape.

A step of one layer and direction multiplies its input and its hidden state by a matrix a gate (four
gates in an LSTM, three in a GRU, one in a plain RNN), two operations a multiply-add; as elsewhere,
biases and activations are not counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from torch import Tensor, nn

_GATES = {"LSTM": 4, "GRU": 3, "RNN_TANH": 1, "RNN_RELU": 1}

_States = Tensor | tuple[Tensor, Tensor]


def recurrent_flops(layer: nn.RNNBase, records: int, steps: int) -> int:
    """Operations of an ``nn.LSTM``, ``nn.GRU`` or ``nn.RNN`` over (records, steps) inputs."""
    directions = 2 if layer.bidirectional else 1
    state = layer.proj_size or layer.hidden_size
    gates = _GATES[layer.mode] * layer.hidden_size
    products = 0
    for depth in range(layer.num_layers):
        inputs = layer.input_size if depth == 0 else directions * state
        products += directions * gates * (inputs + state)
        products += directions * layer.hidden_size * layer.proj_size
    return 2 * products * records * steps


@contextmanager
def recurrence_stood_in(network: nn.Module) -> Iterator[list[int]]:
    """Within, recurrent layers answer zeros; the list gets one number of operations a call."""
    costs: list[int] = []
    layers = [module for module in network.modules() if isinstance(module, nn.RNNBase)]
    for layer in layers:
        # An attribute of the module hides its class's forward until it is deleted.
        object.__setattr__(layer, "forward", _stand_in(layer, costs))
    try:
        yield costs
    finally:
        for layer in layers:
            object.__delattr__(layer, "forward")


def _stand_in(layer: nn.RNNBase, costs: list[int]) -> Callable[..., tuple[Tensor, _States]]:
    directions = 2 if layer.bidirectional else 1
    width = layer.proj_size or layer.hidden_size

    def forward(x: Tensor, states: _States | None = None) -> tuple[Tensor, _States]:
        records, steps = x.shape[:2] if layer.batch_first else x.shape[1::-1]
        costs.append(recurrent_flops(layer, records, steps))
        last = x.new_zeros(layer.num_layers * directions, records, width)
        output = x.new_zeros(*x.shape[:2], directions * width)
        if isinstance(layer, nn.LSTM):
            return output, (last, x.new_zeros(len(last), records, layer.hidden_size))
        return output, last

    return forward
