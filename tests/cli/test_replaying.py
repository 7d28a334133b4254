"""A stranger's file of calls or of answers, replayed as if it were live."""

from __future__ import annotations

import csv
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from command_line import Cli

BEGIN = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "driftgate.yaml").write_text("version: 1\n", encoding="utf-8")
    return tmp_path


def write(path: Path, rows: list[dict[str, object]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def calls(days: int, slower_from: int = 10_000) -> list[dict[str, object]]:
    """Calls as somebody's gateway logs them."""
    rng, rows = np.random.default_rng(5), []
    for day in range(days):
        for second in np.sort(rng.integers(0, 86_400, 60)):
            rows.append(
                {
                    "Created At": (BEGIN + timedelta(days=day, seconds=int(second))).strftime("%m/%d/%Y, %H:%M:%S"),
                    "duration_ms": round(1000 * float(rng.lognormal(0.0, 0.4)) * (2.0 if day >= slower_from else 1.0)),
                    "status": "500" if rng.random() < 0.03 else "200",
                    "customer_id": f"c{rng.integers(30)}",
                }
            )
    return rows


def test_a_strangers_csv_says_when_it_would_have_alarmed_and_how_soon_changes_are_found(cli: Cli, folder: Path) -> None:
    path = write(folder / "gateway.csv", calls(40, slower_from=34))
    asked = ("monitor", "backtest", path, "-w", folder, "--map", "error=status", "--starts", "2")
    done = cli(*asked, "--signals", "latency", "--sizes", "0.01,3")
    assert done.code == 0, done.err
    assert "2,400 calls of 2026-03-02 to 2026-04-10, 33 looks, each with a level of 0.033" in done.out
    # Day 34 is looked at when it is over; looks that go on saying it are one alarm.
    assert len(re.findall(r"^2026-\d\d-\d\d 00:00 UTC$", done.out, re.MULTILINE)) == 1
    assert re.search(r"2026-04-06 00:00 UTC\n\s+Latency rose everywhere from 0?\.?\d* ?", done.out)
    # The reference that does not slide began before the first call, by so much as is allowed: none of it is lost.
    assert "6 moved, 27 quiet; 1 alarm" in done.out
    assert re.search(r"; 1 alarm, 1\.\d a month; the budget is 1", done.out)
    table = [line for line in done.out.splitlines() if "latency, " in line]
    assert "latency, 1%" in table[0] and "0 of 2" in table[0]
    assert "latency, 300%" in table[1] and "2 of 2" in table[1]


def test_rows_without_the_key_for_errors_are_replayed_as_rows_that_do_not_tell(cli: Cli, folder: Path) -> None:
    """A gateway that wrote the status of failed calls, and then of none: what it ceased to say is no improvement."""
    rows = [{name: row[name] for name in row if name != "status" or row[name] == "500"} for row in calls(9)]
    path = folder / "gateway.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    done = cli(
        "monitor", "backtest", path, "-w", folder, "--map", "error=status", "--signals", "latency", "--starts", "1"
    )
    assert done.code == 0, done.err
    assert "2 unmeasurable" in done.out and "quiet" not in done.out, done.out


def test_a_file_whose_times_are_not_found_says_what_to_write(cli: Cli, folder: Path) -> None:
    path = write(folder / "gateway.csv", [{"wann": "2026-03-02T00:00:00Z", "latency": 1.0}])
    done = cli("monitor", "backtest", path, "-w", folder)
    assert done.code == 2 and "--map time=COLUMN" in done.err and "wann" in done.err
    done = cli("monitor", "backtest", path, "-w", folder, "--map", "time=wann")
    assert done.code == 2 and "a replay needs more than 7 times 1 days" in done.err
    done = cli("monitor", "backtest", path, "-w", folder, "--map", "time=wen")
    assert done.code == 2 and "no column 'wen'" in done.err
    write(path, [{"time": "2026-03-02T00:00:00Z", "success": True}])
    done = cli("monitor", "backtest", path, "-w", folder, "--map", "error=success")
    assert done.code == 2 and "'success' says of a call that it went well" in done.err
    done = cli("monitor", "backtest", "nobody", "-w", folder)
    assert done.code == 2 and "'nobody' is no monitor of the workspace and no file" in done.err


def answers(name: str, wrong: int, refused: int, failed: int, form: str) -> list[dict[str, object]]:
    """Sixty answers to sums, half of them with a kind of their own."""
    rows: list[dict[str, object]] = []
    for number in range(60):
        said = form.format(2 * number + (number < wrong))
        if wrong <= number < wrong + refused:
            said = "I'm sorry, but I can't help with that."
        if number >= 60 - failed:
            said = ""
        kind = "small" if number < 30 else "large"
        rows.append(
            {"model": name, "query": f"{number}+{number}", "ref_answer": 2 * number, "answer": said, "dataset": kind}
        )
    return rows


def test_answers_of_two_models_are_told_apart_by_what_became_of_them(cli: Cli, folder: Path) -> None:
    rows = answers("march", 1, 0, 0, "It is [{}].") + answers("june", 25, 12, 5, "It is [{}].")
    path = write(folder / "sums.csv", rows)
    asked = ("monitor", "backtest", path, "-w", folder, "--sides", "march", "june", "--orders", "20")
    done = cli(*asked, "--reads", r"\[(\d+)")
    assert done.code == 0, done.err
    assert "60 questions of march and june; 0 of one alone; compared are 55 with a reply of both" in done.out
    counted = {m[1]: (int(m[2]), int(m[3])) for m in re.finditer(r"│ (\w+) +│ +(\d+) │ +(\d+) │", done.out)}
    assert counted["right"] == (59, 18) and counted["refused"] == (0, 12) and counted["failed"] == (0, 5)
    first, second = done.out.split("right answers")[1].split("replies that do not refuse")
    assert "noticed in 20 of 20 orders of 55 pairs" in first and "small" in first
    assert "noticed in" in second


def test_a_reply_that_cannot_be_read_is_neither_wrong_nor_a_refusal(cli: Cli, folder: Path) -> None:
    path = write(folder / "sums.csv", answers("a", 0, 0, 0, "[{}]") + answers("b", 0, 0, 0, "It is {}."))
    done = cli("monitor", "backtest", path, "-w", folder, "--sides", "a", "b", "--reads", r"\[(\d+)", "--orders", "5")
    counted = {m[1]: (int(m[2]), int(m[3])) for m in re.finditer(r"│ (\w+) +│ +(\d+) │ +(\d+) │", done.out)}
    assert counted == {"right": (60, 0), "unparsed": (0, 60)}
    nobody = cli("monitor", "backtest", path, "-w", folder, "--sides", "a", "c", "--reads", r"\[(\d+)")
    assert nobody.code == 2 and "is of 'c'" in nobody.err
    broken = cli("monitor", "backtest", path, "-w", folder, "--sides", "a", "b", "--reads", "[")
    assert broken.code == 2 and "is no regular expression" in broken.err
