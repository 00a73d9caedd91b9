"""Train the delineation network and publish it with its card.

    python -m ecgcore.training.delineation --data LUDB_FOLDER --folds runs/delineation \\
        --out assets/delineation

First five networks, each without a fifth of the recordings (a patient each in LUDB), which are
then scored on what they did not see; then, by the same recipe, one on all recordings, which is
shipped with those figures. A finished fold of the same recipe and data is not trained again.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from safetensors.torch import save

from ecgcore.datasets.ludb import MarkedRecording, read_ludb
from ecgcore.signal.delineation.network import (
    CARD,
    WEIGHTS,
    DelineationCardError,
    load_network,
    read_card,
)
from ecgcore.signal.delineation.wave_network import WaveNetwork
from ecgcore.storage import write_bytes, write_json
from ecgcore.training.delineation_data import MarkedSet, marked_set
from ecgcore.training.delineation_figures import figures
from ecgcore.training.delineation_loop import DelineationOptions, train_delineation

FOLDS = 5
RECIPE = DelineationOptions()

LIMITS = (
    "Research use only; not a medical device.",
    "Trained on resting ECGs of 10 s of one hospital's devices, marked by two cardiologists; the "
    "figures are on recordings of the same kind.",
    "Global marks follow the median over the leads, as the reference does: the earliest onset and "
    "the latest offset over the leads lie outside them.",
    "Few recordings with pacemaker, flutter or ectopic beats were learnt from. Flutter waves may "
    "be taken for P or T waves.",
    "How the leads check the heart's waves (shares that must show one, borders halfway) was chosen "
    "on these out-of-fold marks; the networks never saw them.",
    "U waves and second P waves within a T wave are not marked.",
)


def fold_of(record_id: str) -> int:
    """The fold that a recording is held out in, 0 to 4, by its name alone."""
    return int.from_bytes(hashlib.sha256(record_id.encode()).digest()[:8], "big") % FOLDS


def fold_folder(folds: Path, fold: int) -> Path:
    """Where the network lies that did not see ``fold``."""
    return folds / f"fold{fold}"


def train_folds(
    recordings: Sequence[MarkedRecording], folds: Path, options: DelineationOptions = RECIPE
) -> None:
    """The five networks, each in its folder; those that are there by this recipe are kept."""
    data: MarkedSet | None = None
    for fold in range(FOLDS):
        kept = [r for r in recordings if fold_of(r.recording.record_id) != fold]
        folder = fold_folder(folds, fold)
        if _is_trained(folder, options, kept):
            continue
        data = data or marked_set(recordings)
        chosen = [i for i, name in enumerate(data.names) if fold_of(name) != fold]
        _train_into(folder, data.select(chosen), kept, options, {"fold": fold})


def publish(
    recordings: Sequence[MarkedRecording],
    folds: Path,
    folder: Path,
    command: str,
    options: DelineationOptions = RECIPE,
) -> None:
    """A network of all recordings in ``folder``, its card with the figures of the five folds.

    A network that is there by this recipe is kept.
    """
    networks = [load_network(fold_folder(folds, fold)) for fold in range(FOLDS)]
    scores = figures(recordings, lambda record_id: networks[fold_of(record_id)].read_leads)
    if not _is_trained(folder, options, recordings):
        _train_into(folder, marked_set(recordings), recordings, options, {})
    published = {
        "name": "Wave network",
        "paper": "U-Net (Ronneberger et al. 2015) on single leads, joined over leads",
        "command": command,
        "folds": {"count": FOLDS, "by": "SHA-256 of the record's name, modulo the count"},
        "metrics": scores,
        "limits": list(LIMITS),
    }
    write_json(
        folder / CARD,
        published | {k: v for k, v in read_card(folder).items() if k not in published},
    )


def _train_into(
    folder: Path,
    data: MarkedSet,
    recordings: Sequence[MarkedRecording],
    options: DelineationOptions,
    card: Mapping[str, Any],
) -> None:
    """Train, then write weights and card, the card last: a folder with a card is whole."""
    began = time.monotonic()

    def report(step: int, loss: float) -> None:
        passed = time.monotonic() - began
        print(f"{folder.name}: step {step}/{options.steps}, loss {loss:.4f}, {passed:.0f} s")

    network = train_delineation(data, options, report=report)
    weights = save({name: value.contiguous() for name, value in network.state_dict().items()})
    write_bytes(folder / WEIGHTS, weights)
    write_json(
        folder / CARD,
        {
            **card,
            "network": _plain(asdict(options.network)),
            "recipe": _plain(asdict(options)),
            "data": _data_card(recordings),
            "training": {"seconds": round(time.monotonic() - began), "torch": version("torch")},
            "cost": {"parameters": _parameters(network), "bytes": len(weights)},
            "weights_sha256": hashlib.sha256(weights).hexdigest(),
        },
    )


def _is_trained(
    folder: Path, options: DelineationOptions, recordings: Sequence[MarkedRecording]
) -> bool:
    try:
        card = read_card(folder)
        load_network(folder)
    except DelineationCardError:
        return False
    same_data: bool = card.get("data") == _data_card(recordings)
    return same_data and card.get("recipe") == _plain(asdict(options))


def _data_card(recordings: Sequence[MarkedRecording]) -> dict[str, Any]:
    digest = hashlib.sha256()
    for marked in recordings:
        digest.update(marked.recording.source.sha256.encode())
        for lead, marks in marked.marks.items():
            digest.update(lead.encode())
            for rows in marks.waves.values():
                digest.update(rows.tobytes())
    return {
        "name": "LUDB (Kalyakulina et al. 2020, ODC-BY 1.0), marks of 12 leads",
        "recordings": len(recordings),
        "sha256": digest.hexdigest(),
    }


def _parameters(network: WaveNetwork) -> int:
    return sum(weight.numel() for weight in network.parameters())


def _plain(value: Any) -> Any:
    """Tuples as lists, as JSON reads them back."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list | tuple) else value


def main(arguments: Sequence[str] | None = None) -> int:
    """The command of the module's docstring."""
    parser = argparse.ArgumentParser(prog="python -m ecgcore.training.delineation")
    parser.add_argument("--data", type=Path, required=True, help="folder of LUDB's records")
    parser.add_argument("--folds", type=Path, default=Path("runs/delineation"))
    parser.add_argument("--out", type=Path, help="also train on all and write weights and card")
    given = parser.parse_args(arguments)
    recordings = read_ludb(given.data)
    train_folds(recordings, given.folds)
    if given.out is not None:
        command = (
            "python -m ecgcore.training.delineation --data LUDB --folds runs/delineation "
            "--out assets/delineation"
        )
        publish(recordings, given.folds, given.out, command)
    return 0


if __name__ == "__main__":
    sys.exit(main())
