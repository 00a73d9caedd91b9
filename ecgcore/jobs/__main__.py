"""``python -m ecgcore.jobs FOLDER``: the process of one run."""

import sys
from pathlib import Path

from ecgcore.jobs.work import work

if __name__ == "__main__":
    work(Path(sys.argv[1]).absolute())
