"""Expressions of a deployment: written once, rendered for Resource Manager's JSON and for Bicep.

Both languages have the same functions under the same names; parameters and variables are functions in the one and
names in the other.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Expression:
    """Something that the deployment works out."""

    json: str
    """As Resource Manager writes it, without the brackets around."""
    bicep: str

    def __getattr__(self, name: str) -> Expression:
        if name.startswith("__"):
            raise AttributeError(name)
        return Expression(f"{self.json}.{name}", f"{self.bicep}.{name}")


def parameter(name: str) -> Expression:
    """The value of a parameter.

    Examples
    --------
    >>> parameter("location")
    Expression(json="parameters('location')", bicep='location')
    """
    return Expression(f"parameters('{name}')", name)


def variable(name: str) -> Expression:
    """The value of a variable."""
    return Expression(f"variables('{name}')", name)


def call(function: str, *arguments: Expression | str | int) -> Expression:
    """A function of both languages, of expressions, texts and numbers.

    Examples
    --------
    >>> call("concat", parameter("name"), "-drift").json
    "concat(parameters('name'), '-drift')"
    """
    found = [one if isinstance(one, Expression) else _literal(one) for one in arguments]
    return Expression(*(f"{function}({', '.join(getattr(one, tongue) for one in found)})" for tongue in TONGUES))


def element(values: Expression, position: int) -> Expression:
    """An element of an array."""
    return Expression(f"{values.json}[{position}]", f"{values.bicep}[{position}]")


def choose(condition: Expression, then: Expression, otherwise: Expression) -> Expression:
    """One of two values."""
    return Expression(
        f"if({condition.json}, {then.json}, {otherwise.json})",
        f"{condition.bicep} ? {then.bicep} : {otherwise.bicep}",
    )


def negated(condition: Expression) -> Expression:
    """The opposite."""
    return Expression(f"not({condition.json})", f"!{condition.bicep}")


def array(*elements: Expression) -> Expression:
    """An array of values that are worked out."""
    found = [", ".join(getattr(one, tongue) for one in elements) for tongue in TONGUES]
    return Expression(f"createArray({found[0]})", f"[{found[1]}]")


TONGUES = ("json", "bicep")
_UNPRINTED = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|(?<=#)#"
)


def _literal(value: str | int) -> Expression:
    if isinstance(value, int):
        return Expression(str(value), str(value))
    return Expression("'" + value.replace("'", "''") + "'", quoted(value))


def quoted(text: str) -> str:
    r"""A text as Bicep writes it, on one line.

    Examples
    --------
    >>> print(quoted("a 'b'\n${c}"))
    'a \'b\'\n\${c}'
    """
    escapes = {"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r", "\t": "\\t", "${": "\\${"}
    for found, written in escapes.items():
        text = text.replace(found, written)
    # What a terminal or a build system would obey where the text is printed.
    text = _UNPRINTED.sub(lambda found: f"\\u{{{ord(found[0]):x}}}", text)
    return f"'{text}'"


@dataclass(frozen=True)
class Parameter:
    """What is asked of who deploys."""

    name: str
    type: str
    """``string``, ``int``, ``bool``, ``array`` or ``securestring``."""
    description: str
    default: Any = field(default=None)
    """None: it has to be given."""
    least: int | None = None
    most: int | None = None


@dataclass(frozen=True)
class Resource:
    """What is deployed."""

    symbol: str
    """Its name within the template."""
    type: str
    version: str
    """Of the provider's API."""
    name: Expression
    body: dict[str, Any]
    """Everything else; texts, numbers, lists, objects and expressions."""
    after: tuple[str, ...] = ()
    """Symbols of what has to be there before it."""
    condition: Expression | None = None
    existing: bool = False
    """It is there already, and only named."""


@dataclass(frozen=True)
class Template:
    """A deployment."""

    parameters: tuple[Parameter, ...]
    variables: dict[str, Any]
    resources: tuple[Resource, ...]
    outputs: dict[str, Expression]
    """Texts."""

    def as_json(self) -> dict[str, Any]:
        """The template as Resource Manager takes it."""
        symbols = {one.symbol: one for one in self.resources}
        return {
            "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
            "contentVersion": "1.0.0.0",
            "parameters": {one.name: _parameter(one) for one in self.parameters},
            "variables": {name: _plain(value) for name, value in self.variables.items()},
            "resources": [_resource(one, symbols) for one in self.resources if not one.existing],
            "outputs": {name: {"type": "string", "value": _plain(value)} for name, value in self.outputs.items()},
        }

    def as_bicep(self) -> str:
        """The template as Bicep."""
        parts = [_bicep_parameter(one) for one in self.parameters]
        parts += [f"var {name} = {_bicep(value, 0)}" for name, value in self.variables.items()]
        parts += [_bicep_resource(one) for one in self.resources]
        parts += [f"output {name} string = {_bicep(value, 0)}" for name, value in self.outputs.items()]
        return "\n\n".join(parts) + "\n"


def _plain(value: Any) -> Any:
    match value:
        case Expression():
            return f"[{value.json}]"
        case str():
            return f"[{value}" if value.startswith("[") else value  # a second bracket: a text, no expression
        case dict():
            return {_plain(name): _plain(one) for name, one in value.items()}
        case list() | tuple():
            return [_plain(one) for one in value]
    return value


def _parameter(one: Parameter) -> dict[str, Any]:
    limits = {"minValue": one.least, "maxValue": one.most}
    return {
        "type": one.type,
        **({} if one.default is None else {"defaultValue": _plain(one.default)}),
        **{name: limit for name, limit in limits.items() if limit is not None},
        "metadata": {"description": one.description},
    }


def _resource(one: Resource, symbols: dict[str, Resource]) -> dict[str, Any]:
    ids = [_plain(identifier(symbols[name])) for name in one.after]
    return {
        **({} if one.condition is None else {"condition": _plain(one.condition)}),
        "type": one.type,
        "apiVersion": one.version,
        "name": _plain(one.name),
        **_plain(one.body),
        **({"dependsOn": ids} if ids else {}),
    }


def identifier(resource: Resource) -> Expression:
    """The id of a resource of this deployment."""
    found = call("resourceId", resource.type, resource.name)
    if resource.type.count("/") > 1:  # a child is named by its parents' names and its own
        parts = call("split", resource.name, "/")
        names = [element(parts, i) for i in range(resource.type.count("/"))]
        found = call("resourceId", resource.type, *names)
    return Expression(found.json, f"{resource.symbol}.id")


def _bicep_parameter(one: Parameter) -> str:
    secure, type_ = one.type == "securestring", one.type.removeprefix("secure")
    limits = (("minValue", one.least), ("maxValue", one.most))
    lines = [f"@description({quoted(one.description)})", *(["@secure()"] if secure else [])]
    lines += [f"@{name}({limit})" for name, limit in limits if limit is not None]
    default = "" if one.default is None else f" = {_bicep(one.default, 0)}"
    return "\n".join([*lines, f"param {one.name} {type_}{default}"])


def _bicep_resource(one: Resource) -> str:
    body = {"name": one.name, **one.body}
    if one.after:
        body["dependsOn"] = [Expression("", symbol) for symbol in one.after]
    if one.existing:
        return f"resource {one.symbol} '{one.type}@{one.version}' existing = {_bicep(body, 0)}"
    condition = "" if one.condition is None else f"if ({one.condition.bicep}) "
    return f"resource {one.symbol} '{one.type}@{one.version}' = {condition}{_bicep(body, 0)}"


def _bicep(value: Any, depth: int) -> str:
    inner, outer = "  " * (depth + 1), "  " * depth
    match value:
        case Expression():
            return value.bicep
        case str():
            return quoted(value)
        case dict() if value:
            lines = [f"{inner}{_key(name)}: {_bicep(one, depth + 1)}" for name, one in value.items()]
            return "\n".join(["{", *lines, outer + "}"])
        case list() | tuple() if value:
            return "\n".join(["[", *(inner + _bicep(one, depth + 1) for one in value), outer + "]"])
        case dict():
            return "{}"
        case list() | tuple():
            return "[]"
    return json.dumps(value)


def _key(name: str | Expression) -> str:
    if isinstance(name, Expression):
        return f"'${{{name.bicep}}}'"
    return name if name.isidentifier() and name.isascii() else quoted(name)
