"""Which records of a pack a trained model has learned from, as far as can be told.

What a model says of such records is not evidence on their labels: it has seen these. A card names
the hash of the joined data and the folds; of a published subset the names of the records are known,
see ``datasets.subsets``.
"""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from ecgcore.datasets.packed import PackedData
from ecgcore.datasets.record import read_table
from ecgcore.datasets.subsets import FOLDER, subset_names
from ecgcore.models.card import ModelCard
from ecgcore.signal.same_tracing import SAME_SIGNAL, unit_rows

PTBXL_ORIGINS = ("", "ptbxl")
"""A pack of one file does not name its origin."""

SUBSET_DATA = {"ptbxl_1625": "subset of 1,625 recordings"}
"""What a card's attribution says of a subset."""


_PTBXL_NAME = re.compile(r"HR(\d{5})|(\d{5})_[hl]r")
"""How a record of PTB-XL is called in the challenges and in PTB-XL itself."""


def has_learned(card: ModelCard, name: str) -> bool:
    """Whether a model was trained on the recording of this name, as far as a name tells."""
    found = _PTBXL_NAME.fullmatch(name)
    if found is None:
        return False
    return str(int(found[1] or found[2])) in _learned_names(card)


def _learned_names(card: ModelCard) -> frozenset[str]:
    """The names of the records of a published subset that a model was trained on."""
    folds = [int(one) for one in card.data.get("folds", {}).get("train", [])]
    for name in subset_names():
        if SUBSET_DATA.get(name, name) in card.data.get("attribution", ""):
            rows = read_table(FOLDER / f"{name}.csv", ("ecg_id", "fold"))
            return frozenset(row["ecg_id"] for row in rows if int(row["fold"]) in folds)
    return frozenset()


def learned_records(
    card: ModelCard, data: PackedData, trained_on: PackedData | None = None
) -> NDArray[np.bool_] | None:
    """(records,): True where the model was trained on the record; None where it cannot be told.

    ``trained_on`` is what training was given, which tells by the signals themselves.
    """
    folds = [int(one) for one in card.data.get("folds", {}).get("train", [])]
    if trained_on is not None:
        seen = unit_rows(trained_on.select(folds).stored)
        found = np.zeros(len(data), dtype=bool)
        for first in range(0, len(seen), 256):
            alike = unit_rows(data.stored) @ seen[first : first + 256].T >= SAME_SIGNAL
            found |= alike.any(axis=1)
        return found
    if folds and card.data.get("sha256") == data.sha256:
        return np.isin(data.fold, folds)
    learned = _learned_names(card)
    if learned:
        named = np.isin(data.record_ids, sorted(learned))
        return np.asarray(named & np.isin(data.origins, PTBXL_ORIGINS))
    return None
