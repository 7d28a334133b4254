"""A cell of which nothing was answered is nothing to be no worse than."""

from __future__ import annotations

from typing import Any

import pytest

WELL = [("answered", 1.0)] * 54 + [("answered", 0.0)] * 6
WORSE = [("answered", 1.0)] * 30 + [("answered", 0.0)] * 30
LOST = [[(outcome, None)] * 60 for outcome in ("filtered", "unparsed", "truncated")]
RULE = {"no_worse_than": "previous", "margin": 0.05}


@pytest.mark.parametrize("lost", LOST)
def test_a_night_without_an_answer_is_passed_over(world: Any, lost: list[Any]) -> None:
    measured = world.run({"m": WELL})
    world.run({"m": lost})
    said = world.say(world.run({"m": WORSE}), RULE)
    assert said.verdict == "fail" and measured in said.told


@pytest.mark.parametrize("rule", [RULE, {"metric": "share.answered", **RULE}, {"metric": "latency_p95", **RULE}])
def test_the_only_night_before_answered_nothing(world: Any, rule: dict[str, Any]) -> None:
    empty = world.run({"m": LOST[0]})
    said = world.say(world.run({"m": WORSE}), rule)
    assert said.verdict == "unmeasurable" and not said.first_run
    assert f"run {empty} cannot be compared with" in said.told and "none got an answer" in said.told


@pytest.mark.parametrize("lost", LOST)
def test_a_champion_that_answered_nothing_in_the_same_run_lets_nobody_pass(world: Any, lost: list[Any]) -> None:
    run = world.run({"live": lost, "m": WELL})
    said = world.say(run, {"no_worse_than": "champion", "margin": 0.05}, champion="live")
    assert said.verdict == "unmeasurable" and "none of its samples got an answer" in said.told


def test_what_a_night_without_an_answer_does_tell_is_compared(world: Any) -> None:
    world.run({"m": LOST[0]})
    rule = {"metric": "share.filtered", "no_worse_than": "previous", "margin": 0.05}
    assert world.say(world.run({"m": WELL}), rule).verdict == "pass"
