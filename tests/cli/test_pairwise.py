"""Two cells compared by a judge on loopback: an honest one, one that likes the first place, one that only sees it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from chat_endpoint import Answer, ChatEndpoint, Status, Step
from command_line import Cli, Make
from hypothesis import given
from hypothesis import strategies as st

from driftgate.benchmarks.pairwise import Pair, conclude

CRITERIA = "정답에 가까운 답이 낫다"
COUNT = 40


def sides(prompt: str) -> tuple[int, str, str]:
    """Number of the question, and both answers in their places."""
    data = json.loads(prompt[prompt.index('{"질문"') :])
    return int(re.findall(r"문제 (\d+)번", data["질문"])[0]), data["답 A"], data["답 B"]


def said(winner: str) -> Answer:
    return Answer(json.dumps({"reason": "기준에 더 가깝다", "winner": winner}, ensure_ascii=False), tokens=(100, 10))


def honest(prompt: str) -> Answer:
    number, one, other = sides(prompt)
    wanted = "ABCD"[number % 4]
    return said("tie" if (one == wanted) == (other == wanted) else "A" if one == wanted else "B")


def leaning(prompt: str) -> Answer:
    """Sees what is better, and takes the first place for it in one question of five and in every tie."""
    found = honest(prompt)
    return said("A") if "tie" in (found.text or "") or sides(prompt)[0] % 5 == 0 else found


def always_a(prompt: str) -> Answer:
    return said("A")


def by_hash(prompt: str) -> Answer:
    return said("AB"[hashlib.sha256(prompt.encode()).digest()[0] % 2])


@pytest.fixture
def compared(cli: Cli, make: Make, endpoint: ChatEndpoint, judge_endpoint: ChatEndpoint) -> Callable[..., Any]:
    """``compared(judge)``: what the command says of a model that is right and one that always says A."""

    def change(config: dict[str, Any]) -> None:
        models = config["models"]
        models["other"] = {**models["tested"], "model": "other"}
        models["j"] = {"provider": "openai", "endpoint": f"{judge_endpoint.url}/v1", "model": "judge-1", "attempts": 1}
        models["j"]["prices"] = {"input": 1.0, "output": 1.0}
        config["suites"]["small"]["models"] = ["tested", "other"]

    def other(body: Mapping[str, Any]) -> Step | None:
        return Answer("A") if body["model"] == "other" else None

    endpoint.refuses = other
    folder = make(COUNT, change)
    assert cli("bench", "-w", folder).code == 0

    def run(judge: Callable[[str], Step], *more: object, swapped: bool = False) -> tuple[int, str, dict[str, Any]]:
        judge_endpoint.default = judge
        file = folder / "pairs.json"
        file.unlink(missing_ok=True)
        names = ["latest/tested", "latest/other"]
        done = cli(
            *("pairwise", *(names[::-1] if swapped else names), "--judge", "j", "--criteria", CRITERIA),
            *("--json", file, "-w", folder, *more),
        )
        return done.code, done.out + done.err, json.loads(file.read_text("utf-8")) if file.exists() else {}

    return run


def test_honest_leaning_and_always_a_are_told_apart(
    compared: Callable[..., Any], judge_endpoint: ChatEndpoint, tmp_path: Path
) -> None:
    code, out, found = compared(honest)
    assert code == 0 and found["verdict"] == "first" and found["bias"] == 0.0
    assert found["counts"] == {"won": 30, "lost": 0, "tied": 10, "followed the place": 0, "not measured": 0}
    assert found["win_rate"] == 0.875 and 0.5 < found["low"] < 0.875 < found["high"] <= 1.0
    assert "win rate 87.5%" in out and "position bias +0.0%" in out and "30 won, 0 lost, 10 tied" in out
    assert len(judge_endpoint.requests) == 2 * COUNT and found["cost"] == pytest.approx(80 * 110 / 1e6)
    assert compared(honest, swapped=True)[2]["verdict"] == "second"

    code, out, found = compared(leaning)
    assert code == 0 and found["verdict"] == "first"
    assert found["bias"] == pytest.approx(0.2) and found["bias_low"] > 0.0 and "position bias +20.0%" in out

    code, out, found = compared(always_a)
    assert code == 4 and (found["verdict"], found["win_rate"], found["bias"]) == ("unmeasurable", 0.5, 0.5)
    assert "it named one answer twice in 0, less than a coin: it goes by the place, not by the answers" in " ".join(
        out.split()
    )

    code, out, found = compared(by_hash)
    assert code == 4 and found["verdict"] == "unmeasurable" and "than a coin" in out


def test_pairs_that_cannot_be_read_count_against_whoever_would_gain(compared: Callable[..., Any]) -> None:
    def often_silent(prompt: str) -> Step:
        return Answer("둘 다 훌륭하네요!") if sides(prompt)[0] % 2 else honest(prompt)

    code, out, found = compared(often_silent)
    assert code == 0 and found["verdict"] == "inconclusive" and found["counts"]["not measured"] == 20
    assert found["low"] < 0.5 < found["high"] and 'it said: "둘 다 훌륭하네요!"' in out


def test_a_judge_that_does_not_answer_measures_nothing(compared: Callable[..., Any]) -> None:
    code, out, found = compared(lambda prompt: Status(400, {"error": {"message": "no"}}), "--limit", 4)
    assert code == 4 and found["verdict"] == "unmeasurable" and len(found["pairs"]) == 4
    assert "no pair could be measured" in out


def test_what_cannot_be_compared_is_refused(cli: Cli, compared: Callable[..., Any], tmp_path: Path) -> None:
    where = ("--criteria", CRITERIA, "-w", tmp_path / "space")
    assert "has 2 cells" in cli("pairwise", "latest", "latest/other", "--judge", "j", *where).err
    assert (
        "no model 'k' to be the judge" in cli("pairwise", "latest/tested", "latest/other", "--judge", "k", *where).err
    )


SIDE = st.sampled_from([0.0, 0.5, 1.0, None])
PAIRS = st.lists(st.tuples(SIDE, SIDE), min_size=1, max_size=30)


@given(PAIRS)
def test_a_pair_that_goes_missing_widens_what_is_said_of_the_win_rate(
    given_: list[tuple[float | None, float | None]],
) -> None:
    pairs = [Pair(str(n), "", *sides) for n, sides in enumerate(given_)]
    before, after = conclude(pairs), conclude([Pair("0", "", None, None), *pairs[1:]])
    if before.low is not None and after.low is not None:
        assert before.high is not None and after.high is not None
        assert after.low <= before.low and after.high >= before.high
    assert after.verdict == before.verdict or {after.verdict, before.verdict} != {"first", "second"}


@given(PAIRS)
def test_swapping_the_cells_swaps_the_verdict(given_: list[tuple[float | None, float | None]]) -> None:
    pairs = [Pair(str(n), "", *sides) for n, sides in enumerate(given_)]
    turned = [Pair(p.sample, "", *(None if s is None else 1 - s for s in (p.forward, p.backward))) for p in pairs]
    swapped = {"first": "second", "second": "first"}
    before, after = conclude(pairs).verdict, conclude(turned).verdict
    assert after == swapped.get(before, before)


def test_what_stands_for_a_text_that_is_gone_is_not_compared(
    compared: Callable[..., Any], cli: Cli, judge_endpoint: ChatEndpoint, tmp_path: Path
) -> None:
    """A judge would prefer any answer to the word that is left of a forgotten one, and so decide."""
    folder = tmp_path / "space"
    sample = compared(honest, "--limit", 1)[2]["pairs"][0]["sample"]
    cli("forget", "--sample", sample, "-w", folder)
    judge_endpoint.requests.clear()
    code, out, found = compared(honest, "--limit", 1)
    assert code == 4 and found["verdict"] == "unmeasurable" and not judge_endpoint.requests
    assert found["pairs"][0]["error"] == "what was answered is forgotten"

    cli("forget", "--run", "latest", "-w", folder)
    code, out, found = compared(honest)
    assert code == 2 and found == {} and "its prompts, replies and node outputs are gone" in " ".join(out.split())
    assert not judge_endpoint.requests
