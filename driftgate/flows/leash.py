"""A process that ends with the one that started it, however that one ends.

Who starts it keeps one end of a pipe and writes nothing. The other end is read here by a thread: what it reads is the
end of the pipe, which comes when nobody holds the first one any more, after a ``kill -9`` too.
"""

from __future__ import annotations

import os
import signal
import threading

VARIABLE = "DRIFTGATE_LEASH"
"""Names the pipe's descriptor in the environment of a process that is on a leash."""


def follow() -> None:
    """Let this process, and every one of its group, be killed when whoever started it is gone."""
    number = os.environ.pop(VARIABLE, "")  # not for the processes that this one starts
    if not number.isdigit() or os.name != "posix" or os.getpgid(0) != os.getpid():
        return
    try:
        os.set_inheritable(int(number), False)
    except OSError:  # there is no such descriptor: whoever set the variable was not ours
        return
    threading.Thread(target=_watch, args=(int(number),), name="leash", daemon=True).start()


def _watch(pipe: int) -> None:
    while os.read(pipe, 64):
        pass
    os.killpg(0, signal.SIGKILL)
