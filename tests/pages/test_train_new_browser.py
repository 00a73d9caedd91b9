"""A new run in a real Chromium: a folder is looked through and chosen, options are changed by
keyboard without losing the place, and what cannot begin is said."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from ecgcore.jobs.folder import ORDER, write_state
from ecgcore.jobs.values import RunOrder, now
from ecgcore.storage import write_json
from ecgcore.training.recipes import recipe
from tests.packed_example import write_packed
from tests.pages.conftest import Served
from tests.wfdb_files import write_wfdb

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

_FOCUSED = "document.activeElement && document.activeElement.getAttribute('aria-label')"


def test_a_folder_is_looked_through_and_options_are_changed_by_keyboard(
    served: Served, page: Page, tmp_path: Path
) -> None:
    folder = tmp_path / "in"
    for number in range(8):
        write_wfdb(folder, f"r{number}", 10, 60 + 5 * number, "NORM;SR")
    write_wfdb(folder, "short", 1, 60, "SR")
    page.get_by_role("link", name="Train").click()
    page.get_by_text("Choose data to learn from").wait_for()

    page.locator(".st-key-train-folder-look summary").focus()
    page.keyboard.press("Enter")
    page.get_by_role("textbox", name="Folder").fill(str(folder))
    page.keyboard.press("Enter")
    page.get_by_text("8 recordings are ready.").wait_for()
    page.get_by_text("1 left out:").first.wait_for()
    page.get_by_text("in-recordings-").first.wait_for()
    page.locator("dd", has_text="not told").wait_for()
    packs = [path.name for path in (served.workspace / "packs").iterdir()]
    assert len(packs) == 1 and packs[0].endswith(".pack")
    page.get_by_text("No label has 20 recordings to learn from").wait_for()
    expect(page.get_by_role("button", name="Start", exact=True)).to_be_disabled()

    page.locator(".st-key-train-row-epochs input").focus()
    page.keyboard.press("Control+a")
    page.keyboard.type("3")
    page.keyboard.press("Enter")
    page.get_by_text("Changed; the recipe has 30.").wait_for()
    assert page.evaluate(_FOCUSED) == "Epochs"
    page.keyboard.press("Tab")  # the way back is the next thing but the stepper
    for _ in range(3):
        if page.evaluate("document.activeElement.innerText") == "Put back":
            break
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_text("Changed; the recipe has 30.").wait_for(state="hidden")
    expect(page.locator(".st-key-train-row-epochs input")).to_have_value("30")


def test_the_summary_stays_in_sight_beside_the_options(page: Page) -> None:
    page.get_by_role("link", name="Train").click()
    page.get_by_text("Choose data to learn from").wait_for()
    page.locator(".st-key-train-row-attribution").scroll_into_view_if_needed()
    page.wait_for_timeout(300)
    box = page.get_by_role("button", name="Start", exact=True).bounding_box()
    assert box is not None and 0 < box["y"] < 900
    wide = page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert wide, "nothing stands beside the screen"


def test_an_earlier_run_is_repeated_with_changes(
    served: Served, page: Page, tmp_path: Path
) -> None:
    run = served.workspace / "runs" / "20260101-000000-again"
    options = recipe("cnn_te").options.to_json() | {"epochs": 7}
    data = str(write_packed(tmp_path / "some.npz"))
    write_json(run / ORDER, RunOrder("again", options, (data,), recipe="cnn_te").to_json())
    write_state(run, "stopped", "", None, now())
    page.get_by_role("link", name="Train").click()
    page.get_by_role("radio", name="Runs").click()
    page.get_by_role("button", name="Repeat with changes").click()
    page.get_by_text("Changed; the recipe has").first.wait_for()
    expect(page.locator(".st-key-train-row-epochs input")).to_have_value("7")
    expect(page.get_by_role("textbox", name="Name of the model")).to_have_value("again")
    page.get_by_text("some.npz: 90 recordings").wait_for()
