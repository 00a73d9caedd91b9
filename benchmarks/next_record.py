"""From the click on "Next" to the painted ECG, in Chromium, over many records.

    python benchmarks/next_record.py [--records 50] [--folder FOLDER] [--look 1500]

Serves the application on a free port with a workspace of its own and opens it in headless Chromium.
A click's time is taken inside the page: from the click to the frame after the one in which the new
record's traces stand in the drawing. Prints median and 95th percentile, and the server's memory
along the way.

Without --folder the records are synthetic (12 leads, 10 s, 500 Hz, WFDB).
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY))

from benchmarks.chromium import CHROMIUM_ARGUMENTS  # noqa: E402

_SETTLE_MS = 8_000  # the first model loads

# Milliseconds from the click to the frame after the new traces stand in the drawing: at least the
# twelve leads, and the last of them drawn otherwise than before.
_CLICK_AND_WAIT = """
async () => {
  const lines = () => [...document.querySelectorAll('.st-key-paper-sheet path.js-line')];
  const last = () => lines().at(-1)?.getAttribute("d") ?? "";
  const before = last();
  const began = performance.now();
  document.querySelector('.st-key-leaf-next button').click();
  while (lines().length < 12 || last() === before) {
    if (performance.now() - began > 20000) return null;
    await new Promise(done => requestAnimationFrame(done));
  }
  await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
  return performance.now() - began;
}
"""


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--records", type=int, default=50)
    arguments.add_argument("--folder", type=Path)
    arguments.add_argument("--look", type=int, default=1500, help="ms that a reader looks at one")
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        workspace = Path(temporary)
        folder = options.folder or _synthetic(workspace / "source", options.records + 3)
        (workspace / "folders.json").write_text(json.dumps([str(folder.resolve())]))
        with _served(workspace) as (process, address):
            times, memory = _leaf(address, process.pid, options.records, options.look)
    _print(times, memory)
    return 0


def _print(times: list[float], memory: list[tuple[int, float]]) -> None:
    ordered = sorted(times)
    p95 = ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
    print(f"click on next -> painted ECG, {len(times)} records, Chromium 1440 x 900")
    print(
        f"median {statistics.median(times):.0f} ms, 95th percentile {p95:.0f} ms, "
        f"slowest {ordered[-1]:.0f} ms"
    )
    print("server memory: " + ", ".join(f"{mb:.0f} MB after {n}" for n, mb in memory))


def _leaf(
    address: str, pid: int, records: int, look_ms: int
) -> tuple[list[float], list[tuple[int, float]]]:
    """Click through the records; the first two clicks warm up and do not count."""
    from playwright.sync_api import sync_playwright

    times: list[float] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=CHROMIUM_ARGUMENTS
        )
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(address)
        page.locator(".st-key-open-first button").click()
        page.locator(".st-key-paper-sheet path.js-line").first.wait_for(timeout=60_000)
        page.wait_for_timeout(_SETTLE_MS)
        memory = [(0, _megabytes(pid))]
        for number in range(records + 2):
            took = page.evaluate(_CLICK_AND_WAIT)
            if took is None:
                raise SystemExit(f"record {number + 1} was not painted within 20 s")
            if number >= 2:
                times.append(took)
            page.wait_for_timeout(look_ms)
            if number == 11 or number % 100 == 1 < number:
                memory.append((number - 1, _megabytes(pid)))
        memory.append((records, _megabytes(pid)))
        browser.close()
    return times, memory


def _megabytes(pid: int) -> float:
    """Resident memory of a process (Linux)."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise SystemExit(f"no memory line for process {pid}")


@contextmanager
def _served(workspace: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """The application on a free port, ended afterwards."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)],
        cwd=REPOSITORY,
        env=os.environ | {"ECG_WORKSPACE": str(workspace)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        until = time.monotonic() + 60
        while not _is_up(address):
            if time.monotonic() > until:
                raise SystemExit("the application did not start within 60 s")
            time.sleep(0.2)
        yield process, address
    finally:
        process.terminate()
        process.wait()


def _is_up(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/_stcore/health", timeout=1) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _synthetic(folder: Path, count: int) -> Path:
    """Twelve-lead WFDB records whose limb leads keep Einthoven's and Goldberger's identities."""
    import wfdb

    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    seconds = np.arange(5000) / 500
    for number in range(count):
        rate = rng.uniform(0.8, 1.8)
        phase = (seconds * rate) % 1
        beat = np.exp(-(((phase - 0.4) / 0.02) ** 2)) + 0.25 * np.exp(
            -(((phase - 0.7) / 0.06) ** 2)
        )
        sources = rng.uniform(0.3, 1.2, 8)[:, None] * beat + rng.normal(0, 0.01, (8, 5000))
        one, two = np.round(2000 * sources[0]) / 1000, np.round(2000 * sources[1]) / 1000
        limb = [one, two, two - one, -(one + two) / 2, one - two / 2, two - one / 2]
        wfdb.wrsamp(
            f"synthetic{number:04d}",
            fs=500,
            units=["mV"] * 12,
            sig_name=["I", "II", "III", "aVR", "aVL", "aVF", *(f"V{n}" for n in range(1, 7))],
            p_signal=np.stack([*limb, *sources[2:]], axis=1),
            fmt=["16"] * 12,
            adc_gain=[1000.0] * 12,
            baseline=[0] * 12,
            write_dir=str(folder),
        )
    return folder


if __name__ == "__main__":
    raise SystemExit(main())
