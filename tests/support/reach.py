"""Which top-level names of the product are reached from its doors, read from the source without running it.

A name is reached where a door's code refers to it, directly or through names that are reached. A reached class is
reached whole, and so is everything that a module does when it is imported.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

Place = tuple[str, str]
"""A module and a top-level name of it; an empty name is what the module does when it is imported."""


@dataclass
class Source:
    """One module."""

    name: str
    package: bool
    definitions: dict[str, list[ast.stmt]] = field(default_factory=dict)
    imported: dict[str, Place] = field(default_factory=dict)
    """What a name of the module stands for elsewhere."""
    body: list[ast.stmt] = field(default_factory=list)
    """What is done on import."""


def read_sources(*roots: Path) -> dict[str, Source]:
    """Every module below the folders, by its dotted name, which begins with the folder's."""
    sources = {}
    for home, path in ((root.parent, path) for root in roots for path in sorted(root.rglob("*.py"))):
        parts = path.relative_to(home).with_suffix("").parts
        package = parts[-1] == "__init__"
        name = ".".join(parts[:-1] if package else parts)
        sources[name] = _read(Source(name, package), ast.parse(path.read_text(encoding="utf-8")))
    return sources


def _read(source: Source, tree: ast.Module) -> Source:
    for statement in tree.body:
        match statement:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                source.definitions.setdefault(statement.name, []).append(statement)
                if statement.decorator_list:  # a command is registered where it is defined
                    source.body.extend(ast.Expr(decorator) for decorator in statement.decorator_list)
            case ast.Assign(targets=targets):
                names = [target.id for target in targets if isinstance(target, ast.Name)]
                for name in names:
                    source.definitions.setdefault(name, []).append(statement)
                if not names:
                    source.body.append(statement)
            case ast.AnnAssign(target=ast.Name(id=name)):
                source.definitions.setdefault(name, []).append(statement)
            case _:
                source.body.append(statement)
    for found in ast.walk(tree):
        match found:
            case ast.ImportFrom(module=str(module), level=level, names=names):
                parts = source.name.split(".")
                home = parts[: len(parts) - level + source.package] if level else []
                target = ".".join([*home, module])
                source.imported |= {alias.asname or alias.name: (target, alias.name) for alias in names}
            case ast.Import(names=names):
                source.imported |= {alias.asname: (alias.name, "") for alias in names if alias.asname}
    return source


def _mentions(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """Names, attributes and words in quotes (an annotation may be one)."""
    for node in nodes:
        for found in ast.walk(node):
            match found:
                case ast.Name(id=name):
                    yield name
                case ast.Attribute(value=ast.Name(id=owner), attr=attribute):
                    yield f"{owner}.{attribute}"
                case ast.Constant(value=str(text)) if text.isidentifier():
                    yield text


def reached(sources: Mapping[str, Source], doors: Iterable[Place]) -> set[Place]:
    """Every place that the doors lead to; a door without a name is the whole module."""
    found: set[Place] = set()
    waiting = list(doors)
    while waiting:
        place = module, name = waiting.pop()
        source = sources.get(module)
        if place in found or source is None:
            continue
        found.add(place)
        waiting.append((module, ""))
        nodes: list[ast.stmt] = source.definitions.get(name, []) if name else source.body
        if name and name in source.imported and name not in source.definitions:
            waiting.append(source.imported[name])
            continue
        for word in _mentions(nodes):
            owner, _, attribute = word.partition(".")
            if owner in source.definitions:
                waiting.append((module, owner))
            target = source.imported.get(owner)
            if target is not None:
                waiting.append(target)
                inner = ".".join(filter(None, target))
                if attribute and inner in sources:
                    waiting.append((inner, attribute))
    return found


def unreached(sources: Mapping[str, Source], doors: Iterable[Place]) -> list[str]:
    """``module:name`` of every top-level function and class that no door leads to."""
    seen = reached(sources, doors)
    return sorted(
        f"{source.name}:{name}"
        for source in sources.values()
        for name, statements in source.definitions.items()
        if (source.name, name) not in seen
        and any(isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) for one in statements)
    )
