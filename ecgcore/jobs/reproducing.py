"""The words that repeat a run on the command line."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

from ecgcore.jobs.values import RunOrder
from ecgcore.training.options import TrainOptions, options_from_json
from ecgcore.training.publish import named_sources
from ecgcore.training.recipes import recipe
from ecgcore.training.start import START

_NEEDED = ("network", "label_set")


def words_of(order: RunOrder, folder: str, *, named: bool) -> list[str]:
    """What follows ``train`` to repeat the run in ``folder``.

    ``named``: files, teacher and start by name instead of this machine's paths, as a card says it.
    """
    options = options_from_json(order.options)
    words = ["--recipe", order.recipe] if order.recipe else []
    changes = changed(options, order.recipe)
    if named:
        changes |= _by_name(options)
    if changes:
        words += ["--set", *(f"{key}={_word(value)}" for key, value in changes.items())]
    words += ["--name", order.name]
    if order.data:
        words += ["--data", *(Path(path).name if named else path for path in order.data)]
    words += ["--snapshot", order.snapshot] if order.snapshot else []
    return [*words, "--run", folder]


def changed(options: TrainOptions, name: str | None) -> dict[str, Any]:
    """The options that differ from those of a recipe, or from the defaults of any run."""
    asked = options.to_json()
    if name:
        base = recipe(name).options.to_json()
    else:
        given = {key: asked[key] for key in _NEEDED}
        base = {k: v for k, v in TrainOptions(**given).to_json().items() if k not in _NEEDED}
    return {key: value for key, value in asked.items() if key not in base or base[key] != value}


def torchrun_command(order: RunOrder, folder: Path, workers: int = 2) -> str:
    """The command that does a run on several workers of one machine, or of several.

    On a machine with GPUs ``workers`` is their number.
    """
    start = ["torchrun", "--nproc-per-node", str(workers), "-m", "ecgcore", "train"]
    words = words_of(order, str(folder), named=False)
    words[words.index("--run")] = "--folder"  # torchrun has a --run of its own
    return shlex.join([*start, *words])


def _by_name(options: TrainOptions) -> dict[str, str]:
    pretrained = options.start is not None and (Path(options.start) / START).exists()
    parts = {"teacher": "model", "start": "start" if pretrained else "model"}
    return {
        role: f"runs/{name}/{parts[role]}" for role, (name, _) in named_sources(options).items()
    }


def _word(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
