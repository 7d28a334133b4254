"""The templates are what Azure's published definitions take, in both languages alike, and the commands write them."""

from __future__ import annotations

import copy
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import azure_models
import bicep
import pytest

from driftgate.cli import main
from driftgate.monitor.azure import Expected, Template, container_app, monitoring

TEMPLATES = {
    "monitoring": monitoring(Expected("shop", ("support/canaries", "support/traffic"))),
    "service": container_app(),
}
EVERY = pytest.mark.parametrize("name", TEMPLATES)


def _resources(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = TEMPLATES[name].as_json()["resources"]
    return found


def _checked(name: str) -> list[dict[str, Any]]:
    return [resource for resource in _resources(name) if resource["type"] in azure_models.MODELS]


@EVERY
def test_resources_are_what_the_published_models_take(name: str) -> None:
    assert [fault for resource in _checked(name) for fault in azure_models.faults(resource)] == []
    # Of these two kinds no management package is installed.
    unchecked = {resource["type"] for resource in _resources(name)} - azure_models.MODELS.keys()
    assert unchecked <= {"Microsoft.ManagedIdentity/userAssignedIdentities", "Microsoft.Authorization/roleAssignments"}


def _places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every property and to everything that is no object."""
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in entries:
        if isinstance(key, int) or not key.startswith("["):
            yield (*at, key)
        yield from _places(one, (*at, key))


@EVERY
def test_a_misspelt_property_or_a_value_of_another_type_is_found(name: str) -> None:
    unnoticed = []
    for resource in _checked(name):
        for place in _places(resource):
            if place[0] in ("type", "apiVersion", "name", "dependsOn", "condition"):
                continue
            changed = copy.deepcopy(resource)
            holder = changed
            for key in place[:-1]:
                holder = holder[key]
            if isinstance(place[-1], int):
                holder[place[-1]] = {"not": "this"}
            else:
                holder[place[-1] + "X"] = holder.pop(place[-1])
            if not azure_models.faults(changed):
                unnoticed.append((resource["type"], place))
    assert unnoticed == []


@EVERY
def test_a_template_takes_only_its_parameters_and_variables(name: str) -> None:
    template = TEMPLATES[name].as_json()
    texts = list(_texts([template["resources"], template["variables"], template["outputs"]]))
    expressions = [text for text in texts if text.startswith("[")]
    for kind in ("parameters", "variables"):
        used = {found for text in expressions for found in re.findall(rf"{kind}\('(\w+)'\)", text)}
        assert used == template[kind].keys()
    assert all(text.endswith("]") and _balanced(text) for text in expressions)
    for resource in template["resources"]:
        assert set(resource) >= {"type", "apiVersion", "name"}


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in (*value, *value.values()):
            yield from _texts(part)
    elif isinstance(value, list):
        for part in value:
            yield from _texts(part)


def _balanced(text: str) -> bool:
    bare = re.sub(r"'(?:[^']|'')*'", "", text)
    return bare.count("(") == bare.count(")") and bare.count("[") == bare.count("]")


def test_inside_the_workbook_there_is_one_expression() -> None:
    workbook = TEMPLATES["monitoring"].as_json()["variables"]["workbookContent"]
    found = [text for text in _texts(workbook) if text.startswith("[")]
    assert found == ["[parameters('workspaceResourceId')]"], "Resource Manager would work out any other"


@EVERY
def test_bicep_says_what_resource_manager_is_told(name: str) -> None:
    template = TEMPLATES[name]
    text = template.as_bicep()
    assert bicep.faults(bicep.tree_of(text)) == []
    told, read = template.as_json(), bicep.read(text)
    words = _Words(template)
    assert read["variables"] == words.of(told["variables"])
    assert read["outputs"] == {key: words.of(one["value"]) for key, one in told["outputs"].items()}
    assert {key: _parameter(one) for key, one in read["parameters"].items()} == words.of(told["parameters"])
    resources = [one for one in read["resources"].values() if not one["existing"]]
    assert len(resources) == len(told["resources"])
    for written, resource in zip(resources, words.of(told["resources"]), strict=True):
        after = [f"[{entry[1:-1]}.id]" for entry in written["body"].pop("dependsOn", [])]
        given = {"dependsOn": after} if after else {}
        condition = {} if written["condition"] is None else {"condition": written["condition"]}
        assert {
            "type": written["type"],
            "apiVersion": written["apiVersion"],
            **condition,
            **written["body"],
            **given,
        } == resource


def _parameter(read: Mapping[str, Any]) -> dict[str, Any]:
    said = dict(re.fullmatch(r"@(\w+)\((.*)\)", one).groups() for one in read["decorators"])  # type: ignore[union-attr]
    secure = "secure" if "secure" in said else ""
    return {
        "type": secure + read["type"],
        **({"defaultValue": read["default"]} if "default" in read else {}),
        **{name: int(said[name]) for name in ("minValue", "maxValue") if name in said},
        "metadata": {"description": said["description"][1:-1].replace("\\'", "'")},
    }


class _Words:
    """Resource Manager's expressions in Bicep's words."""

    def __init__(self, template: Template) -> None:
        self._symbols = {}
        for one in template.resources:
            name = one.name.json
            parts = ", ".join(f"split({name}, '/')[{i}]" for i in range(one.type.count("/")))
            own = f"resourceId('{one.type}', {parts if one.type.count('/') > 1 else name})"
            self._symbols[own] = one.symbol

    def of(self, value: Any) -> Any:
        if isinstance(value, dict):
            said = {self.of(key): self.of(one) for key, one in value.items()}
            return said | ({"scope": said["scope"].replace(".id]", "]")} if "scope" in said else {})
        if isinstance(value, list):
            return [self.of(one) for one in value]
        return self._translated(value) if isinstance(value, str) and value.startswith("[") else value

    def _translated(self, text: str) -> str:
        for own, symbol in self._symbols.items():
            text = re.sub(rf"reference\({re.escape(own)}, '[\d-]+'\)", f"{symbol}.properties", text)
            text = text.replace(own, f"{symbol}.id")
        text = re.sub(r"(?:parameters|variables)\('(\w+)'\)", r"\1", text)
        text = re.sub(r"createArray\(([^()]*)\)", r"[\1]", text)
        text = re.sub(r"not\((.*)\)", r"!\1", text)
        text = re.sub(r"\[if\(([^,]*), ([^,]*), (.*)\)\]", r"[\1 ? \2 : \3]", text)
        return text.replace("''", r"\'")


def test_the_scope_of_a_role_is_the_vault() -> None:
    [roles] = [one for one in _resources("service") if "roleAssignments" in one["type"]]
    assert roles["scope"] == "[resourceId('Microsoft.KeyVault/vaults', parameters('keyVaultName'))]"
    assert "scope: vault\n" in TEMPLATES["service"].as_bicep()


def test_no_secret_stands_in_the_container_app() -> None:
    [app] = [one for one in _resources("service") if one["type"] == "Microsoft.App/containerApps"]
    for secret in app["properties"]["configuration"]["secrets"]:
        assert secret.keys() == {"name", "keyVaultUrl", "identity"}
    environment = app["properties"]["template"]["containers"][0]["env"]
    plain = {one["name"] for one in environment if "value" in one}
    assert plain == {"AZURE_CLIENT_ID"}


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    (tmp_path / "driftgate.yaml").write_text("version: 1\nname: shop\n", encoding="utf-8")
    return tmp_path


def _run(*arguments: str | Path, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = os.environ | ({"PATH": f"{path}:{os.environ['PATH']}"} if path else {})
    command = [sys.executable, "-m", "driftgate", "azure", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60)


def _printed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    monkeypatch.setattr(sys, "argv", ["driftgate", "azure", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert not ended.value.code
    return capsys.readouterr().out


def _refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    monkeypatch.setattr(sys, "argv", ["driftgate", "azure", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    return capsys.readouterr().err


def test_render_writes_either_language_and_workbook_is_its_first_name(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    told = json.loads(_printed(monkeypatch, capsys, "render", "-w", workspace))
    assert told["parameters"]["roleName"]["defaultValue"] == "shop.driftgate"
    assert told["parameters"]["hasNightly"]["defaultValue"] is False
    assert json.loads(_printed(monkeypatch, capsys, "workbook", "-w", workspace)) == told
    file = workspace / "main.bicep"
    assert "written: " in _printed(monkeypatch, capsys, "render", file, "--bicep", "-w", workspace)
    assert file.read_text(encoding="utf-8") == _printed(monkeypatch, capsys, "render", "--bicep", "-w", workspace)
    assert bicep.faults(bicep.tree_of(file.read_text(encoding="utf-8"))) == []
    service = json.loads(_printed(monkeypatch, capsys, "render", "--service", "-w", workspace))
    assert service == container_app().as_json()


def test_a_workspace_has_queries_of_its_own(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shipped = json.loads(_printed(monkeypatch, capsys, "render", "-w", workspace))
    own = workspace / "monitor/azure/rule_gate.kql"
    own.parent.mkdir(parents=True)
    own.write_text("// ours\nAppRequests\n| where Name == '[x]' or '##vso[' == \"\u202e\"\n", encoding="utf-8")
    changed = json.loads(_printed(monkeypatch, capsys, "render", "-w", workspace))
    assert changed["variables"].pop("queryGate") == "AppRequests\n| where Name == '[x]' or '##vso[' == \"\u202e\""
    assert changed["variables"].items() < shipped["variables"].items()
    printed = _printed(monkeypatch, capsys, "render", "--bicep", "-w", workspace)
    assert "\u202e" not in printed and "##vso[" not in printed
    assert bicep.read(printed)["variables"]["queryGate"].startswith("AppRequests\n| where Name == '[x]' or '##vso['")


def test_deploy_prints_the_command_and_runs_it_where_it_is_told_to(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    az = tmp_path / "bin/az"
    az.parent.mkdir()
    az.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\nexit 3\n', encoding="utf-8")
    az.chmod(0o755)
    file = workspace / "out.json"
    given = ["deploy", "-g", "rg", "--set", "workspaceResourceId=/subscriptions/x", "--file", file, "-w", workspace]
    assert _printed(monkeypatch, capsys, *given).split() == [
        *("az", "deployment", "group", "create", "--resource-group", "rg", "--template-file", str(file)),
        *("--parameters", "workspaceResourceId=/subscriptions/x"),
    ]
    assert json.loads(file.read_text(encoding="utf-8"))["resources"]
    ran = _run(*given, "--yes", path=az.parent)
    assert ran.returncode == 3 and ran.stdout.splitlines()[-1] == "workspaceResourceId=/subscriptions/x"
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "az, is not installed here" in _refused(monkeypatch, capsys, *given, "--yes")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([], "not given: workspaceResourceId"),
        (["--set", "workspaceResourceId"], "no value"),
        (["--set", "workspaceresourceid=x"], "did you mean 'workspaceResourceId'"),
        (["--service", "--set", "logKey=s3cret"], "is a secret"),
    ],
)
def test_deploy_says_what_is_wrong_before_anything_is_written(
    workspace: Path,
    given: list[str],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = workspace / "out.json"
    assert said in _refused(monkeypatch, capsys, "deploy", "-g", "rg", "--file", file, "-w", workspace, *given)
    assert not file.exists()
