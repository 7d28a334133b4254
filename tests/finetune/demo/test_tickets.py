"""The demonstration's tickets: enough of them, all different, and fair to every team."""

from __future__ import annotations

import json
from collections import Counter
from itertools import combinations
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftgate.benchmarks.datasets import load_dataset, parse_config
from driftgate.finetune.demo import AFTER, BEFORE, NEW_SLICE, Pool, rows, team_of, tickets
from driftgate.flows.errors import DriftgateError

_POOLS = get_args(Pool)


@settings(deadline=None, max_examples=40)  # the first draw of a pool makes all of its tickets
@given(pool=st.sampled_from(_POOLS), count=st.integers(1, 240), seed=st.integers(0, 1000))
def test_tickets_differ_and_topics_are_even(pool: Pool, count: int, seed: int) -> None:
    drawn = tickets(pool, count, seed)
    assert len({ticket.text for ticket in drawn}) == count
    topics = Counter(ticket.topic for ticket in drawn)
    assert max(topics.values()) - min(topics[topic] for topic in ("delivery", "payment", "account", "device")) <= 1
    assert drawn == tickets(pool, count, seed)


def test_no_phrasing_is_in_two_pools() -> None:
    phrasings = [
        {ticket.phrasing for about in ("known", "new") for ticket in tickets(pool, 240, 1, about=about)}
        for pool in _POOLS
    ]
    assert [len(found) for found in phrasings] == [120, 40, 160]
    assert not any(one & other for one, other in combinations(phrasings, 2))


def test_the_new_rule_moves_the_new_product_and_nothing_else() -> None:
    known, new = tickets("hold_out", 80, 2), tickets("hold_out", 80, 2, about="new")
    assert [team_of(ticket, BEFORE) for ticket in known] == [team_of(ticket, AFTER) for ticket in known]
    assert all(team_of(ticket, BEFORE) != team_of(ticket, AFTER) == "device" for ticket in new)
    assert all("하루워치" in ticket.text for ticket in new)
    assert not any("하루워치" in ticket.text for ticket in known)
    assert {row["category"] for row in rows(new, AFTER)} == {NEW_SLICE}
    assert NEW_SLICE in AFTER.text and NEW_SLICE not in BEFORE.text


def test_the_rules_change_what_is_right_and_not_what_is_asked(tmp_path: Path) -> None:
    """Else the canaries after the change are others than those of the reference, and nothing is compared."""
    drawn = [*tickets("canary", 40, 3), *tickets("canary", 16, 3, about="new")]
    samples = []
    for name, policy in (("before", BEFORE), ("after", AFTER)):
        made = rows(drawn, policy)
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in made))
        samples.append(load_dataset(name, parse_config({"kind": "jsonl", "path": f"{name}.jsonl"}), tmp_path).samples)
    assert [one.asked for one in samples[0]] == [one.asked for one in samples[1]]
    answers = [[one.data["answer"] for one in side] for side in samples]
    assert sum(one != other for one, other in zip(*answers, strict=True)) == 16


def test_more_than_there_are_is_refused() -> None:
    with pytest.raises(DriftgateError, match="ask for fewer"):
        tickets("canary", 50_000, 0)


def test_the_questions_are_a_dataset(tmp_path: Path) -> None:
    asked = rows(tickets("canary", 40, 3), BEFORE)
    (tmp_path / "tickets.jsonl").write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in asked))
    dataset = load_dataset("tickets", parse_config({"kind": "jsonl", "path": "tickets.jsonl"}), tmp_path)
    assert len(dataset.samples) == 40
    assert {sample.category for sample in dataset.samples} == {"배송", "결제", "계정", "기기"}
    assert len({sample.cluster for sample in dataset.samples}) == 40
