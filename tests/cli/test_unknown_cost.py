"""What a user sees where a service does not count its tokens or the workspace names no prices: never a cost of 0."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from chat_endpoint import ChatEndpoint
from command_line import Cli, Make

from driftgate.ledger import latest_runs, open_ledger

COST = {"metric": "cost", "max": 0.5}


def priced(config: dict[str, Any]) -> None:
    config["models"]["tested"]["prices"] = {"input": 100_000, "output": 100_000}
    config["gates"]["small"]["rules"] = [COST]


def quiet(endpoint: ChatEndpoint) -> None:
    """No reply says what it took."""
    counted = endpoint.default
    assert callable(counted)
    endpoint.default = lambda prompt: replace(counted(prompt), tokens=None)  # type: ignore[type-var]


def test_a_service_that_does_not_count_is_no_cheap_one(cli: Cli, make: Make, endpoint: ChatEndpoint) -> None:
    folder = make(8, priced)
    quiet(endpoint)
    done = cli("bench", "-w", folder)
    assert done.code == 0 and "cost unknown" in done.out
    assert " unknown │" in done.out and "0.0000" not in done.out
    verdict = folder / "verdict.json"
    judged = cli("gate", "--json", verdict, "-w", folder)
    assert judged.code == 4 and "8 of 8 samples have no cost" in judged.out
    (rule,) = json.loads(verdict.read_text("utf-8"))[0]["rules"]
    assert (rule["verdict"], rule["value"], rule["low"], rule["high"]) == ("unmeasurable", None, None, None)
    assert '"cost": null' in cli("runs", "show", "latest", "q3", "-w", folder).out
    assert cli("bench", "-w", folder).code == 0
    compared = cli("compare", done.out.split()[1].rstrip(":"), "latest", "-w", folder)
    assert "unknown" in compared.out and "cost was not recorded of every cell" in compared.out


def test_a_limit_on_cost_that_cannot_be_kept_says_so(cli: Cli, make: Make, endpoint: ChatEndpoint) -> None:
    def change(config: dict[str, Any]) -> None:
        priced(config)
        config["suites"]["small"]["max_cost"] = 0.01

    folder = make(40, change)
    quiet(endpoint)
    stopped = cli("bench", "-w", folder)
    assert stopped.code == 2
    assert "the limit of 0.01 on cost cannot be kept" in stopped.err
    assert "how many tokens" in stopped.err and "driftgate bench --resume --run" in stopped.err
    assert len(endpoint.requests) <= 8


def test_a_limit_on_cost_without_prices_is_refused_before_a_run_begins(
    cli: Cli, make: Make, endpoint: ChatEndpoint
) -> None:
    folder = make(8, lambda config: config["suites"]["small"].update(max_cost=5.0))
    refused = cli("bench", "-w", folder)
    assert refused.code == 2 and "model 'tested' has no price of input and output tokens" in refused.err
    assert not endpoint.requests
    ledger = open_ledger(".driftgate/ledger.db", folder)
    assert [run.status for run in latest_runs(ledger)] == ["refused"]
    ledger.close()


def test_without_prices_a_run_says_so(cli: Cli, make: Make) -> None:
    folder = make(8, lambda config: config["gates"]["small"].update(rules=[COST]))
    done = cli("bench", "-w", folder)
    assert done.code == 0 and "no prices" in done.out and "cost unknown" not in done.out
    judged = cli("gate", "-w", folder)
    assert judged.code == 4 and "gives the model no prices" in judged.out


def test_a_negative_cost_in_a_recorded_file_is_refused(cli: Cli, make: Make) -> None:
    folder = make(2)
    file = folder / "m.csv"
    told = (
        "runs",
        "import",
        file,
        "--map",
        "id=id,gold=gold,prediction=said,cost=paid",
        "--dataset",
        "own",
        "-w",
        folder,
    )
    for cost in ("-3", "inf", "nan", "free"):
        file.write_text(f"id,gold,said,paid\nq0,A,A,0.1\nq1,B,B,{cost}\n", encoding="utf-8")
        done = cli(
            "runs",
            "import",
            file,
            "--map",
            "id=id,gold=gold,prediction=said,cost=paid",
            "--dataset",
            "own",
            "-w",
            folder,
        )
        assert done.code == 2 and f"row 2 has the cost '{cost}'" in done.err
    file.write_text("id,gold,said,paid\nq0,A,A,0.1\nq1,B,B,\n", encoding="utf-8")
    assert cli(*told).code == 0
    shown = cli("runs", "show", "recorded-own", "-w", folder)
    assert "0.1000" not in shown.out
