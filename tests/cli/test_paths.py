"""Every setting that is a path leads into the workspace or below an allowed root, links followed."""

from __future__ import annotations

import os
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from chat_endpoint import ChatEndpoint
from command_line import Cli, Make
from pydantic import BaseModel
from rollouts import ROLLOUT, make_workspace

from driftgate.api.roots import VARIABLE
from driftgate.api.session import model_config
from driftgate.api.workspace import Workspace, open_workspace
from driftgate.benchmarks.datasets import DATASETS
from driftgate.finetune.train import TRAINERS
from driftgate.flows.errors import DriftgateError
from driftgate.flows.models import PROVIDERS
from driftgate.flows.path_settings import PathSetting
from driftgate.flows.retrieval import RETRIEVERS
from driftgate.ledger import add_trained_model, open_ledger
from driftgate.monitor.telemetry.sources import SOURCES

LIKE_PATHS = {"path", "shots_path", "folder", "file", "adapter", "archive", "ledger", "reports", "code", "requirements"}


@pytest.fixture(autouse=True)
def nothing_said_by_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)


def configs(kind: type[BaseModel], seen: set[type[BaseModel]]) -> Iterator[type[BaseModel]]:
    """A configuration and every one that it may hold."""
    if kind in seen:
        return
    seen.add(kind)
    yield kind
    waiting: list[Any] = [field.annotation for field in kind.model_fields.values()]
    while waiting:
        one = waiting.pop()
        waiting += typing.get_args(one)
        if isinstance(one, type) and issubclass(one, BaseModel):
            yield from configs(one, seen)


def test_every_path_is_marked_where_it_is_declared() -> None:
    registries = (PROVIDERS, DATASETS, RETRIEVERS, SOURCES, TRAINERS)
    kinds = [Workspace, *(registry.get(name).config for registry in registries for name in registry.names())]
    seen: set[type[BaseModel]] = set()
    marked, missed = set(), []
    for kind in kinds:
        for config in configs(kind, seen):
            for name, field in config.model_fields.items():
                if any(isinstance(one, PathSetting) for one in field.metadata):
                    marked.add(name)
                elif name in LIKE_PATHS or Path in (field.annotation, *typing.get_args(field.annotation)):
                    missed.append(f"{config.__name__}.{name}")
    assert missed == []
    assert marked == (LIKE_PATHS - {"file"}) | {"model", "telemetry", "tls_cert", "tls_key", "canary_file", "held_out"}


def put(config: dict[str, Any], path: str, at: str) -> None:
    """Let a setting be ``path``."""
    tuned = config["recipes"]["mend"]
    parts: dict[str, Any] = {
        "ledger": {"ledger": path},
        "sqlite": {"ledger": f"sqlite:///{path}"},
        "archive": {"keep": {"archive": path}},
        "reports": {"reports": path},
        "telemetry": {"service": {"telemetry": path}},
        "dataset": {"datasets": {**config["datasets"], "own": {"kind": "jsonl", "path": path}}},
        "shots": {"datasets": {**config["datasets"], "own": {"kind": "csv", "path": "a.csv", "shots_path": path}}},
        "upstream": {"datasets": {**config["datasets"], "own": {"kind": "kmmlu", "path": path}}},
        "subset": {"datasets": {**config["datasets"], "own": {"kind": "subset", "of": "proof", "path": path}}},
        "whole": {
            "datasets": {
                **config["datasets"],
                "own": {"kind": "subset", "of": {"kind": "jsonl", "path": path}, "path": "own.jsonl"},
            }
        },
        "recorded": {"models": {**config["models"], "own": {"provider": "recorded", "path": path}}},
        "local": {"models": {**config["models"], "own": {"provider": "local", "model": path}}},
        "adapter": {"models": {**config["models"], "own": {"provider": "local", "adapter": path}}},
        "documents": {"retrievers": {"own": {"kind": "bm25", "folder": path}}},
        "source": {"telemetry": [{"source": "files", "folder": path}]},
        "synthesis": {"recipes": {"mend": {**tuned, "synthesis": {"sources": [{"kind": "questions", "path": path}]}}}},
        "code": {"recipes": {"mend": {**tuned, "rollout": {**ROLLOUT, "code": path}}}},
        "canaries": {"recipes": {"mend": {**tuned, "privacy": {"canary_file": path}}}},
        "held_out": {"recipes": {"mend": {**tuned, "privacy": {"held_out": path}}}},
        "requirements": {"recipes": {"mend": {**tuned, "trainer": {**tuned["trainer"], "requirements": path}}}},
    }
    config.update(parts[at])


SETTINGS = (
    *(
        "ledger",
        "sqlite",
        "archive",
        "reports",
        "telemetry",
        "dataset",
        "shots",
        "upstream",
        "subset",
        "whole",
        "recorded",
    ),
    *("local", "adapter", "documents", "source", "synthesis", "code", "requirements", "canaries", "held_out"),
)


@pytest.fixture
def folder(tmp_path: Path, endpoint: ChatEndpoint) -> Path:
    """A workspace with everything that has paths, beside a folder of secrets."""
    folder = tmp_path / "space"
    folder.mkdir()
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets/key").write_text("k")
    return make_workspace(folder, endpoint)


def write(folder: Path, at: str, path: str, **more: Any) -> None:
    file = folder / "driftgate.yaml"
    config = yaml.safe_load(file.read_text()) if not more.pop("anew", False) else {}
    config |= more
    put(config, path, at)
    file.write_text(yaml.safe_dump(config))


@pytest.mark.parametrize("at", SETTINGS)
def test_no_setting_leads_out_of_the_workspace(folder: Path, at: str, monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = folder.parent / "secrets"
    (folder / "link").symlink_to(secrets)
    (folder / "key").symlink_to(secrets / "key")
    for path in ("../secrets", str(secrets), "link", "link/key", "key", "data/../../secrets", "~"):
        write(folder, at, path)
        with pytest.raises(DriftgateError, match=r"driftgate\.yaml, line \d+: '.*' leads to .*, outside the workspace"):
            open_workspace(folder)
    write(folder, at, "link", allowed_roots=["../secrets"])
    open_workspace(folder)
    monkeypatch.setenv(VARIABLE, os.pathsep.join([str(folder / "data"), str(folder.parent / "other")]))
    with pytest.raises(DriftgateError, match=rf"line \d+: .*secrets lies in no root of {VARIABLE}"):
        open_workspace(folder)
    monkeypatch.setenv(VARIABLE, str(folder.parent))
    open_workspace(folder)
    write(folder, at, "inside", allowed_roots=[])
    open_workspace(folder)


@pytest.mark.parametrize("at", ["documents", "upstream", "source", "code", "synthesis"])
def test_a_link_below_a_folder_that_is_read_leads_nowhere_else(folder: Path, at: str) -> None:
    below = folder / "data/deep"
    below.mkdir(parents=True)
    write(folder, at, "data")
    (below / "beside").symlink_to(folder / "proof.jsonl")
    (below / "round").symlink_to(folder / "data")
    open_workspace(folder)
    (below / "key").symlink_to(folder.parent / "secrets/key")
    with pytest.raises(DriftgateError, match=r"key' leads to .*secrets/key, outside the workspace"):
        open_workspace(folder)


def test_the_machine_may_say_where_the_ledger_is(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(folder, "ledger", "${env:TEAM_LEDGER}")
    monkeypatch.setenv("TEAM_LEDGER", str(folder.parent / "ledger.db"))
    assert open_workspace(folder).ledger == str(folder.parent / "ledger.db")
    write(folder, "ledger", "postgresql://db.example.com/eval")
    open_workspace(folder)


def test_a_path_is_taken_from_the_environment_whole_or_not_at_all(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOMEWHERE", str(folder.parent))
    for at in ("ledger", "sqlite", "archive"):
        write(folder, at, "${env:SOMEWHERE}/secrets")
        with pytest.raises(DriftgateError, match="a part of its path from the environment"):
            open_workspace(folder)


def test_only_the_workspace_file_says_where_paths_may_lead(folder: Path) -> None:
    (folder / "more.yaml").write_text("allowed_roots: [..]\n")
    write(folder, "dataset", "own.jsonl", include=["more.yaml"])
    with pytest.raises(DriftgateError, match=r"more\.yaml, line 1: an included file says where paths may lead"):
        open_workspace(folder)


def test_runs_are_not_listed_from_a_ledger_elsewhere(cli: Cli, make: Make) -> None:
    folder = make(4, lambda config: config.update(ledger="../elsewhere.db"))
    done = cli("runs", "list", "-w", folder)
    assert done.code == 2 and "outside the workspace" in done.err
    assert not (folder.parent / "elsewhere.db").exists()


def test_a_trained_model_of_the_ledger_leads_nowhere_else(folder: Path) -> None:
    ledger = open_ledger(".driftgate/ledger.db", folder)
    add_trained_model(ledger, "tuned", {"provider": "local", "adapter": "../secrets/key"}, {})
    with pytest.raises(DriftgateError, match="outside the workspace"):
        model_config(open_workspace(folder), ledger, "tuned")
    ledger.close()
