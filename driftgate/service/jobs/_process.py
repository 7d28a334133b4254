"""A job's process: on a leash, in a group of its own, with the end of what it prints."""

from __future__ import annotations

import asyncio
import codecs
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from driftgate.flows.leash import VARIABLE
from driftgate.flows.plain import plain
from driftgate.flows.scrubbing import told

TAIL = 32_000
"""Characters of a job's output that are kept."""
_PART = 65_536
_LINGER = 1.0
"""Seconds in which what it has printed is read when it has ended; a child of its own may hold its output open."""


@dataclass(frozen=True)
class Output:
    """The end of what a program has printed."""

    text: str
    left_out: int = 0
    """Characters before it that are not kept."""

    @property
    def last_line(self) -> str:
        """The last line that holds anything."""
        return next((line.strip() for line in reversed(self.text.splitlines()) if line.strip()), "")


def _utf8() -> codecs.IncrementalDecoder:
    return codecs.getincrementaldecoder("utf-8")("replace")


@dataclass
class Tail:
    """The end of a text that comes in parts.

    Examples
    --------
    >>> tail = Tail(10)
    >>> for part in (b"one\\n", b"two\\n", b"three\\n"):
    ...     tail.add(part)
    >>> tail.kept()
    Output(text='two\\nthree\\n', left_out=4)
    """

    most: int = TAIL
    _text: str = ""
    _left_out: int = 0
    _decoder: codecs.IncrementalDecoder = field(default_factory=_utf8)

    def add(self, part: bytes) -> None:
        """Take what has come."""
        text = self._text + self._decoder.decode(part)
        if len(text) > 4 * self.most:
            start = self._start(text)
            text, self._left_out = text[start:], self._left_out + start
        self._text = text

    def kept(self) -> Output:
        """Whole lines of it, with secrets, personal data and what a terminal obeys blanked."""
        text, left_out = self._text, self._left_out
        start = self._start(text)
        return Output(told(plain(text[start:])), left_out + start)

    def _start(self, text: str) -> int:
        # At the beginning of a line: half a secret would not be known as one.
        if len(text) <= self.most:
            return 0
        return text.find("\n", len(text) - self.most - 1) + 1 or len(text)


@dataclass
class Process:
    """A program under way, and what it prints."""

    process: asyncio.subprocess.Process
    leash: int
    """Our end of the pipe: while it is open, the program runs."""
    tail: Tail
    _reading: asyncio.Task[None]
    _ended: bool = False

    async def wait(self) -> int:
        """Its exit code when it has ended, and whatever it has left behind is ended too; below 0 the signal."""
        code = await self.process.wait()
        self._signal(signal.SIGKILL)
        self._ended = True  # its number may be another's soon
        with suppress(TimeoutError):
            await asyncio.wait_for(self._reading, _LINGER)
        if self.leash >= 0:
            os.close(self.leash)
            self.leash = -1
        return code

    def ask_to_end(self) -> None:
        """Send it, and all that it has started, the signal to end."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it, and all that it has started, at once."""
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        if self._ended:
            return
        with suppress(ProcessLookupError, PermissionError):
            if os.name == "posix":
                os.killpg(self.process.pid, number)
            elif self.process.returncode is None:
                self.process.terminate()


async def start(program: Sequence[str], environment: Mapping[str, str]) -> Process:
    """Start a program that ends when this process does."""
    if os.name != "posix":  # it is on no leash there, and its group is this one's
        process = await _start(program, dict(environment))
        leash = -1
    else:
        theirs, leash = os.pipe()
        try:
            process = await _start(program, {**environment, VARIABLE: str(theirs)}, pass_fds=(theirs,))
        except BaseException:
            os.close(leash)
            raise
        finally:
            os.close(theirs)
    tail = Tail()
    return Process(process, leash, tail, asyncio.create_task(_read(process, tail)))


async def _start(
    program: Sequence[str], environment: dict[str, str], pass_fds: tuple[int, ...] = ()
) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *program,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environment,
        pass_fds=pass_fds,
        start_new_session=os.name == "posix",
    )


async def _read(process: asyncio.subprocess.Process, tail: Tail) -> None:
    assert process.stdout is not None
    while part := await process.stdout.read(_PART):
        tail.add(part)
