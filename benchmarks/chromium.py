"""How the benchmarks and the tests start Chromium: headless, and without any outside request."""

from __future__ import annotations

CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
