"""The JSON Schema that editors use."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from driftgate.api._init import scaffold
from driftgate.api.preflight import examine
from driftgate.api.workspace import json_schema, open_workspace
from driftgate.benchmarks.datasets import DATASETS
from driftgate.flows.errors import DriftgateError
from driftgate.flows.models import PROVIDERS


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    return json_schema()


def valid(schema: dict[str, Any], value: Any) -> bool:
    return bool(jsonschema.Draft202012Validator(schema).is_valid(value))


def test_it_is_a_json_schema(schema: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator.check_schema(schema)
    assert json.loads(json.dumps(schema)) == schema


def test_every_reference_leads_somewhere(schema: dict[str, Any]) -> None:
    text = json.dumps(schema)
    wanted = {part.split('"')[0] for part in text.split('"#/$defs/')[1:]}
    assert wanted <= set(schema["$defs"])


def test_the_scaffold_is_valid(schema: dict[str, Any], tmp_path: Path) -> None:
    scaffold(tmp_path)
    value = yaml.safe_load((tmp_path / "driftgate.yaml").read_text(encoding="utf-8"))
    jsonschema.validate(value, schema)
    open_workspace(tmp_path)
    assert json.loads((tmp_path / "driftgate.schema.json").read_text(encoding="utf-8")) == schema


def test_every_provider_and_kind_has_its_keys(schema: dict[str, Any]) -> None:
    text = json.dumps(schema["$defs"])
    for name in PROVIDERS.names():
        assert PROVIDERS.get(name).config.__name__ in text
    for name in DATASETS.names():
        assert DATASETS.get(name).config.__name__ in text


def test_every_field_of_the_workspace_is_described(schema: dict[str, Any]) -> None:
    for name, field in schema["properties"].items():
        inner = schema["$defs"].get(field.get("$ref", "").rpartition("/")[2], {})
        assert field.get("description") or inner.get("description"), name


@pytest.mark.parametrize(
    "value",
    [
        {"version": 1, "modles": {}},
        {"version": 2},
        {},
        {"version": 1, "models": {"m": {"provider": "openai", "endpoint": "x", "model": "y", "temprature": 1}}},
        {"version": 1, "suites": {"s": {"models": [], "datasets": ["d"]}}},
        {"version": 1, "gates": {"g": {"suite": "s", "rules": [{"metric": "accuracy", "minimum": 1}]}}},
    ],
)
def test_what_is_wrong_is_marked(schema: dict[str, Any], value: Any) -> None:
    assert not valid(schema, value)


def test_a_model_of_each_kind_is_accepted(schema: dict[str, Any]) -> None:
    models = {
        "a": {"provider": "openai", "endpoint": "http://127.0.0.1/v1", "model": "m", "api_key": "${env:KEY}"},
        "b": {"provider": "azure_openai", "endpoint": "https://x.openai.azure.com", "deployment": "d"},
        "c": {"provider": "local"},
        "d": {"provider": "recorded", "path": "r.csv"},
    }
    assert valid(schema, {"version": 1, "models": models})


def test_init_does_not_overwrite(tmp_path: Path) -> None:
    scaffold(tmp_path)
    (tmp_path / "driftgate.yaml").write_text("mine", encoding="utf-8")
    with pytest.raises(DriftgateError, match="is already there"):
        scaffold(tmp_path)
    assert (tmp_path / "driftgate.yaml").read_text(encoding="utf-8") == "mine"


def test_init_where_a_file_is_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(DriftgateError, match="cannot write"):
        scaffold(tmp_path / "file")


def test_the_rag_example_is_a_valid_workspace_with_its_documents(tmp_path: Path) -> None:
    scaffold(tmp_path, "rag")
    workspace = open_workspace(tmp_path)
    assert workspace.suite("rag").retriever == "handbook"
    findings = {f.subject: f for f in examine(tmp_path) if not f.subject.startswith("model")}
    assert all(finding.severity != "error" for finding in findings.values()), findings
    assert findings["retriever handbook"].found.startswith("16 documents, 32 passages; ")


@pytest.mark.parametrize("example", ["rug", "../scaffold/rag", "driftgate2"])
def test_an_unknown_example_is_refused(tmp_path: Path, example: str) -> None:
    with pytest.raises(DriftgateError, match="no example"):
        scaffold(tmp_path, example)


def test_a_suite_that_names_no_retriever_of_the_workspace_is_refused(tmp_path: Path) -> None:
    scaffold(tmp_path, "rag")
    file = tmp_path / "driftgate.yaml"
    file.write_text(file.read_text("utf-8").replace("retriever: handbook", "retriever: handbok"), "utf-8")
    with pytest.raises(DriftgateError, match="handbok") as caught:
        open_workspace(tmp_path)
    assert "handbook" in caught.value.remedy


def test_a_misspelt_setting_of_a_retriever_is_answered_with_the_nearest(tmp_path: Path) -> None:
    scaffold(tmp_path, "rag")
    file = tmp_path / "driftgate.yaml"
    file.write_text(file.read_text("utf-8").replace("{kind: bm25}", "{kind: bm25, foldr: data}"), "utf-8")
    with pytest.raises(DriftgateError, match="foldr") as caught:
        open_workspace(tmp_path)
    assert "folder" in caught.value.remedy
