"""Which files of a workspace a piece of its own code runs: read from their import statements, without running them.

So the hash of what produced a score covers every module an evaluator, a tool or a port imports, at the top or within a
function, whether or not it was imported yet, and in whichever process it runs.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from driftgate.flows.own_code import OwnCode

_DYNAMIC = frozenset({"import_module", "__import__"})


class _Import(NamedTuple):
    """``from name import of_it``, or ``import name``, relative to ``level`` folders up."""

    name: str
    of_it: tuple[str, ...] = ()
    level: int = 0


def own_sources(code: OwnCode, files: Iterable[Path]) -> dict[Path, str]:
    """The SHA-256 of ``files``, and of every file of the folders that they import, and so on.

    A module whose name is computed when it runs is not seen, nor is a file that is read as data.
    """
    found: dict[Path, str] = {}
    waiting = [(code, file) for file in files if file.is_file()]
    while waiting:
        owner, file = waiting.pop()
        if file in found:
            continue
        content = file.read_bytes()
        found[file] = hashlib.sha256(content).hexdigest()
        for one in _imports(content) if file.suffix == ".py" else ():
            if one.level:
                waiting += owner.relative_files(file, one.level, one.name, one.of_it)
            else:
                waiting += owner.files(one.name, one.of_it)
    return found


def module_sources(code: OwnCode, module: str) -> dict[Path, str]:
    """The SHA-256 of the files of a module of the folders and of all they import; none where it is installed."""
    return own_sources(code, [file for _, file in code.files(module)])


def hash_of(code: OwnCode, sources: dict[Path, str]) -> str:
    """Hash of files and of where they lie in the workspace: 12 hexadecimal digits, empty without any."""
    if not sources:
        return ""
    lines = sorted(f"{code.shown(file)}:{digest}" for file, digest in sources.items())
    return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogateescape")).hexdigest()[:12]


def _imports(content: bytes) -> Iterator[_Import]:
    try:
        tree = ast.parse(content)
    except (SyntaxError, ValueError, RecursionError):  # said when it is imported; its content counts all the same
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (_Import(alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield _Import(node.module or "", tuple(alias.name for alias in node.names), node.level)
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            wanted = node.args[0].value
            if name in _DYNAMIC and isinstance(wanted, str) and wanted.strip("."):
                yield _Import(wanted.lstrip("."), (), len(wanted) - len(wanted.lstrip(".")))
