"""A chat endpoint whose replies are hostile: too long, too slow, too deep, or about nothing there is.

What a reply is like is the first part of the path that is asked: ``http://127.0.0.1:PORT/drip/v1``; of ``good-or-long``
every third reply is long. It speaks HTTP by
hand, as no server's library would say what it says.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
import zlib
from collections import Counter
from typing import Any

GIB = 2**30


def completion(**changes: Any) -> dict[str, Any]:
    """A chat completion that answers ``A``, with other values at its top."""
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "A"}}
    usage = {"prompt_tokens": 20, "completion_tokens": 1}
    return {"object": "chat.completion", "model": "gpt-test", "choices": [choice], "usage": usage, **changes}


def nested(depth: int) -> bytes:
    """A chat completion with lists so deep within each other."""
    return json.dumps(completion(extra="HERE")).encode().replace(b'"HERE"', b"[" * depth + b"]" * depth)


BODIES: dict[str, bytes] = {
    "good": json.dumps(completion()).encode(),
    "deep": nested(900),
    "deeper": nested(100_000),
    "1e400": json.dumps(completion(usage={"prompt_tokens": 1234, "completion_tokens": 1}))
    .replace("1234", "1e400")
    .encode(),
    "negative": json.dumps(completion(usage={"prompt_tokens": -(10**9), "completion_tokens": -(10**9)})).encode(),
    "absurd": json.dumps(completion(usage={"prompt_tokens": 10**15, "completion_tokens": True})).encode(),
    "digits": json.dumps(completion(created=0)).encode().replace(b'"created": 0', b'"created": ' + b"9" * 5000),
    "nan": json.dumps(completion(usage={"prompt_tokens": float("nan"), "completion_tokens": 1})).encode(),
    "twice": json.dumps(completion()).encode()[:-1] + b', "usage": {"prompt_tokens": 0, "completion_tokens": 0}}',
    "surrogate": json.dumps(completion(model="\ud800")).encode(),
    "not-utf8": b'{"choices": [{"message": {"content": "\xff\xfe"}}]}',
    "model-number": json.dumps(completion(model=5, created="x")).encode(),
    "page": b"<html><h1>Welcome</h1></html>",
}


_BEGINNINGS = {
    "chunked": b'{"choices": "',
    "sse": b"data: {}\n\n",
    "long-error": b'{"error": {"message": "no ',
}


class HostileEndpoint:
    """It listens from :meth:`start` to :meth:`stop` in a thread of its own."""

    def __init__(self, size: int = GIB, redirect: str = "http://evil.example/v1/chat/completions") -> None:
        self.size = size
        """Bytes of a long reply."""
        self.redirect = redirect
        self.asked: Counter[str] = Counter()
        """Requests by the first part of their path."""
        self.port = 0
        self._packed = b""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def url(self, kind: str) -> str:
        """The base address whose replies are of a kind."""
        return f"http://127.0.0.1:{self.port}/{kind}/v1"

    def start(self) -> None:
        """Listen on a free port."""
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)

    def stop(self) -> None:
        """Stop listening and end the thread."""
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        self._server.close()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            length = next(
                (int(line.split(":")[1]) for line in head.splitlines() if line.lower().startswith("content-length:")), 0
            )
            await reader.readexactly(length)
            kind = head.split()[1].split("/")[1]
            self.asked[kind] += 1
            often, _, rare = kind.partition("-or-")
            await self._reply(rare if rare and self.asked[kind] % 3 == 0 else often, writer)
        writer.close()

    async def _reply(self, kind: str, writer: asyncio.StreamWriter) -> None:
        if kind == "redirect":
            await _send(writer, b"", f"Location: {self.redirect}", status="307 Temporary Redirect", length=0)
        elif kind == "long":
            await _send(writer, b'{"choices": "', length=self.size)
            await _fill(writer, self.size - 13)
        elif kind in ("chunked", "sse", "long-error"):
            start = _BEGINNINGS[kind]
            stream = "text/event-stream" if kind == "sse" else "application/json"
            status = "500 Internal Server Error" if kind == "long-error" else "200 OK"
            await _send(writer, b"", "Transfer-Encoding: chunked", status=status, content_type=stream)
            block = start * (65536 // len(start)) if kind == "sse" else b"a" * 65536
            writer.write(b"%x\r\n%s\r\n" % (len(start), start))
            for _ in range(self.size // len(block)):
                writer.write(b"%x\r\n%s\r\n" % (len(block), block))
                await writer.drain()
            writer.write(b"0\r\n\r\n")
        elif kind == "gzip":
            self._packed = self._packed or _bomb(self.size)
            await _send(writer, self._packed, "Content-Encoding: gzip", length=len(self._packed))
        elif kind == "drip":
            body = BODIES["good"]
            await _send(writer, b"", length=len(body))
            for byte in body:
                writer.write(bytes([byte]))
                await writer.drain()
                await asyncio.sleep(1)
        else:
            await _send(writer, BODIES[kind], length=len(BODIES[kind]))
        await writer.drain()


async def _send(
    writer: asyncio.StreamWriter,
    body: bytes,
    *headers: str,
    status: str = "200 OK",
    length: int | None = None,
    content_type: str = "application/json",
) -> None:
    size = [] if length is None else [f"Content-Length: {length}"]
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {content_type}", "Connection: close", *size, *headers]
    writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
    await writer.drain()


async def _fill(writer: asyncio.StreamWriter, size: int) -> None:
    block = b"a" * 65536
    while size > 0:
        writer.write(block[:size])
        await writer.drain()
        size -= len(block)


def _bomb(size: int) -> bytes:
    """``size`` bytes of one letter, packed to about a thousandth; its end, which nobody should get to, is not right."""
    packer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    first, again = (packer.compress(b" " * 2**20) + packer.flush(zlib.Z_FULL_FLUSH) for _ in range(2))
    return first + again * (size // 2**20 - 1) + packer.flush()
