"""Whether a resource of a template is what Azure's published models take.

Microsoft's management SDKs are generated from the API's published definitions, so their models are these definitions:
names of properties, their types, which must be there and which the service alone sets. What the deployment works out,
a text in brackets, fits every type.
"""

from __future__ import annotations

import re
import typing
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any

from azure.mgmt.appcontainers import models as apps
from azure.mgmt.applicationinsights.v2023_06_01 import models as workbooks
from azure.mgmt.monitor import models as monitor

MODELS: Mapping[str, Any] = {
    "Microsoft.Insights/workbooks": workbooks.Workbook,
    "Microsoft.Insights/scheduledQueryRules": monitor.ScheduledQueryRuleResource,
    "Microsoft.Insights/actionGroups": monitor.ActionGroupResource,
    "Microsoft.App/managedEnvironments": apps.ManagedEnvironment,
    "Microsoft.App/managedEnvironments/storages": apps.ManagedEnvironmentStorage,
    "Microsoft.App/containerApps": apps.ContainerApp,
}
_OF_TEMPLATES = {"type", "apiVersion", "name", "dependsOn", "condition", "scope"}


def faults(resource: Mapping[str, Any]) -> list[str]:
    """What a resource has that its model does not, lacks, or has in another type."""
    body = {name: value for name, value in resource.items() if name not in _OF_TEMPLATES}
    return list(_against(MODELS[resource["type"]], body, resource["type"]))


def _against(model: Any, body: Mapping[str, Any], where: str) -> Iterator[str]:
    if hasattr(model, "_attribute_map"):
        yield from _against_map(model, body, where)
    else:
        yield from _against_fields(model, body, where)


def _against_map(model: Any, body: Mapping[str, Any], where: str) -> Iterator[str]:
    """The older generation: a flat map whose keys are paths, such as ``properties.criteria``."""
    namespace = monitor if model.__module__.startswith("azure.mgmt.monitor") else workbooks
    paths = {tuple(part["key"].split(".")): (name, part["type"]) for name, part in model._attribute_map.items()}
    flattened = any(len(path) > 1 for path in paths)
    given = dict(_paths(body, paths)) if flattened else {(name,): value for name, value in body.items()}
    for path, value in given.items():
        if path not in paths:
            yield f"{where}: no property {'.'.join(path)}"
            continue
        name, kind = paths[path]
        rules = model._validation.get(name, {})
        if rules.get("readonly"):
            yield f"{where}: {'.'.join(path)} is set by the service alone"
        most = rules.get("max_length")
        if most and isinstance(value, str) and not _worked_out(value) and len(value) > most:
            yield f"{where}: {'.'.join(path)} has more than {most} characters"
        yield from _of_kind(value, kind, namespace, f"{where}.{'.'.join(path)}")
    for path, (name, _) in paths.items():
        rules = model._validation.get(name, {})
        if rules.get("required") and not rules.get("readonly") and path not in given and name not in _OF_TEMPLATES:
            yield f"{where}: {'.'.join(path)} is missing"


def _paths(body: Mapping[str, Any], known: Mapping[tuple[str, ...], Any], at: tuple[str, ...] = ()) -> Iterator[Any]:
    for name, value in body.items():
        path = (*at, name)
        if path not in known and isinstance(value, dict) and any(one[: len(path)] == path for one in known):
            yield from _paths(value, known, path)
        else:
            yield path, value


def _of_kind(value: Any, kind: str, namespace: Any, where: str) -> Iterator[str]:
    if _worked_out(value):
        return
    if kind.startswith("["):
        if not isinstance(value, list):
            yield f"{where}: no list"
            return
        for place, one in enumerate(value):
            yield from _of_kind(one, kind[1:-1], namespace, f"{where}[{place}]")
    elif kind.startswith("{"):
        if not isinstance(value, dict):
            yield f"{where}: no object"
    elif kind in _PLAIN:
        if not isinstance(value, _PLAIN[kind]) or (isinstance(value, bool) and kind != "bool"):
            yield f"{where}: {value!r} is no {kind}"
        elif kind == "duration" and not _DURATION.fullmatch(value):
            yield f"{where}: {value!r} is no duration"
    elif kind != "object":
        found = getattr(namespace, kind, None)
        if found is None:
            yield f"{where}: {kind} is unknown"
        elif hasattr(found, "_attribute_map"):
            yield from _against(found, value, where)
        elif value not in [member.value for member in found]:
            yield f"{where}: {value!r} is none of {[member.value for member in found]}"


_PLAIN: Mapping[str, Any] = {
    "str": str,
    "int": int,
    "float": (int, float),
    "bool": bool,
    "duration": str,
    "iso-8601": str,
}
_DURATION = re.compile(r"P(?:\d+D)?(?:T(?:\d+H)?(?:\d+M)?(?:\d+S)?)?")


def _worked_out(value: Any) -> bool:
    return isinstance(value, str) and value.startswith("[") and not value.startswith("[[")


def _against_fields(model: Any, body: Mapping[str, Any], where: str) -> Iterator[str]:
    """The newer generation: declared fields, each with its name on the wire."""
    model(body)  # fills in what it reads from annotations
    fields = {field._rest_name: (name, field) for name, field in model._attr_to_rest_field.items()}
    hints = _hints(model)
    for name, value in body.items():
        if name not in fields:
            yield f"{where}: no property {name}"
            continue
        attribute, field = fields[name]
        if "read" in (field._visibility or []) and len(field._visibility) == 1:
            yield f"{where}: {name} is set by the service alone"
        yield from _of_hint(value, hints[attribute], f"{where}.{name}")
    for name, (attribute, field) in fields.items():
        needed = attribute in hints and not _optional(hints[attribute]) and field._visibility != ["read"]
        if needed and name not in body and name not in _OF_TEMPLATES:
            yield f"{where}: {name} is missing"


def _hints(model: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for one in reversed(model.__mro__):
        module = vars(__import__("sys").modules[one.__module__])
        for name, hint in vars(one).get("__annotations__", {}).items():
            if not name.startswith("_"):
                found[name] = (
                    eval(hint, {**vars(typing), **module, "_models": apps, "models": apps, "_unions": apps})
                    if isinstance(hint, str)
                    else hint
                )
    return found


def _optional(hint: Any) -> bool:
    return type(None) in typing.get_args(hint)


def _of_hint(value: Any, hint: Any, where: str) -> Iterator[str]:
    if _worked_out(value):
        return
    kinds = [_resolved(kind) for kind in (typing.get_args(hint) if _union(hint) else [hint])]
    kinds = [kind for kind in kinds if kind is not type(None)]
    if str in kinds:
        members = [member.value for kind in kinds if issubclass(kind, Enum) for member in kind]
        if not isinstance(value, str) or (members and value not in members):
            yield f"{where}: {value!r} is none of {members or 'texts'}"
        return
    [kind] = kinds
    origin = typing.get_origin(kind)
    if origin is list:
        if not isinstance(value, list):
            yield f"{where}: no list"
            return
        for place, one in enumerate(value):
            yield from _of_hint(one, typing.get_args(kind)[0], f"{where}[{place}]")
    elif origin is dict:
        if not isinstance(value, dict):
            yield f"{where}: no object"
            return
        for name, one in value.items():
            yield from _of_hint(one, typing.get_args(kind)[1], f"{where}[{name}]")
    elif kind in (int, float, bool):
        right = (int, float) if kind is float else kind
        if not isinstance(value, right) or (isinstance(value, bool) and kind is not bool):
            yield f"{where}: {value!r} is no {kind.__name__}"
    elif hasattr(kind, "_attr_to_rest_field"):
        if not isinstance(value, dict):
            yield f"{where}: no object"
            return
        yield from _against_fields(kind, value, where)


def _union(hint: Any) -> bool:
    return typing.get_origin(hint) is typing.Union


def _resolved(kind: Any) -> Any:
    """The class that a hint names."""
    name = kind.__forward_arg__ if isinstance(kind, typing.ForwardRef) else kind
    return getattr(apps, name.rpartition(".")[2]) if isinstance(name, str) else kind
