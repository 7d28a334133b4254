"""The tools that may be called, and what each of them takes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from driftgate.flows.errors import DriftgateError
from driftgate.flows.tool_calls._findings import Finding
from driftgate.flows.tool_calls._items import MadeCall

_SCHEMAS = ("parameters", "input_schema", "inputSchema", "parametersJsonSchema")
_KINDS = {"required": "missing_argument", "type": "wrong_type", "additionalProperties": "invented_argument"}


@dataclass(frozen=True)
class Tools:
    """JSON Schemas of the arguments, by the tool's name."""

    schemas: Mapping[str, Mapping[str, Any]]

    def check(self, call: MadeCall, place: int) -> list[Finding]:
        """What of a call does not keep to its tool.

        An argument that a schema does not name is invented, unless the schema says that there may be others.
        """
        if call.name not in self.schemas:
            known = ", ".join(self.schemas) or "none"
            return [Finding("unknown_tool", f"there is no tool {call.name} (there are: {known})", place)]
        if not call.readable:
            said = f"the arguments of {call.name} are no JSON object: {str(call.arguments)[:80]!r}"
            return [Finding("unreadable_arguments", said, place)]
        schema = self.schemas[call.name]
        found = [*self._broken(call, schema, place), *_invented(call.name, call.arguments, schema, place)]
        return list({(one.kind, one.argument): one for one in found}.values())

    def default(self, tool: str, argument: str) -> Any:
        """The default that a tool has for an argument; ``...`` where it has none."""
        properties = self.schemas.get(tool, {}).get("properties") or {}
        return (properties.get(argument) or {}).get("default", ...)

    def _broken(self, call: MadeCall, schema: Mapping[str, Any], place: int) -> Iterator[Finding]:
        from jsonschema.validators import validator_for
        from referencing import Registry

        validator = validator_for(schema)(schema, registry=Registry())
        for error in validator.iter_errors(call.arguments):
            path = [str(part) for part in error.absolute_path]
            kind = _KINDS.get(str(error.validator), "invalid_value")
            if error.validator == "required":
                lacking = [name for name in error.validator_value if name not in error.instance]
                for name in lacking:
                    where = ".".join([*path, name])
                    yield Finding(kind, f"{call.name} is not given {where}, which it requires", place, where)
            elif error.validator != "additionalProperties":  # read apart, with those that no schema forbids
                where = ".".join(path)
                yield Finding(kind, f"{call.name}: {where or 'arguments'}: {error.message[:160]}", place, where)


def read_tools(value: Any) -> Tools | None:
    """The tools of a definition: OpenAI's, azure-ai-evaluation's, Anthropic's, or the JSON text of one.

    Returns
    -------
    Tools or None
        None where nothing is given.

    Raises
    ------
    DriftgateError
        It is no list of tools, or a schema is none.

    Examples
    --------
    >>> tools = read_tools([{"type": "function", "function": {"name": "now", "parameters": {"required": ["zone"]}}}])
    >>> [one.kind for one in tools.check(MadeCall("now", {}), 1)]
    ['missing_argument']
    """
    if isinstance(value, str):
        try:
            value = json.loads(value) if value.strip() else None
        except ValueError as problem:
            raise DriftgateError(f"tools is the text {value[:60]!r}, no JSON", "give a list of tools") from problem
    if value is None:
        return None
    if isinstance(value, Mapping):
        value = value.get("tools") or value.get("functions") or [value]
    if not isinstance(value, list):
        raise DriftgateError(f"tools is {type(value).__name__}", "give a list of tools with name and parameters")
    schemas: dict[str, Mapping[str, Any]] = {}
    for tool in value:
        own = tool.get("function", tool) if isinstance(tool, Mapping) else None
        if isinstance(own, str) or not isinstance(own, Mapping) or not isinstance(own.get("name"), str):
            raise DriftgateError(f"tools has {str(tool)[:60]!r}", "give each tool a name and its parameters")
        schema: Any = next((own[name] for name in _SCHEMAS if own.get(name) is not None), {})
        schemas[own["name"]] = _checked(schema, own["name"])
    return Tools(schemas)


def _checked(schema: Any, name: str) -> Mapping[str, Any]:
    from jsonschema.exceptions import SchemaError
    from jsonschema.validators import validator_for

    try:
        if not isinstance(schema, Mapping):
            raise SchemaError(f"it is {type(schema).__name__}")
        validator_for(schema).check_schema(schema)
    except SchemaError as problem:
        raise DriftgateError(f"the schema of the tool {name} is none: {problem.message}", "correct it") from problem
    return {"type": "object", **schema}


def _invented(tool: str, value: Any, schema: Any, place: int, path: tuple[str, ...] = ()) -> Iterator[Finding]:
    """Names that no schema has, in the arguments and in the objects within them."""
    if not isinstance(schema, Mapping):
        return
    if isinstance(value, list):
        for number, item in enumerate(value):
            yield from _invented(tool, item, schema.get("items"), place, (*path, str(number)))
    if not isinstance(value, Mapping):
        return
    properties = schema.get("properties")
    more = schema.get("additionalProperties")
    closed = more is False or (
        more is None
        and (isinstance(properties, Mapping) or not path)
        and not {"patternProperties", "$ref", "allOf", "anyOf", "oneOf"} & set(schema)
    )
    for name, inner in value.items():
        where = (*path, str(name))
        if isinstance(properties, Mapping) and name in properties:
            yield from _invented(tool, inner, properties[name], place, where)
        elif closed and (properties is not None or set(schema) > {"type"}):
            written = ".".join(where)
            yield Finding("invented_argument", f"{tool} has no argument {written}", place, written)
