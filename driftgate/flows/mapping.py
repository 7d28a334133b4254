"""Prompt flow's reference grammar: ``${data.x}``, ``${inputs.x}``, ``${nodes.n.output}``, ``${run.outputs.x}``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from driftgate.flows.errors import DriftgateError, nearest
from driftgate.flows.text import as_name

_REFERENCE = re.compile(r"\$\{([^{}]+)\}")
MISSING = object()
"""What a reference into something that is not there resolves to; distinct from None, which is a value."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A parsed reference: where to begin and which way to go from there."""

    root: str
    path: tuple[str, ...]

    def resolve(self, scope: Mapping[str, Any]) -> Any:
        """Follow the path through mappings and lists; :data:`MISSING` where it ends early."""
        value = scope.get(self.root, MISSING)
        for step in self.path:
            if type(value) is dict or isinstance(value, Mapping):  # the first is the usual case, and quick to see
                value = value.get(step, MISSING)
            elif isinstance(value, (list, tuple)) and step.isdigit() and int(step) < len(value):
                value = value[int(step)]
            else:
                return MISSING
        return value


def parse(value: Any, roots: frozenset[str]) -> Reference | Any:
    """Read a mapping's right-hand side: a reference, or a literal returned as it stands.

    Parameters
    ----------
    value : Any
        A string such as ``${nodes.extract.output.answer}`` or any literal.
    roots : frozenset of str
        Names a reference may begin with.

    Raises
    ------
    DriftgateError
        The reference begins with another name.

    Examples
    --------
    >>> parse("${data.answer}", frozenset({"data", "inputs", "nodes"}))
    Reference(root='data', path=('answer',))
    >>> parse(0.5, frozenset({"data"}))
    0.5
    """
    match = _REFERENCE.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        return value
    root, *path = match.group(1).strip().split(".")
    if root not in roots:
        raise DriftgateError(f"the reference {value} begins with '{root}'", nearest(root, roots))
    # The columns of a dataset are composed where they enter; inputs and nodes are spelt as their own file spells them.
    return Reference(root, tuple(map(as_name, path)) if root == "data" else tuple(path))


def apply(mapping: Mapping[str, Reference | Any], scope: Mapping[str, Any]) -> dict[str, Any]:
    """Resolve every entry of a parsed mapping.

    Examples
    --------
    >>> apply({"gold": Reference("data", ("answer",)), "k": 3}, {"data": {"answer": "B"}})
    {'gold': 'B', 'k': 3}
    """
    return {name: entry.resolve(scope) if isinstance(entry, Reference) else entry for name, entry in mapping.items()}
