"""The two streams of a process, made harmless: whoever prints, what is printed is :func:`plain` and holds no secret.

:func:`guard` puts them in place of ``sys.stdout`` and ``sys.stderr`` when the command starts, so that print, warnings,
logging, tracebacks and code that is not ours write through them.
"""

from __future__ import annotations

import codecs
import io
import sys
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TextIO

from driftgate.flows.plain import line_so_far, plain, uncommanded
from driftgate.flows.scrubbing import scrub

if TYPE_CHECKING:
    from typing_extensions import Buffer


class PlainStream(io.TextIOBase):
    """A text stream in front of another: what is written has no controls, no secrets and no commands of build systems.

    Parameters
    ----------
    inner : TextIO
        Where it goes.
    """

    def __init__(self, inner: TextIO) -> None:
        self.inner = inner
        self._lock = threading.RLock()
        self._line = ""
        self._bytes = _Bytes(self)

    def write(self, text: str) -> int:
        """Write the text, plain."""
        self._put(plain(text))
        return len(text)

    def write_styled(self, text: str) -> int:
        """Write what a console has rendered of plain texts: its own colours and movements of the cursor stay."""
        self._put(text)
        return len(text)

    def write_own(self, text: str) -> None:
        """Write lines as they are, but for secrets: nothing in them is anybody else's, or is escaped in its own way."""
        text = scrub(text)
        with self._lock:
            self.inner.write(text if not self._line else f"\n{text}")
            self._line = line_so_far(text)
            self.inner.flush()

    def _put(self, text: str) -> None:
        text = scrub(text)
        with self._lock:  # entered again where a finaliser warns while something is written
            self.inner.write(uncommanded(text, self._line))
            self._line = line_so_far(self._line + text)

    def flush(self) -> None:
        """Flush what lies behind."""
        self.inner.flush()

    def isatty(self) -> bool:
        """Whether a terminal lies behind."""
        return self.inner.isatty()

    def fileno(self) -> int:
        """The descriptor behind."""
        return self.inner.fileno()

    def writable(self) -> bool:
        """It is."""
        return True

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """The encoding behind."""
        return getattr(self.inner, "encoding", None) or "utf-8"

    @property
    def errors(self) -> str | None:  # type: ignore[override]
        """What becomes of a character that the encoding has not."""
        return getattr(self.inner, "errors", None)

    @property
    def buffer(self) -> io.RawIOBase:
        """For whoever writes bytes: they are read as text, and written as text is."""
        return self._bytes

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


class _Bytes(io.RawIOBase):
    def __init__(self, text: PlainStream) -> None:
        self._text = text
        self._decoder = codecs.getincrementaldecoder(text.encoding)("replace")

    def write(self, content: Buffer) -> int:
        given = bytes(content)
        self._text.write(self._decoder.decode(given))
        return len(given)

    def flush(self) -> None:
        self._text.flush()

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._text.fileno()


def guard() -> None:
    """Make this process's streams plain, until it ends."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is not None and not isinstance(stream, PlainStream):  # None: there is no console, as in a service
            setattr(sys, name, PlainStream(stream))


def write_own(text: str) -> None:
    """Print what may speak to a build system, or is this program's own document; see :meth:`PlainStream.write_own`."""
    stream: Any = sys.stdout
    if stream is None:
        return
    stream = stream if isinstance(stream, PlainStream) else PlainStream(stream)
    while isinstance(stream.inner, PlainStream):  # bars stand before it
        stream = stream.inner
    stream.write_own(text)


def write_commands(commands: Sequence[str]) -> None:
    """Give a build system commands, each of which is escaped in that system's own way."""
    if commands:
        write_own("\n".join(commands) + "\n")
