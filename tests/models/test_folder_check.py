"""A folder becomes a model only if all of it is sound; hostile ones are refused with a reason."""

from __future__ import annotations

import hashlib
import io
import json
import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load, save

from ecgcore.models import folder_check
from ecgcore.models.card import CARD, SHIPPED, WEIGHTS, CardError, read_card
from ecgcore.models.folder_check import check_files, check_folder
from ecgcore.models.validation_answers import (
    VALIDATION,
    ValidationAnswers,
    read_validation,
    validation_from_bytes,
)
from tests.models.shelf_example import example_answers, model_files, write_model

Files = dict[str, bytes]


def _card(files: Files, **changes: Any) -> Files:
    told = json.loads(files[CARD])
    return files | {CARD: json.dumps(told | changes).encode()}


def _weights(files: Files, weights: bytes) -> Files:
    return _card(files, weights_sha256=hashlib.sha256(weights).hexdigest()) | {WEIGHTS: weights}


def _nan_weights(files: Files) -> Files:
    tensors = {name: torch.full_like(one, torch.nan) if one.is_floating_point() else one
               for name, one in load(files[WEIGHTS]).items()}  # fmt: skip
    return _weights(files, save(tensors))


def _fewer_weights(files: Files) -> Files:
    tensors = load(files[WEIGHTS])
    del tensors["head.weight"]
    return _weights(files, save(tensors))


def _npz(**arrays: Any) -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()


def _answers(files: Files, **changes: Any) -> Files:
    own = example_answers()
    arrays = {"targets": own.targets, "probabilities": own.probabilities, "folds": own.folds}
    return files | {VALIDATION: _npz(**(arrays | changes))}


def _lying_header(files: Files) -> Files:
    """A header that claims 10^12 records in a small file."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "|i1", "fortran_order": False, "shape": (10**12,)}
    )
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(files[VALIDATION])) as own, zipfile.ZipFile(file, "w") as new:
        for member in ("targets.npy", "probabilities.npy"):
            new.writestr(member, own.read(member))
        new.writestr("folds.npy", header.getvalue())
    return files | {VALIDATION: file.getvalue()}


HOSTILE: dict[str, tuple[Callable[[Files], Files], str]] = {
    "no card": (lambda f: {WEIGHTS: f[WEIGHTS]}, "no card.json"),
    "no weights": (lambda f: {CARD: f[CARD]}, "no weights.safetensors"),
    "a program beside": (lambda f: f | {"setup.py": b"import os"}, "unexpected 'setup.py'"),
    "a path for a name": (lambda f: f | {"../evil": b""}, r"unexpected '\.\./evil'"),
    "no JSON": (lambda f: f | {CARD: b"{"}, "card.json cannot be read"),
    "deep JSON": (lambda f: f | {CARD: b"[" * 100_000}, "card.json cannot be read"),
    "a list for a card": (lambda f: f | {CARD: b"[]"}, "not a model card"),
    "no disclaimer": (lambda f: _card(f, limits=["none"]), "does not say “Research use only"),
    "other weights": (lambda f: f | {WEIGHTS: f[WEIGHTS] + b" "}, "not the weights"),
    "a pickle": (lambda f: _weights(f, pickle.dumps({"a": 1})), "do not make a working attia"),
    "weights of NaN": (_nan_weights, "not all of them finite"),
    "missing weights": (_fewer_weights, "do not make a working attia"),
    "another network": (lambda f: _card(f, network="inception"), "do not make a working inception"),
    "an unknown network": (lambda f: _card(f, network="os.system"), "unknown network 'os.system'"),
    "a huge option": (
        lambda f: _card(f, network="cnn_te", network_options={"channels": 10**9}),
        "too large",
    ),
    "a thousand million options": (
        lambda f: _card(f, network_options={"blocks": [1] * 5000}),
        "too large",
    ),
    "a huge input": (
        lambda f: _card(f, spec=json.loads(f[CARD])["spec"] | {"seconds": 3000.0}),
        "input of 1500000 samples",
    ),
    "no archive": (lambda f: f | {VALIDATION: b"PK"}, "validation.npz is not"),
    "other answers": (
        lambda f: _answers(f, probabilities=1 - example_answers().probabilities),
        "gives an AUROC of",
    ),
    "an object array": (
        lambda f: _answers(f, folds=np.array([{}] * 60, dtype=object)),
        "folds is of",
    ),
    "wider numbers": (
        lambda f: _answers(f, probabilities=example_answers().probabilities.astype(np.float64)),
        "probabilities is of",
    ),
    "NaN": (
        lambda f: _answers(f, probabilities=np.full((60, 5), np.nan, dtype=np.float32)),
        "outside 0..1",
    ),
    "targets of two": (
        lambda f: _answers(f, targets=np.full((60, 5), 2, dtype=np.uint8)), "not 0 or 1"
    ),
    "fewer labels": (
        lambda f: _answers(f, targets=np.zeros((60, 4), dtype=np.uint8),
                           probabilities=np.zeros((60, 4), dtype=np.float32)),
        "4 labels, the card 5",
    ),
    "other positives": (
        lambda f: _answers(f, targets=1 - example_answers().targets), "not as many as the card"
    ),
    "one array more": (lambda f: _answers(f, names=np.zeros(60)), "it holds"),
    "a lying header": (_lying_header, "folds of shape"),
}  # fmt: skip


@pytest.mark.parametrize("case", HOSTILE)
def test_what_is_wrong_is_refused_with_its_reason(case: str) -> None:
    change, reason = HOSTILE[case]
    with pytest.raises(CardError, match=reason):
        check_files(change(model_files()))


def test_a_sound_model_is_taken_with_and_without_its_answers() -> None:
    files = model_files()
    checked = check_files(files)
    assert checked.card.name == "mine"
    assert checked.answers is not None and len(checked.answers) == 60
    del files[VALIDATION]
    assert check_files(files).answers is None


def test_links_devices_and_large_files_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_model(tmp_path / "model", model_files())
    assert check_folder(folder).card.name == "mine"
    (tmp_path / "link").symlink_to(folder)
    with pytest.raises(CardError, match="a link is not followed"):
        check_folder(tmp_path / "link")
    (folder / VALIDATION).unlink()
    (folder / VALIDATION).symlink_to("/etc/passwd")
    with pytest.raises(CardError, match="not a link"):
        check_folder(folder)
    (folder / VALIDATION).unlink()
    os.mkfifo(folder / VALIDATION)
    with pytest.raises(CardError, match="no regular file"):
        check_folder(folder)
    (folder / VALIDATION).unlink()
    (folder / VALIDATION).mkdir()
    with pytest.raises(CardError, match="no regular file"):
        check_folder(folder)
    (folder / VALIDATION).rmdir()
    monkeypatch.setitem(folder_check.LARGEST_BYTES, WEIGHTS, 100)
    with pytest.raises(CardError, match="at most 100 are taken"):
        check_folder(folder)


def test_the_shipped_models_are_sound_and_have_their_answers() -> None:
    for card in sorted(SHIPPED.glob(f"*/{CARD}")):
        checked = check_folder(card.parent)
        assert checked.answers is not None
        assert len(checked.answers) == checked.card.metrics["n"]


def test_answers_are_read_back_as_they_were_and_have_no_names(tmp_path: Path) -> None:
    own = example_answers()
    folder = write_model(tmp_path / "model", model_files())
    labels = read_card(folder).labels
    back = read_validation(folder, labels)
    assert back is not None
    np.testing.assert_array_equal(back.targets, own.targets)
    np.testing.assert_array_equal(back.probabilities, own.probabilities)
    assert own.to_bytes() == own.to_bytes() == (folder / VALIDATION).read_bytes()
    with np.load(folder / VALIDATION) as file:
        assert sorted(file.files) == ["folds", "probabilities", "targets"]
    (folder / VALIDATION).unlink()
    assert read_validation(folder, labels) is None
    with pytest.raises(CardError, match="5 labels, the card 4"):
        validation_from_bytes(own.to_bytes(), labels[:4])


def test_other_records_have_another_digest() -> None:
    own = example_answers()
    again = ValidationAnswers(own.targets, own.probabilities[::-1], own.folds)
    assert own.records_digest() == again.records_digest()
    turned = ValidationAnswers(own.targets[::-1], own.probabilities, own.folds)
    assert own.records_digest() != turned.records_digest()
    other_fold = ValidationAnswers(own.targets, own.probabilities, own.folds - 1)
    assert own.records_digest() != other_fold.records_digest()
