"""``python -m driftgate`` is the command ``driftgate``."""

import os
import sys

# Python puts the working directory on the path for -m, which the command itself does not: a json.py of the folder that
# somebody stands in would be imported in place of the library's.
if not sys.flags.safe_path and sys.path and sys.path[0] in ("", os.getcwd()):  # noqa: PTH109 (importing pathlib would be too late)
    del sys.path[0]

from driftgate.cli import main

main()
