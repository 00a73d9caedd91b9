"""Label sets that statements say: what an ``.npz`` of statements and superclasses does not hold."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ecgcore.labels import LabelSetName, in_set, label_set

DERIVED_SETS: tuple[LabelSetName, ...] = ("subclasses", "form", "rhythm")


def codes_of(name: LabelSetName) -> tuple[str, ...]:
    """The codes of a label set, in its order."""
    return tuple(label.code for label in label_set(name))


def derived_targets(
    name: LabelSetName, statements: NDArray[np.uint8], codes: tuple[str, ...]
) -> NDArray[np.uint8]:
    """Targets (records, labels) of a label set from those of statements with these codes."""
    wanted, known = codes_of(name), codes_of("statements")
    targets = np.zeros((len(statements), len(wanted)), dtype=np.uint8)
    for column, statement in enumerate(codes):
        code = in_set(statement, name) if statement in known else None
        if code is not None:
            targets[:, wanted.index(code)] |= statements[:, column]
    return targets
