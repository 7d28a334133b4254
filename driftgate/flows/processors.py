"""How many processors this process may use."""

from __future__ import annotations

import os
from pathlib import Path

_QUOTA = Path("/sys/fs/cgroup/cpu.max")


def processors(quota: Path = _QUOTA) -> int:
    """Processors of this machine that this process may run on, and that its container is given time of.

    A container of one processor on a machine of sixteen sees sixteen: threads for all of them would wait for one
    another most of the time.

    Parameters
    ----------
    quota : pathlib.Path
        The kernel's file of a container's share (Linux, control groups 2: ``MAX PERIOD``, in microseconds, where
        ``MAX`` may be the word ``max``).

    Returns
    -------
    int
        At least 1; a part of a processor counts as a whole one.
    """
    mine = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        share, period = quota.read_text(encoding="ascii").split()
        given = -(-int(share) // int(period))
    except (OSError, ValueError, ZeroDivisionError):  # no control groups, or no limit
        return mine
    return max(1, min(mine, given))
