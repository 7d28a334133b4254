"""Read the workspace file safely, remembering the line every key stands on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from driftgate.flows.errors import DriftgateError
from driftgate.flows.text import as_name, named_value
from driftgate.flows.yaml_text import parse

FILE = "driftgate.yaml"
LEDGER = ".driftgate/ledger.db"
"""Where the ledger is if the workspace does not say."""
Location = tuple[str | int, ...]


@dataclass(frozen=True)
class Document:
    """A YAML document and where its parts stand."""

    name: str
    """The file as messages call it."""
    value: Any
    lines: dict[Location, int] = field(default_factory=dict)
    included: tuple[Document, ...] = ()
    """The files whose parts ``value`` holds as well."""

    def where(self, location: Location) -> str:
        """File and line, from 1, of the deepest part of ``location`` that one of the files has."""
        for length in range(len(location), -1, -1):
            for document in (self, *self.included):
                if (line := document.lines.get(location[:length])) is not None:
                    return f"{document.name}, line {line}"
        return f"{self.name}, line 1"


def read(path: Path, name: str = "") -> Document:
    """Read a YAML file; its texts are composed, so that they equal what the rows of a dataset hold.

    Parameters
    ----------
    name : str
        What messages call it; by default as its folder does.

    Raises
    ------
    DriftgateError
        The file is missing, is not YAML or too much of it, or has a key twice.
    """
    name = name or path.name
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise DriftgateError(
            f"there is no {path.name} in {path.parent}",
            "make one with: driftgate init, or point to it with --workspace",
        ) from None
    except (OSError, UnicodeDecodeError) as problem:
        raise DriftgateError(f"cannot read {path}: {problem}", "check its rights and that it is UTF-8") from problem
    root, value = parse(text, name)
    lines: dict[Location, int] = {}
    for location, line in _walk(root, ()):
        if location in lines and location:
            raise DriftgateError(f"{name}, line {line}: '{location[-1]}' stands a second time", "keep one of the two")
        lines[location] = line
    return Document(name, named_value(value), lines)


def _walk(node: yaml.Node | None, location: Location) -> Iterator[tuple[Location, int]]:
    if node is None:
        return
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            below = (*location, as_name(str(key.value)))
            yield below, key.start_mark.line + 1
            yield from _walk(value, below)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            below = (*location, index)
            yield below, value.start_mark.line + 1
            yield from _walk(value, below)
