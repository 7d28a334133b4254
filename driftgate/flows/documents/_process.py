"""Has PDF and HTML read by :mod:`driftgate.flows.documents._program`, within limits on time and memory."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import IO, Any, NamedTuple

from driftgate.flows.documents import _program
from driftgate.flows.extras import extra_of

_KEPT = ("PATH", "PYTHONPATH", "PYTHONHOME", "SYSTEMROOT", "TEMP", "TMP", "TMPDIR", "VIRTUAL_ENV")
"""Of the environment, what an interpreter needs: a broken parser is not given keys."""


class Told(NamedTuple):
    """What a reader says of a file: its text, or the reason why there is none."""

    text: str = ""
    note: str = ""
    reason: str = ""


@dataclass
class Reader:
    """One process for all files of a folder; another takes its place where it had to be ended."""

    seconds: float
    """For one file."""
    memory: int
    """Bytes."""
    characters: int
    """Of one file."""
    spent: float = field(default=0.0, init=False)
    """Seconds that were waited for it."""
    _process: subprocess.Popen[str] | None = field(default=None, init=False)
    _said: queue.Queue[str] = field(default_factory=queue.Queue, init=False)

    def __enter__(self) -> Reader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def ask(self, wanted: Mapping[str, Any]) -> Told:
        """Have a file read: ``form`` and ``path`` of a PDF, or ``form`` and ``text`` of a page."""
        process = self._process or self._start()
        assert process.stdin is not None
        began = time.monotonic()
        try:
            process.stdin.write(json.dumps(dict(wanted)) + "\n")
            process.stdin.flush()
            line = self._said.get(timeout=self.seconds)
        except queue.Empty:
            self._end()
            return Told(reason=f"it was not read within {self.seconds:g} s")
        except OSError:
            line = ""
        finally:
            self.spent += time.monotonic() - began
        if not line:
            self._end()
            return Told(reason="its parser broke down over it, or took more memory than it may")
        reply = json.loads(line)
        if "missing" in reply:
            missing = str(reply["missing"])
            extra = extra_of(missing)
            how = f"the extra '{extra}': pip install 'driftgate[{extra}]'" if extra else f"the package {missing}"
            return Told(reason=f"reading it needs {how}")
        return Told(str(reply.get("text", "")), str(reply.get("note", "")), str(reply.get("reason", "")))

    def _start(self) -> subprocess.Popen[str]:
        self._said = queue.Queue()
        process = subprocess.Popen(  # noqa: S603 - this very interpreter, with a program of driftgate's own
            [sys.executable, "-P", _program.__file__, str(self.memory), str(self.characters)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={name: os.environ[name] for name in _KEPT if name in os.environ},
            text=True,
            encoding="ascii",  # as JSON is written without other characters
        )
        assert process.stdout is not None
        threading.Thread(target=_listen, args=(process.stdout, self._said), daemon=True).start()
        self._process = process
        return process

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    try:
                        stream.close()
                    except OSError:  # what was to be written to it nobody reads any more
                        continue


def _listen(stream: IO[str], said: queue.Queue[str]) -> None:
    try:
        for line in stream:
            said.put(line)
    except ValueError:  # it was closed
        pass
    said.put("")
