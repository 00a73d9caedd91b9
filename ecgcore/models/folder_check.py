"""Whether a folder may become a published model: it is read once, and everything in it is checked.

Whoever brings a model brings files that nobody here wrote. Only three names are taken, each a
regular file below a stated size, opened without following a link. The card must be whole and say
that it is for research only; the weights must be those that it names; the network must be small
enough for them, take them, and give finite answers; and the answers to the validation records,
where they are there, must give the card's numbers. What is written later are the very bytes that
were checked here.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ecgcore import DISCLAIMER
from ecgcore.models.card import CARD, WEIGHTS, CardError, ModelCard, card_from_json
from ecgcore.models.validation_answers import (
    LARGEST_VALIDATION_BYTES,
    VALIDATION,
    ValidationAnswers,
    validation_from_bytes,
)

if TYPE_CHECKING:
    from torch import Tensor

    from ecgcore.models.network import Network

LARGEST_BYTES = {
    CARD: 4 * 1024**2,
    WEIGHTS: 1024**3,
    VALIDATION: LARGEST_VALIDATION_BYTES,
}
"""The files of a model and the most that each may hold; the shipped ones have at most 14 MB."""

MOST_LABELS, MOST_SAMPLES = 1000, 60_000
"""A minute at 1000 Hz: a network whose cost grows with the square of its input ends in time."""
_LARGEST_OPTION, _MOST_OPTIONS = 65_536, 4096
_TOLERANCE = 1e-4
"""How far the AUROC of the validation answers may lie from the card's, which has six digits."""


@dataclass(frozen=True)
class ModelFiles:
    """A model that was checked: its card, its answers where it has them, and the files' bytes."""

    card: ModelCard
    answers: ValidationAnswers | None
    files: Mapping[str, bytes]


def check_folder(folder: Path) -> ModelFiles:
    """Read and check a model folder. Raises CardError with what is wrong and what is allowed."""
    return check_files(read_folder(folder))


def read_folder(folder: Path) -> dict[str, bytes]:
    """The files of a folder by name. Raises CardError for anything that is no part of a model."""
    if folder.is_symlink() or not folder.is_dir():
        raise CardError(f"{folder} is no folder (a link is not followed); give a model's folder")
    try:
        names = sorted(one.name for one in folder.iterdir())
        _refuse_unexpected(names)
        return {name: _read(folder / name) for name in names}
    except OSError as error:
        raise CardError(f"{folder} cannot be read: {error}") from error


def check_files(files: Mapping[str, bytes]) -> ModelFiles:
    """Check the files of a model, by name. Raises CardError."""
    _refuse_unexpected(sorted(files))
    for name, data in files.items():
        _refuse_large(name, len(data))
    try:
        card = card_from_json(json.loads(files[CARD]))
    except (ValueError, RecursionError, AttributeError) as error:
        raise CardError(f"{CARD} cannot be read: {error}") from error
    _check_card(card)
    if hashlib.sha256(files[WEIGHTS]).hexdigest() != card.weights_sha256:
        raise CardError(
            f"{WEIGHTS} are not the weights that {CARD} describes (their SHA-256 differs); take "
            "both from the same model"
        )
    _check_network(card, files[WEIGHTS])
    answers = None
    if VALIDATION in files:
        answers = validation_from_bytes(files[VALIDATION], card.labels)
        _check_numbers(card, answers)
    return ModelFiles(card, answers, dict(files))


def _refuse_unexpected(names: list[str]) -> None:
    unexpected = [name for name in names if name not in LARGEST_BYTES]
    if unexpected:
        raise CardError(
            f"unexpected {', '.join(map(repr, unexpected[:5]))}; a model is {CARD}, {WEIGHTS} and, "
            f"if it has it, {VALIDATION}: remove the rest"
        )
    missing = [name for name in (CARD, WEIGHTS) if name not in names]
    if missing:
        raise CardError(f"no {' and no '.join(missing)}; a model has both")


def _refuse_large(name: str, size: int) -> None:
    if size > LARGEST_BYTES[name]:
        raise CardError(f"{name} of {size} bytes; at most {LARGEST_BYTES[name]} are taken")


def _read(path: Path) -> bytes:
    """A regular file's bytes, no link followed and no device waited for."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise CardError(
            f"{path.name} cannot be opened ({error.strerror}); it must be a file, not a link"
        ) from error
    try:
        told = os.fstat(handle)
        if not stat.S_ISREG(told.st_mode):
            raise CardError(f"{path.name} is no regular file; copy the file itself")
        _refuse_large(path.name, told.st_size)
        with os.fdopen(handle, "rb", closefd=False) as file:
            data = file.read(LARGEST_BYTES[path.name] + 1)
    finally:
        os.close(handle)
    _refuse_large(path.name, len(data))
    return data


def _check_card(card: ModelCard) -> None:
    """What a card must say, and what it must not ask for."""
    if not any(limit.startswith(DISCLAIMER) for limit in card.limits):
        raise CardError(f"{CARD} does not say “{DISCLAIMER}.” among its limits; add that limit")
    if len(card.labels) > MOST_LABELS or not 0 < card.spec.samples <= MOST_SAMPLES:
        raise CardError(
            f"{len(card.labels)} labels and an input of {card.spec.samples} samples; at most "
            f"{MOST_LABELS} and {MOST_SAMPLES}"
        )
    values = list(_numbers(card.network_options))
    if len(values) > _MOST_OPTIONS or any(abs(value) > _LARGEST_OPTION for value in values):
        raise CardError(
            f"network_options ask for a network that is too large: at most {_MOST_OPTIONS} "
            f"numbers, none above {_LARGEST_OPTION}"
        )


def _numbers(value: Any) -> Iterator[float]:
    """Every number in nested options; a text or anything else counts as a zero."""
    if isinstance(value, dict):
        for one in value.values():
            yield from _numbers(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _numbers(one)
    else:
        yield float(value) if isinstance(value, int | float) else 0.0


def _check_network(card: ModelCard, weights: bytes) -> None:
    """Build the network without memory first; then with the weights, and ask it once."""
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load

    from ecgcore.models.aside import aside_columns
    from ecgcore.models.network import logits_of
    from ecgcore.models.predictor import fitted_network

    try:
        tensors = load(weights)
        with torch.device("meta"):
            _refuse_larger(_build(card), tensors)
        network = fitted_network(card, tensors)
        columns = len(aside_columns(card.spec.aside))
        generator = torch.Generator().manual_seed(0)
        asked = torch.randn(2, len(card.spec.leads), card.spec.samples, generator=generator)
        with torch.inference_mode():
            logits = logits_of(network.eval(), asked, torch.full((2, columns), torch.nan))
        if logits.shape != (2, len(card.labels)) or not logits.isfinite().all():
            raise ValueError(
                f"it answers with {tuple(logits.shape)} numbers, not all of them finite"
            )
    except (
        RuntimeError, TypeError, ValueError, KeyError, IndexError, AttributeError, OverflowError,
        AssertionError, ZeroDivisionError, MemoryError, SafetensorError,
    ) as error:  # fmt: skip
        raise CardError(f"the weights do not make a working {card.network}: {error}") from error


def _build(card: ModelCard) -> Network:
    from ecgcore.models.registry import build_network

    return build_network(
        card.network,
        leads=len(card.spec.leads),
        labels=len(card.labels),
        options=card.network_options,
    )


def _refuse_larger(network: Network, tensors: Mapping[str, Tensor]) -> None:
    """Raises ValueError for a network of more parameters than the file holds numbers."""
    needed = sum(one.numel() for one in network.parameters())
    held = sum(one.numel() for one in tensors.values())
    if needed > held:
        raise ValueError(f"it has {needed} parameters, the file {held} numbers")


def _check_numbers(card: ModelCard, answers: ValidationAnswers) -> None:
    """Raises CardError where the answers do not give the card's AUROC of each label."""
    from sklearn.metrics import roc_auc_score

    rows = card.metrics.get("labels")
    told = {
        (str(row.get("set")), str(row.get("code"))): row.get("auroc")
        for row in (rows if isinstance(rows, list) else ())
        if isinstance(row, dict)
    }
    for column, label in enumerate(card.labels):
        said = told.get((label.set, label.code))
        target = answers.targets[:, column]
        if not isinstance(said, int | float) or target.all() or not target.any():
            continue
        found = float(roc_auc_score(target, answers.probabilities[:, column]))
        if abs(found - said) > _TOLERANCE:
            raise CardError(
                f"{VALIDATION} gives an AUROC of {found:.4f} for {label.code}, {CARD} says "
                f"{said:.4f}; take both from the same model"
            )
