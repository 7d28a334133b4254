"""The workspace file ``driftgate.yaml``: models, datasets, suites and gates, checked strictly."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_origin

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from driftgate.api import _yaml
from driftgate.api._include import read_with_includes
from driftgate.benchmarks.datasets import DATASETS, DatasetConfig
from driftgate.benchmarks.datasets import parse_config as parse_dataset
from driftgate.benchmarks.datasets.subset import SubsetConfig
from driftgate.benchmarks.gate import GateConfig
from driftgate.benchmarks.suite import SuiteConfig
from driftgate.finetune.config import RecipeConfig
from driftgate.flows.connections import ConnectionConfig
from driftgate.flows.errors import DriftgateError, nearest
from driftgate.flows.models import PROVIDERS, ModelConfig, resolve
from driftgate.flows.models import parse_config as parse_model
from driftgate.flows.retrieval import RETRIEVERS, RetrieverConfig
from driftgate.flows.retrieval import parse_config as parse_retriever
from driftgate.flows.text import on_disk
from driftgate.monitor.config import AzureMonitorConfig, MonitorConfig, ServiceConfig
from driftgate.monitor.telemetry.sources import SOURCES, SourceConfig
from driftgate.monitor.telemetry.sources import parse_config as parse_source

FILE = _yaml.FILE


def _of_kind(parse: Callable[[Mapping[str, Any]], Any], key: str) -> Callable[[Any], Any]:
    def validate(value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        if key not in value:
            raise ValueError(f"'{key}' is missing")
        try:
            return parse(value)
        except DriftgateError as problem:
            raise ValueError(str(problem)) from problem

    return validate


Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=100)]
"""A name in the workspace; it may become part of a file's name."""


class NightlyConfig(BaseModel):
    """What ``driftgate nightly`` does."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    suites: list[str] = []
    """Suites that are run, in this order."""
    gates: list[str] = []
    """Gates that judge them."""
    monitors: list[str] = []
    """Monitors that look at their canaries afterwards."""


class KeepConfig(BaseModel):
    """How long the ledger keeps what is asked and answered, and where."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    details_days: int | None = Field(None, ge=1)
    """Days after which the node outputs and evaluations of a run move to the archive, where they are still read; unset:
    never. ``driftgate nightly`` moves them after its work; needs the extra ``parquet``."""
    texts_days: int | None = Field(None, ge=1)
    """Days after which the texts of a run are removed for good, from the ledger and its archive: prompts, replies, node
    outputs, and questions that no newer run has asked. Scores and verdicts stand; unset: never."""
    archive: str = ""
    """Folder of the archive, relative to the workspace; by default beside the ledger's file, as ``ledger.db.archive``,
    and for PostgreSQL ``.driftgate/archive``."""


class Workspace(BaseModel):
    """The file ``driftgate.yaml``."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    version: Literal[1]
    """Format of this file."""
    name: str = Field("default", pattern=r"^[A-Za-z0-9_.-]+$")
    """Name of the workspace, for reports."""
    ledger: str = _yaml.LEDGER
    """Where everything is recorded: a path for SQLite, or a URL such as ``${env:DRIFTGATE_LEDGER}`` for PostgreSQL."""
    keep: KeepConfig = KeepConfig()
    """How long the ledger keeps texts, and where older ones are."""
    include: list[str] = []
    """Files of the workspace that are read as if they stood here: paths or patterns such as ``benchmarks/*.yaml``. A
    pattern matches at least one file, no name stands in two files, and an included file includes no others. Paths in
    every file are relative to the workspace."""
    reports: str = "reports"
    """Folder the reports are written to."""
    models: dict[Name, Annotated[ModelConfig, BeforeValidator(_of_kind(parse_model, "provider"))]] = {}
    """Models by name."""
    datasets: dict[Name, Annotated[DatasetConfig, BeforeValidator(_of_kind(parse_dataset, "kind"))]] = {}
    """Datasets by name."""
    retrievers: dict[Name, Annotated[RetrieverConfig, BeforeValidator(_of_kind(parse_retriever, "kind"))]] = {}
    """Retrievers by name: the documents that flows such as ``rag_qa`` search."""
    connections: dict[Name, ConnectionConfig] = {}
    """Connections by name, for nodes of flows that name one."""
    suites: dict[Name, SuiteConfig] = {}
    """Suites by name: which models go through which flow on which datasets."""
    gates: dict[Name, GateConfig] = {}
    """Gates by name: the rules that decide."""
    champions: dict[Name, str] = {}
    """The places in production and the model each begins with; afterwards the ledger says who is champion."""
    telemetry: list[Annotated[SourceConfig, BeforeValidator(_of_kind(parse_source, "source"))]] = []
    """Where production's model calls come from: ``otlp`` (what applications send to ``driftgate serve``, which needs no
    entry), ``files``, ``log_analytics``. Looks at traffic read what is new first, and are unmeasurable where they
    cannot."""
    monitors: dict[Name, MonitorConfig] = {}
    """Monitors by name: a champion watched by its canaries."""
    recipes: dict[Name, RecipeConfig] = {}
    """Recipes by name: how a champion that got worse is replaced."""
    nightly: NightlyConfig = NightlyConfig()
    """What the nightly job does."""
    azure_monitor: AzureMonitorConfig | None = None
    """Where signals, alerts, evaluation results and runs are sent; unset: nowhere."""
    service: ServiceConfig = ServiceConfig()
    """``driftgate serve``."""

    @model_validator(mode="before")
    @classmethod
    def _name_subsets(cls, value: Any) -> Any:
        """A subset names its whole; give it the settings that stand under that name."""
        datasets = value.get("datasets") if isinstance(value, dict) else None
        if not isinstance(datasets, dict):
            return value
        named = {
            name: {**given, "of": datasets.get(given["of"], given["of"])}
            if isinstance(given, dict) and given.get("kind") == "subset" and isinstance(given.get("of"), str)
            else given
            for name, given in datasets.items()
        }
        return {**value, "datasets": named}


@dataclass(frozen=True)
class OpenWorkspace:
    """A workspace file that was read, with the folder that its paths are relative to."""

    config: Workspace
    folder: Path
    document: _yaml.Document

    @property
    def ledger(self) -> str:
        """The ledger's location with the environment put in."""
        return resolve(self.config.ledger, "ledger")

    @property
    def archive(self) -> str:
        """Folder of the ledger's archive with the environment put in; empty: beside the ledger."""
        return resolve(self.config.keep.archive, "keep.archive")

    @property
    def reports(self) -> Path:
        """Folder of the reports.

        Raises
        ------
        DriftgateError
            It lies outside the workspace.
        """
        return self.inside(self.config.reports, "reports")

    @property
    def telemetry(self) -> Path:
        """Folder of the telemetry store.

        Raises
        ------
        DriftgateError
            It lies outside the workspace.
        """
        return self.inside(self.config.service.telemetry, "service.telemetry")

    def inside(self, path: str, setting: str) -> Path:
        """A path of a setting in the workspace's folder.

        Raises
        ------
        DriftgateError
            It leads out of the workspace.
        """
        found = on_disk(self.folder / path).resolve()
        if not found.is_relative_to(self.folder.resolve()):
            raise DriftgateError(f"'{setting}' is {found}", "keep it inside the workspace")
        return found

    def suite(self, name: str) -> SuiteConfig:
        """A suite by name.

        Raises
        ------
        DriftgateError
            There is none.
        """
        if name not in self.config.suites:
            raise DriftgateError(f"{FILE} has no suite '{name}'", nearest(name, self.config.suites))
        return self.config.suites[name]


def open_workspace(folder: Path) -> OpenWorkspace:
    """Read and check ``driftgate.yaml`` in ``folder``, with the files that it includes.

    Raises
    ------
    DriftgateError
        Something is wrong: the file, the line, what was found and the nearest valid name are in the message.
    """
    document = read_workspace(folder)
    try:
        config = Workspace.model_validate(document.value if document.value is not None else {})
    except ValidationError as problem:
        raise _explained(document, problem) from problem
    _check_names(document, config)
    return OpenWorkspace(config, folder, document)


def read_workspace(folder: Path) -> _yaml.Document:
    """What ``driftgate.yaml`` in ``folder`` and the files that it includes hold, before it is checked.

    Raises
    ------
    DriftgateError
        A file cannot be read, or they cannot be put together.
    """
    return read_with_includes(folder / FILE, _SECTIONS)


def json_schema() -> dict[str, Any]:
    """JSON Schema of the workspace file, with every registered provider and dataset kind, for editors.

    It describes the files that are included as well; those need not say the version, and include no others.
    """
    schema = Workspace.model_json_schema()
    del schema["required"]
    schema |= {"minProperties": 1, "dependentRequired": {"include": ["version"]}}
    for field, configs in (
        ("models", [PROVIDERS.get(name).config for name in PROVIDERS.names()]),
        ("datasets", [DATASETS.get(name).config for name in DATASETS.names()]),
        ("retrievers", [RETRIEVERS.get(name).config for name in RETRIEVERS.names()]),
        ("telemetry", [SOURCES.get(name).config for name in SOURCES.names()]),
    ):
        adapter: TypeAdapter[Any] = TypeAdapter(Union[tuple(configs)])  # type: ignore[arg-type]  # noqa: UP007
        union = adapter.json_schema(ref_template="#/$defs/{model}")
        schema["$defs"] |= union.pop("$defs", {})
        part = schema["properties"][field]
        if "items" in part:
            part["items"] = union
        else:
            part["patternProperties"] = dict.fromkeys(part["patternProperties"], union)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": FILE, **schema}


_SECTIONS = frozenset(name for name, field in Workspace.model_fields.items() if get_origin(field.annotation) is dict)
"""Keys that hold things by name."""


def _check_names(document: _yaml.Document, config: Workspace) -> None:
    """Every name that one part uses is defined in another."""
    for name, dataset in config.datasets.items():
        if isinstance(dataset, SubsetConfig) and isinstance(dataset.of, str):
            _known(document, ("datasets", name, "of"), "dataset", dataset.of, config.datasets)
    for name, suite in config.suites.items():
        for kind, used, known in (
            ("models", suite.models, config.models),
            ("datasets", suite.datasets, config.datasets),
        ):
            for index, wanted in enumerate(used):
                _known(document, ("suites", name, kind, index), kind[:-1], wanted, known)
        if suite.prompt is not None and "flow" in document.value["suites"][name]:
            at = document.where(("suites", name, "flow"))
            raise DriftgateError(f"{at}: suite '{name}' has a prompt and a flow", "keep one of the two")
        if suite.retriever is not None:
            _known(document, ("suites", name, "retriever"), "retriever", suite.retriever, config.retrievers)
    for name, gate in config.gates.items():
        if gate.suite is not None:
            _known(document, ("gates", name, "suite"), "suite", gate.suite, config.suites)
        if gate.recipe is not None:
            _known(document, ("gates", name, "recipe"), "recipe", gate.recipe, config.recipes)
        if gate.slot is not None:
            _known(document, ("gates", name, "slot"), "champion", gate.slot, config.champions)
    for name, model in config.champions.items():
        _known(document, ("champions", name), "model", model, config.models)
    for name, monitor in config.monitors.items():
        _known(document, ("monitors", name, "champion"), "champion", monitor.champion, config.champions)
        canaries = monitor.canaries
        if canaries.retriever is not None:
            where = ("monitors", name, "canaries", "retriever")
            _known(document, where, "retriever", canaries.retriever, config.retrievers)
        _known(document, ("monitors", name, "canaries", "dataset"), "dataset", canaries.dataset, config.datasets)
        if monitor.recipe is not None:
            _known(document, ("monitors", name, "recipe"), "recipe", monitor.recipe, config.recipes)
    for name, recipe in config.recipes.items():
        if recipe.retriever is not None:
            _known(document, ("recipes", name, "retriever"), "retriever", recipe.retriever, config.retrievers)
        _known(document, ("recipes", name, "champion"), "champion", recipe.champion, config.champions)
        _known(document, ("recipes", name, "base_model"), "model", recipe.base_model, config.models)
        _known(document, ("recipes", name, "gate"), "gate", recipe.gate, config.gates)
        for index, wanted in enumerate(recipe.proof):
            _known(document, ("recipes", name, "proof", index), "dataset", wanted, config.datasets)
        if recipe.rollout is not None and recipe.champion not in {m.champion for m in config.monitors.values()}:
            raise DriftgateError(
                f"{document.where(('recipes', name, 'rollout'))}: no monitor watches the "
                f"champion '{recipe.champion}', so nothing could ever say that recipe '{name}' rolls out well",
                f"add a monitor with 'champion: {recipe.champion}', or leave the rollout out",
            )
    for index, wanted in enumerate(config.nightly.suites):
        _known(document, ("nightly", "suites", index), "suite", wanted, config.suites)
    for index, wanted in enumerate(config.nightly.gates):
        _known(document, ("nightly", "gates", index), "gate", wanted, config.gates)
    for index, wanted in enumerate(config.nightly.monitors):
        _known(document, ("nightly", "monitors", index), "monitor", wanted, config.monitors)


def _known(
    document: _yaml.Document, location: _yaml.Location, kind: str, wanted: str, known: Mapping[str, Any]
) -> None:
    if wanted not in known:
        where = document.where(location)
        raise DriftgateError(f"{where}: there is no {kind} '{wanted}'", nearest(wanted, known))


def _explained(document: _yaml.Document, problem: ValidationError) -> DriftgateError:
    """The first of pydantic's complaints, in words, with its line and the nearest valid name."""
    errors = problem.errors(include_url=False)
    # A misspelt key is also a missing one, and its own name says more.
    error = next((e for e in errors if e["type"] == "extra_forbidden"), errors[0])
    location = tuple(error["loc"])
    where = document.where(location)
    path = ".".join(str(part) for part in location)
    if error["type"] == "extra_forbidden":
        return DriftgateError(
            f"{where}: unknown key '{location[-1]}'", nearest(str(location[-1]), _fields(location[:-1], document))
        )
    if error["type"] == "missing":
        return DriftgateError(f"{where}: '{path}' is missing", "add it; driftgate schema describes it")
    message = str(error["msg"]).removeprefix("Value error, ")
    return DriftgateError(f"{where}: {path}: {message}", "driftgate schema describes every key")


def _fields(location: _yaml.Location, document: _yaml.Document) -> list[str]:
    """Names of the fields that are valid at a location of the file."""
    model: type[BaseModel] | None = Workspace
    value: Any = document.value
    for depth, part in enumerate(location):
        value = value[part] if isinstance(value, (dict, list)) else None  # type: ignore[index]
        if depth == 1 and location[0] == "models" and isinstance(value, dict):
            model = PROVIDERS.get(str(value.get("provider"))).config
        elif depth == 1 and location[0] == "datasets" and isinstance(value, dict):
            model = DATASETS.get(str(value.get("kind"))).config
        elif depth == 1 and location[0] == "retrievers" and isinstance(value, dict):
            model = RETRIEVERS.get(str(value.get("kind"))).config
        elif model is not None and part in model.model_fields:
            model = _inner_model(model.model_fields[str(part)].annotation)
    return list(model.model_fields) if model else []


def _inner_model(annotation: Any) -> type[BaseModel] | None:
    """The pydantic model inside an annotation such as ``dict[str, SuiteConfig]``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for inner in getattr(annotation, "__args__", ()):
        if (found := _inner_model(inner)) is not None:
            return found
    return None
