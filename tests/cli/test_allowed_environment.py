"""Which variables of the environment a workspace may read is said outside of it."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from chat_endpoint import ChatEndpoint
from command_line import Cli, Make

PROMPTY = """---
name: ask
model: {api: chat, configuration: {type: openai, model: m}}
inputs:
  page: {type: string, default: "${env:CI_TOKEN}"}
---
user:
{{page}}
"""


def sends(config: dict[str, Any]) -> None:
    config["models"]["tested"]["endpoint"] += "/${env:CI_TOKEN}"


@pytest.fixture(autouse=True)
def ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI_TOKEN", "a-token-of-the-build-77aa")
    monkeypatch.setenv("DRIFTGATE_KEY_ONE", "key-one-99bb77cc")


def test_a_variable_that_is_not_allowed_goes_to_no_host(
    cli: Cli, make: Make, endpoint: ChatEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make(4, sends)
    monkeypatch.setenv("DRIFTGATE_ALLOWED_ENV", "DRIFTGATE_KEY_*, OTHER")
    done = cli("bench", "small", "-w", folder)
    assert done.code == 2 and endpoint.requests == []
    assert "CI_TOKEN, which DRIFTGATE_ALLOWED_ENV does not allow" in " ".join((done.out + done.err).split())
    assert "DRIFTGATE_ALLOWED_ENV does not allow" in " ".join(cli("doctor", "-w", folder).out.split())


def test_patterns_allow_and_an_empty_list_allows_nothing(
    cli: Cli, make: Make, endpoint: ChatEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    def keyed(config: dict[str, Any]) -> None:
        config["models"]["tested"]["api_key"] = "${env:DRIFTGATE_KEY_ONE}"

    folder = make(4, keyed)
    monkeypatch.setenv("DRIFTGATE_ALLOWED_ENV", "DRIFTGATE_KEY_*")
    assert cli("bench", "small", "-w", folder).code == 0
    asked = len(endpoint.requests)
    monkeypatch.setenv("DRIFTGATE_ALLOWED_ENV", "")
    assert cli("bench", "small", "-w", folder).code == 2 and len(endpoint.requests) == asked
    monkeypatch.delenv("DRIFTGATE_ALLOWED_ENV")
    assert cli("bench", "small", "-w", folder).code == 0


@pytest.mark.parametrize("engine", ["native", "promptflow"])
def test_a_prompty_that_names_a_variable_is_refused_as_well(
    cli: Cli, space: Any, endpoint: ChatEndpoint, monkeypatch: pytest.MonkeyPatch, engine: str
) -> None:
    folder = space({"flows/mine/ask.prompty": PROMPTY}, {"flow": "mine/ask.prompty", "engine": engine})
    monkeypatch.setenv("DRIFTGATE_ALLOWED_ENV", "OWN_*")
    done = cli("bench", "it", "-w", folder)
    assert done.code == 2 and "CI_TOKEN" in done.err + done.out and "DRIFTGATE_ALLOWED_ENV" in done.err + done.out
    assert not any("a-token-of-the-build" in request.prompt for request in endpoint.requests)


def test_a_flow_cannot_widen_what_is_allowed(
    cli: Cli, space: Any, endpoint: ChatEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    dag = {
        "environment_variables": {"DRIFTGATE_ALLOWED_ENV": "*"},
        "inputs": {"page": {"type": "string"}},
        "outputs": {"answer": {"type": "string", "reference": "${ask.output}"}},
        "nodes": [
            {"name": "ask", "type": "llm", "source": {"type": "code", "path": "ask.jinja2"},
             "inputs": {"page": "${inputs.page}"}, "api": "chat"}
        ],
    }  # fmt: skip
    folder = space({"flow.dag.yaml": yaml.safe_dump(dag), "ask.jinja2": "# user:\n{{page}}"})
    monkeypatch.setenv("DRIFTGATE_ALLOWED_ENV", "OWN_*")
    done = cli("bench", "it", "-w", folder)
    assert done.code == 2 and "set outside of the workspace only" in " ".join((done.err + done.out).split())


@pytest.mark.parametrize(
    "ledger",
    [
        "postgresql://me:hunter2@db/x",
        "postgresql://db/x?user=me&password=hunter2",
        "postgresql://me:${env:CI_TOKEN}hunter2@db/x",
    ],
)
@pytest.mark.parametrize("command", [("runs", "list"), ("bench", "small"), ("doctor",)])
def test_a_password_in_the_ledgers_address_is_refused_and_not_repeated(
    cli: Cli, make: Make, endpoint: ChatEndpoint, ledger: str, command: tuple[str, ...]
) -> None:
    done = cli(*command, "-w", make(4, lambda config: config.update(ledger=ledger)))
    assert done.code != 0 and "a secret does not belong into this file" in " ".join((done.err + done.out).split())
    assert "hunter2" not in done.err + done.out


def test_other_settings_hold_no_password_either(cli: Cli, make: Make, endpoint: ChatEndpoint) -> None:
    def literal(config: dict[str, Any]) -> None:
        config["models"]["tested"]["endpoint"] = "http://me:hunter2@127.0.0.1:9/v1"

    def configured(config: dict[str, Any]) -> None:
        config["connections"] = {"own": {"type": "custom", "configs": {"api_key": "hunter2"}}}

    for change in (literal, configured):
        done = cli("bench", "small", "-w", make(4, change))
        assert done.code == 2 and "a secret does not belong into this file" in " ".join(done.err.split())
        assert "hunter2" not in done.err
