"""``python -m ecgcore``: see ecgcore.cli."""

import io
import os
import sys

from ecgcore.cli import main

if isinstance(sys.stdout, io.TextIOWrapper):  # any file name can be printed in any locale
    sys.stdout.reconfigure(errors="backslashreplace")
status = main()
try:
    if sys.stdout is not None:  # None where it was closed before we began
        sys.stdout.flush()
except OSError:  # said already; what is left cannot be written, and Python would try at the end
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
if int(os.environ.get("WORLD_SIZE", "1")) > 1:
    # Under torchrun. All is written by now, and torch 2.13 with gloo now and then (3 of 20 times)
    # aborts in its C++ destructors ("terminate called without an active exception"), which torchrun
    # takes for a failure of the whole command.
    sys.stderr.flush()
    os._exit(status)
sys.exit(status)
