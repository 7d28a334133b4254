"""Lists of regular expressions, by language, that are data: what a reply is told by, with the hash of the list."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from driftgate.flows.yaml_text import parse


@dataclass(frozen=True)
class Phrases:
    """A list of phrases, read from its file."""

    pattern: re.Pattern[str]
    rules: Mapping[str, Any]
    """Whatever else the file says."""
    id: str
    """Hash of the file, to be kept beside what the list decided: 12 hexadecimal digits."""


@cache
def read_phrases(file: Path) -> Phrases:
    """Read a list: ``phrases`` by language, searched without regard to case."""
    content = file.read_bytes()
    rules = parse(content.decode(), file.name)[1]
    listed = [phrase for language in rules["phrases"].values() for phrase in language]
    return Phrases(any_of(listed), rules, hashlib.sha256(content).hexdigest()[:12])


def any_of(patterns: Iterable[str]) -> re.Pattern[str]:
    """One pattern that finds what any of several finds; ``^`` and ``$`` stand for the ends of a line."""
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns), re.IGNORECASE | re.MULTILINE)
