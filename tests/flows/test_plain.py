"""What is printed is obeyed by no terminal and no build system, however it comes."""

from __future__ import annotations

import io
import json
import os
import pty
import re
import select
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from hostile import AZURE, TEXTS, obeyed
from hypothesis import given
from hypothesis import strategies as st
from rich.color import ColorSystem
from rich.markup import escape
from rich.table import Table

from driftgate.api.terminal import PlainConsole
from driftgate.flows.plain import json_on_a_terminal, one_line, plain
from driftgate.flows.streams import PlainStream, guard, write_commands


def written(*texts: str) -> str:
    behind = io.StringIO()
    stream = PlainStream(behind)
    for text in texts:
        stream.write(text)
    return behind.getvalue()


@given(TEXTS, st.lists(st.integers(0, 40), max_size=6))
def test_no_text_is_obeyed_however_it_is_cut_into_writes(text: str, cuts: list[int]) -> None:
    places = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    assert not obeyed(written(*(text[start:end] for start, end in pairwise(places))))


@given(st.lists(TEXTS, max_size=4))
def test_what_is_written_as_bytes_is_text_as_well(texts: list[str]) -> None:
    behind = io.StringIO()
    stream = PlainStream(behind)
    for text in texts:
        stream.buffer.write(text.encode("utf-8", "surrogatepass"))
    assert not obeyed(behind.getvalue())


@given(TEXTS)
def test_plain_text_stays_as_it_is_and_is_plain_once_for_all(text: str) -> None:
    assert plain(plain(text)) == plain(text)
    harmless = re.sub(r"[^\w ]", "", plain(text))
    assert plain(harmless) == harmless == written(harmless)


@given(TEXTS)
def test_one_line_is_one_line(text: str) -> None:
    assert "\n" not in one_line(text) and not obeyed(one_line(text))


@given(st.recursive(TEXTS | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner), max_leaves=6))
def test_json_on_a_terminal_is_the_same_value(value: object) -> None:
    text = json_on_a_terminal(json.dumps(value, ensure_ascii=False, indent=1))
    assert json.loads(text) == value
    assert written(text) == text and not obeyed(text)


@given(TEXTS, TEXTS, st.integers(20, 60), st.booleans())
def test_a_console_prints_plain_text_in_its_own_colours(first: str, second: str, width: int, colours: bool) -> None:
    behind = io.StringIO()
    console = PlainConsole(width=width, file=PlainStream(behind))  # type: ignore[arg-type]
    console._force_terminal, console._color_system = colours, ColorSystem.STANDARD if colours else None
    table = Table(escape(first))
    table.add_row(escape(second), f"[red]{escape(first)}[/]")
    console.print(table)
    console.print(f"[bold]{escape(first)}[/]{escape(second)}", soft_wrap=True)
    console.print_json(json.dumps({"text": first}))
    console.rule(escape(second))
    printed = behind.getvalue()
    assert not obeyed(re.sub(r"\x1b\[(?:1|1;31|31|2|3[0-9](?:;[0-9]+)*|0|1;[0-9]+|92)m", "", printed)), printed
    assert ("\x1b[1m" in printed) == colours


def test_rows_of_a_table_stay_in_line() -> None:
    behind = io.StringIO()
    console = PlainConsole(width=60, file=behind)
    table = Table("name", "n")
    for name in ("plain", "a\x1b[31mb", "##vso[x]", "zero\u200bwidth"):
        table.add_row(name, "1")
    console.print(table)
    assert len({len(line) for line in behind.getvalue().splitlines()}) == 1


def guarded(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """Guard both streams of this process, and return what comes out of them."""
    behind = io.StringIO()
    for name in ("stdout", "stderr"):
        monkeypatch.setattr(sys, name, behind)
    guard()
    return behind


WAYS = """
import logging, sys, threading, warnings
sys.path.insert(0, {support!r})
from hostile import HOSTILE
from rich.markup import escape
from driftgate.flows.streams import guard
guard()
from driftgate.api.terminal import PlainConsole
import typer
def fails():
    raise ValueError(HOSTILE)
class Fails:
    def __del__(self):
        raise ValueError(HOSTILE)
print(HOSTILE)
print(HOSTILE, file=sys.stderr)
sys.stdout.buffer.write(HOSTILE.encode())
sys.stdout.writelines([":", ":error::x\\n", "#", "#vso[x]\\n"])
typer.echo(HOSTILE)
typer.secho(HOSTILE, fg="red", err=True)
warnings.warn(HOSTILE)
logging.getLogger("driftgate").error(HOSTILE)
logging.basicConfig()
logging.getLogger("driftgate").error(HOSTILE)
PlainConsole().print(escape(HOSTILE))
Fails()
thread = threading.Thread(target=fails, name=HOSTILE)
thread.start()
thread.join()
fails()
"""


def test_every_way_to_print_goes_through_the_guard(tmp_path: Path) -> None:
    program = WAYS.format(support=str(Path(__file__).parents[1] / "support"))
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, encoding="utf-8", cwd=tmp_path)
    printed = done.stdout + done.stderr
    assert printed.count("result=Succeeded") >= 12, printed
    assert not obeyed(done.stdout) and not obeyed(done.stderr)


def test_only_commands_of_our_own_are_obeyed_and_begin_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    behind = guarded(monkeypatch)
    print("half a line", end="")
    write_commands(["::error title=x::y", AZURE])
    print(f"then {AZURE}")
    assert behind.getvalue() == f"half a line\n::error title=x::y\n{AZURE}\nthen # {AZURE[1:]}\n"


def test_the_guard_is_put_on_once(monkeypatch: pytest.MonkeyPatch) -> None:
    guarded(monkeypatch)
    before = sys.stdout
    guard()
    assert sys.stdout is before


def on_a_terminal(program: str, folder: Path) -> str:
    """What a program writes to a terminal."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "100"}
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdin=theirs, stdout=theirs, stderr=theirs, cwd=folder, env=environment
    )
    os.close(theirs)
    parts = []
    while select.select([ours], [], [], 20)[0]:
        try:
            part = os.read(ours, 65536)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        parts.append(part)
    process.wait(timeout=20)
    os.close(ours)
    return b"".join(parts).decode().replace("\r\n", "\n")


BARS = """
import sys, time
from driftgate.flows.streams import guard, write_commands
from driftgate.api.terminal import Bars, PlainConsole
from rich.progress import TextColumn
from rich.markup import escape
sys.path.insert(0, {support!r})
from hostile import HOSTILE
guard()
console = PlainConsole()
with Bars(TextColumn("  {{task.description}}"), console=console, transient=True) as bars:
    bars.add_task(escape(HOSTILE), total=2)
    bars.refresh()
    print("a flow says", HOSTILE)
    print("[/bold] [link=http://x]y[/]", end="", flush=True)
    sys.stderr.write("unfinished " + HOSTILE)
    write_commands(["::notice::ours"])
console.print("[bold red]ours[/] " + escape(HOSTILE))
print("after")
"""


def test_bars_colours_and_what_is_printed_meanwhile_on_a_terminal(tmp_path: Path) -> None:
    printed = on_a_terminal(BARS.format(support=str(Path(__file__).parents[1] / "support")), tmp_path)
    assert "\x1b[1;31mours\x1b[0m" in printed, printed
    assert "a flow says" in printed and "unfinished" in printed and "[/bold] [link=http://x]y[/]" in printed
    assert printed.endswith("after\n")
    assert "::notice::ours\n" in printed
    printed = printed.replace("::notice::ours\n", "")
    own = r"\x1b\[\??[0-9;]*[mKAhl]|\r"
    assert not obeyed(re.sub(own, "", printed))
    assert "\x1b[31m" not in printed.replace("\x1b[1;31m", "")
