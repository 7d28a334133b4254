"""A judge held against people's labels, and gates by what they say, on loopback models and judges."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from chat_endpoint import Answer, ChatEndpoint, Status
from command_line import Cli, Done
from judge import Judge, agreeing, hashing, strict

JUDGE = "reply.relevant"
COUNT = 240
Space = Callable[..., Path]


def reply(prompt: str) -> Answer:
    """Of ten questions six get a good reply."""
    number = int(re.findall(r"문의 (\d+)", prompt)[-1])
    return Answer(f"{'좋은' if good(number) else '나쁜'} 답 {number} {'자세히 ' * (number % 7)}")


def good(number: int) -> bool:
    return number % 10 < 6


def lenient(prompt: str) -> Answer:
    """Passes what is good, and of what is bad every third."""
    found = re.findall(r"(좋은|나쁜) 답 (\d+)", prompt)
    kind, number = found[-1] if found else ("나쁜", "1")
    score = 5 if kind == "좋은" else 4 if int(number) % 3 == 0 else 1
    return Answer(json.dumps({"reason": "까닭", "score": score, "status": "completed"}), tokens=(900, 30))


@pytest.fixture
def space(endpoint: ChatEndpoint, judge_endpoint: ChatEndpoint, tmp_path: Path) -> Space:
    """``space(judge, rules)``: a workspace whose suite is graded by this judge and gated by these rules."""
    endpoint.default = reply

    def build(judge: Judge, *rules: dict[str, Any], count: int = COUNT) -> Path:
        judge_endpoint.default = judge
        folder = tmp_path / "space"
        folder.mkdir(exist_ok=True)
        rows = [{"id": f"q{n}", "question": f"문의 {n}", "category": f"갈래 {n % 2}"} for n in range(count)]
        (folder / "own.jsonl").write_text("".join(json.dumps(r, ensure_ascii=False) + "\n" for r in rows), "utf-8")
        common = {"provider": "openai", "attempts": 1, "in_flight": 16}
        relevant = {
            "evaluator": "relevance",
            "inputs": {"query": "${data.question}", "response": "${nodes.reply.output}"},
            "settings": {"judge": "judge", "in_flight": 16},
        }
        suite = {
            "models": ["live"],
            "datasets": ["own"],
            "prompt": "{{question}}",
            "evaluators": {"reply": {"relevant": relevant}},
            "primary": f"{JUDGE}.passed",
            "max_failed": 1.0,
        }
        config = {
            "version": 1,
            "models": {
                "live": {**common, "endpoint": f"{endpoint.url}/v1", "model": "gpt"},
                "judge": {**common, "endpoint": f"{judge_endpoint.url}/v1", "model": "judge-1"},
            },
            "datasets": {"own": {"kind": "jsonl", "path": "own.jsonl"}},
            "suites": {"small": suite},
            "gates": {"small": {"suite": "small", "rules": list(rules)}},
        }
        (folder / "driftgate.yaml").write_text(yaml.safe_dump(config, allow_unicode=True), "utf-8")
        return folder

    return build


def words(done: Done) -> str:
    return " ".join((done.out + done.err).split())


def corrected(**limit: float) -> dict[str, Any]:
    return {"metric": f"{JUDGE}.passed", "corrected": True, **limit}


def label(file: Path, people: Callable[[int], str] = lambda n: str(int(good(n))), column: str = "passed") -> None:
    """Fill in the drawn file as people do, who read the question's number off it."""
    with file.open(encoding="utf-8", newline="") as opened:
        rows = list(csv.DictReader(opened))
    for row in rows:
        row[column] = people(int(row["sample"].removeprefix("q")))
    with file.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.DictWriter(opened, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


@pytest.mark.parametrize("no_judge", [strict, hashing, lambda prompt: Answer(json.dumps({"score": 5}))])
def test_a_gate_on_what_is_no_judge_is_unmeasurable_and_says_what_to_do(
    cli: Cli, space: Space, no_judge: Judge
) -> None:
    rules = [{"metric": f"{JUDGE}.passed", "min": 0.01}, {"metric": f"{JUDGE}.relevance", "min": 1.01}]
    folder = space(no_judge, *rules, {"metric": "accuracy", "min": 0.01}, count=30)
    ran = cli("bench", "small", "-w", folder)
    assert "its scores decide nothing" in words(ran) and "judge unvalidated" in words(ran)
    done = cli("gate", "latest", "-w", folder)
    assert done.code == 4, words(done)
    assert words(done).count("unmeasurable") >= 3 and "weighted kappa" in words(done)
    assert "is wanted" in words(done) and "take another judge" in words(done)
    shown = cli("runs", "show", "latest", "-w", folder)
    assert "judge unvalidated" in words(shown) and "with 24 anchors a judge of true kappa 0.7" in words(shown)


def test_a_hundred_labels_correct_a_lenient_judge(cli: Cli, space: Space, tmp_path: Path) -> None:
    """By the judge 73% pass, by people 60%."""
    folder = space(agreeing("relevance", lenient), corrected(min=0.5), corrected(max=0.7))
    assert cli("bench", "small", "-w", folder).code == 0
    before = cli("gate", "latest", "-w", folder)
    assert before.code == 4 and "there is no calibration of this judge" in words(before)
    assert f"driftgate calibrate {JUDGE} labels.csv" in words(before)

    file = tmp_path / "labels.csv"
    drawn = cli("calibrate", JUDGE, file, "--draw", "100", "--seed", "3", "-w", folder)
    assert drawn.code == 0 and "100 samples, drawn by seed 3" in words(drawn)
    assert cli("calibrate", JUDGE, file, "--draw", "100", "-w", folder).code == 2  # never over people's work
    empty = cli("calibrate", JUDGE, file, "-w", folder)
    assert empty.code == 2 and "holds no label" in words(empty)

    label(file)
    found = cli("calibrate", JUDGE, file, "--json", tmp_path / "found.json", "-w", folder)
    assert found.code == 0, words(found)
    told = json.loads((tmp_path / "found.json").read_text("utf-8"))
    rate = told["corrected"]
    assert rate["judge"] == pytest.approx(0.733, abs=0.01) and rate["low"] < 0.6 < rate["high"] < 0.7
    assert rate["high"] - rate["low"] < 0.9 * (rate["alone"][1] - rate["alone"][0])
    assert told["confusion"]["failed"]["passed"] > 5
    assert told["best"]["threshold"] == 5.0 and told["present"]["threshold"] == 3.0
    assert [one["part"] for one in told["slices"]] == ["갈래 0", "갈래 1"]
    assert {one["part"] for one in told["lengths"]} <= {"short", "middling", "long"}
    assert "threshold 5 agrees best with people's verdicts: 100%" in words(found)
    assert "shorter than that of the labels alone" in words(found)

    after = cli("gate", "latest", "-w", folder)
    assert after.code == 0, words(after)
    assert "corrected by 100 labels of 240 samples" in words(after)


def test_labels_of_a_run_do_not_speak_for_other_replies_and_do_for_the_same(
    cli: Cli, space: Space, tmp_path: Path, endpoint: ChatEndpoint
) -> None:
    folder = space(agreeing("relevance", lenient), corrected(min=0.4), count=60)
    assert cli("bench", "small", "-w", folder).code == 0
    file = tmp_path / "labels.csv"
    cli("calibrate", JUDGE, file, "--draw", "60", "-w", folder)
    label(file)
    assert cli("calibrate", JUDGE, file, "-w", folder).code == 0
    assert cli("bench", "small", "-w", folder).code == 0
    same = cli("gate", "latest", "-w", folder)
    assert same.code == 0 and "corrected by 60 labels" in words(same)
    endpoint.default = lambda prompt: Answer(f"{reply(prompt).text} 또")
    assert cli("bench", "small", "-w", folder).code == 0
    other = cli("gate", "latest", "-w", folder)
    assert other.code == 4 and "none of the labels is of texts of this cell" in words(other)


def test_what_people_left_blank_counts_at_its_worst(cli: Cli, space: Space, tmp_path: Path) -> None:
    folder = space(agreeing("relevance", lenient), corrected(min=0.45), count=100)
    assert cli("bench", "small", "-w", folder).code == 0
    file = tmp_path / "labels.csv"
    cli("calibrate", JUDGE, file, "--draw", "100", "-w", folder)
    label(file)
    assert cli("calibrate", JUDGE, file, "-w", folder).code == 0
    assert cli("gate", "latest", "-w", folder).code == 0
    file.unlink()
    cli("calibrate", JUDGE, file, "--draw", "100", "-w", folder)
    label(file, lambda n: "" if n % 10 in (3, 4, 5) else str(int(good(n))))
    folder2 = folder / ".driftgate"
    for path in folder2.glob("ledger.db*"):
        path.unlink()  # what was said before is forgotten
    assert cli("bench", "small", "-w", folder).code == 0
    assert cli("calibrate", JUDGE, file, "-w", folder).code == 0
    done = cli("gate", "latest", "-w", folder)
    assert done.code == 4, words(done)
    assert "drawn for labels have none" in words(done)


def test_texts_of_a_file_are_graded_by_the_judge(
    cli: Cli, space: Space, tmp_path: Path, judge_endpoint: ChatEndpoint
) -> None:
    folder = space(agreeing("relevance", lenient), corrected(min=0.5), count=4)
    file = tmp_path / "texts.jsonl"
    rows = [
        {
            "query": f"문의 {n}",
            "response": reply(f"문의 {n}").text,
            "grade": 5 if good(n) else 1,
            "slice": f"부서 {n % 2}",
        }
        for n in range(40)
    ]
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    done = cli("calibrate", JUDGE, file, "-w", folder)
    assert done.code == 0, words(done)
    assert len(judge_endpoint.requests) == 40
    assert "these labels would admit the judge" in words(done) and "on 40 texts" in words(done)
    assert "부서 0" in done.out and "threshold 5 agrees best" in words(done)


def test_labels_of_texts_that_are_gone_are_refused(cli: Cli, space: Space, tmp_path: Path) -> None:
    """How long a text was nobody knows any more, and without it a judge that goes by length cannot be told."""
    folder = space(agreeing("relevance", lenient), corrected(min=0.5), count=60)
    assert cli("bench", "small", "-w", folder).code == 0
    file = tmp_path / "labels.csv"
    assert cli("calibrate", JUDGE, file, "-w", folder, "--draw", 40).code == 0
    label(file)
    first = file.read_text("utf-8").splitlines()[1].split(",")[0]
    assert cli("forget", "--sample", first, "-w", folder).code in (0, 1)
    done = cli("calibrate", JUDGE, file, "-w", folder)
    assert done.code == 2 and f"the sample '{first}', whose text was forgotten" in words(done), words(done)
    (run,) = (line for line in cli("runs", "list", "-w", folder).out.split() if "-small-" in line)
    assert cli("ledger", "expire", "--run", run, "-w", folder).code == 0
    done = cli("calibrate", JUDGE, file, "-w", folder)
    assert done.code == 2 and "was expired on" in words(done), words(done)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("sample,grade\nq1,9\n", "has the grade 9"),
        ("sample,grade\nq1,much\n", "has the grade 'much'"),
        ("sample,passed\nq1,perhaps\n", "has 'perhaps' in the column 'passed'"),
        ("sample,passed\nq1,1\nq1,0\n", "labels the sample 'q1' a second time"),
        ("sample,passed\nnobody,1\n", "is of a sample 'nobody' that"),
        ("sample,passed\nq1,1\nq2,0\n", "only 2 of 2 texts were graded by people and by the judge"),
        ("response,grade\n가,3\n", "has nothing in query"),
    ],
)
def test_labels_that_say_nothing_are_refused_by_row(
    cli: Cli, space: Space, tmp_path: Path, content: str, said: str
) -> None:
    folder = space(agreeing("relevance", lenient), corrected(min=0.5), count=4)
    assert cli("bench", "small", "-w", folder).code == 0
    file = tmp_path / "labels.csv"
    file.write_text(content, "utf-8")
    done = cli("calibrate", JUDGE, file, "-w", folder)
    assert done.code == 2 and said in words(done), words(done)


def test_a_judge_that_nobody_has_is_refused(cli: Cli, space: Space, tmp_path: Path) -> None:
    folder = space(agreeing("relevance", lenient), corrected(min=0.5), count=4)
    assert cli("bench", "small", "-w", folder).code == 0
    for content in ("sample,grade\nq1,3\n", "query,response,grade\n가,나,3\n"):
        (tmp_path / "labels.csv").write_text(content, "utf-8")
        named = cli("calibrate", "reply.relevent", tmp_path / "labels.csv", "-w", folder)
        assert named.code == 2 and "did you mean 'reply.relevant'" in words(named), words(named)


@pytest.mark.parametrize(
    "rule",
    [
        {"metric": "accuracy", "corrected": True, "min": 0.5},
        {"metric": f"{JUDGE}.relevance", "corrected": True, "min": 0.5},
        {"metric": f"{JUDGE}.passed", "corrected": True, "no_worse_than": "previous"},
        {"metric": f"{JUDGE}.passed", "corrected": True, "min": 0.5, "slices": "category"},
    ],
)
def test_a_corrected_rule_is_about_a_pass_rate_in_a_whole_cell(cli: Cli, space: Space, rule: dict[str, Any]) -> None:
    done = cli("gate", "latest", "-w", space(strict, rule, count=4))
    assert done.code == 2 and "corrected is about a judge's pass rate" in words(done)


def texts_of(file: Path, count: int, *, blank: int = 0) -> Path:
    rows: list[dict[str, Any]] = [
        {"query": f"문의 {n}", "response": reply(f"문의 {n}").text, "grade": 5 if good(n) else 1} for n in range(count)
    ]
    rows += [{"query": f"문의 {n}", "response": "더", "grade": None} for n in range(blank)]
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    return file


def priced(folder: Path, **prices: float) -> None:
    config = yaml.safe_load((folder / "driftgate.yaml").read_text("utf-8"))
    config["models"]["judge"] |= {"prices": prices, "in_flight": 2}
    relevant = config["suites"]["small"]["evaluators"]["reply"]["relevant"]
    relevant["settings"]["in_flight"] = 2
    (folder / "driftgate.yaml").write_text(yaml.safe_dump(config, allow_unicode=True), "utf-8")


def test_calibrating_stops_at_its_budget_says_what_was_spent_and_goes_on_without_paying_twice(
    cli: Cli, space: Space, judge_endpoint: ChatEndpoint, tmp_path: Path
) -> None:
    """A grade takes 900 tokens in and 30 out: at 1,000 a million tokens 0.93."""
    folder = space(lenient, corrected(min=0.5), count=4)
    priced(folder, input=1000.0, output=1000.0)
    file = texts_of(tmp_path / "texts.jsonl", 40, blank=5)
    stopped = cli("calibrate", JUDGE, file, "-w", folder, "--max-cost", "9")
    assert stopped.code == 2, words(stopped)
    assert "the limit of 9 on cost is reached" in words(stopped) and "of 40 texts graded" in words(stopped)
    assert "the grades so far are kept" in words(stopped)
    before = len(judge_endpoint.requests)
    assert 10 <= before <= 12
    done = cli("calibrate", JUDGE, file, "-w", folder, "--max-cost", "100")
    assert done.code == 0, words(done)
    assert len(judge_endpoint.requests) == 40  # the five without a label are nobody's
    cost = 0.93 * (40 - before)
    assert f"asked about {40 - before} texts, which cost {cost:.4g} USD; {before} grades were there" in words(done)
    assert "40 texts" in words(done) and "gave 5 of them no grade" not in words(done)

    again = cli("calibrate", JUDGE, file, "-w", folder, "--json", tmp_path / "made.json")
    assert again.code == 0 and len(judge_endpoint.requests) == 80  # what is whole is asked for anew
    assert "asked about 40 texts, which cost 37.2 USD" in words(again)
    assert json.loads((tmp_path / "made.json").read_text("utf-8"))["asked"]["cost"] == pytest.approx(37.2)


def test_grades_that_an_outage_kept_from_coming_are_asked_for_alone(
    cli: Cli, space: Space, judge_endpoint: ChatEndpoint, tmp_path: Path
) -> None:
    folder = space(agreeing("relevance", lenient), corrected(min=0.5), count=4)
    priced(folder, input=1000.0, output=1000.0)
    file = texts_of(tmp_path / "texts.jsonl", 40)
    down = Status(500, {"error": {"message": "boom"}})
    judge_endpoint.default = lambda prompt: lenient(prompt) if len(judge_endpoint.requests) <= 25 else down
    done = cli("calibrate", JUDGE, file, "-w", folder)
    assert "would admit the judge" not in words(done), words(done)  # 15 grades are as wrong as can be
    judge_endpoint.default = lenient
    judge_endpoint.forget()
    done = cli("calibrate", JUDGE, file, "-w", folder)
    assert done.code == 0 and len(judge_endpoint.requests) == 15, words(done)
    assert "25 grades were there already" in words(done) and "on 40 texts" in words(done)


def test_what_a_killed_calibration_has_paid_for_is_not_asked_for_again(
    cli: Cli, space: Space, judge_endpoint: ChatEndpoint, tmp_path: Path
) -> None:
    """All but the two grades that were under way."""
    folder = space(agreeing("relevance", lenient), corrected(min=0.5), count=4)
    priced(folder, input=1000.0, output=1000.0)
    file = texts_of(tmp_path / "texts.jsonl", 40)
    judge_endpoint.default = lambda prompt: replace(lenient(prompt), seconds=0.1)
    command = [sys.executable, "-m", "driftgate", "calibrate", JUDGE, str(file), "-w", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as killed:
        limit = time.monotonic() + 60
        while len(judge_endpoint.requests) < 14 and time.monotonic() < limit:
            time.sleep(0.01)
        killed.kill()
    before = len(judge_endpoint.requests)
    assert 14 <= before < 40
    assert cli("calibrate", JUDGE, file, "-w", folder).code == 0
    assert len(judge_endpoint.requests) <= 40 + 2


def test_a_judge_that_gives_no_grade_is_to_be_mended_and_not_the_labels(
    cli: Cli, space: Space, judge_endpoint: ChatEndpoint, tmp_path: Path
) -> None:
    folder = space(lenient, corrected(min=0.5), count=4)
    judge_endpoint.default = Status(200, b"<html>sign in</html>")
    done = cli("calibrate", JUDGE, texts_of(tmp_path / "texts.jsonl", 12), "-w", folder)
    assert done.code == 2 and "only 0 of 12 texts were graded" in words(done)
    assert "see that the judge answers" in words(done) and "have at least 10 labelled" not in words(done)


@pytest.mark.parametrize(
    ("prices", "limit", "said"),
    [
        ({}, "5", "the judge 'judge' has no price of input and output tokens"),
        ({"input": 1.0}, "5", "the judge 'judge' has no price of output tokens"),
        ({"input": 1.0, "output": 1.0}, "0", "the limit on cost is 0"),
        ({"input": 1.0, "output": 1.0}, "nan", "the limit on cost is nan"),
    ],
)
def test_a_budget_that_cannot_be_kept_is_refused_before_the_judge_is_asked(
    cli: Cli,
    space: Space,
    judge_endpoint: ChatEndpoint,
    tmp_path: Path,
    prices: dict[str, float],
    limit: str,
    said: str,
) -> None:
    folder = space(lenient, corrected(min=0.5), count=4)
    priced(folder, **prices)
    done = cli("calibrate", JUDGE, texts_of(tmp_path / "texts.jsonl", 12), "-w", folder, "--max-cost", limit)
    assert done.code == 2 and said in words(done), words(done)
    assert judge_endpoint.requests == []


def test_a_judge_that_does_not_say_what_it_took_has_a_cost_nobody_knows(
    cli: Cli, space: Space, judge_endpoint: ChatEndpoint, tmp_path: Path
) -> None:
    def silent(prompt: str) -> Answer:
        return Answer(lenient(prompt).text or "", tokens=None)

    folder = space(silent, corrected(min=0.5), count=4)
    priced(folder, input=1000.0, output=1000.0)
    file = texts_of(tmp_path / "texts.jsonl", 20)
    limited = cli("calibrate", JUDGE, file, "-w", folder, "--max-cost", "5")
    assert limited.code == 2 and "did not say how many tokens" in words(limited), words(limited)
    assert len(judge_endpoint.requests) <= 2
    free = cli("calibrate", JUDGE, file, "-w", folder)
    assert free.code == 0 and "which cost nobody knows what" in words(free), words(free)


def test_doctor_says_beforehand_which_labels_a_corrected_rule_lacks(cli: Cli, space: Space, tmp_path: Path) -> None:
    folder = space(agreeing("relevance", lenient), corrected(min=0.5), count=60)
    before = words(cli("doctor", "-w", folder))
    assert f"corrects the pass rate of {JUDGE}, and there is no calibration of this judge (pin " in before
    assert "at least 30 are wanted" in before and f"driftgate calibrate {JUDGE} labels.csv --run latest" in before
    assert cli("bench", "small", "-w", folder).code == 0
    for count, said in ((20, "only 20 samples are labelled"), (50, "people labelled 5")):
        file = tmp_path / f"labels{count}.csv"
        assert cli("calibrate", JUDGE, file, "-w", folder, "--draw", count, "--seed", count).code == 0
        label(file)
        assert cli("calibrate", JUDGE, file, "-w", folder).code == 0
        assert said in words(cli("doctor", "-w", folder))
    config = yaml.safe_load((folder / "driftgate.yaml").read_text("utf-8"))
    config["models"]["judge"]["model"] = "judge-2"
    (folder / "driftgate.yaml").write_text(yaml.safe_dump(config, allow_unicode=True), "utf-8")
    assert "there is no calibration of this judge" in words(cli("doctor", "-w", folder))


def test_doctor_says_that_repeated_samples_cannot_be_corrected(cli: Cli, space: Space) -> None:
    folder = space(agreeing("relevance", lenient), corrected(min=0.5), count=6)
    config = yaml.safe_load((folder / "driftgate.yaml").read_text("utf-8"))
    config["suites"]["small"]["repeats"] = 2
    (folder / "driftgate.yaml").write_text(yaml.safe_dump(config, allow_unicode=True), "utf-8")
    assert "asked several times cannot be corrected: it can only be unmeasurable" in words(cli("doctor", "-w", folder))
