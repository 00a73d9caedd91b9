"""A pre-training run in its folder: CLECG on packed records, whose labels are never looked at.

After each epoch a checkpoint is written from which the run goes on exactly: on a CPU an interrupted
run ends with the very weights of an uninterrupted one. The outcome, in ``FOLDER/start``, is what
the option ``start`` of a training run takes (see ``start``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from ecgcore.datasets.packed import PackedData
from ecgcore.models.device import best_device
from ecgcore.models.network import Network
from ecgcore.models.registry import build_network, network_entry
from ecgcore.training.checkpoint import (
    TrainingError,
    read_checkpoint,
    refuse_another_run,
    write_epoch,
)
from ecgcore.training.clecg import HEAD, Pretraining, PretrainOptions
from ecgcore.training.clecg_views import ViewOptions, view
from ecgcore.training.code_digest import code_digest
from ecgcore.training.option_checks import (
    plain,
    read_fields,
    refuse_wrong_input,
    refuse_wrong_types,
)
from ecgcore.training.records import network_spec, of_folds
from ecgcore.training.start import Start, read_start, write_start

STARTS = "start"
"""The folder of the outcome in that of the run."""


@dataclass(frozen=True, kw_only=True)
class PretrainRunOptions(PretrainOptions):
    """How to pre-train (as in ``PretrainOptions``), what, and on which records.

    ``network``, ``network_options``, ``leads`` and ``sampling_rate`` are those of ``TrainOptions``;
    a training run that is to start from the weights has the same. ``folds`` are the records'.
    """

    network: str
    network_options: dict[str, Any] = field(default_factory=dict)
    leads: tuple[str, ...] | None = None
    sampling_rate: float | None = None
    folds: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 7, 8)

    def __post_init__(self) -> None:
        refuse_wrong_types(self)
        super().__post_init__()
        refuse_wrong_input(self.leads, self.sampling_rate)
        if self.seed < 0:
            raise ValueError(f"seed {self.seed}; must not be below 0")

    @property
    def name(self) -> str:
        """What the weights are called."""
        return f"clecg_{self.network}"

    def to_json(self) -> dict[str, Any]:
        """A JSON object that ``pretrain_options_from_json`` reads."""
        return plain(self)


def pretrain_options_from_json(value: dict[str, Any]) -> PretrainRunOptions:
    """Read options. Raises ValueError for an unknown field, listing the known ones."""
    given = read_fields(PretrainRunOptions, value, ("folds",))
    if isinstance(given.get("views"), dict):
        given["views"] = ViewOptions(**given["views"])
    return PretrainRunOptions(**given)


def refuse_unfit(options: PretrainRunOptions) -> None:
    """Raise ValueError for a network that is not known, cannot be built so, is made for its labels
    throughout, or cannot read a view.
    """
    with torch.random.fork_rng():
        network, other = (_built(options, more) for more in (0, 1))
        differ = _shapes(network).items() ^ _shapes(other).items()
        if differ:
            raise ValueError(
                f"network {options.network} is made for its labels not only in its head "
                f"({min(name for name, _ in differ)}) and cannot be pre-trained without them; "
                "choose another network"
            )
        spec = network_spec(options)
        two = torch.zeros(2, len(spec.leads), spec.samples)
        try:
            network.features(view(two, options.views, torch.Generator()))
        except (RuntimeError, ValueError) as error:
            raise ValueError(
                f"network {options.network} cannot read a crop of {options.views.crop:g} of its "
                f"input ({error}); give a larger crop in views, or keep_length true"
            ) from error


def _built(options: PretrainRunOptions, more: int = 0) -> Network:
    """The network with its paper's number of labels, which is the head's alone, or some more."""
    return build_network(
        options.network,
        leads=len(network_spec(options).leads),
        labels=network_entry(options.network).labels + more,
        options=options.network_options,
    )


def _shapes(network: Network) -> dict[str, torch.Size]:
    """Of everything but the head."""
    values = network.state_dict().items()
    return {name: value.shape for name, value in values if not name.startswith(HEAD)}


def pretrain_in(
    folder: Path,
    options: PretrainRunOptions,
    data: PackedData,
    report: Callable[[dict[str, Any]], None] = lambda row: None,
) -> Start:
    """Pre-train, or go on, in ``folder``, and write ``folder/start``; ``report`` gets one row an
    epoch.

    The global random state stays as it is. Raises TrainingError, CheckpointError, PackedDataError.
    """
    try:
        refuse_unfit(options)
    except ValueError as error:
        raise TrainingError(str(error)) from error
    chosen = of_folds(data, options.folds)
    inputs = torch.from_numpy(chosen.inputs(network_spec(options)))
    with torch.random.fork_rng():
        torch.manual_seed(options.seed)
        run = Pretraining(_built(options).to(best_device()), inputs, options)
        checkpoint = read_checkpoint(folder)
        if checkpoint is not None:
            refuse_another_run(folder, checkpoint, options, pretrain_options_from_json, data.sha256)
            run.restore(checkpoint)
        while not run.finished:
            row = run.epoch()
            write_epoch(folder, run.checkpoint(options.to_json(), data.sha256))
            report(row)
    facts = _facts(options, data, len(chosen), run)
    write_start(folder / STARTS, run.weights, facts)
    return read_start(folder / STARTS)


def _facts(
    options: PretrainRunOptions, data: PackedData, records: int, run: Pretraining
) -> dict[str, Any]:
    return {
        "name": options.name,
        "network": options.network,
        "network_options": options.network_options,
        "spec": network_spec(options).to_json(),
        "options": options.to_json(),
        "data": {
            "files": data.name,
            "sha256": data.sha256,
            "folds": list(options.folds),
            "records": records,
        },
        "last_epoch": run.progress.history[-1],
        "paper": "Chen et al. 2021, CLECG",
        "torch": version("torch"),
        "code_sha256": code_digest(),
    }
