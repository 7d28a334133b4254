"""A port in another environment: its own interpreter, one process, one JSON line for each sample."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from driftgate.flows.engines import _port_program
from driftgate.flows.errors import DriftgateError
from driftgate.flows.port import Port

_LONGEST_REPLY = 64 * 1024 * 1024
_LONGEST_IMPORT = 120.0
_LONGEST_END = 5.0
_LINES_KEPT = 20


@dataclass
class PortProcess:
    """Runs :mod:`driftgate.flows.engines._port_program` and hands it the inputs of lines."""

    port: Port
    inputs: frozenset[str]
    _process: asyncio.subprocess.Process | None = None
    _waiting: dict[int, asyncio.Future[Mapping[str, Any]]] = field(default_factory=dict)
    _said: deque[str] = field(default_factory=lambda: deque(maxlen=_LINES_KEPT))
    _asked: int = 0
    _begin: asyncio.Lock = field(default_factory=asyncio.Lock)
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)
    _over: bool = False

    @property
    def alive(self) -> bool:
        """Whether it can still be asked."""
        return not self._over

    async def __call__(self, inputs: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
        """What the port gave for a line's inputs, and what it tells of its steps.

        Raises
        ------
        DriftgateError
            The process cannot be begun, or has ended.
        RuntimeError
            The port raised; its words.
        """
        async with self._begin:
            if self._process is None:
                await self._start()
        process = self._process
        if self._over or process is None or process.stdin is None:
            raise self._ended()
        self._asked += 1
        number = self._asked
        reply: asyncio.Future[Mapping[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[number] = reply
        try:
            process.stdin.write((json.dumps({"n": number, "inputs": inputs}, default=str) + "\n").encode())
            await process.stdin.drain()
            answer = await reply
        except (BrokenPipeError, ConnectionResetError):
            raise self._ended() from None
        finally:
            self._waiting.pop(number, None)
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer["output"], dict(answer["nodes"])

    async def aclose(self) -> None:
        """End the process."""
        self._over = True
        if self._process is None:
            return
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            async with asyncio.timeout(_LONGEST_END):
                await self._process.wait()
        except TimeoutError:
            with suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _start(self) -> None:
        port = self.port
        program = [str(port.python), _port_program.__file__, port.target, str(port.folder)]
        pipe = asyncio.subprocess.PIPE
        try:
            self._process = await asyncio.create_subprocess_exec(
                *program, stdin=pipe, stdout=pipe, stderr=pipe, cwd=port.folder, limit=_LONGEST_REPLY
            )
        except OSError as problem:
            self._over = True
            raise DriftgateError(f"{port.python} cannot be run: {problem}", "name a Python interpreter") from problem
        self._tasks.append(asyncio.create_task(self._listen()))
        assert self._process.stdout is not None
        try:
            async with asyncio.timeout(_LONGEST_IMPORT):
                first = await self._process.stdout.readline()
        except TimeoutError:
            self._over = True
            raise DriftgateError(
                f"the port '{port.target}' was not imported within {_LONGEST_IMPORT:g} s", "import less"
            ) from None
        greeting = json.loads(first) if first else {}
        if "needs" not in greeting:
            self._over = True
            said = greeting.get("refused") or " ".join(self._said) or "its process ended"
            raise DriftgateError(
                f"the port '{port.target}' cannot be imported by {port.python}: {said}",
                greeting.get("remedy") or "name module:function, in the workspace or installed there",
            )
        try:
            port.check_needs(greeting["needs"], self.inputs)
        except DriftgateError:
            self._over = True
            raise
        self._tasks.append(asyncio.create_task(self._read()))

    async def _read(self) -> None:
        assert self._process is not None and self._process.stdout is not None
        while line := await self._process.stdout.readline():
            answer = json.loads(line)
            waiting = self._waiting.get(answer["n"])
            if waiting is not None and not waiting.done():
                waiting.set_result(answer)
        self._over = True
        await self._process.wait()
        for waiting in list(self._waiting.values()):
            if not waiting.done():
                waiting.set_exception(self._ended())

    async def _listen(self) -> None:
        assert self._process is not None and self._process.stderr is not None
        while line := await self._process.stderr.readline():
            self._said.append(line.decode(errors="replace").strip())

    def _ended(self) -> DriftgateError:
        code = self._process.returncode if self._process else None
        said = f": {self._said[-1]}" if self._said else ""
        return DriftgateError(
            f"the process of the port '{self.port.target}' ended with {code}{said}", "mend the port, then go on"
        )
