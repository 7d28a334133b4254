"""The ARM template is well-formed, its KQL is valid, and what the KQL reads is what was really sent."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from ingestion_endpoint import Envelope, IngestionEndpoint, properties

from driftgate.cli import main
from driftgate.ledger import Ledger
from driftgate.monitor.azure import Payload, drain, enqueue
from driftgate.monitor.azure.workbook import arm_template

HERE = Path(__file__).parent
MODULES = HERE / "node_modules"

TEXTS = """
TenantId OperationName OperationId ParentId SyntheticSource SessionId UserId UserAuthenticatedId UserAccountId
AppVersion AppRoleName AppRoleInstance ClientType ClientModel ClientOS ClientIP ClientCity ClientStateOrProvince
ClientCountryOrRegion ClientBrowser ResourceGUID IKey SDKVersion SourceSystem Type _ResourceId _IsBillable
"""
COMMON = {
    **dict.fromkeys(TEXTS.split(), "string"),
    "TimeGenerated": "datetime",
    "Name": "string",
    "ItemCount": "int",
    "Properties": "dynamic",
    "_BilledSize": "real",
}
CALL = {
    "Id": "string",
    "Success": "bool",
    "ResultCode": "string",
    "DurationMs": "real",
    "PerformanceBucket": "string",
    "Measurements": "dynamic",
}
TABLES: dict[str, dict[str, str]] = {
    "AppMetrics": COMMON | dict.fromkeys(("Sum", "Min", "Max"), "real"),
    "AppEvents": COMMON | {"Measurements": "dynamic"},
    "AppRequests": COMMON | CALL | {"Source": "string", "Url": "string"},
    "AppDependencies": COMMON | CALL | {"Target": "string", "DependencyType": "string", "Data": "string"},
}
"""Columns of the workspace's tables, as documented in Azure Monitor's table reference."""

BASE_TYPES = {
    "AppMetrics": "MetricData",
    "AppEvents": "EventData",
    "AppRequests": "RequestData",
    "AppDependencies": "RemoteDependencyData",
}

VALUES = {
    "{TimeRange}": "> ago(7d)",
    "{Model}": "'support-gpt', 'other'",
    "{Signal}": "refusal_share",
}


@pytest.fixture(scope="module")
def template() -> dict[str, Any]:
    return arm_template()


@pytest.fixture(scope="module")
def notebook(template: dict[str, Any]) -> dict[str, Any]:
    resource = next(r for r in template["resources"] if r["type"] == "Microsoft.Insights/workbooks")
    assert resource["properties"]["serializedData"] == "[string(variables('workbook'))]"
    found: dict[str, Any] = template["variables"]["workbook"]
    return found


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from _strings(part)
    elif isinstance(value, list):
        for part in value:
            yield from _strings(part)


def _rule(template: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = next(
        r for r in template["resources"] if r["type"] == "Microsoft.Insights/scheduledQueryRules"
    )
    return found


def _queries(template: Mapping[str, Any]) -> dict[str, str]:
    """Every KQL text of the template, as it is written there."""
    found = {"rule": _rule(template)["properties"]["criteria"]["allOf"][0]["query"]}
    for item in template["variables"]["workbook"]["items"]:
        if item["type"] == 3:
            found[item["name"]] = item["content"]["query"]
        for parameter in item["content"].get("parameters", []):
            if "query" in parameter:
                found[f"parameter {parameter['name']}"] = parameter["query"]
    return found


def _filled(kql: str) -> str:
    for name, value in VALUES.items():
        kql = kql.replace(name, value)
    return kql


@pytest.fixture(scope="module")
def kusto(template: dict[str, Any]) -> dict[str, Any]:
    """What Microsoft's engine says of each query."""
    if shutil.which("node") is None:
        pytest.skip("node is not installed: Microsoft's Kusto engine is JavaScript")
    if not (MODULES / "@kusto" / "language-service-next").is_dir():
        pytest.skip("Microsoft's Kusto engine is not installed: npm install --prefix tests/monitor/azure")
    queries = {name: _filled(kql) for name, kql in _queries(template).items()}
    asked = {
        "modules": str(MODULES),
        "tables": TABLES,
        "queries": queries | {"of no table": "NoTable | count", "of no column": "AppEvents | where Nam == ''"},
    }
    ran = subprocess.run(
        ["node", str(HERE / "check_kusto.js")], input=json.dumps(asked), capture_output=True, text=True, timeout=60
    )
    assert ran.returncode == 0, ran.stderr
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


def test_the_engine_notices_what_is_wrong(kusto: dict[str, Any]) -> None:
    assert "NoTable" in kusto["of no table"]["problems"][0] and "Nam" in kusto["of no column"]["problems"][0]


def test_every_query_is_valid(kusto: dict[str, Any], template: dict[str, Any]) -> None:
    assert {name: kusto[name]["problems"] for name in _queries(template) if kusto[name]["problems"]} == {}
    assert all(kusto[name]["columns"] for name in _queries(template))


def test_charts_and_the_rule_get_the_columns_they_need(kusto: dict[str, Any], template: dict[str, Any]) -> None:
    types = {name: dict(said["columns"]) for name, said in kusto.items()}
    assert types["signals"] == {"At": "datetime", "Series": "string", "Value": "real"}
    condition = _rule(template)["properties"]["criteria"]["allOf"][0]
    assert {d["name"] for d in condition["dimensions"]} <= types["rule"].keys()
    assert types["rule"]["TimeGenerated"] == "datetime"
    assert types["parameter Model"] == {"Model": "string"} and types["parameter Signal"] == {"Signal": "string"}
    assert (types["cells"]["Accuracy"], types["cells"]["Asked"], types["alerts"]["At"]) == ("real", "long", "datetime")


def test_the_rule_counts_looks_that_could_not_be_made(template: dict[str, Any]) -> None:
    read = dict(re.findall(r'Name == "([^"]+)"([^;]*)', _queries(template)["rule"]))
    assert read.keys() == {"driftgate.alert", "driftgate.look"}
    assert '| where tostring(Properties["driftgate.look.result"]) == "unmeasurable"' in read["driftgate.look"]


def test_queries_use_the_parameters_that_the_workbook_declares(
    template: dict[str, Any], notebook: dict[str, Any]
) -> None:
    declared = {p["name"] for item in notebook["items"] for p in item["content"].get("parameters", [])}
    titles = [item["content"].get("title", "") for item in notebook["items"]]
    used = {name for kql in [*_queries(template).values(), *titles] for name in re.findall(r"{(\w+)}", kql)}
    assert used == declared == {"TimeRange", "Model", "Signal"}
    assert "{" not in _queries(template)["rule"], "the alert rule has no parameters"


def test_the_template_takes_only_its_parameters_for_expressions(
    template: dict[str, Any], notebook: dict[str, Any]
) -> None:
    expressions = [text for text in _strings(template) if text.startswith("[")]
    used = {name for text in expressions for name in re.findall(r"parameters\('(\w+)'\)", text)}
    assert used == template["parameters"].keys()
    inside = [text for text in _strings(notebook) if text.startswith("[")]
    assert inside == ["[parameters('workspaceResourceId')]"], "Resource Manager would evaluate any other"
    assert json.loads(json.dumps(notebook)) == notebook
    versions = {r["type"]: r["apiVersion"] for r in template["resources"]}
    assert versions == {
        "Microsoft.Insights/workbooks": "2023-06-01",
        "Microsoft.Insights/scheduledQueryRules": "2023-12-01",
    }


def test_the_template_is_printed_as_json(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, template: dict[str, Any]
) -> None:
    monkeypatch.setattr(sys, "argv", ["driftgate", "azure", "workbook"])
    with pytest.raises(SystemExit):
        main()
    assert json.loads(capsys.readouterr().out) == template


def test_a_workspace_has_queries_of_its_own(tmp_path: Path, template: dict[str, Any]) -> None:
    own = tmp_path / "monitor/azure/runs.kql"
    own.parent.mkdir(parents=True)
    own.write_text("// ours\nAppRequests\n| take 3\n", encoding="utf-8")
    changed = _queries(arm_template(tmp_path))
    assert changed.pop("runs") == "AppRequests\n| take 3"
    assert changed.items() < _queries(template).items()


@pytest.fixture
def sent(
    ledger: Ledger, ingestion: IngestionEndpoint, one_of_each: dict[str, Payload], now: datetime
) -> dict[str, list[Envelope]]:
    """What was really sent, by the table it becomes."""
    for key, payload in one_of_each.items():
        enqueue(ledger, key, payload)
    assert drain(ledger, ingestion.connection_string, now=now).left == 0
    return {table: ingestion.of(base_type) for table, base_type in BASE_TYPES.items()}


def _readings(kql: str) -> Iterator[tuple[str, str]]:
    """Each table a query reads, with the text that reads it: up to the next table."""
    parts = re.split(rf"\b({'|'.join(TABLES)})\b", kql)
    yield from zip(parts[1::2], parts[2::2], strict=True)


def test_queries_read_only_what_was_sent(template: dict[str, Any], sent: dict[str, list[Envelope]]) -> None:
    read = set()
    for query, kql in _queries(template).items():
        for table, reading in _readings(kql):
            event = re.search(r'Name == "([^"]+)"', reading)
            prefix = re.search(r'Name startswith "([^"]+)"', reading)
            names = {_name(e): e for e in sent[table]}
            assert event is None or event.group(1) in names, f"{query} reads events that are not sent"
            assert prefix is None or any(name.startswith(prefix.group(1)) for name in names), query
            rows = [e for e in sent[table] if event is None or _name(e) == event.group(1)]
            known = {name for e in rows for name in properties(e)}
            for name in re.findall(r'Properties\["([^"]+)"\]', reading):
                assert name in known, f"{query} reads {name}, which {table} does not have"
                read.add((table, name))
    assert {table for table, _ in read} == TABLES.keys()


def test_every_event_and_span_has_the_key_by_which_it_is_read_once(sent: dict[str, list[Envelope]]) -> None:
    for table in ("AppEvents", "AppRequests", "AppDependencies"):
        assert sent[table] and all({"driftgate.key", "driftgate.at"} <= properties(e).keys() for e in sent[table])
    for envelope in sent["AppMetrics"]:
        assert properties(envelope).keys() <= {"driftgate.model", "driftgate.slice", "driftgate.unit"}


def test_every_query_reads_each_record_once(template: dict[str, Any]) -> None:
    by_key = 'summarize arg_min(TimeGenerated, *) by Key = tostring(Properties["driftgate.key"])'
    names_only = ("parameter Model", "delivery")  # distinct names; the repetitions themselves
    for query, kql in _queries(template).items():
        for table, reading in _readings(kql):
            if query not in names_only:
                assert ("summarize Value = take_any(Sum) by At = TimeGenerated" in reading) or by_key in reading, table


def _name(envelope: Envelope) -> str:
    base = envelope["data"]["baseData"]
    return str(base["metrics"][0]["name"] if "metrics" in base else base["name"])
