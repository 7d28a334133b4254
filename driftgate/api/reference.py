"""The configuration reference: every setting of ``driftgate.yaml``, from the docstrings of its models, as Markdown."""

from __future__ import annotations

from collections.abc import Iterator
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from driftgate.api.workspace import FILE, Workspace
from driftgate.benchmarks.datasets import DATASETS
from driftgate.finetune.train import TRAINERS
from driftgate.flows.models import PROVIDERS
from driftgate.flows.retrieval import RETRIEVERS
from driftgate.monitor.notifications.channels import CHANNELS
from driftgate.monitor.telemetry.sources import SOURCES

_KINDS = (
    ("Models, by provider", "models", "provider", PROVIDERS),
    ("Datasets, by kind", "datasets", "kind", DATASETS),
    ("Retrievers, by kind", "retrievers", "kind", RETRIEVERS),
    ("Telemetry, by source", "telemetry", "source", SOURCES),
    ("Notification channels, by kind", "notifications.channels", "kind", CHANNELS),
    ("Trainers, by name", "recipes.NAME.trainer", "trainer", TRAINERS),
)
"""Parts of the file whose settings depend on what a key of theirs names."""


def configuration_reference() -> str:
    """The whole reference."""
    parts = [
        f"# Every setting of `{FILE}`",
        "Made by `driftgate schema --reference` from the descriptions in the code; a test keeps this page as it is "
        "printed. What has no default must be given. `NAME` is a name of your own.",
        *_of_model("The file", Workspace, ""),
    ]
    seen: set[type[BaseModel]] = {Workspace}
    for path, model in _inner(Workspace, ""):
        if model not in seen:
            seen.add(model)
            parts += _of_model(f"`{path}`", model, path)
    for title, path, key, registry in _KINDS:
        parts.append(f"## {title}")
        for name in registry.names():
            config: type[BaseModel] = registry.get(name).config
            parts += _of_model(f"`{path}` with `{key}: {name}`", config, path, level=3)
            for below, model in _inner(config, path if "." in path else f"{path}.NAME"):
                if model not in seen:
                    seen.add(model)
                    parts += _of_model(f"`{below}` with `{key}: {name}`", model, path, level=3)
    return "\n\n".join(parts) + "\n"


def _of_model(title: str, model: type[BaseModel], path: str, *, level: int = 2) -> list[str]:
    described = " ".join((model.__doc__ or "").split("\n\n")[0].split()).replace("``", "`")
    rows = ["| setting | type | default | what it is |", "| --- | --- | --- | --- |"]
    rows += [f"| `{name}` | {_type(field)} | {_default(field)} | {_words(field)} |" for name, field in _fields(model)]
    return [f"{'#' * level} {title}", described, "\n".join(rows)]


def _fields(model: type[BaseModel]) -> Iterator[tuple[str, FieldInfo]]:
    for name, field in model.model_fields.items():
        yield field.alias or name, field


def _inner(model: type[BaseModel], path: str) -> Iterator[tuple[str, type[BaseModel]]]:
    """Models of the file below ``model``, each with where it stands; those of registries are listed by their names."""
    for name, field in _fields(model):
        open_ended = {where for _, where, _, _ in _KINDS}
        for inner, named in _models_in(field.annotation):
            here = ".".join(filter(None, (path, name))) + (".NAME" if named else "")
            if here.removesuffix(".NAME") in open_ended or here in open_ended:
                continue
            yield here, inner
            yield from _inner(inner, here)


def _models_in(annotation: Any, named: bool = False) -> Iterator[tuple[type[BaseModel], bool]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation, named
        return
    inside = named or get_origin(annotation) is dict
    for part in get_args(annotation):
        yield from _models_in(part, inside)


def _type(field: FieldInfo) -> str:
    return _type_words(field.annotation).replace("|", "\\|")


def _type_words(annotation: Any) -> str:
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return " or ".join(f"`{value}`" for value in parts)
    if origin in (Union, UnionType):
        return " or ".join(_type_words(part) for part in parts if part is not type(None))
    if origin is dict:
        return f"{_type_words(parts[1])} by name"
    if origin in (list, tuple):
        return f"list of {_type_words(next(part for part in parts if part is not Ellipsis))}"
    if parts and origin is not None:  # Annotated and its like
        return _type_words(parts[0])
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "settings"
    return {"str": "text", "int": "integer", "float": "number", "bool": "true or false", "Path": "path"}.get(
        getattr(annotation, "__name__", ""), getattr(annotation, "__name__", "any").lower()
    )


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "*required*"
    value = field.get_default(call_default_factory=True) if field.default_factory is None else None
    if value is None or value is PydanticUndefined or isinstance(value, BaseModel) or value in ({}, [], (), ""):
        return ""
    return f"`{str(value).lower() if isinstance(value, bool) else value}`".replace("|", "\\|")


def _words(field: FieldInfo) -> str:
    return " ".join((field.description or "").replace("``", "`").replace("|", "\\|").split())
