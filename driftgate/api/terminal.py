"""A console that prints no text of a model, a dataset or a service as it came, on a terminal or in a notebook."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable
from typing import IO, Any, TextIO, cast

from rich.console import Console, ConsoleOptions, RenderableType
from rich.errors import MarkupError
from rich.progress import Progress, ProgressColumn
from rich.segment import Segment
from rich.text import Text

from driftgate.flows.plain import STEPS, plain
from driftgate.flows.scrubbing import scrub
from driftgate.flows.streams import PlainStream


class PlainConsole(Console):
    """A console whose texts are :func:`driftgate.flows.plain.plain` before they are measured, laid out and coloured.

    It colours no numbers, and makes no emoji of a signature's ``:one:``.
    """

    def __init__(self, *, width: int | None = None, file: IO[str] | None = None) -> None:
        self._styled: _Styled | None = None
        super().__init__(highlight=False, emoji=False, width=width, file=file)

    @property
    def file(self) -> IO[str]:
        """Where it writes: colours reach the stream past the rules for everybody else's texts."""
        found = super().file
        if self._styled is None or self._styled.behind is not found:
            self._styled = _Styled(found)
        return cast("IO[str]", self._styled)

    @file.setter
    def file(self, file: IO[str]) -> None:
        self._file = file

    def render_str(self, text: str, **how: Any) -> Text:
        """A text as it will be laid out; its markup is read first, so that nothing left out makes any."""
        text = scrub(text)  # before it is broken into lines
        try:
            found = super().render_str(text, **how)
        except MarkupError:  # somebody's text stands where markup was expected; nothing is lost of it
            found = super().render_str(text, **{**how, "markup": False})
        for pattern, instead in STEPS:
            if pattern.search(found.plain):
                found = _replaced(found, pattern, instead)
        return found

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """What is printed, whoever made it; nothing is a link, whose address nobody sees."""
        for segment in super().render(renderable, options):
            if segment.control:
                yield segment
            else:
                style = segment.style
                yield Segment(plain(scrub(segment.text)), style.update_link(None) if style and style.link else style)

    def on_broken_pipe(self) -> None:
        """Nobody reads on (``driftgate gate … | head``): the rest is not printed, and the command ends as it would.

        Rich ends the process with 1 here, which says that a gate failed.
        """
        self.quiet = True
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self.file.fileno())
        os.close(nowhere)


def _replaced(text: Text, pattern: re.Pattern[str], instead: str) -> Text:
    """The text with its styles, and something else where the pattern fits."""
    made, at = text.blank_copy(), 0
    for found in pattern.finditer(text.plain):
        if found.start() > at:
            made.append_text(text[at : found.start()])
        made.append(found.expand(instead))
        at = found.end()
    return made.append_text(text[at:]) if at < len(text.plain) else made


class _Styled:
    """The face of a stream for a console that has made its texts plain."""

    def __init__(self, behind: IO[str]) -> None:
        self.behind = behind
        self._stream = behind if isinstance(behind, PlainStream) else PlainStream(cast("TextIO", behind))

    def write(self, text: str) -> int:
        return self._stream.write_styled(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class Bars(Progress):
    """Progress bars; what is printed meanwhile is plain and stands above them."""

    def __init__(self, *columns: ProgressColumn, console: PlainConsole, **how: Any) -> None:
        super().__init__(*columns, console=console, redirect_stdout=False, redirect_stderr=False, **how)
        self._kept: tuple[Any, Any] | None = None

    def start(self) -> None:
        """Show them."""
        if not self.disable and self.console.is_terminal and self._kept is None:
            self._kept = (sys.stdout, sys.stderr)
            sys.stdout, sys.stderr = (_Above(self.console, stream) for stream in self._kept)
        super().start()

    def stop(self) -> None:
        """Take them away."""
        super().stop()
        if self._kept is not None:
            for above in (sys.stdout, sys.stderr):
                above.flush()
            (sys.stdout, sys.stderr), self._kept = self._kept, None


class _Above(PlainStream):
    """Lines that are printed above bars."""

    def __init__(self, console: Console, stream: TextIO) -> None:
        super().__init__(stream)
        self._console = console
        self._begun = ""

    @property
    def rich_proxied_file(self) -> TextIO:
        """Where the console itself writes."""
        return self.inner

    def write(self, text: str) -> int:
        *lines, self._begun = (self._begun + text).split("\n")
        if lines:
            self._console.print(Text("\n".join(lines)), soft_wrap=True)
        return len(text)

    def flush(self) -> None:
        if self._begun:
            begun, self._begun = self._begun, ""
            self._console.print(Text(begun), soft_wrap=True)
