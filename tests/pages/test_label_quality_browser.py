"""Label quality in a real Chromium: working through the queue by keyboard, and a disagreement."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from ecgcore.review.rounds import standings
from ecgcore.review_work import open_store
from ecgcore.workspace import Workspace
from tests.pages.conftest import Served, watch
from tests.wfdb_files import write_wfdb

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

NAME = ".lightbox-head .name"
RECORDS = 8


def _press(page: Page, key: str) -> None:
    """Press a key on a page that has come to rest, and wait until another recording is open."""
    page.locator('.stApp[data-test-script-state="notRunning"]').wait_for()
    page.wait_for_timeout(400)
    page.locator('.stApp[data-test-script-state="notRunning"]').wait_for()
    before = page.locator(NAME).inner_text()
    page.keyboard.press(key)
    page.wait_for_function(
        f"before => {{ const name = document.querySelector('{NAME}');"
        " return name && name.innerText !== before }",
        arg=before,
    )


def _open(page: Page) -> None:
    page.locator('.stApp[data-test-script-state="notRunning"]').wait_for()
    page.get_by_role("link", name="Label quality").click()


def _as(page: Page, person: str, part: str) -> None:
    """Work under another name on a part of the queue."""
    page.locator(NAME).wait_for()
    page.locator(".st-key-label-top .stPopover button").first.click()
    page.locator('input[aria-label="Your name"]').fill(person)
    page.keyboard.press("Enter")
    page.locator(".st-key-label-top .stPopover button", has_text=person).wait_for()
    page.keyboard.press("Escape")
    page.locator(".st-key-label-filters").get_by_role("radio", name=part).click()


@pytest.fixture
def labelled(served: Served, tmp_path: Path) -> Workspace:
    """The served workspace with eight labelled records in a folder."""
    for number in range(RECORDS):
        write_wfdb(tmp_path / "in", f"r{number}", 10, 60 + 5 * number, "NORM;SR")
    workspace = Workspace(served.workspace)
    workspace.add_folder(str(tmp_path / "in"))
    return workspace


def test_the_queue_is_worked_through_by_keyboard_and_a_dispute_settled(
    labelled: Workspace, page: Page, browser: Browser, served: Served
) -> None:
    _open(page)
    page.locator(".st-key-label-bring-in button").click()
    page.locator(NAME, has_text="r0").wait_for()
    for key in "AUXS":
        _press(page, key)
    _press(page, "Z")  # the rejection is taken back, and its recording is open again
    page.locator(NAME, has_text="r2").wait_for()
    page.get_by_text("is taken back by no. 4").wait_for()
    store = open_store(labelled)
    actions = [one.decision.action for one in store.reviews("x")]
    assert actions == ["accept", "unsure", "reject", "withdraw"]

    others = browser.new_context(viewport={"width": 1440, "height": 900})
    other = others.new_page()
    watch(other, served)
    other.goto(served.address)
    _open(other)
    _as(other, "bob", "Decided")
    other.locator(NAME, has_text="r0").wait_for()
    other.locator(".st-key-label-reject button").click()
    other.get_by_text("Kept as no. 5").wait_for()
    _as(other, "cleo", "Disputed")
    other.get_by_text("your decision settles it").wait_for()
    other.locator(".st-key-label-accept button").click()
    other.get_by_text("Kept as no. 6").wait_for()
    others.close()
    settled = [one for one in standings(store.reviews("x")).values() if one.adjudicated]
    assert [one.codes for one in settled] == [("NORM", "SR")]
    assert store.audit().intact


def test_the_picker_finds_a_label_by_another_systems_code(labelled: Workspace, page: Page) -> None:
    _open(page)
    page.locator(".st-key-label-bring-in button").click()
    page.locator(NAME, has_text="r0").wait_for()
    picker = page.locator('.st-key-label-panel [data-testid="stMultiSelect"] input')
    picker.click()
    picker.type("164889003")
    page.get_by_role("option").filter(has_text="AFIB").click()
    page.locator(NAME).click()  # the list of labels closes
    page.locator(".st-key-label-change button:enabled").click()
    page.get_by_text("set AFIB, NORM, SR").first.wait_for()
    (kept,) = open_store(labelled).reviews("x")
    assert kept.decision.codes == ("AFIB", "NORM", "SR")


def test_gathering_goes_on_when_the_page_is_left_and_ends_with_the_server(
    labelled: Workspace, page: Page, served: Served
) -> None:
    _open(page)
    page.locator(".st-key-label-bring-in button").click()
    page.locator(NAME, has_text="r0").wait_for()
    page.locator(".st-key-label-gather button").click()
    page.get_by_text("It goes on when you leave this page").wait_for()
    page.get_by_role("link", name="Work list").click()
    page.get_by_text("It goes on when you leave this page").wait_for(state="detached")
    evidence = served.workspace / "evidence"
    until = time.monotonic() + 60
    while not any(
        len(json.loads(kept.read_bytes())["answers"]) >= RECORDS
        for kept in evidence.glob("rules-*.json")
    ):
        assert time.monotonic() < until, "nothing was gathered while the page was left"
        time.sleep(0.2)
    _open(page)
    page.locator(NAME, has_text="r0").wait_for()
    page.locator('.stApp[data-test-script-state="notRunning"]').wait_for()
    page.wait_for_timeout(400)
    page.locator(".st-key-label-again button:visible").click()
    page.get_by_text("Suspicion").first.wait_for()
    expect(page.locator(".st-key-label-gather")).to_have_count(0)

    for number in range(RECORDS, 5 * RECORDS):
        write_wfdb(served.workspace.parent / "in", f"r{number}", 10, 60 + number, "SR")
    page.wait_for_timeout(2500)  # the page looks for new files every two seconds
    _open(page)
    page.locator(".st-key-label-bring-in button").click()
    page.locator(".st-key-label-gather button").click()
    page.locator(".st-key-label-gathering").wait_for()
    page.locator('.stApp[data-test-script-state="notRunning"]').wait_for()
    page.goto("about:blank")
    page.wait_for_timeout(500)  # a page that is being drawn is another thing
    served.process.terminate()
    assert served.process.wait(timeout=20) in (0, -15, 143)
    (kept,) = evidence.glob("rules-*.json")
    told = json.loads(kept.read_bytes())["answers"]
    assert len(told) < 5 * RECORDS, "it was broken off"
