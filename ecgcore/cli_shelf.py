"""``publish``, ``withdraw`` and ``export``: which models are on the shelf, and one as ONNX."""

from __future__ import annotations

import argparse
import getpass
import os
from pathlib import Path
from typing import TYPE_CHECKING

from ecgcore.cli_training import Show
from ecgcore.cli_values import DONE, REFUSED, refusal

if TYPE_CHECKING:
    from ecgcore.review.store import ReviewStore


def add_publish_arguments(publish: argparse.ArgumentParser) -> None:
    """The arguments of ``publish``."""
    publish.add_argument(
        "folder",
        metavar="FOLDER|NAME",
        help="a model's folder, as RUN/model; or the name of a withdrawn model, to put it back",
    )
    publish.add_argument("--name", help="the name on the shelf (default: the card's)")
    _add_person(publish)


def add_withdraw_arguments(withdraw: argparse.ArgumentParser) -> None:
    """The arguments of ``withdraw``."""
    withdraw.add_argument("name", metavar="NAME", help="a shipped or published model")
    _add_person(withdraw)


def add_export_arguments(export: argparse.ArgumentParser) -> None:
    """The arguments of ``export``."""
    export.add_argument("model", metavar="NAME", help="a trained model's name, or its folder")
    export.add_argument("--onnx", type=Path, required=True, metavar="FILE", help="what to write")
    export.add_argument(
        "--data",
        type=Path,
        metavar="PACKED.npz",
        help="records to check the file on (default: simulated ones)",
    )


def _add_person(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--as",
        dest="person",
        default=getpass.getuser(),
        metavar="NAME",
        help="who asks (default: your name on this computer)",
    )


def run_publish(given: argparse.Namespace, show: Show) -> int:
    """Put a folder on the shelf, or a withdrawn model back on it; the exit status."""
    from ecgcore.model_shelf import publish, put_back
    from ecgcore.models.card import CardError, published_folder, withdrawn_models
    from ecgcore.review.people import Forbidden
    from ecgcore.review.values import ReviewError

    folder = Path(given.folder)
    try:
        if os.sep not in given.folder and given.folder in withdrawn_models():
            put_back(_store(), given.person, given.folder)
            show({"model": given.folder, "shown": True})
            return DONE
        card = publish(_store(), given.person, folder, given.name)
    except (CardError, Forbidden, ReviewError) as error:
        show(refusal(folder, error))
        return REFUSED
    show(
        {
            "model": card.name,
            "shown": True,
            "folder": str(published_folder() / card.name),
            "weights_sha256": card.weights_sha256,
        }
    )
    return DONE


def run_withdraw(given: argparse.Namespace, show: Show) -> int:
    """Take a model off the review page; the exit status."""
    from ecgcore.model_shelf import withdraw
    from ecgcore.models.card import CardError
    from ecgcore.review.people import Forbidden
    from ecgcore.review.values import ReviewError

    try:
        withdraw(_store(), given.person, given.name)
    except (CardError, Forbidden, ReviewError) as error:
        show(refusal(Path(given.name), error))
        return REFUSED
    show({"model": given.name, "shown": False})
    return DONE


def run_export(given: argparse.Namespace, show: Show) -> int:
    """Write a model as ONNX once it answers as torch does; the exit status. Raises CardError for an
    unknown model, UsageError for a network that was not trained."""
    import numpy as np

    from ecgcore.cli_models import predictor_named
    from ecgcore.datasets.packed import PackedDataError, load_packed
    from ecgcore.models.onnx_export import RECORDS, ExportError, export_onnx
    from ecgcore.models.onnx_records import simulated_records
    from ecgcore.storage import write_bytes

    predictor = predictor_named(given.model)
    spec = predictor.card.spec
    try:
        if given.data is None:
            inputs, aside = simulated_records(spec, RECORDS)
        else:
            data = load_packed(given.data)
            data = data.rows(np.arange(min(RECORDS, len(data))))
            inputs, aside = data.inputs(spec), data.aside_inputs(spec)
        exported = export_onnx(predictor, inputs, aside)
    except (ExportError, PackedDataError) as error:
        show(refusal(given.data if isinstance(error, PackedDataError) else given.onnx, error))
        return REFUSED
    write_bytes(given.onnx, exported.data)
    show(
        {
            "model": predictor.card.name,
            "file": str(given.onnx),
            "bytes": len(exported.data),
            "records_checked": exported.records,
            "largest_difference": exported.difference,
        }
    )
    return DONE


def _store() -> ReviewStore:
    from ecgcore.review_work import open_store
    from ecgcore.workspace import Workspace

    return open_store(Workspace.from_environment())
