"""The shape of the program: who may import whom, what loads when, how long a file may be."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
SOURCES = sorted(
    [REPOSITORY / "app.py", *REPOSITORY.glob("pages/*.py"), *REPOSITORY.glob("ecgcore/**/*.py")]
)
LONGEST_FILE = 400

# For each part of the package, the parts it may use. A part may always use itself and "base".
BASE = {"recording", "labels", "storage", "DISCLAIMER"}
MAY_IMPORT: dict[str, set[str]] = {
    "recording": set(),
    "labels": set(),
    "storage": set(),
    "readers": BASE,
    "signal": BASE,
    "rules": BASE | {"signal"},
    "layers": set(),
    "convolution_blocks": set(),
    "models": BASE | {"signal", "rules", "layers", "convolution_blocks"},
    "review": BASE,
    "datasets": BASE | {"readers", "signal", "layers", "models", "review.snapshots"},
    "evaluation": BASE | {"signal", "layers", "models", "datasets"},
    "training": BASE | {"signal", "layers", "models", "datasets", "evaluation", "review"},
    "explain": BASE | {"signal", "rules.wording", "layers", "models"},
    "drawing": BASE | {"signal", "explain.explanation"},
    "report": BASE | {"signal", "rules.finding", "models.prediction", "drawing"},
    "recording_index": BASE,
    "recording_store": BASE | {"readers"},
    "tracing_evidence": BASE | {"signal"},
    "workspace": BASE | {"readers", "signal", "recording_index", "recording_store"},
    "jobs": BASE
    | {"datasets", "evaluation", "models", "review", "review_work", "training", "workspace"},
    "label_evidence": BASE
    | {"models", "readers.stated", "rules", "signal", "tracing_evidence"}
    | {"training.code_digest", "training.learned_records"},
    "label_gathering": BASE | {"label_evidence"},
    "label_queue": BASE | {"label_evidence", "review", "review_work"},
    "label_training": BASE
    | {"datasets", "evaluation", "jobs", "models", "review_work", "training", "workspace"},
    "model_shelf": BASE | {"models", "review"},
    "model_thresholds": BASE | {"models", "model_shelf", "review"},
    "review_work": BASE | {"readers", "datasets", "review", "workspace"},
}
ANYTHING = {
    "ui",
    "cli",
    "cli_values",
    "cli_signal",
    "cli_data",
    "cli_fusion",
    "cli_jobs",
    "cli_models",
    "cli_report",
    "cli_review",
    "cli_suspicion",
    "cli_shards",
    "cli_shelf",
    "cli_training",
    "__main__",
    "__init__",
}
STREAMLIT_ALLOWED = ("app.py", "pages/", "ecgcore/ui/")
NEVER_IN_PAGES = {"torch", "sqlite3", "sqlalchemy", "captum", "lime", "wfdb", "pydicom"}


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def _imports(path: Path) -> tuple[str, ...]:
    """Every module that a file imports at run time, in its functions too, as dotted names."""
    found: list[str] = []
    for node in _run_time_nodes(_tree(path)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found += [f"{node.module}.{alias.name}" for alias in node.names]
    return tuple(found)


def _run_time_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """All nodes but those under ``if TYPE_CHECKING``."""
    for child in ast.iter_child_nodes(node):
        only_types = isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"
        yield child
        yield from _run_time_nodes(
            ast.Module(body=child.orelse, type_ignores=[]) if only_types else child
        )


def _name(path: Path) -> str:
    return path.relative_to(REPOSITORY).as_posix()


def _part(path: Path) -> str:
    """The part of ecgcore that a file belongs to: its folder, or its own name at the top."""
    inside = path.relative_to(REPOSITORY / "ecgcore").parts
    return inside[0] if len(inside) > 1 else path.stem


CORE = [path for path in SOURCES if _name(path).startswith("ecgcore/")]


def _foreign(path: Path) -> list[str]:
    """What a file imports of the package that its part may not."""
    part = _part(path)
    if part in ANYTHING:
        return []
    assert part in MAY_IMPORT, f"say in MAY_IMPORT what {part} may import"
    allowed = tuple(f"ecgcore.{one}." for one in MAY_IMPORT[part] | {part})
    return [
        name
        for name in _imports(path)
        if name.startswith("ecgcore.") and not f"{name}.".startswith(allowed)
    ]


def _libraries(path: Path) -> set[str]:
    return {name.split(".")[0] for name in _imports(path)}


def test_each_part_imports_only_what_it_may() -> None:
    assert not {_name(path): names for path in CORE if (names := _foreign(path))}


def test_only_the_pages_and_ui_import_streamlit() -> None:
    others = [path for path in SOURCES if not _name(path).startswith(STREAMLIT_ALLOWED)]
    assert not [_name(path) for path in others if "streamlit" in _libraries(path)]


def test_pages_import_neither_torch_nor_a_database() -> None:
    pages = [path for path in SOURCES if path not in CORE]
    assert not [_name(path) for path in pages if _libraries(path) & NEVER_IN_PAGES]


def test_nothing_imports_a_page_or_the_app() -> None:
    assert not [_name(path) for path in SOURCES if _libraries(path) & {"pages", "app", "tests"}]


def _blanket(handler: ast.ExceptHandler) -> bool:
    """Whether it catches everything, and does not raise it again."""
    caught = "" if handler.type is None else ast.unparse(handler.type)
    reraises = any(isinstance(inner, ast.Raise) for inner in ast.walk(handler))
    return caught in ("", "Exception") or (caught == "BaseException" and not reraises)


def test_no_bare_or_blanket_except() -> None:
    assert not [
        f"{_name(path)}:{node.lineno}"
        for path in SOURCES
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.ExceptHandler) and _blanket(node)
    ]


def test_no_file_is_longer_than_agreed() -> None:
    lines = {_name(path): len(path.read_text(encoding="utf-8").splitlines()) for path in SOURCES}
    assert not {name: length for name, length in lines.items() if length > LONGEST_FILE}


def test_every_file_says_what_it_is_for() -> None:
    assert not [_name(path) for path in SOURCES if not ast.get_docstring(_tree(path))]


@cache
def _modules_after(program: str) -> frozenset[str]:
    """The top-level modules that a program has loaded, in a fresh process."""
    report = "\nimport json, sys; print(json.dumps(sorted({m.split('.')[0] for m in sys.modules})))"
    done = subprocess.run(
        [sys.executable, "-c", program + report],
        cwd=REPOSITORY,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return frozenset(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize("module", ["ecgcore.recording", "ecgcore.readers.opening"])
def test_the_values_and_the_readers_load_no_heavy_library(module: str) -> None:
    heavy = {"torch", "pandas", "plotly", "scipy", "streamlit", "captum", "lime", "wfdb", "sklearn"}
    assert not _modules_after(f"import {module}") & heavy


def test_the_first_page_loads_no_torch(tmp_path: Path) -> None:
    page = (
        "from streamlit.testing.v1 import AppTest\n"
        "import os\n"
        "from ecgcore.ui import services\n"
        "services.warm_up = lambda entry: None\n"  # that is once the page stands
        f"os.environ['ECG_WORKSPACE'] = {str(tmp_path)!r}\n"
        "page = AppTest.from_file('app.py', default_timeout=60).run()\n"
        "assert not page.exception, page.exception\n"
        "assert page.title[0].value == 'Work list'\n"
    )
    loaded = _modules_after(page)
    assert "streamlit" in loaded
    assert not loaded & {"torch", "captum", "lime", "wfdb", "sklearn", "scipy"}


def test_a_benchmark_finds_the_package_wherever_it_is_started() -> None:
    found = "sys.path.insert(0, str(Path(__file__).resolve().parent.parent))"
    for path in (REPOSITORY / "benchmarks").glob("*.py"):
        text = path.read_text(encoding="utf-8")
        if "__main__" in text and "ecgcore" in _libraries(path):
            assert found in text, _name(path)
