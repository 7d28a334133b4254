"""The lists of ``name_words.yaml``: what names are made of and stand beside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from driftgate.flows.yaml_text import parse

_WORDS: Mapping[str, Any] = parse(
    Path(__file__).with_name("name_words.yaml").read_text(encoding="utf-8"), "name_words.yaml"
)[1]
SURNAMES = frozenset(_WORDS["surnames"].split())
SHORT_GIVEN = frozenset(_WORDS["short_given"].split())
"""What may be a given name of one syllable."""
LONG_SURNAMES: tuple[str, ...] = tuple(_WORDS["long_surnames"])
TAILS = tuple(dict.fromkeys(_WORDS["tails"]))
"""Particles and endings that may be written onto a name."""
MADE_UP: Mapping[bool, Sequence[str]] = {True: _WORDS["made_up_closed"], False: _WORDS["made_up_open"]}
"""Given names for stand-ins, by whether the last syllable ends in a consonant."""
ORDINARY = frozenset(f"{_WORDS['ordinary']} {_WORDS['before_titles']} {_WORDS['figures']}".split())
"""Words and people of history that are not taken for the names of private people."""
GLUED = "".join(_WORDS["glued"].split())
"""Pattern of titles that are written onto a name."""
FOREIGN_FIRST, FOREIGN_LAST = (_WORDS[name].strip().replace("| ", "|") for name in ("foreign_first", "foreign_last"))
"""Patterns of foreign names in Hangul."""
TITLES, ROLES = ("".join(_WORDS[name].split()) for name in ("titles", "roles"))
"""Patterns of what stands behind a name, and before one."""
