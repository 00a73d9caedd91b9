"""The hash of the code that decides a trained model's numbers, and what is found by it."""

from __future__ import annotations

import hashlib
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent.parent


def digested_files() -> list[Path]:
    """The source of everything that decides a trained model's numbers: recipes, and the criteria
    and the network that its measured values rest on, included."""
    files = sorted(_PACKAGE.glob("*.py"))
    for part in ("models", "datasets", "training", "evaluation", "signal", "rules"):
        files += sorted((_PACKAGE / part).rglob("*.py"))
    files += sorted((_PACKAGE / "training" / "recipes").glob("*.toml"))
    assets = _PACKAGE.parent / "assets"
    return [*files, *sorted(assets.glob("criteria/*")), *sorted(assets.glob("delineation/*"))]


def code_digest() -> str:
    """SHA-256 over ``digested_files``, names and contents."""
    digest = hashlib.sha256()
    for path in digested_files():
        digest.update(path.relative_to(_PACKAGE.parent).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()
