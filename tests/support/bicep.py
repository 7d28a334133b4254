"""Bicep read back into what Resource Manager takes, by tree-sitter's grammar of the language.

There is no Bicep compiler in the registries that the tests may ask. The grammar says whether the text is Bicep, and
this reads from its tree what a compiler would make of the few constructs that our templates have.
"""

from __future__ import annotations

import re
from typing import Any

import tree_sitter
import tree_sitter_bicep

_PARSER = tree_sitter.Parser(tree_sitter.Language(tree_sitter_bicep.language()))
_ESCAPES = {"\\n": "\n", "\\r": "\r", "\\t": "\t", "\\'": "'", "\\\\": "\\", "\\$": "$"}
_ESCAPE = re.compile(r"\\u\{([0-9a-f]+)\}|\\[nrt'\\$]")


def tree_of(text: str) -> Any:
    """The syntax tree."""
    return _PARSER.parse(text.encode()).root_node


def faults(node: Any) -> list[str]:
    """Where the text is no Bicep."""
    here = (
        [f"line {node.start_point[0] + 1}: {node.text.decode()[:80]}"]
        if node.type == "ERROR" or node.is_missing
        else []
    )
    return here + [fault for child in node.children for fault in faults(child)]


def read(text: str) -> dict[str, Any]:
    """Parameters, variables and resources; what is worked out is an expression in brackets, in Bicep's words."""
    found: dict[str, dict[str, Any]] = {"parameters": {}, "variables": {}, "resources": {}, "outputs": {}}
    decorators: list[str] = []
    for node in tree_of(text).named_children:
        match node.type:
            case "decorators":
                decorators = [child.text.decode() for child in node.named_children]
            case "parameter_declaration":
                name, kind, *value = node.named_children
                given = {"default": _value(value[0])} if value else {}
                kind_name = kind.text.decode()
                found["parameters"][name.text.decode()] = {"type": kind_name, "decorators": decorators, **given}
                decorators = []
            case "variable_declaration":
                name, value = node.named_children
                found["variables"][name.text.decode()] = _value(value)
            case "resource_declaration":
                found["resources"] |= _resource(node)
            case "output_declaration":
                name, _, value = node.named_children
                found["outputs"][name.text.decode()] = _value(value)
            case other:
                raise AssertionError(f"{other}: {node.text.decode()[:80]}")
    return found


def _resource(node: Any) -> dict[str, Any]:
    symbol, kind, *rest = node.named_children
    condition = None
    if rest[0].type == "if_statement":
        condition, body = rest[0].named_children
        condition = f"[{condition.text.decode()[1:-1]}]"
    else:
        body = rest[-1]
    type_, _, version = _string(kind).partition("@")
    existing = " existing = " in node.text.decode().split("{")[0]
    return {
        symbol.text.decode(): {
            "type": type_,
            "apiVersion": version,
            "condition": condition,
            "existing": existing,
            "body": _value(body),
        }
    }


def _value(node: Any) -> Any:
    match node.type:
        case "string" if not any(child.type == "interpolation" for child in node.named_children):
            return _string(node)
        case "number":
            return int(node.text)
        case "boolean":
            return node.text == b"true"
        case "object":
            return {_key(pair.named_children[0]): _value(pair.named_children[1]) for pair in node.named_children}
        case "array" if "\n" in node.text.decode() or not node.named_children:
            return [_value(child) for child in node.named_children]
    return f"[{node.text.decode()}]"


def _key(node: Any) -> str:
    if node.type != "string":
        return str(node.text.decode())
    text = node.text.decode()[1:-1]
    return f"[{text[2:-1]}]" if text.startswith("${") else _string(node)


def _string(node: Any) -> str:
    return _ESCAPE.sub(
        lambda found: chr(int(found[1], 16)) if found[1] else _ESCAPES[found[0]], node.text.decode()[1:-1]
    )
