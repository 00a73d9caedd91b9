"""AFibri-Net 3 (Phukan, Manikandan, Pachori 2023), a small detector of atrial fibrillation.

What is fixed. The publication's abstract: plain convolutional networks of 3, 4 or 5 layers with 8,
16, 32, 64 or 128 filters, kernels of 3 or 4 samples, and ReLU, leaky ReLU or ELU, on 5, 10 or 30 s
of ECG. ECGencode (Bontinck et al. 2024) took "AFibri-Net 3", the most compact for 10 s, as a
benchmark and counts 191,106 weights and about 12 MFLOP, with 2 outputs.

What is open. The full text could not be had and no program is public: filters, kernel, strides,
pooling, activation, dense layers, and whether the benchmark read 12 leads or one, are not known.

What was settled, by searching the abstract's choices for the published count on 12 leads of 5000
samples: three unpadded
convolutions of 32, 32 and 64 filters, kernel 3, stride 2, with bias and ReLU, each followed by a
max-pool of 3; flattened; a dense layer of 128 with ReLU; the outputs. That is exactly 191,106
weights and 9.5 MFLOP in convolutions and dense layers. Of the regular layouts tried (equal kernel,
stride and pooling in all layers, filters that do not fall) none with that count came nearer to
12 MFLOP. The count supports this layout and does not prove it: one lead through five padded layers
of 16, 32, 32, 32, 64 (kernel 3, max-pool 3, batch norm counted as four numbers a channel) and dense
layers of 128 and 32 has the same count at 11.3 MFLOP, but would not be compared on 12 leads.

Other lengths than 5000 samples are averaged to the 22 places of time that the dense layer reads.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn import functional

from ecgcore.models.input_spec import InputSpec
from ecgcore.models.network import Network, count_parameters
from ecgcore.models.registry import register

PAPER = "Phukan, Manikandan, Pachori 2023, AFibri-Net 3"
AFIBRI_SPEC = InputSpec(sampling_rate=500.0, seconds=10.0)


@dataclass(frozen=True)
class AFibriNetOptions:
    """Filters of each layer; kernel, stride and max-pool of all; dense width and drop-out after
    it."""

    filters: tuple[int, ...] = (32, 32, 64)
    kernel: int = 3
    stride: int = 2
    pool: int = 3
    dense: int = 128
    dropout: float = 0.0


@register(
    "afibri_net3",
    options=AFibriNetOptions,
    paper=PAPER,
    spec=AFIBRI_SPEC,
    labels=2,
    output="softmax",
    count=count_parameters,
)
class AFibriNet(Network):
    """The whole network; features are the dense layer's."""

    def __init__(self, options: AFibriNetOptions, leads: int, labels: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        inputs, self.time = leads, AFIBRI_SPEC.samples
        for filters in options.filters:
            layers.append(nn.Conv1d(inputs, filters, options.kernel, options.stride))
            layers += [nn.ReLU(), nn.MaxPool1d(options.pool)]
            self.time = ((self.time - options.kernel) // options.stride + 1) // options.pool
            inputs = filters
        self.convolutions = nn.Sequential(*layers)
        self.dense = nn.Linear(inputs * self.time, options.dense)
        self.dropout = nn.Dropout(options.dropout)
        self.head = nn.Linear(options.dense, labels)

    def features(self, x: Tensor) -> Tensor:
        """(batch, dense)."""
        seen = functional.adaptive_avg_pool1d(self.convolutions(x), self.time)
        features: Tensor = self.dropout(functional.relu(self.dense(seen.flatten(1))))
        return features

    @property
    def cam_layer(self) -> nn.Module:
        """All convolutions: (batch, last filters, 22)."""
        return self.convolutions
