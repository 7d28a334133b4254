"""Worse evidence never makes an option the one that is proposed instead of training."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftgate.api.repair._options import cost_of_a_thousand
from driftgate.api.story import Story, Words, write_story
from driftgate.finetune.choice import ALTERNATIVES, ChoiceConfig, Figure, Measured, Option, proposed
from driftgate.finetune.choice_words import option_rows

WORDS = Words("change", "measured", "asked", "look", "all", "proof", "items")
VERDICTS = ("pass", "fail", "inconclusive", "unmeasurable", "")
COSTS = st.none() | st.sampled_from([0.0, 0.5, 1.0, 2.0])
SHARES = st.none() | st.sampled_from([0.0, 0.5, 0.75, 1.0])


@st.composite
def tables(draw: st.DrawFn) -> list[Option]:
    """A champion, what was trained, and alternatives in no order."""
    count = draw(st.integers(2, 5))
    options = [
        Option(
            kind=draw(st.sampled_from(ALTERNATIVES)),
            name=f"option {number}",
            model=f"m{number}",
            verdict=draw(st.sampled_from(("pass",) * 6 + VERDICTS)),  # most pass, or there is nothing to choose from
            cost=draw(COSTS),
            currency=draw(st.sampled_from(["USD", "USD", "USD", "KRW"])),
            quality=draw(SHARES),
        )
        for number in range(count)
    ]
    beside = [Option(kind="base", name="base", model="live", verdict="pass", cost=0.0, quality=1.0)]
    beside += [Option(kind="tuned", name="tuned", model="t", verdict="pass", cost=0.0, quality=1.0)]
    return draw(st.permutations(options + beside))


@settings(max_examples=200)
@given(tables())
def test_only_what_passes_is_proposed_and_it_is_the_cheapest_that_is_known(options: list[Option]) -> None:
    best = proposed(options)
    passing = [one for one in options if one.kind in ALTERNATIVES and one.verdict == "pass"]
    assert (best is None) == (not passing)
    if best is None:
        return
    assert best in passing
    known = [one for one in passing if one.cost is not None]
    if len({one.currency for one in known}) == 1:
        passing = [one for one in known if one.cost == min(other.cost or 0.0 for other in known)]
    assert best in passing and (best.quality or 0.0) == max(one.quality or 0.0 for one in passing)


@settings(max_examples=200)
@given(tables(), st.data())
def test_worse_evidence_never_makes_an_option_the_one(options: list[Option], data: st.DataObject) -> None:
    before = proposed(options)
    place = data.draw(st.integers(0, len(options) - 1))
    one = options[place]
    costlier = st.none() if one.cost is None else st.none() | st.floats(one.cost, 9.0)
    lower = st.none() if one.quality is None else st.none() | st.floats(0.0, one.quality)
    worse = one.model_copy(
        update={
            "cost": data.draw(costlier),
            "quality": data.draw(lower),
            "verdict": data.draw(st.sampled_from([one.verdict, *VERDICTS[1:]])),
        }
    )
    after = proposed([*options[:place], worse, *options[place + 1 :]])
    if before is None or before.name != one.name:
        assert after is None or after.name != one.name


OUTCOMES = ("answered", "unparsed", "truncated", "filtered", "failed", "missing")


@st.composite
def frames(draw: st.DrawFn) -> pd.DataFrame:
    rows = draw(
        st.lists(
            st.tuples(
                st.sampled_from(["answered", *OUTCOMES]), st.booleans(), st.sampled_from([0.0, 0.001, 0.004, math.nan])
            ),
            min_size=1,
            max_size=6,
        )
    )
    return pd.DataFrame(rows, columns=["outcome", "cached", "cost"])


@given(frames(), st.booleans(), st.data())
def test_what_is_lost_never_makes_an_option_cheaper(frame: pd.DataFrame, priced: bool, data: st.DataObject) -> None:
    before = cost_of_a_thousand([frame], priced=priced)
    worse, place = frame.copy(), data.draw(st.integers(0, len(frame) - 1))
    match data.draw(st.sampled_from(["outcome", "unknown", "price"])):
        case "outcome":
            worse.loc[place, "outcome"] = data.draw(st.sampled_from(["filtered", "failed", "missing"]))
        case "unknown":
            worse.loc[place, "cost"] = math.nan
        case _:
            priced = False
    after = cost_of_a_thousand([worse], priced=priced)
    assert after is None or (before is not None and after >= before)


@pytest.mark.parametrize("outcome", ["filtered", "failed", "missing"])
def test_a_cost_is_known_only_where_every_sample_was_replied_to(outcome: str) -> None:
    frame = pd.DataFrame({"outcome": ["answered", "answered"], "cached": False, "cost": [0.001, 0.003]})
    assert cost_of_a_thousand([frame], priced=True) == pytest.approx(2.0)
    assert cost_of_a_thousand([frame, frame.assign(outcome=["answered", outcome])], priced=True) is None
    assert cost_of_a_thousand([frame.assign(cost=[0.001, math.nan])], priced=True) is None
    assert cost_of_a_thousand([frame.assign(cost=0.0)], priced=False) is None
    assert cost_of_a_thousand([frame.assign(cost=0.0)], priced=True) == 0.0


def test_costs_in_two_currencies_are_not_compared() -> None:
    won = Option(kind="model", name="b", model="b", verdict="pass", cost=1.0, currency="KRW", quality=0.5)
    dollars = Option(kind="model", name="a", model="a", verdict="pass", cost=2.0, quality=0.9)
    assert proposed([won, dollars]) == dollars


def test_what_is_not_known_is_said_and_is_no_number() -> None:
    unknown = Option(kind="model", name="model x", model="x", measured=[Measured(dataset="own", n=4)])
    (row,) = option_rows([unknown])
    assert (row.quality, row.cost, row.latency) == ("not known", "not known", "not known, p95 not known")
    bound = unknown.model_copy(
        update={"at_most": True, "measured": [Measured(dataset="own", n=4, cost=Figure(value=1.5, low=1.0, high=2.0))]}
    )
    assert option_rows([bound], "model x")[0].cost == "at most 1.5 USD (1 to 2)"
    assert option_rows([bound], "model x")[0].gate == "proposed"


def test_the_story_tells_what_it_was_chosen_from(tmp_path: Path) -> None:
    rows = option_rows([Option(kind="prompt", name="<b>", model="x", measured=[Measured(dataset="own", n=4)])])
    made: dict[str, Any] = {"verdict": {"rules": []}, "training": {}, "items": {"count": 1, "dropped": {}}}
    told = [
        write_story(Story("t", WORDS, "b", "a", [], [], options=one, **made), tmp_path / "s.html") for one in (rows, [])
    ]
    assert told[0] == told[1] and "chosen from" not in told[1].read_text("utf-8")
    page = write_story(Story("t", WORDS, "b", "a", [], [], options=rows, **made), tmp_path / "s.html").read_text(
        "utf-8"
    )
    assert "What it was chosen from" in page and "&lt;b&gt;" in page and "not known" in page


@pytest.mark.parametrize("given", [{}, {"models": []}, {"models": ["a", "a"]}, {"prompts": ["a"]}])
def test_a_choice_of_nothing_is_none(given: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"choose from|twice|prompts"):
        ChoiceConfig.model_validate(given)
