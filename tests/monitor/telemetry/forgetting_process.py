"""Forgets a user, as a process of its own that tests can kill: folder, user."""

from __future__ import annotations

import sys
from pathlib import Path

from driftgate.monitor.telemetry import forget_user

if __name__ == "__main__":
    forget_user(Path(sys.argv[1]), sys.argv[2])
