"""Prices that the workspace does not state: by the host that is asked, dated, kept by a run, and bounds where they are.

No test asks a vendor. A plan names a vendor's address; who answers is the endpoint on the loopback interface.
"""

from __future__ import annotations

import asyncio
import io
import socket
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from chat_endpoint import Answer, ChatEndpoint
from command_line import Cli, Make
from rich.console import Console

import driftgate
from driftgate.api import session
from driftgate.api.deployments import keep
from driftgate.api.display import ProgressDisplay
from driftgate.api.preflight._check import CHECKS
from driftgate.api.preflight._inspection import Inspection
from driftgate.api.preflight._scope import Scope
from driftgate.flows.errors import DriftgateError
from driftgate.flows.models import Prices, Tier, listed_prices
from driftgate.ledger import RunRow, find_run

AT = datetime(2026, 11, 26, tzinfo=UTC)
OPENAI = "https://api.openai.com/v1"
AZURE = "https://res.openai.azure.com"
COUNT = 8


def listed(address: str, model: str, **given: Any) -> Prices | None:
    found = listed_prices(address, model, given.pop("parameters", {}), at=AT, **given)
    return found[0] if found else None


def test_a_price_is_of_the_model_and_of_the_host_that_serves_it() -> None:
    assert listed(OPENAI, "gpt-4.1-2025-04-14") == Prices(input=2.0, output=8.0, cached_input=0.5)
    assert listed("https://API.OpenAI.com./v1/", "gpt-4.1") == listed(OPENAI, "gpt-4.1")
    assert listed("https://api.groq.com/openai/v1", "openai/gpt-oss-20b") is not None
    assert listed(AZURE, "gpt-4.1-2025-04-14") == Prices(input=2.0, output=8.0, cached_input=0.5)


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:8000/v1",
        "https://127.0.0.1/v1",
        "https://localhost/v1",
        "http://api.openai.com/v1",
        "https://api.openai.com.evil.example/v1",
        "https://evil.example/https://api.openai.com/v1",
        "https://evil.example/x.googleapis.com/v1",
        "https://api.openai.com:8443/v1",
        "https://eu.api.openai.com/v1",
        "https://api.openai.com@evil.example/v1",
        "https://api.moonshot.evil.example/v1",
        "https://gateway.azure-api.net/openai/v1",
        "https://me--own.modal.run/v1",
        "https://[::1/v1",
        "",
    ],
)
def test_the_same_name_served_elsewhere_has_no_price(address: str) -> None:
    for model in ("gpt-4.1", "kimi-k3", "gpt-oss-20b", "gemini-2.5-pro", "moonshotai/Kimi-K3"):
        assert listed(address, model) is None


@pytest.mark.parametrize(
    ("address", "model", "parameters"),
    [
        (OPENAI, "", {}),
        (OPENAI, "my-own-model", {}),
        (OPENAI, "gpt-oss-20b", {}),  # OpenAI does not sell it: the list has what others take
        (OPENAI, "whisper-1", {}),  # by the hour
        ("https://api.deepseek.com", "deepseek-chat", {}),  # by the time of day
        (AZURE, "o4-mini-2025-04-16.ft-0a1b", {}),  # a fine-tuned one costs more than what it was made from
        (AZURE, "deepseek-v3.2", {}),  # not what DeepSeek itself takes
        (OPENAI, "gpt-4.1", {"service_tier": "priority"}),
        ("https://openrouter.ai/api/v1", "openai/gpt-4.1", {"models": ["openai/gpt-5.4-pro"]}),
        (OPENAI, "gpt-4.1", {"tools": [{"type": "web_search"}]}),
        (OPENAI, "gpt-4.1", {"web_search_options": {"search_context_size": "low"}}),
        (OPENAI, "gpt-4.1", {"modalities": ["text", "audio"]}),
    ],
)
def test_what_the_list_cannot_say_is_unknown(address: str, model: str, parameters: Mapping[str, Any]) -> None:
    assert listed(address, model, parameters=parameters) is None


def test_ones_own_functions_cost_nothing_beside_the_tokens() -> None:
    own = {"tools": [{"type": "function", "function": {"name": "add"}}], "service_tier": "default"}
    assert listed(OPENAI, "gpt-4.1", parameters=own) == listed(OPENAI, "gpt-4.1")


def test_long_inputs_have_prices_of_their_own() -> None:
    tier = Tier(above=272_000, input=5.0, output=22.5, cached_input=0.5)
    assert listed(OPENAI, "gpt-5.4") == Prices(input=2.5, output=15.0, cached_input=0.25, tiers=(tier,))


def test_a_batch_costs_the_part_that_the_list_says() -> None:
    whole, batched = listed(OPENAI, "gpt-5-mini"), listed(OPENAI, "gpt-5-mini", delivery="batch")
    assert whole == batched == Prices(input=0.25, output=2.0, cached_input=0.025, batch=0.5)
    plain = listed(OPENAI, "gpt-4.1", delivery="batch")  # its cached input is no cheaper in a batch: no half of it
    assert plain == Prices(input=2.0, output=8.0, cached_input=None, batch=0.5)
    none = listed("https://api.moonshot.ai/v1", "kimi-k3", delivery="batch")
    assert none is not None and none.batch == 1.0


def test_what_is_written_to_a_cache_makes_a_price_a_bound() -> None:
    found = listed_prices(OPENAI, "gpt-6.1-sol", {}, at=AT)
    assert found is not None and found[0].input == 2.5 and found[0].output == 10.0  # 2.0, and 2.5 where it is written
    assert "costs are at most that" in found[1].words
    exact = listed_prices(OPENAI, "gpt-4.1", {}, at=AT)
    assert exact is not None and exact[1].at_most == ""


def test_prices_are_those_of_their_day() -> None:
    early, late = (listed_prices(OPENAI, "o3", {}, at=datetime(2025, m, 1, tzinfo=UTC)) for m in (5, 8))
    assert early is not None and late is not None and early[0].input == 10.0 and late[0].input == 2.0
    assert early[1].day == date(2025, 5, 1) and early[1].newest <= early[1].day
    assert late[1].words.startswith("prices of openai/o3 on 2025-08-01 from genai-prices ")


def vendor(config: dict[str, Any]) -> None:
    config["models"]["tested"] |= {"endpoint": OPENAI, "model": "gpt-4.1", "api_key": "${env:VENDOR_KEY}"}
    config["suites"]["small"]["max_cost"] = 1.0
    config["gates"]["small"]["rules"] = [{"metric": "cost", "max": 1.0}]


def plan(ws: driftgate.api.facade.Workspace) -> session.Planned:
    return session.plan_suite(ws.files, ws.ledger, "small", ws.files.suite("small"))


def work(ws: driftgate.api.facade.Workspace, run: RunRow, planned: session.Planned, endpoint: ChatEndpoint) -> None:
    """Answer by the endpoint what is asked of the vendor."""
    here = planned.cells[0].model_config.model_copy(update={"endpoint": f"{endpoint.url}/v1", "api_key": None})
    model = session.open_model(ws.files, ws.ledger, "tested", here)
    asyncio.run(session.work(ws.ledger, run, planned, {"tested": model}, ProgressDisplay(Console(file=io.StringIO()))))


def test_a_run_has_the_listed_prices_and_says_where_they_stand(
    cli: Cli, make: Make, endpoint: ChatEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VENDOR_KEY", "k")
    folder = make(COUNT, vendor)
    endpoint.default = Answer("A", tokens=(1_000, 100), cached=0)
    with driftgate.open(folder) as ws:
        planned = plan(ws)
        run = session.begin(ws.ledger, planned)  # max_cost can be kept
        work(ws, run, planned, endpoint)
        (scores,) = ws.run(run.id).scored
        cost = scores.get("cost")
        assert cost is not None and cost.value == pytest.approx(COUNT * (1_000 * 2.0 + 100 * 8.0) / 1e6)
        assert scores.unknown_cost == "" and scores.cost_words == "" and scores.currency == "USD"
        page = ws.run(run.id).report().html.read_text("utf-8")
    said = f"prices of openai/gpt-4.1 on {datetime.now(UTC).date()} from genai-prices "
    assert said in page
    shown = cli("runs", "show", run.id, "-w", folder)
    assert said in shown.out and "0.0224 USD" in shown.out
    assert "pass" in cli("gate", run.id, "-w", folder).out


def test_a_bound_is_called_one_and_compared_with_nothing(
    cli: Cli, make: Make, endpoint: ChatEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    def bound(config: dict[str, Any]) -> None:
        vendor(config)
        config["models"]["tested"]["model"] = "gpt-6.1-sol"
        config["gates"]["small"]["rules"].append({"metric": "cost", "no_worse_than": "previous", "margin": 0.5})

    monkeypatch.setenv("VENDOR_KEY", "k")
    folder = make(COUNT, bound)
    endpoint.default = Answer("A", tokens=(1_000, 100), cached=0)
    with driftgate.open(folder) as ws:
        for _ in range(2):
            planned = plan(ws)
            run = session.begin(ws.ledger, planned)
            work(ws, run, planned, endpoint)
    assert "at most 0.0280 USD" in cli("runs", "show", run.id, "-w", folder).out
    judged = cli("gate", run.id, "-w", folder)
    assert judged.code == 4 and "have no exact cost: input is priced as if it were all written" in judged.out


def test_a_run_keeps_the_prices_with_which_it_began(
    make: Make, endpoint: ChatEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VENDOR_KEY", "k")
    folder = make(COUNT, vendor)
    endpoint.default = Answer("A", tokens=(1_000, 100), cached=0)
    with driftgate.open(folder) as ws:
        began = plan(ws)
        earlier = listed_prices(OPENAI, "o3", {}, at=datetime(2025, 5, 1, tzinfo=UTC))
        assert earlier is not None
        # The list that was installed when the run began had another price.
        old = [session.replace(cell, model_config=cell.model_config.with_listed(*earlier)) for cell in began.cells]
        run = session.begin(ws.ledger, session.replace(began, cells=old))
        now = plan(ws)
        session.check_same_plan(run, now)
        work(ws, run, now, endpoint)
        (scores,) = ws.run(run.id).scored
        cost = scores.get("cost")
        assert cost is not None and cost.value == pytest.approx(COUNT * (1_000 * 10.0 + 100 * 40.0) / 1e6)
        assert "on 2025-05-01" in scores.price_list


def test_a_run_that_began_without_prices_goes_on_without(
    make: Make, endpoint: ChatEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VENDOR_KEY", "k")
    folder = make(COUNT, lambda config: (vendor(config), config["suites"]["small"].pop("max_cost")))
    with driftgate.open(folder) as ws:
        began = plan(ws)
        plain = [session.replace(c, model_config=ws.files.config.models["tested"]) for c in began.cells]
        run = session.begin(ws.ledger, session.replace(began, cells=plain))
        now = plan(ws)
        session.check_same_plan(run, now)
        work(ws, run, now, endpoint)
        (scores,) = ws.run(run.id).scored
        assert scores.unknown_cost == "no prices" and scores.price_list == ""


@pytest.mark.parametrize("address", ["", "http://[::1/v1", "https://api.openai.com:x/v1"])
def test_an_address_that_is_none_has_no_price_and_stops_no_plan(
    make: Make, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("ADDRESS", address)
    folder = make(COUNT, lambda config: config["models"]["tested"].update(endpoint="${env:ADDRESS}", model="gpt-4.1"))
    with driftgate.open(folder) as ws:
        assert not plan(ws).cells[0].model_config.prices.known


@pytest.mark.parametrize(
    ("prices", "known"),
    [({"input": 7.0, "output": 9.0, "currency": "EUR"}, True), ({"input": 7.0}, False), ({}, False)],
)
def test_what_the_workspace_states_goes_before_and_is_not_completed(
    make: Make, monkeypatch: pytest.MonkeyPatch, prices: dict[str, Any], known: bool
) -> None:
    monkeypatch.setenv("VENDOR_KEY", "k")
    folder = make(COUNT, lambda config: (vendor(config), config["models"]["tested"].update(prices=prices)))
    with driftgate.open(folder) as ws:
        planned = plan(ws)
        config = planned.cells[0].model_config
        assert config.listed is None and config.prices == Prices(**prices)
        if known:
            assert "prices" not in session.begin(ws.ledger, planned).plan
        else:
            with pytest.raises(DriftgateError, match="has no price of"):
                session.begin(ws.ledger, planned)


def azure(config: dict[str, Any]) -> None:
    vendor(config)
    config["models"]["tested"] = {
        "provider": "azure_openai",
        "endpoint": AZURE,
        "deployment": "gpt-4o",  # what people call a deployment says nothing of what it serves
        "api_key": "${env:VENDOR_KEY}",
    }


def test_a_deployment_costs_what_the_model_does_that_it_is_known_to_serve(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VENDOR_KEY", "k")
    folder = make(COUNT, azure)
    with driftgate.open(folder) as ws:
        before = plan(ws)
        assert not before.cells[0].model_config.prices.known
        model = session.open_model(ws.files, ws.ledger, "tested", ws.files.config.models["tested"], check=False)
        keep(ws.ledger, model, served="gpt-4.1-mini-2025-04-14")
        config = plan(ws).cells[0].model_config
        anew = session.priced_anew(ws.files, ws.ledger, before)  # as after the probe before a long run
        assert anew.cells[0].model_config == config
        assert config.prices == Prices(input=0.4, output=1.6, cached_input=0.1)
        assert config.listed is not None and "as a global deployment has them" in config.listed.words
    text = (folder / "driftgate.yaml").read_text("utf-8")
    (folder / "driftgate.yaml").write_text(text.replace("deployment: gpt-4o", "deployment: another"), "utf-8")
    with driftgate.open(folder) as ws:  # what was learnt was of the deployment before it
        assert not plan(ws).cells[0].model_config.prices.known


def test_the_doctor_says_the_prices_and_nobody_is_asked_for_them(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*args: object) -> None:
        raise AssertionError("prices are not to be fetched")

    monkeypatch.setenv("VENDOR_KEY", "k")
    folder = make(COUNT, vendor)
    with driftgate.open(folder) as ws:
        monkeypatch.setattr(socket.socket, "connect", unreachable)
        found = list(CHECKS.get("prices").look(Inspection(ws.files, ws.ledger, Scope(whole=True))))
    (said,) = found
    assert said.severity == "good" and said.subject == "model tested"
    assert "USD 2 a million input tokens, 0.5 cached, 8 output: prices of openai/gpt-4.1 on " in said.found


def test_a_judge_has_the_listed_prices_too(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    def judged(config: dict[str, Any]) -> None:
        vendor(config)
        config["models"]["judge"] = dict(config["models"]["tested"], model="gpt-4.1-mini")
        grade = {
            "evaluator": "relevance",
            "inputs": {"query": "${data.question}", "response": "${nodes.reply.output}"},
            "settings": {"judge": "judge"},
        }
        config["suites"]["small"] |= {
            "prompt": "{{ question }}",
            "evaluators": {"reply": {"grade": grade}},
            "primary": "reply.grade.passed",
            "variants": [],
        }

    monkeypatch.setenv("VENDOR_KEY", "k")
    folder = make(COUNT, judged)
    with driftgate.open(folder) as ws:
        planned = plan(ws)
        (grading,) = planned.cells[0].evaluators.judged.values()
        assert grading.judge.config.prices == Prices(input=0.4, output=1.6, cached_input=0.1)
        assert "cost" in grading.metrics
        run = session.begin(ws.ledger, planned)  # its grades can be held against the limit
        assert set(find_run(ws.ledger, run.id).plan["prices"]["judges"]) == {"judge"}


def test_nothing_is_looked_up_where_nobody_sells(make: Make, endpoint: ChatEndpoint, tmp_path: Path) -> None:
    folder = make(COUNT)
    code = (
        "import sys, driftgate\nfrom driftgate.api import session\n"
        f"with driftgate.open({str(folder)!r}) as ws:\n"
        "    session.plan_suite(ws.files, ws.ledger, 'small', ws.files.suite('small'))\n"
        "print('genai_prices' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
