"""The workspace file ``driftgate.yaml``: models, datasets, suites and gates, checked strictly."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_origin

from pydantic import (
    AfterValidator,
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
from driftgate.api._faults import at, contradictions, explained, refuse
from driftgate.api._include import read_with_includes
from driftgate.api.roots import Roots
from driftgate.benchmarks.datasets import DATASETS, DatasetConfig
from driftgate.benchmarks.datasets import parse_config as parse_dataset
from driftgate.benchmarks.gate import GateConfig
from driftgate.benchmarks.suite import Names, SuiteConfig
from driftgate.finetune.compute._config import AzureMLBench
from driftgate.finetune.config import RecipeConfig
from driftgate.finetune.synthesis import SynthesisConfig
from driftgate.flows.connections import ConnectionConfig
from driftgate.flows.environment import keep_secrets_of, without_literal
from driftgate.flows.errors import DriftgateError, nearest
from driftgate.flows.models import PROVIDERS, ModelConfig, resolve
from driftgate.flows.models import parse_config as parse_model
from driftgate.flows.network import Network, NetworkConfig, enter
from driftgate.flows.path_settings import WRITTEN
from driftgate.flows.private_files import Sharing, share
from driftgate.flows.retrieval import RETRIEVERS, RetrieverConfig
from driftgate.flows.retrieval import parse_config as parse_retriever
from driftgate.monitor.config import AzureMonitorConfig, FoundryConfig, MonitorConfig, ServiceConfig
from driftgate.monitor.incidents import IncidentsConfig
from driftgate.monitor.notifications import NotificationsConfig
from driftgate.monitor.notifications.channels import CHANNELS
from driftgate.monitor.telemetry.sources import SOURCES, SourceConfig
from driftgate.monitor.telemetry.sources import parse_config as parse_source

FILE = _yaml.FILE


def _of_kind(parse: Callable[[Mapping[str, Any]], Any], key: str, *, needed: bool = True) -> Callable[[Any], Any]:
    def validate(value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        if needed and key not in value:
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

    suites: Names = []
    """Suites that are run, in this order."""
    gates: Names = []
    """Gates that judge them."""
    monitors: Names = []
    """Monitors that look at their canaries afterwards."""


class KeepConfig(BaseModel):
    """How long the ledger keeps what is asked and answered, and where."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    details_days: int | None = Field(None, ge=1)
    """Days after which the node outputs and evaluations of a run move to the archive, where they are still read; unset:
    never. ``driftgate nightly`` moves them after its work; needs the extra ``parquet``."""
    texts_days: int | None = Field(None, ge=1)
    """Days after which the texts of a run are removed for good, from the ledger and its archive: prompts, replies, node
    outputs, and questions that no newer run has asked. Its reports go, and so do the texts of telemetry that old, where
    it keeps any. Scores and verdicts stand; unset: never."""
    telemetry_days: int | None = Field(None, ge=2)
    """Days for which calls of production are kept in the telemetry folder, today included; unset: for ever. Looks need
    those of their reference: as many as ``traffic.reference_days`` and ``current_days``, and one more."""
    telemetry_megabytes: int | None = Field(None, ge=1)
    """How large the calls in the telemetry folder may be; beyond it the oldest days go, all but the newest. What goes
    is counted and shown; unset: as large as it gets."""
    archive: Annotated[str, WRITTEN] = ""
    """Folder of the archive, relative to the workspace; by default beside the ledger's file, as ``ledger.db.archive``,
    and for PostgreSQL ``.driftgate/archive``."""

    @property
    def telemetry_bytes(self) -> int | None:
        """``telemetry_megabytes`` in bytes."""
        return None if self.telemetry_megabytes is None else self.telemetry_megabytes * 2**20


class Workspace(BaseModel):
    """The file ``driftgate.yaml``."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    version: Literal[1]
    """Format of this file."""
    name: str = Field("default", pattern=r"^[A-Za-z0-9_.-]+$")
    """Name of the workspace, for reports."""
    ledger: Annotated[str, WRITTEN, AfterValidator(without_literal)] = _yaml.LEDGER
    """Where everything is recorded: a path for SQLite, or a URL such as ``${env:DRIFTGATE_LEDGER}`` for PostgreSQL,
    whose password stands in the environment."""
    files: Sharing = "private"
    """Who may read and write what driftgate makes, whatever the umask: the user that runs it (``private``), or the
    user's group as well (``group``). What is there already keeps its rights; ``driftgate doctor`` says where others can
    read it."""
    network: NetworkConfig = NetworkConfig()
    """Whom commands may ask over the network, and how: hosts, a proxy, certificates, the size of replies."""
    keep: KeepConfig = KeepConfig()
    """How long the ledger keeps texts, and where older ones are."""
    include: list[str] = []
    """Files of the workspace that are read as if they stood here: paths or patterns such as ``benchmarks/*.yaml``. A
    pattern matches at least one file, no name stands in two files, and an included file includes no others. Paths in
    every file are relative to the workspace."""
    reports: Annotated[str, WRITTEN] = "reports"
    """Folder the reports are written to."""
    allowed_roots: list[str] = []
    """Folders outside of the workspace that its paths may lead to, such as ``../shared/data``; links are followed.
    Where the environment variable ``DRIFTGATE_ALLOWED_ROOTS`` is set, it says which folders there are, and only those
    below one of them may stand here. Flows, prompts and included files always lie in the workspace."""
    models: dict[Name, Annotated[ModelConfig, BeforeValidator(_of_kind(parse_model, "provider"))]] = {}
    """Models by name."""
    datasets: dict[Name, Annotated[DatasetConfig, BeforeValidator(_of_kind(parse_dataset, "kind"))]] = {}
    """Datasets by name."""
    retrievers: dict[
        Name, Annotated[RetrieverConfig, BeforeValidator(_of_kind(parse_retriever, "kind", needed=False))]
    ] = {}
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
    entry), ``files``, ``log_analytics``, ``foundry`` (results of its continuous evaluation). Looks at traffic read what
    is new first, and are unmeasurable where they cannot."""
    monitors: dict[Name, MonitorConfig] = {}
    """Monitors by name: a champion watched by its canaries."""
    synthesis: dict[Name, SynthesisConfig] = {}
    """Synthetic training data by name: what it is made from and how; see ``driftgate synth``."""
    recipes: dict[Name, RecipeConfig] = {}
    """Recipes by name: how a champion that got worse is replaced."""
    repairs: bool = True
    """Whether recipes are followed. ``false``: no repair is opened and none goes on, whatever calls for one;
    ``driftgate remediation stop`` does the same at once, for every process that works with the ledger."""
    azureml: AzureMLBench | None = None
    """Where ``driftgate bench --on azureml`` asks; unset: nowhere."""
    nightly: NightlyConfig = NightlyConfig()
    """What the nightly job does."""
    incidents: IncidentsConfig = IncidentsConfig()
    """When incidents begin and end."""
    notifications: NotificationsConfig = NotificationsConfig()
    """Who is told of incidents, and how; without channels nobody is."""
    azure_monitor: AzureMonitorConfig | None = None
    """Where signals, alerts, evaluation results and runs are sent; unset: nowhere."""
    foundry: FoundryConfig | None = None
    """Where ``driftgate azure publish`` puts runs; unset: nowhere."""
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

    @cached_property
    def network(self) -> Network:
        """What it says of the network."""
        return Network(self.config.network, self.folder)

    def hold(self) -> None:
        """Hold to its network from now on, as another workspace may have been worked with meanwhile."""
        enter(self.network)

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
        """A path of a setting, in the workspace's folder or below an allowed root.

        Raises
        ------
        DriftgateError
            It leads out of the workspace and of every allowed root.
        """
        return self.roots.inside(path, setting)

    @property
    def roots(self) -> Roots:
        """Where paths may lead."""
        return Roots.of(self.folder, self.config.allowed_roots)

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
        Something is wrong: the file, the line, what was found and the nearest valid name are in the message. Where
        several things are, it is :class:`Faults` and names each.
    """
    document = read_workspace(folder)
    try:
        config = Workspace.model_validate(document.value if document.value is not None else {})
    except ValidationError as problem:
        refuse(explained(document, problem, Workspace), problem)
        raise
    refuse([*contradictions(document, config)])
    roots = Roots.of(folder.absolute(), config.allowed_roots, document.where(("allowed_roots",)))
    refuse([at(document, location, problem) for location, problem in roots.faults(config)])
    share(folder, config.files)
    keep_secrets_of(document.value)
    workspace = OpenWorkspace(config, folder.absolute(), document)  # the process may work elsewhere meanwhile
    workspace.hold()
    return workspace


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
    parts = schema["properties"] | {"channels": schema["$defs"]["NotificationsConfig"]["properties"]["channels"]}
    for field, configs in (
        ("models", [PROVIDERS.get(name).config for name in PROVIDERS.names()]),
        ("datasets", [DATASETS.get(name).config for name in DATASETS.names()]),
        ("retrievers", [RETRIEVERS.get(name).config for name in RETRIEVERS.names()]),
        ("telemetry", [SOURCES.get(name).config for name in SOURCES.names()]),
        ("channels", [CHANNELS.get(name).config for name in CHANNELS.names()]),
    ):
        adapter: TypeAdapter[Any] = TypeAdapter(Union[tuple(configs)])  # type: ignore[arg-type]  # noqa: UP007
        union = adapter.json_schema(ref_template="#/$defs/{model}")
        schema["$defs"] |= union.pop("$defs", {})
        part = parts[field]
        if "items" in part:
            part["items"] = union
        else:
            part["patternProperties"] = dict.fromkeys(part["patternProperties"], union)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": FILE, **schema}


_SECTIONS = frozenset(name for name, field in Workspace.model_fields.items() if get_origin(field.annotation) is dict)
"""Keys that hold things by name."""
