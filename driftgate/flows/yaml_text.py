"""The one place where YAML is read: safely, and never more than a person would write.

A file of a few lines can stand for billions of values, since an alias may be repeated within what another repeats. The
whole is counted as it would be written out.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

from driftgate.flows.errors import DriftgateError

LONGEST = 2**20
"""Characters of a file."""
MOST = 50_000
"""Values of a file, those of aliases counted wherever they are repeated."""
DEEPEST = 64
"""Values within each other."""
_LARGEST = 2**63
_DIGITS = 100
_MERGE = "tag:yaml.org,2002:merge"
_TOO_MUCH = "split it, or keep data in a dataset's file"


class TooMuch(yaml.MarkedYAMLError):
    """It is YAML, and more than is read."""


class NoValue(yaml.MarkedYAMLError):
    """It is YAML, and stands for nothing of its type."""


class Yaml11(yaml.SafeLoader):
    """YAML as PyYAML reads it, within bounds."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._values = 0
        self._depth = 0
        self._of_anchor: dict[int, int] = {}

    def compose_node(self, parent: Any, index: Any) -> Any:
        """A value, counted."""
        mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
        repeats = self.check_event(yaml.AliasEvent)
        before = self._values
        self._depth += 1
        if self._depth > DEEPEST:
            raise TooMuch(None, None, f"it is nested more than {DEEPEST} deep", mark)
        node = super().compose_node(parent, index)
        self._depth -= 1
        if repeats:
            if id(node) not in self._of_anchor:
                raise yaml.MarkedYAMLError(None, None, f"the anchor '{self._name_of(node)}' refers to itself", mark)
            self._values += self._of_anchor[id(node)]
        else:
            self._values += 1
        if self._values > MOST:
            raise TooMuch(None, None, f"it stands for more than {MOST:,} values, those of aliases written out", mark)
        if not repeats:
            self._of_anchor[id(node)] = self._values - before
        return node

    def construct_object(self, node: Any, deep: bool = False) -> Any:
        """A value of its type; what its type does not take is said of its line."""
        number = isinstance(node, yaml.ScalarNode) and str(node.tag).endswith((":int", ":float"))
        if number and len(node.value) > _DIGITS:  # 1:1:1 … counts by sixties and takes long
            raise NoValue(None, None, f"{_short(node)} is no number of at most {_DIGITS} digits", node.start_mark)
        try:
            made = super().construct_object(node, deep)
        except (ValueError, KeyError, AttributeError, TypeError, OverflowError) as problem:
            kind = str(node.tag).rsplit(":", 1)[-1]
            raise NoValue(None, None, f"{_short(node)} is no {kind}", node.start_mark) from problem
        if isinstance(made, int) and not -_LARGEST <= made < _LARGEST:
            raise NoValue(None, None, f"{_short(node)} is a number of more than 64 bits", node.start_mark)
        return made

    def flatten_mapping(self, node: Any) -> None:
        """Merge what ``<<`` names; what stands in the mapping itself takes its place, so that no key is there twice."""
        own = [key for key, _ in node.value if key.tag != _MERGE]
        super().flatten_mapping(node)
        named = {key.value for key in own if isinstance(key, yaml.ScalarNode)}
        merged = node.value[: len(node.value) - len(own)]
        last = {key.value: (key, value) for key, value in merged if isinstance(key, yaml.ScalarNode)}
        others = [pair for pair in merged if not isinstance(pair[0], yaml.ScalarNode)]
        kept = [pair for name, pair in last.items() if name not in named]
        node.value = [*others, *kept, *node.value[len(merged) :]]

    def _name_of(self, node: Any) -> str:
        return next((str(name) for name, one in self.anchors.items() if one is node), "")


class Yaml12(Yaml11):
    """Reads ``yes``, ``no``, ``on`` and ``off`` as texts, as YAML 1.2 and prompt flow do."""


_BOOL = "tag:yaml.org,2002:bool"
Yaml12.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != _BOOL]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
Yaml12.add_implicit_resolver(_BOOL, re.compile("(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF"))


def parse(text: str, name: str, loader: type[Yaml11] = Yaml11) -> tuple[yaml.Node | None, Any]:
    """Read a YAML document: its nodes, with their lines, and its value.

    Parameters
    ----------
    name : str
        What messages call it.

    Raises
    ------
    DriftgateError
        It is no YAML, or more than :data:`LONGEST`, :data:`MOST` and :data:`DEEPEST` allow.

    Examples
    --------
    >>> parse("a: [1, 2]", "x.yaml")[1]
    {'a': [1, 2]}
    >>> bomb = "a: &a [x, x, x, x, x, x, x, x, x, x]\\n" + "".join(
    ...     f"{n}: &{n} [{', '.join([f'*{p}'] * 10)}]\\n" for p, n in zip("abcde", "bcdef"))
    >>> parse(bomb, "x.yaml")
    Traceback (most recent call last):
    ...
    driftgate.flows.errors.DriftgateError: x.yaml, line 5 is too much: it stands for more than 50,000 values, ...
    """
    if len(text) > LONGEST:
        raise DriftgateError(f"{name} holds {len(text):,} characters, at most {LONGEST:,} are read", _TOO_MUCH)
    try:
        reader = loader(text)
        try:
            node = reader.get_single_node()
            return node, None if node is None else reader.construct_document(node)
        finally:
            reader.dispose()
    except TooMuch as problem:
        raise DriftgateError(f"{name}{_line(problem)} is too much: {problem.problem}", _TOO_MUCH) from None
    except NoValue as problem:
        raise DriftgateError(f"{name}{_line(problem)}: {problem.problem}", "quote it, if a text is meant") from None
    except yaml.YAMLError as problem:
        said = getattr(problem, "problem", None) or " ".join(str(problem).split())
        raise DriftgateError(f"{name}{_line(problem)} is not YAML: {said}", "correct the line") from problem


def _line(problem: yaml.YAMLError) -> str:
    mark = getattr(problem, "problem_mark", None)
    return f", line {mark.line + 1}" if mark else ""


def _short(node: Any) -> str:
    text = str(node.value) if isinstance(node, yaml.ScalarNode) else "a collection"
    return f"'{text[:40]}{'…' if len(text) > 40 else ''}'"
