"""A cost that nobody stated: unmeasurable for a gate, not to be kept by a limit, ``unknown`` wherever it is shown."""

from __future__ import annotations

import math
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from bench import Bench
from chat_endpoint import Answer, ChatEndpoint, Status

from driftgate.benchmarks.compare import compare_cells
from driftgate.benchmarks.datasets import Sample
from driftgate.benchmarks.gate import GateConfig, RuleVerdict, judge
from driftgate.benchmarks.report import write_report
from driftgate.benchmarks.scores import CellScores, score_run
from driftgate.benchmarks.spending import LimitReached, check_budget, line_cost
from driftgate.benchmarks.suite import SuiteConfig
from driftgate.flows.connections import ConnectionConfig
from driftgate.flows.definition import load_flow
from driftgate.flows.errors import DriftgateError
from driftgate.flows.line import Call
from driftgate.flows.models import ContentFiltered, Prices, Reply, Unavailable, Usage
from driftgate.ledger import Ledger, RunRow, cells_of

PRICED = {"prices": {"input": 100_000.0, "output": 100_000.0}}
BOOM = Status(500, {"error": {"message": "boom"}})


def right(prompt: str) -> Answer:
    (number,) = re.findall(r"문제 (\d+)번은", prompt)
    return Answer("ABCD"[int(number) % 4])


@pytest.fixture
def bench(endpoint: ChatEndpoint, ledger: Ledger, tmp_path: Path, samples: Callable[..., list[Sample]]) -> Bench:
    """Twelve questions to a model with prices; each costs 2.1."""
    endpoint.default = right
    return Bench(endpoint, ledger, tmp_path, samples(12), model=dict(PRICED))


def uncounted(bench: Bench, number: int, tokens: Any = None) -> None:
    """One reply without usage."""
    bench.endpoint.script(f"문제 {number}번은", replace(right(f"문제 {number}번은"), tokens=tokens))


def scored(bench: Bench, run: RunRow) -> CellScores:
    (scores,) = score_run(bench.ledger, run.id)
    return scores


def say(bench: Bench, run: RunRow, **rule: Any) -> RuleVerdict:
    gate = GateConfig.model_validate({"rules": [rule]})
    return judge(bench.ledger, "g", gate, run.id, [scored(bench, run)]).rules[0]


@pytest.mark.parametrize("tokens", [None, (20, -1), (-20, 1), (0, 0), (20.5, 1), ("20", "1")])
async def test_one_reply_without_its_tokens_makes_the_cost_unknown(bench: Bench, tokens: Any) -> None:
    uncounted(bench, 3, tokens)
    run = await bench.run()
    row = bench.frame().loc["q3"]
    assert row["outcome"] == "answered" and math.isnan(row["cost"])
    assert bench.frame()["cost"].sum() == pytest.approx(11 * 2.1)
    scores = scored(bench, run)
    for metric in ("cost", "cost_per_sample"):
        found = scores.get(metric)
        assert found is not None and (found.value, found.low, found.high) == (None, None, None)
    assert scores.unknown_cost == "unknown"
    assert bench.watcher.ended[-1].cost is None
    said = say(bench, run, metric="cost", max=1000.0)
    assert (said.verdict, said.value) == ("unmeasurable", None)
    assert "1 of 12 samples have no cost, as the service did not say how many tokens" in said.reason
    assert say(bench, run, metric="cost_per_sample", max=1000.0).verdict == "unmeasurable"
    assert say(bench, run, metric="cost", max=20.0).verdict == "fail"  # without it they cost more already


async def test_tokens_are_unknown_as_costs_are(bench: Bench) -> None:
    uncounted(bench, 3)
    run = await bench.run()
    assert say(bench, run, metric="input_tokens", max=10_000).verdict == "unmeasurable"
    found = scored(bench, run).get("output_tokens")
    assert found is not None and found.value is None


async def test_a_cost_is_not_compared_where_an_unknown_one_could_turn_the_verdict(bench: Bench) -> None:
    rule = {"metric": "cost", "no_worse_than": "previous", "margin": 0.05}
    await bench.run()
    uncounted(bench, 3)
    second = await bench.run()
    assert say(bench, second, **rule).verdict == "unmeasurable"
    bench.endpoint.forget()
    third = await bench.run()
    said = say(bench, third, **rule)
    assert said.verdict == "unmeasurable" and "in the run that is compared with" in said.reason
    assert say(bench, third, **rule | {"margin": 1.0}).verdict == "pass"  # even if the twelfth had cost nothing then


async def test_a_failed_call_makes_no_run_cheaper(bench: Bench) -> None:
    """Eleven samples cost 23.1, twelve 25.2: with one that failed nobody knows whether it stayed below 24."""
    bench.model |= {"attempts": 1}
    whole = await bench.run()
    assert say(bench, whole, metric="cost", max=24.0).verdict == "fail"
    bench.endpoint.script("문제 3번은", BOOM)
    lost = await bench.run()
    assert say(bench, lost, metric="cost", max=24.0).verdict == "unmeasurable"
    assert say(bench, lost, metric="cost", max=23.0).verdict == "fail"


async def test_a_limit_on_cost_stops_at_the_first_reply_that_does_not_say_what_it_took(bench: Bench) -> None:
    bench.model |= {"in_flight": 2}
    bench.suite = {"max_cost": 1000.0}
    uncounted(bench, 3)
    with pytest.raises(LimitReached, match=r"limit of 1000 on cost cannot be kept.*a reply of model 'm'.*how many"):
        await bench.run()
    run = bench.newest()
    assert run.status == "stopped" and "cannot be kept" in run.reason
    assert 4 <= len(bench.endpoint.requests) <= 6
    bench.suite = {}
    done = await bench.run(run)
    assert done.status == "complete" and max(bench.endpoint.asked.values()) == 1


async def test_what_was_written_and_withheld_is_paid_for(bench: Bench) -> None:
    bench.endpoint.script("문제 3번은", Answer("", "content_filter", tokens=(20, 200)))
    await bench.run()
    row = bench.frame().loc["q3"]
    assert (row["outcome"], row["cost"], row["output_tokens"]) == ("filtered", pytest.approx(22.0), 200)


@pytest.mark.parametrize("prices", [{}, {"input": 1.0}, {"output": 1.0}])
async def test_without_a_price_no_limit_on_cost_can_be_kept(bench: Bench, prices: dict[str, float]) -> None:
    bench.model = {"prices": prices}
    bench.suite = {"max_cost": 5.0}
    with pytest.raises(DriftgateError, match="cannot be kept: model 'm' has no price of") as refused:
        await bench.run()
    assert "max_cost" in refused.value.remedy and not bench.endpoint.requests
    bench.suite = {}
    run = await bench.run()
    assert scored(bench, run).unknown_cost == "no prices"
    said = say(bench, run, metric="cost", max=5.0)
    assert said.verdict == "unmeasurable" and "gives the model no prices" in said.reason


async def test_a_model_that_is_said_to_be_free_costs_nothing(bench: Bench) -> None:
    bench.model = {"prices": {"input": 0.0, "output": 0.0}}
    bench.suite = {"max_cost": 5.0}
    uncounted(bench, 3)
    run = await bench.run()
    assert run.status == "complete"
    said = say(bench, run, metric="cost", max=0.0)
    assert (said.verdict, said.value) == ("pass", 0.0)


async def test_what_the_cache_answers_was_not_paid_for_and_says_nothing_of_the_price(bench: Bench) -> None:
    bench.suite = {"cache": True}
    uncounted(bench, 3)
    await bench.run()
    bench.suite = {"cache": True, "max_cost": 5.0}
    run = await bench.run()
    assert run.status == "complete" and len(bench.endpoint.requests) == 12
    assert bench.frame()["cost"].sum() == 0.0 and math.isnan(bench.frame().loc["q3"]["input_tokens"])
    said = say(bench, run, metric="cost", max=5.0)
    assert said.verdict == "unmeasurable" and "answered from replies that were kept" in said.reason


async def test_no_page_and_no_comparison_shows_an_unknown_cost_as_0(bench: Bench, tmp_path: Path) -> None:
    first = await bench.run()
    bench.endpoint.default = lambda prompt: replace(right(prompt), tokens=None)
    second = await bench.run()
    files = write_report(bench.ledger, second, [scored(bench, second)], [], tmp_path / "report")
    page, summary = files.html.read_text("utf-8"), files.markdown.read_text("utf-8")
    assert '<td data-label="Cost" class="n"><span><span class="muted">unknown</span></span></td>' in page
    assert "unknown |" in summary and "USD 0" not in page + summary
    cells = [cell for run in (first, second) for cell in cells_of(bench.ledger, run.id)]
    (dataset,) = compare_cells(bench.ledger, cells).datasets
    known, unknown = dataset.standings
    assert known.cost is not None and unknown.cost is None
    assert "cost" not in dataset.measures


def call(model: str, usage: Usage, *, cached: bool = False) -> Call:
    return Call(model, Reply("B", "stop", usage, 0.1, cached=cached), None)


async def test_a_line_costs_what_each_of_its_models_costs(bench: Bench) -> None:
    _, (cell,) = bench.cells()
    dear = Prices(input=1e6, output=1e6)
    prices = {"m": cell.model_config.prices, "dear": dear, "abroad": Prices(input=1.0, output=1.0, currency="KRW")}
    used = Usage(20, 1)
    for calls, cost in [
        ([call("m", used)], 2.1),
        ([call("m", used), call("dear", used)], 23.1),
        ([call("m", used), call("dear", Usage())], None),
        ([call("m", used), call("dear", Usage(), cached=True)], 2.1),
        ([call("m", used), call("abroad", used)], None),
        ([call("m", used), Call("m", None, Unavailable("down"))], 2.1),
        ([Call("m", None, ContentFiltered("no"))], 0.0),
        ([Call("m", None, ContentFiltered("no", Usage(20, None)))], None),
        ([], 0.0),
    ]:
        found = line_cost(cell, calls, prices)
        assert found == (cost if cost is None else pytest.approx(cost)), calls


async def test_a_node_that_asks_through_a_connection_costs_nobody_knows_what(bench: Bench, tmp_path: Path) -> None:
    _, (cell,) = bench.cells()
    connection = ConnectionConfig(type="open_ai", configs={"base_url": "http://127.0.0.1:9/v1"})
    dag = {**cell.flow.dag, "nodes": [*cell.flow.dag["nodes"], {"name": "own", "type": "llm", "connection": "other"}]}
    asking = replace(cell, flow=replace(cell.flow, dag=dag, connections={"other": connection}))
    assert line_cost(asking, [call("m", Usage(20, 1))], {}) is None
    unrelated = replace(cell, flow=replace(cell.flow, connections={"another": connection}))
    assert line_cost(unrelated, [call("m", Usage(20, 1))], {}) == pytest.approx(2.1)


@pytest.mark.parametrize("client", ["import openai", "from urllib.request import urlopen", "import litellm as llm"])
async def test_a_tool_with_a_client_of_its_own_costs_nobody_knows_what(
    bench: Bench, tmp_path: Path, client: str
) -> None:
    _, (cell,) = bench.cells()
    shutil.copytree(cell.flow.folder, tmp_path / "mine")
    ask = tmp_path / "mine/ask.py"
    ask.write_text(f"{ask.read_text('utf-8')}\n{client}\n", encoding="utf-8")
    asking = replace(cell, flow=load_flow("mine", tmp_path))
    assert line_cost(asking, [call("m", Usage(20, 1))], {}) is None
    with pytest.raises(DriftgateError, match="may ask a service by itself"):
        check_budget(SuiteConfig(models=["m"], datasets=["d"], max_cost=1.0), [asking])
