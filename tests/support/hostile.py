"""Texts that a terminal or a build system would obey, and how to tell that it was not asked to."""

from __future__ import annotations

import json
import re
import sqlite3
import unicodedata
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

AZURE = "##vso[task.complete result=Succeeded]"
HOSTILE = (
    f"x\x1b[31m\x1b]0;owned\x07\n::error::owned\r{AZURE}\u202e\u2028 ##[group]y [/nothing] [\x1b[0m/nothing] [red]"
    "\n \u200b::set-output name=a::b"
    "\x9b2J #\u2060#vso[task.complete] #\x1b[0m#[error]z :\u200d:\n:\x1b[0m:debug::w\x85##teamcity[a]"
)
"""Everything at once, as a dataset or a service may say it."""
PIECES = [
    *(
        "#",
        "##",
        ":",
        "::",
        "::error::x",
        AZURE,
        "##[group]",
        "\n",
        "\r",
        "\r\n",
        " ",
        "\t",
        "\u3000",
        "x",
        "가",
        "👩‍🔧",
    ),
    *("\x1b[31m", "\x1b[2K", "\x1b]8;;http://x\x07", "\x1b", "\x9b1m", "\x00", "\x07", "\x08", "\x0b", "\x85"),
    *("\u200b", "\u200d", "\u2060", "\ufeff", "\ufe0f", "\u3164", "\u00ad", "\u202e", "\u2066", "\u2028", "\ud800"),
    *("[red]", "[/]", "\\", "[", "[link=http://x]", "{", "%0A"),
]
TEXTS = st.lists(st.sampled_from(PIECES), max_size=12).map("".join) | st.text(max_size=12)
_OVERLOOKED = re.compile("[\u034f\u115f\u1160\u180b-\u180f\u200c\u200d\u3164\ufe00-\ufe0f\uffa0]")
_COMMAND = re.compile(r"(?m)##|^\s*::")
_TURNS = {
    "\u061c",
    "\u200e",
    "\u200f",
    "\u2028",
    "\u2029",
    *map(chr, range(0x202A, 0x202F)),
    *map(chr, range(0x2066, 0x206A)),
}
_TURNS |= {"\u200b", "\u2060", "\ufeff", "\u00ad"}


def obeyed(printed: str) -> str:
    """The first place of what was printed that a terminal or a build system would obey; empty: there is none."""
    for at, character in enumerate(printed):
        if character in _TURNS or (unicodedata.category(character) in ("Cc", "Cs") and character not in "\n\t"):
            return f"{character!r} in {printed[max(0, at - 60) : at + 20]!r}"
    found = _COMMAND.search(_OVERLOOKED.sub("", printed))
    return (
        f"{found[0]!r} at {found.start()} of {printed[max(0, found.start() - 60) : found.end() + 30]!r}"
        if found
        else ""
    )


_PROSE = {"reason", "why", "told", "says", "summary", "text", "message", "error", "words", "label", "who", "remedy"}


def poison(ledger: Path) -> int:
    """Put the hostile text behind every text of a ledger that is nobody's name or hash; returns how many."""
    done = 0
    with sqlite3.connect(ledger) as file:
        for (table,) in file.execute("select name from sqlite_master where type = 'table'").fetchall():
            for _, column, kind, *_ in file.execute(f'pragma table_info("{table}")').fetchall():
                if column in _PROSE or column in (
                    "served_model",
                    "fingerprint",
                    "finish_reason",
                    "answer",
                    "rule",
                    "gate",
                ):
                    done += file.execute(f'update "{table}" set "{column}" = "{column}" || ?', (HOSTILE,)).rowcount
                elif kind == "JSON":
                    rows = file.execute(f'select rowid, "{column}" from "{table}"').fetchall()
                    for row, text in rows:
                        changed = json.dumps(_poisoned(json.loads(text))) if text else text
                        file.execute(f'update "{table}" set "{column}" = ? where rowid = ?', (changed, row))
                        done += changed != text
    file.close()
    return done


def _poisoned(value: Any, key: str = "") -> Any:
    if isinstance(value, str):
        return value + HOSTILE if key in _PROSE or " " in value else value
    if isinstance(value, dict):
        return {name: _poisoned(item, name) for name, item in value.items()}
    return [_poisoned(item, key) for item in value] if isinstance(value, list) else value
