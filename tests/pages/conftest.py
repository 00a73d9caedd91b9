"""The application under test: in process, and served to a real Chromium."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest
from playwright.sync_api import expect
from streamlit.components.v2 import manifest_scanner

from ecgcore.models import card
from ecgcore.ui import label_services, services, style
from tests.pages.example_models import explain_known, write_models
from tests.pages.looking import workspace
from tests.wfdb_files import write_wfdb

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page
    from streamlit.testing.v1 import AppTest

REPOSITORY = Path(__file__).resolve().parent.parent.parent
PATIENCE_S = 120.0
expect.set_options(timeout=1000 * PATIENCE_S)


@pytest.fixture(scope="session")
def example_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of two small models."""
    folder = tmp_path_factory.mktemp("models")
    write_models(folder)
    return folder


@pytest.fixture
def records(tmp_path: Path) -> Path:
    """A folder of three synthetic records, the last of them 14 s long."""
    return write_records(tmp_path / "records")


def write_records(folder: Path) -> Path:
    """Write the three records into ``folder`` and return it."""
    for name, seconds, pulse in (("alpha", 10, 60), ("beta", 10, 75), ("gamma", 14, 90)):
        write_wfdb(folder, name, seconds, pulse)
    return folder


@pytest.fixture(scope="session")
def installed_components() -> list[Any]:
    """The components that Streamlit finds among all installed packages."""
    return manifest_scanner.scan_component_manifests()


@pytest.fixture
def app(
    tmp_path: Path,
    example_models: Path,
    installed_components: list[Any],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[AppTest]:
    """The application in process, with a workspace and models of its own; not yet run."""
    from streamlit.testing.v1 import AppTest

    from ecgcore.models.predictor import loaded_network

    monkeypatch.setenv("ECG_WORKSPACE", str(tmp_path / "workspace"))
    monkeypatch.setattr(card, "SHIPPED", example_models)
    monkeypatch.setattr(services, "explain", explain_known)
    # A server searches once; in process every test would, and it takes as long as many a test.
    found = installed_components
    monkeypatch.setattr(manifest_scanner, "scan_component_manifests", lambda: found)
    # Here every run begins as a server's first one does; the browser's tests see the real thing.
    monkeypatch.setattr(style, "_run_under_app", lambda: None)
    # Nothing goes on beside a test that is over.
    monkeypatch.setattr(services, "prefetch", lambda entry, model: None)
    monkeypatch.chdir(REPOSITORY)
    services.memories.cache_clear()
    loaded_network.cache_clear()
    yield AppTest.from_file(REPOSITORY / "app.py", default_timeout=PATIENCE_S)
    services.memories.cache_clear()
    loaded_network.cache_clear()


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    """A folder of three records with statements."""
    folder = tmp_path / "labelled"
    for name, pulse, scp in (("alpha", 60, "NORM;SR"), ("beta", 75, "AFIB"), ("gamma", 120, "SR")):
        write_wfdb(folder, name, 10, pulse, scp)
    return folder


@pytest.fixture
def labels(app: AppTest, tmp_path: Path, labelled: Path) -> Iterator[AppTest]:
    """The label quality page with the three brought in."""
    for kept in (
        label_services._stores,
        label_services._judgements,
        label_services._books,
        label_services._seen_reviews,
        label_services.gatherer,
    ):
        kept.cache_clear()
    here = workspace(tmp_path)
    here.add_folder(str(labelled))
    (here.root / "pseudonym.key").write_text("42" * 32)  # the folds follow: 4, 4 and 7
    app.run()
    app.switch_page("pages/label_quality.py").run()
    app.button(key="label-bring-in").click().run()
    assert not app.exception
    yield app
    label_services.gatherer().stop()
    assert label_services.gatherer().wait(60)


@dataclass
class Served:
    """The running application: where it is, its workspace, what it writes to its ``log``, and what
    the browser complained of."""

    address: str
    workspace: Path
    process: subprocess.Popen[bytes]
    log: Path
    outside: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


@pytest.fixture
def served(tmp_path: Path, example_models: Path) -> Iterator[Served]:
    """The application on a free port with an empty workspace, ended afterwards."""
    with serving(tmp_path, example_models) as running:
        yield running


@contextmanager
def serving(
    folder: Path,
    models: Path,
    environment: dict[str, str] | None = None,
    options: tuple[str, ...] = (),
) -> Iterator[Served]:
    """The application on a free port with a workspace in ``folder``, ended afterwards; ``options``
    are those of ``streamlit run``."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    workspace, log = folder / "workspace", folder / "server.log"
    told = os.environ | {"ECG_WORKSPACE": str(workspace), "PYTHONPATH": str(REPOSITORY)}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.pages.serve", str(models), str(port), *options],
            cwd=REPOSITORY,
            env=told | (environment or {}),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    address = f"http://127.0.0.1:{port}"
    try:
        until = time.monotonic() + PATIENCE_S
        while not _answers(address):
            if process.poll() is not None or time.monotonic() > until:
                pytest.fail(f"the application did not start:\n{log.read_text()}")
            time.sleep(0.1)
        yield Served(address, workspace, process, log)
        assert "Traceback" not in log.read_text(), log.read_text()
    finally:
        process.terminate()
        process.wait(timeout=30)


@pytest.fixture
def page(served: Served, browser: Browser) -> Iterator[Page]:
    """A fresh page on the work list; outside requests and console errors fail the test."""
    with watched_page(served, browser) as opened:
        yield opened


@contextmanager
def watched_page(
    served: Served,
    browser: Browser,
    path: str = "",
    color_scheme: Literal["dark", "light"] = "light",
    size: tuple[int, int] = (1440, 900),
) -> Iterator[Page]:
    """A fresh page at an address below ``served``, closed afterwards; outside requests and console
    errors fail. No cookie is left of the page before."""
    context = _window(browser, color_scheme, size)
    if not context.pages:  # it is gone
        _window.cache_clear()
        context = _window(browser, color_scheme, size)
    context.clear_cookies()
    served.outside.clear()  # a page is judged by its own
    served.complaints.clear()
    opened = context.new_page()
    try:
        watch(opened, served)
        opened.goto(f"{served.address}/{path}")
        yield opened
    finally:
        for page in context.pages[1:]:  # and what it opened
            page.close()
    assert served.outside == [], "requests that leave this computer"
    assert served.complaints == [], "errors in the browser's console"


@cache
def _window(
    browser: Browser, color_scheme: Literal["dark", "light"], size: tuple[int, int]
) -> BrowserContext:
    """A window that is kept: Chromium takes as long to draw a new one's frame as a page needs."""
    width, height = size
    window = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=color_scheme
    )
    window.set_default_timeout(1000 * PATIENCE_S)
    window.new_page()  # keeps it open between the tests
    return window


def watch(page: Page, served: Served) -> None:
    """Note every request that leaves this computer and every error in the console."""
    inside = (served.address, served.address.replace("http", "ws"), "data:", "blob:")

    def note_request(url: str) -> None:
        if not url.startswith(inside):
            served.outside.append(url)

    page.on("request", lambda request: note_request(request.url))
    page.on("websocket", lambda socket: note_request(socket.url))
    page.on("console", lambda message: _note_complaint(message, served))
    page.on("pageerror", lambda error: served.complaints.append(str(error)))


def _note_complaint(message: ConsoleMessage, served: Served) -> None:
    # Reloaded on a page of its own address, Streamlit looks for its services below that address
    # first, and the browser reports what is not there.
    below = re.search(r"/(review|label_quality)/_stcore/", message.location["url"])
    searched = below is not None and "404" in message.text
    if message.type == "error" and not searched:
        served.complaints.append(message.text)


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/_stcore/health", timeout=1) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
