"""The KQL of the workbook and the rules is valid, reads what was really sent, and comes to what it is to show."""

from __future__ import annotations

import copy
import json
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from ingestion_endpoint import Envelope, IngestionEndpoint, properties
from kusto import BASE_TYPES, Workspace, filled

from driftgate.ledger import Ledger
from driftgate.monitor.azure import Expected, LookEvent, Payload, RunTrace, drain, enqueue, monitoring

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

VALUES = {
    "TimeRange": "> ago(7d)",
    "Workspace": "'shop.driftgate', 'other'",
    "Model": "'support-gpt', 'other'",
    "Flow": "'*'",
    "Slice": "'*'",
    "Signal": "canary_accuracy",
    "SilentHours": "26",
}
RULE_VALUES = {
    "Workspace": "shop.driftgate",
    "Hours": "26",
    "Monitors": '["support/canaries","support/traffic"]',
}


@pytest.fixture(scope="module")
def template() -> dict[str, Any]:
    return monitoring(Expected("shop", ("support/canaries",))).as_json()


def _queries(template: Mapping[str, Any]) -> dict[str, str]:
    """Every KQL text of the template, as it is written there."""
    found = {name: text for name, text in template["variables"].items() if name.startswith("query")}
    for item in template["variables"]["workbookContent"]["items"]:
        if item["type"] == 3:
            found[item["name"]] = item["content"]["query"]
        for parameter in item["content"].get("parameters", []):
            if "query" in parameter:
                found[f"parameter {parameter['name']}"] = parameter["query"]
    return found


def _filled(name: str, kql: str) -> str:
    return filled(kql, RULE_VALUES if name.startswith("query") else VALUES)


@pytest.fixture(scope="module")
def kusto(template: dict[str, Any]) -> dict[str, Any]:
    """What Microsoft's engine says of each query."""
    if shutil.which("node") is None:
        pytest.skip("node is not installed: Microsoft's Kusto engine is JavaScript")
    if not (MODULES / "@kusto" / "language-service-next").is_dir():
        pytest.skip("Microsoft's Kusto engine is not installed: npm install --prefix tests/monitor/azure")
    queries = {name: _filled(name, kql) for name, kql in _queries(template).items()}
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


def test_charts_and_rules_get_the_columns_they_need(kusto: dict[str, Any], template: dict[str, Any]) -> None:
    types = {name: dict(said["columns"]) for name, said in kusto.items()}
    charts = [
        item["name"]
        for item in template["variables"]["workbookContent"]["items"]
        if item["content"].get("visualization") == "linechart"
    ]
    assert {"band", "canaries", "scores", "latency", "tokens", "signals"} == set(charts)
    for name in charts:
        assert types[name] == {"At": "datetime", "Series": "string", "Value": "real"}, name
    for rule in _rules(template):
        condition = rule["properties"]["criteria"]["allOf"][0]
        [query] = re.findall(r"variables\('(\w+)'\)", condition["query"])
        assert {d["name"] for d in condition["dimensions"]} <= types[query].keys(), query
    for name in ("Workspace", "Model", "Flow", "Slice", "Signal"):
        assert set(types[f"parameter {name}"].values()) == {"string"} and len(types[f"parameter {name}"]) == 1


def _rules(template: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [r for r in template["resources"] if r["type"] == "Microsoft.Insights/scheduledQueryRules"]


def test_queries_use_the_parameters_that_the_workbook_declares(template: dict[str, Any]) -> None:
    items = template["variables"]["workbookContent"]["items"]
    declared = {p["name"] for item in items for p in item["content"].get("parameters", [])}
    titles = [item["content"].get("title", "") for item in items]
    shown = [kql for name, kql in _queries(template).items() if not name.startswith("query")]
    used = {name for kql in [*shown, *titles] for name in re.findall(r"{(\w+)}", kql)}
    assert used == declared == VALUES.keys()


def test_rules_are_given_what_their_queries_ask_for(template: dict[str, Any]) -> None:
    for rule in _rules(template):
        text = rule["properties"]["criteria"]["allOf"][0]["query"]
        [query] = re.findall(r"variables\('(\w+)'\)", text)
        asked = set(re.findall(r"{(\w+)}", template["variables"][query]))
        assert asked == set(re.findall(r"'{(\w+)}'", text)) <= RULE_VALUES.keys()


@pytest.fixture
def sent(
    ledger: Ledger, ingestion: IngestionEndpoint, one_of_each: dict[str, Payload], now: datetime
) -> dict[str, list[Envelope]]:
    """What was really sent, by the table it becomes."""
    for key, payload in one_of_each.items():
        enqueue(ledger, key, payload)
    assert drain(ledger, ingestion.connection_string, workspace="shop", now=now).left == 0
    return {table: ingestion.of(base_type) for table, base_type in BASE_TYPES.items()}


def _readings(kql: str) -> Iterator[tuple[str, str]]:
    """Each table a query reads, with the text that reads it: up to the next table."""
    parts = re.split(rf"\b({'|'.join(TABLES)})\b", kql)
    yield from zip(parts[1::2], parts[2::2], strict=True)


def _faults(template: Mapping[str, Any], sent: Mapping[str, list[Envelope]]) -> tuple[list[str], set[tuple[str, str]]]:
    """What queries read that was not sent, and all that they read: tables and properties."""
    faults, read = [], set()
    for query, kql in _queries(template).items():
        for table, reading in _readings(kql):
            event = re.search(r'\bName == "([^"]+)"', reading)
            prefix = re.search(r'\bName startswith "([^"]+)"', reading)
            names = {_name(e) for e in sent[table]}
            if event is not None and event.group(1) not in names:
                faults.append(f"{query} reads events {event.group(1)}, which are not sent")
            if prefix is not None and not any(name.startswith(prefix.group(1)) for name in names):
                faults.append(f"{query} reads metrics {prefix.group(1)}, which are not sent")
            rows = [e for e in sent[table] if event is None or _name(e) == event.group(1)]
            known = {name for e in rows for name in properties(e)}
            for name in re.findall(r'Properties\["([^"]+)"\]', reading):
                read.add((table, name))
                if name not in known:
                    faults.append(f"{query} reads {name}, which {table} does not have")
    return faults, read


def test_queries_read_only_what_was_sent(template: dict[str, Any], sent: dict[str, list[Envelope]]) -> None:
    faults, read = _faults(template, sent)
    assert faults == []
    assert {table for table, _ in read} == TABLES.keys()
    assert all(e["tags"]["ai.cloud.role"] == "shop.driftgate" for rows in sent.values() for e in rows)


def test_a_property_that_is_sent_under_another_name_is_noticed(
    template: dict[str, Any], sent: dict[str, list[Envelope]]
) -> None:
    _, read = _faults(template, sent)
    unnoticed = []
    for table, name in sorted(read):
        renamed = copy.deepcopy(sent)
        for envelope in renamed[table]:
            told = properties(envelope)
            if name in told:
                told[f"{name}_renamed"] = told.pop(name)
        if not _faults(template, renamed)[0]:
            unnoticed.append((table, name))
    assert len(read) > 60 and unnoticed == []


def test_every_event_and_span_has_the_key_by_which_it_is_read_once(sent: dict[str, list[Envelope]]) -> None:
    for table in ("AppEvents", "AppRequests", "AppDependencies"):
        assert sent[table] and all({"driftgate.key", "driftgate.at"} <= properties(e).keys() for e in sent[table])
    for envelope in sent["AppMetrics"]:
        assert properties(envelope).keys() <= {"driftgate.model", "driftgate.slice", "driftgate.unit"}


def test_every_query_reads_each_record_once(template: dict[str, Any]) -> None:
    by_key = 'summarize arg_min(TimeGenerated, *) by Key = tostring(Properties["driftgate.key"])'
    for query, kql in _queries(template).items():
        for table, reading in _readings(kql):
            if query != "delivery" and not query.startswith("parameter"):  # repetitions themselves; distinct names
                assert ("summarize Value = take_any(Sum) by At = TimeGenerated" in reading) or by_key in reading, table


def test_every_query_comes_to_rows_of_what_was_sent(
    template: dict[str, Any], ledger: Ledger, sent: dict[str, list[Envelope]], look: LookEvent, now: datetime
) -> None:
    workspace = Workspace(envelope for envelopes in sent.values() for envelope in envelopes)
    empty = {name for name, kql in _queries(template).items() if not workspace.ask(_filled(name, kql), now)}
    # Of other signals than the one that was sent; and a night came to a result.
    assert empty == {"latency", "tokens", "signals", "queryNightly"}


def test_the_overview_says_what_is_wrong_and_since_when(
    template: dict[str, Any], sent: dict[str, list[Envelope]], look: LookEvent, now: datetime
) -> None:
    workspace = Workspace(envelope for envelopes in sent.values() for envelope in envelopes)
    rows = {row["What"]: row for row in workspace.ask(_filled("overview", _queries(template)["overview"]), now)}
    assert {what: row["State"] for what, row in rows.items()} == {
        "monitor support, canaries": "unmeasurable",
        "gate promote": "fail",
        "nightly": "bad",
        "remediation 20261122-233000-0a1b2c": "train started",
    }
    assert rows["monitor support, canaries"]["Since"] == look.at.replace(tzinfo=None)
    later = workspace.ask(_filled("overview", _queries(template)["overview"]), now + timedelta(hours=27))
    assert {row["What"]: row["State"] for row in later}["nightly"] == "silent"


def test_what_is_unknown_is_no_part_of_a_sum_and_is_counted(
    template: dict[str, Any], ledger: Ledger, ingestion: IngestionEndpoint, run: RunTrace, now: datetime
) -> None:
    unknown = run.cells[1].model_copy(update={"cost": None, "input_tokens": None})
    enqueue(ledger, "run:2", run.model_copy(update={"cells": (run.cells[0], unknown)}))
    drain(ledger, ingestion.connection_string, workspace="shop", now=now)
    [row] = Workspace(ingestion.accepted).ask(_filled("cost", _queries(template)["cost"]), now)
    assert (row["Cost"], row["CostUnknown"], row["Cells"], row["TokensUnknown"]) == (0.25, 1, 2, 1)


def _name(envelope: Envelope) -> str:
    base = envelope["data"]["baseData"]
    return str(base["metrics"][0]["name"] if "metrics" in base else base["name"])
