"""What a service, a judge, a flow or an application says of a key or a person is in nothing that driftgate writes."""

from __future__ import annotations

import io
import itertools
import json
import logging
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from azure_services import Cloud
from chat_endpoint import Answer, ChatEndpoint, Status
from command_line import Cli, Make
from fastapi.testclient import TestClient
from loopback_net import Status as CloudStatus
from planted_secrets import KNOWN, OTHERS, leaks, ledger_text, said_in_many_ways
from rollouts import deployments, letter, make_workspace, prove

from driftgate.api.workspace import open_workspace
from driftgate.ledger import open_ledger
from driftgate.monitor.telemetry import Store
from driftgate.service._make import make_service

WAYS = [way for secret in KNOWN.values() for way in said_in_many_ways(secret)]
TOOL = """
import logging
import os
from promptflow.core import tool

@tool
def read(answer: str) -> str:
    said = os.environ["PLUGIN_SECRET"] + " of kim_chulsoo+billing@mail.example.com"
    logging.getLogger("flow").warning("sent with %s", said)
    print("debug: key is", os.environ["TESTED_KEY"])
    raise ValueError("refused: " + said)
"""
DAG = """
inputs:
  page: {type: string}
outputs:
  answer: {type: string, reference: "${read.output}"}
nodes:
- {name: ask, type: llm, source: {type: code, path: ask.jinja2}, inputs: {page: "${inputs.page}"}, api: chat}
- {name: read, type: python, source: {type: code, path: read.py}, inputs: {answer: "${ask.output}"}}
"""


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in KNOWN.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Everything that is logged in this process."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    logging.getLogger().addHandler(handler)
    yield written
    logging.getLogger().removeHandler(handler)


@pytest.fixture
def said(cli: Cli) -> Callable[..., list[str]]:
    """Runs commands in a workspace, and returns what each wrote to the terminal."""

    def run(folder: Path, *commands: Sequence[object]) -> list[str]:
        shown = []
        for command in commands:
            done = cli(*command, "-w", folder)
            shown += [done.out, done.err]
        return shown

    return run


def with_keys(config: dict[str, Any]) -> None:
    """Name every variable somewhere in the workspace file."""
    tested = config["models"]["tested"]
    tested["api_key"] = "${env:TESTED_KEY}"
    password = tested["endpoint"].replace("//", "//me:${env:DATABASE_PASSWORD}@")
    config["models"] |= {
        "judging": {**tested, "api_key": "${env:JUDGE_KEY}"},
        "proxied": {**tested, "endpoint": password},
    }
    config["connections"] = {
        "own": {
            "type": "custom",
            "configs": {"hook": "${env:HOOK}", "store": "${env:SIGNED}"},
            "secrets": {"one": "${env:PLUGIN_SECRET}", "two": "${env:SEARCH_KEY}", "three": "${env:PROXY_PASSWORD}"},
        }
    }
    config["azure_monitor"] = {"connection_string": "${env:MONITOR_STRING}"}
    config["service"] = {"token": "${env:DRIFTGATE_TOKEN}"}


def without_azure(config: dict[str, Any]) -> None:
    """Send nothing to Azure Monitor; the connection string stays a secret of the workspace."""
    del config["azure_monitor"]
    config["connections"]["own"]["secrets"]["four"] = "${env:MONITOR_STRING}"


def hostile(endpoint: ChatEndpoint) -> None:
    """Let the service say all of it, in errors and beside answers, and repeat the keys in the answers themselves."""
    counter = itertools.count()
    words = [*OTHERS, *WAYS]

    def answer(prompt: str) -> Answer | Status:
        number = next(counter)
        text = words[number % len(words)]
        if number % 2:
            error = {"message": f"no good: {text}", "type": text, "param": None, "code": text}
            return Status((400, 500)[number % 4 // 2], {"error": error}, {"x-echo": "1"})
        return Answer(f"{WAYS[number % len(WAYS)]} B", fingerprint=text, finish_reason=text)

    endpoint.default = answer


def pages_of(folder: Path, paths: Sequence[str]) -> list[str]:
    ledger = open_ledger(".driftgate/ledger.db", folder)
    try:
        with TestClient(make_service(open_workspace(folder), ledger)) as client:
            client.headers["Authorization"] = f"Bearer {KNOWN['DRIFTGATE_TOKEN']}"
            return [client.get(path).text for path in paths]
    finally:
        ledger.close()


def test_a_hostile_service_gets_nothing_into_ledger_report_terminal_or_page(
    said: Any, make: Make, endpoint: ChatEndpoint, secrets: None, log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make(2 * len([*OTHERS, *WAYS]), with_keys)
    hostile(endpoint)
    shown = said(
        folder,
        ("bench", "small"),
        ("gate", "--junit", folder / "j.xml", "--json", folder / "v.json", "--summary", folder / "v.md"),
        ("report",),
        ("runs", "list"),
        ("runs", "samples", "latest", "--csv", folder / "s.csv"),
    )
    monkeypatch.setattr("driftgate.service._make._tell_azure", lambda workspace: lambda: None)
    echo = f"/api/runs/{KNOWN['SEARCH_KEY']}"
    shown += pages_of(folder, ["/", "/api/runs", "/api/jobs", "/api/looks", echo])
    assert leaks(folder, [*shown, log.getvalue()], own=["own.csv"]) == []
    kept = ledger_text(folder / ".driftgate/ledger.db")
    assert kept.count("(secret)") > 100
    assert {"<KR_RRN>", "<EMAIL_ADDRESS>", "<PHONE_MOBILE>", "<CREDIT_CARD>"} <= {
        word for word in ("<KR_RRN>", "<EMAIL_ADDRESS>", "<PHONE_MOBILE>", "<CREDIT_CARD>") if word in kept
    }
    assert "there is no run" in shown[-1] or "(secret)" in shown[-1]


def test_a_tool_of_a_flow_prints_and_logs_its_key_in_vain(
    said: Any, space: Any, secrets: None, log: io.StringIO, endpoint: ChatEndpoint
) -> None:
    connections = {"own": {"type": "custom", "secrets": {"one": "${env:PLUGIN_SECRET}"}}}
    tested = {
        "provider": "openai",
        "endpoint": f"{endpoint.url}/v1",
        "model": "gpt-test",
        "api_key": "${env:TESTED_KEY}",
    }
    files = {"flow.dag.yaml": DAG, "read.py": TOOL, "ask.jinja2": "# user:\n{{page}}"}
    folder = space(files, {"max_failed": 1.0}, connections=connections, models={"tested": tested})
    shown = said(folder, ("bench", "it"), ("runs", "samples", "latest"))
    assert "refused: (secret) of <EMAIL_ADDRESS>" in ledger_text(folder / ".driftgate/ledger.db")
    assert "key is (secret)" in "".join(shown) and "sent with (secret)" in log.getvalue()
    assert leaks(folder, [*shown, log.getvalue()], own=["read.py"]) == []


def traffic_of(folder: Path) -> None:
    """Calls of an application, whose labels say what they should not."""
    begun = datetime.now(UTC) - timedelta(hours=3)
    words = [*OTHERS, *WAYS]
    labels = ("slice", "error", "request_model", "response_model", "fingerprint", "prompt_hash", "finish_reason")
    rows = [
        {"time": (begun + timedelta(seconds=n)).isoformat(), "latency": 1.0, labels[n % len(labels)]: words[n // 7]}
        for n in range(7 * len(words))
    ]
    (folder / "calls").mkdir()
    (folder / "calls/inbox.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n", encoding="utf-8")


def broken_traffic_of(folder: Path) -> None:
    """A file that cannot be read, of which the reason is told."""
    for name, time in (("broken.jsonl", KNOWN["TESTED_KEY"]), ("damaged.jsonl", "hong.gildong@example.co.kr")):
        (folder / "calls" / name).write_text(json.dumps({"time": time}) + "\n", encoding="utf-8")


def test_labels_of_an_application_are_cleaned_before_they_are_kept(
    said: Any, make: Make, secrets: None, log: io.StringIO
) -> None:
    def watched(config: dict[str, Any]) -> None:
        with_keys(config)
        without_azure(config)
        config["champions"] = {"live": "tested"}
        canaries = {"dataset": "own", "variant": "terse"}
        config["monitors"] = {"watch": {"champion": "live", "canaries": canaries, "traffic": {}}}
        config["telemetry"] = [{"source": "files", "folder": "calls"}]

    folder = make(12, watched)
    traffic_of(folder)
    shown = said(folder, ("monitor", "collect"), ("monitor", "check", "watch"))
    with Store(folder / ".driftgate/telemetry") as store:
        store.compact()
    assert list((folder / ".driftgate/telemetry").rglob("*.parquet"))
    broken_traffic_of(folder)
    shown += said(folder, ("monitor", "collect"), ("monitor", "check", "watch"), ("monitor", "looks"))
    assert leaks(folder, [*shown, log.getvalue()], own=["inbox.jsonl", "broken.jsonl", "damaged.jsonl"]) == []
    assert "'time' is '(secret)'" in " ".join("".join(shown).split())


@pytest.mark.acceptance
def test_forty_secrets_through_bench_judges_serve_sources_and_a_night(
    said: Any, make: Make, endpoint: ChatEndpoint, secrets: None, log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    def whole(config: dict[str, Any]) -> None:
        with_keys(config)
        without_azure(config)
        config["champions"] = {"live": "tested"}
        canaries = {"dataset": "own", "variant": "terse"}
        config["monitors"] = {"watch": {"champion": "live", "canaries": canaries, "traffic": {}}}
        config["telemetry"] = [{"source": "files", "folder": "calls"}]
        config["nightly"] |= {"monitors": ["watch"]}
        config["keep"] = {"details_days": 1}

    folder = make(2 * len([*OTHERS, *WAYS]), whole)
    traffic_of(folder)
    hostile(endpoint)
    shown = said(
        folder,
        ("doctor",),
        ("bench", "small"),
        ("nightly",),
        ("report",),
        ("monitor", "looks"),
        ("monitor", "alerts"),
        ("ledger", "check"),
    )
    shown += pages_of(folder, ["/", "/api/runs", "/api/jobs", "/api/looks", "/api/alerts", "/health"])
    assert leaks(folder, [*shown, log.getvalue()], own=["own.csv", "inbox.jsonl"]) == []


@pytest.mark.acceptance
def test_forty_secrets_through_a_judge(
    said: Any, space: Any, endpoint: ChatEndpoint, secrets: None, log: io.StringIO
) -> None:
    hostile(endpoint)
    judged = {
        "evaluator": "coherence",
        "inputs": {"query": "${data.page}", "response": "${nodes.ask.output}"},
        "settings": {"judge": "judging"},
    }
    model = {"provider": "openai", "endpoint": f"{endpoint.url}/v1", "model": "gpt-test", "attempts": 1}
    models = {
        "tested": {**model, "api_key": "${env:TESTED_KEY}"},
        "judging": {**model, "api_key": "${env:JUDGE_KEY}"},
    }
    dag = DAG[: DAG.index("- {name: read")].replace("${read.output}", "${ask.output}")
    evaluators = yaml.safe_dump({"primary": "ask.like.coherence", "nodes": {"ask": {"like": judged}}})
    connections = {
        "own": {
            "type": "custom",
            "configs": {"hook": "${env:HOOK}", "store": "${env:SIGNED}"},
            "secrets": {name: f"${{env:{name}}}" for name in KNOWN if name not in ("HOOK", "SIGNED")},
        }
    }
    files = {"flow.dag.yaml": dag, "ask.jinja2": "# user:\n{{page}}", "evaluators.yaml": evaluators}
    rows = [{"page": f"{n}쪽"} for n in range(2 * len([*OTHERS, *WAYS]))]
    folder = space(files, {"max_failed": 1.0}, rows, connections=connections, models=models)
    shown = said(folder, ("bench", "it"), ("report",), ("runs", "samples", "latest"))
    kept = ledger_text(folder / ".driftgate/ledger.db")
    assert "(secret)" in kept and "coherence" in kept, shown
    assert leaks(folder, [*shown, log.getvalue()], own=["rows.jsonl"]) == []


@pytest.mark.acceptance
def test_forty_secrets_through_a_rollout(
    said: Any, cli: Cli, tmp_path: Path, endpoint: ChatEndpoint, cloud: Cloud, secrets: None, log: io.StringIO
) -> None:
    folder = make_workspace(tmp_path, endpoint)
    file = folder / "driftgate.yaml"
    config = yaml.safe_load(file.read_text(encoding="utf-8"))
    config["connections"] = {"own": {"type": "custom", "secrets": {name: f"${{env:{name}}}" for name in KNOWN}}}
    file.write_text(yaml.safe_dump(config), encoding="utf-8")
    cloud.azure.add_endpoint({"blue": 100})
    prove(cli, folder)
    cloud.azure.answer = letter
    shown = said(folder, ("remediation", "run"))
    cloud.azure.set_status(deployments(cloud)[-1], "Succeeded")
    words = [*OTHERS, *WAYS]
    for start in range(0, len(words), 5):  # a message is cut after a few hundred characters
        error = {"error": {"code": words[start], "message": "; ".join(words[start : start + 5])}}
        cloud.net.fail("POST", "/score", *[CloudStatus(404, error)] * 2)
        cloud.net.fail("PUT", "/onlineEndpoints", CloudStatus(403, error))
        shown += said(folder, ("remediation", "run"), ("remediation", "list"))
    assert "(secret)" in ledger_text(folder / ".driftgate/ledger.db") + "".join(shown)
    tokens = {value for request in cloud.net.requests for value in [request.headers.get("authorization", "")] if value}
    texts = [*shown, log.getvalue(), ledger_text(folder / ".driftgate/ledger.db")]
    assert not [token for token in tokens for text in texts if token.removeprefix("Bearer ") in text]
    assert leaks(folder, [*shown, log.getvalue()], own=["proof.jsonl"]) == []


@pytest.mark.acceptance
def test_the_traceback_of_a_command_shows_no_key(make: Make, endpoint: ChatEndpoint, secrets: None) -> None:
    folder = make(12, with_keys)
    shown = []
    for way in said_in_many_ways(KNOWN["TESTED_KEY"]):
        endpoint.default = Status(401, {"error": {"message": f"Incorrect API key provided: {way}"}})
        command = [sys.executable, "-m", "driftgate", "--debug", "bench", "small", "-w", str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode != 0 and "Traceback" in done.stderr
        shown += [done.stdout, done.stderr]
    assert leaks(folder, shown, own=["own.csv"]) == []
