"""A frozen teacher, which sees more leads than the student (Qin et al. 2023, MVKT-ECG).

Its weights never change, nor do its batch norms' running statistics, by three means: no weight
takes a gradient, the network stays in eval mode whatever mode the objective is put into, and every
pass is without gradients. It is a copy of its own, so that nobody who holds the network that was
given can change it.

It is also no part of the objective's state. The network is kept out of the module tree, so that
``parameters()`` and ``state_dict()`` leave it out: an optimiser never sees it and a checkpoint does
not carry it once more an epoch; it is read from its own folder when a run goes on. What the state
does hold is its fingerprint, so that a run cannot go on with another teacher unnoticed.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable, Sequence
from typing import Any, Self

import torch
from torch import Tensor, nn

from ecgcore.models.network import AsideNetwork, Network, logits_of
from ecgcore.training.distributed import Workers
from ecgcore.training.objectives.watched import Seen, Watched


class FrozenTeacher(nn.Module):
    """A copy of ``network`` that sees the ``rows`` of all loaded leads and learns nothing.

    ``rows`` are the places of its leads among those of ``Step.whole``, in the order in which it was
    trained with them. ValueError for none, or for negative ones.
    """

    fingerprint: Tensor

    def __init__(self, network: Network, rows: Sequence[int]) -> None:
        super().__init__()
        if not rows or min(rows) < 0:
            raise ValueError(f"rows {list(rows)}; give the place, from 0, of each of its leads")
        frozen = copy.deepcopy(network).eval().requires_grad_(False)
        # Held in a tuple: a module that is an attribute would join parameters() and state_dict().
        self._held = (frozen, Watched(frozen))
        self.rows = tuple(rows)
        self.register_buffer("fingerprint", _fingerprint(frozen))

    @property
    def network(self) -> Network:
        """The frozen network."""
        return self._held[0]

    def share(self, workers: Workers) -> None:
        """Each worker's teacher sees its part of a batch; what all saw is given to each."""
        self._held[1].workers = workers

    def forward(self, whole: Tensor, aside: Tensor | None = None) -> Seen:
        """What it makes of (batch, all leads, samples), without gradients."""
        if max(self.rows) >= whole.shape[1]:
            raise ValueError(
                f"the teacher's leads are rows {list(self.rows)} and {whole.shape[1]} leads were "
                "loaded; load all of them"
            )
        network, watched = self._held
        network.eval()  # in case a caller reached for it
        own = watched.workers.own(len(whole))
        inputs = whole[own, list(self.rows)]
        told = aside[own] if aside is not None and isinstance(network, AsideNetwork) else None
        with torch.no_grad(), network.as_published():
            logits = logits_of(network, inputs, told)
            return watched.seen(watched.workers.gather(logits, len(whole)))

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        """Moves between devices and types, which torch does through here, reach the network too."""
        self.network._apply(fn, recurse)  # type: ignore[no-untyped-call]
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        return self

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *others: Any) -> None:
        """Refuse, through torch's own list of errors, the state of a run with another teacher."""
        kept = state_dict.get(prefix + "fingerprint")
        if kept is not None and not torch.equal(kept.cpu(), self.fingerprint.cpu()):
            errors: list[str] = others[-1]
            errors.append("the run had another teacher; give it the same one to go on")
        super()._load_from_state_dict(state_dict, prefix, *others)


def _fingerprint(network: Network) -> Tensor:
    """SHA-256 of all weights and statistics, (32,) uint8."""
    digest = hashlib.sha256()
    for name, value in network.state_dict().items():
        digest.update(name.encode())
        digest.update(value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy())
    return torch.frombuffer(bytearray(digest.digest()), dtype=torch.uint8)
