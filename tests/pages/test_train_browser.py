"""A training run watched in a real Chromium: numbers move in place, keys pause, resume and stop."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest
from playwright.sync_api import expect

from ecgcore.jobs import control
from ecgcore.jobs.folder import read_state
from ecgcore.review_work import open_store
from ecgcore.workspace import Workspace
from tests.packed_example import write_packed
from tests.pages.conftest import Served
from tests.run_example import small_order

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

FACTS = ".lightbox-headline"
BUTTONS = ".st-key-train-buttons"
CHART = '[class*="st-key-train-chart-"] canvas'
PLACES = (
    f"() => ['{BUTTONS}', '{FACTS}', '.st-key-train-log', '{CHART}']"
    ".map(one => document.querySelector(one).getBoundingClientRect().top)"
)
UNTIL_DIFFERENT = (
    f"before => document.querySelector('{FACTS}')"
    f" && document.querySelector('{FACTS}').innerText !== before"
)


@pytest.fixture
def running(served: Served, tmp_path: Path) -> Iterator[tuple[Workspace, str]]:
    """A run that does not end by itself, at work in the served workspace."""
    workspace = Workspace(served.workspace)
    store = open_store(workspace)
    order = small_order("watched", write_packed(tmp_path / "packed.npz"), epochs=100_000)
    run = control.submit(workspace, store, order)
    yield workspace, run
    written = read_state(control.status(workspace, run).folder)
    if written is not None and written[2] is not None:
        with suppress(psutil.Error):
            psutil.Process(written[2].pid).kill()
    store.database.engine.dispose()


def _open(page: Page) -> None:
    page.get_by_role("link", name="Train").click()
    page.get_by_role("radio", name="Runs").click()
    page.locator(FACTS, has_text="at work").wait_for()
    page.locator(FACTS, has_text="training").wait_for()
    page.locator(CHART).first.wait_for()


def _press(page: Page, place: str, label: str, then: str) -> None:
    """Press a button by keyboard; it keeps the focus while the page is drawn anew."""
    button = page.locator(f".st-key-train-{place} button:enabled", has_text=label).first
    button.wait_for()
    button.focus()
    page.wait_for_timeout(2500)
    assert button.evaluate("one => document.activeElement === one")
    page.keyboard.press("Enter")
    page.locator(FACTS, has_text=then).wait_for()


def test_numbers_move_in_place_and_keys_pause_resume_and_stop(
    running: tuple[Workspace, str], page: Page
) -> None:
    workspace, run = running
    frames: list[int] = []
    page.on("websocket", lambda one: one.on("framereceived", lambda _: frames.append(1)))
    page.reload()
    _open(page)
    page.wait_for_timeout(3000)
    page.locator(CHART).first.evaluate("one => { one.seenBefore = true }")
    before, said = page.evaluate(PLACES), page.locator(FACTS).inner_text()
    for _ in range(4):
        page.wait_for_function(UNTIL_DIFFERENT, arg=said)
        said = page.locator(FACTS).inner_text()
        assert page.evaluate(PLACES) == before
    assert page.locator(CHART).first.evaluate("one => one.seenBefore === true")
    frames.clear()
    page.wait_for_timeout(5000)
    busy = len(frames)
    assert busy >= 5
    _press(page, "go", "Pause", "paused")
    page.locator(".st-key-train-go button:enabled", has_text="Resume").first.wait_for()
    assert "Resume" in page.evaluate("document.activeElement.innerText"), "in its place"
    assert control.status(workspace, run).state == "paused"
    page.wait_for_timeout(1500)
    frames.clear()
    page.wait_for_timeout(5000)
    assert len(frames) < busy / 2, "a run that rests is not asked for anew each second"
    _press(page, "go", "Resume", "at work")
    _press(page, "stop", "Stop", "stopped")
    assert control.status(workspace, run).state == "stopped"
    expect(page.locator(".st-key-train-stop button").first).to_be_disabled()
