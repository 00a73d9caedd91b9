"""The words that repeat a training run on the command line, wherever it was started."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ecgcore.training.options import TrainOptions
from ecgcore.training.publish import named_sources
from ecgcore.training.recipes import recipe as recipe_named
from ecgcore.training.start import START

_NEEDED = ("network", "label_set")


def words_of(
    options: TrainOptions,
    *,
    recipe: str | None,
    name: str,
    data: Sequence[str | Path],
    snapshot: str | None,
    folder: str,
    named: bool = True,
) -> list[str]:
    """What follows ``train`` to repeat the run in ``folder``.

    ``named``: files, teacher and start by name instead of this machine's paths, as a card says it.
    """
    words = ["--recipe", recipe] if recipe else []
    changes = changed(options, recipe)
    if named:
        changes |= _by_name(options, changes)
    if changes:
        words += ["--set", *(f"{key}={_word(value)}" for key, value in changes.items())]
    words += ["--name", name]
    if data:
        words += ["--data", *(Path(path).name if named else str(path) for path in data)]
    words += ["--snapshot", snapshot] if snapshot else []
    return [*words, "--run", folder]


def changed(options: TrainOptions, recipe: str | None) -> dict[str, Any]:
    """The options that differ from those of a recipe, or from the defaults of any run."""
    asked = options.to_json()
    if recipe:
        base = recipe_named(recipe).options.to_json()
    else:
        given = {key: asked[key] for key in _NEEDED}
        base = {k: v for k, v in TrainOptions(**given).to_json().items() if k not in _NEEDED}
    return {key: value for key, value in asked.items() if key not in base or base[key] != value}


def _by_name(options: TrainOptions, changes: dict[str, Any]) -> dict[str, str]:
    """Teacher and start, where they are said, as the folders that runs of their names write."""
    pretrained = options.start is not None and (Path(options.start) / START).exists()
    parts = {"teacher": "model", "start": "start" if pretrained else "model"}
    return {
        role: f"runs/{name}/{parts[role]}"
        for role, (name, _) in named_sources(options).items()
        if role in changes
    }


def _word(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
