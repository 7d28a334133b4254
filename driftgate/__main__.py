"""``python -m driftgate`` is the command ``driftgate``."""

from driftgate.cli import main

main()
