"""Train the delineation network and publish it with its card.

    python -m ecgcore.training.delineation --data LUDB_FOLDER --unmarked CINC2011.npz \\
        --folds runs/delineation --out assets/delineation

Five networks, each without a fifth of the marked recordings (a patient each in LUDB), which are
scored on what they did not see; and by the same recipe one of all recordings, which is shipped
with those figures. Each learns from marked recordings, from simulated hearts, and from unmarked
recordings as its own teachers read them, who saw no more marks than it does. What is finished, by
the same recipe and from the same data, is not trained again; ``--only`` names one of the six, so
that they can be trained beside each other.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load, save

from ecgcore.datasets.ludb import MarkedRecording, read_ludb
from ecgcore.datasets.quality_challenge import read_quality_challenge
from ecgcore.models.device import best_device, device_name
from ecgcore.recording import Recording
from ecgcore.signal.delineation.network import (
    CARD,
    WEIGHTS,
    DelineationCardError,
    load_network,
    read_card,
)
from ecgcore.signal.delineation.wave_network import WaveNetwork, WaveNetworkOptions
from ecgcore.storage import write_bytes, write_json
from ecgcore.training.delineation_crops import CropOptions
from ecgcore.training.delineation_data import MarkedSet, marked_set
from ecgcore.training.delineation_figures import figures
from ecgcore.training.delineation_loop import DelineationOptions, Share, train_delineation
from ecgcore.training.delineation_simulated import simulated_set
from ecgcore.training.delineation_taught import readable, taught_set

FOLDS = 5
ALL = "all"
PARTS = (*(f"fold{fold}" for fold in range(FOLDS)), ALL)
_HEARTS_SEED = 20261128


@dataclass(frozen=True)
class Recipe:
    """How a shipped network comes about.

    ``marked``, ``simulated`` and ``taught`` count the recordings of each kind in a batch (teachers
    have no taught ones), ``hearts`` the simulated ones there are, ``teachers`` the networks that
    read the unmarked recordings.
    """

    student: DelineationOptions = field(
        default_factory=lambda: DelineationOptions(crops=CropOptions(other_pauses=0.4), steps=6000)
    )
    teacher: DelineationOptions = field(
        default_factory=lambda: DelineationOptions(
            network=WaveNetworkOptions((32, 64, 96, 128, 192), (64, 96, 128, 128)),
            crops=CropOptions(other_pauses=0.4),
            steps=4000,
        )
    )
    teachers: int = 2
    marked: int = 8
    simulated: int = 2
    taught: int = 6
    hearts: int = 400


RECIPE = Recipe()

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
    return folds / PARTS[fold]


@dataclass(frozen=True)
class Material:
    """What there is to learn from, and with what: ``unmarked`` as ``readable`` gives them."""

    marked: Sequence[MarkedRecording]
    unmarked: Sequence[Recording] = ()
    recipe: Recipe = RECIPE
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    processes: int = 0

    @cached_property
    def marks(self) -> MarkedSet:
        """All marked recordings."""
        return marked_set(self.marked)

    @cached_property
    def hearts(self) -> MarkedSet:
        """The simulated hearts."""
        return simulated_set(self.recipe.hearts, _HEARTS_SEED)

    def seen_by(self, part: str) -> list[int]:
        """The marked recordings that a part learns from, by number."""
        return [
            number
            for number, one in enumerate(self.marked)
            if part == ALL or fold_of(one.recording.record_id) != PARTS.index(part)
        ]


def train_parts(material: Material, folds: Path, parts: Sequence[str] = PARTS) -> None:
    """The networks, each in its folder; those that are there by this recipe are kept."""
    for part in parts:
        folder = folds / part
        if not _is_trained(folder, _card(material, part, material.recipe.student)):
            _train_part(material, part, folder)


def publish(material: Material, folds: Path, folder: Path, command: str) -> None:
    """Put the network of all recordings into ``folder``, its card with the five folds' figures."""
    train_parts(material, folds)
    networks = [load_network(fold_folder(folds, fold)) for fold in range(FOLDS)]
    scores = figures(material.marked, lambda record_id: networks[fold_of(record_id)].read_leads)
    published = {
        "name": "Wave network",
        "paper": "U-Net (Ronneberger et al. 2015) on single leads, joined over leads",
        "command": command,
        "folds": {"count": FOLDS, "by": "SHA-256 of the record's name, modulo the count"},
        "metrics": scores,
        "limits": list(LIMITS),
    }
    write_bytes(folder / WEIGHTS, (folds / ALL / WEIGHTS).read_bytes())
    write_json(folder / CARD, published | read_card(folds / ALL))


def _train_part(material: Material, part: str, folder: Path) -> None:
    recipe, device = material.recipe, material.device
    shares = [Share(material.marks.select(material.seen_by(part)), recipe.marked)]
    if recipe.simulated:
        shares.append(Share(material.hearts, recipe.simulated))
    if recipe.taught and material.unmarked:
        teachers = [
            _teacher(material, part, folder / f"teacher{number}", shares, number)
            for number in range(recipe.teachers)
        ]
        shares.append(Share(taught_set(material.unmarked, teachers, device), recipe.taught))
    _train_into(folder, material, part, shares, recipe.student)


def _teacher(
    material: Material, part: str, folder: Path, shares: Sequence[Share], seed: int
) -> WaveNetwork:
    options = replace(material.recipe.teacher, seed=seed + 1)
    if not _is_trained(folder, _card(material, part, options)):
        _train_into(folder, material, part, shares, options)
    network = WaveNetwork(options.network)
    network.load_state_dict(load((folder / WEIGHTS).read_bytes()))
    return network


def _train_into(
    folder: Path,
    material: Material,
    part: str,
    shares: Sequence[Share],
    options: DelineationOptions,
) -> None:
    """Train, then write weights and card, the card last: a folder with a card is whole."""
    began = time.monotonic()

    def report(step: int, loss: float) -> None:
        passed = time.monotonic() - began
        print(f"{part}/{folder.name}: step {step}/{options.steps}, loss {loss:.4f}, {passed:.0f} s")

    network = train_delineation(shares, options, report, material.device, material.processes)
    weights = save({name: value.contiguous() for name, value in network.state_dict().items()})
    write_bytes(folder / WEIGHTS, weights)
    write_json(
        folder / CARD,
        {
            **_card(material, part, options),
            "training": {
                "seconds": round(time.monotonic() - began),
                "torch": version("torch"),
                "device": device_name(material.device),
            },
            "cost": {"parameters": _parameters(network), "bytes": len(weights)},
            "weights_sha256": hashlib.sha256(weights).hexdigest(),
        },
    )


def _card(material: Material, part: str, options: DelineationOptions) -> dict[str, Any]:
    """What a network is made of: the part of its card that is known beforehand."""
    marked = [material.marked[number] for number in material.seen_by(part)]
    return {
        "part": part,
        "network": _plain(asdict(options.network)),
        "options": _plain(asdict(options)),
        "recipe": _plain(asdict(material.recipe)),
        "data": _data_card(marked, material.unmarked),
    }


def _is_trained(folder: Path, wanted: Mapping[str, Any]) -> bool:
    try:
        card = read_card(folder)
        load_network(folder)
    except DelineationCardError:
        return False
    return all(card.get(name) == value for name, value in wanted.items())


def _data_card(marked: Sequence[MarkedRecording], unmarked: Sequence[Recording]) -> dict[str, Any]:
    digest = hashlib.sha256()
    for one in marked:
        digest.update(one.recording.source.sha256.encode())
        for lead, marks in one.marks.items():
            digest.update(lead.encode())
            for rows in marks.waves.values():
                digest.update(rows.tobytes())
    for recording in unmarked:
        digest.update(recording.source.sha256.encode())
    return {
        "name": "LUDB (Kalyakulina et al. 2020, ODC-BY 1.0), marks of 12 leads",
        "recordings": len(marked),
        "unmarked_name": "CinC Challenge 2011 set-a (Silva, Moody, Celi 2011, ODC-BY)",
        "unmarked_recordings": len(unmarked),
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
    parser.add_argument("--unmarked", type=Path, required=True, help="CinC 2011 as one .npz")
    parser.add_argument("--folds", type=Path, default=Path("runs/delineation"))
    parser.add_argument("--only", choices=PARTS, help="train this one of the six networks")
    parser.add_argument("--processes", type=int, default=0, help="that draw crops beside")
    parser.add_argument("--out", type=Path, help="write weights and card of all recordings here")
    given = parser.parse_args(arguments)
    fit = [recording for recording, good in read_quality_challenge(given.unmarked) if good]
    material = Material(
        read_ludb(given.data), readable(fit), device=best_device(), processes=given.processes
    )
    if given.only:
        train_parts(material, given.folds, [given.only])
    elif given.out is None:
        train_parts(material, given.folds)
    else:
        command = (
            "python -m ecgcore.training.delineation --data LUDB --unmarked CINC2011.npz "
            "--folds runs/delineation --out assets/delineation"
        )
        publish(material, given.folds, given.out, command)
    return 0


if __name__ == "__main__":
    sys.exit(main())
