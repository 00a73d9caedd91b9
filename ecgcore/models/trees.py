"""What networks of trees have in common: they look at the measured biomarkers, not at the signal.

All that they are told is beside the signal, see ``measured``. They are grown (see
``training.growing``) and kept as tables of numbers, so that the weights are those of any network.
Each kind is a module of its own.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping

import torch
from torch import Tensor, nn

from ecgcore.models.input_spec import InputSpec
from ecgcore.models.measured import MEASURED_ASIDE, MeasuredNetwork
from ecgcore.models.network import Network

GROWN = ("forest", "boosted_trees")
"""Names of these networks: they are grown at once instead of learning in steps."""

TREES_SPEC = InputSpec(sampling_rate=100.0, seconds=10.0, aside=MEASURED_ASIDE)

MOST_SOFT = 10.0
"""Standard deviations that a limit reaches on either side at most."""

LARGEST = 1e6
"""What is stored of a leaf, a beginning or a width is less."""


def share_above(values: Tensor, threshold: Tensor, width: Tensor) -> Tensor:
    """How much of a record goes right at each node, 0 to 1: values (..., nodes, records),
    thresholds and widths (..., nodes). All of it from ``width`` above the threshold on, half at it;
    where the width is 0, all above the threshold and nothing at it."""
    above, width = values - threshold[..., None], width[..., None]
    return torch.where(width > 0, (above / (2 * width) + 0.5).clamp(0, 1), above > 0)


class TreesHead(nn.Module, ABC):
    """Tables that answer: (batch, columns) to logits. Their sizes are those of what is loaded."""

    def __init__(self, columns: int, labels: int) -> None:
        super().__init__()
        self.in_features, self.labels = columns, labels

    @abstractmethod
    def count_numbers(self) -> int:
        """Thresholds of the inner nodes and numbers of the leaves."""

    @abstractmethod
    def faults(self, tables: Mapping[str, Tensor]) -> Iterator[str]:
        """Why tables are no trees."""

    def _faults(self, tables: Mapping[str, Tensor]) -> Iterator[str]:
        """Why tables are no trees: kinds of numbers first, then what they say."""
        whole = {name: not self.get_buffer(name).is_floating_point() for name in tables}
        if any(table.is_complex() for table in tables.values()):
            yield "complex numbers"
        elif any(whole[name] and tables[name].is_floating_point() for name in tables):
            names = ", ".join(name for name in tables if whole[name])
            yield f"{names} are no whole numbers"
        else:
            yield from self.faults(tables)

    def _load_from_state_dict(  # type: ignore[no-untyped-def]
        self, state_dict: dict[str, Tensor], prefix: str, *rest
    ) -> None:
        """Take the sizes of what is loaded. RuntimeError for tables that are no trees."""
        names = [name for name, _ in self.named_buffers(recurse=False)]
        given = {name: state_dict[prefix + name] for name in names if prefix + name in state_dict}
        if len(given) == len(names):  # what is missing is said by who loads
            wrong = next(self._faults(given), None)
            if wrong:
                raise RuntimeError(f"tables that are no trees: {wrong}")
        for name, table in given.items():
            self.register_buffer(name, self.get_buffer(name).new_zeros(table.shape))
        super()._load_from_state_dict(state_dict, prefix, *rest)


class TreeNetwork(MeasuredNetwork):
    """Trees on the biomarkers; the features are these, gaps filled."""

    def features(self, x: Tensor, aside: Tensor | None = None) -> Tensor:
        """(batch, leads, samples), of which nothing is used, and biomarkers (batch, columns) to
        (batch, columns)."""
        return self.measured(aside, len(x))

    @property
    def cam_layers(self) -> tuple[nn.Module, ...]:
        """None: it does not look at the signal."""
        return ()


def count_table_numbers(network: Network) -> int:
    """The numbers of all trees in a network."""
    heads = (part for part in network.modules() if isinstance(part, TreesHead))
    return sum(head.count_numbers() for head in heads)
