"""``python -m driftgate`` is the command ``driftgate``."""

import os
import sys

# Python puts the working directory on the path for -m, which the command itself does not: a json.py of the folder that
# somebody stands in would be imported in place of the library's.
if not sys.flags.safe_path and sys.path and sys.path[0] in ("", os.getcwd()):  # noqa: PTH109 (importing pathlib would be too late)
    del sys.path[0]

if "DRIFTGATE_LEASH" in os.environ:  # a job of driftgate serve, which ends with it
    from driftgate.flows.leash import follow

    follow()

from driftgate.cli import main

main()
