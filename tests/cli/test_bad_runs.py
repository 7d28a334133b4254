"""Runs that say little or nothing: a clear message or ``unmeasurable``, never a wrong number."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from command_line import Cli, Make

MAP = "id=id,gold=gold,prediction=said"


def recorded(folder: Path, cli: Cli, said: list[str], *, model: str = "m") -> str:
    """Import predictions for the questions that ``make`` writes; the run's name."""
    rows = [f"q{n},{'ABCD'[n % 4]},{letter}" for n, letter in enumerate(said)]
    file = folder / f"{model}.csv"
    file.write_text("\n".join(["id,gold,said", *rows]) + "\n", encoding="utf-8")
    done = cli("runs", "import", file, "--map", MAP, "--dataset", "own", "-w", folder)
    assert done.code == 0, done.err
    return f"recorded-own-{model}"


def gate(config: dict[str, Any]) -> None:
    config["gates"]["half"] = {"rules": [{"metric": "accuracy", "min": 0.5}]}


def rescored(folder: Path, cli: Cli, run: str, convention: str) -> tuple[dict[str, Any], str]:
    file = folder / "scores.json"
    done = cli("runs", "rescore", run, "--as", convention, "--json", file, "-w", folder)
    assert done.code == 0, done.err
    return dict(json.loads(file.read_text(encoding="utf-8"))[0]["overall"]), done.out


@pytest.mark.parametrize("lost", ["FAILED", "FILTERED", ""])
def test_a_run_without_any_answer_is_unmeasurable(make: Make, cli: Cli, lost: str) -> None:
    folder = make(12, gate)
    run = recorded(folder, cli, [lost] * 12)
    overall, out = rescored(folder, cli, run, "asked")
    assert overall["bounds"] == [0.0, 1.0]
    assert "12 of 12" in out
    overall, out = rescored(folder, cli, run, "published-ko")
    if lost == "FAILED":
        assert (overall["accuracy"], overall["counted"]) == (None, 0)
        assert "unmeasurable" in out
    judged = cli("gate", run, "--gate", "half", "-w", folder)
    assert judged.code == 4
    assert "unmeasurable" in judged.out
    shown = cli("runs", "show", run, "-w", folder)
    assert shown.code == 0
    assert "0.000" in shown.out and "1.000" in shown.out  # both bounds
    assert cli("report", run, "-w", folder).code == 0
    assert "Warning" not in shown.err


@pytest.mark.core
def test_one_sample_decides_nothing(make: Make, cli: Cli) -> None:
    folder = make(1, gate)
    run = recorded(folder, cli, ["A"])
    overall, _ = rescored(folder, cli, run, "published-ko")
    assert (overall["accuracy"], overall["counted"]) == (1.0, 1)
    assert overall["low"] < 0.25
    overall, _ = rescored(folder, cli, run, "macro")
    assert overall["low"] is None or overall["low"] < 0.25
    judged = cli("gate", run, "--gate", "half", "-w", folder)
    assert judged.code in (3, 4), judged.out
    assert cli("runs", "show", run, "-w", folder).code == 0
    assert cli("report", run, "-w", folder).code == 0


def test_answers_of_one_class_have_an_interval_all_the_same(make: Make, cli: Cli) -> None:
    folder = make(12, gate)
    run = recorded(folder, cli, ["A"] * 12)
    overall, _ = rescored(folder, cli, run, "asked")
    assert overall["accuracy"] == pytest.approx(0.25)
    assert overall["low"] < 0.25 < overall["high"]
    every = recorded(folder, cli, ["ABCD"[n % 4] for n in range(12)], model="all-right")
    overall, _ = rescored(folder, cli, every, "asked")
    assert (overall["accuracy"], overall["high"]) == (1.0, 1.0)
    assert overall["low"] < 0.8
    none = recorded(folder, cli, ["ABCD"[(n + 1) % 4] for n in range(12)], model="all-wrong")
    overall, _ = rescored(folder, cli, none, "macro")
    assert overall["accuracy"] == 0.0
    assert overall["high"] is None or overall["high"] > 0.1
    assert cli("gate", none, "--gate", "half", "-w", folder).code == 1


def test_a_run_that_is_not_complete_is_not_scored_as_a_whole(make: Make, cli: Cli) -> None:
    from driftgate.ledger import find_run, open_ledger, set_status

    folder = make(4)
    run = recorded(folder, cli, ["A"] * 4)
    ledger = open_ledger(".driftgate/ledger.db", folder)
    set_status(ledger, find_run(ledger, run).id, "stopped", "a limit")
    ledger.close()
    for arguments in (
        ["runs", "rescore", run, "--as", "asked"],
        ["runs", "score-diff", run, "--from", "asked", "--to", "macro"],
    ):
        done = cli(*arguments, "-w", folder)
        assert done.code == 2
        assert "a part of it would be scored as the whole" in done.err


def test_names_that_are_not_there(make: Make, cli: Cli) -> None:
    folder = make(4)
    run = recorded(folder, cli, ["A"] * 4)
    for arguments, said in (
        (["runs", "rescore", "nothing", "--as", "asked"], "0 runs fit 'nothing'"),
        (["runs", "rescore", run, "--as", "askd"], "did you mean 'asked'"),
        (["runs", "rescore", run, "--as", "lm-eval"], "log-probabilities of 0 of the"),
        (["runs", "import", folder / "m.csv", "--map", MAP, "--dataset", "owm"], "did you mean 'own'"),
        (["runs", "import", folder / "m.csv", "--map", "gold=gild", "--dataset", "own"], "no column 'gild'"),
        (["runs", "import", folder / "m.csv", "--map", "gould=gold", "--dataset", "own"], "did you mean 'gold'"),
        (["runs", "import", folder / "m.csv"], "the layout of m.csv is not known"),
        (["runs", "import", folder / "m.csv", "--preset", "evaluate-llm"], "no preset"),
        (["runs", "import", folder / "data"], "no file of the folder"),
    ):
        done = cli(*arguments, "-w", folder)
        assert done.code == 2
        assert said in done.err, done.err


def test_a_signature_is_printed_as_it_is(make: Make, cli: Cli) -> None:
    def named(config: dict[str, Any]) -> None:
        config["datasets"]["one"] = config["datasets"]["own"]  # ``:one:`` is an emoji to rich

    folder = make(4, named)
    file = folder / "m.csv"
    file.write_text("id,gold,said\nq0,A,A\nq1,B,A\n", encoding="utf-8")
    done = cli("runs", "import", file, "--map", MAP, "--dataset", "one", "-w", folder)
    assert "v1|dataset:one:" in done.out
    shown = cli("runs", "show", "recorded-one", "-w", folder)
    assert "denominator:asked|averaging:micro" in shown.out
    again = cli("runs", "score-diff", "recorded-one", "--from", "asked", "--to", "published-ko", "-w", folder)
    assert "missing: counted by asked, dropped by published-ko" in again.out
    assert "denominator:asked-failed-missing" in again.out
