"""A PostgreSQL server of Debian's package, started for the tests on a socket of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PLACES = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)


def postgres_is_here() -> bool:
    """Whether the package is installed."""
    return bool(_PLACES)


@contextmanager
def postgres() -> Iterator[str]:
    """The URL of an empty database; the server stops at the end."""
    home = Path(tempfile.mkdtemp(prefix="ecg-pg-"))
    user = "postgres" if os.getuid() == 0 else None
    if user:
        shutil.chown(home, user)
        home.chmod(0o755)
    data = home / "data"

    def run(program: str, *arguments: str) -> None:
        subprocess.run(
            [str(_PLACES[0] / program), *arguments], user=user, check=True, cwd=home,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60,
        )  # fmt: skip

    run("initdb", "-D", str(data), "-A", "trust", "-U", "reviewer", "-E", "UTF8", "--no-sync")
    run("pg_ctl", "-D", str(data), "-w", "-l", str(home / "log"), "-o",
        f"-k {home} -c listen_addresses='' -c max_connections=120", "start")  # fmt: skip
    try:
        yield f"postgresql://reviewer@/postgres?host={home}"
    finally:
        run("pg_ctl", "-D", str(data), "-m", "immediate", "stop")
        shutil.rmtree(home, ignore_errors=True)
